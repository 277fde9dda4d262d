import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from skinapp.cards.groups import NO_BENIGN_CAMERAS
from skinapp.cli.main import main
from skinapp.files import compute_sha256
from skinapp.formatting import format_score, format_threshold
from skinapp.inference.answer import Answer
from skinapp.inference.assessment import Assessment
from skinapp.inference.assessor import Assessor, load_assessor
from skinapp.inference.triage import ALWAYS, DARKER_SKIN, HEADLINES, NO_THRESHOLD, decide_triage
from skinapp.inference.your_call import ASK, FLAG, LEAVE, Call, describe_call
from skinapp.metrics.decisions import compute_predictive_values
from skinapp.models.card import CardFigure, DataFacts, Head, OperatingPoint, SplitFacts
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ClassSet, ConformalFacts, RepeatFacts
from skinapp.notice import NOT_CHECKED, NOTICE
from skinapp.photo import Photo, Square, read_photo
from skinapp.photo.square import find_largest_square
from skinapp.runs.prevalence import restate_score
from skinapp.runs.stored import load_run, save_run
from skinapp.runs.summary import compute_headline, compute_per_class
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, get_class_name, is_malignant
from skinapp.ui import loaders
from skinapp.ui.classify.answer import SCORES, SHOW_ANYWAY
from skinapp.ui.classify.assessor import get_assessor
from skinapp.ui.classify.photo_input import is_camera_allowed
from skinapp.ui.classify.same_lesion import ADD, CHOOSE, COMPARE
from skinapp.ui.classify.threshold import CHOOSER
from skinapp.ui.classify.your_call import TOGGLE

Upload = tuple[str, bytes, str]
Act = Callable[[AppTest, str, str, object], AppTest]
MakeModel = Callable[..., Path]
ASSESS = "Assess this part"
APP = Path(__file__).parents[2] / "streamlit_app.py"


def jpeg(seed: int) -> Upload:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (3, 4, 3), dtype=np.uint8)  # large patches: photos that networks tell apart
    pixels = coarse.repeat(30, axis=0).repeat(30, axis=1)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return (f"{seed}.jpg", file.getvalue(), "image/jpeg")


def press(page: AppTest, label: str) -> AppTest:
    (button,) = [one for one in page.button if one.label == label]
    return button.click().run()


def chosen(app: AppTest, *files: Upload) -> AppTest:
    """Choose photos in the uploader, after a new start where an answer or a frame is shown."""
    page = app if list(app.button) or app.file_uploader else app.run()
    for label in ("New photo", "Another photo"):
        if any(button.label == label for button in page.button):
            page = press(page, label)
    page.file_uploader[0].set_value(list(files))
    return page.run()


def uploaded(app: AppTest, file: Upload) -> AppTest:
    """Upload a photo and have the whole of it assessed, unless it is refused before."""
    page = chosen(app, file)
    desk = page.session_state["desk"]
    for draft in desk.drafts:
        whole = find_largest_square(draft.width, draft.height)
        page.session_state["desk"] = desk.move_frame(draft.id, whole)
        page = press(page, ASSESS)
    return page


def get_answer(page: AppTest) -> Answer:
    answer = page.session_state["desk"].answer
    assert answer is not None
    return answer


def words(page: AppTest) -> str:
    parts = (page.markdown, page.caption, page.warning, page.info)
    return "\n".join(element.value for part in parts for element in part)


def test_page_opens_with_the_uploader_and_says_dermoscopy_only(app: AppTest) -> None:
    page = app.run()
    assert not page.exception
    assert page.file_uploader
    assert "Dermoscopy only" in words(page)
    assert NOTICE in words(page)


def test_upload_is_answered_as_the_assessor_answers(app: AppTest, models: Path) -> None:
    file = jpeg(1)
    page = uploaded(app, file)
    expected = load_assessor(models).assess(read_photo(file[1]))

    assert not page.exception
    tables = [table.value["Score"].to_dict() for table in page.table]
    assert tables[0] == {
        "Malignant": f"{expected.malignant_score:.1%}",
        "Benign": f"{1 - expected.malignant_score:.1%}",
    }
    best, score = expected.lesion_type.rank()[0]
    assert tables[1][f"{get_class_name(best)} ({best})"] == f"{score:.1%}"
    assert len(tables[1]) == 8
    (link,) = [one.proto for one in page.get("page_link") if one.proto.label.startswith("What these types are")]
    assert f"type={best}" in link.query_string
    text = words(page)
    for needed in ("Model score, not the chance of cancer", ALWAYS, DARKER_SKIN, NOTICE, NOT_CHECKED):
        assert needed in text
    assert "Dermoscopy only" not in text


def test_melanoma_is_named_even_when_it_is_not_among_the_three(app: AppTest, models: Path) -> None:
    assessor = load_assessor(models)
    for seed in range(40):
        ranked = [code for code, _ in assessor.assess(read_photo(jpeg(seed)[1])).lesion_type.rank()]
        if "mel" not in ranked[:3]:
            break
    else:
        pytest.fail("no seed gave a photo with melanoma outside the three: widen the search")
    assert "Melanoma is not among the top three" in words(uploaded(app, jpeg(seed)))


def test_refused_file_gets_its_sentence_and_the_page_stays_usable(app: AppTest) -> None:
    page = uploaded(app, ("notes.jpg", b"this is no picture at all", "image/jpeg"))
    assert not page.exception
    assert len(page.error) == 1
    assert not page.table
    page = uploaded(page, jpeg(2))
    assert not page.error
    assert page.table


def test_a_refusal_stays_until_another_photo_is_chosen(app: AppTest) -> None:
    page = uploaded(app, jpeg(2))
    page = uploaded(page, ("notes.jpg", b"this is no picture at all", "image/jpeg"))
    (said,) = [error.value for error in page.error]
    assert not page.table
    page.run()
    assert [error.value for error in page.error] == [said]


def test_the_server_keeps_no_copy_of_an_answered_photo(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []
    monkeypatch.setattr("skinapp.ui.uploads.release", lambda file: released.append(file.name))
    page = uploaded(app, jpeg(3))
    assert released == ["3.jpg"]
    assert not [value for value in vars(get_answer(page)).values() if isinstance(value, bytes)]
    assert not page.session_state["desk"].drafts
    uploaded(page, ("notes.jpg", b"this is no picture at all", "image/jpeg"))
    assert released == ["3.jpg", "notes.jpg"]


@pytest.fixture
def with_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], str]:
    """Return what puts the photo of an example in the folder of examples and returns its id."""
    monkeypatch.setenv("SKINAPP_EXAMPLES", str(tmp_path))

    def put(number: int) -> str:
        image_id = loaders.get_showcase()[number].image_id
        (tmp_path / f"{image_id}.jpg").write_bytes(jpeg(7)[1])
        return image_id

    return put


def test_answer_and_choice_outlive_a_visit_to_another_page(
    app: AppTest, with_example: Callable[[int], str], act: Act
) -> None:
    with_example(4)
    page = app.run()
    page.segmented_control[0].select("Example").run()
    page = press(act(page, "examples", "open", 4), ASSESS)
    tables = [table.value.to_dict() for table in page.table]
    page.switch_page("pages/types.py").run()
    assert not page.table
    page.switch_page("pages/classify.py").run()
    assert not page.exception
    assert not page.warning[1:]
    assert [table.value.to_dict() for table in page.table] == tables
    page = press(page, "New photo")
    assert page.segmented_control[0].value == "Example"


def test_a_photo_that_waits_for_its_frame_is_let_go_when_the_visitor_leaves(app: AppTest) -> None:
    page = chosen(app, jpeg(3))
    assert page.session_state["desk"].drafts
    page.switch_page("pages/types.py").run()
    assert not page.session_state["desk"].drafts
    page.switch_page("pages/classify.py").run()
    assert page.file_uploader


def test_nothing_is_assessed_before_its_frame_was_shown(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    get_assessor()
    calls = []
    original = Assessor.assess_batch
    monkeypatch.setattr(Assessor, "assess_batch", lambda self, photos: calls.append(1) or original(self, photos))
    page = chosen(app, jpeg(3))
    assert [one.key for one in page.get("bidi_component") if (one.key or "").startswith("framing")]
    assert not calls
    assert not page.table
    assert not page.file_uploader
    assert press(page, ASSESS).table
    assert len(calls) == 1


def test_the_framed_part_alone_is_assessed(app: AppTest, models: Path, act: Act) -> None:
    file = jpeg(3)
    page = chosen(app, file)
    (draft,) = page.session_state["desk"].drafts
    frame = {"id": draft.id, "left": 30, "top": 10, "side": 70}
    answer = get_answer(act(page, "framing", "assess", frame))
    expected = load_assessor(models).assess(read_photo(file[1], Square(30, 10, 70)))
    assert answer.frame == Square(30, 10, 70)
    assert answer.assessment.malignant_score == expected.malignant_score
    assert answer.assessment.malignant_score != load_assessor(models).assess(read_photo(file[1])).malignant_score
    assert (answer.assessment.width, answer.assessment.height) == (120, 90)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"left": -5, "top": 500, "side": 9_000}, Square(0, 0, 90)),
        ({"left": 1, "top": 1, "side": 1}, Square(1, 1, 64)),
        ({"left": "1", "top": 1, "side": 1}, None),
        ({"left": 1, "top": 1}, None),
        ("frame", None),
        ({"id": "another photo", "left": 1, "top": 1, "side": 70}, None),
    ],
)
def test_a_frame_that_a_browser_makes_up_is_fitted_or_ignored(
    app: AppTest, act: Act, sent: object, kept: Square | None
) -> None:
    page = chosen(app, jpeg(3))
    (draft,) = page.session_state["desk"].drafts
    sent = {"id": draft.id, **sent} if isinstance(sent, dict) else sent
    assert get_answer(act(page, "framing", "assess", sent)).frame == (kept or draft.proposed)


def test_a_lesion_off_the_centre_is_proposed_in_the_centre(app: AppTest) -> None:
    pixels = np.full((300, 400, 3), (225, 180, 160), dtype=np.uint8)
    rows, columns = np.mgrid[:300, :400]
    pixels[(rows - 70) ** 2 + (columns - 320) ** 2 < 35**2] = (90, 50, 40)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    (draft,) = chosen(app, ("lesion.png", file.getvalue(), "image/png")).session_state["desk"].drafts
    square = draft.square
    assert square == draft.proposed
    assert (square.left + square.side / 2, square.top + square.side / 2) == pytest.approx((320, 70), abs=12)
    assert 120 <= square.side <= 180


def test_another_photo_lets_the_first_one_go(app: AppTest) -> None:
    page = press(chosen(app, jpeg(3)), "Another photo")
    assert not page.session_state["desk"].drafts
    assert page.file_uploader[0].value == []


def test_a_new_photo_keeps_the_answer_in_the_tray(app: AppTest, act: Act) -> None:
    page = uploaded(app, jpeg(3))
    score = get_answer(page).assessment.malignant_score
    page = uploaded(page, jpeg(4))
    assert get_answer(page).assessment.malignant_score != score
    page = press(page, "All 2 answers")
    assert not page.table
    page = act(page, "tray", "open", 1)
    assert get_answer(page).assessment.malignant_score == score
    assert page.table


def test_forget_all_forgets_photos_and_answers(app: AppTest) -> None:
    page = press(uploaded(app, jpeg(3)), "Forget all")
    assert not page.exception
    assert not page.table
    assert not page.get("bidi_component")[2:]
    assert page.file_uploader[0].value == []
    assert "Dermoscopy only" in words(page)


def test_several_photos_are_framed_together_and_answered_into_the_tray(app: AppTest, act: Act) -> None:
    page = chosen(app, jpeg(1), ("notes.jpg", b"this is no picture at all", "image/jpeg"), jpeg(2), jpeg(3))
    (said,) = [error.value for error in page.error]
    assert said.startswith("notes.jpg: ")
    second = page.session_state["desk"].drafts[1]
    page = act(page, "drafts", "open", second.id)
    page = press(page, "Leave this photo out")
    page = press(page, "Assess all 2")
    assert not page.exception
    desk = page.session_state["desk"]
    assert [answer.name for answer in desk.answers] == ["1.jpg", "3.jpg"]
    assert desk.opened is None
    assert not desk.drafts
    assert page.segmented_control(key="tray-order-0").value == "score"


def test_more_photos_than_the_tray_holds_are_named(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinapp.ui.classify.drafting.MAX_PHOTOS", 2)
    page = chosen(app, jpeg(1), jpeg(2), jpeg(3))
    assert len(page.session_state["desk"].drafts) == 2
    assert "Of 3 photos the first 2 were taken" in page.error[0].value


def test_the_frame_of_an_answered_photo_can_be_changed_once_it_is_there_again(app: AppTest, act: Act) -> None:
    file = jpeg(3)
    page = chosen(app, file)
    frame = {"id": page.session_state["desk"].drafts[0].id, "left": 30, "top": 10, "side": 70}
    page = press(act(page, "framing", "assess", frame), "Change the frame")
    asked = page.session_state["desk"].again
    assert (asked.name, asked.size_bytes) == ("3.jpg", len(file[1]))
    page.file_uploader[0].set_value([file]).run()
    assert page.session_state["desk"].drafts[0].square == Square(30, 10, 70)


def test_a_rerun_computes_nothing_twice(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    get_assessor()  # loading it answers a blank photo
    calls = []
    original = Assessor.assess_batch
    monkeypatch.setattr(Assessor, "assess_batch", lambda self, photos: calls.append(1) or original(self, photos))
    page = uploaded(app, jpeg(4))
    page.run()
    page.run()
    assert len(calls) == 1
    uploaded(page, jpeg(5))
    assert len(calls) == 2


Loads = list[Path]


@pytest.fixture
def loads(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> Loads:
    """Return the folders that models are loaded from, in a list that grows with each load."""
    folders: Loads = []

    def load_slowly(models: Path) -> Assessor:
        folders.append(models)
        time.sleep(0.2)  # long enough that every other thread arrives meanwhile
        return load_assessor(models)

    monkeypatch.setattr("skinapp.inference.assessor.load_assessor", load_slowly)
    return folders


def test_models_are_loaded_once_for_many_visitors(app: AppTest, loads: Loads) -> None:
    uploaded(app, jpeg(6))
    uploaded(AppTest.from_file(APP, default_timeout=60), jpeg(6))
    assert len(loads) == 1


def test_visitors_who_come_at_once_wait_for_one_load(loads: Loads) -> None:
    with ThreadPoolExecutor(8) as visitors:
        assessors = list(visitors.map(lambda _: get_assessor(), range(8)))
    assert len(loads) == 1
    assert len({id(assessor) for assessor in assessors}) == 1


def test_the_model_is_loaded_and_warm_while_the_visitor_chooses_a_photo(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_load, warmed = threading.Event(), threading.Event()
    original = Assessor.assess_batch

    def load(models: Path) -> Assessor:
        may_load.wait(timeout=60)
        return load_assessor(models)

    def assess(self: Assessor, photos: Sequence[Photo]) -> list[Assessment]:
        answers = original(self, photos)
        warmed.set()
        return answers

    monkeypatch.setattr("skinapp.inference.assessor.load_assessor", load)
    monkeypatch.setattr(Assessor, "assess_batch", assess)
    page = app.run()  # would time out if it waited for the model
    assert "Dermoscopy only" in words(page)
    may_load.set()
    assert warmed.wait(timeout=60)


def test_a_model_that_could_not_be_loaded_is_tried_again(
    app: AppTest, tmp_path: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINAPP_MODELS", str(tmp_path))
    page = uploaded(app, jpeg(9))
    assert not page.exception
    assert "SKINAPP_MODELS" in page.error[0].value
    make_model(tmp_path / "pair", "both", seed=3)
    page = press(page, ASSESS)
    assert not page.error
    assert NO_THRESHOLD in words(page)


def test_example_is_labelled_only_after_the_answer(app: AppTest, with_example: Callable[[int], str], act: Act) -> None:
    with_example(0)
    first = loaders.get_showcase()[0]
    page = app.run()
    page.segmented_control[0].select("Example").run()
    page = act(page, "examples", "open", 0)
    assert get_class_name(first.diagnosis) not in words(page)
    page = press(page, ASSESS)
    assert not page.exception
    assert get_class_name(first.diagnosis) in page.info[0].value
    assert page.table


def test_examples_are_shown_eight_at_a_time(app: AppTest, with_example: Callable[[int], str]) -> None:
    with_example(3)
    page = app.run()
    page.segmented_control[0].select("Example").run()
    (grid,) = [one for one in page.get("bidi_component") if (one.key or "").startswith("examples")]
    cells = json.loads(grid.proto.json)["cells"]
    assert [cell["id"] for cell in cells] == list(range(8))
    assert [cell["id"] for cell in cells if cell["url"].startswith("data:image/jpeg")] == [3]


def test_surprise_me_takes_one_of_the_examples(app: AppTest, with_example: Callable[[int], str]) -> None:
    ids = {with_example(number) for number in range(len(loaders.get_showcase()))}
    page = app.run()
    page.segmented_control[0].select("Example").run()
    page = press(page, "Surprise me")
    (draft,) = page.session_state["desk"].drafts
    assert draft.id in ids


def test_missing_example_gets_one_sentence(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Act
) -> None:
    monkeypatch.setenv("SKINAPP_EXAMPLES", str(tmp_path))
    page = app.run()
    page.segmented_control[0].select("Example").run()
    page = act(page, "examples", "open", 0)
    assert not page.exception
    assert len(page.warning) == 1


def test_camera_photo_is_answered(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinapp.ui.classify.photo_input.is_camera_allowed", lambda url: True)
    page = app.run()
    page.segmented_control[0].select("Camera").run()
    page.camera_input[0].set_value(jpeg(8)).run()
    page = press(page, ASSESS)
    assert not page.exception
    assert page.table


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://skin.example/", True),
        ("http://localhost:8501/", True),
        ("http://127.0.0.1:8501/", True),
        ("http://192.168.1.7:8501/", False),
        (None, False),
    ],
)
def test_camera_needs_a_secure_page(url: str | None, allowed: bool) -> None:
    assert is_camera_allowed(url) is allowed


def test_insecure_page_points_to_the_uploader(app: AppTest) -> None:
    page = app.run()
    page.segmented_control[0].select("Camera").run()
    assert not page.camera_input
    assert "Choose Upload" in page.info[0].value


def test_no_photo_lies_in_a_shared_cache(app: AppTest) -> None:
    """Two visitors upload the same photo: each is answered from the network, none from the other's session."""
    page = uploaded(app, jpeg(10))
    other = AppTest.from_file(APP, default_timeout=60).run()
    assert get_answer(page).assessment.sha256
    assert "desk" not in other.session_state


SHARES = (0.2, 0.8)


def heads(shares: tuple[float, ...] = SHARES) -> tuple[Head, ...]:
    # A hot temperature keeps the random network's scores off 0 and 1, where nothing moves.
    malignancy = Head(name="malignancy", classes=MALIGNANCY_CLASSES, temperature=20.0, shares=shares)
    return (malignancy, Head(name="lesion_type", classes=CODES, temperature=20.0))


def measured(metric: str, value: float, low: float, high: float, **changes: object) -> CardFigure:
    facts = {"task": "malignancy", "run": "a", "split": "test", "photos": 9, "lesions": 9}
    return CardFigure(**facts | {"metric": metric, "value": value, "low": low, "high": high} | changes)


@pytest.fixture
def with_pair(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_model: MakeModel) -> MakeModel:
    """Return what puts a pair with fields of its card in place of the app's models, and the app on its first page."""
    monkeypatch.setenv("SKINAPP_MODELS", str(tmp_path / "models"))

    def make(**changes: object) -> Path:
        decides = {"heads": heads(), "operating_points": (OperatingPoint(sensitivity=0.95, threshold=0.2),)}
        return make_model(tmp_path / "models" / "pair", "both", seed=3, **decides | changes)

    return make


def score_of(models: Path, file: Upload) -> float:
    return load_assessor(models).assess(read_photo(file[1])).malignant_score


def test_a_pair_answers_both_questions(app: AppTest, with_pair: MakeModel) -> None:
    folder = with_pair(operating_points=())
    file = jpeg(1)
    page = uploaded(app, file)
    assert not page.exception
    assert not page.table
    assert NO_THRESHOLD in words(page)
    page.toggle[0].set_value(True).run()
    expected = load_assessor(folder.parent).assess(read_photo(file[1]))
    tables = [table.value["Score"].to_dict() for table in page.table]
    assert tables[0]["Malignant"] == f"{expected.malignant_score:.1%}"
    best, score = expected.lesion_type.rank()[0]
    assert tables[1][f"{get_class_name(best)} ({best})"] == f"{score:.1%}"
    assert "95% threshold" not in words(page)


def test_the_sizes_in_which_networks_of_an_average_see_a_photo_are_said(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_average: Callable[[Path], Path]
) -> None:
    folder = make_average(tmp_path / "models" / "average")
    monkeypatch.setenv("SKINAPP_MODELS", str(folder.parent))
    assert "resized to 32 x 32 pixels, for some networks to 24 x 24." in words(uploaded(app, jpeg(1)))


def test_each_answer_of_a_pair_has_the_test_figures_of_its_own_head(
    app: AppTest, with_pair: MakeModel, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = SplitFacts(photos=1, lesions=1, malignant_share=0.5)
    table = data_root / "table.parquet"
    data = DataFacts(
        table="table", table_sha256=compute_sha256(table), sources=("a",), train=part, validation=part, limits=()
    )
    folder = with_pair(
        data=data,
        figures=(measured("malignant_auroc", 0.5, 0.4, 0.6, group=NO_BENIGN_CAMERAS),),
    )
    arguments = ["evaluate", folder, table, "--data", data_root]
    monkeypatch.setattr("sys.argv", ["skinapp", *map(str, arguments)])
    with pytest.raises(SystemExit):
        main()
    types = load_run(folder / "runs" / "table-test-lesion-type")
    truth = types.frame["truth"].where(types.frame["truth"] != types.frame["truth"][0], "mel")
    save_run(replace(types, frame=types.frame.assign(truth=truth)), folder / "runs" / types.name)
    text = words(with_open_figures(uploaded(app, jpeg(1))))
    malignancy, lesion_type = (
        compute_headline(load_run(folder / "runs" / f"table-test-{head}")) for head in ("malignancy", "lesion-type")
    )
    assert f"AUROC {malignancy.malignant_auroc:.2f} (" in text
    assert "without cameras of under 1% malignant photos 0.50 (0.40 to 0.60)" in text
    assert f"balanced accuracy {lesion_type.balanced_accuracy:.2f} (" in text
    recall = compute_per_class(load_run(folder / "runs" / types.name)).set_index("class").loc["mel", "recall"]
    assert f"melanomas named as melanoma {recall:.2f} (" in text
    assert malignancy.balanced_accuracy != pytest.approx(lesion_type.balanced_accuracy, abs=0.01)


def test_a_score_is_held_against_the_threshold_and_never_reassures(app: AppTest, with_pair: MakeModel) -> None:
    file = jpeg(1)
    score = score_of(with_pair().parent, file)
    figures = (
        measured("sensitivity", 0.9, 0.8, 0.95, sensitivity=0.95, split="validation"),
        measured("sensitivity", 0.5, 0.4, 0.6, sensitivity=0.95, grouped_by="sex", group="male"),
        measured("sensitivity", 0.93, 0.9, 0.955, sensitivity=0.95),
        measured("specificity", 0.75, 0.7, 0.8, sensitivity=0.95),
        measured("specificity", 0.375, 0.3, 0.45, sensitivity=0.95, group="histology-confirmed photos only"),
        measured("sensitivity", 0.875, 0.8, 0.95, sensitivity=0.95, grouped_by="diagnosis", group="Melanoma"),
    )
    for threshold, said in (
        (score / 2, "Above the 95% threshold"),
        ((1 + score) / 2, "Below the 95% threshold"),
    ):
        with_pair(operating_points=(OperatingPoint(sensitivity=0.95, threshold=threshold),), figures=figures)
        st.cache_resource.clear()
        page = uploaded(AppTest.from_file(APP, default_timeout=60), file)
        (line,) = [one for one in page.markdown if "95% threshold**" in one.value]
        assert said in line.value
        assert f"(a score of {format_threshold(threshold)}, the tick" in line.value
        assert "95% of the malignant validation photos" in line.help
        if threshold > score:
            assert "does not mean healthy" in line.value
            assert "7.0% (4.5% to 10.0%) of them on test, and 12.5% (5.0% to 20.0%) of the melanomas." in line.value
        else:
            benign = (
                "25.0% (20.0% to 30.0%) of them on test, and 62.5% (55.0% to 70.0%) of those confirmed by histology."
            )
            assert benign in line.value


def test_a_threshold_without_figures_says_no_number_that_nobody_measured(app: AppTest, with_pair: MakeModel) -> None:
    with_pair(operating_points=(OperatingPoint(sensitivity=0.95, threshold=1.0),))
    page = uploaded(app, jpeg(1))
    lines = [one.value for one in page.markdown if "95% threshold**" in one.value]
    assert all("test" not in line for line in lines)
    assert "lesions about" not in words(page)


def verdict(page: AppTest) -> str:
    (said,) = [one.value for one in page.subheader if any(headline in one.value for headline in HEADLINES.values())]
    return said


@pytest.mark.parametrize("photo", range(1, 4))
def test_a_benign_type_on_top_does_not_outweigh_the_verdict(app: AppTest, with_pair: MakeModel, photo: int) -> None:
    with_pair(operating_points=(OperatingPoint(sensitivity=0.95, threshold=1e-9),))
    page = uploaded(app, jpeg(photo))
    assert HEADLINES["flagged"] in verdict(page)
    assessment = get_answer(page).assessment
    likeliest, _ = assessment.lesion_type.rank()[0]
    assert ("The likeliest type is benign" in words(page)) != is_malignant(likeliest)
    for reason in decide_triage(assessment).reasons:
        assert reason in words(page)


def test_the_chosen_operating_point_decides_and_stays_for_the_next_photo(app: AppTest, with_pair: MakeModel) -> None:
    file = jpeg(1)
    score = score_of(with_pair().parent, file)
    points = zip((0.9, 0.95, 0.98), ((1 + score) / 2, score / 2, score / 4), strict=True)
    with_pair(operating_points=tuple(OperatingPoint(sensitivity=sens, threshold=limit) for sens, limit in points))
    page = uploaded(app, file)
    assert HEADLINES["flagged"] in verdict(page)
    chooser = next(one for one in page.segmented_control if one.label == CHOOSER)
    assert chooser.value == 0.95
    chooser.select(0.9).run()
    strict = decide_triage(get_answer(page).assessment, 0.9)
    assert HEADLINES[strict.category] in verdict(page)
    assert strict.reasons[0] in words(page)
    assert "the threshold for 90% sensitivity" in words(page) or strict.category == "flagged"
    page = uploaded(page, jpeg(2))
    assert next(one for one in page.segmented_control if one.label == CHOOSER).value == 0.9
    page = press(page, "Forget all")
    page = uploaded(page, jpeg(1))
    assert next(one for one in page.segmented_control if one.label == CHOOSER).value == 0.9


def test_the_types_that_the_answer_is_among_are_said_where_the_model_has_sets(
    app: AppTest, with_pair: MakeModel
) -> None:
    held = Measured(value=0.9, low=0.8, high=0.95, photos=9)
    classes = tuple(ClassSet(label=code, threshold=1e-6, photos=9) for code in CODES)
    facts = ConformalFacts(level=0.9, fitted_on="a", measured_on="b", classes=classes, coverage=held, size=held)
    with_pair(conformal=facts)
    page = uploaded(app, jpeg(1))
    (line,) = [one for one in page.markdown if "confidence the type is" in one.value]
    assert all(get_class_name(code) in line.value for code in CODES)
    assert "On test 90.0% (80.0% to 95.0%) had it" in line.help


def test_a_second_photo_of_a_lesion_changes_the_answer_to_their_mean(app: AppTest, with_pair: MakeModel) -> None:
    held = Measured(value=0.2, low=0.1, high=0.3, photos=9, lesions=4)
    facts = {"quantile": 0.9, "limit": 1.0, "lesions": 30, "fitted_on": "a", "measured_on": "b", "wide": held}
    with_pair(repeats=RepeatFacts(**facts, changes_type=held, changes_side=held))
    page = uploaded(app, jpeg(1))
    first = get_answer(page).assessment
    assert "20.0% (10.0% to 30.0%) changed their likeliest type" in words(page)
    page = press(page, ADD)
    assert "The next photo joins the lesion of" in words(page)
    page = uploaded(page, jpeg(2))
    assert not page.exception
    second = get_answer(page).assessment
    assert first.malignant_score != pytest.approx(second.malignant_score)
    mean = (first.malignant_score + second.malignant_score) / 2
    assert page.table[0].value["Score"]["Malignant"] == f"{mean:.1%}"
    assert "its 2 photos" in words(page)

    (choice,) = [one for one in page.multiselect if one.label == CHOOSE]
    choice.set_value([]).run()
    assert page.table[0].value["Score"]["Malignant"] == f"{second.malignant_score:.1%}"
    (earlier,) = [one for one in page.selectbox if one.label == COMPARE]
    earlier.select(1).run()
    assert not page.exception
    assert "In 90% of 30 lesions the scores of several photos differ by at most 100 percentage points." in words(page)


def test_photos_that_are_too_far_apart_are_not_assessable_before_their_scores_are_asked_for(
    app: AppTest, with_pair: MakeModel
) -> None:
    files = (jpeg(1), jpeg(2))
    folder = with_pair().parent
    scores = [score_of(folder, file) for file in files]
    none = Measured(value=None, photos=0)
    facts = {"quantile": 0.9, "limit": 0.0, "lesions": 30, "fitted_on": "a", "measured_on": "b", "wide": none}
    point = OperatingPoint(sensitivity=0.95, threshold=(min(scores) + max(scores)) / 2 + 1e-3)
    with_pair(repeats=RepeatFacts(**facts, changes_type=None, changes_side=None), operating_points=(point,))
    page = uploaded(press(uploaded(app, files[0]), ADD), files[1])
    assert HEADLINES["not_assessable"] in verdict(page)
    assert not page.table
    (toggle,) = [one for one in page.toggle if one.label == SHOW_ANYWAY]
    toggle.set_value(True).run()
    assert page.table


def test_the_readers_own_call_comes_before_the_answer(app: AppTest) -> None:
    page = app.run()
    (toggle,) = [one for one in page.toggle if one.label == TOGGLE]
    toggle.set_value(True).run()
    page = uploaded(page, jpeg(1))
    assert not page.exception
    assert ASK in [one.value for one in page.subheader]
    said = words(page)
    triage = decide_triage(get_answer(page).assessment)
    assert not page.table
    assert triage.headline not in said
    assert not [reason for reason in triage.reasons if reason in said]
    page = press(page, FLAG)
    assert triage.headline in verdict(page)
    assert describe_call(Call(True, triage.category)) in words(page)
    assert "of 1 photo so far" in words(page)
    page = uploaded(page, jpeg(2))
    assert ASK in [one.value for one in page.subheader]
    page = press(page, LEAVE)
    assert "of 2 photos so far" in words(page)


def with_open_figures(page: AppTest) -> AppTest:
    page.session_state["test-figures-0"] = True
    return page.run()


def frequencies(page: AppTest) -> str:
    (line,) = [one for one in page.markdown if one.value.startswith("**Of 100 flagged lesions")]
    return f"{line.value} {line.help}"


def prevalence_words(page: AppTest) -> str:
    (expander,) = [one for one in page.expander if one.label == SCORES]
    assert not expander.proto.expanded
    return "\n".join(one.value for one in expander.markdown)


def test_another_prevalence_restates_score_and_threshold(app: AppTest, with_pair: MakeModel) -> None:
    file, threshold = jpeg(1), 0.125
    folder = with_pair(operating_points=(OperatingPoint(sensitivity=0.95, threshold=threshold),))
    score = score_of(folder.parent, file)
    page = uploaded(app, file)
    assert page.number_input[0].value == 20.0
    text = prevalence_words(page)
    assert f"Score: **{format_score(score)}** at the model's own prevalence (20% malignant)." in text
    assert "at a prevalence of" not in text

    page.number_input[0].set_value(3.0).run()
    assert not page.exception
    text = prevalence_words(page)
    for one in (score, threshold):
        assert f"**{format_score(one)}** at the model's own prevalence (20% malignant)" in text
        assert f"**{format_score(restate_score(one, 0.2, 0.03))}** at a prevalence of 3%." in text
    assert f"stays {'above' if score >= threshold else 'below'} it" in text
    assert format_score(restate_score(score, 0.2, 0.03)) != format_score(score)


def test_until_another_is_chosen_nothing_is_restated_whatever_the_models_share(
    app: AppTest, with_pair: MakeModel
) -> None:
    share = 0.1933725433940611  # a hundred times it, divided by a hundred, is another number
    assert 100 * share / 100 != share
    with_pair(heads=heads((share, 1 - share)))
    text = prevalence_words(uploaded(app, jpeg(1)))
    assert "at the model's own prevalence (19.3% malignant)." in text
    assert "; **" not in text


def test_of_those_above_and_below_the_threshold_it_says_how_many_are_malignant(
    app: AppTest, with_pair: MakeModel
) -> None:
    point = OperatingPoint(sensitivity=0.95, threshold=0.125)
    figures = (
        measured("sensitivity", 0.9, 0.8, 1.0, sensitivity=0.95),
        measured("specificity", 0.7, 0.6, 0.8, sensitivity=0.95),
    )
    with_pair(operating_points=(point,), figures=figures)
    page = uploaded(app, jpeg(1))
    page.number_input[0].set_value(10.0).run()
    # Of 1,000 photos 100 are malignant: 90 of them lie above, with 270 of the 900 others.
    assert compute_predictive_values(0.9, 0.7, 0.1) == pytest.approx((90 / 360, 630 / 640))
    text = frequencies(page)
    assert "Of 100 flagged lesions about 25 are malignant; of 100 not flagged about 2." in text
    assert "95% intervals: 18 to 36 and 0 to 3.6 of 100." in text

    page.number_input[0].set_value(99.0).run()
    assert "Of 100 flagged lesions more than 99 are malignant; of 100 not flagged about 93." in frequencies(page)


def test_among_harder_benign_lesions_fewer_of_those_above_are_malignant(app: AppTest, with_pair: MakeModel) -> None:
    point = OperatingPoint(sensitivity=0.95, threshold=0.125)
    figures = (
        measured("sensitivity", 0.9, 0.8, 1.0, sensitivity=0.95),
        measured("specificity", 0.7, 0.6, 0.8, sensitivity=0.95),
        measured("specificity", 0.2, 0.1, 0.3, sensitivity=0.95, group="histology-confirmed photos only"),
    )
    with_pair(operating_points=(point,), figures=figures)
    page = uploaded(app, jpeg(1))
    page.number_input[0].set_value(10.0).run()
    # Of 1,000 photos 100 are malignant: 90 of them lie above, with 720 of the 900 others.
    assert compute_predictive_values(0.9, 0.2, 0.1)[0] == pytest.approx(90 / 810)
    assert compute_predictive_values(0.9, 0.2, 0.1)[1] == pytest.approx(180 / 190)
    assert "about 25 are malignant; of 100 not flagged about 2." in frequencies(page)
    text = prevalence_words(page)
    assert "Of 100 flagged lesions about 11 are malignant; of 100 not flagged about 5." in text
    assert "95% intervals: 9 to 14 and 0 to 18 of 100." in text


def test_the_prevalence_stays_for_the_next_photo_until_it_is_taken_back(app: AppTest, with_pair: MakeModel) -> None:
    with_pair()
    page = uploaded(app, jpeg(1))
    page.number_input[0].set_value(3.0).run()
    page = press(page, "New photo")
    assert not page.number_input
    page = uploaded(page, jpeg(2))
    assert page.number_input[0].value == 3.0
    assert "at a prevalence of 3%" in prevalence_words(page)

    back = next(button for button in page.button if button.label == "Back to the model's 20")
    back.click().run()
    assert page.number_input[0].value == 20.0
    assert "at a prevalence of" not in prevalence_words(page)
    assert not [button for button in page.button if button.label == "Back to the model's 20"]
    assert uploaded(page, jpeg(3)).number_input[0].value == 20.0


def test_an_emptied_field_goes_back_to_the_models_own(app: AppTest, with_pair: MakeModel) -> None:
    with_pair()
    page = uploaded(app, jpeg(1))
    page.number_input[0].set_value(3.0).run()
    page.number_input[0].set_value(None).run()
    assert not page.exception
    assert page.number_input[0].value == 20.0
    assert "at a prevalence of" not in prevalence_words(page)


@pytest.mark.parametrize("shares", [(), (0.0, 1.0), (1.0, 0.0)])
def test_without_a_share_there_is_nothing_to_restate(
    app: AppTest, with_pair: MakeModel, shares: tuple[float, ...]
) -> None:
    with_pair(heads=heads(shares))
    page = uploaded(app, jpeg(1))
    assert page.table
    assert not page.number_input
    assert "at the model's own prevalence" not in words(page)
