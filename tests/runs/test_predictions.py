from collections.abc import Callable

import numpy as np
import pandas as pd

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


def test_photos_of_one_patient_are_drawn_together_where_patients_are_known() -> None:
    frame = pd.DataFrame({"image_id": list("abcd"), "lesion_id": ["1", "1", "2", "3"], "truth": ["nv"] * 4})
    frame = frame.assign(p_nv=1.0, p_mel=0.0)
    assert Predictions("run", ("mel", "nv"), frame).lesion_index().tolist() == [0, 0, 1, 2]
    patients = frame.assign(patient_id=pd.Series(["P", None, "P", None], dtype="string"))
    patients = patients.astype({"image_id": "string", "lesion_id": "string"})
    assert Predictions("run", ("mel", "nv"), patients).lesion_index().tolist() == [0, 1, 0, 2]
