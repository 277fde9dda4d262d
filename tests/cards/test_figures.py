from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from skinapp.cards.figures import compute_card_figures
from skinapp.cards.groups import ALMOST_NONE, NO_BENIGN_CAMERAS, compute_group_figures
from skinapp.cards.pair import compute_benign_first, compute_contradictions
from skinapp.cards.wording import name_group
from skinapp.datasets.table import build_image_table
from skinapp.errors import RunError
from skinapp.models.card import CardFigure, Head, OperatingPoint
from skinapp.networks.classifier import reconcile_types
from skinapp.runs.intervals import compute_intervals, get_figure
from skinapp.runs.measured import MeasuredRun
from skinapp.runs.predictions import probability_columns
from skinapp.runs.seven import merge_to_seven
from skinapp.runs.stored import Scaling, StoredRun
from skinapp.runs.summary import compute_headline, compute_per_class
from skinapp.runs.views.calibration import compute_calibration, compute_calibration_intervals, undo_calibration
from skinapp.runs.views.curves import select_positives
from skinapp.runs.views.operating_points import compute_specificity_from_roc
from skinapp.runs.views.subgroups import MIN_LESIONS
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, is_malignant

MakeRun = Callable[..., StoredRun]

near = partial(pytest.approx, abs=1e-6)
"""Equal but for the rounding of a card."""

POINTS = (OperatingPoint(sensitivity=0.9, threshold=0.5), OperatingPoint(sensitivity=0.95, threshold=0.25))
PHOTOS = 400


def held(run: StoredRun, replicates: int = 20) -> MeasuredRun:
    return MeasuredRun(run, compute_intervals(run, replicates))


def short_name(one: CardFigure) -> str:
    """Name a figure by its fields: "ece", "ece before calibration", "sensitivity at 0.95"."""
    point = "" if one.sensitivity is None else f" at {one.sensitivity:g}"
    return f"{one.metric}{point}" if one.stage == "final" else f"{one.metric}{point} {one.stage}"


def by_name(figures: Sequence[CardFigure], group: str = "") -> dict[str, CardFigure]:
    """Pick a group's figures by name; each must be there once."""
    picked = [each for each in figures if name_group(each) == group]
    named = {short_name(each): each for each in picked}
    assert len(named) == len(picked)
    return named


@pytest.fixture
def types(make_run: MakeRun) -> StoredRun:
    run = replace(make_run(photos=PHOTOS), name="test-lesion-type", temperature=1.4, offsets=tuple(np.arange(8) / 8))
    return replace(run, malignancy=Scaling(0.8, (-0.5, 0.5)))


@pytest.fixture
def malignancy(types: StoredRun) -> StoredRun:
    """Return the other head of the same pair: the truths are the types', the scores its own."""
    malignant = types.frame["truth"].map(is_malignant).to_numpy(dtype=bool)
    scores = 1 / (1 + np.exp(-np.random.default_rng(1).normal(size=PHOTOS) - np.where(malignant, 1.5, -1.5)))
    frame = types.frame[["image_id", "lesion_id"]].assign(
        truth=np.where(malignant, *MALIGNANCY_CLASSES), p_malignant=scores, p_benign=1 - scores
    )
    facts = {"name": "test-malignancy", "classes": MALIGNANCY_CLASSES, "malignancy": None, "offsets": (-0.5, 0.5)}
    return replace(types, **facts, temperature=0.8, frame=frame)


@pytest.fixture
def table(types: StoredRun) -> pd.DataFrame:
    """Say of the photos what an image table does; of the last ten it knows nothing."""
    frame = types.frame[["image_id", "lesion_id"]].assign(diagnosis=types.frame["truth"])
    number = np.arange(PHOTOS)
    frame["camera"] = np.where(number < 380, np.where(number < 150, "old", "new"), "rare")
    frame["age"] = np.where(number < 200, 45.0, 25.0)
    frame["confirmation"] = np.where(number % 3 > 0, "histology", "follow-up")
    return build_image_table(frame.head(PHOTOS - 10))


def test_figures_of_a_run_are_those_of_its_predictions(types: StoredRun, table: pd.DataFrame) -> None:
    run = held(replace(types, split="validation"))
    figures = compute_card_figures([run], table, POINTS)
    assert {(each.task, each.run, each.split) for each in figures} == {("lesion_type", types.name, "validation")}
    assert {(each.photos, each.lesions) for each in figures} == {(PHOTOS, types.frame["lesion_id"].nunique())}
    for when, of in (("", types), (" before calibration", undo_calibration(types))):
        line, said, drawn = compute_headline(of), compute_calibration(of), by_name(figures)
        for name in ("balanced_accuracy", "macro_auroc", "malignant_auroc", "accuracy", "macro_f1", "ece"):
            assert drawn[name + when].value == near(getattr(line, name)), name
            assert drawn[name + when].low < drawn[name + when].high
        for row in compute_calibration_intervals(of).to_dict(orient="records"):
            one = drawn[row["figure"] + when]
            assert (one.value, one.low, one.high) == near((row["value"], row["low"], row["high"]))
            assert one.label == (None if row["figure"] == "brier" else "malignant")
        perfect = drawn[f"ece_if_perfect{when}"]
        assert (perfect.value, perfect.low, perfect.high) == (near(said.ece_if_perfect), None, None)
    assert drawn["accuracy"].value != drawn["accuracy before calibration"].value  # offsets move the likeliest class
    melanoma = compute_per_class(types).set_index("class").loc["mel", "recall"]
    assert (drawn["recall"].value, drawn["recall"].label) == (near(melanoma), "mel")
    seven = by_name(figures, "seven classes of HAM10000")
    assert set(seven) == {"balanced_accuracy", "macro_auroc"}
    for name, one in seven.items():
        assert one.value == near(getattr(compute_headline(merge_to_seven(types)), name))
        assert one.low < one.value < one.high


def test_scores_are_also_counted_as_if_every_type_were_equally_frequent(types: StoredRun, table: pd.DataFrame) -> None:
    shares = (0.02, 0.1, 0.1, 0.02, 0.11, 0.6, 0.03, 0.02)
    head = Head(name="lesion_type", classes=CODES, shares=shares)
    group = "seven classes of HAM10000, as if equally frequent"
    run = held(replace(types, classes=CODES))
    figures = by_name(compute_card_figures([run], table, (), [head]), group)
    seven = merge_to_seven(run.run)
    weights = np.array([0.05, 0.1, 0.1, 0.02, 0.11, 0.6, 0.02])  # scc's 0.03 with akiec's 0.02
    likeliest = np.array(seven.classes)[(seven.probabilities() / weights).argmax(axis=1)]
    truth = seven.frame["truth"]
    assert figures["balanced_accuracy"].value == near(sk.balanced_accuracy_score(truth, likeliest))
    melanoma = sk.recall_score(truth, likeliest, labels=["mel"], average=None, zero_division=0)[0]
    assert (figures["recall"].value, figures["recall"].label) == (near(melanoma), "mel")
    as_it_stands = by_name(compute_card_figures([run], table, (), [head]), "seven classes of HAM10000")[
        "balanced_accuracy"
    ]
    assert figures["balanced_accuracy"].value != as_it_stands.value
    between = by_name(
        compute_card_figures([run], table, (), [head], 0.5), "seven classes of HAM10000, as if more equally frequent"
    )
    likeliest = np.array(seven.classes)[(seven.probabilities() / weights**0.5).argmax(axis=1)]
    assert between["balanced_accuracy"].value == near(sk.balanced_accuracy_score(truth, likeliest))
    assert between["balanced_accuracy"].value not in (as_it_stands.value, figures["balanced_accuracy"].value)
    unknown = [head.model_copy(update={"shares": kept}) for kept in ((), (0.0, *shares[1:]))]
    for kept in unknown:
        assert not by_name(compute_card_figures([run], table, (), [kept]), group)


def test_stored_intervals_are_taken_over_not_drawn_again(types: StoredRun, table: pd.DataFrame) -> None:
    run = held(types, replicates=3)
    figures = by_name(compute_card_figures([run], table, ()))
    for name in ("macro_auroc", "ece"):
        stored = get_figure(run.intervals, name)
        assert (figures[name].low, figures[name].high) == near((stored.low, stored.high))


def test_without_a_temperature_there_is_no_before(types: StoredRun, table: pd.DataFrame) -> None:
    figures = compute_card_figures([held(replace(types, temperature=None))], table, ())
    assert figures
    assert not [each for each in figures if each.stage == "before calibration"]


def test_what_is_undefined_is_none(malignancy: StoredRun, table: pd.DataFrame) -> None:
    some = malignancy.frame[malignancy.frame["truth"] == "benign"]
    figures = by_name(compute_card_figures([held(replace(malignancy, split="validation", frame=some))], table, ()))
    assert figures["malignant_auroc"].value is None
    assert (figures["slope"].value, figures["slope"].low, figures["slope"].high) == (None, None, None)
    assert figures["accuracy"].value is not None


def test_points_are_tried_on_test_and_outside_not_where_they_were_chosen(
    malignancy: StoredRun, types: StoredRun, table: pd.DataFrame
) -> None:
    runs = [held(replace(malignancy, split="validation", name="validation")), held(malignancy)]
    runs += [held(replace(run, split="outside", name=f"far-{run.name}")) for run in (malignancy, types)]
    tried = [each for each in compute_card_figures(runs, table, POINTS) if each.sensitivity and each.group is None]
    figures = [each for each in tried if each.run == "test-malignancy"]
    outside = [each for each in tried if each.run == "far-test-malignancy"]
    assert len(tried) == len(figures) + len(outside)
    rates = [each for each in figures if each.stage == "final"]
    renamed = {"run": "far-test-malignancy", "split": "outside"}
    assert [each for each in outside if each.stage == "final"] == [r.model_copy(update=renamed) for r in rates]
    positive, scores = select_positives(malignancy)
    named = by_name(figures)
    assert len(named) == 6
    for point in POINTS:
        at, above = f"at {point.sensitivity:g}", scores >= point.threshold
        assert named[f"sensitivity {at}"].value == near(sk.recall_score(positive, above))
        assert named[f"specificity {at}"].value == near(sk.recall_score(~positive, ~above))
        read = named[f"specificity {at} threshold read from these photos"]
        expected = compute_specificity_from_roc(malignancy, point.sensitivity)
        assert (read.value, read.low, read.high) == near((expected.value, expected.low, expected.high))


def test_subgroups_are_scikit_learns_on_their_photos(malignancy: StoredRun, table: pd.DataFrame) -> None:
    figures = compute_group_figures(malignancy, table, POINTS)
    positive, scores = select_positives(malignancy)
    known = table.set_index("image_id").reindex(malignancy.frame["image_id"])
    old, histology = ((known[name] == level).to_numpy(dtype=bool, na_value=False) for name, level in (
        ("camera", "old"), ("confirmation", "histology")))  # fmt: skip
    for group, rows in (("camera: old", old), ("confirmation: histology", histology)):
        named = by_name(figures, group)
        assert list(named) == ["malignant_auroc", "sensitivity at 0.95", "specificity at 0.95"]
        above, malignant = scores[rows] >= 0.25, positive[rows]
        expected = (
            sk.roc_auc_score(malignant, scores[rows]),
            sk.recall_score(malignant, above),
            sk.recall_score(~malignant, ~above),
        )
        for one, value in zip(named.values(), expected, strict=True):
            assert one.value == near(value)
            assert one.low < one.high >= value
            assert one.photos == rows.sum()
            assert one.lesions == malignancy.frame.loc[rows, "lesion_id"].nunique()
    groups = list(dict.fromkeys(map(name_group, figures)))
    assert groups[:2] == ["age: 20 to 39", "age: 40 to 59"]  # the youngest first
    alone = by_name(figures, "histology-confirmed photos only")
    assert alone["malignant_auroc"] == named["malignant_auroc"].model_copy(
        update={"grouped_by": None, "group": alone["malignant_auroc"].group}
    )
    assert set(alone) == {*named, "sensitivity at 0.9", "specificity at 0.9"}


def test_a_diagnosis_has_the_one_rate_that_it_can_have(malignancy: StoredRun, table: pd.DataFrame) -> None:
    figures = compute_group_figures(malignancy, table, POINTS)
    _, scores = select_positives(malignancy)
    diagnosis = table.set_index("image_id")["diagnosis"].reindex(malignancy.frame["image_id"]).fillna("")
    for code, group, right, name in (
        ("mel", "diagnosis: Melanoma", scores >= 0.25, "sensitivity at 0.95"),
        ("nv", "diagnosis: Melanocytic nevus", scores < 0.25, "specificity at 0.95"),
    ):
        named = by_name(figures, group)
        assert list(named) == [name]
        rows = (diagnosis == code).to_numpy(dtype=bool)
        assert named[name].value == near(right[rows].mean())
        assert named[name].photos == rows.sum()


def test_a_group_of_few_lesions_has_no_figure(malignancy: StoredRun, table: pd.DataFrame) -> None:
    groups = {name_group(each) for each in compute_group_figures(malignancy, table, POINTS)}
    assert {"camera: old", "camera: new"} <= groups
    assert "camera: rare" not in groups  # 10 photos
    assert "camera: not recorded" not in groups  # 10 as well


def test_cameras_of_hardly_a_malignant_lesion_are_left_out(malignancy: StoredRun, table: pd.DataFrame) -> None:
    rows = malignancy.frame
    old = rows["image_id"].isin(table.loc[table["camera"] == "old", "image_id"])
    spared = rows["truth"].mask(old & (np.arange(PHOTOS) > 0), "benign")
    spared[0] = "malignant"
    assert 0 < (spared[old] == "malignant").mean() < ALMOST_NONE
    turned = replace(malignancy, frame=rows.assign(truth=spared))
    figures = by_name(compute_group_figures(turned, table, POINTS), NO_BENIGN_CAMERAS)
    rest = turned.frame[~old]
    auroc = figures["malignant_auroc"]
    assert auroc.value == near(sk.roc_auc_score(rest["truth"] == "malignant", rest["p_malignant"]))
    assert (auroc.photos, auroc.lesions) == (len(rest), rest["lesion_id"].nunique())
    below = rest.loc[rest["truth"] == "benign", "p_malignant"] < POINTS[1].threshold
    assert figures["specificity at 0.95"].value == near(below.mean())
    assert NO_BENIGN_CAMERAS not in {each.group for each in compute_group_figures(malignancy, table, POINTS)}


def test_a_camera_of_few_lesions_is_not_left_out_for_having_no_malignant_one(
    malignancy: StoredRun, table: pd.DataFrame
) -> None:
    rows = malignancy.frame
    rare = rows["image_id"].isin(table.loc[table["camera"] == "rare", "image_id"])
    assert 0 < rows.loc[rare, "lesion_id"].nunique() < MIN_LESIONS
    turned = replace(malignancy, frame=rows.assign(truth=rows["truth"].mask(rare, "benign")))
    assert NO_BENIGN_CAMERAS not in {each.group for each in compute_group_figures(turned, table, POINTS)}


def test_akiec_counted_otherwise(malignancy: StoredRun, table: pd.DataFrame) -> None:
    table.loc[0, "diagnosis"] = "akiec"  # a photo that the table does not hold must not be taken for its first one
    figures = compute_group_figures(malignancy, table, POINTS)
    positive, scores = select_positives(malignancy)
    diagnosis = table.set_index("image_id")["diagnosis"].reindex(malignancy.frame["image_id"])
    akiec = (diagnosis == "akiec").to_numpy(dtype=bool, na_value=False)
    assert 10 < akiec.sum() < 100
    for group, rows, malignant in (
        ("akiec as malignant", np.full(PHOTOS, True), positive),
        ("akiec as benign", np.full(PHOTOS, True), positive & ~akiec),
        ("akiec left out", ~akiec, positive),
    ):
        named, ill, score = by_name(figures, group), malignant[rows], scores[rows]
        assert named["malignant_auroc"].value == near(sk.roc_auc_score(ill, score))
        assert {each.photos for each in named.values()} == {rows.sum()}
        for point in POINTS:
            at = f"at {point.sensitivity:g}"
            assert named[f"sensitivity {at}"].value == near(sk.recall_score(ill, score >= point.threshold))
            assert named[f"specificity {at}"].value == near(sk.recall_score(~ill, score < point.threshold))


def test_without_points_groups_have_the_auroc_alone(malignancy: StoredRun, table: pd.DataFrame) -> None:
    figures = compute_group_figures(malignancy, table, ())
    assert {each.metric for each in figures} == {"malignant_auroc"}
    assert "old" in {each.group for each in figures if each.grouped_by == "camera"}


def test_contradictions_worked_by_hand(malignancy: StoredRun, types: StoredRun) -> None:
    # Of eight photos two are called benign at 90% or more while melanoma is the likeliest type: the first and the
    # third. The second is benign at 89%; the fourth is likeliest a nevus; the others are called malignant.
    benign = np.array([0.9, 0.89, 0.99, 0.95, 0.1, 0.1, 0.1, 0.1])
    likeliest = ["mel", "mel", "mel", "nv", "nv", "mel", "nv", "bcc"]
    scores = 0.05 + 0.6 * np.eye(8)[[CODES.index(code) for code in likeliest]]
    one = replace(malignancy, frame=malignancy.frame.head(8).assign(p_malignant=1 - benign, p_benign=benign))
    frame = types.frame.head(8).assign(**dict(zip(probability_columns(CODES), scores.T, strict=True)))
    for order in (slice(None), slice(None, None, -1)):  # photos are matched by their id
        figure = compute_contradictions(one, replace(types, frame=frame.iloc[order]))
        assert (figure.metric, figure.group, figure.run, figure.value) == ("contradictions", None, types.name, 0.25)
        assert 0 <= figure.low < 0.25 < figure.high < 1
        assert (figure.photos, figure.lesions) == (8, 5)
    with pytest.raises(RunError, match="are not of the same photos"):
        compute_contradictions(one, types)


def test_a_benign_type_above_the_threshold_worked_by_hand(malignancy: StoredRun, types: StoredRun) -> None:
    # Of five photos the first, at the threshold, and the last have a benign type first; the second lies below it, the
    # third is likeliest a melanoma, the fourth a basal cell carcinoma.
    malignant = np.array([0.25, 0.24, 0.25, 0.9, 0.9])
    likeliest = ["nv", "nv", "mel", "bcc", "vasc"]
    scores = 0.05 + 0.6 * np.eye(8)[[CODES.index(code) for code in likeliest]]
    one = replace(malignancy, frame=malignancy.frame.head(5).assign(p_malignant=malignant, p_benign=1 - malignant))
    frame = types.frame.head(5).assign(**dict(zip(probability_columns(CODES), scores.T, strict=True)))
    figure = compute_benign_first(one, replace(types, frame=frame.iloc[::-1]), POINTS[1])
    assert (short_name(figure), figure.group, figure.run, figure.value) == (
        "benign_first at 0.95",
        None,
        types.name,
        0.4,
    )
    assert figure.low < 0.4 < figure.high
    with pytest.raises(RunError, match="are not of the same photos"):
        compute_benign_first(one, types, POINTS[1])


def test_a_pair_that_agrees_cannot_contradict_itself(
    malignancy: StoredRun, types: StoredRun, table: pd.DataFrame
) -> None:
    heads = (Head(name="malignancy", classes=MALIGNANCY_CLASSES), Head(name="lesion_type", classes=CODES))
    _, scaled = reconcile_types([malignancy.probabilities(), types.probabilities()], heads)
    frame = types.frame.assign(**dict(zip(probability_columns(CODES), scaled.T, strict=True)))
    runs = [held(malignancy), held(replace(types, frame=frame))]
    figure = by_name([each for each in compute_card_figures(runs, table, ()) if each.task == "lesion_type"])[
        "contradictions"
    ]
    lesions = malignancy.frame["lesion_id"].nunique()
    assert (figure.value, figure.low, figure.high) == (0, 0, near(1 - 0.025 ** (1 / lesions)))
    # The heads as they were would have contradicted each other.
    assert compute_contradictions(malignancy, types).value > 0


def test_one_head_alone_is_never_set_against_another(
    malignancy: StoredRun, types: StoredRun, table: pd.DataFrame
) -> None:
    malignancy, types = (replace(run, frame=run.frame.head(20)) for run in (malignancy, types))
    validation = replace(types, split="validation")
    for runs in ([held(malignancy)], [held(types)], [held(malignancy), held(validation)]):
        assert not [each for each in compute_card_figures(runs, table, ()) if each.metric == "contradictions"]
