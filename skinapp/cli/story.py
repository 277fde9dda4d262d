"""skinapp story: the claims of two earlier systems and our results, as a table."""

from pathlib import Path
from typing import Annotated

import typer

from skinapp.cli.console import check_output, progress_bar, write_answer
from skinapp.cli.runs import ExperimentsOption
from skinapp.datasets.table import TABLES
from skinapp.files import EXPERIMENTS


def story(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; by default stdout.")] = None,
    experiments: ExperimentsOption = None,
    tables: Annotated[
        Path | None, typer.Option(envvar="SKINAPP_TABLES", help="Folder of image tables; by default those that ship.")
    ] = None,
) -> None:
    """Write the claims of two earlier systems and our results as a Markdown table."""
    from skinapp.story.experiments import StoredExperiments
    from skinapp.story.steps import TITLES, compute_step
    from skinapp.story.table import format_markdown

    check_output(output)
    stored, steps = StoredExperiments(experiments or EXPERIMENTS, tables or TABLES), []
    with progress_bar("Computing") as progress:
        for number in range(1, len(TITLES) + 1):
            steps.append(compute_step(number, stored))
            progress(number, len(TITLES))
    write_answer(format_markdown(steps), output)


def add_commands(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(story)
