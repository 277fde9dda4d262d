"""Two runs on the same photos: which one is right where, and whether the difference may be chance.

Where the runs share their classes, in whatever order, an answer is right where the class is. Where they do not, and
both tell malignant from benign, an answer is right where it tells that rightly.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from skinapp.errors import RunError
from skinapp.metrics.bootstrap import draws, percentile_interval
from skinapp.metrics.classification import Flags, Floats, malignant_mask
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.metrics.lesion_sums import tally
from skinapp.metrics.summary import OVERALL, Figures, figures
from skinapp.runs.lookup import places_among
from skinapp.runs.stored import StoredRun, lesion_index, probabilities, truth_index
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


def paired(a: StoredRun, b: StoredRun) -> Pairing:
    """Count on the photos of both runs which is right; RunError where they share none."""
    common = _common(a, b)
    right_a, right_b = common.right(common.a), common.right(common.b)
    first = _first_of_each_lesion(common.a)
    only_a, only_b = right_a & ~right_b, right_b & ~right_a
    return Pairing(
        photos=len(right_a),
        lesions=common.a.predictions["lesion_id"].nunique(),
        left_out_a=len(a.predictions) - len(right_a),
        left_out_b=len(b.predictions) - len(right_a),
        both_right=int((right_a & right_b).sum()),
        only_a=int(only_a.sum()),
        only_b=int(only_b.sum()),
        neither=int((~right_a & ~right_b).sum()),
        mcnemar_p=_mcnemar(int(only_a[first].sum()), int(only_b[first].sum())),
        differing_truths=int((common.truth(common.a) != common.truth(common.b)).sum()),
        by=common.by,
    )


def paired_differences(a: StoredRun, b: StoredRun, replicates: int = REPLICATES, seed: int = SEED) -> pd.DataFrame:
    """Return the overall figures of two runs on their common photos and their difference, a less b.

    Each replicate draws the same lesions for both, so that what is hard for both cancels out. Columns: figure, a, b,
    difference, low, high (its 95% interval; NaN where undefined). Where the runs do not share their classes, only
    malignant_auroc. RunError where they share no photo.
    """
    common = _common(a, b)
    names = OVERALL if common.by == BY_CLASS else ("malignant_auroc",)
    of_a, of_b = (_overall(figures(truth_index(r), probabilities(r), r.classes), names) for r in (common.a, common.b))
    lesion = lesion_index(common.a)
    tallies = [tally(truth_index(run), probabilities(run), run.classes, lesion) for run in (common.a, common.b)]
    drawn = [
        np.subtract(*(_overall(each.figures(times), names) for each in tallies))
        for times in draws(int(lesion.max()) + 1, replicates, seed, sum(tallies[0].widths))
    ]
    ends = np.array([percentile_interval(of_figure) for of_figure in np.concatenate(drawn, axis=1)])
    return pd.DataFrame(
        {"figure": names, "a": of_a, "b": of_b, "difference": of_a - of_b, "low": ends[:, 0], "high": ends[:, 1]}
    )


def only_one_right(a: StoredRun, b: StoredRun) -> pd.DataFrame:
    """List the common photos that one run gets right and the other wrong, the wrong answer's most confident first.

    Columns: image_id, lesion_id and truth (of a), answer_a, p_a, answer_b, p_b (the likeliest class of each run and its
    probability), right ("a" or "b"). RunError where they share no photo.
    """
    common = _common(a, b)
    right_a, right_b = common.right(common.a), common.right(common.b)
    frame = common.a.predictions[["image_id", "lesion_id", "truth"]].copy()
    for end, run in (("a", common.a), ("b", common.b)):
        scores = probabilities(run)
        frame[f"answer_{end}"] = np.array(run.classes)[scores.argmax(axis=1)]
        frame[f"p_{end}"] = scores.max(axis=1)
    frame["right"] = np.where(right_a, "a", "b")
    wrong = np.where(right_a, frame["p_b"], frame["p_a"])
    places = np.flatnonzero(right_a != right_b)
    return frame.iloc[places[np.argsort(-wrong[places], kind="stable")]].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class _Common:
    """Two runs cut to their common photos, in the order of a, and what must be told rightly."""

    a: StoredRun
    b: StoredRun
    by: str

    def truth(self, run: StoredRun) -> "Flags | pd.Series[str]":
        """Return what each photo of a run is: its label, or whether it is malignant."""
        if self.by == BY_CLASS:
            return run.predictions["truth"].reset_index(drop=True)
        return malignant_mask(run.classes)[truth_index(run)]

    def right(self, run: StoredRun) -> Flags:
        """Tell of each photo whether a run tells it rightly."""
        truth, answer = truth_index(run), probabilities(run).argmax(axis=1)
        if self.by == BY_CLASS:
            return np.asarray(truth == answer)
        malignant = malignant_mask(run.classes)
        return np.asarray(malignant[truth] == malignant[answer])


def _common(a: StoredRun, b: StoredRun) -> _Common:
    place = places_among(a.predictions["image_id"], b.predictions["image_id"])
    if not (place >= 0).any():
        raise RunError(
            f"The runs {a.name} and {b.name} share no photo. Compare runs that were made on the same photos."
        )
    cut_a = replace(a, predictions=a.predictions[place >= 0].reset_index(drop=True))
    cut_b = replace(b, predictions=b.predictions.iloc[place[place >= 0]].reset_index(drop=True))
    if set(a.classes) == set(b.classes):
        return _Common(cut_a, replace(cut_b, classes=a.classes), BY_CLASS)
    return _Common(cut_a, cut_b, BY_MALIGNANCY if tells_malignancy(a) and tells_malignancy(b) else BY_CLASS)


def _overall(found: Figures, names: tuple[str, ...]) -> Floats:
    return np.stack([getattr(found, name) for name in names])


def _first_of_each_lesion(run: StoredRun) -> Flags:
    frame = run.predictions.sort_values("image_id")
    return np.asarray(~frame["lesion_id"].duplicated().sort_index())


def _mcnemar(only_a: int, only_b: int) -> float:
    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
