from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from skinapp.metrics.bootstrap import draw_lesions
from skinapp.metrics.lesion_sums import sum_figures_by_lesion
from skinapp.metrics.summary import Figures, compute_figures
from skinapp.runs.stored import StoredRun
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


def both(run: StoredRun, replicates: int) -> tuple[Figures, Figures]:
    """Return the figures of the same draws, from sums per lesion and from weights per photo."""
    truth, scores = run.truth_index(), run.probabilities()
    lesion = pd.factorize(run.frame["lesion_id"])[0]
    times = next(draw_lesions(int(lesion.max()) + 1, replicates, seed=3))
    return (
        sum_figures_by_lesion(truth, scores, run.classes, lesion).compute_figures(times),
        compute_figures(truth, scores, run.classes, times[:, lesion]),
    )


@pytest.mark.parametrize("classes", [CODES, MALIGNANCY_CLASSES, ("nv", "bkl", "vasc", "df"), ("cat", "dog", "mouse")])
def test_every_figure_equals_that_of_the_drawn_photos(make_run: MakeRun, classes: tuple[str, ...]) -> None:
    own, expected = both(make_run(classes, photos=150), replicates=30)
    for field in fields(Figures):
        found, of_photos = getattr(own, field.name), getattr(expected, field.name)
        assert found.shape == of_photos.shape, field.name
        np.testing.assert_allclose(found, of_photos, rtol=1e-9, atol=1e-12, err_msg=field.name)


def test_with_very_many_scores_the_auroc_is_close(make_run: MakeRun) -> None:
    own, expected = both(make_run(photos=20_000), replicates=5)
    np.testing.assert_allclose(own.auroc, expected.auroc, atol=1e-4)
    np.testing.assert_allclose(own.malignant_auroc, expected.malignant_auroc, atol=1e-4)
    np.testing.assert_allclose(own.ece, expected.ece, rtol=1e-9)
