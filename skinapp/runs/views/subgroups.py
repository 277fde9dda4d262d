"""Figures by age, sex, site, camera, confirmation, source and diagnosis, with how many lesions each stands on."""

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
from skinapp.metrics.classification import ClassIndex, Flags, Floats, malignant_mask
from skinapp.metrics.estimate import SEED
from skinapp.metrics.ranking import sort_scores
from skinapp.runs.lookup import places_among
from skinapp.runs.predictions import Predictions
from skinapp.runs.views.curves import positives, tells_malignancy
from skinapp.taxonomy import get_class_name

SUBGROUP_COLUMNS = ("age_band", "sex", "site", "camera", "confirmation", "source", "diagnosis")

NOT_RECORDED, OTHERS = "not recorded", "all others"

FEW_LESIONS = 30
"""Below this a class or a subgroup is marked: with 29 lesions a recall of 0.8 may be anything from 0.62 to 0.91
(95% interval of Wilson, 1927)."""

FEW_OF_A_KIND = 10
"""So many malignant lesions a sensitivity needs, so many benign ones a specificity, an AUROC both."""

MOST_LEVELS = 25
"""A column with more different values shows the most frequent ones, and the rest together."""

REPLICATES = 200

AGE_BANDS = {0: "under 20", 20: "20 to 39", 40: "40 to 59", 60: "60 to 79", 80: "80 and over"}
"""Years in which a band begins, and its name."""

COLUMNS = ("column", "level", "photos", "lesions", "positives", "figure", "value", "low", "high", "enough")

Row = tuple[object, ...]


def facts_of(run: Predictions, table: pd.DataFrame) -> pd.DataFrame:
    """Look up what an image table says of a run's photos: SUBGROUP_COLUMNS, a row a prediction, in their order.

    Ages become bands of 20 years, diagnoses their names. What the table does not say, and all of a photo that it does
    not hold, is NA.
    """
    place = places_among(run.frame["image_id"], table["image_id"])
    known = [column for column in SUBGROUP_COLUMNS if column in table.columns]
    names = table["diagnosis"].map(get_class_name, na_action="ignore")
    facts = table[known].assign(age_band=_bands(table["age"]), diagnosis=names)[list(SUBGROUP_COLUMNS)]
    found = facts.take(np.maximum(place, 0)) if len(facts) else facts.reindex(range(len(place)))
    found = found.set_axis(run.frame.index)
    return found if (place >= 0).all() else found.where(pd.Series(place >= 0, index=found.index), axis=0)


def subgroup_figures(
    run: Predictions,
    facts: pd.DataFrame,
    columns: tuple[str, ...],
    replicates: int = REPLICATES,
    seed: int = SEED,
    threshold: float | None = None,
) -> pd.DataFrame:
    """Compute the figures of each subgroup with 95% intervals by bootstrap over lesions.

    `facts` has a row a prediction, in their order. Returns a row a column of `columns`, level of it and figure, with
    photos, lesions and positives (photos of malignant lesions; NaN where the run does not tell malignancy). Levels
    come most photos first, ages the youngest first, "not recorded" last. Figures, 0 to 1: accuracy, balanced_accuracy,
    and where malignancy is told malignant_auroc, sensitivity and specificity (whether the likeliest class is a
    malignant one, or with a `threshold` whether the malignancy score is at least that). `enough` is False, and low and
    high are not computed, under FEW_LESIONS lesions, for sensitivity under FEW_OF_A_KIND malignant ones, for
    specificity under so many benign ones, for malignant_auroc under either; the value stays NaN then.
    """
    whole = _answers(run, threshold)
    rows: list[Row] = []
    for column in columns:
        for level, places in _levels(facts[column], ordered=column == "age_band"):
            rows += [(column, level, *row) for row in _figures(whole.at(places), replicates, seed)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@dataclass(frozen=True, eq=False)
class _Answers:
    """Of some photos, each (n,): places of truth, prediction and lesion; malignant, called so, and the score of it.

    `k` is the number of classes; the last three are empty of meaning where malignancy is not told (`told` False).
    """

    k: int
    told: bool
    truth: ClassIndex
    predicted: ClassIndex
    lesion: ClassIndex
    malignant: Flags
    called: Flags
    score: Floats

    def at(self, places: ClassIndex) -> "_Answers":
        """Return the answers at these places, their lesions numbered anew."""
        return _Answers(
            self.k,
            self.told,
            self.truth[places],
            self.predicted[places],
            pd.factorize(self.lesion[places])[0],
            self.malignant[places],
            self.called[places],
            self.score[places],
        )


def _answers(run: Predictions, threshold: float | None) -> _Answers:
    truth, scores = run.truth_index(), run.probabilities()
    predicted, told = scores.argmax(axis=1), tells_malignancy(run)
    lesion = run.lesion_index()
    places = malignant_mask(run.classes)
    score = positives(run)[1] if told else np.zeros(len(truth))
    called = places[predicted] if threshold is None else score >= threshold
    return _Answers(len(run.classes), told, truth, predicted, lesion, places[truth], called, score)


def _figures(group: _Answers, replicates: int, seed: int) -> Iterator[Row]:
    lesions = int(group.lesion.max()) + 1
    malignant = int(group.malignant.sum()) if group.told else float("nan")
    enough = lesions >= FEW_LESIONS
    counts = len(group.truth), lesions, malignant
    right = group.predicted == group.truth
    yield (*counts, "accuracy", *_rate(right, np.ones_like(right), group.lesion, enough, replicates, seed))
    yield (*counts, "balanced_accuracy", *_balanced(group, enough, replicates, seed))
    if not group.told:
        return
    ill, well = (_lesions(group.lesion[which]) >= FEW_OF_A_KIND for which in (group.malignant, ~group.malignant))
    found, spared = group.called & group.malignant, ~group.called & ~group.malignant
    yield (*counts, "malignant_auroc", *_auroc(group, enough and ill and well, replicates, seed))
    yield (*counts, "sensitivity", *_rate(found, group.malignant, group.lesion, enough and ill, replicates, seed))
    yield (*counts, "specificity", *_rate(spared, ~group.malignant, group.lesion, enough and well, replicates, seed))


def _rate(part: Flags, whole: Flags, lesion: ClassIndex, enough: bool, replicates: int, seed: int) -> Row:
    if not enough:
        return _too_few()
    counted, of = part.astype(np.float64), whole.astype(np.float64)
    return counted.sum() / of.sum(), *compute_rate_interval(counted, of, lesion, replicates, seed), True


def _balanced(group: _Answers, enough: bool, replicates: int, seed: int) -> Row:
    if not enough:
        return _too_few()
    of_class = np.eye(group.k)[group.truth]
    right = of_class * (group.predicted == group.truth)[:, None]
    sums = sum_by_lesion(np.concatenate([right, of_class], axis=1), group.lesion)
    value, drawn = _mean_recall(sums.sum(axis=0)[None]), _mean_recall(draw_replicate_sums(sums, replicates, seed))
    return float(value[0]), *percentile_interval(drawn), True


def _mean_recall(sums: Floats) -> Floats:
    right, of_class = np.split(sums, 2, axis=1)
    recalls = np.full(right.shape, np.nan)
    np.divide(right, of_class, out=recalls, where=of_class > 0)
    return classification.mean_ignoring_nan(recalls)


def _auroc(group: _Answers, enough: bool, replicates: int, seed: int) -> Row:
    if not enough:
        return _too_few()
    value = sort_scores(group.malignant, group.score).auroc()
    return (
        value,
        *percentile_interval(bootstrap_auroc(group.malignant, group.score, group.lesion, replicates, seed)),
        True,
    )


def _too_few() -> Row:
    return float("nan"), float("nan"), float("nan"), False


def _lesions(lesion: ClassIndex) -> int:
    return len(pd.unique(lesion))


def _levels(values: "pd.Series[str]", ordered: bool) -> Iterator[tuple[str, ClassIndex]]:
    """Name each level of a column with the places of its photos, in the order that a reader meets them."""
    codes, found = pd.factorize(values)
    names, frequent = [str(name) for name in found], np.argsort(-np.bincount(codes[codes >= 0]), kind="stable")
    if ordered:
        years = [*AGE_BANDS.values()]
        frequent = np.array(sorted(frequent, key=lambda place: years.index(names[place])), dtype=np.intp)
    for place in frequent[:MOST_LEVELS]:
        yield names[place], np.flatnonzero(codes == place)
    for name, rest in ((OTHERS, np.isin(codes, frequent[MOST_LEVELS:])), (NOT_RECORDED, codes < 0)):
        if rest.any():
            yield name, np.flatnonzero(rest)


def _bands(age: "pd.Series[float]") -> "pd.Series[str]":
    bands = pd.cut(age.to_numpy(dtype=float, na_value=np.nan), [*AGE_BANDS, np.inf], right=False, labels=False)
    names = pd.Series(bands).map(dict(enumerate(AGE_BANDS.values())))
    return names.astype("string").set_axis(age.index)
