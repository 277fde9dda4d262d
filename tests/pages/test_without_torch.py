"""Importing torch takes seconds: a page that needs no network opens without it, on a server that just started."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = """
import sys
from streamlit.testing.v1 import AppTest
for name in ("types", "dataset", "evaluation", "models", "story"):
    page = AppTest.from_file(sys.argv[1], default_timeout=300).switch_page(f"pages/{name}.py").run()
    assert page.title and not page.exception and not page.error, (name, page.error, page.exception)
    assert "torch" not in sys.modules, f"{name} imports torch"
page = AppTest.from_file(sys.argv[1], default_timeout=300).run()
page.file_uploader[0].set_value([(sys.argv[2], open(sys.argv[2], "rb").read(), "image/png")]).run()
(assess,) = [button for button in page.button if button.label == "Assess this part"]
assess.click().run()
assert page.table and not page.exception and not page.error, (page.error, page.exception)
assert "torch" in sys.modules, "Classify answers without torch"
"""


def test_only_classify_imports_torch(models: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_MODELS", str(models))
    monkeypatch.setenv("SKINAPP_EXPERIMENTS", str(ROOT / "experiments" / "shortcut-probe"))  # few runs: quickly told
    photo = data_root / "photos" / "photo_00.png"
    command = [sys.executable, "-c", PAGES, ROOT / "streamlit_app.py", photo]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
