"""Compare two runs on the photos that both predicted: which one is right, and whether chance explains the difference.

Where the runs have the same classes, in any order, an answer is right if it is the true class. Where they do not, and
both have malignant and benign classes, an answer is right if it is malignant for a malignant photo or benign for a
benign one.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.metrics.bootstrap import draw_lesions, percentile_interval
from skinapp.metrics.classification import Flags, Floats
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.metrics.lesion_sums import sum_figures_by_lesion
from skinapp.metrics.summary import OVERALL, Figures, compute_figures
from skinapp.runs.lookup import match_ids
from skinapp.runs.predictions import Predictions
from skinapp.runs.views.curves import has_malignancy, mark_malignant

BY_CLASS, BY_MALIGNANCY = "class", "malignancy"


@dataclass(frozen=True)
class Comparison:
    """The photos that two runs share, counted by which run is right.

    `left_out_a` and `left_out_b` count the photos that only one run has. `mcnemar_p` is the exact two-sided p-value of
    McNemar's test (1947) on one photo per lesion, the first by image_id, because the test assumes independent photos;
    1 where the runs never differ. `differing_truths` counts the shared photos with different truths in the two runs:
    they are counted too, and each run is judged by its own truth. `by` is what is compared: "class" or "malignancy".
    `notes` say how ids were matched.
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
    notes: tuple[str, ...] = ()


def compare_runs(a: Predictions, b: Predictions) -> Comparison:
    """Count which run is right on the photos they share.

    Raises RunError where they share none, where the photos of one have no ids, and where the classes differ and
    malignancy is not known of all.
    """
    common = _cut_to_common(a, b)
    right_a, right_b = common.right(common.a), common.right(common.b)
    first = _mark_first_of_each_lesion(common.a)
    only_a, only_b = right_a & ~right_b, right_b & ~right_a
    return Comparison(
        photos=len(right_a),
        lesions=common.a.frame["lesion_id"].nunique(),
        left_out_a=len(a.frame) - len(right_a),
        left_out_b=len(b.frame) - len(right_a),
        both_right=int((right_a & right_b).sum()),
        only_a=int(only_a.sum()),
        only_b=int(only_b.sum()),
        neither=int((~right_a & ~right_b).sum()),
        mcnemar_p=_compute_mcnemar_p(int(only_a[first].sum()), int(only_b[first].sum())),
        differing_truths=int((common.truth(common.a) != common.truth(common.b)).sum()),
        by=common.by,
        notes=common.notes,
    )


def compute_paired_differences(
    a: Predictions, b: Predictions, replicates: int = REPLICATES, seed: int = SEED
) -> pd.DataFrame:
    """Return the overall figures of two runs on their common photos, and the difference a - b.

    Each replicate draws the same lesions for both runs, so lesions that are hard for both cancel out. Columns: figure,
    a, b, difference, low, high (95% interval of the difference; NaN where undefined). Where the classes of the runs
    differ, the only figure is malignant_auroc. RunError where they share no photo.
    """
    common = _cut_to_common(a, b)
    names = OVERALL if common.by == BY_CLASS else ("malignant_auroc",)
    of_a, of_b = (
        _select_figures(compute_figures(r.truth_index(), r.probabilities(), r.classes, stated=r.stated), names)
        for r in (common.a, common.b)
    )
    lesion = common.a.lesion_index()
    tallies = [
        sum_figures_by_lesion(run.truth_index(), run.probabilities(), run.classes, lesion, run.stated)
        for run in (common.a, common.b)
    ]
    drawn = [
        np.subtract(*(_select_figures(each.compute_figures(times), names) for each in tallies))
        for times in draw_lesions(int(lesion.max()) + 1, replicates, seed, sum(tallies[0].widths))
    ]
    ends = np.array([percentile_interval(of_figure) for of_figure in np.concatenate(drawn, axis=1)])
    return pd.DataFrame(
        {"figure": names, "a": of_a, "b": of_b, "difference": of_a - of_b, "low": ends[:, 0], "high": ends[:, 1]}
    )


def list_disagreements(a: Predictions, b: Predictions) -> pd.DataFrame:
    """List the common photos that only one run gets right, the most confident wrong answer first.

    Columns: image_id, lesion_id and truth (of a), answer_a, p_a, answer_b, p_b (each run's most likely class and its
    probability), right ("a" or "b"). RunError where they share no photo.
    """
    common = _cut_to_common(a, b)
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
class _CommonPhotos:
    """Two runs cut to their common photos, in the order of a, and what is compared."""

    a: Predictions
    b: Predictions
    by: str
    notes: tuple[str, ...]

    def truth(self, run: Predictions) -> "Flags | pd.Series[str]":
        """Return the label of each photo of a run, or whether it is malignant."""
        if self.by == BY_CLASS:
            return run.frame["truth"].reset_index(drop=True)
        return mark_malignant(run)[run.truth_index()]

    def right(self, run: Predictions) -> Flags:
        """Return whether a run is right for each photo, (n,)."""
        truth, answer = run.truth_index(), run.probabilities().argmax(axis=1)
        if self.by == BY_CLASS:
            return np.asarray(truth == answer)
        malignant = mark_malignant(run)
        return np.asarray(malignant[truth] == malignant[answer])


def _cut_to_common(a: Predictions, b: Predictions) -> _CommonPhotos:
    for run in (a, b):
        if run.numbered:
            raise RunError(
                f"The photos of {run.name} have no ids, so it is not known which photos of another run they are. Add a "
                "column image_id to compare it."
            )
    matched = match_ids(a.frame["image_id"], b.frame["image_id"])
    place = matched.places
    if not (place >= 0).any():
        raise RunError(
            f"The runs {a.name} and {b.name} share no photo. Compare runs that were made on the same photos."
        )
    cut_a = replace(a, frame=a.frame[place >= 0].reset_index(drop=True))
    cut_b = replace(b, frame=b.frame.iloc[place[place >= 0]].reset_index(drop=True))
    if set(a.classes) == set(b.classes):
        return _CommonPhotos(cut_a, replace(cut_b, classes=a.classes), BY_CLASS, matched.notes)
    for run in (a, b):
        if not has_malignancy(run):
            raise RunError(
                f"The runs {a.name} and {b.name} have different classes. They can be compared only by malignancy, and "
                f"{run.name} does not tell malignant from benign."
            )
    return _CommonPhotos(cut_a, cut_b, BY_MALIGNANCY, matched.notes)


def _select_figures(all_figures: Figures, names: tuple[str, ...]) -> Floats:
    return np.stack([getattr(all_figures, name) for name in names])


def _mark_first_of_each_lesion(run: Predictions) -> Flags:
    frame = run.frame.sort_values("image_id")
    return np.asarray(~frame["lesion_id"].duplicated().sort_index())


def _compute_mcnemar_p(only_a: int, only_b: int) -> float:
    from scipy.stats import binomtest  # as in metrics/estimate.py: slow to import

    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
