"""What a reader takes away of an answer: a PDF of one page and JSON, with nothing else of the photo than its pixels."""

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinapp import __version__
from skinapp.cards.frequencies import NaturalFrequencies
from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.findings import Finding
from skinapp.inference.lesion import join_assessments
from skinapp.inference.take_away.json_file import make_json
from skinapp.inference.take_away.pdf_file import make_pdf
from skinapp.inference.take_away.report import Report, build_report
from skinapp.inference.triage import ALWAYS, DARKER_SKIN, HEADLINES, decide_triage
from skinapp.metrics.estimate import Estimate
from skinapp.models.card import Card, OperatingPoint, read_card
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ClassSet, ConformalFacts
from skinapp.notice import NOT_CHECKED, NOTICE
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

ORIGINAL = "5ac1ab1e" * 8
VIEW = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
CREATED = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
BLURRED = Finding("blurred", "The photo is blurred.", "Hold the camera still and take it again.", "warns")
FOREIGN = Finding("scope", "This does not look like dermoscopy.", "Use a dermatoscope.", "refuses")


HELD = Measured(value=0.9, low=0.88, high=0.92, photos=100)
SETS = ConformalFacts(
    level=0.9,
    fitted_on="validation",
    measured_on="test",
    classes=tuple(ClassSet(label=code, threshold=0.1, photos=9) for code in CODES),
    coverage=HELD,
    size=HELD.model_copy(update={"value": 1.7}),
)


@pytest.fixture(scope="module")
def card(models: Path) -> Card:
    read = read_card(next(path.parent for path in sorted(models.glob("*/card.json"))))
    return read.model_copy(update={"conformal": SETS})


def assess(malignant: float = 0.4, **facts: object) -> Assessment:
    types = dict.fromkeys(CODES, 0.05) | {"nv": 1 - 0.05 * (len(CODES) - 1)}
    return replace(
        Assessment(
            sha256=ORIGINAL,
            width=4321,
            height=1234,
            notes=(),
            malignancy=Scores(MALIGNANCY_CLASSES, (malignant, 1 - malignant)),
            lesion_type=Scores(CODES, tuple(types[code] for code in CODES)),
            malignancy_weights="",
            lesion_type_weights="",
            operating_points=(OperatingPoint(sensitivity=0.95, threshold=0.3),),
            in_scope=True,
            conformal=("nv", "mel"),
        ),
        **facts,
    )


def report(card: Card, assessment: Assessment, attribution: str = "") -> Report:
    counted = NaturalFrequencies(0.2, Estimate(0.43, 0.38, 0.48), Estimate(0.012, 0.008, 0.02))
    return build_report(
        CREATED, VIEW, assessment, decide_triage(assessment), (card, card), counted, attribution=attribution
    )


def read_streams(pdf: bytes) -> Iterator[bytes]:
    for stream in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):  # one that is not compressed
            yield zlib.decompress(stream)


def read_pdf(pdf: bytes) -> str:
    """Return the letters of a PDF in their order, line breaks as spaces."""
    lines = (re.findall(rb"\((.*?)(?<!\\)\) Tj", content, re.DOTALL) for content in read_streams(pdf))
    text = b" ".join(line for of_stream in lines for line in of_stream)
    return re.sub(r"\\([()\\])", r"\1", text.decode("cp1252"))


def fits(pdf: bytes) -> bool:
    """Tell whether a PDF has one page and every line of letters begins on it."""
    lines = [float(y) for content in read_streams(pdf) for y in re.findall(rb"BT [\d.-]+ ([\d.-]+) Td", content)]
    assert lines
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf)) == 1 and min(lines) > 0


def test_the_pdf_says_what_the_answer_says(card: Card) -> None:
    assessment = assess(findings=(BLURRED,))
    shown = report(card, assessment)
    pdf = make_pdf(shown)
    text = read_pdf(pdf)
    assert fits(pdf)
    for said in (
        HEADLINES["flagged"],
        ALWAYS,
        NOTICE,
        DARKER_SKIN,
        "Of 100 flagged lesions about 43 are malignant; of 100 not flagged about 1.",
        "This holds where 20 of 100 lesions are malignant.",
        "The photo is blurred. Hold the camera still and take it again.",
        "At 90% confidence the type is among: Melanocytic nevus, Melanoma.",
        "threshold for 95% sensitivity: 30%",
        "40%",
        card.id,
        card.weights_sha256,
        f"skinapp {__version__}",
        "2026-05-04 09:30 UTC",
        *shown.triage.reasons[:2],
    ):
        assert said in text
    assert text.count(BLURRED.sentence) == 1  # among the checks alone


def test_a_photo_that_cannot_be_assessed_has_no_scores_in_the_pdf(card: Card) -> None:
    text = read_pdf(make_pdf(report(card, assess(0.77, in_scope=False, findings=(FOREIGN,)))))
    assert HEADLINES["not_assessable"] in text
    assert FOREIGN.advice in text
    assert "77%" not in text
    assert "Which lesion type?" not in text
    assert "of 100" not in text


def test_an_unchecked_photo_says_so(card: Card) -> None:
    assert NOT_CHECKED in read_pdf(make_pdf(report(card, assess(in_scope=None))))


def test_one_page_holds_many_findings_and_letters_that_its_fonts_lack(card: Card) -> None:
    findings = tuple(replace(BLURRED, code=str(n), sentence=f"Finding {n} of many. " * 6) for n in range(9))
    pdf = make_pdf(report(card, assess(findings=findings), attribution="Клиника ≥ 5 – “Wien”"))
    assert fits(pdf)
    assert "??????? >= 5 – “Wien”" in read_pdf(pdf)


def test_neither_file_holds_anything_else_of_the_original(card: Card) -> None:
    for file in (make_pdf(report(card, assess())), make_json(report(card, assess())).encode()):
        for fact in (ORIGINAL, "4321", "1234", "Exif"):
            assert fact.encode() not in file
    assert "4321" not in read_pdf(make_pdf(report(card, assess())))


def test_the_json_holds_the_answer_and_the_pixels_that_were_scored(card: Card) -> None:
    assessment = assess(findings=(BLURRED,))
    content = json.loads(make_json(report(card, assessment)))
    assert content["triage"]["category"] == "flagged"
    assert content["triage"]["threshold"] == 0.3
    assert content["models"]["malignancy"] == pytest.approx({"malignant": 0.4, "benign": 0.6})
    assert list(content["models"]["lesion_type"]) == list(CODES)
    assert content["findings"] == [
        {"code": "blurred", "sentence": BLURRED.sentence, "advice": BLURRED.advice, "severity": "warns"}
    ]
    assert content["conformal"] == ["nv", "mel"]
    assert content["frequencies"]["flagged"] == {"value": 0.43, "low": 0.38, "high": 0.48}
    assert content["weights"]["malignancy"] == card.weights_sha256
    assert content["versions"]["skinapp"] == __version__
    assert content["created"] == "2026-05-04T09:30:00+00:00"
    picture = Image.open(BytesIO(b64decode(content["photo"]["base64"])))
    assert np.array_equal(np.asarray(picture), VIEW)


def test_the_figures_are_those_of_the_chosen_operating_point() -> None:
    shipped = read_card(Path("models/lesion"))
    assessment = assess(operating_points=shipped.operating_points)
    for sensitivity in (0.90, 0.98):
        triage = decide_triage(assessment, sensitivity)
        figures = build_report(CREATED, VIEW, assessment, triage, (shipped, shipped)).figures
        at = [figure.sensitivity for figure in figures if figure.metric in ("sensitivity", "specificity")]
        assert set(at) == {sensitivity}
        assert all(figure.split == "test" for figure in figures)
        assert {"malignant_auroc", "balanced_accuracy", "recall"} <= {figure.metric for figure in figures}


def test_several_photos_of_a_lesion_are_counted_in_both_files(card: Card) -> None:
    lesion = join_assessments([assess(0.4), assess(0.5), assess(0.45)], card)
    assert lesion.mean
    joined = build_report(CREATED, VIEW, lesion.mean, lesion.triage, (card, card), lesion=lesion)
    said = "its 3 photos go from 40% to 50%; their mean is 45%. One of the 3 photos of this lesion is shown here."
    assert said in read_pdf(make_pdf(joined))
    assert json.loads(make_json(joined))["lesion"]["malignant_scores"] == [0.4, 0.5, 0.45]
