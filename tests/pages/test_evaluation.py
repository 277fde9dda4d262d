from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from skinapp.evaluation.figures import headline
from skinapp.evaluation.run import StoredRun, Versions, save_run

APP = Path(__file__).parents[2] / "streamlit_app.py"
CLASSES = ("malignant", "benign")


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoredRun:
    """Store a run of 60 photos, 2 a lesion, in a folder of models of its own."""
    random = np.random.default_rng(5)
    malignant = random.random(60)
    predictions = pd.DataFrame(
        {
            "image_id": [f"photo_{n}" for n in range(60)],
            "lesion_id": [f"lesion_{n // 2}" for n in range(60)],
            "truth": np.where(random.random(60) < malignant, *CLASSES),
            "p_malignant": malignant,
            "p_benign": 1 - malignant,
        }
    )
    run = StoredRun(
        name="small-test",
        model="malignancy",
        classes=CLASSES,
        table="small",
        table_sha256="0" * 64,
        split="test",
        weights_sha256="1" * 64,
        weights_kept=True,
        versions=Versions("3", "2", "0"),
        created="2026-01-01T00:00:00+00:00",
        note="Only sixty photos.",
        predictions=predictions,
    )
    save_run(run, tmp_path / "malignancy" / "runs" / "small-test")
    monkeypatch.setenv("SKINAPP_MODELS", str(tmp_path))
    st.cache_resource.clear()
    return run


def test_figures_are_those_of_the_predictions(stored: StoredRun) -> None:
    page = AppTest.from_file(APP, default_timeout=60).switch_page("views/evaluation.py").run()
    expected = headline(stored)

    assert not page.exception
    shown = {metric.label: metric for metric in page.metric}
    assert shown["Balanced accuracy"].value == f"{expected.balanced_accuracy:.3f}"
    assert shown["Malignant AUROC"].value == f"{expected.malignant_auroc:.3f}"
    assert " to " in shown["Malignant AUROC"].delta
    assert shown["Photos"].value == "60"
    assert shown["Photos"].delta == "30 lesions"
    assert any("Only sixty photos." in caption.value for caption in page.caption)


def test_confusion_matrix_follows_the_choice(stored: StoredRun) -> None:
    page = AppTest.from_file(APP, default_timeout=60).switch_page("views/evaluation.py").run()
    page.button_group[0].select("Share of each truth").run()
    assert not page.exception
    assert not page.error


def test_without_a_run_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_MODELS", str(tmp_path))
    st.cache_resource.clear()
    page = AppTest.from_file(APP, default_timeout=60).switch_page("views/evaluation.py").run()
    assert not page.exception
    assert "nothing is stored yet" in page.error[0].value
