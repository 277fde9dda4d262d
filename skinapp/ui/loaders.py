"""Caches of what all visitors share: image tables and stored runs, never a photo.

What is computed from files is kept until one of them changes: a run, table or model that is made anew under its old
name is read anew.
"""

import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
import streamlit as st

from skinapp.cards.provenance import is_own_test
from skinapp.datasets.audit.findings import read_findings, select_findings
from skinapp.datasets.filters import FilterIndex, build_filter_index
from skinapp.datasets.showcase import Example, read_showcase
from skinapp.datasets.summary import DataHeadline
from skinapp.datasets.summary import compute_headline as compute_table_headline
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import RunError
from skinapp.files import EXPERIMENTS, MODELS
from skinapp.models.card import CARD, TRAINING, Card, Task, TrainingFacts, read_card, read_training
from skinapp.models.folder import CURVES, MEMBERS, REFERENCE
from skinapp.runs.baselines import select_photos
from skinapp.runs.intervals import add_intervals, compute_intervals, load_intervals
from skinapp.runs.open_run import OpenRun
from skinapp.runs.predictions import Predictions
from skinapp.runs.probe.stored import read_features, summarise_probe
from skinapp.runs.seven import can_merge_to_seven, merge_to_seven
from skinapp.runs.stored import (
    FACTS_FILE,
    INTERVALS_FILE,
    PREDICTIONS_FILE,
    StoredRun,
    find_own_runs,
    find_runs,
    load_run,
)
from skinapp.runs.summary import Headline, compute_headline, compute_per_class
from skinapp.runs.views.subgroups import look_up_subgroups

if TYPE_CHECKING:  # brings torch
    from skinapp.networks.reference import ReferenceBank

FIRST_TABLE = "ham10000"
PROBES = EXPERIMENTS / "shortcut-probe"
FINDINGS_FILE = "findings.parquet"
"""The audit of the tables that ship, stored beside them."""


Key = TypeVar("Key", bound=Path | str)
R = TypeVar("R")

Stamp = tuple[tuple[str, int, int], ...]
"""Files as they are now: path, time of the last change in nanoseconds, and size of each."""


def stamp_files(paths: Iterable[Path]) -> Stamp:
    """Return the stamp of those of some files that exist."""
    found = ((path, path.stat()) for path in sorted(set(paths)) if path.is_file())
    return tuple((str(path), facts.st_mtime_ns, facts.st_size) for path, facts in found)


def _cache_until_changed(
    list_files: Callable[[Key], Iterable[Path]], show_spinner: str | bool = False
) -> Callable[[Callable[[Key], R]], Callable[[Key], R]]:
    """Cache a function of a path or name for all visitors, until one of the files that `list_files` names changes."""

    def decorate(compute: Callable[[Key], R]) -> Callable[[Key], R]:
        def compute_for(key: Key, stamp: Stamp) -> R:
            return compute(key)

        compute_for.__qualname__ = compute.__qualname__  # Streamlit tells caches apart by it
        cached = st.cache_resource(show_spinner=show_spinner)(compute_for)

        @wraps(compute)
        def look_up(key: Key) -> R:
            return cached(key, stamp_files(list_files(key)))

        return look_up

    return decorate


def _list_run_files(folder: Path) -> list[Path]:
    return [folder / name for name in (FACTS_FILE, PREDICTIONS_FILE, INTERVALS_FILE)]


def _list_open_run_files(folder: Path) -> list[Path]:
    return [*_list_run_files(folder), folder.parents[1] / CARD, *list_tables()]


def _list_probe_files(name: str) -> list[Path]:
    return [file for folder in find_runs(PROBES) for file in _list_run_files(folder)]


def _list_table_file(path: Path) -> list[Path]:
    return [path]


def _list_findings_file(name: str) -> list[Path]:
    return [get_tables_root() / FINDINGS_FILE]


def get_models_root() -> Path:
    """Return the folder of models: SKINAPP_MODELS, or those that ship."""
    return Path(os.environ.get("SKINAPP_MODELS") or MODELS)


@st.cache_resource(show_spinner=False)
def get_showcase() -> tuple[Example, ...]:
    """Return the showcase photos, ordered by id so that their order tells nothing about them."""
    return tuple(sorted(read_showcase(TABLES / "showcase.csv"), key=lambda example: example.image_id))


def get_tables_root() -> Path:
    """Return the folder of image tables: SKINAPP_TABLES, or those that ship."""
    return Path(os.environ.get("SKINAPP_TABLES") or TABLES)


def list_tables() -> tuple[Path, ...]:
    """List the image tables in the tables folder: HAM10000 first, then by name."""
    paths = (path for path in get_tables_root().glob("*.parquet") if path.name != FINDINGS_FILE)
    return tuple(sorted(paths, key=lambda path: (path.stem != FIRST_TABLE, path.stem)))


@_cache_until_changed(_list_table_file, "Reading the table")
def get_table(path: Path) -> pd.DataFrame:
    """Return an image table, read once for all visitors. Callers must not change it."""
    return read_table(path)


@_cache_until_changed(_list_table_file)
def get_filter_index(path: Path) -> FilterIndex:
    """Return the filter index of an image table, built once for all visitors."""
    return build_filter_index(get_table(path))


@_cache_until_changed(_list_table_file)
def get_table_headline(path: Path) -> DataHeadline:
    """Return the headline counts of a whole image table, computed once."""
    return compute_table_headline(get_table(path))


@_cache_until_changed(_list_findings_file, "Reading the findings")
def get_findings(name: str) -> pd.DataFrame | None:
    """Return the audit findings of a shipped table by its name; None where no audit of it is stored."""
    path = get_tables_root() / FINDINGS_FILE
    if not path.is_file():
        return None
    selected = select_findings(read_findings(path), name)
    return selected if len(selected) else None


@_cache_until_changed(_list_probe_files)
def list_probes(name: str) -> tuple[Path, ...]:
    """List the stored shortcut probes of a table by its name, one for each set of classes."""
    return tuple(folder for folder in find_runs(PROBES) if get_run(folder).table == name)


@_cache_until_changed(_list_run_files)
def get_probe(folder: Path) -> pd.DataFrame:
    """Return how well facts other than the lesion alone predict each class of a stored probe, computed once."""
    return summarise_probe(get_run_classes(folder), read_features(folder))


def get_data_root() -> Path | None:
    """Return the folder with the photos of the shipped tables: SKINAPP_DATA, or None where it is unset."""
    folder = os.environ.get("SKINAPP_DATA", "").strip()
    return Path(folder).expanduser() if folder else None


def is_local() -> bool:
    """Tell whether the server serves only its own computer, as `make run` does, and may read its disk."""
    return os.environ.get("SKINAPP_LOCAL") == "1"


def get_experiments_root() -> Path:
    """Return the folder of experiments: SKINAPP_EXPERIMENTS, or those that ship."""
    return Path(os.environ.get("SKINAPP_EXPERIMENTS") or EXPERIMENTS)


def list_runs() -> dict[str, Path]:
    """Return the folders of the stored runs by name: those of models first, then those of experiments.

    The runs of an average's members follow the other runs of models.
    """
    of_models = sorted(find_runs(get_models_root()), key=lambda run: (_is_of_member(run), run))
    return {format_run_name(run): run for run in (*of_models, *find_runs(get_experiments_root()))}


def format_run_name(folder: Path) -> str:
    """Format the name of a stored run from its folder: "model · run", or "average/member · run"."""
    model = folder.parents[1]
    average = f"{model.parents[1].name}/" if _is_of_member(folder) else ""
    return f"{average}{model.name} · {folder.name}"


def _is_of_member(run: Path) -> bool:
    return run.parents[2].name == MEMBERS


@_cache_until_changed(_list_open_run_files, "Reading the stored run")
def get_open_run(folder: Path) -> OpenRun:
    """Return a stored run with its table's facts, read once for all visitors."""
    stored = get_run(folder)
    known = get_tables_root() / f"{stored.table}.parquet"
    photos = get_table(known) if known.is_file() else None
    return OpenRun(
        name=format_run_name(folder),
        run=stored,
        facts=pd.DataFrame(index=stored.frame.index) if photos is None else look_up_subgroups(stored, photos),
        paths=None if photos is None else photos.set_index("image_id")["path"],
        notes=_notes(stored, folder.parents[1]),
        folder=folder,
        shared=True,
    )


def _notes(stored: StoredRun, model: Path) -> tuple[str, ...]:
    if not stored.weights_kept:
        return ("The weights of this run were not kept: compare it, but it cannot answer photos.",)
    if (model / CARD).is_file() and read_card(model).weights_sha256 != stored.weights_sha256:
        return ("This run was made with other weights than the model has now. Run `skinapp evaluate` again.",)
    return ()


@_cache_until_changed(_list_run_files)
def get_run_headline(folder: Path) -> Headline:
    """Return a run's overall figures, computed once without reading its image table."""
    return compute_headline(get_run(folder))


def find_probe(run: Predictions, table: str) -> StoredRun | None:
    """Return a stored probe's predictions for the photos of a run; None where no probe has its classes."""
    for folder in list_probes(table):
        probe = get_run(folder)
        for candidate in (probe, merge_to_seven(probe)) if can_merge_to_seven(probe) else (probe,):
            known = candidate.frame["image_id"].isin(run.frame["image_id"])
            if set(candidate.classes) == set(run.classes) and known.any():
                return select_photos(candidate, candidate.frame["image_id"][known])
    return None


def list_members(folder: Path) -> tuple[str, ...]:
    """List the names of the networks that a run's model averages; none where it is one network or has no card."""
    model = folder.parents[1]
    return tuple(member.name for member in read_card(model).members) if (model / CARD).is_file() else ()


def read_training_facts(folder: Path) -> TrainingFacts | None:
    """Read the training facts of a run's model; None where they are not stored."""
    for name in (CARD, TRAINING):
        path = folder.parents[1] / name
        if path.is_file():
            return read_training(path)
    return None


def read_curves(folder: Path) -> pd.DataFrame | None:
    """Read the training curves of a run's model, one row per epoch; None where they are not stored."""
    path = folder.parents[1] / CURVES
    return pd.read_csv(path) if path.is_file() else None


@_cache_until_changed(_list_run_files, "Reading the stored run")
def get_run(folder: Path) -> StoredRun:
    """Return a stored run, read once for all visitors. Callers must not change it."""
    return load_run(folder)


def _list_reference_files(model: str) -> list[Path]:
    return [get_models_root() / model / name for name in (CARD, REFERENCE)]


@_cache_until_changed(_list_reference_files)
def get_reference(model: str) -> "ReferenceBank | None":
    """Return the reference bank of a model by its id, read once for all visitors; None where it has none.

    ModelError where it is damaged.
    """
    from skinapp.networks.reference import load_reference

    folder = get_models_root() / model
    return load_reference(folder, read_card(folder))


def find_test_run(card: Card, task: Task) -> Path:
    """Return the folder of a head's run on its own test split; RunError where no run has these weights."""
    for folder in find_own_runs(get_models_root() / card.id):
        if is_own_test(get_run(folder), card, task):
            return folder
    raise RunError(f"No test figures are stored for {card.id}. Make them with `skinapp evaluate`.")


@_cache_until_changed(_list_run_files, "Computing intervals")
def get_intervals(folder: Path) -> pd.DataFrame:
    """Return a run's stored intervals, or compute them where they are missing or of other predictions."""
    stored = load_intervals(folder)
    return compute_intervals(get_run(folder)) if stored is None else stored


@_cache_until_changed(_list_run_files)
def get_run_classes(folder: Path) -> pd.DataFrame:
    """Return a run's figures by class with intervals, computed once."""
    return add_intervals(compute_per_class(get_run(folder)), get_intervals(folder))
