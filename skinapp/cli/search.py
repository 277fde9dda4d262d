"""skinapp search: the recipes that were tried, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from skinapp.cli.console import ModelsOption, check_output, models_folder, write_answer
from skinapp.files import SEARCH


def search(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; by default stdout.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder of tried recipes; by default those that ship.")] = None,
    models: ModelsOption = None,
) -> None:
    """Set the recipes that were tried side by side: what each says of the validation photos, as Markdown."""
    from skinapp.cards.tried_recipes import as_markdown, tried_recipes

    check_output(output)
    write_answer(as_markdown(tried_recipes(folder or SEARCH, models_folder(models))), output)


def add_to(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(search)
