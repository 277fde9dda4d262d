from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.errors import RunError
from skinapp.metrics import bootstrap
from skinapp.runs.intervals import (
    add_intervals,
    compute_intervals,
    draw_intervals,
    get_figure,
    load_intervals,
    save_intervals,
)
from skinapp.runs.stored import StoredRun, save_run
from skinapp.runs.summary import Headline, compute_headline, compute_per_class
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


def test_every_figure_lies_in_its_interval_and_is_the_one_of_the_run(make_run: MakeRun) -> None:
    run = make_run()
    frame = compute_intervals(run, replicates=200)
    line = compute_headline(run)
    for name in (field.name for field in fields(Headline) if field.name not in ("photos", "lesions")):
        found = get_figure(frame, name)
        assert found.value == getattr(line, name)
        # Resampling repeats photos, which moves a calibration error up, away from the figure itself.
        assert found.low < found.high
        assert name == "ece" or found.low <= found.value <= found.high, name
    by_class = compute_per_class(run).set_index("class")
    assert get_figure(frame, "recall", "mel").value == by_class.loc["mel", "recall"]
    assert len(frame) == 8 + 4 * 8


def test_the_seed_decides(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    first, again = (compute_intervals(run, replicates=50, seed=3) for _ in range(2))
    other = compute_intervals(run, replicates=50, seed=4)
    pd.testing.assert_frame_equal(first, again)
    assert (first["low"] != other["low"]).any()


def test_chunks_change_nothing(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    whole = compute_intervals(run, replicates=50)
    monkeypatch.setattr(bootstrap, "_MOST_NUMBERS", 5_000)  # a few replicates at a time
    assert len(list(draw_intervals(run, replicates=50))) > 3
    pd.testing.assert_frame_equal(compute_intervals(run, replicates=50), whole)


def with_accuracy(run: StoredRun, right: np.ndarray, lesions: list[str]) -> StoredRun:
    """Make the predictions of a malignancy run right exactly where `right` says so."""
    sure = np.where(right == (run.frame["truth"] == "malignant"), 0.9, 0.1)
    frame = run.frame.assign(p_malignant=sure, p_benign=1 - sure, lesion_id=lesions)
    return replace(run, frame=frame)


def test_the_interval_covers_the_true_accuracy_about_95_times_in_100(make_run: MakeRun) -> None:
    random, rate, covered = np.random.default_rng(0), 0.7, 0
    run, lesions = make_run(MALIGNANCY_CLASSES), [f"lesion_{photo // 2}" for photo in range(120)]
    for _ in range(100):
        right = np.repeat(random.random(60) < rate, 2)  # both photos of a lesion fare alike
        made = compute_intervals(with_accuracy(run, right, lesions), replicates=200)
        found = get_figure(made, "accuracy")
        covered += found.low <= rate <= found.high
    assert 88 <= covered <= 99  # drawing photos instead of lesions covers it about 80 times


def test_many_photos_of_one_lesion_widen_the_interval(make_run: MakeRun) -> None:
    run, right = make_run(MALIGNANCY_CLASSES), np.arange(120) >= 12
    photos = run.frame["image_id"]
    one_lesion_fails = with_accuracy(run, right, photos.where(right, "the same lesion").tolist())
    twelve_lesions_fail = with_accuracy(run, right, photos.tolist())
    wide = get_figure(compute_intervals(one_lesion_fails, replicates=200), "accuracy")
    narrow = get_figure(compute_intervals(twelve_lesions_fail, replicates=200), "accuracy")
    assert wide.value == narrow.value == pytest.approx(0.9)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_an_undefined_figure_has_no_interval(make_run: MakeRun) -> None:
    found = get_figure(compute_intervals(make_run(MALIGNANCY_CLASSES), replicates=20), "top3")
    assert np.isnan([found.value, found.low, found.high]).all()


def test_intervals_join_the_figures_per_class(make_run: MakeRun) -> None:
    run = make_run()
    made = compute_intervals(run, replicates=50)
    joined = add_intervals(compute_per_class(run), made).set_index("class")
    assert joined.loc["mel", "f1_low"] == get_figure(made, "f1", "mel").low
    assert joined.loc["vasc", "precision_high"] == get_figure(made, "precision", "vasc").high


def test_an_unknown_figure_is_a_key_error(make_run: MakeRun) -> None:
    made = compute_intervals(make_run(MALIGNANCY_CLASSES), replicates=20)
    with pytest.raises(KeyError):
        get_figure(made, "recall", "mel")


def test_saved_intervals_come_back_and_grow_stale_with_their_predictions(make_run: MakeRun, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    save_run(make_run(MALIGNANCY_CLASSES), folder)
    assert load_intervals(folder) is None
    made = compute_intervals(make_run(MALIGNANCY_CLASSES), replicates=20)
    save_intervals(made, folder)
    back = load_intervals(folder)
    assert back is not None
    pd.testing.assert_frame_equal(back, made)
    make_run(MALIGNANCY_CLASSES, seed=1).frame.to_parquet(folder / "predictions.parquet")
    assert load_intervals(folder) is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"intervals": [{"value": "high"}]}'])
def test_intervals_that_cannot_be_read_are_named(make_run: MakeRun, tmp_path: Path, text: str) -> None:
    save_run(make_run(), tmp_path)
    (tmp_path / "intervals.json").write_text(text)
    with pytest.raises(RunError, match=r"intervals\.json"):
        load_intervals(tmp_path)
