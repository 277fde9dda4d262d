"""For a model's card: what networks of tried recipes said of a camera or a clinic that they had not learned from."""

from collections.abc import Iterator
from pathlib import Path

from skinapp.cards.photo_sources import photo_sources
from skinapp.cards.rows import ALL, at_point, card_figure
from skinapp.cards.tried_recipes import network_of, tried
from skinapp.datasets.splits import OUTSIDE
from skinapp.files import read_toml
from skinapp.models.card import RECIPE, CardFigure, OperatingPoint, UnseenCameraResult, read_members
from skinapp.runs.measured import measured
from skinapp.runs.stored import StoredRun, load_run, own_runs, read_facts
from skinapp.runs.views.operating_points import CHOSEN_ON, operating_points, rates_at, shown_point
from skinapp.taxonomy import MALIGNANCY_CLASSES

AUROC = "malignant_auroc"


def left_out(search: Path) -> tuple[UnseenCameraResult, ...]:
    """Return how well each tried recipe below `search` ranks malignancy among photos that it was kept away from.

    And what a threshold does there that finds SHOWN_SENSITIVITY of the malignant photos of the recipe's own validation
    run, where there is one. A recipe without a run of such photos has no row. Raises RunError, RecipeError,
    ModelError or DatasetError where what is stored cannot be read.
    """
    return tuple(row for record in tried(search) for row in _of(record))


def _of(record: Path) -> Iterator[UnseenCameraResult]:
    folder = record.parent
    recipe = read_toml(folder / RECIPE)
    paths = [
        (facts.split, path) for path in own_runs(folder) if (facts := read_facts(path)).classes == MALIGNANCY_CLASSES
    ]
    chosen_on = next((path for split, path in paths if split == CHOSEN_ON), None)
    for split, path in paths:
        if split == OUTSIDE:
            held = measured(load_run(path), path)
            point = shown_point(operating_points(load_run(chosen_on))) if chosen_on else None
            yield UnseenCameraResult(
                recipe=folder.name,
                network=network_of(read_members(record), recipe),
                whose=photo_sources(held.run, recipe),
                figure=card_figure(held.run, ALL, AUROC, held.figure(AUROC)),
                rates=_rates(held.run, point) if point else (),
            )


def _rates(outside: StoredRun, point: OperatingPoint) -> tuple[CardFigure, ...]:
    return tuple(
        card_figure(outside, ALL, at_point(name, point.sensitivity), found)
        for name, found in rates_at(outside, point.threshold).items()
    )
