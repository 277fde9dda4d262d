from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from skinapp.cli.console import check_output, data_root, printed, root_of, say, write_answer
from skinapp.errors import DatasetError, SkinAppError

RunCommand = Callable[..., Any]


def test_a_table_is_as_wide_as_its_cells() -> None:
    table = Table("file", "second", box=None)
    table.add_row("a" * 300, "[bold]:smile:")
    (_, row) = printed(table).splitlines()
    assert row.split() == ["a" * 300, "[bold]:smile:"]


def test_sentences_go_to_stderr_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "[b]:smile: " + "word " * 60
    say(sentence)
    assert capsys.readouterr() == ("", f"{sentence}\n")


def test_an_answer_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "answer.txt"
    target.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_answer("\ud800", target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_an_output_is_refused_before_the_work(tmp_path: Path) -> None:
    check_output(None)
    check_output(tmp_path / "new.json")
    for wrong in (tmp_path, tmp_path / "absent" / "new.json"):
        with pytest.raises(SkinAppError, match="cannot be written"):
            check_output(wrong)
        with pytest.raises(SkinAppError, match="cannot be written"):
            write_answer("text", wrong)


def test_roots(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "ham10000"
    folder.mkdir(parents=True)
    assert data_root(tmp_path) == tmp_path
    assert root_of(folder, None) == folder.parent
    assert root_of(folder, tmp_path) == tmp_path
    with pytest.raises(DatasetError, match="does not lie in"):
        root_of(tmp_path, folder)
    for nowhere in (None, tmp_path / "absent"):
        with pytest.raises(DatasetError, match="SKINAPP_DATA"):
            data_root(nowhere)


def test_every_command_has_its_help(run_command: RunCommand) -> None:
    commands = ("classify", "models", "evaluate", "index", "showcase", "split", "train")
    listed = run_command("--help")
    assert listed.code == 0
    for command in commands:
        assert command in listed.out
        assert run_command(command, "--help").code == 0
