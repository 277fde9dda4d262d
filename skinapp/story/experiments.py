"""Where the story takes its figures from: stored runs with their curves, image tables, the audit, the showcase."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.datasets.audit.findings import read_findings
from skinapp.datasets.audit.table import SAME_FILE, SAME_PICTURE
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError, RunError
from skinapp.models.card import TRAINING
from skinapp.models.folder import CURVES
from skinapp.runs.measured import Measured, measured
from skinapp.runs.stored import load_run
from skinapp.story.parts import Source


@dataclass(frozen=True)
class TrainedRun:
    """How a network was trained: its kind, the side of its input in pixels (None: 75 x 100), photos, epochs, time."""

    network: str
    input_px: int | None
    photos: int
    epochs: int
    elapsed_s: float

    def in_words(self) -> str:
        """Say it in half a sentence."""
        network = self.network.replace("resnet", "ResNet-")
        size = f"{self.input_px} px" if self.input_px else "75 x 100 px"
        minutes = max(1, round(self.elapsed_s / 60))
        return f"{network} at {size}, {self.epochs} epochs of {self.photos:,} photos in {minutes} min"


@dataclass(frozen=True, eq=False)
class FoundRuns:
    """The runs that were found, those that are not stored, and a sentence for each that is damaged."""

    found: dict[Source, Measured]
    missing: tuple[Source, ...]
    damaged: tuple[str, ...]

    def has(self, *sources: Source) -> bool:
        """Tell whether all of these were found."""
        return all(source in self.found for source in sources)


def absent(*parts: FoundRuns) -> tuple[str, ...]:
    """Name in one sentence the experiments whose runs are not stored; then a sentence for each damaged run."""
    names = dict.fromkeys(source.experiment for taken in parts for source in taken.missing)
    first = (f"Not stored yet: runs of {', '.join(names)}.",) if names else ()
    return first + tuple(sentence for taken in parts for sentence in taken.damaged)


@dataclass(frozen=True)
class StoredExperiments:
    """The folder of experiments and the folder of image tables."""

    experiments: Path
    tables: Path

    def take(self, sources: Iterable[Source]) -> FoundRuns:
        """Read runs with their intervals; intervals that are not stored are drawn."""
        found: dict[Source, Measured] = {}
        missing, damaged = [], []
        for source in sources:
            folder = self.experiments / source.experiment / "runs" / source.run
            if not folder.is_dir():
                missing.append(source)
                continue
            try:
                found[source] = measured(load_run(folder), folder)
            except RunError as error:
                damaged.append(str(error))
        return FoundRuns(found, tuple(missing), tuple(damaged))

    def curves(self, experiment: str) -> pd.DataFrame | None:
        """Read how an experiment's training went, a row an epoch; None where that is not stored."""
        path = self.experiments / experiment / CURVES
        return pd.read_csv(path) if path.is_file() else None

    def trained(self, experiment: str) -> TrainedRun | None:
        """Read how an experiment's network was trained; None where that is not stored, RunError where it is damaged."""
        path = self.experiments / experiment / TRAINING
        if not path.is_file():
            return None
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return TrainedRun(
                network=str(kept.get("architecture") or kept["network"]),
                input_px=kept["preprocessing"]["input_px"] if "preprocessing" in kept else None,
                photos=int(kept["data"]["train"]["photos"]),
                epochs=int(kept["training"]["epochs"]),
                elapsed_s=float(kept["training"]["elapsed_s"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} does not say how the training went. Make the experiment again.") from error

    def how(self, experiment: str) -> str:
        """Say how an experiment's network was trained."""
        trained = self.trained(experiment)
        return trained.in_words() if trained else "its training is not stored yet"

    def table(self, name: str) -> pd.DataFrame:
        """Read an image table by its name; DatasetError where it cannot be read."""
        return read_table(self.tables / f"{name}.parquet")

    def twins(self) -> pd.DataFrame:
        """Return the pairs of photos that are one file or one picture: table, image and split of each (_a, _b)."""
        found = read_findings(self.tables / "findings.parquet")
        return found[found["finding"].isin((SAME_FILE, SAME_PICTURE))].reset_index(drop=True)

    def showcase(self) -> "pd.Series[str]":
        """Return the diagnosis of each photo never trained on, by image_id."""
        path = self.tables / "showcase.csv"
        try:
            listed = pd.read_csv(path, dtype="string")
            return listed.set_index("image_id")["diagnosis"]
        except (OSError, ValueError, KeyError) as error:
            raise DatasetError(f"{path} lists no showcase photos ({error}). Restore it.") from error
