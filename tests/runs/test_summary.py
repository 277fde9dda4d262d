from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from sklearn import metrics as sk

from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_headline, compute_per_class, count_confusion
from skinapp.taxonomy import MALIGNANCY_CLASSES, MALIGNANT_CODES

MakeRun = Callable[..., StoredRun]


def test_headline_of_eight_types(make_run: MakeRun) -> None:
    run = make_run()
    truth, scores = run.truth_index(), run.probabilities()
    line = compute_headline(run)
    assert (line.photos, line.lesions) == (120, 80)
    assert line.accuracy == pytest.approx(sk.accuracy_score(truth, scores.argmax(axis=1)))
    assert line.top3 == pytest.approx(sk.top_k_accuracy_score(truth, scores, k=3))
    malignant = run.frame["truth"].isin(MALIGNANT_CODES)
    summed = run.frame[[f"p_{code}" for code in ("mel", "bcc", "akiec", "scc")]].sum(axis=1)
    assert line.malignant_auroc == pytest.approx(sk.roc_auc_score(malignant, summed))
    assert line.macro_auroc > line.malignant_auroc > 0.5
    assert not any(np.isnan(figure) for figure in asdict(line).values())


def test_headline_of_a_malignancy_run(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    line = compute_headline(run)
    expected = sk.roc_auc_score(run.frame["truth"] == "malignant", run.frame["p_malignant"])
    assert line.malignant_auroc == pytest.approx(expected)
    assert np.isnan(line.top3)  # the truth is always among the first three of two


def test_without_a_malignant_class_there_is_no_malignant_auroc(make_run: MakeRun) -> None:
    line = compute_headline(make_run(("nv", "bkl", "df", "vasc")))
    assert np.isnan(line.malignant_auroc)
    assert line.accuracy > 0.25


def test_per_class_counts_photos_lesions_and_predictions(make_run: MakeRun) -> None:
    run = make_run()
    frame = compute_per_class(run).set_index("class")
    assert tuple(frame.index) == run.classes
    assert frame.loc["nv", "name"] == "Melanocytic nevus"
    nevi = run.frame[run.frame["truth"] == "nv"]
    assert frame.loc["nv", "support"] == len(nevi)
    assert frame.loc["nv", "lesions"] == nevi["lesion_id"].nunique() < len(nevi)
    assert frame["predicted"].sum() == len(run.frame)
    predicted = run.probabilities().argmax(axis=1)
    np.testing.assert_allclose(frame["f1"], sk.f1_score(run.truth_index(), predicted, average=None))


def test_a_class_without_photos_has_none_and_no_recall(make_run: MakeRun) -> None:
    run = make_run()
    without = replace(run, frame=run.frame[run.frame["truth"] != "df"])
    row = compute_per_class(without).set_index("class").loc["df"]
    assert (row["support"], row["lesions"]) == (0, 0)
    assert np.isnan(row["recall"])
    assert np.isnan(row["auroc"])


def test_confusion_frame_has_truth_in_rows(make_run: MakeRun) -> None:
    run = make_run(("nv", "mel"), photos=4)
    sure = np.float32([[1, 0], [0, 1], [0, 1], [0, 1]])
    frame = run.frame.assign(truth=["nv", "nv", "nv", "mel"], p_nv=sure[:, 0], p_mel=sure[:, 1])
    confusion = count_confusion(replace(run, frame=frame))
    assert confusion.loc["nv", "mel"] == 2
    assert confusion.to_numpy().tolist() == [[1, 2], [0, 1]]
    assert (confusion.index.name, confusion.columns.name) == ("truth", "prediction")
