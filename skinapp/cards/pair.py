"""For a model's card: how the two answers of a pair, malignant or not and which lesion type, stand to each other."""

import numpy as np
from numpy.typing import NDArray

from skinapp.cards.rows import build_figure
from skinapp.errors import RunError
from skinapp.metrics.bootstrap import compute_rate_interval
from skinapp.metrics.estimate import REPLICATES, SEED, Estimate
from skinapp.models.card import CardFigure, OperatingPoint
from skinapp.runs.lookup import find_indices
from skinapp.runs.stored import StoredRun
from skinapp.taxonomy import MALIGNANT, MELANOMA, is_malignant

SURELY_BENIGN = 0.9
"""From this score for benign on, naming melanoma as the likeliest type contradicts it."""

CONTRADICTIONS, BENIGN_FIRST = "contradictions", "benign_first"


def compute_contradictions(malignancy: StoredRun, types: StoredRun) -> CardFigure:
    """Return in which share of photos a pair says benign at SURELY_BENIGN or more and melanoma as the likeliest type.

    A pair whose types were scaled to agree (networks.classifier.agreeing) cannot: a figure above 0 would be a bug.
    Raises RunError where the two runs are not of the same photos.
    """
    malignant, likeliest = _side_by_side(malignancy, types)
    return _share(types, CONTRADICTIONS, (1 - malignant >= SURELY_BENIGN) & (likeliest == MELANOMA))


def compute_benign_first(malignancy: StoredRun, types: StoredRun, point: OperatingPoint) -> CardFigure:
    """Return in which share of photos the likeliest type is benign though the malignancy score is above a threshold.

    An agreeing pair does that often: a threshold that misses few lies far below one half. Raises RunError where the
    two runs are not of the same photos.
    """
    malignant, likeliest = _side_by_side(malignancy, types)
    benign = ~np.array([is_malignant(code) for code in likeliest])
    return _share(types, BENIGN_FIRST, (malignant >= point.threshold) & benign, point.sensitivity)


def _side_by_side(malignancy: StoredRun, types: StoredRun) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return the malignancy score and the likeliest type of each photo, both in the order of `types`."""
    place = find_indices(types.frame["image_id"], malignancy.frame["image_id"])
    if len(place) != len(malignancy.frame) or (place < 0).any():
        raise RunError(f"The runs {malignancy.name} and {types.name} are not of the same photos. Make both again.")
    likeliest = np.array(types.classes)[types.probabilities().argmax(axis=1)]
    return malignancy.probabilities()[place, malignancy.classes.index(MALIGNANT)], likeliest


def _share(types: StoredRun, metric: str, found: NDArray[np.bool_], sensitivity: float | None = None) -> CardFigure:
    """Make the row of the share of photos of which something was found, with its interval over lesions."""
    hits = found.astype(np.float64)
    ends = compute_rate_interval(hits, np.ones_like(hits), types.lesion_index(), REPLICATES, SEED)
    return build_figure(types, metric, Estimate(float(hits.mean()), *ends), sensitivity=sensitivity)
