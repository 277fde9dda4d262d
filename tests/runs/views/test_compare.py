from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from skinapp.errors import RunError
from skinapp.metrics.summary import OVERALL
from skinapp.runs.seven import merge_to_seven
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_headline
from skinapp.runs.views.compare import compare_runs, compute_paired_differences, list_disagreements
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


def answered(run: StoredRun, malignant: list[float], **columns: list[str]) -> StoredRun:
    """Give a malignancy run these scores and, by name, these columns."""
    score = np.array(malignant)
    frame = run.frame.head(len(score)).assign(p_malignant=score, p_benign=1 - score, **columns)
    return replace(run, frame=frame)


@pytest.fixture
def two(make_run: MakeRun) -> tuple[StoredRun, StoredRun]:
    """Six photos of four lesions, all malignant; the second run knows all but the last, and one more."""
    run = make_run(MALIGNANCY_CLASSES)
    lesions, truth = ["x", "x", "y", "y", "z", "w"], ["malignant"] * 6
    a = answered(run, [0.9, 0.2, 0.8, 0.7, 0.1, 0.6], lesion_id=lesions, truth=truth)
    b = answered(run, [0.3, 0.8, 0.9, 0.4, 0.2, 0.9], lesion_id=lesions, truth=truth)
    # The second run holds them in another order, and names lesions its own way.
    frame = b.frame.assign(lesion_id="its own", image_id=[*b.frame["image_id"][:5], "photo_9"])
    return replace(a, name="first"), replace(b, name="second", frame=frame[::-1].reset_index(drop=True))


def test_pairing_worked_by_hand(two: tuple[StoredRun, StoredRun]) -> None:
    found = compare_runs(*two)
    # Common are photos 0 to 4 of lesions x, y, z: a is right on 0, 2, 3; b on 1, 2.
    assert (found.photos, found.lesions, found.left_out_a, found.left_out_b) == (5, 3, 1, 1)
    assert (found.both_right, found.only_a, found.only_b, found.neither) == (1, 2, 1, 1)
    # The first photos of x, y, z are 0, 2, 4: only a is right on 0, both on 2, neither on 4. One photo differs: p = 1.
    assert found.mcnemar_p == 1
    assert (found.differing_truths, found.by) == (0, "class")


def test_mcnemar_takes_one_photo_a_lesion(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=60)
    truth, lesions = ["malignant"] * 60, [f"lesion_{photo // 3}" for photo in range(60)]
    right = np.repeat(np.arange(20) < 17, 3)  # a alone is right on 17 of 20 lesions, b alone on 3
    a = answered(run, np.where(right, 0.9, 0.1).tolist(), truth=truth, lesion_id=lesions)
    b = answered(run, np.where(right, 0.1, 0.9).tolist(), truth=truth, lesion_id=lesions)
    assert (compare_runs(a, b).only_a, compare_runs(a, b).only_b) == (51, 9)
    assert compare_runs(a, b).mcnemar_p == pytest.approx(binomtest(3, 20).pvalue)
    assert compare_runs(a, a).mcnemar_p == 1


def test_truths_that_differ_are_counted_and_each_run_held_to_its_own(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    a = answered(run, [0.9, 0.9], truth=["malignant", "malignant"])
    b = answered(run, [0.1, 0.1], truth=["malignant", "benign"])
    found = compare_runs(a, b)
    assert found.differing_truths == 1
    assert (found.both_right, found.only_a) == (1, 1)


def test_runs_of_other_classes_are_compared_by_malignancy(make_run: MakeRun) -> None:
    types, run = make_run(photos=200), make_run(MALIGNANCY_CLASSES, photos=200)
    malignant = types.frame["truth"].isin(["akiec", "bcc", "mel", "scc"])
    run = replace(run, frame=run.frame.assign(truth=np.where(malignant, *MALIGNANCY_CLASSES)))
    found = compare_runs(types, run)
    called = np.isin(types.probabilities().argmax(axis=1), [0, 1, 4, 6]), run.probabilities().argmax(axis=1) == 0
    right = [called_so == malignant for called_so in called]
    assert (found.by, found.differing_truths) == ("malignancy", 0)
    assert found.only_a == (right[0] & ~right[1]).sum()
    assert found.both_right == (right[0] & right[1]).sum()
    differences = compute_paired_differences(types, run, replicates=50)
    assert differences["figure"].tolist() == ["malignant_auroc"]
    row = differences.iloc[0]
    assert row["a"] == pytest.approx(compute_headline(types).malignant_auroc)
    assert row["b"] == pytest.approx(compute_headline(run).malignant_auroc)
    assert row["low"] < row["difference"] < row["high"]


def test_the_order_of_the_classes_does_not_matter(make_run: MakeRun) -> None:
    run = make_run()
    turned = replace(run, classes=run.classes[::-1])
    found = compare_runs(run, turned)
    assert found.by == "class"
    assert found.both_right + found.neither == found.photos
    assert (compute_paired_differences(run, turned, replicates=20)["difference"].fillna(0) == 0).all()


def test_differences_are_those_of_the_headlines(make_run: MakeRun) -> None:
    a, b = merge_to_seven(make_run(photos=300)), merge_to_seven(make_run(photos=300, seed=5))
    b = replace(b, frame=b.frame.assign(truth=a.frame["truth"]))
    frame = compute_paired_differences(a, b, replicates=200).set_index("figure")
    assert tuple(frame.index) == OVERALL
    for name in OVERALL:
        assert frame.loc[name, "a"] == pytest.approx(getattr(compute_headline(a), name))
        assert frame.loc[name, "b"] == pytest.approx(getattr(compute_headline(b), name))
        assert frame.loc[name, "difference"] == pytest.approx(frame.loc[name, "a"] - frame.loc[name, "b"])
        assert frame.loc[name, "low"] < frame.loc[name, "high"]
    assert frame.loc["accuracy", "low"] > 0  # b's predictions are of other truths
    pd.testing.assert_frame_equal(frame.reset_index(), compute_paired_differences(a, b, replicates=200))
    assert (compute_paired_differences(a, b, 200, seed=1).set_index("figure")["low"] != frame["low"]).any()


def test_what_is_hard_for_both_cancels_out(make_run: MakeRun) -> None:
    a = make_run(MALIGNANCY_CLASSES, photos=300)
    scores, truth = a.probabilities()[:, 0], a.truth_index()
    wrong_too = np.flatnonzero((scores > 0.5) == (truth == 0))[:6]  # b is wrong where a is, and on six more
    scores[wrong_too] = 1 - scores[wrong_too]
    b = replace(a, frame=a.frame.assign(p_malignant=scores, p_benign=1 - scores))
    row = compute_paired_differences(a, b, replicates=300).set_index("figure").loc["accuracy"]
    assert row["difference"] == pytest.approx(6 / 300)
    assert row["low"] > 0  # the accuracies themselves are known to within 0.05 only
    assert row["high"] < 0.05


def test_the_paired_interval_holds_no_difference_in_95_of_100(make_run: MakeRun) -> None:
    random, held, sets = np.random.default_rng(0), 0, 100
    run, lesion = make_run(MALIGNANCY_CLASSES, photos=200), np.arange(200) // 4
    lesions, truth = [f"lesion_{place}" for place in lesion], ["malignant"] * 200
    for _ in range(sets):
        easy = random.beta(1, 1, size=50)[lesion]
        a, b = (
            answered(run, np.where(random.random(200) < easy, 0.9, 0.1).tolist(), truth=truth, lesion_id=lesions)
            for _ in range(2)
        )
        row = compute_paired_differences(a, b, replicates=200).set_index("figure").loc["accuracy"]
        held += row["low"] <= 0 <= row["high"]
    assert 88 <= held <= 99


def test_what_only_one_gets_right(two: tuple[StoredRun, StoredRun]) -> None:
    found = list_disagreements(*two)
    # b is wrong on 0 by 0.7 and on 3 by 0.6, a on 1 by 0.8.
    assert found["image_id"].tolist() == ["photo_1", "photo_0", "photo_3"]
    assert found["right"].tolist() == ["b", "a", "a"]
    assert found["answer_a"].tolist() == ["benign", "malignant", "malignant"]
    assert found["p_b"].tolist() == pytest.approx([0.8, 0.7, 0.6])
    assert found["lesion_id"].tolist() == ["x", "x", "y"]
    columns = ["image_id", "lesion_id", "truth", "answer_a", "p_a", "answer_b", "p_b", "right"]
    assert list(found.columns) == columns
    assert list_disagreements(two[0], two[0]).empty


def test_runs_of_other_photos_cannot_be_compared(make_run: MakeRun) -> None:
    a = make_run()
    b = replace(a, name="b", frame=a.frame.assign(image_id=a.frame["image_id"] + "x"))
    for function in (compare_runs, compute_paired_differences, list_disagreements):
        with pytest.raises(RunError, match="share no photo"):
            function(a, b)


def test_runs_of_numbered_photos_are_not_compared(make_run: MakeRun) -> None:
    a = make_run()
    for pair in ((a, replace(a, name="b", numbered=True)), (replace(a, numbered=True), a)):
        with pytest.raises(RunError, match="have no ids"):
            compare_runs(*pair)


def test_ids_with_folder_and_suffix_are_the_same_photos_and_it_is_said(make_run: MakeRun) -> None:
    a = make_run(photos=40)
    b = replace(a, frame=a.frame.assign(image_id="Photos/" + a.frame["image_id"].str.upper() + ".JPG")[::-1])
    found = compare_runs(a, b)
    assert (found.photos, found.differing_truths, found.only_a, found.only_b) == (40, 0, 0, 0)
    assert any("matched by their ids without folder" in note for note in found.notes)
    assert compare_runs(a, a).notes == ()


def test_runs_of_other_classes_without_malignancy_are_not_compared(make_run: MakeRun) -> None:
    a = make_run()
    unknown = {f"p_{old}": f"p_{new}" for old, new in zip(a.classes[:2], ("x", "y"), strict=True)}
    classes = ("x", "y", *a.classes[2:])
    truth = a.frame["truth"].replace(dict(zip(a.classes, classes, strict=True)))
    b = replace(a, name="b", classes=classes, frame=a.frame.assign(truth=truth).rename(columns=unknown))
    with pytest.raises(RunError, match="b does not tell malignant from benign"):
        compare_runs(a, b)
    stated = replace(b, stated={"x": True, "y": True})
    assert compare_runs(a, stated).by == "malignancy"
    assert compare_runs(a, stated).differing_truths == 0
