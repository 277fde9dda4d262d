"""Fit the scope gate to what the evidence network sees, and measure how many pictures of each kind it refuses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from skinapp.errors import DatasetError
from skinapp.inference.scope import FLOOR, ScopeGate, Values, measure_residual, standardise
from skinapp.metrics.estimate import estimate_proportion
from skinapp.models.scope import Refusals
from skinapp.training.gate.extract import Seen

DIRECTIONS = 200
"""Main directions of the photos inside that a description may move along without being further away."""

INVERSE_PENALTY = 0.03
"""C of the logistic regression."""

FALSE_ALARMS = 0.015
"""Share of each source inside that the limit lets be refused on the photos it is chosen on: below the 2% to be kept."""

LIMIT_PHOTOS = 100
"""Fewest photos of a group inside for which the limit is chosen."""


def fit_gate(seen: Sequence[Seen]) -> ScopeGate:
    """Fit a gate to the fitted groups and choose its limit on the measured groups inside its scope.

    DatasetError where there are no pictures outside, or fewer photos inside than directions.
    """
    inside, outside = (_join(seen, is_inside) for is_inside in (True, False))
    if len(inside) <= DIRECTIONS or not len(outside):
        raise DatasetError(
            f"The gate needs more than {DIRECTIONS} photos inside its scope and some outside; "
            f"there are {len(inside)} and {len(outside)}. Name a larger data root."
        )
    logs = np.log(np.maximum(inside, 0) + FLOOR)
    centre, spread = logs.mean(axis=0), logs.std(axis=0) + 1e-6
    standard = standardise(inside, centre, spread)
    directions = np.linalg.svd(standard, full_matrices=False)[2][:DIRECTIONS].T.astype(np.float16).astype(np.float32)
    regression = LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=5000)
    rows = np.concatenate([standard, standardise(outside, centre, spread)])
    regression.fit(rows, np.arange(len(rows)) >= len(inside))
    gate = ScopeGate(centre, spread, directions, regression.coef_[0], 1.0, -np.inf, 0.0)
    return _choose_limit(gate, [each.early for each in seen if each.group.inside and not each.group.fitted])


def _join(seen: Sequence[Seen], inside: bool) -> Values:
    parts = [each.early for each in seen if each.group.fitted and each.group.inside == inside]
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def _choose_limit(gate: ScopeGate, groups: Sequence[Values]) -> ScopeGate:
    """Weigh both measures by their spread among photos inside, and put 0 where each large group keeps FALSE_ALARMS."""
    standard = [standardise(early, gate.centre, gate.spread) for early in groups]
    residuals = [np.log(measure_residual(rows, gate.directions)) for rows in standard]
    logits = [rows @ gate.weights for rows in standard]
    residual_weight, scale = 1 / np.concatenate(residuals).std(), 1 / np.concatenate(logits).std()
    floor = scale * float(np.median(np.concatenate(logits)))
    distances = [residual_weight * r + np.maximum(scale * x, floor) for r, x in zip(residuals, logits, strict=True)]
    large = [each for each in distances if len(each) >= LIMIT_PHOTOS] or distances
    limit = max(float(np.quantile(each, 1 - FALSE_ALARMS)) for each in large)
    return replace(
        gate, weights=gate.weights * scale, residual_weight=float(residual_weight), floor=floor, offset=-limit
    )


def measure_refusals(gate: ScopeGate, seen: Sequence[Seen]) -> tuple[Refusals, ...]:
    """Return the refusals of each measured group, and of each fitted kind outside by a gate fitted without it.

    Drawn kinds that were fitted on are left out: other drawings of the same kind would say little.
    """
    refusals = []
    for each in seen:
        group = each.group
        if not group.fitted:
            refusals.append(_count(gate, each))
        elif not group.inside and not group.drawn:
            without = fit_gate([other for other in seen if other.group.kind != group.kind])
            refusals.append(_count(without, each))
    return tuple(refusals)


def _count(gate: ScopeGate, seen: Seen) -> Refusals:
    group, early = seen.group, seen.early
    if group.photos is not None:  # The interval holds for photos of different lesions.
        early = early[~group.photos["lesion_id"].fillna(group.photos["image_id"]).duplicated().to_numpy()]
    refused = int((gate.measure(early) > 0).sum())
    share = estimate_proportion(refused, len(early), "wilson")
    return Refusals(
        kind=group.kind,
        inside=group.inside,
        photos=len(early),
        refused=refused,
        low=share.low,
        high=share.high,
        fitted=group.fitted,
    )
