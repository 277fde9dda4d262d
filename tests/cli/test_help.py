import re
from collections.abc import Callable
from typing import Any

import pytest
import typer

from skinapp.cli.main import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_shows_every_word_of_a_command_and_its_options(
    run_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Rich takes [words] in brackets for markup and leaves them out."""
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setenv("TERMINAL_WIDTH", "1000")
    command = COMMANDS[name]
    shown = " ".join(re.sub(r"[│╭╮╰╯─]", " ", run_command(name, "--help").out).split())
    texts = [command.help, *(parameter.help for parameter in command.params if getattr(parameter, "help", None))]
    missing = [word for text in texts for word in text.split() if word not in shown]
    assert not missing
