from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.dummy import DummyClassifier

from skinapp.errors import RunError
from skinapp.runs.baselines import compute_no_skill, select_photos
from skinapp.runs.stored import StoredRun
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


def test_no_skill_is_scikit_learns_dummy_that_knows_the_shares(make_run: MakeRun) -> None:
    run = make_run()
    truth = run.truth_index()
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((len(truth), 1)), truth)
    scores = dummy.predict_proba(np.zeros((len(truth), 1)))
    line = compute_no_skill(run)
    assert line.accuracy == pytest.approx(sk.accuracy_score(truth, scores.argmax(axis=1)))
    assert line.balanced_accuracy == pytest.approx(1 / 8)
    assert line.log_loss == pytest.approx(sk.log_loss(truth, scores))
    assert line.macro_auroc == line.malignant_auroc == 0.5
    assert line.ece == pytest.approx(0, abs=1e-9)
    assert line.top3 == pytest.approx(np.sort(np.bincount(truth))[-3:].sum() / len(truth))
    assert (line.photos, line.lesions) == (120, 80)


def test_no_skill_where_a_class_has_no_photo(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    benign = replace(run, frame=run.frame[run.frame["truth"] == "benign"])
    line = compute_no_skill(benign)
    assert line.accuracy == 1
    assert np.isnan(asdict(line)["malignant_auroc"])


def test_a_run_on_some_photos_keeps_its_order_and_numbers_them_anew(make_run: MakeRun) -> None:
    run = make_run()
    cut = select_photos(run, ["photo_7", "photo_3", "photo_3", "another"])
    assert cut.frame["image_id"].tolist() == ["photo_3", "photo_7"]
    assert cut.frame.index.tolist() == [0, 1]
    assert cut.classes == run.classes
    pd.testing.assert_frame_equal(select_photos(run, run.frame["image_id"]).frame, run.frame)
    with pytest.raises(RunError, match="none of these photos"):
        select_photos(run, ["another"])
