"""The story: claims, what is said where runs are missing, and figures worked out by hand on small runs."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.table import TABLES
from skinapp.runs.seven import SEVEN_CODES
from skinapp.runs.stored import StoredRun, Versions, probability_columns, save_run
from skinapp.runs.views.compare import paired_differences
from skinapp.story import browser, deleting, held_out, merged, skew, two_classes, unseen
from skinapp.story.claims import CLAIMS
from skinapp.story.differences import gaps
from skinapp.story.experiments import StoredExperiments
from skinapp.story.parts import Certainties, Figure, Forest, ScoredPhoto, Source, Step, points, proportion, rows
from skinapp.story.steps import CLAIMED, TITLES, compute_step
from skinapp.story.table import as_markdown
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


@pytest.fixture
def shelf(tmp_path: Path) -> StoredExperiments:
    """Return a shelf with the shipped tables and no experiments yet."""
    return StoredExperiments(tmp_path, TABLES)


def store(
    shelf: StoredExperiments,
    source: Source,
    classes: tuple[str, ...],
    truths: Sequence[str],
    answers: Sequence[str],
    ids: Iterable[str] | None = None,
    certainty: float = 0.9,
) -> StoredRun:
    """Store a run whose answers are these, each with the same certainty and the next class as its second choice."""
    k, n = len(classes), len(truths)
    first = pd.Index(classes).get_indexer(pd.Index(answers))
    scores = np.full((n, k), 0.02 * (1 - certainty))
    scores[np.arange(n), (first + 1) % k] = (1 - certainty) * (1 - 0.02 * (k - 2))
    scores[np.arange(n), first] = certainty
    names = list(ids) if ids is not None else [f"photo_{number}" for number in range(n)]
    frame = pd.DataFrame({"image_id": names, "lesion_id": names, "truth": list(truths)})
    frame[probability_columns(classes)] = scores
    run = StoredRun(
        name=source.run,
        model=source.experiment,
        classes=classes,
        table="a-table",
        table_sha256="0" * 64,
        split=source.run,
        weights_sha256="1" * 64,
        weights_kept=False,
        versions=Versions(python="3.11.9", torch="2.9.0", skinapp="0.1.0"),
        created="2025-01-31T12:00:00+00:00",
        note="Made up.",
        predictions=frame,
    )
    save_run(run, shelf.experiments / source.experiment / "runs" / source.run)
    return run


def many(classes: tuple[str, ...], each: int) -> list[str]:
    return [label for label in classes for _ in range(each)]


def spoilt(truths: Sequence[str], classes: tuple[str, ...], every: int) -> list[str]:
    """Answer rightly but for every so-manieth photo, which is given the next class."""
    after = dict(zip(classes, (*classes[1:], classes[0]), strict=True))
    return [after[truth] if place % every == 0 else truth for place, truth in enumerate(truths)]


def showcase(shelf: StoredExperiments) -> "pd.Series[str]":
    return shelf.showcase()


def value_of(step: Step, name: str) -> str:
    return next(one.value for one in step.figures if one.name == name)


def test_every_claim_is_answered_once_with_and_without_runs(shelf: StoredExperiments) -> None:
    assert sorted(claim for claims in CLAIMED for claim in claims) == sorted(CLAIMS)
    for number, claims in enumerate(CLAIMED, start=1):
        step = compute_step(number, shelf)
        assert step.title == TITLES[number - 1]
        assert sorted(answer.claim for answer in step.answers) == sorted(claims)


def test_a_step_without_its_runs_says_so_in_one_sentence_and_draws_nothing(shelf: StoredExperiments) -> None:
    for number in range(1, len(TITLES) + 1):
        step = compute_step(number, shelf)
        (sentence,) = step.missing
        assert sentence.startswith("Not stored yet: runs of ")
        assert (step.lesson, step.picture) == (None, None)


def test_a_damaged_run_is_said_and_the_rest_is_told(shelf: StoredExperiments) -> None:
    truths = many(SEVEN_CODES, 4)
    store(shelf, held_out.SMALL["photo"], SEVEN_CODES, truths, truths)
    folder = shelf.experiments / held_out.SMALL["class"].experiment / "runs" / held_out.SMALL["class"].run
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{", encoding="utf-8")
    step = compute_step(7, shelf)
    assert any("does not hold together" in sentence for sentence in step.missing)
    assert isinstance(step.picture, Forest)
    assert step.picture.rows[["label", "note"]].to_numpy().tolist() == [["Small network", "by photo"]]


def test_runs_that_do_not_fit_a_step_end_in_a_sentence(shelf: StoredExperiments) -> None:
    store(shelf, unseen.SHOWCASE, SEVEN_CODES, ["nv"], ["nv"], ["no-showcase-photo"])
    step = compute_step(2, shelf)
    assert "none of these photos" in step.missing[0]
    assert (step.lesson, step.answers) == (None, ())


def test_step_1_sets_accuracy_beside_a_guess_and_names_the_worst_class(shelf: StoredExperiments) -> None:
    truths = ["nv"] * 70 + many(tuple(code for code in SEVEN_CODES if code != "nv"), 5)
    answers = ["nv"] * 70 + ["nv" if truth == "df" else truth for truth in truths[70:]]
    store(shelf, skew.BY_PHOTO, SEVEN_CODES, truths, answers)
    step = skew.step(shelf)
    assert value_of(step, "Accuracy") == "95.0%"
    assert value_of(step, "Always “nevus”") == "70.0%"
    assert value_of(step, "Melanocytic nevus") == "67%"
    assert step.lesson is not None
    assert "of 95% accuracy, 70% can be had" in step.lesson
    assert "down to 0% (dermatofibroma)" in step.lesson
    assert isinstance(step.picture, Forest)
    assert step.picture.rows["label"].iloc[-1] == "Dermatofibroma"
    data = next(answer for answer in step.answers if answer.claim == "A1")
    assert "600 x 450 px" in data.ours
    assert "6,705 (66.9%)" in data.ours
    assert "115" in data.ours


def unseen_run(shelf: StoredExperiments, wrong: dict[str, str]) -> "pd.Series[str]":
    """Store a showcase run: the first photo of each of these truths is answered so, all others rightly."""
    types = showcase(shelf)
    truths = types.replace("scc", "akiec")
    firsts = {types.index[types == truth][0]: answer for truth, answer in wrong.items()}
    answers = [firsts.get(image_id, truth) for image_id, truth in truths.items()]
    store(shelf, unseen.SHOWCASE, SEVEN_CODES, list(truths), answers, types.index, certainty=0.97)
    return types


def test_step_2_counts_28_photos_and_says_how_wide_that_is(shelf: StoredExperiments) -> None:
    types = unseen_run(shelf, {"mel": "nv", "df": "nv", "bcc": "bkl"})
    step = unseen.step(shelf)
    assert isinstance(step.picture, Certainties)
    photos = step.picture.photos
    assert set(photos["image_id"]) == set(types.index[types != "scc"])
    assert value_of(step, "Right") == "25 of 28"
    assert value_of(step, "Wrongly a nevus") == "2 of 28"
    assert value_of(step, "Wrong otherwise") == "1 of 28"
    assert value_of(step, "Nevi right") == "4 of 4"
    # Wilson (1927) for 2 of 28: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96.
    p, n, z = 2 / 28, 28, 1.959964
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    below = next(one.below for one in step.figures if one.name == "Wrongly a nevus")
    assert below == f"{100 * low:.1f} to {100 * high:.1f}%"
    (answer,) = step.answers
    assert "2 of them at 95% or more" in answer.ours
    assert step.lesson is not None
    assert step.lesson.startswith("What it misses it mostly calls what it saw most: 2 of 3")


def test_step_2_does_not_blame_nevi_where_they_are_few_of_the_errors(shelf: StoredExperiments) -> None:
    unseen_run(shelf, {"mel": "nv", "df": "bkl", "bcc": "bkl"})
    lesson = unseen.step(shelf).lesson
    assert lesson is not None
    assert lesson.startswith("It errs in many ways: 1 of 3")


def test_step_2_all_right_is_still_no_proof(shelf: StoredExperiments) -> None:
    unseen_run(shelf, {})
    assert unseen.step(shelf).lesson == "All 28 are right, and yet its true rate may be as low as 88%."


@pytest.mark.parametrize(("lesion_every", "begins"), [(2, "Photos of one lesion"), (9, "Hold out whole lesions")])
def test_step_3_says_that_splits_flatter_only_where_they_do(
    shelf: StoredExperiments, lesion_every: int, begins: str
) -> None:
    truths = many(SEVEN_CODES, 30)
    for way, every in {"photo": 9, "class": 9, "lesion": lesion_every}.items():
        store(shelf, held_out.RESNET[way], SEVEN_CODES, truths, spoilt(truths, SEVEN_CODES, every))
    step = held_out.step(shelf)
    assert step.lesson is not None
    assert step.lesson.startswith(begins)
    assert ("lie apart" in step.lesson) == (lesion_every == 2)
    assert len(step.missing) == 1  # of the small networks
    assert "small-cnn-by-photo" in step.missing[0]


def test_step_3_counts_held_out_photos_whose_lesion_was_trained_on(shelf: StoredExperiments) -> None:
    table = shelf.table("ham10000")
    table = table[table["split"] != "showcase"]
    sizes = table.groupby("lesion_id")["image_id"].transform("size")
    alone, paired_ = table[sizes == 1].head(30), table[sizes > 1].drop_duplicates("lesion_id").head(10)
    held = pd.concat([alone, paired_])
    truths = ["nv", "mel"] * 20
    frame = store(shelf, held_out.RESNET["photo"], SEVEN_CODES, truths, truths, held["image_id"]).predictions
    folder = shelf.experiments / held_out.RESNET["photo"].experiment / "runs" / "validation"
    frame.assign(lesion_id=held["lesion_id"].to_numpy()).to_parquet(folder / "predictions.parquet")
    assert "25% of the photos held out" in held_out.step(shelf).differs


def test_step_4_tells_what_disagrees_and_what_only_has_another_name(shelf: StoredExperiments) -> None:
    ten = (*CODES, *MALIGNANCY_CLASSES)
    truths = [*many(ten, 6), "malignant", "malignant", "benign", "nv"]
    answers = [*many(ten, 6), "mel", "bcc", "mel", "mel"]
    store(shelf, merged.MERGED, ten, truths, answers)
    store(shelf, skew.BY_PHOTO, SEVEN_CODES, many(SEVEN_CODES, 9), many(SEVEN_CODES, 9), certainty=0.6)
    step = merged.step(shelf)
    (answer,) = step.answers
    assert "67% of the wrong answers that mix" in answer.ours  # two of three; nevus against melanoma mixes nothing
    assert "275" not in step.differs
    assert "sides of 84 to 427 px" in step.differs
    assert step.lesson is not None
    assert "the loss is lower and macro F1 lower: loss and F1 tell two stories here" in step.lesson


def test_step_5_leaves_out_exactly_the_test_photos_with_a_twin_in_training(shelf: StoredExperiments) -> None:
    findings = pd.read_parquet(TABLES / "findings.parquet")
    expected = set()
    for row in findings.itertuples():
        if row.finding in ("same file", "same picture") and row.table_a == row.table_b == "malignant-vs-benign":
            sides = {row.split_a: row.image_a, row.split_b: row.image_b}
            if set(sides) == {"train", "test"}:
                expected.add(sides["test"])
    assert set(two_classes.leaked(shelf)) == expected
    assert expected

    table = shelf.table("malignant-vs-benign")
    test = table[table["split"] == "test"]
    truths = list(test["diagnosis"])
    # Wrong on all photos but the twins: without them nothing is right.
    answers = [
        t if i in expected else {"malignant": "benign"}.get(t, "malignant")
        for i, t in zip(test["image_id"], truths, strict=True)
    ]
    store(shelf, two_classes.NETWORK, MALIGNANCY_CLASSES, truths, answers, test["image_id"])
    whole = table.sample(frac=1, random_state=1)
    store(
        shelf, two_classes.PROBE, MALIGNANCY_CLASSES, list(whole["diagnosis"]), list(whole["diagnosis"]), whole.image_id
    )
    step = two_classes.step(shelf)
    assert isinstance(step.picture, Forest)
    drawn = step.picture.rows.set_index(["label", "note"])["value"]
    assert drawn["F1 malignant", "whole test"] > 0
    assert drawn["F1 malignant", "without twins"] == 0
    assert drawn["F1 malignant", "light and colour alone"] == 1
    assert step.answers[0].photos.startswith(f"{len(test)} photos")
    assert f"{len(test) - len(expected)} without twins" in step.answers[0].photos


def eight_types(shelf: StoredExperiments, capped: int, balanced: int) -> None:
    """Store the four networks of step 6; every so-manieth photo is wrong."""
    truths = many(CODES, 25)
    for words, every in zip(deleting.NETWORKS, (3, capped, 4, balanced), strict=True):
        store(shelf, deleting.VALIDATION[words], CODES, truths, spoilt(truths, CODES, every))


@pytest.mark.parametrize(
    ("capped", "balanced", "begins"),
    [
        (2, 20, "Deleting good data did not help, it cost"),
        (20, 2, "Deleting photos helped here"),
        (5, 5, "Deleting good data gained nothing that is sure"),
    ],
)
def test_step_6_says_of_deleting_what_the_differences_allow(
    shelf: StoredExperiments, capped: int, balanced: int, begins: str
) -> None:
    eight_types(shelf, capped, balanced)
    lesson = deleting.step(shelf).lesson
    assert lesson is not None
    assert lesson.startswith(begins)


def test_step_6_says_what_32_of_32_is_worth(shelf: StoredExperiments) -> None:
    types = showcase(shelf)
    source = deleting.SHOWCASE["capped, by photo"]
    # A wrong answer whose truth comes second: not the top one, but among the top three.
    before = dict(zip(CODES, (CODES[-1], *CODES[:-1]), strict=True))
    answers = [before[truth] if place < 4 else truth for place, truth in enumerate(types)]
    store(shelf, source, CODES, list(types), answers, types.index)
    step = deleting.step(shelf)
    assert value_of(step, "Top answer right (capped, by photo)") == "28 of 32"
    assert value_of(step, "Truth in its top three") == "32 of 32"
    assert value_of(step, "By chance") == "12 of 32"
    assert value_of(step, "Even 32 of 32") == "≥ 89%"
    top = next(answer for answer in step.answers if answer.claim == "A9")
    assert "at least 89%; chance gives 12 of 32" in top.ours
    assert "0 of 16 benign called malignant" in top.ours


def test_a10_names_the_network_that_leads_by_each_figure(shelf: StoredExperiments) -> None:
    eight_types(shelf, 2, 20)
    useful = next(answer for answer in deleting.step(shelf).answers if answer.claim == "A10")
    assert useful.ours.endswith("one network has all three")
    assert not useful.ours.endswith("not one network has all three")
    truths = many(CODES, 25)
    # Right more often, but much surer where it is wrong: the better F1 with the worse loss.
    store(
        shelf,
        deleting.VALIDATION["uncapped"],
        CODES,
        truths,
        spoilt(truths, CODES, 21),
        certainty=0.999999999,
    )
    store(
        shelf,
        deleting.VALIDATION["uncapped, balanced"],
        CODES,
        truths,
        spoilt(truths, CODES, 20),
        certainty=0.9,
    )
    useful = next(answer for answer in deleting.step(shelf).answers if answer.claim == "A10")
    assert "the lowest loss: uncapped, balanced; the best macro F1: uncapped;" in useful.ours
    assert useful.ours.endswith("not one network has all three")


def test_step_7_sets_the_two_validations_side_by_side(shelf: StoredExperiments) -> None:
    truths = many(SEVEN_CODES, 40)
    store(shelf, browser.COLOUR, SEVEN_CODES, truths, spoilt(truths, SEVEN_CODES, 2))
    store(shelf, browser.DOUBLED, SEVEN_CODES, truths, spoilt(truths, SEVEN_CODES, 2))
    pd.DataFrame(
        {"epoch": [1, 2], "validation_accuracy": [0.5, 0.612], "appended_validation_accuracy": [0.6, 0.834]}
    ).to_csv(shelf.experiments / browser.DOUBLED.experiment / "curves.csv", index=False)
    step = browser.step(shelf)
    assert "After 2 epochs" in step.differs
    assert "accuracy of 83.4%, photos put aside before 61.2%" in step.differs
    assert step.lesson is None  # without a MobileNet
    store(shelf, browser.TUNED["lesion"], SEVEN_CODES, truths, truths)
    lesson = browser.step(shelf).lesson
    assert lesson is not None
    assert lesson.startswith("The pretrained network did better than the small one: ")
    assert "ResNet" not in lesson  # before it is there
    store(shelf, browser.REFERENCE, SEVEN_CODES, truths, spoilt(truths, SEVEN_CODES, 3))
    lesson = browser.step(shelf).lesson
    assert lesson is not None
    assert "and it is the best" in lesson


def test_gaps_are_those_of_paired_differences(make_run: MakeRun) -> None:
    a, b = make_run(photos=240, seed=1), make_run(photos=240, seed=2)
    truth = dict(zip(a.predictions["image_id"], a.predictions["truth"], strict=True))
    shuffled = b.predictions.assign(truth=b.predictions["image_id"].map(truth)).sample(frac=0.8, random_state=0)
    other = make_run(classes=tuple(reversed(CODES)), seed=3)
    b = StoredRun(**{**vars(other), "predictions": shuffled})
    found = gaps(a, b).set_index("figure")
    expected = paired_differences(a, b).set_index("figure").loc[found.index]
    np.testing.assert_allclose(found["difference"], expected["difference"], rtol=0, atol=1e-12)
    # Other draws of the same distribution: ends of an interval differ by little.
    np.testing.assert_allclose(found[["low", "high"]], expected[["low", "high"]], rtol=0, atol=0.015)


def test_a_run_and_its_rows_in_another_order_do_not_differ_in_any_draw(make_run: MakeRun) -> None:
    run = make_run(photos=90)
    shuffled = StoredRun(**{**vars(run), "predictions": run.predictions.sample(frac=1, random_state=0)})
    assert (gaps(run, shuffled)[["difference", "low", "high"]].abs().to_numpy() < 1e-12).all()


def test_figures_in_words() -> None:
    assert points(Figure(0.0123, -0.002, 0.03)) == "+1.2 points (−0.2 to +3.0)"
    # Clopper and Pearson (1934) for n of n: from (0.025)^(1/n).
    assert proportion(32, 32).low == pytest.approx(0.025 ** (1 / 32))
    assert proportion(32, 32).high == 1
    assert np.isnan(proportion(0, 0).value)


def test_the_axis_holds_every_interval() -> None:
    drawn = rows([("a", "", Figure(0.5, 0.42, 0.58)), ("b", "", Figure(np.nan, np.nan, np.nan))])
    assert Forest(drawn, "F1").domain() == pytest.approx((0.4, 0.6))
    assert Forest(rows([("a", "", Figure(0.99, 0.9, 1.0))]), "F1").domain()[1] > 1
    assert Forest(rows([("b", "", Figure(np.nan, np.nan, np.nan))]), "F1").domain() == (0, 1)


def test_the_table_has_a_row_a_claim_and_names_what_is_missing_once() -> None:
    steps = [
        Step("One", (ScoredPhoto("A1", "a | b", "3", "none"),), missing=("Not stored yet: runs of x.",)),
        Step("Two", (), missing=("Not stored yet: runs of x.",)),
    ]
    written = as_markdown(steps)
    lines = [line for line in written.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == list(CLAIMS)
    assert "| a \\| b | 3 | none |" in lines[0]
    assert "| not measured yet |" in lines[1]
    assert written.count("Not stored yet") == 1


def test_twins_are_found_whichever_of_the_two_is_named_first(shelf: StoredExperiments, tmp_path: Path) -> None:
    findings = pd.read_parquet(TABLES / "findings.parquet")
    swapped = {
        f"{fact}_{end}": f"{fact}_{'ab'['ba'.index(end)]}" for fact in ("table", "image", "split") for end in "ab"
    }
    findings.rename(columns=swapped)[list(findings.columns)].to_parquet(tmp_path / "findings.parquet")
    other = StoredExperiments(tmp_path, tmp_path)
    assert set(two_classes.leaked(other)) == set(two_classes.leaked(shelf))
