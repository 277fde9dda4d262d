from collections.abc import Callable
from pathlib import Path

import pytest

from skinapp.files import finish_replacing, replace_file, replace_together

KillAtEachStep = Callable[[Path, str, str], list[Path]]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ("a", "b", "other"):
        (folder / name).write_text("old")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir() if file.suffix != ".partial"}


OLD = {"a": "old", "b": "old", "other": "old"}
NEW = {"a": "new", "b": "new", "other": "old"}

IMPORTS = "from skinapp.files import replace_file, replace_together"
REPLACE_TOGETHER = """
with replace_together(folder) as aside:
    (aside / "a").write_text("new")
    (aside / "b").write_text("new")
"""
REPLACE_FILE = """
with replace_file(folder / "a") as aside:
    aside.write_text("new")
"""


def test_files_are_replaced_together_and_others_stay(old: Path) -> None:
    with replace_together(old) as aside:
        for name in ("a", "b"):
            (aside / name).write_text("new")
        assert contents(old) == OLD
    assert contents(old) == NEW
    assert len(list(old.iterdir())) == len(NEW)


def test_a_kill_leaves_all_old_files_or_all_new_ones(old: Path, kill_at_each_step: KillAtEachStep) -> None:
    copies = kill_at_each_step(old, IMPORTS, REPLACE_TOGETHER)
    found = []
    for copy in copies:
        finish_replacing(copy)
        found.append(contents(copy))
    assert len(copies) > 5
    kept = found.index(NEW)
    assert found == [OLD] * kept + [NEW] * (len(found) - kept)
    assert 0 < kept < len(found) - 1


def test_a_kill_leaves_the_old_file_or_the_new_one(old: Path, kill_at_each_step: KillAtEachStep) -> None:
    copies = kill_at_each_step(old, IMPORTS, REPLACE_FILE)
    found = [(copy / "a").read_text() for copy in copies]
    assert set(found) == {"old", "new"}
    assert found == sorted(found, reverse=True)


def test_a_folder_whose_replacing_was_interrupted_can_be_replaced_again(
    old: Path, kill_at_each_step: KillAtEachStep
) -> None:
    for copy in kill_at_each_step(old, IMPORTS, REPLACE_TOGETHER):
        with replace_together(copy) as aside:
            (aside / "a").write_text("newest")
        assert contents(copy)["a"] == "newest"
        assert contents(copy)["b"] in ("old", "new")


def test_nothing_is_replaced_where_writing_fails(old: Path) -> None:
    for replacing, name in ((replace_together(old), "a"), (replace_file(old / "b"), "")):
        with pytest.raises(IsADirectoryError), replacing as aside:
            write_half_and_fail(aside / name)
    assert contents(old) == OLD
    assert len(list(old.iterdir())) == len(OLD)


def write_half_and_fail(path: Path) -> None:
    path.write_text("half")
    path.parent.write_text("no file")
