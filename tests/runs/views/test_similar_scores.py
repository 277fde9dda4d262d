from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from skinapp.runs.stored import StoredRun
from skinapp.runs.views.curves import select_positives
from skinapp.runs.views.similar_scores import find_score_band

MakeRun = Callable[..., StoredRun]


def test_the_band_holds_the_photos_with_the_nearest_scores(make_run: MakeRun) -> None:
    run = make_run(photos=200)
    malignant, scores = select_positives(run)
    middle = float(np.sort(scores)[90]) + 1e-9
    band = find_score_band(run, middle, None, most=40)
    assert band
    inside = (scores >= band.low) & (scores <= band.high)
    assert band.photos == inside.sum() == 40
    assert (scores[inside] < middle).sum() == pytest.approx(20, abs=1)
    assert band.malignant == malignant[inside].sum()
    assert band.share.value == band.malignant / 40
    assert band.share.low < band.share.value < band.share.high
    assert band.lesions < band.photos


@pytest.mark.parametrize("score", [0.0, 0.29, 0.31, 1.0])
def test_photos_on_the_other_side_of_the_threshold_are_left_out(make_run: MakeRun, score: float) -> None:
    run = make_run(photos=200)
    band = find_score_band(run, score, 0.3, most=30)
    assert band
    assert band.high < 0.3 if score < 0.3 else band.low >= 0.3
    assert band.photos == 30


def test_a_side_with_few_photos_is_the_band(make_run: MakeRun) -> None:
    run = make_run(photos=120)
    _, scores = select_positives(run)
    threshold = float(np.sort(scores)[-7])
    band = find_score_band(run, 0.999, threshold)
    assert band
    assert band.photos == 7


def test_a_side_without_a_photo_has_no_band(make_run: MakeRun) -> None:
    run = make_run()
    scores = np.zeros(len(run.frame))
    frame = run.frame.assign(**{f"p_{name}": scores for name in run.classes}).assign(p_nv=1.0)
    assert find_score_band(replace(run, frame=frame), 0.9, 0.5) is None
