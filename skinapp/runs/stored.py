"""Stored runs: what a model predicted for every photo of a split, and where those predictions came from.

A run is a folder `runs/<name>/` with run.json (where it came from), predictions.parquet (one row per photo) and, if
computed, intervals.json. Every figure is computed from the predictions.
"""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from skinapp.errors import RunError
from skinapp.files import finish_replacing, replace_together
from skinapp.runs.predictions import SUM_TOLERANCE, Predictions, probability_columns

FACTS_FILE = "run.json"
PREDICTIONS_FILE = "predictions.parquet"
INTERVALS_FILE = "intervals.json"


@dataclass(frozen=True)
class Versions:
    """The versions of the software that made a run."""

    python: str
    torch: str
    skinapp: str


@dataclass(frozen=True)
class Scaling:
    """How a head's logits became probabilities: softmax(logits / temperature + offsets), one offset per class."""

    temperature: float
    offsets: tuple[float, ...] = ()


@dataclass(frozen=True)
class RunFacts:
    """Where a run came from.

    `model` is the model's id, `classes` the labels in the order of its outputs, `table` the image table's name. The
    sha256 sums are hexadecimal; `weights_kept` is true if the weights still exist. `created` is an ISO 8601 date and
    time, `note` the limits of the data, shown with every figure. The logits were divided by `temperature` (None where
    it was not kept), then `offsets` were added, one per class (empty for none), then came softmax. For the lesion types
    of a pair of heads, `malignancy` is the scaling of the malignancy head, which the malignant types add up to.
    """

    name: str
    model: str
    classes: tuple[str, ...]
    table: str
    table_sha256: str
    split: str
    weights_sha256: str
    weights_kept: bool
    versions: Versions
    created: str
    note: str
    temperature: float | None = field(default=None, kw_only=True)
    offsets: tuple[float, ...] = field(default=(), kw_only=True)
    malignancy: Scaling | None = field(default=None, kw_only=True)


@dataclass(frozen=True, eq=False)
class StoredRun(Predictions, RunFacts):
    """Predictions that are stored, with the facts of where they came from."""

    def rescored(self, frame: pd.DataFrame, classes: tuple[str, ...]) -> Self:
        """Return the run with changed probabilities or classes, without the scaling that the old ones came from."""
        return replace(self, frame=frame, classes=classes, temperature=None, offsets=(), malignancy=None)


_FACTS = TypeAdapter(RunFacts)


def save_run(run: StoredRun, folder: Path) -> None:
    """Write a run to its folder, whole or not at all; it replaces a run already there, with its intervals.

    Raises RunError where the predictions contradict each other.
    """
    _check_predictions(run.frame, run.classes, folder)
    patients = [column for column in ("patient_id",) if column in run.frame.columns]
    columns = ["image_id", "lesion_id", *patients, "truth", *probability_columns(run.classes)]
    facts = RunFacts(**{field.name: getattr(run, field.name) for field in fields(RunFacts)})
    with replace_together(folder) as aside:
        run.frame[columns].to_parquet(aside / PREDICTIONS_FILE, index=False)
        (aside / FACTS_FILE).write_bytes(_FACTS.dump_json(facts, indent=2) + b"\n")
    # Killed before this, old intervals stay, and `load_intervals` ignores them.
    (folder / INTERVALS_FILE).unlink(missing_ok=True)


def load_run(folder: Path) -> StoredRun:
    """Read a run and check that it holds together.

    Raises RunError, naming the folder and what is wrong: a missing or unreadable file, a missing column, a
    photo listed twice, a truth that is none of the classes, probabilities that are none.
    """
    facts = read_facts(folder)
    frame = _read_predictions(folder)
    _check_predictions(frame, facts.classes, folder)
    return StoredRun(**vars(facts), frame=frame)


def find_runs(root: Path) -> tuple[Path, ...]:
    """Return the folder of every run below a root (each `runs/<name>/` that holds a run.json), sorted."""
    return tuple(sorted(file.parent for file in root.glob(f"**/runs/*/{FACTS_FILE}")))


def find_own_runs(folder: Path) -> tuple[Path, ...]:
    """Return the folder of every run of a model, sorted, without the runs of an average's members."""
    return tuple(run for run in find_runs(folder) if run.parents[1] == folder)


def read_facts(folder: Path) -> RunFacts:
    """Read where a run came from, without its predictions; RunError where that is missing or damaged."""
    finish_replacing(folder)
    try:
        return _FACTS.validate_json((folder / FACTS_FILE).read_bytes())
    except OSError as error:
        raise RunError(
            f"There is no stored run in {folder}: {FACTS_FILE} cannot be read. "
            "Check the path, or make the run with `skinapp evaluate`."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise _broken(folder, f"{FACTS_FILE} is wrong at {where} ({first['msg']})") from error


def _read_predictions(folder: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(folder / PREDICTIONS_FILE)
    except FileNotFoundError as error:
        raise _broken(folder, f"{PREDICTIONS_FILE} is missing") from error
    except (OSError, ValueError) as error:  # pyarrow raises either for a file that is not Parquet
        raise _broken(folder, f"{PREDICTIONS_FILE} cannot be read as Parquet") from error


def _check_predictions(frame: pd.DataFrame, classes: tuple[str, ...], folder: Path) -> None:
    columns = probability_columns(classes)
    missing = [c for c in ("image_id", "lesion_id", "truth", *columns) if c not in frame.columns]
    if missing:
        raise _broken(folder, f"the predictions lack {', '.join(missing)}")
    if frame.empty:
        raise _broken(folder, "the predictions hold no photo")
    _check_ids_and_truth(frame, classes, folder)
    _check_probabilities(frame, columns, folder)


def _check_ids_and_truth(frame: pd.DataFrame, classes: tuple[str, ...], folder: Path) -> None:
    if frame[["image_id", "lesion_id"]].isna().to_numpy().any():
        raise _broken(folder, "a photo has no image_id or no lesion_id")
    twice = frame.loc[frame["image_id"].duplicated(), "image_id"]
    if len(twice):
        raise _broken(folder, f"photo {twice.iloc[0]} is listed more than once ({len(twice)} rows too many)")
    stray = sorted({str(label) for label in frame["truth"].unique()} - set(classes))
    if stray:
        raise _broken(folder, f"the truth names {', '.join(stray)}, none of its classes ({', '.join(classes)})")


def _check_probabilities(frame: pd.DataFrame, columns: list[str], folder: Path) -> None:
    strange = [c for c in columns if frame[c].dtype not in (np.float32, np.float64)]
    if strange:
        raise _broken(folder, f"{strange[0]} holds {frame[strange[0]].dtype}, not float32 or float64")
    values = frame[columns].to_numpy(dtype=np.float64)
    inside = ((values >= 0) & (values <= 1)).all(axis=1)  # NaN compares false, so it lands outside as well
    whole = np.abs(values.sum(axis=1) - 1) <= SUM_TOLERANCE
    for good, fault in ((inside, "are not all in 0 to 1"), (whole, "do not add up to 1")):
        if not good.all():
            first = frame["image_id"].iloc[int(np.argmin(good))]
            raise _broken(folder, f"the probabilities of {(~good).sum()} photos, first {first}, {fault}")


def _broken(folder: Path, fault: str) -> RunError:
    return RunError(f"The stored run in {folder} is damaged: {fault}. Make it again.")
