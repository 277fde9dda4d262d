import tomllib
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from skinapp import photo
from skinapp.datasets.readers import upload
from skinapp.runs.own import read
from skinapp.ui.dataset.own_table import REPLACED

MB = 2**20
CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
LIMITS_MB = {
    "classify": [photo.MAX_BYTES // MB],
    "dataset": [upload.MAX_BYTES // MB],
    "evaluation": [read.MAX_BYTES // MB] * 2,  # predictions, and their truths
}


@pytest.mark.parametrize("page", LIMITS_MB)
def test_a_page_takes_files_up_to_the_limit_of_what_reads_them(app: AppTest, page: str) -> None:
    opened = app.switch_page(f"pages/{page}.py").run()
    assert [widget.proto.max_upload_size_mb for widget in opened.file_uploader] == LIMITS_MB[page]


def test_the_server_takes_the_largest_of_these_files() -> None:
    server = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["server"]
    assert server["maxUploadSize"] == max(limit for limits in LIMITS_MB.values() for limit in limits)


def put_table(page: AppTest, *file: object) -> AppTest:
    return page.file_uploader(key="own-upload").set_value(file or None).run()


def test_a_mended_table_of_the_same_name_replaces_the_older_and_it_is_said(app: AppTest) -> None:
    page = put_table(app.switch_page("pages/dataset.py").run(), "mine.csv", b"image_id,dx\na,nv\nb,nv\n", "text/csv")
    assert REPLACED not in [caption.value for caption in page.caption]
    page = put_table(page, "mine.csv", b"image_id,dx\na,nv\nb,mel\nc,nv\n", "text/csv")
    assert REPLACED in [caption.value for caption in page.caption]
    assert {metric.label: metric.value for metric in page.metric}["Photos"] == "3"

    page = put_table(page, "mine.csv", b"nothing", "text/csv")
    assert "is closed" in page.error[0].value
    assert "mine.csv" not in page.selectbox(key="table").options
    page = put_table(page, "mine.csv", b"image_id,dx\na,nv\nb,nv\n", "text/csv")
    assert not page.error
    assert {metric.label: metric.value for metric in page.metric}["Photos"] == "2"


def test_a_table_that_is_removed_is_forgotten_with_its_error(app: AppTest) -> None:
    page = put_table(app.switch_page("pages/dataset.py").run(), "mine.csv", b"image_id,dx\na,nv\n", "text/csv")
    page = put_table(page)
    assert "mine.csv" not in page.selectbox(key="table").options
    page = put_table(put_table(page, "bad.csv", b"nothing", "text/csv"))
    assert not page.error


def test_a_folder_named_like_a_shipped_table_is_another_table(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINAPP_LOCAL", "1")
    for label in ("nv", "mel"):
        (tmp_path / "ham10000" / label).mkdir(parents=True)
        Image.new("RGB", (40, 40), (200, 90, 90)).save(tmp_path / "ham10000" / label / f"{label}.png")
    page = app.switch_page("pages/dataset.py").run()
    page.text_input(key="own-folder").set_value(str(tmp_path / "ham10000")).run()
    next(button for button in page.button if button.label == "Index the folder").click().run()
    names = page.selectbox(key="table").options
    assert len(set(names)) == len(names)
    assert {metric.label: metric.value for metric in page.metric}["Photos"] == "2"
    page.selectbox(key="table").set_value("ham10000").run()
    assert {metric.label: metric.value for metric in page.metric}["Photos"] == "10,015"
