"""The figures of a run are those that the ISIC challenge's own scorer gives its predictions.

The scorer is no dependency: `pip install isic-challenge-scoring` into the environment of the tests runs them. Its
command needs an older pandas; its classes do not.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import skinapp
from skinapp.metrics.summary import compute_figures
from skinapp.runs.seven import merge_to_seven
from skinapp.runs.stored import StoredRun, load_run
from skinapp.runs.views.curves import compute_precision_recall_curves

scoring = pytest.importorskip("isic_challenge_scoring.classification", reason="isic-challenge-scoring is not installed")

MakeRun = Callable[..., StoredRun]

SHIPPED = Path(skinapp.__file__).parents[1] / "models" / "lesion" / "runs" / "ham10000-test-lesion-type"


@pytest.fixture(params=["made up", "shipped"])
def run(request: pytest.FixtureRequest, make_run: MakeRun) -> StoredRun:
    return merge_to_seven(load_run(SHIPPED) if request.param == "shipped" else make_run(photos=300))


def test_balanced_accuracy_auc_and_average_precision_are_the_challenges(run: StoredRun) -> None:
    truth, scores, ids = run.truth_index(), run.probabilities(), run.frame["image_id"]
    score = scoring.ClassificationScore(
        pd.DataFrame(np.eye(7)[truth], columns=list(run.classes), index=ids),
        pd.DataFrame(scores, columns=list(run.classes), index=ids),
        pd.DataFrame({"score_weight": 1.0, "validation_weight": 1.0}, index=ids),
        scoring.ClassificationMetric.BALANCED_ACCURACY,
    )
    own = compute_figures(truth, scores, run.classes)
    assert float(own.balanced_accuracy) == pytest.approx(score.overall, abs=1e-12)
    np.testing.assert_allclose(own.auroc, score.per_category["auc"], atol=1e-12)
    areas = compute_precision_recall_curves(run).groupby("class")["area"].first()
    np.testing.assert_allclose(areas[list(run.classes)], score.per_category["ap"], atol=1e-12)
