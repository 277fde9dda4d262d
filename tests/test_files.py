import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skinapp.errors import SkinAppError
from skinapp.files import check_replaceable, finish_replacing, replace_file, replace_together

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


def test_a_link_stays_and_the_file_it_points_to_is_replaced(old: Path, tmp_path: Path) -> None:
    link, dangling = tmp_path / "link", tmp_path / "dangling"
    link.symlink_to(old / "a")
    dangling.symlink_to(old / "made")
    for path in (link, dangling):
        with replace_file(path) as aside:
            aside.write_text("new")
        assert path.is_symlink()
    assert (old / "a").read_text() == (old / "made").read_text() == "new"


def test_only_files_are_replaced(old: Path, tmp_path: Path) -> None:
    pipe, link, circle = tmp_path / "pipe", tmp_path / "link", tmp_path / "circle"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    circle.symlink_to(circle)
    faults = {
        pipe: "a device or a pipe",
        link: "a device or a pipe",
        Path("/dev/null"): "a device or a pipe",
        old: "it is a folder",
        tmp_path / "absent" / "a": "its folder is missing",
    }
    for path, fault in faults.items():
        with pytest.raises(SkinAppError, match=fault):
            check_replaceable(path)
        with pytest.raises(SkinAppError, match=fault), replace_file(path):
            pytest.fail("the block ran")
    assert Path("/dev/null").is_char_device()


def test_a_folder_that_takes_no_file_is_refused(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != old)  # root may write anywhere
    with pytest.raises(SkinAppError, match="its folder is read-only"):
        check_replaceable(old / "a")


def test_the_standard_output_is_printed_to(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with replace_file(Path("/dev/stdout")) as aside:
        aside.write_bytes(b"\xffanswer")
    assert capfdbinary.readouterr().out == b"\xffanswer"
