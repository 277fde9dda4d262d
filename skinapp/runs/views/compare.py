"""Two runs on the same photos: which one is right where, and whether the difference may be chance.

Where the runs share their classes, in whatever order, an answer is right where the class is. Where they do not, and
both tell malignant from benign, an answer is right where it tells that rightly.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.metrics.bootstrap import draw_lesions, percentile_interval
from skinapp.metrics.classification import Flags, Floats, malignant_mask
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.metrics.lesion_sums import sum_figures_by_lesion
from skinapp.metrics.summary import OVERALL, Figures, compute_figures
from skinapp.runs.lookup import places_among
from skinapp.runs.predictions import Predictions
from skinapp.runs.views.curves import tells_malignancy

BY_CLASS, BY_MALIGNANCY = "class", "malignancy"


@dataclass(frozen=True)
class Pairing:
    """The photos that two runs share, counted by which of them is right.

    `left_out_a` and `left_out_b` count the photos of one run that the other lacks. mcnemar_p is the exact two-sided p
    of McNemar's test (1947) on one photo a lesion, the first by image_id, because the test takes photos to be
    independent; 1 where the runs never differ. `differing_truths` counts the photos whose truths disagree between the
    runs; each run is then held to its own. `by` says what must be told rightly: "class" or "malignancy".
    """

    photos: int
    lesions: int
    left_out_a: int
    left_out_b: int
    both_right: int
    only_a: int
    only_b: int
    neither: int
    mcnemar_p: float
    differing_truths: int
    by: str


def paired(a: Predictions, b: Predictions) -> Pairing:
    """Count on the photos of both runs which is right; RunError where they share none."""
    common = _common(a, b)
    right_a, right_b = common.right(common.a), common.right(common.b)
    first = _first_of_each_lesion(common.a)
    only_a, only_b = right_a & ~right_b, right_b & ~right_a
    return Pairing(
        photos=len(right_a),
        lesions=common.a.frame["lesion_id"].nunique(),
        left_out_a=len(a.frame) - len(right_a),
        left_out_b=len(b.frame) - len(right_a),
        both_right=int((right_a & right_b).sum()),
        only_a=int(only_a.sum()),
        only_b=int(only_b.sum()),
        neither=int((~right_a & ~right_b).sum()),
        mcnemar_p=_mcnemar(int(only_a[first].sum()), int(only_b[first].sum())),
        differing_truths=int((common.truth(common.a) != common.truth(common.b)).sum()),
        by=common.by,
    )


def paired_differences(a: Predictions, b: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> pd.DataFrame:
    """Return the overall figures of two runs on their common photos and their difference, a less b.

    Each replicate draws the same lesions for both, so that what is hard for both cancels out. Columns: figure, a, b,
    difference, low, high (its 95% interval; NaN where undefined). Where the runs do not share their classes, only
    malignant_auroc. RunError where they share no photo.
    """
    common = _common(a, b)
    names = OVERALL if common.by == BY_CLASS else ("malignant_auroc",)
    of_a, of_b = (
        _overall(compute_figures(r.truth_index(), r.probabilities(), r.classes), names) for r in (common.a, common.b)
    )
    lesion = common.a.lesion_index()
    tallies = [
        sum_figures_by_lesion(run.truth_index(), run.probabilities(), run.classes, lesion)
        for run in (common.a, common.b)
    ]
    drawn = [
        np.subtract(*(_overall(each.compute_figures(times), names) for each in tallies))
        for times in draw_lesions(int(lesion.max()) + 1, replicates, seed, sum(tallies[0].widths))
    ]
    ends = np.array([percentile_interval(of_figure) for of_figure in np.concatenate(drawn, axis=1)])
    return pd.DataFrame(
        {"figure": names, "a": of_a, "b": of_b, "difference": of_a - of_b, "low": ends[:, 0], "high": ends[:, 1]}
    )


def only_one_right(a: Predictions, b: Predictions) -> pd.DataFrame:
    """List the common photos that one run gets right and the other wrong, the wrong answer's most confident first.

    Columns: image_id, lesion_id and truth (of a), answer_a, p_a, answer_b, p_b (the likeliest class of each run and its
    probability), right ("a" or "b"). RunError where they share no photo.
    """
    common = _common(a, b)
    right_a, right_b = common.right(common.a), common.right(common.b)
    frame = common.a.frame[["image_id", "lesion_id", "truth"]].copy()
    for end, run in (("a", common.a), ("b", common.b)):
        scores = run.probabilities()
        frame[f"answer_{end}"] = np.array(run.classes)[scores.argmax(axis=1)]
        frame[f"p_{end}"] = scores.max(axis=1)
    frame["right"] = np.where(right_a, "a", "b")
    wrong = np.where(right_a, frame["p_b"], frame["p_a"])
    places = np.flatnonzero(right_a != right_b)
    return frame.iloc[places[np.argsort(-wrong[places], kind="stable")]].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class _Common:
    """Two runs cut to their common photos, in the order of a, and what must be told rightly."""

    a: Predictions
    b: Predictions
    by: str

    def truth(self, run: Predictions) -> "Flags | pd.Series[str]":
        """Return what each photo of a run is: its label, or whether it is malignant."""
        if self.by == BY_CLASS:
            return run.frame["truth"].reset_index(drop=True)
        return malignant_mask(run.classes)[run.truth_index()]

    def right(self, run: Predictions) -> Flags:
        """Tell of each photo whether a run tells it rightly."""
        truth, answer = run.truth_index(), run.probabilities().argmax(axis=1)
        if self.by == BY_CLASS:
            return np.asarray(truth == answer)
        malignant = malignant_mask(run.classes)
        return np.asarray(malignant[truth] == malignant[answer])


def _common(a: Predictions, b: Predictions) -> _Common:
    place = places_among(a.frame["image_id"], b.frame["image_id"])
    if not (place >= 0).any():
        raise RunError(
            f"The runs {a.name} and {b.name} share no photo. Compare runs that were made on the same photos."
        )
    cut_a = replace(a, frame=a.frame[place >= 0].reset_index(drop=True))
    cut_b = replace(b, frame=b.frame.iloc[place[place >= 0]].reset_index(drop=True))
    if set(a.classes) == set(b.classes):
        return _Common(cut_a, replace(cut_b, classes=a.classes), BY_CLASS)
    return _Common(cut_a, cut_b, BY_MALIGNANCY if tells_malignancy(a) and tells_malignancy(b) else BY_CLASS)


def _overall(found: Figures, names: tuple[str, ...]) -> Floats:
    return np.stack([getattr(found, name) for name in names])


def _first_of_each_lesion(run: Predictions) -> Flags:
    frame = run.frame.sort_values("image_id")
    return np.asarray(~frame["lesion_id"].duplicated().sort_index())


def _mcnemar(only_a: int, only_b: int) -> float:
    from scipy.stats import binomtest  # as in metrics/estimate.py: slow to import

    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
