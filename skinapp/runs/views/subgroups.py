"""Figures by age, sex, site, camera, confirmation, source and diagnosis, with the number of lesions behind each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.metrics import classification
from skinapp.metrics.bootstrap import (
    bootstrap_auroc,
    compute_rate_interval,
    draw_replicate_sums,
    percentile_interval,
    sum_by_lesion,
)
from skinapp.metrics.classification import ClassIndex, Flags, Floats
from skinapp.metrics.estimate import SEED
from skinapp.metrics.ranking import sort_scores
from skinapp.runs.lookup import find_indices
from skinapp.runs.predictions import Predictions
from skinapp.runs.views.curves import has_malignancy, mark_malignant, select_positives
from skinapp.taxonomy import get_class_name

SUBGROUP_COLUMNS = ("age_band", "sex", "site", "camera", "confirmation", "source", "diagnosis")

NOT_RECORDED, OTHERS = "not recorded", "all others"

MIN_LESIONS = 30
"""A class or subgroup with fewer lesions is marked: with 29, a recall of 0.8 has a 95% interval from 0.62 to 0.91
(Wilson, 1927)."""

MIN_LESIONS_FOR_RATE = 10
"""Minimum lesions for this metric: malignant for sensitivity, benign for specificity, each for AUROC."""

MAX_LEVELS = 25
"""A column with more levels shows the most frequent ones, and the rest together as OTHERS."""

REPLICATES = 200

AGE_BANDS = {0: "under 20", 20: "20 to 39", 40: "40 to 59", 60: "60 to 79", 80: "80 and over"}
"""The first year of each band, and its name."""

COLUMNS = ("column", "level", "photos", "lesions", "positives", "figure", "value", "low", "high", "enough")

Row = tuple[object, ...]


def look_up_subgroups(run: Predictions, table: pd.DataFrame) -> pd.DataFrame:
    """Look up the SUBGROUP_COLUMNS of a run's photos in an image table: one row per prediction, in their order.

    Ages become bands of 20 years, diagnoses their names. Missing values, and photos that the table lacks, are NA.
    """
    place = find_indices(run.frame["image_id"], table["image_id"])
    known = [column for column in SUBGROUP_COLUMNS if column in table.columns]
    names = table["diagnosis"].map(get_class_name, na_action="ignore")
    facts = table[known].assign(age_band=_name_age_bands(table["age"]), diagnosis=names)[list(SUBGROUP_COLUMNS)]
    rows = facts.take(np.maximum(place, 0)) if len(facts) else facts.reindex(range(len(place)))
    rows = rows.set_axis(run.frame.index)
    return rows if (place >= 0).all() else rows.where(pd.Series(place >= 0, index=rows.index), axis=0)


def compute_subgroup_figures(
    run: Predictions,
    facts: pd.DataFrame,
    columns: tuple[str, ...],
    replicates: int = REPLICATES,
    seed: int = SEED,
    threshold: float | None = None,
) -> pd.DataFrame:
    """Compute the figures of each subgroup with 95% intervals by bootstrap over lesions.

    `facts` has one row per prediction, in their order. Returns one row per column of `columns`, level and figure, with
    photos, lesions and positives (photos of malignant lesions; NaN where the run lacks malignant or benign classes).
    Levels are sorted by photos, most first; ages by age; "not recorded" is last. Figures, 0 to 1: accuracy and
    balanced_accuracy, and where the run has malignant and benign classes malignant_auroc, sensitivity and specificity.
    A photo is called malignant if its most likely class is, or with a `threshold` if its malignancy score is at least
    that. Below MIN_LESIONS lesions, `enough` is False and value, low and high are NaN; so too below
    MIN_LESIONS_FOR_RATE malignant lesions for sensitivity, benign ones for specificity, either for malignant_auroc.
    """
    whole = _collect_answers(run, threshold)
    rows: list[Row] = []
    for column in columns:
        for level, places in _iterate_levels(facts[column], ordered=column == "age_band"):
            rows += [(column, level, *row) for row in _compute_figures(whole.at(places), replicates, seed)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@dataclass(frozen=True, eq=False)
class _Answers:
    """Photos with their answers, each array (n,): indices of truth, prediction and lesion; malignant, called malignant.

    `k` is the number of classes. Where `has_malignancy` is False, `malignant`, `called` and `score` mean nothing.
    """

    k: int
    malignancy: bool
    truth: ClassIndex
    predicted: ClassIndex
    lesion: ClassIndex
    malignant: Flags
    called: Flags
    score: Floats

    def at(self, places: ClassIndex) -> "_Answers":
        """Return the answers at these indices, with their lesions renumbered."""
        return _Answers(
            self.k,
            self.malignancy,
            self.truth[places],
            self.predicted[places],
            pd.factorize(self.lesion[places])[0],
            self.malignant[places],
            self.called[places],
            self.score[places],
        )


def _collect_answers(run: Predictions, threshold: float | None) -> _Answers:
    truth, scores = run.truth_index(), run.probabilities()
    predicted, malignancy = scores.argmax(axis=1), has_malignancy(run)
    lesion = run.lesion_index()
    places = mark_malignant(run) if malignancy else np.zeros(len(run.classes), dtype=bool)
    score = select_positives(run)[1] if malignancy else np.zeros(len(truth))
    called = places[predicted] if threshold is None else score >= threshold
    return _Answers(len(run.classes), malignancy, truth, predicted, lesion, places[truth], called, score)


def _compute_figures(group: _Answers, replicates: int, seed: int) -> Iterator[Row]:
    lesions = int(group.lesion.max()) + 1
    malignant = int(group.malignant.sum()) if group.malignancy else float("nan")
    enough = lesions >= MIN_LESIONS
    counts = len(group.truth), lesions, malignant
    right = group.predicted == group.truth
    yield (*counts, "accuracy", *_compute_rate(right, np.ones_like(right), group.lesion, enough, replicates, seed))
    yield (*counts, "balanced_accuracy", *_compute_balanced_accuracy(group, enough, replicates, seed))
    if not group.malignancy:
        return
    enough_malignant, enough_benign = (
        _count_lesions(group.lesion[which]) >= MIN_LESIONS_FOR_RATE for which in (group.malignant, ~group.malignant)
    )
    true_positive, true_negative = group.called & group.malignant, ~group.called & ~group.malignant
    yield (
        *counts,
        "malignant_auroc",
        *_compute_auroc(group, enough and enough_malignant and enough_benign, replicates, seed),
    )
    yield (
        *counts,
        "sensitivity",
        *_compute_rate(true_positive, group.malignant, group.lesion, enough and enough_malignant, replicates, seed),
    )
    yield (
        *counts,
        "specificity",
        *_compute_rate(true_negative, ~group.malignant, group.lesion, enough and enough_benign, replicates, seed),
    )


def _compute_rate(part: Flags, whole: Flags, lesion: ClassIndex, enough: bool, replicates: int, seed: int) -> Row:
    if not enough:
        return _blank()
    counted, of = part.astype(np.float64), whole.astype(np.float64)
    return counted.sum() / of.sum(), *compute_rate_interval(counted, of, lesion, replicates, seed), True


def _compute_balanced_accuracy(group: _Answers, enough: bool, replicates: int, seed: int) -> Row:
    if not enough:
        return _blank()
    of_class = np.eye(group.k)[group.truth]
    right = of_class * (group.predicted == group.truth)[:, None]
    sums = sum_by_lesion(np.concatenate([right, of_class], axis=1), group.lesion)
    value, drawn = _average_recall(sums.sum(axis=0)[None]), _average_recall(draw_replicate_sums(sums, replicates, seed))
    return float(value[0]), *percentile_interval(drawn), True


def _average_recall(sums: Floats) -> Floats:
    right, of_class = np.split(sums, 2, axis=1)
    recalls = np.full(right.shape, np.nan)
    np.divide(right, of_class, out=recalls, where=of_class > 0)
    return classification.mean_ignoring_nan(recalls)


def _compute_auroc(group: _Answers, enough: bool, replicates: int, seed: int) -> Row:
    if not enough:
        return _blank()
    value = sort_scores(group.malignant, group.score).auroc()
    return (
        value,
        *percentile_interval(bootstrap_auroc(group.malignant, group.score, group.lesion, replicates, seed)),
        True,
    )


def _blank() -> Row:
    return float("nan"), float("nan"), float("nan"), False


def _count_lesions(lesion: ClassIndex) -> int:
    return len(pd.unique(lesion))


def _iterate_levels(values: "pd.Series[str]", ordered: bool) -> Iterator[tuple[str, ClassIndex]]:
    """Yield each level of a column with the indices of its photos, in the order they are shown."""
    codes, levels = pd.factorize(values)
    names, frequent = [str(name) for name in levels], np.argsort(-np.bincount(codes[codes >= 0]), kind="stable")
    if ordered:
        years = [*AGE_BANDS.values()]
        frequent = np.array(sorted(frequent, key=lambda place: years.index(names[place])), dtype=np.intp)
    for place in frequent[:MAX_LEVELS]:
        yield names[place], np.flatnonzero(codes == place)
    for name, rest in ((OTHERS, np.isin(codes, frequent[MAX_LEVELS:])), (NOT_RECORDED, codes < 0)):
        if rest.any():
            yield name, np.flatnonzero(rest)


def _name_age_bands(age: "pd.Series[float]") -> "pd.Series[str]":
    bands = pd.cut(age.to_numpy(dtype=float, na_value=np.nan), [*AGE_BANDS, np.inf], right=False, labels=False)
    names = pd.Series(bands).map(dict(enumerate(AGE_BANDS.values())))
    return names.astype("string").set_axis(age.index)
