import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from skinapp.assessment.assess import NOT_CHECKED, NOTICE, Assessor, load_assessor
from skinapp.photo import read_photo
from skinapp.taxonomy import class_name
from skinapp.ui import loaders
from skinapp.ui.photo_input import camera_allowed

Upload = tuple[str, bytes, str]


def jpeg(seed: int) -> Upload:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (3, 4, 3), dtype=np.uint8)  # large patches: photos that networks tell apart
    pixels = coarse.repeat(30, axis=0).repeat(30, axis=1)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return (f"{seed}.jpg", file.getvalue(), "image/jpeg")


def uploaded(app: AppTest, file: Upload) -> AppTest:
    page = app.run() if not app.file_uploader else app
    page.file_uploader[0].set_value(file)
    return page.run()


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
    assert tables[0] == {"Malignant": f"{expected.malignant:.1%}", "Benign": f"{1 - expected.malignant:.1%}"}
    best, score = expected.lesion_type.ranked()[0]
    assert tables[1][f"{class_name(best)} ({best})"] == f"{score:.1%}"
    assert len(tables[1]) == 8
    text = words(page)
    for needed in ("Model score, not the chance of cancer", NOTICE, NOT_CHECKED, "As the network saw it"):
        assert needed in text
    assert "Dermoscopy only" not in text


def test_melanoma_is_named_even_when_it_is_not_among_the_three(app: AppTest, models: Path) -> None:
    assessor = load_assessor(models)
    for seed in range(40):
        ranked = [code for code, _ in assessor.assess(read_photo(jpeg(seed)[1])).lesion_type.ranked()]
        if "mel" not in ranked[:3]:
            break
    else:
        pytest.fail("no seed gave a photo with melanoma outside the three: widen the search")
    assert "Melanoma is not among the three" in words(uploaded(app, jpeg(seed)))


def test_refused_file_gets_its_sentence_and_the_page_stays_usable(app: AppTest) -> None:
    page = uploaded(app, ("notes.jpg", b"this is no picture at all", "image/jpeg"))
    assert not page.exception
    assert len(page.error) == 1
    assert not page.table
    page = uploaded(page, jpeg(2))
    assert not page.error
    assert page.table


def test_start_over_forgets_photo_and_answer(app: AppTest) -> None:
    page = uploaded(app, jpeg(3))
    page.button[0].click().run()
    assert not page.exception
    assert not page.table
    assert page.file_uploader[0].value is None
    assert "Dermoscopy only" in words(page)


def test_a_rerun_computes_nothing_twice(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = Assessor.assess_batch
    monkeypatch.setattr(Assessor, "assess_batch", lambda self, photos: calls.append(1) or original(self, photos))
    page = uploaded(app, jpeg(4))
    page.run()
    page.run()
    assert len(calls) == 1
    uploaded(page, jpeg(5))
    assert len(calls) == 2


def test_models_are_loaded_once_for_many_visitors(app: AppTest, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    original = loaders._load_assessor
    monkeypatch.setattr(loaders, "_load_assessor", lambda root: loads.append(1) or original(root))
    uploaded(app, jpeg(6))
    uploaded(AppTest.from_file(Path(__file__).parents[2] / "streamlit_app.py", default_timeout=60), jpeg(6))
    assert len(loads) == 1


def test_visitors_who_come_at_once_wait_for_one_load(
    app: AppTest, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    original = loaders._load_assessor

    def slow(root: Path) -> Assessor:
        loads.append(1)
        time.sleep(0.2)  # long enough that every other thread arrives meanwhile
        return original(root)

    monkeypatch.setattr(loaders, "_load_assessor", slow)
    with ThreadPoolExecutor(8) as visitors:
        given = list(visitors.map(lambda _: loaders.assessor(), range(8)))
    assert len(loads) == 1
    assert len({id(assessor) for assessor in given}) == 1


def test_example_is_labelled_only_after_the_answer(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = loaders.showcase()[0]
    (tmp_path / f"{first.image_id}.jpg").write_bytes(jpeg(7)[1])
    monkeypatch.setenv("SKINAPP_EXAMPLES", str(tmp_path))
    page = app.run()
    page.segmented_control[0].select("Example").run()
    assert class_name(first.diagnosis) not in words(page)
    page.selectbox[0].select_index(0).run()
    assert not page.exception
    assert class_name(first.diagnosis) in page.info[0].value
    assert page.table


def test_missing_example_gets_one_sentence(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_EXAMPLES", str(tmp_path))
    page = app.run()
    page.segmented_control[0].select("Example").run()
    page.selectbox[0].select_index(0).run()
    assert not page.exception
    assert len(page.warning) == 1


def test_camera_photo_is_answered(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinapp.ui.photo_input.camera_allowed", lambda url: True)
    page = app.run()
    page.segmented_control[0].select("Camera").run()
    page.camera_input[0].set_value(jpeg(8)).run()
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
    assert camera_allowed(url) is allowed


def test_insecure_page_points_to_the_uploader(app: AppTest) -> None:
    page = app.run()
    page.segmented_control[0].select("Camera").run()
    assert not page.camera_input
    assert "Choose Upload" in page.info[0].value


def test_missing_models_give_a_sentence(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_MODELS", str(tmp_path))
    page = uploaded(app, jpeg(9))
    assert not page.exception
    assert "holds no malignancy model" in page.error[0].value


def test_no_photo_lies_in_a_shared_cache(app: AppTest) -> None:
    """Two visitors upload the same photo: each is answered from the network, none from the other's session."""
    page = uploaded(app, jpeg(10))
    other = AppTest.from_file(Path(__file__).parents[2] / "streamlit_app.py", default_timeout=60).run()
    assert page.session_state["answer"].assessment.sha256
    assert "answer" not in other.session_state
