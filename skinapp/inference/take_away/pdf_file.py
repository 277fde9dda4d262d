"""A report as one page of PDF, for a person who reads it."""

from datetime import UTC

from skinapp.formatting import format_score_percent
from skinapp.inference.take_away import words
from skinapp.inference.take_away.report import Report
from skinapp.inference.take_away.sheet import GREY, MIDDLING, Sheet
from skinapp.inference.triage import ALWAYS, DARKER_SKIN, Category
from skinapp.notice import NOTICE
from skinapp.taxonomy import BENIGN, MALIGNANT, get_class_colour

COLOURS: dict[Category, str] = {"flagged": "#D55E00", "not_flagged": "#5B6770", "not_assessable": "#8A8A8A"}
"""The colour beside each verdict; never green, because no answer gives the all-clear."""

SCALES = (1.12, 1.0, 0.9, 0.8, 0.7)
"""Sizes of the letters that are tried, the largest first, until the report fits on its page."""

_PHOTO_MM, _GAP_MM = 58.0, 7.0


def make_pdf(report: Report) -> bytes:
    """Return a report as a PDF of one page (A4), made in memory.

    The photo is embedded as the pixels that were scored, without the metadata of the original.
    """
    for scale in SCALES:
        sheet = _write(report, scale)
        if sheet.fits:
            break
    return sheet.close()


def _write(report: Report, scale: float) -> Sheet:
    sheet = Sheet(words.TITLE, report.created, scale)
    sheet.write(f"{words.TITLE}, {report.created.astimezone(UTC):%Y-%m-%d %H:%M} UTC", colour=GREY)
    sheet.rule()
    sheet.skip(2)
    _write_verdict(sheet, report)
    if report.has_scores:
        _write_answers(sheet, report)
    else:
        sheet.write(words.NO_SCORES)
    sheet.head("Checks of this photo")
    sheet.list(words.list_checks(report.assessment))
    if report.has_scores:
        _write_figures(sheet, report)
    sheet.skip(2)
    sheet.write(f"{NOTICE} {DARKER_SKIN}", bold=True)
    for line in (*words.describe_models(report), words.describe_versions(report), report.attribution):
        sheet.write(line, size=7, colour=GREY)
    return sheet


def _write_verdict(sheet: Sheet, report: Report) -> None:
    """Draw the photo, and write beside it the verdict, what to do, why, and what it means."""
    top, triage = sheet.y, report.triage
    below = sheet.picture(report.view, _PHOTO_MM, "The part of the photo that was assessed")
    beside = sheet.left + _PHOTO_MM + _GAP_MM
    with sheet.column(beside, sheet.right):
        sheet.write(triage.headline, size=17, bold=True)
        sheet.write(f"{triage.next_step} {ALWAYS}", size=10.5, bold=True)
        sheet.list(words.list_reasons(report))
        sheet.skip(1)
        sheet.write(words.describe_lesion(report))
        sheet.write(words.describe_frequencies(report))
    below = max(sheet.y, below)
    sheet.paint(COLOURS[triage.category], beside - 3.5, top, 1.2, below - top)
    sheet.y = below
    sheet.skip(1)


def _write_answers(sheet: Sheet, report: Report) -> None:
    """Write both answers side by side: malignant or benign, with the threshold, and the lesion types."""
    assessment, triage, top = report.assessment, report.triage, sheet.y
    middle = (sheet.left + sheet.right) / 2
    with sheet.column(sheet.left, middle - _GAP_MM / 2):
        sheet.head("Malignant or benign?")
        _draw_malignancy(sheet, report)
        sheet.skip(1)
        sheet.write(words.describe_threshold(triage), size=8, colour=GREY)
        sheet.write(words.SCORES, size=8, colour=GREY)
    left, sheet.y = sheet.y, top
    with sheet.column(middle + _GAP_MM / 2, sheet.right):
        sheet.head("Which lesion type?")
        for code, score in assessment.lesion_type.rank():
            sheet.bar(words.name_class(code), score, format_score_percent(score), get_class_colour(code))
        sheet.skip(1)
        sheet.write(words.STARRED, size=8, colour=GREY)
        sheet.write(words.describe_types(report), size=8)
    sheet.y = max(left, sheet.y)


def _draw_malignancy(sheet: Sheet, report: Report) -> None:
    """Draw the scores for malignant and for benign; that for benign is grey on a flagged photo."""
    scores, triage = report.assessment.malignancy, report.triage
    benign = MIDDLING if triage.category == "flagged" else get_class_colour(BENIGN)
    for label, colour, tick in ((MALIGNANT, get_class_colour(MALIGNANT), triage.threshold), (BENIGN, benign, None)):
        score = scores.score_of(label)
        sheet.bar(words.name_class(label), score, format_score_percent(score), colour, tick)


def _write_figures(sheet: Sheet, report: Report) -> None:
    sheet.head("How good the model was on its test photos")
    sheet.tabulate(words.list_figure_rows(report.figures), (0.61, 0.87, 1))
    sheet.write(words.TEST, size=7.5, colour=GREY)
