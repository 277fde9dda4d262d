"""What a reader takes away of one photo's answer: everything that its PDF and its JSON say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from platform import python_version

import numpy as np

from skinapp import __version__
from skinapp.cards.frequencies import NaturalFrequencies, find_point_on_test
from skinapp.cards.network_facts import name_networks
from skinapp.cards.selection import find_test_figure, find_without_benign_cameras
from skinapp.inference.assessment import Assessment
from skinapp.inference.lesion import LesionAnswer
from skinapp.inference.triage import Triage
from skinapp.models.card import Card, CardFigure
from skinapp.models.uncertainty import ConformalFacts

PACKAGES = ("torch", "torchvision", "numpy")
"""Packages whose versions can change a score."""


@dataclass(frozen=True)
class ModelFacts:
    """Which model answered a question: its id, its networks and the sha256 of its weights."""

    id: str
    networks: str
    weights_sha256: str
    licence: str


@dataclass(frozen=True, eq=False)
class Report:
    """One answer with all that belongs beside it.

    `view` is the part of the photo that was scored, uint8 (s, s, 3). `created` has a time zone. `figures` are of the
    model's test run, `frequencies` those at the reader's prevalence, None where unknown, `conformal` the facts of the
    assessment's set of types, `lesion` the answer to several photos of it, None for one. A file that is made of it
    holds nothing else of the original photo: no name, hash, size or EXIF.
    """

    created: datetime
    view: np.ndarray
    assessment: Assessment
    triage: Triage
    models: Mapping[str, ModelFacts]
    figures: tuple[CardFigure, ...]
    versions: Mapping[str, str]
    frequencies: NaturalFrequencies | None = None
    conformal: ConformalFacts | None = None
    attribution: str = ""
    lesion: LesionAnswer | None = None

    @property
    def has_scores(self) -> bool:
        """Whether the scores mean anything: not those of a photo that cannot be assessed."""
        return self.triage.category != "not_assessable"


def build_report(
    created: datetime,
    view: np.ndarray,
    assessment: Assessment,
    triage: Triage,
    cards: tuple[Card, Card],
    frequencies: NaturalFrequencies | None = None,
    attribution: str = "",
    lesion: LesionAnswer | None = None,
) -> Report:
    """Build the report of one answer; `cards` are those of the malignancy and the lesion-type model.

    For several photos of a lesion `assessment` is their mean and `view` one of them.
    """
    malignancy, lesion_type = cards
    return Report(
        created=created,
        view=view,
        assessment=assessment,
        triage=triage,
        models={"malignancy": _describe(malignancy), "lesion_type": _describe(lesion_type)},
        figures=list_figures(malignancy, lesion_type, triage.sensitivity),
        versions=read_versions(),
        frequencies=frequencies,
        conformal=lesion_type.conformal,
        attribution=attribution,
        lesion=lesion,
    )


def list_figures(malignancy: Card, lesion_type: Card, sensitivity: float) -> tuple[CardFigure, ...]:
    """Return the test figures that belong beside an answer at an operating point; only those that the cards have."""
    point = find_point_on_test(malignancy, sensitivity)
    figures = (
        find_test_figure(malignancy, "malignancy", "malignant_auroc"),
        find_without_benign_cameras(malignancy, "malignant_auroc"),
        *((point.sensitivity, point.of_melanoma, point.specificity, point.of_histology) if point else ()),
        find_test_figure(lesion_type, "lesion_type", "balanced_accuracy"),
        find_test_figure(lesion_type, "lesion_type", "recall"),  # cards hold that of melanoma alone
    )
    return tuple(figure for figure in figures if figure)


def read_versions() -> dict[str, str]:
    """Return the versions of this program, of Python and of the packages that compute the scores."""
    return {"skinapp": __version__, "python": python_version(), **{name: version(name) for name in PACKAGES}}


def _describe(card: Card) -> ModelFacts:
    return ModelFacts(card.id, name_networks(card), card.weights_sha256, card.licence)
