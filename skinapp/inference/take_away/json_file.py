"""A report as JSON, for a program that reads it."""

import json
from base64 import b64encode
from dataclasses import asdict
from io import BytesIO
from typing import Any

from PIL import Image

from skinapp.inference.assessment import Scores
from skinapp.inference.lesion import LesionAnswer
from skinapp.inference.take_away.report import Report
from skinapp.inference.triage import HEADLINES
from skinapp.notice import NOTICE


def make_json(report: Report) -> str:
    """Return a report as JSON text, with the keys of `skinapp classify --format json` where both say the same.

    The photo is a PNG of what was scored, in base64: pixels alone, without the metadata of the original.
    """
    return json.dumps(_build(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _build(report: Report) -> dict[str, Any]:
    assessment, triage = report.assessment, report.triage
    return {
        "created": report.created.isoformat(timespec="seconds"),
        "triage": {"headline": HEADLINES[triage.category], **asdict(triage)},
        "frequencies": asdict(report.frequencies) if report.frequencies and report.has_scores else None,
        "lesion": None if report.lesion is None else _describe_lesion(report.lesion),
        "in_scope": assessment.in_scope,
        "findings": [asdict(finding) for finding in assessment.findings],
        "notes": list(assessment.notes),
        "models": {"malignancy": _pair(assessment.malignancy), "lesion_type": _pair(assessment.lesion_type)},
        "conformal": None if assessment.conformal is None else list(assessment.conformal),
        "test_figures": [figure.model_dump() for figure in report.figures],
        "model_facts": {task: asdict(facts) for task, facts in report.models.items()},
        "weights": {task: facts.weights_sha256 for task, facts in report.models.items()},
        "versions": dict(report.versions),
        "notice": NOTICE,
        "attribution": report.attribution or None,
        "photo": {"media_type": "image/png", "base64": b64encode(_encode_png(report)).decode("ascii")},
    }


def _describe_lesion(lesion: LesionAnswer) -> dict[str, Any]:
    return {
        "malignant_scores": [photo.malignant_score for photo in lesion.photos],
        "is_wide": lesion.is_wide,
        "changes_type": lesion.changes_type,
    }


def _pair(scores: Scores) -> dict[str, float]:
    return dict(zip(scores.classes, scores.values, strict=True))


def _encode_png(report: Report) -> bytes:
    file = BytesIO()
    Image.fromarray(report.view).save(file, "PNG")
    return file.getvalue()
