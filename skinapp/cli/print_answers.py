"""Verdicts on files as a table, JSON or CSV, for the command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.table import Table

import skinapp
from skinapp.cli.console import render_table
from skinapp.formatting import DASH, escape_controls
from skinapp.notice import NOT_CHECKED, NOTICE
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, get_class_name
from skinapp.text_tables.write import format_csv

if TYPE_CHECKING:
    from skinapp.inference.assessment import Assessment
    from skinapp.inference.files import FileAnswer
    from skinapp.inference.triage import Triage

VERDICTS = {"flagged": "Flagged", "not_flagged": "Not flagged", "not_assessable": "Not assessable"}

Weights = Mapping[str, str]
"""The sha256 of the weights of "malignancy" and "lesion_type"."""


@dataclass(frozen=True)
class FileVerdict:
    """A file's answer and the verdict at the chosen sensitivity; None for a file that cannot be read."""

    answer: "FileAnswer"
    triage: "Triage | None"


def is_unchecked(answer: "FileAnswer") -> bool:
    """Tell whether nobody looked if a scored photo is dermoscopy: the model has no check of it."""
    return answer.assessment is not None and answer.assessment.in_scope is None


def build_notice(unchecked: bool) -> str:
    """Return the notice, with what follows from a photo that nobody looked at."""
    return f"{NOTICE} {NOT_CHECKED}" if unchecked else NOTICE


def format_answers_json(rows: Sequence[FileVerdict], weights: Weights) -> str:
    """Return verdicts as a JSON list, one object per file."""
    return json.dumps([_build_object(row, weights) for row in rows], indent=2) + "\n"


def _build_object(row: FileVerdict, weights: Weights) -> dict[str, object]:
    answer, seen, triage = row.answer, row.answer.assessment, row.triage
    return {
        "file": str(answer.file),
        "sha256": seen.sha256 if seen else None,
        "width": seen.width if seen else None,
        "height": seen.height if seen else None,
        "error": answer.error,
        "notes": list(_list_notes(answer)),
        "in_scope": seen.in_scope if seen else None,
        "findings": [asdict(finding) for finding in seen.findings] if seen else None,
        "triage": {"headline": triage.headline, **asdict(triage)} if triage else None,
        "models": _scores(seen),
        "conformal": list(seen.conformal) if seen and seen.conformal is not None else None,
        "threshold": triage.threshold if triage else None,
        "side": _side(row),
        "weights": weights,
        "version": skinapp.__version__,
        "notice": build_notice(is_unchecked(answer)),
    }


def _scores(assessment: "Assessment | None") -> dict[str, dict[str, float]] | None:
    if assessment is None:
        return None
    pair = {"malignancy": assessment.malignancy, "lesion_type": assessment.lesion_type}
    return {name: dict(zip(scores.classes, scores.values, strict=True)) for name, scores in pair.items()}


def _side(row: FileVerdict) -> str | None:
    """Return "above" or "below" the chosen threshold; None where there is no score or no threshold."""
    seen, triage = row.answer.assessment, row.triage
    if seen is None or triage is None or triage.threshold is None:
        return None
    return "above" if seen.malignant_score >= triage.threshold else "below"


def format_answers_csv(rows: Sequence[FileVerdict], weights: Weights) -> str:
    """Return verdicts as CSV with a header, one row per file."""
    header = ["file", "sha256", "width", "height", "error", *MALIGNANCY_CLASSES, *CODES]
    header += ["malignancy_weights", "lesion_type_weights", "threshold", "side", "notes"]
    header += ["in_scope", "findings", "finding_sentences", "triage", "reasons", "sensitivity", "conformal"]
    return format_csv(header, [_list_cells(row, weights) for row in rows])


def _list_cells(row: FileVerdict, weights: Weights) -> list[object]:
    """List a photo's cells. Lists become codes with a space between, and sentences one after the other."""
    answer, seen, triage = row.answer, row.answer.assessment, row.triage
    scores: list[object] = [None] * (len(MALIGNANCY_CLASSES) + len(CODES))
    if seen:
        scores = [seen.malignancy.score_of(label) for label in MALIGNANCY_CLASSES]
        scores += [seen.lesion_type.score_of(code) if code in seen.lesion_type.classes else None for code in CODES]
    findings = seen.findings if seen else ()
    return [
        answer.file,
        *((seen.sha256, seen.width, seen.height) if seen else (None,) * 3),
        answer.error,
        *scores,
        weights["malignancy"],
        weights["lesion_type"],
        triage.threshold if triage else None,
        _side(row),
        _join(_list_notes(answer)),
        seen.in_scope if seen else None,
        _join([finding.code for finding in findings]),
        _join([f"{finding.sentence} {finding.advice}" for finding in findings]),
        *((triage.category, _join(triage.reasons), triage.sensitivity) if triage else (None,) * 3),
        _join(seen.conformal or ()) if seen else None,
    ]


def _join(texts: Sequence[str]) -> str | None:
    return " ".join(texts) or None


def format_answers_table(rows: Sequence[FileVerdict], sensitivity: float) -> str:
    """Return verdicts as a table, one line per file, with notes and findings below it."""
    table = Table("file", "verdict", "malignant", f"{sensitivity:.0%} threshold", "first", "second", "third", box=None)
    for row in rows:
        table.add_row(escape_controls(str(row.answer.file)), *_list_words(row))
    notes = [f"{escape_controls(str(row.answer.file))}: {note}" for row in rows for note in _list_remarks(row)]
    return "\n".join([render_table(table), *notes, ""]) if notes else render_table(table)


def _list_words(row: FileVerdict) -> list[str]:
    """List a photo's words in the table; the scores of a picture out of scope mean nothing and are not printed."""
    seen, triage = row.answer.assessment, row.triage
    verdict = VERDICTS[triage.category] if triage else "refused"
    if seen is None or seen.in_scope is False:
        return [verdict, DASH, DASH, "", "", ""]
    top = [f"{get_class_name(code)} {score:.0%}" for code, score in seen.lesion_type.rank()[:3]]
    return [verdict, f"{seen.malignant_score:.0%}", _format_threshold(row), *top]


def _list_notes(answer: "FileAnswer") -> tuple[str, ...]:
    """Return what the reader of a score must know of the photo: what was guessed or could not be honoured."""
    return answer.assessment.notes if answer.assessment else ()


def _list_remarks(row: FileVerdict) -> list[str]:
    """List what stands below the table: the notes on a photo, and what the checks found in it."""
    findings = row.answer.assessment.findings if row.answer.assessment else ()
    return [*_list_notes(row.answer), *(f"{finding.sentence} {finding.advice}" for finding in findings)]


def _format_threshold(row: FileVerdict) -> str:
    side = _side(row)
    return f"{side} {row.triage.threshold:.1%}" if side and row.triage and row.triage.threshold is not None else DASH
