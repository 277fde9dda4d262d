"""Caches of what is safe to share between visitors: models, tables and stored runs; never a photo."""

import os
from pathlib import Path

import pandas as pd
import streamlit as st

from skinapp.cards.provenance import is_own_test
from skinapp.datasets.audit.findings import about, read_findings
from skinapp.datasets.filters import FilterIndex
from skinapp.datasets.filters import filter_index as _filter_index
from skinapp.datasets.showcase import Example, read_showcase
from skinapp.datasets.summary import DataHeadline
from skinapp.datasets.summary import headline as _table_headline
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import RunError
from skinapp.files import EXPERIMENTS, MODELS
from skinapp.inference.assessor import Assessor
from skinapp.inference.assessor import load_assessor as _load_assessor
from skinapp.models.card import CARD, TRAINING, Card, Task, TrainingFacts, read_card, read_training
from skinapp.models.folder import CURVES, MEMBERS
from skinapp.runs.baselines import on_photos
from skinapp.runs.intervals import headline_intervals, load_intervals, with_intervals
from skinapp.runs.probe.stored import read_features, shortcuts
from skinapp.runs.seven import as_seven, can_be_seven
from skinapp.runs.stored import StoredRun, find_runs, load_run, own_runs
from skinapp.runs.summary import Headline, headline, per_class
from skinapp.runs.views.subgroups import facts_of
from skinapp.ui.open_run import OpenRun

FIRST_TABLE = "ham10000"
PROBES = EXPERIMENTS / "shortcut-probe"
FINDINGS_FILE = "findings.parquet"
"""The audit of the shipped tables, which lies beside them."""


def models_root() -> Path:
    """Return the folder of models: SKINAPP_MODELS, or those that ship."""
    return Path(os.environ.get("SKINAPP_MODELS") or MODELS)


@st.cache_resource(show_spinner="Loading the networks")
def assessor() -> Assessor:
    """Load the networks once for all visitors; they are read-only, and Streamlit lets one caller load at a time."""
    return _load_assessor(models_root())


@st.cache_resource(show_spinner=False)
def showcase() -> tuple[Example, ...]:
    """Return the showcase photos in the order of their ids, which says nothing about what they are."""
    return tuple(sorted(read_showcase(TABLES / "showcase.csv"), key=lambda example: example.image_id))


def tables_root() -> Path:
    """Return the folder of image tables: SKINAPP_TABLES, or those that ship."""
    return Path(os.environ.get("SKINAPP_TABLES") or TABLES)


def tables() -> tuple[Path, ...]:
    """List the image tables of that folder: HAM10000, which the models learned from, first, then by name."""
    found = (path for path in tables_root().glob("*.parquet") if path.name != FINDINGS_FILE)
    return tuple(sorted(found, key=lambda path: (path.stem != FIRST_TABLE, path.stem)))


@st.cache_resource(show_spinner="Reading the table")
def table(path: Path) -> pd.DataFrame:
    """Read an image table once for all visitors; callers must not change it."""
    return read_table(path)


@st.cache_resource(show_spinner=False)
def filter_index(path: Path) -> FilterIndex:
    """Prepare an image table for selecting, once for all visitors."""
    return _filter_index(table(path))


@st.cache_resource(show_spinner=False)
def table_headline(path: Path) -> DataHeadline:
    """Count a whole image table once."""
    return _table_headline(table(path))


@st.cache_resource(show_spinner="Reading the findings")
def findings(name: str) -> pd.DataFrame | None:
    """Read what the audit found in a shipped table, by its name; None where no audit of it is stored."""
    path = tables_root() / FINDINGS_FILE
    if not path.is_file():
        return None
    found = about(read_findings(path), name)
    return found if len(found) else None


@st.cache_resource(show_spinner=False)
def probe_runs(name: str) -> tuple[Path, ...]:
    """List the stored shortcut probes of a table, by its name: one for each question that was asked of it."""
    return tuple(folder for folder in find_runs(PROBES) if run(folder).table == name)


@st.cache_resource(show_spinner=False)
def probe(folder: Path) -> pd.DataFrame:
    """Say how far trivial facts carry each class of a stored probe, once."""
    return shortcuts(run_classes(folder), read_features(folder))


def data_root() -> Path | None:
    """Return the folder that SKINAPP_DATA names, which holds the shipped tables' photos; None where it is unset."""
    folder = os.environ.get("SKINAPP_DATA", "").strip()
    return Path(folder).expanduser() if folder else None


def is_local() -> bool:
    """Tell whether the server serves its own computer alone, as `make run` says, and may read its disk."""
    return os.environ.get("SKINAPP_LOCAL") == "1"


def experiments_root() -> Path:
    """Return the folder of experiments: SKINAPP_EXPERIMENTS, or those that ship."""
    return Path(os.environ.get("SKINAPP_EXPERIMENTS") or EXPERIMENTS)


def run_names() -> dict[str, Path]:
    """Name the stored runs, those of the installed models first, then those of experiments: "model · run".

    Runs of an average's member follow those of the average: "average/member · run".
    """
    of_models = sorted(find_runs(models_root()), key=lambda run: (_of_member(run), run))
    return {run_name(run): run for run in (*of_models, *find_runs(experiments_root()))}


def run_name(folder: Path) -> str:
    """Name a stored run by its folder, as `run_names` does."""
    model = folder.parents[1]
    average = f"{model.parents[1].name}/" if _of_member(folder) else ""
    return f"{average}{model.name} · {folder.name}"


def _of_member(run: Path) -> bool:
    return run.parents[2].name == MEMBERS


@st.cache_resource(show_spinner="Reading the stored run")
def open_run(folder: Path) -> OpenRun:
    """Read a stored run and what belongs to it once for all visitors."""
    stored = run(folder)
    known = tables_root() / f"{stored.table}.parquet"
    photos = table(known) if known.is_file() else None
    return OpenRun(
        name=run_name(folder),
        run=stored,
        facts=pd.DataFrame(index=stored.predictions.index) if photos is None else facts_of(stored, photos),
        paths=None if photos is None else photos.set_index("image_id")["path"],
        notes=_notes(stored, folder.parents[1]),
        folder=folder,
        shared=True,
    )


def _notes(stored: StoredRun, model: Path) -> tuple[str, ...]:
    if not stored.weights_kept:
        return ("The weights of this run were not kept: it is here to be compared, not to answer photos.",)
    if (model / CARD).is_file() and read_card(model).weights_sha256 != stored.weights_sha256:
        return ("This run was made by other weights than the model has now. Make it anew with `skinapp evaluate`.",)
    return ()


@st.cache_resource(show_spinner=False)
def run_headline(folder: Path) -> Headline:
    """Compute a run's overall figures once; Classify, which asks for no more, reads no table of photos for them."""
    return headline(run(folder))


def probe_on(stored: StoredRun) -> StoredRun | None:
    """Return what a probe of the run's table says of the same photos; None where none was asked for these classes."""
    for folder in probe_runs(stored.table):
        probe = run(folder)
        for asked in (probe, as_seven(probe)) if can_be_seven(probe) else (probe,):
            known = asked.predictions["image_id"].isin(stored.predictions["image_id"])
            if set(asked.classes) == set(stored.classes) and known.any():
                return on_photos(asked, asked.predictions["image_id"][known])
    return None


def averaged(folder: Path) -> tuple[str, ...]:
    """Name the networks that a run's model averages; none where it is one network, or has no card."""
    model = folder.parents[1]
    return tuple(member.name for member in read_card(model).members) if (model / CARD).is_file() else ()


def training_facts(folder: Path) -> TrainingFacts | None:
    """Read how the training of a run's model was done; None where that is not stored."""
    for name in (CARD, TRAINING):
        path = folder.parents[1] / name
        if path.is_file():
            return read_training(path)
    return None


def curves(folder: Path) -> pd.DataFrame | None:
    """Read how the training of a run's model went, epoch by epoch; None where that is not stored."""
    path = folder.parents[1] / CURVES
    return pd.read_csv(path) if path.is_file() else None


@st.cache_resource(show_spinner="Reading the stored run")
def run(folder: Path) -> StoredRun:
    """Read a stored run once for all visitors; callers must not change it."""
    return load_run(folder)


def test_run(card: Card, task: Task) -> Path:
    """Return the run of a model's head on its own table's test split; RunError where none is of these weights."""
    for folder in own_runs(models_root() / card.id):
        if is_own_test(run(folder), card, task):
            return folder
    raise RunError(f"no test figures are stored for {card.id}. Make them with `skinapp evaluate`.")


@st.cache_resource(show_spinner="Computing intervals")
def intervals(folder: Path) -> pd.DataFrame:
    """Read a run's intervals, or compute them where they are missing or belong to other predictions."""
    stored = load_intervals(folder)
    return headline_intervals(run(folder)) if stored is None else stored


@st.cache_resource(show_spinner=False)
def run_classes(folder: Path) -> pd.DataFrame:
    """Compute a run's figures by class, with intervals, once."""
    return with_intervals(per_class(run(folder)), intervals(folder))
