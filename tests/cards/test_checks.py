from pathlib import Path

import pytest

from skinapp.cards.checks import list_tables
from skinapp.cards.formats.hugging_face import format_hub_card
from skinapp.models.card import Card, read_card
from skinapp.models.evidence import ActivationFacts, ActivationShare, NearestRight, SimilarFacts
from skinapp.models.quality import BoxFacts, CopyFacts, QualityFacts, QualityFigures
from skinapp.models.scope import Refusals, ScopeFacts
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ClassSet, ConformalFacts, RepeatFacts

SHARE = Measured(value=0.75, low=0.5, high=0.875, photos=1234, lesions=321)

SCOPE = ScopeFacts(
    sha256="a",
    network_sha256="b",
    false_alarms=0.01,
    fitted_inside={"HAM10000": 100},
    fitted_outside={"noise": 10},
    refusals=(
        Refusals(kind="MSK", inside=True, photos=400, refused=4, low=0.004, high=0.0254),
        Refusals(kind="hand-skin", inside=False, photos=20, refused=19, low=0.764, high=0.991, fitted=True),
    ),
)
CONFORMAL = ConformalFacts(
    level=0.9,
    fitted_on="validation",
    measured_on="test",
    classes=(
        ClassSet(label="mel", threshold=0.0589, photos=111, coverage=SHARE),
        ClassSet(label="df", threshold=0, photos=2),
    ),
    coverage=SHARE,
    size=Measured(value=1.7, low=1.6, high=1.8, photos=1234),
)
REPEATS = RepeatFacts(
    quantile=0.9,
    limit=0.24,
    lesions=100,
    fitted_on="validation",
    measured_on="test",
    wide=SHARE,
    changes_type=SHARE,
    changes_side=None,
)


@pytest.fixture
def card(models: Path) -> Card:
    return read_card(next(path.parent for path in sorted(models.glob("*/card.json"))))


def test_a_card_without_checks_has_no_table_and_no_section(card: Card) -> None:
    assert list_tables(card) == ()
    assert "Checks and evidence" not in format_hub_card(card)


def test_refusals_inside_and_outside_the_scope_stand_apart(card: Card) -> None:
    inside, outside = list_tables(card.model_copy(update={"scope": SCOPE}))
    assert inside.rows == (("MSK", "400", "4", "1.0% (0.4% to 2.5%)"),)
    assert outside.rows == (("Hand skin *", "20", "19", "95.0% (76.4% to 99.1%)"),)
    assert "false alarm" in inside.note


def test_sets_of_types_say_which_type_is_always_in_them(card: Card) -> None:
    (table,) = list_tables(card.model_copy(update={"conformal": CONFORMAL}))
    assert table.rows == (
        ("Melanoma", "75.0% (50.0% to 87.5%)", "5.89%", "111 / 1,234"),
        ("Dermatofibroma", "–", "always in the set", "2 / 0"),
        ("All types", "75.0% (50.0% to 87.5%)", "", "1,234"),
    )
    assert "so that 90% of the photos" in table.note
    assert "1.7 (1.6 to 1.8) types on average" in table.note


def test_quality_checks_have_their_false_alarms_and_what_they_find(card: Card) -> None:
    figures = QualityFigures(
        false_alarms={"no_lesion": SHARE},
        any_finding=SHARE,
        refused=SHARE.model_copy(update={"value": 0.0, "low": 0.0, "high": 0.125}),
        copies=(CopyFacts(kind="out of focus", code="blurred", found=SHARE),),
        box=BoxFacts(overlap=SHARE, centred=SHARE),
    )
    facts = QualityFacts.model_construct(figures=figures)  # the limits are no part of the tables
    usual, flawed = list_tables(card.model_copy(update={"quality": facts}))
    assert [row[0] for row in usual.rows] == ["No lesion", "A finding of any kind", "Refused"]
    assert usual.rows[-1][1] == "0.0% (0.0% to 12.5%)"
    assert flawed.rows == (("Out of focus", "Blurred", "75.0% (50.0% to 87.5%)", "1,234"),)
    assert "by 0.75 (0.50 to 0.88)" in flawed.note


def test_photos_of_one_lesion_have_a_row_for_each_share_that_was_measured(card: Card) -> None:
    (table,) = list_tables(card.model_copy(update={"repeats": REPEATS}))
    assert [row[0] for row in table.rows] == ["Different likeliest types", "Scores more than 0.24 apart"]
    assert {row[1:] for row in table.rows} == {("75.0% (50.0% to 87.5%)", "321")}
    assert "10% of the validation lesions" in table.note


def test_evidence_of_other_weights_is_left_out(card: Card) -> None:
    shares = (ActivationShare(label=None, inside=SHARE, area=0.25),)
    maps = ActivationFacts(
        network=card.id,
        weights_sha256=card.networks[0].weights_sha256,
        table="ham10000",
        split="validation",
        shares=shares,
    )
    nearest = NearestRight(cases=500, type_right=SHARE, type_by_chance=0.5, of_malignant=SHARE, of_benign=SHARE)
    similar = SimilarFacts(reference_sha256="c", table="ham10000", split="validation", nearest=nearest)
    measured = card.model_copy(update={"activation": maps, "similar": similar, "reference_sha256": "c"})
    activation, cases = list_tables(measured)
    assert activation.rows == (("The likeliest type, all photos", "75.0% (50.0% to 87.5%)", "25.0%", "1,234"),)
    assert len(cases.rows) == 3
    other = maps.model_copy(update={"weights_sha256": "0" * 64})
    assert list_tables(measured.model_copy(update={"activation": other, "reference_sha256": "d"})) == ()


def test_the_hub_card_has_the_tables(card: Card) -> None:
    text = format_hub_card(card.model_copy(update={"scope": SCOPE, "conformal": CONFORMAL}))
    assert "### Sets of lesion types" in text
    assert "| Hand skin * | 20 | 19 | 95.0% (76.4% to 99.1%) |" in text
