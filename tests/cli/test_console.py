import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from rich.table import Table

from skinapp.cli.console import (
    check_data_root,
    check_output,
    check_table_output,
    find_data_root,
    print_error,
    print_message,
    render_table,
    write_answer,
)
from skinapp.cli.main import app
from skinapp.errors import DatasetError, SkinAppError

RunCommand = Callable[..., Any]


def test_a_table_is_as_wide_as_its_cells() -> None:
    table = Table("file", "second", box=None)
    table.add_row("a" * 300, "[bold]:smile:")
    (_, row) = render_table(table).splitlines()
    assert row.split() == ["a" * 300, "[bold]:smile:"]


def test_sentences_go_to_stderr_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "[b]:smile: " + "word " * 60
    print_message(sentence)
    assert capsys.readouterr() == ("", f"{sentence}\n")


def test_no_name_reaches_the_terminal_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b]0;owned\x07\r\x9b2Jcaf\udce9.jpg"
    print_message(f"one\ntwo: {name}")
    print_error(name)
    table = Table("file", box=None)
    table.add_row(name)
    shown = capsys.readouterr().err + render_table(table)
    assert not [letter for letter in shown if not letter.isprintable() and letter != "\n"]
    assert shown.count("caf\\xe9.jpg") == 3


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
    assert check_data_root(tmp_path) == tmp_path
    assert find_data_root(folder, None) == folder.parent
    assert find_data_root(folder, tmp_path) == tmp_path
    with pytest.raises(DatasetError, match="not in the data root"):
        find_data_root(tmp_path, folder)
    for nowhere in (None, tmp_path / "absent"):
        with pytest.raises(DatasetError, match="SKINAPP_DATA"):
            check_data_root(nowhere)


def test_every_command_has_its_help(run_command: RunCommand) -> None:
    commands = ("classify", "models", "evaluate", "index", "showcase", "split", "train")
    listed = run_command("--help")
    assert listed.code == 0
    for command in commands:
        assert command in listed.out
        assert run_command(command, "--help").code == 0


def help_texts(command: click.Command) -> Iterator[str]:
    """Yield every help text of a command, its parameters and its subcommands."""
    yield command.help or ""
    yield from (getattr(parameter, "help", None) or "" for parameter in command.params)
    for inner in getattr(command, "commands", {}).values():
        yield from help_texts(inner)


def test_no_help_text_has_brackets_that_rich_would_take_for_markup() -> None:
    texts = list(help_texts(typer.main.get_command(app)))
    assert len(texts) > 50
    assert [text for text in texts if "[" in text] == []


def test_help_imports_no_heavy_library() -> None:
    heavy = {"torch", "torchvision", "lightning", "sklearn", "scipy.stats", "plotly", "streamlit"}
    code = f"import skinapp.cli.main, sys; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("arguments", [("--help",), ("runs", "--models", "absent", "--format", "json")])
def test_an_output_that_is_full_is_named(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", "from skinapp.cli.main import main; main()", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "cannot be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_command_reads_is_not_overwritten(tmp_path: Path) -> None:
    photo, link, other = tmp_path / "photo.jpg", tmp_path / "link.jpg", tmp_path / "other.csv"
    photo.write_bytes(b"a photo")
    link.symlink_to(photo)
    other.touch()
    check_output(other, photo, None, tmp_path / "absent.jpg")
    for output in (photo, link):
        with pytest.raises(SkinAppError, match="is read by this command and would be lost"):
            check_output(output, other, photo)


def test_an_image_table_replaces_an_image_table_alone(tmp_path: Path) -> None:
    table, csv = tmp_path / "table.parquet", tmp_path / "table.csv"
    table.write_bytes(b"PAR1 and so on")
    csv.write_text("path,dx\n")
    for fine in (table, tmp_path / "new.parquet"):
        check_table_output(fine)
    with pytest.raises(SkinAppError, match="no image table"):
        check_table_output(csv)
