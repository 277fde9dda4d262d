"""Every number in a sentence or tile of the Evaluation page is computed again with pandas and scikit-learn."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score
from streamlit.testing.v1 import AppTest

from skinapp.ui.evaluation.groups import SKIN_TONE

APP = Path(__file__).parents[2] / "streamlit_app.py"
CODES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")
MALIGNANT = ["akiec", "bcc", "mel", "scc"]


@pytest.fixture(autouse=True)
def no_stored_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SKINAPP_MODELS", "SKINAPP_EXPERIMENTS"):
        monkeypatch.setenv(name, str(tmp_path))
    st.cache_resource.clear()


def make_predictions(photos: int, seed: int, skill: float = 0.2, classes: tuple[str, ...] = CODES) -> pd.DataFrame:
    """Make predictions of lesions with one to three photos each, and two wards."""
    random = np.random.default_rng(seed)
    lesion = np.sort(random.integers(photos // 2, size=photos))
    truth = random.integers(len(classes), size=photos)[lesion]
    scores = random.dirichlet(np.ones(len(classes)), photos) + skill * np.eye(len(classes))[truth]
    frame = pd.DataFrame(scores / scores.sum(axis=1, keepdims=True), columns=[f"p_{label}" for label in classes])
    facts = {"image_id": [f"i{n}" for n in range(photos)], "lesion_id": [f"l{n}" for n in lesion]}
    return frame.assign(**facts, truth=np.array(classes)[truth], ward=np.where(lesion % 3, "north", "south"))


def open_predictions(section: str, *frames: pd.DataFrame) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120)
    page.query_params["section"] = section
    page = page.switch_page("pages/evaluation.py").run()
    files = [(f"{'abc'[n]}.csv", frame.to_csv(index=False).encode(), "text/csv") for n, frame in enumerate(frames)]
    page = page.file_uploader(key="own-predictions").set_value(files).run()
    page = page.selectbox(key="run").set_value("a.csv").run()
    assert not page.exception
    return page


def read_words(page: AppTest) -> str:
    parts = (page.markdown, page.caption, page.info, page.success, page.error)
    return "\n".join(element.value for kind in parts for element in kind)


def read_tiles(page: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in page.metric}


def count(pattern: str, page: AppTest) -> list[int]:
    """Return the numbers of the one sentence that fits, without commas."""
    (found,) = re.findall(pattern, read_words(page))
    return [int(number.replace(",", "")) for number in (found if isinstance(found, tuple) else (found,))]


def split(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, answer, and the score for malignant."""
    scores = frame[[column for column in frame if column.startswith("p_")]]
    malignant = scores[[column for column in scores if column[2:] in MALIGNANT]].sum(axis=1)
    return frame["truth"].to_numpy(), scores.idxmax(axis=1).str[2:].to_numpy(), malignant.to_numpy()


def test_headline_and_errors() -> None:
    frame = make_predictions(1200, seed=1)
    truth, answer, malignant = split(frame)
    page = open_predictions("Errors", frame)
    tiles = read_tiles(page)
    assert tiles["Photos"] == ("1,200", f"{frame['lesion_id'].nunique()} lesions")
    scores = frame[[f"p_{code}" for code in CODES]].to_numpy()
    for label, value in (
        ("Accuracy", accuracy_score(truth, answer)),
        ("Balanced accuracy", balanced_accuracy_score(truth, answer)),
        ("Macro F1", f1_score(truth, answer, average="macro")),
        ("Malignant AUROC", roc_auc_score(np.isin(truth, MALIGNANT), malignant)),
        ("Log loss", log_loss(truth, scores, labels=list(CODES))),
    ):
        assert tiles[label][0] == f"{value:.3f}", label
    cancers = np.isin(truth, MALIGNANT)
    missed = cancers & ~np.isin(answer, MALIGNANT)
    assert missed.sum() > 0
    of = count(r"\*\*([\d,]+) of ([\d,]+)\*\* malignant photos got a benign type", page)
    assert of == [missed.sum(), cancers.sum()]
    shown = re.findall(r"The first ([\d,]+) of ([\d,]+)\.", read_words(page))
    wrong = (truth != answer).sum()
    expected = [total for total in (missed.sum(), wrong) if total > 200]
    assert wrong > 200
    assert [(first, int(total.replace(",", ""))) for first, total in shown] == [("200", total) for total in expected]


def test_without_a_malignant_photo_none_is_missed() -> None:
    frame = make_predictions(60, seed=2)
    page = open_predictions("Errors", frame[~frame["truth"].isin(MALIGNANT)])
    assert "None of these photos is malignant" in read_words(page)
    page.button_group(key="section").set_value("Threshold").run()
    assert not page.exception
    assert "cannot be computed" in read_words(page)
    assert all(button.disabled for button in page.button if "sensitivity" in button.label)


def test_of_two_classes_a_tie_is_not_below_a_half() -> None:
    frame = pd.DataFrame({"truth": ["mel"] * 3 + ["bkl"] * 3, "p_mel": [0.5, 0.4, 0.9, 0.1, 0.2, 0.3]})
    page = open_predictions("Errors", frame.assign(p_bkl=1 - frame["p_mel"]))
    assert count(r"\*\*([\d,]+) of ([\d,]+)\*\* malignant photos scored 50% or less", page) == [2, 3]


def test_people_at_a_threshold_add_up() -> None:
    frame = make_predictions(333, seed=3)
    truth, _, malignant = split(frame)
    cancers = np.isin(truth, MALIGNANT)
    page = open_predictions("Threshold", frame)
    pattern = (
        r"Among 1,000 such people, ([\d,]+) have it\. \*\*([\d,]+) are referred\*\*, ([\d,]+) of them rightly and "
        r"([\d,]+) needlessly; \*\*([\d,]+) are missed"
    )
    for percent in (50, 31.5, 7.5):
        page.slider(key="threshold").set_value(percent / 100).run()
        prevalence = page.number_input[0].value / 100
        ill, referred, rightly, needlessly, missed = count(pattern, page)
        called = malignant >= percent / 100
        sensitivity, false_alarms = called[cancers].mean(), called[~cancers].mean()
        assert (referred, ill) == (rightly + needlessly, rightly + missed)
        assert ill == round(1000 * prevalence)
        assert rightly == pytest.approx(1000 * prevalence * sensitivity, abs=0.51)
        assert needlessly == pytest.approx(1000 * (1 - prevalence) * false_alarms, abs=0.51)
        assert missed == pytest.approx(1000 * prevalence * (1 - sensitivity), abs=1.01)
        tiles = read_tiles(page)
        assert tiles["Sensitivity"][0] == f"{sensitivity:.1%}"
        assert tiles["Specificity"][0] == f"{1 - false_alarms:.1%}"
    page.button(key="at-0.95").click().run()
    at = page.slider(key="threshold").value
    assert (malignant[cancers] >= at).mean() >= 0.95
    assert (malignant[cancers] > at).mean() < 0.95


def test_a_prevalence_beyond_the_field_does_not_break_the_page() -> None:
    frame = make_predictions(60, seed=4, classes=("mel", "nv"))
    for truth in ("mel", "nv"):
        page = open_predictions("Threshold", frame.assign(truth=truth))
        assert not page.exception
        assert page.number_input[0].value in (0.1, 99.0)


def test_a_comparison() -> None:
    first, second = make_predictions(160, seed=5), make_predictions(160, seed=6)
    second = second.assign(truth=first["truth"], lesion_id=first["lesion_id"])
    changed = [0, 5, 9]
    second.loc[changed, "truth"] = [CODES[(CODES.index(first["truth"][n]) + 1) % 8] for n in changed]
    second = second.iloc[:130].sample(frac=1, random_state=1)
    page = open_predictions("Compare", first, second)
    page.multiselect(key="against").set_value(["b.csv"]).run()
    assert not page.exception

    joined = pd.DataFrame({"lesion": first["lesion_id"], "a": np.equal(*split(first)[:2])}, index=first.index)
    joined = joined.assign(b=pd.Series(np.equal(*split(second)[:2]), index=second.index)).dropna()
    a, b = joined["a"].astype(bool), joined["b"].astype(bool)
    tiles = read_tiles(page)
    assert tiles["Both right"] == (str((a & b).sum()), "of 130 photos")
    assert [tiles[name][0] for name in ("Only this run", "Only the other run", "Neither")] == [
        str(number) for number in ((a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum())
    ]
    assert count(r"([\d,]+) photos are in only one of the two runs", page) == [30]
    assert count(r"([\d,]+) of these ([\d,]+) photos have different labels", page) == [3, 130]
    one = joined.assign(id=first["image_id"]).sort_values("id").drop_duplicates("lesion").astype({"a": bool, "b": bool})
    only_a, only_b = int((one["a"] & ~one["b"]).sum()), int((one["b"] & ~one["a"]).sum())
    p = binomtest(only_a, only_a + only_b).pvalue
    assert f"p = {p:.2g}." in read_words(page)


def test_repeats() -> None:
    frame = make_predictions(150, seed=7)
    _, answer, malignant = split(frame)
    by_lesion = frame.assign(answer=answer, malignant=malignant).groupby("lesion_id")
    several = by_lesion.filter(lambda photos: len(photos) > 1).groupby("lesion_id")
    changed, lesions = int((several["answer"].nunique() > 1).sum()), several.ngroups
    spread = several["malignant"].max() - several["malignant"].min()
    interval = binomtest(changed, lesions).proportion_ci(0.95, "wilson")
    tiles = read_tiles(open_predictions("Repeats", frame))
    assert tiles["Repeated lesions"] == (str(lesions), f"{several.size().sum()} photos")
    assert tiles["Top answer changes"] == (f"{changed / lesions:.1%}", f"{interval.low:.1%} to {interval.high:.1%}")
    assert tiles["Median score range"][0] == f"{spread.median():.2f}"
    assert tiles["90% of lesions"][0] == f"{spread.quantile(0.9):.2f}"


def test_subgroups() -> None:
    frame = make_predictions(240, seed=8)
    truth, answer, _ = split(frame)
    page = open_predictions("Subgroups", frame)
    page.selectbox(key="subgroup-figure").set_value("Accuracy").run()
    assert not page.exception
    shown = next(table.value for table in page.dataframe if "level" in table.value).set_index("level")
    for ward, photos in frame.assign(right=truth == answer).groupby("ward"):
        row = shown.loc[ward]
        assert row["photos"] == len(photos)
        assert row["lesions"] == photos["lesion_id"].nunique()
        assert row["positives"] == photos["truth"].isin(MALIGNANT).sum()
        assert row["value"] == pytest.approx(photos["right"].mean())
        assert row["low"] < row["value"] < row["high"]
    assert SKIN_TONE not in read_words(page)


def test_calibration() -> None:
    frame = make_predictions(300, seed=9)
    truth, answer, _ = split(frame)
    scores = frame[[f"p_{code}" for code in CODES]].to_numpy()
    one_hot = np.eye(8)[[CODES.index(label) for label in truth]]
    confidence, right = scores.max(axis=1), truth == answer
    bins = np.minimum((confidence * 15).astype(int), 14)
    gaps = [abs((confidence - right)[bins == place].sum()) for place in range(15)]
    tiles = read_tiles(open_predictions("Calibration", frame))
    brier = [value for name, (value, _) in tiles.items() if "Brier" in name]
    assert brier[0] == f"{((scores - one_hot) ** 2).sum(axis=1).mean():.3f}"
    assert f"{sum(gaps) / 300:.3f}" in {value for value, _ in tiles.values()}
