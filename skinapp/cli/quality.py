"""skinapp quality: fit the checks of a photo's quality and write them into a model's card."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from skinapp.cli.card import find_own_table
from skinapp.cli.console import (
    DataOption,
    ModelArgument,
    ModelsOption,
    check_data_root,
    find_model_folder,
    print_message,
    progress_bar,
    render_table,
    write_answer,
)
from skinapp.datasets.table import read_table
from skinapp.formatting import PERCENT, format_estimate

if TYPE_CHECKING:
    from skinapp.models.quality import QualityFacts, QualityFigures


def quality(
    model: ModelArgument,
    table: Annotated[
        Path | None,
        typer.Option(help="The image table it was trained on; by default the shipped table of that name."),
    ] = None,
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Fit the limits of blur, darkness, glare and the like on training photos, and write them into a model's card.

    How often each check finds something in validation photos, and in copies with a flaw, is printed and kept with it.
    """
    # Torch is imported by the commands that need it: the others start in a third of the time.
    from skinapp.models.card import CARD, read_card, write_card
    from skinapp.training.fit_quality import fit_quality

    folder, root = find_model_folder(model, models), check_data_root(data)
    card = read_card(folder)
    photos = read_table(find_own_table(card, table))
    with progress_bar("Measuring photos") as progress:
        facts = fit_quality(card, photos, root, progress)
    write_card(folder, read_card(folder).model_copy(update={"quality": facts}))
    assert facts.figures
    write_answer(render_table(_build_table(facts, facts.figures)), None)
    print_message(
        f"A finding of any kind in {format_estimate(facts.figures.any_finding, PERCENT)} of the validation photos; "
        f"{format_estimate(facts.figures.refused, PERCENT)} are refused. Written to {folder / CARD}"
    )


def _build_table(facts: "QualityFacts", figures: "QualityFigures") -> Table:
    table = Table("finding", "limit", "in validation photos", "copies with", "found in", box=None)
    for limit in facts.limits:
        copies = [copy for copy in figures.copies if copy.code == limit.code]
        alarms = format_estimate(figures.false_alarms[limit.code], PERCENT)
        for first, copy in enumerate(copies or [None]):
            own = ("", "", "") if first else (limit.code, f"{limit.warns_beyond:.4g}", alarms)
            found = (copy.kind, format_estimate(copy.found, PERCENT)) if copy else ("", "")
            table.add_row(*own, *found)
    return table


def add_commands(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(quality)
