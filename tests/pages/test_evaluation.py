from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from sklearn.metrics import roc_auc_score
from streamlit.testing.v1 import AppTest

from skinapp.models.folder import get_member_folder
from skinapp.runs.intervals import compute_intervals, save_intervals
from skinapp.runs.own.read import NOTE
from skinapp.runs.seven import merge_to_seven
from skinapp.runs.stored import StoredRun, Versions, save_run
from skinapp.runs.summary import compute_headline
from skinapp.runs.views.compare import compare_runs
from skinapp.runs.views.mistakes import count_missed
from skinapp.ui.evaluation.answers import PRECURSOR
from skinapp.ui.evaluation.own_predictions import REPLACED
from skinapp.ui.evaluation.page import SECTIONS

APP = Path(__file__).parents[2] / "streamlit_app.py"
PAIR = ("malignant", "benign")
MALIGNANT_TYPES = {"akiec", "bcc", "mel", "scc"}
EIGHT = ("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")
OWN = b"truth,p_cat,p_dog,p_owl,group,lens\n" + b"\n".join(
    f"{('cat', 'dog', 'owl')[n % 3]},0.5,0.3,0.2,g{n // 2},{('near', 'far')[n % 2]}".encode() for n in range(80)
)


def small_run(classes: tuple[str, ...], photos: int, seed: int, **facts: object) -> StoredRun:
    """Make a run of random answers, two photos a lesion, right more often than not."""
    random = np.random.default_rng(seed)
    truth = np.arange(photos) % len(classes)
    scores = random.dirichlet(np.ones(len(classes)), photos) + 0.5 * np.eye(len(classes))[truth]
    frame = pd.DataFrame(scores / scores.sum(axis=1, keepdims=True), columns=[f"p_{label}" for label in classes])
    frame.insert(0, "image_id", [f"photo_{n}" for n in range(photos)])
    frame.insert(1, "lesion_id", [f"lesion_{n // 2}" for n in range(photos)])
    frame.insert(2, "truth", np.array(classes)[truth])
    given = {
        "name": "small-test",
        "model": "malignancy",
        "table": "small",
        "table_sha256": "0" * 64,
        "split": "test",
        "weights_sha256": "1" * 64,
        "weights_kept": True,
        "versions": Versions("3", "2", "0"),
        "created": "2026-01-01T00:00:00+00:00",
        "note": "Only these photos.",
        "temperature": 1.5,
    }
    return StoredRun(**(given | facts), classes=classes, frame=frame)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use folders of models and of experiments of this test's own."""
    monkeypatch.setenv("SKINAPP_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("SKINAPP_EXPERIMENTS", str(tmp_path / "experiments"))
    st.cache_resource.clear()
    return tmp_path


@pytest.fixture
def stored(folders: Path) -> StoredRun:
    run, folder = small_run(PAIR, 60, 5), folders / "models" / "malignancy" / "runs" / "small-test"
    save_run(run, folder)
    save_intervals(compute_intervals(run), folder)
    return run


@pytest.fixture
def types(folders: Path) -> StoredRun:
    run = small_run(EIGHT, 160, 6, name="types", model="lesion-type", weights_kept=False)
    save_run(run, folders / "experiments" / "lesion-type" / "runs" / "types")
    return run


def opened(section: str = "Errors", **query: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120)
    for key, value in ({"section": section} | query).items():
        page.query_params[key] = value
    return page.switch_page("pages/evaluation.py").run()


def metrics(page: AppTest) -> dict[str, object]:
    return {metric.label: metric for metric in page.metric}


def words(page: AppTest) -> str:
    parts = (page.markdown, page.caption, page.info, page.success, page.error)
    return "\n".join(element.value for kind in parts for element in kind)


def test_figures_are_those_of_the_predictions(stored: StoredRun) -> None:
    page = opened()
    expected = compute_headline(stored)
    assert not page.exception
    shown = metrics(page)
    assert shown["Balanced accuracy"].value == f"{expected.balanced_accuracy:.3f}"
    assert shown["Malignant AUROC"].value == f"{expected.malignant_auroc:.3f}"
    assert shown["Log loss"].value == f"{expected.log_loss:.3f}"
    assert shown["Top three"].value == "–"  # of two classes every answer is among three
    assert " to " in shown["Malignant AUROC"].delta
    assert shown["Photos"].value == "60"
    assert shown["Photos"].delta == "30 lesions"
    assert "Only these photos." in words(page)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_for_two_classes_and_for_eight(stored: StoredRun, types: StoredRun, section: str) -> None:
    for name in ("malignancy · small-test", "lesion-type · types"):
        page = opened(section, run=name)
        assert page.selectbox(key="run").value == name
        assert not page.exception
        assert not page.error


def test_missed_cancers_are_counted(types: StoredRun) -> None:
    assert f"**{count_missed(types)} of 80** malignant photos got a benign type as their top answer" in words(opened())


def test_of_two_classes_a_cancer_is_missed_below_a_half_and_a_threshold_is_another_question(stored: StoredRun) -> None:
    said = words(opened())
    assert f"**{count_missed(stored)} of 30** malignant photos scored below 50%" in said
    assert "section *Threshold*" in said


def test_squamous_cell_carcinoma_can_be_counted_as_actinic_keratosis(types: StoredRun) -> None:
    page = opened(seven="true")
    assert not page.exception
    assert metrics(page)["Accuracy"].value == f"{compute_headline(merge_to_seven(types)).accuracy:.3f}"
    assert metrics(page)["Accuracy"].value != f"{compute_headline(types).accuracy:.3f}"


def test_a_run_without_weights_says_so(types: StoredRun, stored: StoredRun) -> None:
    assert "weights of this run were not kept" in words(opened(run="lesion-type · types"))
    assert "weights of this run were not kept" not in words(opened(run="malignancy · small-test"))


def test_two_runs_are_compared_on_their_common_photos(types: StoredRun, folders: Path) -> None:
    other = small_run(EIGHT, 120, 7, name="other", model="lesion-type")
    save_run(other, folders / "experiments" / "lesion-type" / "runs" / "other")
    page = opened("Compare", run="lesion-type · types", against="lesion-type · other")
    assert not page.exception
    assert metrics(page)["Both right"].delta == "of 120 photos"
    assert "40 photos" in words(page)
    assert "own label" not in words(page)


@pytest.mark.parametrize(("classes", "differing", "said"), [(EIGHT, 100, "labels"), (PAIR, 50, "malignant in one run")])
def test_photos_with_another_label_in_the_other_run_are_counted(
    types: StoredRun, folders: Path, classes: tuple[str, ...], differing: int, said: str
) -> None:
    other = small_run(classes, 120, 7, name="other", model="lesion-type")
    own = types.frame["truth"].head(120).to_numpy()
    same = own if classes == EIGHT else np.where([label in MALIGNANT_TYPES for label in own], *PAIR)
    next_class = dict(zip(classes, (*classes[1:], classes[0]), strict=True))
    truth = [next_class[label] if place < differing else label for place, label in enumerate(same)]
    other = replace(other, frame=other.frame.assign(truth=truth))
    save_run(other, folders / "experiments" / "lesion-type" / "runs" / "other")
    counted = compare_runs(types, other)
    assert counted.differing_truths == differing
    assert counted.both_right + counted.only_a + counted.only_b + counted.neither == counted.photos == 120
    page = opened("Compare", run="lesion-type · types", against="lesion-type · other")
    sentence = next(caption.value for caption in page.caption if "own label" in caption.value)
    assert f"{differing} of these 120 photos" in sentence
    assert said in sentence
    assert "left out" not in sentence
    tiles = ("Both right", "Only this run", "Only the other run", "Neither")
    assert sum(int(str(metrics(page)[tile].value)) for tile in tiles) == 120


def test_a_threshold_for_a_sensitivity_reaches_it(types: StoredRun) -> None:
    page = opened("Threshold")
    page.button(key="at-0.95").click().run()
    assert not page.exception
    assert float(metrics(page)["Sensitivity"].value.rstrip("%")) >= 95


def test_a_confusion_matrix_follows_the_choice(stored: StoredRun) -> None:
    page = opened("Confusion")
    choice = next(group for group in page.button_group if group.label == "Cells show")
    choice.select("Share of the true class").run()
    assert not page.exception
    assert not page.error


def test_own_predictions_get_the_whole_page(stored: StoredRun) -> None:
    page = opened()
    page.file_uploader(key="own-predictions").set_value([("zoo.csv", OWN, "text/csv")]).run()
    assert page.selectbox(key="run").value == "zoo.csv"
    assert metrics(page)["Photos"].value == "80"
    assert metrics(page)["Photos"].delta == "40 lesions"
    assert NOTE in words(page)
    for section in SECTIONS:
        page.button_group(key="section").set_value(section).run()
        assert not page.exception, section
        assert not page.error, section


def test_what_counts_as_malignant_is_said_of_no_other_ones_two_classes(stored: StoredRun) -> None:
    page = opened()
    assert PRECURSOR in words(page)
    rows = "\n".join(f"{('malignant', 'benign')[n % 2]},{0.2 + 0.1 * (n % 3)},{0.8 - 0.1 * (n % 3)}" for n in range(40))
    own = f"truth,p_malignant,p_benign\n{rows}\n".encode()
    page.file_uploader(key="own-predictions").set_value([("two.csv", own, "text/csv")]).run()
    assert "malignant photos scored below 50%" in words(page)
    assert PRECURSOR not in words(page)


def half_right(right: int, name: str = "mine.csv") -> tuple[str, bytes, str]:
    """Write ten predictions, of which the first are right."""
    rows = [
        f"i{n},{('cat', 'dog')[n % 2]},{float((n % 2 == 0) == (n < right))},{float((n % 2 == 1) == (n < right))}"
        for n in range(10)
    ]
    return name, ("image_id,truth,p_cat,p_dog\n" + "\n".join(rows)).encode(), "text/csv"


def upload(page: AppTest, *files: tuple[str, bytes, str], key: str = "own-predictions") -> AppTest:
    return page.file_uploader(key=key).set_value(list(files) if key == "own-predictions" else files[0]).run()


def test_a_mended_file_of_the_same_name_replaces_the_older_and_it_is_said(stored: StoredRun) -> None:
    page = upload(opened(), half_right(5))
    assert metrics(page)["Accuracy"].value == "0.500"
    assert REPLACED not in words(page)
    for files in ([half_right(5), half_right(9)], [half_right(9)], [half_right(9), half_right(3, "other.csv")]):
        page = upload(page, *files)
        page.selectbox(key="run").set_value("mine.csv").run()
        assert metrics(page)["Accuracy"].value == "0.900"
        assert REPLACED in words(page)
    assert page.selectbox(key="run").options.count("mine.csv") == 1


def test_an_error_belongs_to_its_file_and_goes_with_it(stored: StoredRun) -> None:
    bad = ("mine.csv", b"truth,p_a\na,1\n", "text/csv")
    page = upload(opened(), bad, ("other.csv", b"nothing", "text/csv"))
    assert [error.value.split()[0] for error in page.error] == ["mine.csv", "other.csv"]
    page = upload(page, bad, ("other.csv", b"nothing", "text/csv"), half_right(5))
    assert [error.value.split()[0] for error in page.error] == ["other.csv"]
    assert metrics(page)["Accuracy"].value == "0.500"
    page = upload(page, half_right(5))
    assert not page.error


def test_a_newer_file_that_is_refused_closes_the_older_of_its_name(stored: StoredRun) -> None:
    page = upload(opened(), half_right(5))
    page = upload(page, half_right(5), ("mine.csv", b"nothing", "text/csv"))
    assert "is closed" in page.error[0].value
    assert "mine.csv" not in page.selectbox(key="run").options


def test_a_file_that_is_removed_is_forgotten(stored: StoredRun) -> None:
    page = upload(opened(), half_right(5), half_right(3, "other.csv"))
    page = upload(page, half_right(3, "other.csv"))
    assert "mine.csv" not in page.selectbox(key="run").options
    assert "other.csv" in page.selectbox(key="run").options


def test_changed_truths_change_the_figures(stored: StoredRun) -> None:
    scores = ("sent.csv", b"image,MEL,NV\na,0.9,0.1\nb,0.2,0.8\n", "text/csv")
    page = upload(opened(), ("truth.csv", b"image,MEL,NV\nb,1,0\na,1,0\n", "text/csv"), key="own-truth")
    page = upload(page, scores)
    assert metrics(page)["Accuracy"].value == "0.500"
    page = upload(page, ("truth.csv", b"image,MEL,NV\nb,0,1\na,1,0\n", "text/csv"), key="own-truth")
    assert metrics(page)["Accuracy"].value == "1.000"
    assert REPLACED in words(page)


def test_the_owner_says_what_unknown_classes_are(stored: StoredRun) -> None:
    rows = "\n".join(
        f"i{n},{('mel', 'nv', 'blob')[n % 3]},{0.5 + 0.01 * (n % 7)},{0.3 - 0.01 * (n % 7)},0.2" for n in range(60)
    )
    page = upload(opened(), ("mine.csv", f"image_id,truth,p_mel,p_nv,p_blob\n{rows}\n".encode(), "text/csv"))
    assert metrics(page)["Malignant AUROC"].value == "–"
    assert "'blob' is malignant, so no figure of malignancy is shown" in words(page)
    (choice,) = [box for box in page.selectbox if box.label == "blob"]
    choice.set_value("bcc")
    page.button(key=next(button.key for button in page.button if button.label == "Count them so")).click().run()
    frame = pd.read_csv(StringIO(f"image_id,truth,p_mel,p_nv,p_blob\n{rows}\n"))
    area = roc_auc_score(frame["truth"] != "nv", frame["p_mel"] + frame["p_blob"])
    assert metrics(page)["Malignant AUROC"].value == f"{area:.3f}"
    assert "Counted as you said: blob: the same as basal cell carcinoma." in words(page)
    next(button for button in page.button if button.label == "Say again what the classes are").click().run()
    assert metrics(page)["Malignant AUROC"].value == "–"


def test_two_files_without_ids_are_not_compared_by_row(stored: StoredRun) -> None:
    page = upload(opened(), ("a.csv", OWN, "text/csv"), ("b.csv", OWN.replace(b"0.5,0.3", b"0.3,0.5"), "text/csv"))
    page.button_group(key="section").set_value("Compare").run()
    page.multiselect(key="against").set_value(["a.csv"]).run()
    assert "have no ids" in words(page)
    assert "Both right" not in metrics(page)


def test_own_predictions_stay_in_their_session(stored: StoredRun) -> None:
    page = opened()
    page.file_uploader(key="own-predictions").set_value([("zoo.csv", OWN, "text/csv")]).run()
    assert "zoo.csv" not in opened().selectbox(key="run").options


def test_bad_predictions_are_refused_and_the_page_stays(stored: StoredRun) -> None:
    page = opened()
    page.file_uploader(key="own-predictions").set_value([("bad.csv", b"truth,p_a\na,1\n", "text/csv")]).run()
    assert "bad.csv" in page.error[0].value
    assert metrics(page)["Photos"].value == "60"


def test_a_run_that_is_made_anew_is_read_anew(stored: StoredRun, folders: Path) -> None:
    assert metrics(opened())["Accuracy"].value == f"{compute_headline(stored).accuracy:.3f}"
    other = small_run(PAIR, 60, 9)
    save_run(other, folders / "models" / "malignancy" / "runs" / "small-test")
    assert compute_headline(other).accuracy != compute_headline(stored).accuracy
    assert metrics(opened())["Accuracy"].value == f"{compute_headline(other).accuracy:.3f}"


def test_an_unknown_run_in_the_address_is_said(stored: StoredRun) -> None:
    page = opened(run="gone · away")
    assert "does not exist here" in words(page)
    assert metrics(page)["Photos"].value == "60"


def test_without_a_run_a_sentence_says_so(folders: Path) -> None:
    page = opened()
    assert not page.exception
    assert "no stored run" in page.error[0].value


@pytest.fixture
def average_and_member(folders: Path, make_average: Callable[[Path], Path]) -> None:
    """Store a run of an average, and one of its member deep."""
    folder = make_average(folders / "models" / "pair")
    save_run(small_run(PAIR, 60, 5, model="pair"), folder / "runs" / "small-test")
    save_run(small_run(PAIR, 60, 6, model="deep"), get_member_folder(folder, "deep") / "runs" / "small-test")


@pytest.mark.usefixtures("average_and_member")
def test_an_average_stands_before_its_members_with_whom_it_is_said_how_it_learned() -> None:
    page = opened("Training")
    assert not page.exception
    assert page.selectbox(key="run").options == ["pair · small-test", "pair/deep · small-test"]
    assert page.selectbox(key="run").value == "pair · small-test"
    assert "This model averages networks that were trained one by one: deep, fine." in words(page)


@pytest.mark.usefixtures("average_and_member")
def test_a_member_s_run_is_not_offered_to_be_compared_with_itself() -> None:
    page = opened("Compare", run="pair/deep · small-test")
    assert not page.exception
    assert page.multiselect(key="against").options == ["pair · small-test"]
