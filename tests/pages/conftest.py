from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "streamlit_app.py"


@pytest.fixture(scope="session")
def models(deciding_models: Path) -> Path:
    """Use models with operating points: those without decide nothing."""
    return deciding_models


@pytest.fixture
def app(models: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Return the app with the small random models in place of those that ship."""
    monkeypatch.setenv("SKINAPP_MODELS", str(models))
    st.cache_resource.clear()
    return AppTest.from_file(APP, default_timeout=60)
