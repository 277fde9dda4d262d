"""Caches of what is safe to share between visitors: models, tables and stored runs; never a photo."""

import os
from pathlib import Path

import pandas as pd
import streamlit as st

from skinapp.assessment.assess import Assessor
from skinapp.assessment.assess import load_assessor as _load_assessor
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import RunError
from skinapp.evaluation.figures import Headline, confusion_frame, headline, per_class
from skinapp.evaluation.intervals import headline_intervals, load_intervals, with_intervals
from skinapp.evaluation.predict import is_own_test
from skinapp.evaluation.run import StoredRun, find_runs, load_run
from skinapp.examples import Example, read_showcase
from skinapp.networks.folder import MODELS, Card


def models_root() -> Path:
    """Return the folder of models: SKINAPP_MODELS, or those that ship."""
    return Path(os.environ.get("SKINAPP_MODELS") or MODELS)


@st.cache_resource(show_spinner="Loading the networks")
def assessor() -> Assessor:
    """Load both networks once for all visitors; they are read-only, and Streamlit lets one caller load at a time."""
    return _load_assessor(models_root())


@st.cache_resource(show_spinner=False)
def showcase() -> tuple[Example, ...]:
    """Return the showcase photos in the order of their ids, which says nothing about what they are."""
    return tuple(sorted(read_showcase(TABLES / "showcase.csv"), key=lambda example: example.image_id))


def tables() -> tuple[Path, ...]:
    """List the image tables that ship."""
    return tuple(sorted(TABLES.glob("*.parquet")))


@st.cache_resource(show_spinner="Reading the table")
def table(path: Path) -> pd.DataFrame:
    """Read an image table once for all visitors; callers must not change it."""
    return read_table(path)


def runs() -> tuple[Path, ...]:
    """List the stored runs of the installed models."""
    return find_runs(models_root())


@st.cache_resource(show_spinner="Reading the stored run")
def run(folder: Path) -> StoredRun:
    """Read a stored run once for all visitors; callers must not change it."""
    return load_run(folder)


def test_run(card: Card) -> Path:
    """Return the run of a model on its own table's test split; RunError where none belongs to these weights."""
    for folder in find_runs(models_root() / card.id):
        if is_own_test(run(folder), card):
            return folder
    raise RunError(f"no test figures are stored for {card.id}. Make them with `skinapp evaluate`.")


@st.cache_resource(show_spinner="Computing intervals")
def intervals(folder: Path) -> pd.DataFrame:
    """Read a run's intervals, or compute them where they are missing or belong to other predictions."""
    stored = load_intervals(folder)
    return headline_intervals(run(folder)) if stored is None else stored


@st.cache_resource(show_spinner=False)
def run_headline(folder: Path) -> Headline:
    """Compute a run's overall figures once."""
    return headline(run(folder))


@st.cache_resource(show_spinner=False)
def run_classes(folder: Path) -> pd.DataFrame:
    """Compute a run's figures by class, with intervals, once."""
    return with_intervals(per_class(run(folder)), intervals(folder))


@st.cache_resource(show_spinner=False)
def run_confusion(folder: Path) -> pd.DataFrame:
    """Count a run's confusion matrix once."""
    return confusion_frame(run(folder))
