"""The story: its claims, steps without runs, and figures worked out by hand on small runs."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.table import TABLES
from skinapp.metrics.estimate import Estimate, estimate_proportion
from skinapp.runs.predictions import probability_columns
from skinapp.runs.seven import SEVEN_CODES
from skinapp.runs.stored import StoredRun, Versions, save_run
from skinapp.runs.views.compare import compute_paired_differences
from skinapp.story import browser, deleting, held_out, merged, skew, two_classes, unseen
from skinapp.story.claims import CLAIMS
from skinapp.story.differences import compute_differences
from skinapp.story.experiments import StoredExperiments
from skinapp.story.parts import (
    CertaintyPlot,
    ClaimAnswer,
    ForestPlot,
    RunId,
    Step,
    build_rows,
    describe_difference,
    format_points,
    intervals_overlap,
)
from skinapp.story.steps import CLAIMED, TITLES, compute_step
from skinapp.story.table import format_markdown
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


@pytest.fixture
def stored(tmp_path: Path) -> StoredExperiments:
    """Return the shipped tables and a folder without experiments."""
    return StoredExperiments(tmp_path, TABLES)


def store(
    stored: StoredExperiments,
    source: RunId,
    classes: tuple[str, ...],
    truths: Sequence[str],
    answers: Sequence[str],
    ids: Iterable[str] | None = None,
    certainty: float = 0.9,
) -> StoredRun:
    """Store a run with these answers, all with the same certainty and the next class as second choice."""
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
        frame=frame,
    )
    save_run(run, stored.experiments / source.experiment / "runs" / source.run)
    return run


def repeat_each(classes: tuple[str, ...], each: int) -> list[str]:
    return [label for label in classes for _ in range(each)]


def with_errors(truths: Sequence[str], classes: tuple[str, ...], every: int) -> list[str]:
    """Answer every nth photo with the next class and all others correctly."""
    after = dict(zip(classes, (*classes[1:], classes[0]), strict=True))
    return [after[truth] if place % every == 0 else truth for place, truth in enumerate(truths)]


def value_of(step: Step, name: str) -> str:
    return next(one.value for one in step.figures if one.name == name)


def test_every_claim_is_answered_once_with_and_without_runs(stored: StoredExperiments) -> None:
    assert sorted(claim for claims in CLAIMED for claim in claims) == sorted(CLAIMS)
    for number, claims in enumerate(CLAIMED, start=1):
        step = compute_step(number, stored)
        assert step.title == TITLES[number - 1]
        assert sorted(answer.claim for answer in step.answers) == sorted(claims)


def test_a_step_without_its_runs_says_so_in_one_sentence_and_draws_nothing(stored: StoredExperiments) -> None:
    for number in range(1, len(TITLES) + 1):
        step = compute_step(number, stored)
        (sentence,) = step.missing
        assert sentence.startswith("Not stored yet: runs of ")
        assert (step.lesson, step.plot) == (None, None)


def test_a_damaged_run_is_named_and_the_rest_is_shown(stored: StoredExperiments) -> None:
    truths = repeat_each(SEVEN_CODES, 4)
    store(stored, held_out.SMALL["photo"], SEVEN_CODES, truths, truths)
    folder = stored.experiments / held_out.SMALL["class"].experiment / "runs" / held_out.SMALL["class"].run
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{", encoding="utf-8")
    step = compute_step(7, stored)
    assert any("is damaged" in sentence for sentence in step.missing)
    assert isinstance(step.plot, ForestPlot)
    assert step.plot.rows[["label", "note"]].to_numpy().tolist() == [["Small network", "by photo"]]


def test_runs_that_do_not_fit_a_step_are_explained(stored: StoredExperiments) -> None:
    store(stored, unseen.SHOWCASE, SEVEN_CODES, ["nv"], ["nv"], ["no-showcase-photo"])
    step = compute_step(2, stored)
    assert "none of these photos" in step.missing[0]
    assert (step.lesson, step.answers) == (None, ())


def test_step_1_compares_accuracy_with_a_guess_and_names_the_worst_class(stored: StoredExperiments) -> None:
    truths = ["nv"] * 70 + repeat_each(tuple(code for code in SEVEN_CODES if code != "nv"), 5)
    answers = ["nv"] * 70 + ["nv" if truth == "df" else truth for truth in truths[70:]]
    store(stored, skew.BY_PHOTO, SEVEN_CODES, truths, answers)
    step = skew.build_step(stored)
    assert value_of(step, "Accuracy") == "95.0%"
    assert value_of(step, "Always “nevus”") == "70.0%"
    assert value_of(step, "Melanocytic nevus") == "67%"
    assert step.lesson is not None
    assert all(fact in step.lesson for fact in ("95%", "nevus", "70%", "0% (dermatofibroma)"))
    assert isinstance(step.plot, ForestPlot)
    assert step.plot.rows["label"].iloc[-1] == "Dermatofibroma"
    data = next(answer for answer in step.answers if answer.claim == "A1")
    assert "600 x 450 px" in data.result
    assert "6,705 (66.9%)" in data.result
    assert "115" in data.result


def store_unseen(stored: StoredExperiments, wrong: dict[str, str]) -> "pd.Series[str]":
    """Store a showcase run: the first photo of each of these truths gets this answer, all others are correct."""
    types = stored.read_showcase()
    truths = types.replace("scc", "akiec")
    firsts = {types.index[types == truth][0]: answer for truth, answer in wrong.items()}
    answers = [firsts.get(image_id, truth) for image_id, truth in truths.items()]
    store(stored, unseen.SHOWCASE, SEVEN_CODES, list(truths), answers, types.index, certainty=0.97)
    return types


def test_step_2_counts_28_photos_with_wilson_intervals(stored: StoredExperiments) -> None:
    types = store_unseen(stored, {"mel": "nv", "df": "nv", "bcc": "bkl"})
    step = unseen.build_step(stored)
    assert isinstance(step.plot, CertaintyPlot)
    photos = step.plot.photos
    assert set(photos["image_id"]) == set(types.index[types != "scc"])
    assert value_of(step, "Right") == "25 of 28"
    assert value_of(step, "Wrongly a nevus") == "2 of 28"
    assert value_of(step, "Wrong otherwise") == "1 of 28"
    assert value_of(step, "Nevi right") == "4 of 4"
    # Wilson (1927) for 2 of 28: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96.
    p, n, z = 2 / 28, 28, 1.959964
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    below = next(one.note for one in step.figures if one.name == "Wrongly a nevus")
    assert below == f"{100 * low:.1f} to {100 * high:.1f}%"
    (answer,) = step.answers
    assert "2 of them at 95% or more" in answer.result
    assert step.lesson is not None
    assert step.lesson.startswith("Most errors")
    assert "2 of 3" in step.lesson


def test_step_2_does_not_blame_nevi_for_few_of_the_errors(stored: StoredExperiments) -> None:
    for answers, begins in (
        ({"mel": "nv", "df": "bkl", "bcc": "bkl"}, "Most errors name benign keratosis: 1 of 3"),
        ({"mel": "nv", "df": "bkl", "bcc": "vasc"}, "The errors are spread over several classes: 1 of 3"),
        ({"mel": "nv", "df": "nv", "bcc": "vasc"}, "Most errors name the class with the most training photos: 2 of 3"),
    ):
        store_unseen(stored, answers)
        lesson = unseen.build_step(stored).lesson
        assert lesson is not None
        assert lesson.startswith(begins)
        assert "The certainty says little: it is 97% to 97%" in lesson


def test_step_2_all_right_is_still_no_proof(stored: StoredExperiments) -> None:
    store_unseen(stored, {})
    lesson = unseen.build_step(stored).lesson
    assert lesson is not None
    assert all(fact in lesson for fact in ("All 28", "as low as 88%"))


@pytest.mark.parametrize(("lesion_every", "begins"), [(2, "Scores are too high"), (9, "Hold out whole lesions")])
def test_step_3_blames_siblings_only_if_the_intervals_do_not_overlap(
    stored: StoredExperiments, lesion_every: int, begins: str
) -> None:
    truths = repeat_each(SEVEN_CODES, 30)
    for way, every in {"photo": 9, "class": 9, "lesion": lesion_every}.items():
        store(stored, held_out.RESNET[way], SEVEN_CODES, truths, with_errors(truths, SEVEN_CODES, every))
    step = held_out.build_step(stored)
    assert step.lesson is not None
    assert step.lesson.startswith(begins)
    assert ("do not overlap" in step.lesson) == (lesion_every == 2)
    assert len(step.missing) == 1  # of the small networks
    assert "small-cnn-by-photo" in step.missing[0]


def test_step_3_counts_held_out_photos_of_trained_lesions(stored: StoredExperiments) -> None:
    table = stored.read_table("ham10000")
    table = table[table["split"] != "showcase"]
    sizes = table.groupby("lesion_id")["image_id"].transform("size")
    alone, paired = table[sizes == 1].head(30), table[sizes > 1].drop_duplicates("lesion_id").head(10)
    held = pd.concat([alone, paired])
    truths = ["nv", "mel"] * 20
    frame = store(stored, held_out.RESNET["photo"], SEVEN_CODES, truths, truths, held["image_id"]).frame
    folder = stored.experiments / held_out.RESNET["photo"].experiment / "runs" / "validation"
    frame.assign(lesion_id=held["lesion_id"].to_numpy()).to_parquet(folder / "predictions.parquet")
    assert "By photo, 25%" in held_out.build_step(stored).differences


def test_step_4_counts_errors_that_are_right_about_malignancy(stored: StoredExperiments) -> None:
    ten = (*CODES, *MALIGNANCY_CLASSES)
    truths = [*repeat_each(ten, 6), "malignant", "malignant", "benign", "nv"]
    answers = [*repeat_each(ten, 6), "mel", "bcc", "mel", "mel"]
    store(stored, merged.MERGED, ten, truths, answers)
    store(stored, skew.BY_PHOTO, SEVEN_CODES, repeat_each(SEVEN_CODES, 9), repeat_each(SEVEN_CODES, 9), certainty=0.6)
    step = merged.build_step(stored)
    (answer,) = step.answers
    assert "67% of the errors" in answer.result  # two of three; nevus against melanoma mixes nothing
    assert "275" not in step.differences
    assert "84 to 427 px" in step.differences
    assert step.lesson is not None
    assert all(fact in step.lesson for fact in ("disagree", "the loss is lower and macro F1 lower"))


def test_step_5_leaves_out_exactly_the_test_photos_with_a_twin_in_training(stored: StoredExperiments) -> None:
    findings = pd.read_parquet(TABLES / "findings.parquet")
    expected = set()
    for row in findings.itertuples():
        if row.finding in ("same file", "same picture") and row.table_a == row.table_b == "malignant-vs-benign":
            sides = {row.split_a: row.image_a, row.split_b: row.image_b}
            if set(sides) == {"train", "test"}:
                expected.add(sides["test"])
    assert set(two_classes.list_leaked(stored)) == expected
    assert expected

    table = stored.read_table("malignant-vs-benign")
    test = table[table["split"] == "test"]
    truths = list(test["diagnosis"])
    # Wrong on all photos but the twins: without them nothing is right.
    answers = [
        t if i in expected else {"malignant": "benign"}.get(t, "malignant")
        for i, t in zip(test["image_id"], truths, strict=True)
    ]
    store(stored, two_classes.NETWORK, MALIGNANCY_CLASSES, truths, answers, test["image_id"])
    whole = table.sample(frac=1, random_state=1)
    store(
        stored,
        two_classes.PROBE,
        MALIGNANCY_CLASSES,
        list(whole["diagnosis"]),
        list(whole["diagnosis"]),
        whole.image_id,
    )
    step = two_classes.build_step(stored)
    assert isinstance(step.plot, ForestPlot)
    drawn = step.plot.rows.set_index(["label", "note"])["value"]
    assert drawn["F1 malignant", "whole test"] > 0
    assert drawn["F1 malignant", "without twins"] == 0
    assert drawn["F1 malignant", "light and colour alone"] == 1
    assert step.answers[0].photos.startswith(f"{len(test)} photos")
    assert f"{len(test) - len(expected)} without twins" in step.answers[0].photos


def store_eight_types(stored: StoredExperiments, capped: int, balanced: int) -> None:
    """Store the four networks of step 6; the arguments say that every nth photo is wrong."""
    truths = repeat_each(CODES, 25)
    for words, every in zip(deleting.NETWORKS, (3, capped, 4, balanced), strict=True):
        store(stored, deleting.VALIDATION[words], CODES, truths, with_errors(truths, CODES, every))


@pytest.mark.parametrize(
    ("capped", "balanced", "begins"),
    [
        (2, 20, "Deleting good data made the network worse"),
        (20, 2, "Deleting photos helped here"),
        (5, 5, "Deleting good data had no certain benefit"),
    ],
)
def test_step_6_judges_deleting_by_the_intervals(
    stored: StoredExperiments, capped: int, balanced: int, begins: str
) -> None:
    store_eight_types(stored, capped, balanced)
    lesson = deleting.build_step(stored).lesson
    assert lesson is not None
    assert lesson.startswith(begins)


def test_step_6_says_what_32_of_32_would_prove(stored: StoredExperiments) -> None:
    types = stored.read_showcase()
    source = deleting.SHOWCASE["capped, by photo"]
    # A wrong answer whose truth comes second: not the top one, but among the top three.
    before = dict(zip(CODES, (CODES[-1], *CODES[:-1]), strict=True))
    answers = [before[truth] if place < 4 else truth for place, truth in enumerate(types)]
    store(stored, source, CODES, list(types), answers, types.index)
    step = deleting.build_step(stored)
    assert value_of(step, "Top answer right (capped, by photo)") == "28 of 32"
    assert value_of(step, "Truth in its top three") == "32 of 32"
    assert value_of(step, "By chance") == "12 of 32"
    assert value_of(step, "Even 32 of 32") == "≥ 89%"
    top = next(answer for answer in step.answers if answer.claim == "A9")
    assert all(fact in top.result for fact in ("at least 89%", "chance gives 12 of 32"))
    assert "0 of 16 benign called malignant" in top.result


def test_a10_names_the_network_that_leads_by_each_figure(stored: StoredExperiments) -> None:
    store_eight_types(stored, 2, 20)
    useful = next(answer for answer in deleting.build_step(stored).answers if answer.claim == "A10")
    assert useful.result.endswith("one network leads in all three")
    truths = repeat_each(CODES, 25)
    # Right more often, but much surer where it is wrong: the better F1 with the worse loss.
    store(
        stored,
        deleting.VALIDATION["uncapped"],
        CODES,
        truths,
        with_errors(truths, CODES, 21),
        certainty=0.999999999,
    )
    store(
        stored,
        deleting.VALIDATION["uncapped, balanced"],
        CODES,
        truths,
        with_errors(truths, CODES, 20),
        certainty=0.9,
    )
    useful = next(answer for answer in deleting.build_step(stored).answers if answer.claim == "A10")
    assert "lowest loss: uncapped, balanced; best macro F1: uncapped;" in useful.result
    assert useful.result.endswith("no network leads in all three")


def test_step_7_compares_the_two_validations(stored: StoredExperiments) -> None:
    truths = repeat_each(SEVEN_CODES, 40)
    store(stored, browser.COLOUR, SEVEN_CODES, truths, with_errors(truths, SEVEN_CODES, 2))
    store(stored, browser.DOUBLED, SEVEN_CODES, truths, with_errors(truths, SEVEN_CODES, 2))
    pd.DataFrame(
        {"epoch": [1, 2], "validation_accuracy": [0.5, 0.612], "appended_validation_accuracy": [0.6, 0.834]}
    ).to_csv(stored.experiments / browser.DOUBLED.experiment / "curves.csv", index=False)
    step = browser.build_step(stored)
    assert "After 2 epochs" in step.differences
    assert step.differences.index("83.4%") < step.differences.index("61.2% on those split off before")
    assert step.lesson is None  # without a MobileNet
    store(stored, browser.TUNED["lesion"], SEVEN_CODES, truths, truths)
    lesson = browser.build_step(stored).lesson
    assert lesson is not None
    assert lesson.startswith("The pretrained network did better than the small one: ")
    assert "ResNet" not in lesson  # before it is there
    store(stored, browser.REFERENCE, SEVEN_CODES, truths, with_errors(truths, SEVEN_CODES, 3))
    lesson = browser.build_step(stored).lesson
    assert lesson is not None
    assert "It is the best" in lesson


def test_differences_equal_those_of_paired_differences(make_run: MakeRun) -> None:
    a, b = make_run(photos=240, seed=1), make_run(photos=240, seed=2)
    truth = dict(zip(a.frame["image_id"], a.frame["truth"], strict=True))
    shuffled = b.frame.assign(truth=b.frame["image_id"].map(truth)).sample(frac=0.8, random_state=0)
    other = make_run(classes=tuple(reversed(CODES)), seed=3)
    b = StoredRun(**{**vars(other), "frame": shuffled})
    found = compute_differences(a, b).set_index("figure")
    expected = compute_paired_differences(a, b).set_index("figure").loc[found.index]
    np.testing.assert_allclose(found["difference"], expected["difference"], rtol=0, atol=1e-12)
    # Other draws of the same distribution: ends of an interval differ by little.
    np.testing.assert_allclose(found[["low", "high"]], expected[["low", "high"]], rtol=0, atol=0.015)


def test_the_order_of_photos_makes_no_difference(make_run: MakeRun) -> None:
    run = make_run(photos=90)
    shuffled = StoredRun(**{**vars(run), "frame": run.frame.sample(frac=1, random_state=0)})
    assert (compute_differences(run, shuffled)[["difference", "low", "high"]].abs().to_numpy() < 1e-12).all()


def test_formats_of_figures() -> None:
    assert format_points(Estimate(0.0123, -0.002, 0.03)) == "+1.2 points (−0.2 to +3.0)"
    # Clopper and Pearson (1934) for n of n: from (0.025)^(1/n).
    assert estimate_proportion(32, 32).low == pytest.approx(0.025 ** (1 / 32))
    assert estimate_proportion(32, 32).high == 1
    assert np.isnan(estimate_proportion(0, 0).value)


def test_the_axis_contains_every_interval() -> None:
    drawn = build_rows([("a", "", Estimate(0.5, 0.42, 0.58)), ("b", "", Estimate(np.nan, np.nan, np.nan))])
    assert ForestPlot(drawn, "F1").domain() == pytest.approx((0.4, 0.6))
    assert ForestPlot(build_rows([("a", "", Estimate(0.99, 0.9, 1.0))]), "F1").domain()[1] > 1
    assert ForestPlot(build_rows([("b", "", Estimate(np.nan, np.nan, np.nan))]), "F1").domain() == (0, 1)


def test_the_table_has_one_row_per_claim_and_names_missing_runs_once() -> None:
    steps = [
        Step("One", (ClaimAnswer("A1", "a | b", "3", "none"),), missing=("Not stored yet: runs of x.",)),
        Step("Two", (), missing=("Not stored yet: runs of x.",)),
    ]
    written = format_markdown(steps)
    lines = [line for line in written.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == list(CLAIMS)
    assert "| a \\| b | 3 | none |" in lines[0]
    assert "| not measured yet |" in lines[1]
    assert written.count("Not stored yet") == 1


def test_twins_are_found_in_either_order(stored: StoredExperiments, tmp_path: Path) -> None:
    findings = pd.read_parquet(TABLES / "findings.parquet")
    swapped = {
        f"{fact}_{end}": f"{fact}_{'ab'['ba'.index(end)]}" for fact in ("table", "image", "split") for end in "ab"
    }
    findings.rename(columns=swapped)[list(findings.columns)].to_parquet(tmp_path / "findings.parquet")
    other = StoredExperiments(tmp_path, tmp_path)
    assert set(two_classes.list_leaked(other)) == set(two_classes.list_leaked(stored))


@pytest.mark.parametrize(
    ("certainties", "said"),
    [
        ((0.3, 0.4, 0.8, 0.9), "tells them apart here: it is 30% to 40%"),
        ((0.3, 0.8, 0.7, 0.9), "says little: it is 30%"),
    ],
)
def test_step_2_says_of_the_certainty_what_it_shows(certainties: tuple[float, ...], said: str) -> None:
    kinds = [unseen.OTHER, unseen.OTHER, unseen.RIGHT, unseen.RIGHT]
    photos = pd.DataFrame({"truth": "mel", "answer": "bcc", "certainty": certainties, "kind": kinds})
    assert f"The certainty {said}" in unseen._write_lesson(photos)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ((0.5, 0.4, 0.6), (0.7, 0.65, 0.75), "20.0 points lower (the intervals do not overlap)"),
        ((0.7, 0.6, 0.8), (0.65, 0.5, 0.7), "5.0 points higher (the intervals overlap)"),
        ((0.7001, 0.6, 0.8), (0.7, 0.6, 0.8), "the same to a tenth of a point (the intervals overlap)"),
        ((0.5, np.nan, np.nan), (0.7, 0.65, 0.75), "20.0 points lower (an interval is undefined)"),
        ((np.nan, np.nan, np.nan), (0.7, 0.65, 0.75), "cannot be compared"),
    ],
)
def test_a_difference_in_words(a: tuple[float, float, float], b: tuple[float, float, float], said: str) -> None:
    assert describe_difference(Estimate(*a), Estimate(*b)) == said
    assert intervals_overlap(Estimate(*a), Estimate(*b)) == ("not overlap" not in said)
