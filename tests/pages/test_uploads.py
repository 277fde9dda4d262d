import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skinapp import photo
from skinapp.datasets.readers import upload
from skinapp.runs.own import read

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
