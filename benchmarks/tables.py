"""How fast photos are indexed, and how fast a table as large as ISIC 2024's is opened and counted."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.memory import draw_scene
from benchmarks.timing import Step, Times, time_repeatedly
from skinapp.datasets import summary
from skinapp.datasets.files import measure_files
from skinapp.datasets.labels import derive_malignancy
from skinapp.datasets.measures import MEASURES
from skinapp.datasets.table import build_image_table, read_table, write_table

ROWS = 400_000
"""About the number of photos in ISIC 2024."""

SMALL_PX = (256, 256)
LEAST_INDEXED_PER_S, MOST_OPENING_S, MOST_COUNTING_S = 300, 1, 1
"""The goals: 256-px JPEGs indexed per second on two cores; seconds to open a large table; seconds for all counts."""

_CLINICS = ("Barcelona", "Basel", "Brisbane", "Melbourne", "New York", "Sydney", "Vienna")
_SITES = ("anterior torso", "head/neck", "lower extremity", "posterior torso", "upper extremity")
_LABELS = {"benign": 0.98, "nv": 0.01, "bkl": 0.005, "wart": 0.004, "bcc": 0.0004, "mel": 0.0004, "scc": 0.0002}
_SPLITS = {"train": 0.7, "validation": 0.1, "test": 0.2}


def make_large_table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Make up an image table with ISIC 2024's columns: almost no photo malignant, small crops of all sizes.

    About one metadata cell in a hundred is missing. The same seed gives the same table.
    """
    random = np.random.default_rng(seed)
    ids = pd.Series(np.arange(rows)).astype("string").str.zfill(7)
    side = random.integers(41, 270, rows)
    labels = pd.Series(_draw_values(random, rows, _LABELS), dtype="string")
    facts = {
        "image_id": "ISIC_" + ids,
        "path": "isic2024/photos/ISIC_" + ids + ".jpg",
        "lesion_id": "IL_" + pd.Series(random.integers(0, rows, rows)).astype("string").str.zfill(7),
        "diagnosis": labels,
        "malignant": derive_malignancy(labels),
        "age": _drop_some(random, pd.Series(random.integers(1, 18, rows) * 5.0)),
        "sex": _drop_some(random, pd.Series(random.choice(["female", "male"], rows))),
        "site": _drop_some(random, pd.Series(random.choice(_SITES, rows))),
        "camera": random.choice(["3D: white", "3D: XP"], rows),
        "source": random.choice(_CLINICS, rows),
        **dict.fromkeys(("width", "height", "stored_width", "stored_height"), side),
        "sha256": _draw_digests(random, rows),
        **{measure: random.uniform(0, 255, rows) for measure in MEASURES},
        "dark_corners": random.uniform(0, 1, rows),
        "perceptual_hash": _draw_digests(random, rows),
        "split": _draw_values(random, rows, _SPLITS),
    }
    return build_image_table(pd.DataFrame(facts))


def time_tables(repeats: int, photos: int) -> Iterator[tuple[str, ...]]:
    """Time indexing, opening and counting.

    Yields rows of text: the step, its times, the figure that the goal is about, the goal, and whether it is met.
    """
    indexed = time_indexing(photos, repeats)
    per_second = photos / indexed.median_s
    goal = f"at least {LEAST_INDEXED_PER_S} a second"
    yield (
        f"index {photos} JPEGs",
        str(indexed),
        f"{per_second:.0f} a second",
        goal,
        _format_met(per_second >= LEAST_INDEXED_PER_S),
    )
    table = make_large_table()
    yield _format_row(f"open {len(table):,} rows", time_opening(table, repeats), MOST_OPENING_S)
    counted = {name: time_repeatedly(step, repeats) for name, step in list_counts(table).items()}
    for name, times in counted.items():
        yield f"count {name}", str(times), f"{times.median_s:.2f} s", "", ""
    rounds = zip(*(times.elapsed_s for times in counted.values()), strict=True)
    yield _format_row("counting, all of it", Times(tuple(map(sum, rounds))), MOST_COUNTING_S)


def time_indexing(photos: int, repeats: int) -> Times:
    """Time hashing and measuring 256-px JPEGs, all different."""
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / f"{number:04}.jpg" for number in range(photos)]
        for number, file in enumerate(files):
            draw_scene(*SMALL_PX).rotate(number).save(file, quality=92)
        return time_repeatedly(lambda: measure_files(files, Path(place)), repeats)


def time_opening(table: pd.DataFrame, repeats: int) -> Times:
    """Time reading a table from its Parquet file."""
    with tempfile.TemporaryDirectory() as place:
        write_table(table, Path(place) / "large.parquet")
        return time_repeatedly(lambda: read_table(Path(place) / "large.parquet"), repeats)


def list_counts(table: pd.DataFrame) -> dict[str, Step]:
    """Return the counts that the Dataset page makes, by name."""
    return {
        "headline": lambda: summary.compute_headline(table),
        "classes": lambda: summary.count_classes(table),
        "classes by split": lambda: summary.count_classes_by_split(table),
        "sizes": lambda: summary.count_sizes(table, stored=True),
        "splits": lambda: summary.count_splits(table),
        "brightness": lambda: summary.compute_measure_quantiles(table, "brightness"),
        "sex": lambda: summary.count_metadata(table, "sex"),
        "age": lambda: summary.count_metadata(table, "age"),
    }


def _format_row(what: str, times: Times, most_s: float) -> tuple[str, ...]:
    return what, str(times), f"{times.median_s:.2f} s", f"at most {most_s:g} s", _format_met(times.median_s <= most_s)


def _format_met(met: bool) -> str:
    return "yes" if met else "no"


def _draw_values(random: np.random.Generator, rows: int, shares: dict[str, float]) -> npt.NDArray[np.str_]:
    return random.choice(list(shares), rows, p=list(shares.values()))


def _drop_some(random: np.random.Generator, values: pd.Series) -> pd.Series:
    return values.mask(random.random(len(values)) < 0.01)


def _draw_digests(random: np.random.Generator, rows: int) -> list[str]:
    digits = random.bytes(32 * rows).hex()
    return [digits[start : start + 64] for start in range(0, len(digits), 64)]
