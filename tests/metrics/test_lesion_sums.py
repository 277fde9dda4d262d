from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from skinapp.metrics.bootstrap import draws
from skinapp.metrics.lesion_sums import tally
from skinapp.metrics.summary import Figures, figures
from skinapp.runs.stored import StoredRun, probabilities, truth_index
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


def both(run: StoredRun, replicates: int) -> tuple[Figures, Figures]:
    """Return the figures of the same draws of lesions by sums over lesions and by weighing every photo."""
    truth, scores = truth_index(run), probabilities(run)
    lesion = pd.factorize(run.predictions["lesion_id"])[0]
    times = next(draws(int(lesion.max()) + 1, replicates, seed=3))
    return (
        tally(truth, scores, run.classes, lesion).figures(times),
        figures(truth, scores, run.classes, times[:, lesion]),
    )


@pytest.mark.parametrize("classes", [CODES, MALIGNANCY_CLASSES, ("nv", "bkl", "vasc", "df"), ("cat", "dog", "mouse")])
def test_every_figure_is_that_of_the_photos_drawn(make_run: MakeRun, classes: tuple[str, ...]) -> None:
    own, expected = both(make_run(classes, photos=150), replicates=30)
    for field in fields(Figures):
        found, of_photos = getattr(own, field.name), getattr(expected, field.name)
        assert found.shape == of_photos.shape, field.name
        np.testing.assert_allclose(found, of_photos, rtol=1e-9, atol=1e-12, err_msg=field.name)


def test_of_very_many_scores_an_auroc_is_near_enough(make_run: MakeRun) -> None:
    own, expected = both(make_run(photos=20_000), replicates=5)
    np.testing.assert_allclose(own.auroc, expected.auroc, atol=1e-4)
    np.testing.assert_allclose(own.malignant_auroc, expected.malignant_auroc, atol=1e-4)
    np.testing.assert_allclose(own.ece, expected.ece, rtol=1e-9)
