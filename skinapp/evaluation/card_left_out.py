"""For a model's card: what networks of tried recipes said of a camera or a clinic that they had not learned from."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from skinapp.datasets.splits import OUTSIDE
from skinapp.datasets.table import read_table
from skinapp.evaluation.card_rows import ALL, card_figure
from skinapp.evaluation.measured import measured
from skinapp.evaluation.run import StoredRun, find_runs, load_run, read_facts
from skinapp.evaluation.search import network_of, tried
from skinapp.networks.card import RECIPE, LeftOut
from skinapp.taxonomy import MALIGNANCY_CLASSES

AUROC = "malignant_auroc"


def left_out(search: Path) -> tuple[LeftOut, ...]:
    """Return how well each tried recipe below `search` ranks malignancy among photos that it was kept away from.

    A recipe without such a run has no row. Raises RunError or DatasetError where what is stored cannot be read.
    """
    return tuple(row for record in tried(search) for row in _of(record.parent))


def _of(folder: Path) -> Iterator[LeftOut]:
    recipe = tomllib.loads((folder / RECIPE).read_text(encoding="utf-8"))
    for path in find_runs(folder):
        facts = read_facts(path)
        if facts.split == OUTSIDE and facts.classes == MALIGNANCY_CLASSES:
            held = measured(load_run(path), path)
            figure = card_figure(held.run, ALL, AUROC, held.figure(AUROC))
            yield LeftOut(recipe=folder.name, network=network_of(recipe), whose=_whose(held.run, recipe), figure=figure)


def _whose(run: StoredRun, recipe: dict[str, Any]) -> tuple[str, ...]:
    """Name the cameras of a run's photos; of photos whose camera is not known their source, among a recipe's tables."""
    data = recipe["data"]
    paths = dict.fromkeys([data["table"], *(extra["table"] for extra in data.get("extra", ()))])
    photos = pd.concat([read_table(Path(path)) for path in paths], ignore_index=True)
    asked = photos[photos["image_id"].isin(run.predictions["image_id"])]
    return tuple(sorted(asked["camera"].fillna(asked["source"] + ", camera not named").unique()))
