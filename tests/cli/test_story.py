from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinapp.story.claims import CLAIMS

RunCommand = Callable[..., Any]
STORED = Path(__file__).parents[2] / "docs" / "seed-experiments.md"


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SKINAPP_EXPERIMENTS", "SKINAPP_TABLES"):
        monkeypatch.delenv(name, raising=False)


def test_the_shipped_table_is_what_the_command_writes(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("story", "-o", tmp_path / "written.md")
    assert done.code == 0
    written = (tmp_path / "written.md").read_text(encoding="utf-8")
    assert written == STORED.read_text(encoding="utf-8"), "run `skinapp story -o docs/seed-experiments.md`"


def test_without_runs_every_claim_still_has_its_row(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("story", "--experiments", tmp_path)
    assert done.code == 0
    assert all(f"\n| {claim} | " in done.out for claim in CLAIMS)
    assert "Not stored yet: runs of ham10000-seven-by-photo." in done.out


def test_a_folder_without_tables_is_an_error(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("story", "--tables", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "no image table" in done.err


def test_a_file_that_cannot_be_written_is_an_error_before_anything_is_computed(
    run_command: RunCommand, tmp_path: Path
) -> None:
    done = run_command("story", "-o", tmp_path / "absent" / "story.md")
    assert (done.code, done.out) == (2, "")
    assert "cannot be written" in done.err
