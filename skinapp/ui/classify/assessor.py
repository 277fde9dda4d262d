"""The assessor: loaded in the background, once for all visitors, while the first one still chooses a photo."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from skinapp.models.card import CARD
from skinapp.models.folder import WEIGHTS
from skinapp.photo import Photo
from skinapp.ui import loaders

if TYPE_CHECKING:  # brings torch, which takes seconds: only the loading thread waits for it
    from skinapp.inference.assessor import Assessor

_BLANK_SIDE = 64
_loader = ThreadPoolExecutor(1, "assessor")


def start_loading() -> None:
    """Start to load the assessor, unless it is loaded or on its way; return at once."""
    _loading()


def get_assessor() -> "Assessor":
    """Return the assessor, once it is loaded; it is read-only.

    Raises ModelError where a model is missing or damaged. The next call tries again.
    """
    loading = _loading()
    if loading.done() and loading.exception():  # the folder may have been put right since
        _submit.clear()
        loading = _loading()
    return loading.result()


def _loading() -> "Future[Assessor]":
    """Return the assessor on its way; it is loaded anew when a model's files change."""
    models = loaders.get_models_root()
    files = [*models.glob(f"**/{CARD}"), *models.glob(f"**/{WEIGHTS}")]
    return _submit(models, loaders.stamp_files(files))


@st.cache_resource(show_spinner=False, max_entries=1)
def _submit(models: Path, stamp: loaders.Stamp) -> "Future[Assessor]":
    return _loader.submit(_load_warm, models)


def _load_warm(models: Path) -> "Assessor":
    """Load the assessor and answer one blank photo: the first pass through a network takes longer than the next."""
    from skinapp.inference.assessor import load_assessor

    assessor = load_assessor(models)
    blank = np.zeros((_BLANK_SIDE, _BLANK_SIDE, 3), dtype=np.uint8)
    assessor.assess(Photo(blank, "", "PNG", _BLANK_SIDE, _BLANK_SIDE))
    return assessor
