"""skinapp classify: the verdict on photos, with their scores."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skinapp.cli.console import (
    ModelsOption,
    check_output,
    choose_models_folder,
    print_error,
    print_message,
    progress_bar,
    write_answer,
)
from skinapp.cli.print_answers import (
    FileVerdict,
    build_notice,
    format_answers_csv,
    format_answers_json,
    format_answers_table,
    is_unchecked,
)
from skinapp.errors import SkinAppError
from skinapp.formatting import escape_controls
from skinapp.runs.views.operating_points import SENSITIVITIES, SHOWN_SENSITIVITY

if TYPE_CHECKING:
    from skinapp.inference.assessor import Assessor
    from skinapp.inference.files import FileAnswer
    from skinapp.inference.triage import Triage


class OutputFormat(StrEnum):
    """The format of the answer."""

    table = "table"
    json = "json"
    csv = "csv"


_OFFERED = ", ".join(f"{each:.2f}" for each in SENSITIVITIES)


def _check_sensitivity(sensitivity: float) -> float:
    if sensitivity not in SENSITIVITIES:
        raise typer.BadParameter(f"there are thresholds for the sensitivities {_OFFERED} alone.")
    return sensitivity


def classify(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO|FOLDER", help="Folders are searched at any depth.")],
    format: Annotated[OutputFormat, typer.Option("--format", help="Format of the answer.")] = OutputFormat.table,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the answer to this file.")] = None,
    sensitivity: Annotated[
        float, typer.Option(callback=_check_sensitivity, help=f"Of the threshold that flags: {_OFFERED}.")
    ] = SHOWN_SENSITIVITY,
    models: ModelsOption = None,
) -> None:
    """Say of dermoscopy photos whether they are flagged, with the scores for malignancy and lesion type.

    A score is not the chance of cancer, and never a diagnosis. Exit code 0: all photos were read; 1: some were refused;
    2: none were found.
    """
    # Only the commands that need torch import it, because that takes seconds.
    from skinapp.inference.assessor import load_assessor
    from skinapp.inference.files import assess_files

    check_output(output)
    files = _find_photos(photos)
    check_output(output, *files)
    assessor = load_assessor(choose_models_folder(models))
    rows = []
    with progress_bar("Scoring photos") as progress:
        for answer in assess_files(assessor, files):
            rows.append(FileVerdict(answer, _decide(answer, sensitivity)))
            progress(len(rows), len(files))
    write_answer(_format(rows, format, assessor, sensitivity), output)
    refused = [row.answer for row in rows if row.answer.error]
    for answer in refused:
        print_error(f"{escape_controls(str(answer.file))}: {answer.error}")
    print_message(build_notice(any(is_unchecked(row.answer) for row in rows)))
    if refused:
        raise typer.Exit(1)


def _find_photos(photos: Sequence[Path]) -> list[Path]:
    from skinapp.inference.files import find_photos

    try:
        files = find_photos(photos)
        exists = any(file.exists() for file in files)
    except OSError as error:  # such as a name that is too long
        raise SkinAppError(f"{error.filename} cannot be opened ({error.strerror}). Correct the path.") from error
    if not exists:
        raise SkinAppError(f"There is no photo in {', '.join(map(str, photos))}. Name photos, or a folder with photos.")
    return files


def _format(rows: Sequence[FileVerdict], format: OutputFormat, assessor: "Assessor", sensitivity: float) -> str:
    if format is OutputFormat.table:
        return format_answers_table(rows, sensitivity)
    weights = {
        "malignancy": assessor.malignancy_card.weights_sha256,
        "lesion_type": assessor.lesion_type_card.weights_sha256,
    }
    return format_answers_json(rows, weights) if format is OutputFormat.json else format_answers_csv(rows, weights)


def _decide(answer: "FileAnswer", sensitivity: float) -> "Triage | None":
    """Return the verdict on a photo; None for a file that cannot be read."""
    from skinapp.inference.triage import Triage, decide_triage

    if answer.assessment:
        return decide_triage(answer.assessment, sensitivity)
    return Triage("not_assessable", (answer.error or "",), sensitivity, None) if answer.was_read else None


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(classify)
