"""How fast photos are indexed, and a table as large as ISIC 2024's is opened and counted."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.memory import scene
from benchmarks.timing import Step, Times, repeated
from skinapp.datasets import summary
from skinapp.datasets.files import file_facts
from skinapp.datasets.labels import malignancy
from skinapp.datasets.measures import MEASURES
from skinapp.datasets.table import image_table, read_table, write_table

ROWS = 400_000
"""About as many as ISIC 2024 has photos."""

SMALL_PX = (256, 256)
LEAST_INDEXED_PER_S, MOST_OPENING_S, MOST_COUNTING_S = 300, 1, 1
"""The goals: 256-px JPEGs indexed a second on two cores; a large table opened; counted in every way for a page."""

_CLINICS = ("Barcelona", "Basel", "Brisbane", "Melbourne", "New York", "Sydney", "Vienna")
_SITES = ("anterior torso", "head/neck", "lower extremity", "posterior torso", "upper extremity")
_LABELS = {"benign": 0.98, "nv": 0.01, "bkl": 0.005, "wart": 0.004, "bcc": 0.0004, "mel": 0.0004, "scc": 0.0002}
_SPLITS = {"train": 0.7, "validation": 0.1, "test": 0.2}


def large_table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Make up an image table with columns as ISIC 2024's: hardly any photo malignant, small crops of all sizes.

    One metadata cell in a hundred or so is missing; the same seed makes the same table.
    """
    random = np.random.default_rng(seed)
    ids = pd.Series(np.arange(rows)).astype("string").str.zfill(7)
    side = random.integers(41, 270, rows)
    labels = pd.Series(_drawn(random, rows, _LABELS), dtype="string")
    facts = {
        "image_id": "ISIC_" + ids,
        "path": "isic2024/photos/ISIC_" + ids + ".jpg",
        "lesion_id": "IL_" + pd.Series(random.integers(0, rows, rows)).astype("string").str.zfill(7),
        "diagnosis": labels,
        "malignant": malignancy(labels),
        "age": _some_missing(random, pd.Series(random.integers(1, 18, rows) * 5.0)),
        "sex": _some_missing(random, pd.Series(random.choice(["female", "male"], rows))),
        "site": _some_missing(random, pd.Series(random.choice(_SITES, rows))),
        "camera": random.choice(["3D: white", "3D: XP"], rows),
        "source": random.choice(_CLINICS, rows),
        **dict.fromkeys(("width", "height", "stored_width", "stored_height"), side),
        "sha256": _digests(random, rows),
        **{measure: random.uniform(0, 255, rows) for measure in MEASURES},
        "dark_corners": random.uniform(0, 1, rows),
        "perceptual_hash": _digests(random, rows),
        "split": _drawn(random, rows, _SPLITS),
    }
    return image_table(pd.DataFrame(facts))


def table_rows(repeats: int, photos: int) -> Iterator[tuple[str, ...]]:
    """Time indexing, opening and counting.

    Yields what was done, how long it took, the figure that its goal is about, the goal, and whether it is met.
    """
    indexed = indexing(photos, repeats)
    a_second = photos / indexed.median_s
    goal = f"at least {LEAST_INDEXED_PER_S} a second"
    yield f"index {photos} JPEGs", str(indexed), f"{a_second:.0f} a second", goal, _met(a_second >= LEAST_INDEXED_PER_S)
    table = large_table()
    yield _row(f"open {len(table):,} rows", opening(table, repeats), MOST_OPENING_S)
    counted = {name: repeated(step, repeats) for name, step in counting(table).items()}
    for name, times in counted.items():
        yield f"count {name}", str(times), f"{times.median_s:.2f} s", "", ""
    rounds = zip(*(times.elapsed_s for times in counted.values()), strict=True)
    yield _row("counting, all of it", Times(tuple(map(sum, rounds))), MOST_COUNTING_S)


def indexing(photos: int, repeats: int) -> Times:
    """Time hashing and measuring 256-px JPEGs, each another."""
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / f"{number:04}.jpg" for number in range(photos)]
        for number, file in enumerate(files):
            scene(*SMALL_PX).rotate(number).save(file, quality=92)
        return repeated(lambda: file_facts(files, Path(place)), repeats)


def opening(table: pd.DataFrame, repeats: int) -> Times:
    """Time reading a table from its Parquet file."""
    with tempfile.TemporaryDirectory() as place:
        write_table(table, Path(place) / "large.parquet")
        return repeated(lambda: read_table(Path(place) / "large.parquet"), repeats)


def counting(table: pd.DataFrame) -> dict[str, Step]:
    """Name what a page counts of a table, and how."""
    return {
        "headline": lambda: summary.headline(table),
        "classes": lambda: summary.class_counts(table),
        "classes by split": lambda: summary.class_counts_by_split(table),
        "sizes": lambda: summary.size_counts(table, stored=True),
        "splits": lambda: summary.split_counts(table),
        "brightness": lambda: summary.measure_quantiles(table, "brightness"),
        "sex": lambda: summary.metadata_counts(table, "sex"),
        "age": lambda: summary.metadata_counts(table, "age"),
    }


def _row(what: str, times: Times, most_s: float) -> tuple[str, ...]:
    return what, str(times), f"{times.median_s:.2f} s", f"at most {most_s:g} s", _met(times.median_s <= most_s)


def _met(met: bool) -> str:
    return "yes" if met else "no"


def _drawn(random: np.random.Generator, rows: int, shares: dict[str, float]) -> npt.NDArray[np.str_]:
    return random.choice(list(shares), rows, p=list(shares.values()))


def _some_missing(random: np.random.Generator, values: pd.Series) -> pd.Series:
    return values.mask(random.random(len(values)) < 0.01)


def _digests(random: np.random.Generator, rows: int) -> list[str]:
    digits = random.bytes(32 * rows).hex()
    return [digits[start : start + 64] for start in range(0, len(digits), 64)]
