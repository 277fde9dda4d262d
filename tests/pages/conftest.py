import json
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState
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


Act = Callable[[AppTest, str, str, object], AppTest]


@pytest.fixture
def act() -> Act:
    """Return what a browser does in a component: AppTest itself knows no components.

    It takes the page, the first letters of the component's key, and an event with its value.
    """

    def run(page: AppTest, key: str, event: str, value: object) -> AppTest:
        (component,) = [one for one in page.get("bidi_component") if (one.key or "").startswith(key)]
        states = page._tree.get_widget_states()
        fired = json.dumps([{"event": event, "value": value}])
        states.widgets.append(WidgetState(id=_make_trigger_id(component.proto.id, "events"), json_trigger_value=fired))
        return page._run(states)

    return run
