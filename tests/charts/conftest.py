from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import pytest


@dataclass(frozen=True)
class Layer:
    """A layer of a drawn chart: its mark, what it encodes, and the rows that it draws."""

    mark: dict[str, Any]
    encoding: dict[str, Any]
    rows: pd.DataFrame


@pytest.fixture
def layers_of() -> Callable[[alt.LayerChart], list[Layer]]:
    """Read a chart of Altair's as it is sent to a browser."""

    def read(chart: alt.LayerChart) -> list[Layer]:
        spec = chart.to_dict()
        return [
            Layer(layer["mark"], layer["encoding"], pd.DataFrame(spec["datasets"][_data(layer, spec)]))
            for layer in spec["layer"]
        ]

    return read


def _data(layer: dict[str, Any], spec: dict[str, Any]) -> str:
    return str(layer.get("data", spec.get("data"))["name"])
