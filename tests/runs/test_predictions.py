from collections.abc import Callable

import numpy as np

from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import StoredRun

MakeRun = Callable[..., StoredRun]


def test_arrays_follow_the_order_of_photos_and_classes(make_run: MakeRun) -> None:
    made = make_run()
    run = Predictions(made.name, made.classes, made.frame)
    scores, truth = run.probabilities(), run.truth_index()
    assert scores.shape == (120, 8)
    assert scores.dtype == np.float64
    assert scores[7, 3] == run.frame["p_df"].iloc[7]
    assert [run.classes[place] for place in truth] == run.frame["truth"].tolist()
    assert run.lesion_index().tolist() == [number * 2 // 3 for number in range(120)]
