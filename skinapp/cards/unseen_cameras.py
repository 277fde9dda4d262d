"""For a model's card: how tried recipes did on photos of a camera or a clinic that they were not trained on."""

from collections.abc import Iterator
from pathlib import Path

from skinapp.cards.figure import build_figure
from skinapp.cards.tried_recipes import find_trained, name_architecture, photo_sources
from skinapp.datasets.splits import OUTSIDE
from skinapp.files import read_toml
from skinapp.models.card import RECIPE, CardFigure, OperatingPoint, UnseenCameraResult, read_members
from skinapp.runs.measured import measure_run
from skinapp.runs.stored import StoredRun, find_own_runs, load_run, read_facts
from skinapp.runs.views.operating_points import CHOSEN_ON, choose_operating_points, compute_rates_at, get_shown_point
from skinapp.taxonomy import MALIGNANCY_CLASSES

AUROC = "malignant_auroc"


def measure_unseen_cameras(experiments: Path) -> tuple[UnseenCameraResult, ...]:
    """Return one result for each malignancy run of the split "outside" of an experiment that was trained.

    A result holds the AUROC, and the sensitivity and specificity at the threshold with SHOWN_SENSITIVITY on the
    experiment's own validation run; it holds no rates where there is no such run. Raises RunError, RecipeError,
    ModelError or DatasetError where a stored file cannot be read.
    """
    return tuple(row for record in find_trained(experiments) for row in _measure(record))


def _measure(record: Path) -> Iterator[UnseenCameraResult]:
    folder = record.parent
    recipe = read_toml(folder / RECIPE)
    paths = [
        (facts.split, path)
        for path in find_own_runs(folder)
        if (facts := read_facts(path)).classes == MALIGNANCY_CLASSES
    ]
    chosen_on = next((path for split, path in paths if split == CHOSEN_ON), None)
    for split, path in paths:
        if split == OUTSIDE:
            outside = measure_run(load_run(path), path)
            point = get_shown_point(choose_operating_points(load_run(chosen_on))) if chosen_on else None
            yield UnseenCameraResult(
                recipe=folder.name,
                network=name_architecture(recipe, read_members(record)),
                whose=photo_sources(outside.run, recipe),
                figure=build_figure(outside.run, AUROC, outside.get_figure(AUROC)),
                rates=_measure_rates(outside.run, point) if point else (),
            )


def _measure_rates(outside: StoredRun, point: OperatingPoint) -> tuple[CardFigure, ...]:
    return tuple(
        build_figure(outside, name, rate, sensitivity=point.sensitivity)
        for name, rate in compute_rates_at(outside, point.threshold).items()
    )
