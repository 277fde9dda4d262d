"""How often the two answers of a pair disagree: malignant or benign, and which lesion type."""

import numpy as np
from numpy.typing import NDArray

from skinapp.cards.figure import build_figure
from skinapp.errors import RunError
from skinapp.metrics.bootstrap import compute_rate_interval
from skinapp.metrics.estimate import REPLICATES, SEED, Estimate
from skinapp.models.card import CardFigure, OperatingPoint
from skinapp.runs.lookup import find_indices
from skinapp.runs.stored import StoredRun
from skinapp.taxonomy import MALIGNANT, MELANOMA, is_malignant

SURELY_BENIGN = 0.9
"""With a benign score of at least this, melanoma as the likeliest type is a contradiction."""

CONTRADICTIONS, BENIGN_FIRST = "contradictions", "benign_first"


def compute_contradictions(malignancy: StoredRun, types: StoredRun) -> CardFigure:
    """Return the share of photos with a benign score of at least SURELY_BENIGN and melanoma as the likeliest type.

    It is 0 for a pair whose types were scaled to agree (networks.classifier.reconcile_types); more would be a bug.
    Raises RunError where the two runs are not of the same photos.
    """
    malignant, likeliest = _match_photos(malignancy, types)
    return _build_share(types, CONTRADICTIONS, (1 - malignant >= SURELY_BENIGN) & (likeliest == MELANOMA))


def compute_benign_first(malignancy: StoredRun, types: StoredRun, point: OperatingPoint) -> CardFigure:
    """Return the share of photos whose likeliest type is benign although the malignancy score is above a threshold.

    This is frequent even in a pair that agrees, because a threshold of high sensitivity is far below one half. Raises
    RunError where the two runs are not of the same photos.
    """
    malignant, likeliest = _match_photos(malignancy, types)
    benign = ~np.array([is_malignant(code) for code in likeliest])
    return _build_share(types, BENIGN_FIRST, (malignant >= point.threshold) & benign, point.sensitivity)


def _match_photos(malignancy: StoredRun, types: StoredRun) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return the malignancy score and the likeliest type of each photo, in the order of `types`."""
    indices = find_indices(types.frame["image_id"], malignancy.frame["image_id"])
    if len(indices) != len(malignancy.frame) or (indices < 0).any():
        raise RunError(f"The runs {malignancy.name} and {types.name} are not of the same photos. Make both again.")
    likeliest = np.array(types.classes)[types.probabilities().argmax(axis=1)]
    return malignancy.probabilities()[indices, malignancy.classes.index(MALIGNANT)], likeliest


def _build_share(
    types: StoredRun, metric: str, flags: NDArray[np.bool_], sensitivity: float | None = None
) -> CardFigure:
    """Build the figure of the share of flagged photos, with its interval over lesions."""
    hits = flags.astype(np.float64)
    ends = compute_rate_interval(hits, np.ones_like(hits), types.lesion_index(), REPLICATES, SEED)
    return build_figure(types, metric, Estimate(float(hits.mean()), *ends), sensitivity=sensitivity)
