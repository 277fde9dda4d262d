"""Conformal sets and the spread of photos of one lesion, fitted on validation runs and measured on test runs."""

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.metrics.bootstrap import compute_mean_interval, compute_rate_interval
from skinapp.metrics.classification import Flags, Floats
from skinapp.metrics.conformal import build_class_sets, fit_class_thresholds
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.models.card import OperatingPoint
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ClassSet, ConformalFacts, RepeatFacts
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.operating_points import CHOSEN_ON, round_threshold_down
from skinapp.taxonomy import MALIGNANT

LEVEL = 0.9
"""How often a conformal set should hold the true type. At 0.95 the rare types of HAM10000's validation photos would be
in every set, because 14 photos and fewer tell nothing about 1 photo in 20."""

QUANTILE = 0.9
"""The spread of a lesion's photos is wide where it is beyond that of this share of the validation lesions."""

DECIMALS = 6


def measure_conformal(validation: StoredRun, test: StoredRun) -> ConformalFacts:
    """Fit conformal sets of lesion types on a validation run and measure on a test run how often they hold the truth.

    Raises RunError where the first run is not of the validation split.
    """
    _require_validation(validation)
    fitted = fit_class_thresholds(validation.probabilities(), validation.truth_index(), LEVEL)
    # Single precision must not take a photo out of its set that lies on the threshold.
    thresholds = np.array([round_threshold_down(value) for value in fitted])
    inside, truth = build_class_sets(test.probabilities(), thresholds), test.truth_index()
    held = inside[np.arange(len(truth)), truth]
    counts = np.bincount(validation.truth_index(), minlength=len(validation.classes))
    return ConformalFacts(
        level=LEVEL,
        fitted_on=validation.name,
        measured_on=test.name,
        classes=tuple(
            ClassSet(
                label=label,
                threshold=float(thresholds[place]),
                photos=int(counts[place]),
                coverage=_measure_share(test, held, truth == place),
            )
            for place, label in enumerate(validation.classes)
        ),
        coverage=_measure_share(test, held, np.ones_like(held)),
        size=_measure_mean(test, inside.sum(axis=1).astype(np.float64)),
    )


def measure_repeats(
    validation: StoredRun, test: StoredRun, types: StoredRun | None, point: OperatingPoint | None
) -> RepeatFacts | None:
    """Fit on a validation run how far the scores of one lesion's photos may differ, and measure it on a test run.

    Both runs are of malignancy; `types` is the test run of lesion types, `point` the operating point whose sides are
    compared. None where no validation lesion or no test lesion has several photos. Raises RunError where the first run
    is not of the validation split.
    """
    _require_validation(validation)
    spreads, tested = _compare_photos(validation)["spread"], _compare_photos(test)
    if spreads.empty or tested.empty:
        return None
    limit = round(float(np.quantile(spreads, QUANTILE)), DECIMALS)
    photos = int(tested["photos"].sum())
    crosses = None if point is None else (tested["low"] < point.threshold) & (tested["high"] >= point.threshold)
    return RepeatFacts(
        quantile=QUANTILE,
        limit=limit,
        lesions=len(spreads),
        fitted_on=validation.name,
        measured_on=test.name,
        wide=_measure_lesions(tested["spread"] > limit, photos),
        changes_type=None if types is None else _measure_type_changes(types),
        changes_side=None if crosses is None else _measure_lesions(crosses, photos),
    )


def _require_validation(run: StoredRun) -> None:
    if run.split != CHOSEN_ON:
        raise RunError(f"The run {run.name} is of the split {run.split}. Limits are chosen on {CHOSEN_ON} alone.")


def _compare_photos(run: StoredRun) -> pd.DataFrame:
    """Return the lesions with several photos: how many, their lowest and highest malignancy score, and the range."""
    scores = run.probabilities()[:, run.classes.index(MALIGNANT)]
    grouped = pd.Series(scores, index=run.frame.index).groupby(run.frame["lesion_id"])
    lesions = pd.DataFrame({"photos": grouped.size(), "low": grouped.min(), "high": grouped.max()})
    return lesions.assign(spread=lesions["high"] - lesions["low"])[lesions["photos"] > 1]


def _measure_type_changes(types: StoredRun) -> Measured:
    likeliest = pd.Series(types.probabilities().argmax(axis=1), index=types.frame.index)
    lesions = likeliest.groupby(types.frame["lesion_id"]).agg(["size", "nunique"])
    several = lesions[lesions["size"] > 1]
    return _measure_lesions(several["nunique"] > 1, int(several["size"].sum()))


def _measure_lesions(flags: "pd.Series[bool]", photos: int) -> Measured:
    """Measure a share of lesions; each counts once."""
    hits = np.asarray(flags, np.float64)
    ends = compute_rate_interval(hits, np.ones_like(hits), np.arange(len(hits)), REPLICATES, SEED)
    return _build(float(hits.mean()), ends, photos, len(hits))


def _measure_share(run: StoredRun, hits: Flags, among: Flags) -> Measured | None:
    """Measure the share of hits among some of a run's photos, by bootstrap over lesions; None where there are none."""
    if not among.any():
        return None
    part, whole = (hits & among).astype(np.float64), among.astype(np.float64)
    ends = compute_rate_interval(part, whole, run.lesion_index(), REPLICATES, SEED)
    return _build(float(part.sum() / whole.sum()), ends, int(among.sum()), run.frame["lesion_id"][among].nunique())


def _measure_mean(run: StoredRun, values: Floats) -> Measured:
    ends = compute_mean_interval(values, run.lesion_index(), REPLICATES, SEED)
    return _build(float(values.mean()), ends, len(values), run.frame["lesion_id"].nunique())


def _build(value: float, ends: tuple[float, float], photos: int, lesions: int) -> Measured:
    low, high = (round(end, DECIMALS) for end in ends)
    return Measured(value=round(value, DECIMALS), low=low, high=high, photos=photos, lesions=lesions)
