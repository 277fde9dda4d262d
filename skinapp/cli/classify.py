"""skinapp classify: score photos."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

import skinapp
from skinapp.cli.console import (
    ModelsOption,
    check_output,
    choose_models_folder,
    print_error,
    print_message,
    progress_bar,
    render_table,
    write_answer,
)
from skinapp.errors import SkinAppError
from skinapp.formatting import escape_controls
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, get_class_name
from skinapp.text_tables.write import format_csv

if TYPE_CHECKING:
    from skinapp.inference.assessment import Assessment
    from skinapp.inference.assessor import Assessor
    from skinapp.inference.files import FileAnswer


class OutputFormat(StrEnum):
    """The format of the answer."""

    table = "table"
    json = "json"
    csv = "csv"


def classify(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO|FOLDER", help="Folders are searched at any depth.")],
    format: Annotated[OutputFormat, typer.Option("--format", help="Format of the answer.")] = OutputFormat.table,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the answer to this file.")] = None,
    models: ModelsOption = None,
) -> None:
    """Score dermoscopy photos for malignancy and lesion type.

    A score is not the chance of cancer, and never a diagnosis. Exit code 0: all photos were read; 1: some were refused;
    2: none were found.
    """
    # Only the commands that need torch import it, because that takes seconds.
    from skinapp.inference.assessor import load_assessor
    from skinapp.inference.files import assess_files
    from skinapp.notice import NOT_CHECKED, NOTICE

    check_output(output)
    files = _find_photos(photos)
    check_output(output, *files)
    assessor = load_assessor(choose_models_folder(models))
    answers = []
    with progress_bar("Scoring photos") as progress:
        for answer in assess_files(assessor, files):
            answers.append(answer)
            progress(len(answers), len(files))
    formats = {OutputFormat.table: _format_table, OutputFormat.json: _format_json, OutputFormat.csv: _format_csv}
    write_answer(formats[format](answers, assessor), output)
    refused = [answer for answer in answers if answer.error]
    for answer in refused:
        print_error(f"{escape_controls(str(answer.file))}: {answer.error}")
    print_message(f"{NOTICE} {NOT_CHECKED}")
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


def _format_json(answers: "Sequence[FileAnswer]", assessor: "Assessor") -> str:
    from skinapp.notice import NOT_CHECKED, NOTICE

    weights = {
        "malignancy": assessor.malignancy_card.weights_sha256,
        "lesion_type": assessor.lesion_type_card.weights_sha256,
    }
    objects = [
        {
            "file": str(answer.file),
            "sha256": answer.assessment.sha256 if answer.assessment else None,
            "width": answer.assessment.width if answer.assessment else None,
            "height": answer.assessment.height if answer.assessment else None,
            "error": answer.error,
            "notes": list(_list_notes(answer)),
            "models": _scores(answer.assessment),
            "threshold": answer.assessment.threshold if answer.assessment else None,
            "side": _side(answer.assessment),
            "weights": weights,
            "version": skinapp.__version__,
            "notice": f"{NOTICE} {NOT_CHECKED}",
        }
        for answer in answers
    ]
    return json.dumps(objects, indent=2) + "\n"


def _scores(assessment: "Assessment | None") -> dict[str, dict[str, float]] | None:
    if assessment is None:
        return None
    pair = {"malignancy": assessment.malignancy, "lesion_type": assessment.lesion_type}
    return {name: dict(zip(scores.classes, scores.values, strict=True)) for name, scores in pair.items()}


def _side(assessment: "Assessment | None") -> str | None:
    """Return "above" or "below" the threshold; None where there is no score or no threshold."""
    if assessment is None or assessment.above_threshold is None:
        return None
    return "above" if assessment.above_threshold else "below"


def _format_csv(answers: "Sequence[FileAnswer]", assessor: "Assessor") -> str:
    weights = [assessor.malignancy_card.weights_sha256, assessor.lesion_type_card.weights_sha256]
    header = ["file", "sha256", "width", "height", "error", *MALIGNANCY_CLASSES, *CODES]
    rows: list[list[object]] = []
    for answer in answers:
        seen = answer.assessment
        if seen is None:
            facts: list[object] = [None, None, None, answer.error, *[None] * (len(MALIGNANCY_CLASSES) + len(CODES))]
        else:
            malignancy = [seen.malignancy.score_of(label) for label in MALIGNANCY_CLASSES]
            types = [seen.lesion_type.score_of(code) if code in seen.lesion_type.classes else None for code in CODES]
            facts = [seen.sha256, seen.width, seen.height, None, *malignancy, *types]
        notes = " ".join(_list_notes(answer)) or None
        rows.append([answer.file, *facts, *weights, seen.threshold if seen else None, _side(seen), notes])
    return format_csv([*header, "malignancy_weights", "lesion_type_weights", "threshold", "side", "notes"], rows)


def _format_table(answers: "Sequence[FileAnswer]", assessor: "Assessor") -> str:
    from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY

    table = Table("file", "malignant", f"{SHOWN_SENSITIVITY:.0%} threshold", "first", "second", "third", box=None)
    for answer in answers:
        name = escape_controls(str(answer.file))
        if answer.assessment is None:
            table.add_row(name, "–", "–", "refused", "", "")
            continue
        top = [f"{get_class_name(code)} {score:.0%}" for code, score in answer.assessment.lesion_type.rank()[:3]]
        threshold = _format_threshold(answer.assessment)
        table.add_row(name, f"{answer.assessment.malignant_score:.0%}", threshold, *top)
    notes = [f"{escape_controls(str(answer.file))}: {note}" for answer in answers for note in _list_notes(answer)]
    return "\n".join([render_table(table), *notes, ""]) if notes else render_table(table)


def _list_notes(answer: "FileAnswer") -> tuple[str, ...]:
    """Return what the reader of a score must know of the photo: what was guessed or could not be honoured."""
    return answer.assessment.notes if answer.assessment else ()


def _format_threshold(assessment: "Assessment") -> str:
    side = _side(assessment)
    return f"{side} {assessment.threshold:.1%}" if side else "–"


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(classify)
