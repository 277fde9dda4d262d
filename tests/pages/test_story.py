from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from skinapp.runs.predictions import probability_columns
from skinapp.runs.seven import SEVEN_CODES
from skinapp.runs.stored import StoredRun, Versions, save_run
from skinapp.story.claims import CLAIMS
from skinapp.story.steps import TITLES

APP = Path(__file__).parents[2] / "streamlit_app.py"


@pytest.fixture
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the empty folder of experiments that the page reads."""
    monkeypatch.setenv("SKINAPP_EXPERIMENTS", str(tmp_path))
    monkeypatch.delenv("SKINAPP_TABLES", raising=False)
    st.cache_resource.clear()
    return tmp_path


def opened() -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120).switch_page("pages/story.py").run()
    assert not page.exception
    assert not page.error
    return page


def store(folder: Path, certainty: float) -> None:
    """Store a run of 140 photos: all answers are right, but dermatofibromas are called nevi."""
    truths = np.repeat(SEVEN_CODES, 20)
    answers = pd.Index(SEVEN_CODES).get_indexer(np.where(truths == "df", "nv", truths))
    scores = np.full((140, 7), (1 - certainty) / 6)
    scores[np.arange(140), answers] = certainty
    frame = pd.DataFrame({"image_id": [f"p{n}" for n in range(140)], "lesion_id": [f"l{n}" for n in range(140)]})
    frame["truth"] = truths
    frame[probability_columns(SEVEN_CODES)] = scores
    run = StoredRun(
        name=folder.name,
        model=folder.parents[1].name,
        classes=SEVEN_CODES,
        table="ham10000",
        table_sha256="0" * 64,
        split=folder.name,
        weights_sha256="1" * 64,
        weights_kept=False,
        versions=Versions("3", "2", "0"),
        created="2026-01-01T00:00:00+00:00",
        note="Made up.",
        frame=frame,
    )
    save_run(run, folder)


def test_without_runs_each_step_shows_its_claims_and_what_is_missing(experiments: Path) -> None:
    page = opened()
    assert [heading.value for heading in page.subheader] == [f"{n} · {t}" for n, t in enumerate(TITLES, start=1)]
    assert len(page.info) == len(TITLES)
    quoted = "\n".join(markdown.value for markdown in page.markdown)
    assert all(f"**{claim}**" in quoted for claim in CLAIMS)
    assert "**Lesson.**" not in quoted


def test_a_stored_run_is_shown_with_its_figures_and_lesson(experiments: Path) -> None:
    store(experiments / "ham10000-seven-by-photo" / "runs" / "validation", 0.9)
    page = opened()
    shown = {metric.label: metric for metric in page.metric}
    assert shown["Accuracy"].value == "85.7%"  # six of seven classes
    assert " to " in shown["Accuracy"].delta
    lessons = [markdown.value for markdown in page.markdown if markdown.value.startswith("**Lesson.**")]
    assert len(lessons) == 1
    assert "down to 0% (dermatofibroma)" in lessons[0]


def test_there_is_nothing_to_choose(experiments: Path) -> None:
    page = opened()
    assert not [*page.selectbox, *page.multiselect, *page.button, *page.button_group, *page.slider, *page.toggle]


def test_the_first_page_links_to_the_story(app: AppTest) -> None:
    page = app.run()
    assert not page.exception
    assert any(link.proto.page == "story" for link in page.get("page_link"))
