"""What the story reads: stored runs, learning curves, image tables, findings of the audit, the showcase."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.datasets.audit.findings import SAME_FILE, SAME_PICTURE, read_findings
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError, RunError
from skinapp.models.card import TRAINING
from skinapp.models.folder import CURVES
from skinapp.runs.measured import MeasuredRun, measure_run
from skinapp.runs.stored import load_run
from skinapp.story.parts import RunId


@dataclass(frozen=True)
class TrainingSummary:
    """How a network was trained: architecture, input side in pixels (None: 75 x 100), photos, epochs, seconds."""

    network: str
    input_px: int | None
    photos: int
    epochs: int
    elapsed_s: float

    def describe(self) -> str:
        """Return a phrase such as "ResNet-18 at 112 px, 5 epochs of 7,970 photos in 21 min"."""
        network = self.network.replace("resnet", "ResNet-")
        size = f"{self.input_px} px" if self.input_px else "75 x 100 px"
        minutes = max(1, round(self.elapsed_s / 60))
        return f"{network} at {size}, {self.epochs} epochs of {self.photos:,} photos in {minutes} min"


@dataclass(frozen=True, eq=False)
class FoundRuns:
    """Runs with their intervals, the runs that are not stored, and one sentence per damaged run."""

    measured: dict[RunId, MeasuredRun]
    missing: tuple[RunId, ...]
    damaged: tuple[str, ...]

    def has(self, *run_ids: RunId) -> bool:
        """Tell whether all of these runs were found."""
        return all(run_id in self.measured for run_id in run_ids)


def list_missing(*groups: FoundRuns) -> tuple[str, ...]:
    """Return one sentence that names the experiments without stored runs, then one sentence per damaged run."""
    names = dict.fromkeys(run_id.experiment for runs in groups for run_id in runs.missing)
    first = (f"Not stored yet: runs of {', '.join(names)}.",) if names else ()
    return first + tuple(sentence for runs in groups for sentence in runs.damaged)


@dataclass(frozen=True)
class StoredExperiments:
    """The folder of experiments and the folder of image tables."""

    experiments: Path
    tables: Path

    def find_runs(self, run_ids: Iterable[RunId]) -> FoundRuns:
        """Read runs with their intervals; intervals that are not stored are computed."""
        measured: dict[RunId, MeasuredRun] = {}
        missing, damaged = [], []
        for run_id in run_ids:
            folder = self.experiments / run_id.experiment / "runs" / run_id.run
            if not folder.is_dir():
                missing.append(run_id)
                continue
            try:
                measured[run_id] = measure_run(load_run(folder), folder)
            except RunError as error:
                damaged.append(str(error))
        return FoundRuns(measured, tuple(missing), tuple(damaged))

    def read_curves(self, experiment: str) -> pd.DataFrame | None:
        """Read the learning curves of an experiment, one row per epoch; None if they are not stored."""
        path = self.experiments / experiment / CURVES
        return pd.read_csv(path) if path.is_file() else None

    def read_training(self, experiment: str) -> TrainingSummary | None:
        """Read how the network of an experiment was trained; None if that is not stored, RunError if it is damaged."""
        path = self.experiments / experiment / TRAINING
        if not path.is_file():
            return None
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            return TrainingSummary(
                network=str(facts.get("architecture") or facts["network"]),
                input_px=facts["preprocessing"]["input_px"] if "preprocessing" in facts else None,
                photos=int(facts["data"]["train"]["photos"]),
                epochs=int(facts["training"]["epochs"]),
                elapsed_s=float(facts["training"]["elapsed_s"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} does not say how the training went. Make the experiment again.") from error

    def describe_training(self, experiment: str) -> str:
        """Return a phrase that says how the network of an experiment was trained."""
        training = self.read_training(experiment)
        return training.describe() if training else "its training is not stored yet"

    def read_table(self, name: str) -> pd.DataFrame:
        """Read an image table by its name; DatasetError if it cannot be read."""
        return read_table(self.tables / f"{name}.parquet")

    def list_twins(self) -> pd.DataFrame:
        """Return the pairs of photos with the same file or picture: table, image and split of each (_a, _b)."""
        findings = read_findings(self.tables / "findings.parquet")
        return findings[findings["finding"].isin((SAME_FILE, SAME_PICTURE))].reset_index(drop=True)

    def read_showcase(self) -> "pd.Series[str]":
        """Return the diagnosis of each showcase photo (never trained on), by image_id."""
        path = self.tables / "showcase.csv"
        try:
            listed = pd.read_csv(path, dtype="string")
            return listed.set_index("image_id")["diagnosis"]
        except (OSError, ValueError, KeyError) as error:
            raise DatasetError(f"{path} lists no showcase photos ({error}). Restore it.") from error
