"""For a model's card: what networks of tried recipes said of a camera or a clinic that they had not learned from."""

from collections.abc import Iterator
from pathlib import Path

from skinapp.datasets.splits import OUTSIDE
from skinapp.evaluation.card_rows import ALL, card_figure
from skinapp.evaluation.measured import measured
from skinapp.evaluation.run import find_runs, load_run, read_facts
from skinapp.evaluation.search import network_of, recipe_in, tried
from skinapp.evaluation.whose import whose
from skinapp.networks.card import LeftOut
from skinapp.taxonomy import MALIGNANCY_CLASSES

AUROC = "malignant_auroc"


def left_out(search: Path) -> tuple[LeftOut, ...]:
    """Return how well each tried recipe below `search` ranks malignancy among photos that it was kept away from.

    A recipe without such a run has no row. Raises RunError, ModelError or DatasetError where what is stored cannot be
    read.
    """
    return tuple(row for record in tried(search) for row in _of(record.parent))


def _of(folder: Path) -> Iterator[LeftOut]:
    recipe = recipe_in(folder)
    for path in find_runs(folder):
        facts = read_facts(path)
        if facts.split == OUTSIDE and facts.classes == MALIGNANCY_CLASSES:
            held = measured(load_run(path), path)
            figure = card_figure(held.run, ALL, AUROC, held.figure(AUROC))
            yield LeftOut(recipe=folder.name, network=network_of(recipe), whose=whose(held.run, recipe), figure=figure)
