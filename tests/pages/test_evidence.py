from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from skinapp.files import compute_sha256
from skinapp.inference.assessor import load_assessor
from skinapp.inference.triage import decide_triage
from skinapp.models.card import OperatingPoint, read_card, write_card
from skinapp.models.evidence import ActivationFacts, ActivationShare
from skinapp.models.strict import Measured
from skinapp.networks.reference import ReferenceBank, save_reference
from skinapp.photo import Photo
from skinapp.taxonomy import CODES, get_class_name
from skinapp.ui.classify import evidence
from skinapp.ui.state import Answer

MakeModel = Callable[..., Path]
MakePhoto = Callable[..., Photo]
POINTS = (OperatingPoint(sensitivity=0.95, threshold=0.3),)


@pytest.fixture
def pair(tmp_path: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_model(tmp_path / "models" / "pair", "both", operating_points=POINTS)
    monkeypatch.setenv("SKINAPP_MODELS", str(folder.parent))
    monkeypatch.setenv("SKINAPP_TABLES", str(tmp_path))
    monkeypatch.delenv("SKINAPP_DATA", raising=False)
    st.cache_resource.clear()
    return folder


def show(answer: Answer, opened: str) -> AppTest:
    """Show the evidence of an answer with one part open."""

    def page(answer: "Answer") -> None:  # its source runs as a script of its own
        from skinapp.inference.triage import decide_triage
        from skinapp.ui.classify import evidence

        evidence.show(answer, decide_triage(answer.assessment))

    app = AppTest.from_function(page, kwargs={"answer": answer}, default_timeout=60)
    app.session_state[f"evidence-{opened}-0"] = True
    shown = app.run()
    assert not shown.exception
    return shown


@pytest.fixture
def answer(pair: Path, make_photo: MakePhoto) -> Answer:
    assessor, photo = load_assessor(pair.parent), make_photo(1)
    return Answer(assessor.assess(photo), np.array(assessor.crop_for_network(photo)))


def words(app: AppTest) -> str:
    return "\n".join(element.value for part in (app.markdown, app.caption) for element in part)


def test_nothing_is_computed_before_a_part_is_opened(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinapp.ui.classify.evidence.get_assessor", lambda: pytest.fail("computed while folded"))
    page = show(answer, "nothing")
    assert [fold.label for fold in page.expander] == [
        evidence.ACTIVATION,
        evidence.SIMILAR,
        evidence.WHAT_IF,
        evidence.BAND,
    ]
    assert not page.markdown


def test_the_map_is_first_of_the_likeliest_type_and_any_class_can_be_chosen(answer: Answer) -> None:
    page = show(answer, "activation")
    chooser = page.selectbox[0]
    assert len(chooser.options) == 9
    flagged = decide_triage(answer.assessment).category == "flagged"
    ranked = [code for code, _ in answer.assessment.lesion_type.rank()]
    malignant = [code for code in ranked if code in ("akiec", "bcc", "mel", "scc")]
    assert chooser.value == (malignant if flagged else ranked)[0]
    assert get_class_name(chooser.value).lower() in words(page)
    assert evidence.IS_NOT in words(page) or "Nothing in this photo" in words(page)
    page = chooser.set_value("malignant").run()
    assert "evidence for malignant" in words(page) or "speaks for malignant" in words(page)
    assert not page.exception


def test_the_class_chosen_for_one_photo_is_not_kept_for_the_next(answer: Answer) -> None:
    def page(answers: "list[Answer]") -> None:
        import streamlit as st

        from skinapp.inference.triage import decide_triage
        from skinapp.ui.classify import evidence

        shown = answers[st.session_state["shown"]]
        evidence.show(shown, decide_triage(shown.assessment))

    app = AppTest.from_function(page, kwargs={"answers": [answer, replace(answer, id=answer.id + 1)]})
    app.session_state["evidence-activation-0"], app.session_state["shown"] = True, 0
    first = app.run(timeout=60).selectbox[0].value
    other = next(code for code in CODES if code != first)
    assert app.selectbox[0].set_value(other).run(timeout=60).selectbox[0].value == other
    app.session_state["shown"] = 1
    assert app.run(timeout=60).selectbox[0].value == first


def test_the_share_in_lesions_is_shown_where_it_was_measured_of_these_weights(answer: Answer, pair: Path) -> None:
    inside = Measured(value=0.62, low=0.6, high=0.64, photos=998, lesions=747)
    facts = ActivationFacts(
        network="pair",
        weights_sha256=answer.assessment.malignancy_weights,
        table="ham10000",
        split="validation",
        shares=(ActivationShare(label=None, inside=inside, area=0.28),),
    )
    card = read_card(pair)
    write_card(pair, card.model_copy(update={"activation": facts}))
    st.cache_resource.clear()
    expected = "On 998 photos of validation, 62% (60% to 64%) of the evidence for the likeliest type lay inside"
    assert expected in words(show(answer, "activation"))
    stale = facts.model_copy(update={"weights_sha256": "0" * 64})
    write_card(pair, card.model_copy(update={"activation": stale}))
    st.cache_resource.clear()
    assert "lay inside" not in words(show(answer, "activation"))


def test_an_answer_of_another_model_has_no_evidence(answer: Answer) -> None:
    other = replace(answer, assessment=replace(answer.assessment, malignancy_weights="0" * 64))
    page = show(other, "activation")
    assert evidence.OTHER_MODEL in words(page)
    assert not page.selectbox


def test_similar_cases_are_listed_with_diagnosis_confirmation_and_link(answer: Answer, pair: Path) -> None:
    assert answer.assessment.maps is not None
    own = answer.assessment.maps.mean(axis=(1, 2))
    random = np.random.default_rng(0)
    features = np.maximum(own + random.normal(0, own.std(), (8, len(own))), 0).astype(np.float32)
    features[3] = own
    cases = pd.DataFrame(
        {
            "image_id": [f"ISIC_000000{number}" for number in range(8)],
            "lesion_id": [f"L{number}" for number in range(8)],
            "diagnosis": CODES,
            "confirmation": ["histology", None] * 4,
            "camera": [None] * 8,
        }
    )
    sha256 = save_reference(pair, ReferenceBank(features, cases))
    write_card(pair, read_card(pair).model_copy(update={"reference_sha256": sha256}))
    st.cache_resource.clear()
    page = show(answer, "similar")
    assert evidence.LOOK_ALIKE in words(page)
    rows = page.dataframe[0].value
    assert len(rows) == 6
    first = rows.iloc[0]
    assert (first["Diagnosis"], first["Confirmed by"], first["Similarity"]) == (
        "Dermatofibroma",
        "not recorded",
        "1.000",
    )
    assert first["Photo"].endswith("/ISIC_0000003/")


def test_without_reference_photos_the_page_says_so(answer: Answer) -> None:
    page = show(answer, "similar")
    assert evidence.NO_BANK in words(page)


def test_a_damaged_bank_is_a_sentence(answer: Answer, pair: Path) -> None:
    write_card(pair, read_card(pair).model_copy(update={"reference_sha256": compute_sha256(pair / "card.json")}))
    st.cache_resource.clear()
    assert "is not the file that its card names" in words(show(answer, "similar"))


def test_changed_photos_are_scored_on_request_and_kept(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    page = show(answer, "what-if")
    assert "moves most" not in words(page)
    page = page.button[0].click().run()
    assert not page.exception
    assert "moves most" in words(page)
    assert "95% threshold" in words(page)
    assert not page.button
    assert "scored again" not in words(page)
    (chart,) = page.get("vega_lite_chart")
    assert all(name in str(chart.proto.spec) for name in ("Ruler at the edge", "Blur", "this photo", "threshold"))
    monkeypatch.setattr("skinapp.inference.what_if.ask_what_if", lambda *_: pytest.fail("scored twice"))
    assert "moves most" in words(page.run())


def test_without_a_stored_test_run_the_page_says_so(answer: Answer) -> None:
    assert "No test figures are stored for pair" in words(show(answer, "band"))
