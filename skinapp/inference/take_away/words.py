"""The sentences of a report: checks, sets of types, figures, models and versions."""

from collections.abc import Sequence

from skinapp.cards import frequencies
from skinapp.cards.wording import name_figure
from skinapp.formatting import PERCENT, format_estimate, format_threshold
from skinapp.inference.assessment import Assessment
from skinapp.inference.conformal import describe_set
from skinapp.inference.lesion import describe_spread
from skinapp.inference.take_away.report import ModelFacts, Report
from skinapp.inference.triage import Triage
from skinapp.models.card import CardFigure
from skinapp.notice import NOT_CHECKED
from skinapp.taxonomy import MALIGNANT_CODES, get_class_name

TITLE = "Skinapp: the answer to one dermoscopy photo"
NO_SCORES = "The scores are left out, because they mean nothing here."
SCORES = "Model scores, not chances of disease."
STARRED = "* counts as malignant. Model scores, not chances."
TEST = (
    "Brackets show 95% intervals. The test photos come from the same clinics and cameras as the training photos; on "
    "others expect worse. Figures at a threshold are at the one of this report."
)
IN_SCOPE = "The photo looks like dermoscopy of a skin lesion."
NO_FAULT = "The checks of its quality found no fault."

_RATES = ("sensitivity", "specificity", "balanced_accuracy", "recall")


def list_checks(assessment: Assessment) -> tuple[str, ...]:
    """Say what the checks found in a photo and what to do about it, in a sentence or two each."""
    scope = {None: (NOT_CHECKED,), True: (IN_SCOPE,), False: ()}[assessment.in_scope]
    found = tuple(f"{finding.sentence} {finding.advice}".strip() for finding in assessment.findings)
    fault = () if found or assessment.in_scope is None else (NO_FAULT,)
    return (*scope, *found, *fault, *assessment.notes)


def list_reasons(report: Report) -> tuple[str, ...]:
    """Return the reasons of the verdict, without the findings that only warn: they stand among the checks."""
    warnings = {finding.sentence for finding in report.assessment.findings if finding.severity == "warns"}
    return tuple(reason for reason in report.triage.reasons if reason not in warnings)


def describe_lesion(report: Report) -> str:
    """Say how far several photos of the lesion differ, without scores that mean nothing; nothing for one photo."""
    if report.lesion is None:
        return ""
    shown = f"One of the {len(report.lesion.photos)} photos of this lesion is shown here."
    return f"{describe_spread(report.lesion)} {shown}" if report.has_scores else shown


def describe_frequencies(report: Report) -> str:
    """Say what the verdict means at the reader's prevalence; nothing where that is unknown or there is no verdict."""
    counted = report.frequencies
    if counted is None or not report.has_scores:
        return ""
    return (
        f"{frequencies.describe_frequencies(counted)} {frequencies.describe_frequency_intervals(counted)} "
        f"This holds where {100 * counted.prevalence:.3g} of 100 lesions are malignant."
    )


def name_class(label: str) -> str:
    """Name a class, with a star after a malignant type."""
    return f"{get_class_name(label)} *" if label in MALIGNANT_CODES else get_class_name(label)


def describe_threshold(triage: Triage) -> str:
    """Say what the mark on the bar of malignant is; nothing where there is no threshold."""
    if triage.threshold is None:
        return ""
    return f"The mark is the threshold for {triage.sensitivity:.0%} sensitivity: {format_threshold(triage.threshold)}."


def describe_types(report: Report) -> str:
    """Say among which types the answer is; nothing where the model has no such sets."""
    codes = report.assessment.conformal
    return describe_set(codes, report.conformal) if codes and report.conformal else ""


def list_figure_rows(figures: Sequence[CardFigure]) -> tuple[tuple[str, str, str], ...]:
    """Return one row per test figure: its name, its value with its 95% interval, and what it stands on."""
    return tuple((_name(figure), _format(figure), f"{figure.photos:,} photos") for figure in figures)


def _name(figure: CardFigure) -> str:
    name = name_figure(figure)
    return f"{name}, {figure.group}" if figure.group else name


def _format(figure: CardFigure) -> str:
    return format_estimate(figure, PERCENT if figure.metric in _RATES else ".2f")


def describe_models(report: Report) -> tuple[str, ...]:
    """Describe which model answered; both where two models did."""
    questions: dict[ModelFacts, list[str]] = {}
    for task, facts in report.models.items():
        questions.setdefault(facts, []).append(task.replace("_", " "))
    return tuple(
        f"Model {facts.id} ({facts.networks}; {' and '.join(tasks)}), sha256 of its weights {facts.weights_sha256}"
        for facts, tasks in questions.items()
    )


def describe_versions(report: Report) -> str:
    """List the versions of the programs that computed the answer."""
    return ", ".join(f"{name} {number}" for name, number in report.versions.items())
