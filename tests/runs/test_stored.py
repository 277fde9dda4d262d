from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.errors import RunError
from skinapp.runs.intervals import compute_intervals, load_intervals, save_intervals
from skinapp.runs.stored import FACTS_FILE, PREDICTIONS_FILE, RunFacts, StoredRun, find_runs, load_run, save_run
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]
KillAtEachStep = Callable[[Path, str, str], list[Path]]


def changed(run: StoredRun, column: str, row: int, value: object) -> StoredRun:
    frame = run.frame.copy()
    frame.loc[row, column] = value
    return replace(run, frame=frame)


def facts(run: StoredRun) -> dict[str, object]:
    return {field.name: getattr(run, field.name) for field in fields(RunFacts)}


def test_a_saved_run_comes_back_as_it_was(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    save_run(run, tmp_path / "runs" / "one")
    back = load_run(tmp_path / "runs" / "one")
    assert facts(back) == facts(run)
    pd.testing.assert_frame_equal(back.frame, run.frame)


def test_a_run_of_two_classes_with_double_precision_comes_back(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    doubles = {"p_malignant": np.float64, "p_benign": np.float64}
    save_run(replace(run, frame=run.frame.astype(doubles)), tmp_path / "run")
    assert load_run(tmp_path / "run").frame["p_benign"].dtype == np.float64


def test_saving_again_replaces_the_run_and_drops_what_was_computed_from_the_old_one(
    make_run: MakeRun, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "one"
    save_run(make_run(seed=0), folder)
    (folder / "intervals.json").write_text("{}")
    save_run(make_run(seed=1), folder)
    pd.testing.assert_frame_equal(load_run(folder).frame, make_run(seed=1).frame)
    assert sorted(p.name for p in folder.parent.rglob("*")) == ["one", PREDICTIONS_FILE, FACTS_FILE]


def test_a_run_that_does_not_hold_together_is_not_saved_and_leaves_the_old_one(
    make_run: MakeRun, tmp_path: Path
) -> None:
    save_run(make_run(), tmp_path / "run")
    with pytest.raises(RunError, match="truth names psoriasis"):
        save_run(changed(make_run(), "truth", 3, "psoriasis"), tmp_path / "run")
    assert len(load_run(tmp_path / "run").frame) == 120


def test_a_kill_while_saving_leaves_the_old_run_or_the_new_one(
    make_run: MakeRun, tmp_path: Path, kill_at_each_step: KillAtEachStep
) -> None:
    old, new = replace(make_run(seed=0), note="Old."), replace(make_run(seed=1), note="New.")
    for name, run in (("old", old), ("new", new)):
        save_run(run, tmp_path / name)
    save_intervals(compute_intervals(old, 5), tmp_path / "old")
    imports = "from skinapp.runs.stored import load_run, save_run"
    copies = kill_at_each_step(
        tmp_path / "old", imports, f"save_run(load_run(Path({str(tmp_path / 'new')!r})), folder)"
    )
    notes = []
    for copy in copies:
        assert find_runs(copy.parents[1]) == (copy,)
        run, intervals = load_run(copy), load_intervals(copy)
        notes.append(run.note)
        pd.testing.assert_frame_equal(run.frame, (old if run.note == "Old." else new).frame)
        assert (intervals is None) == (run.note == "New.")
    assert len(copies) > 5
    assert notes == sorted(notes, reverse=True)
    assert set(notes) == {"Old.", "New."}


def test_leftovers_of_a_save_that_was_killed_are_not_in_the_way(make_run: MakeRun, tmp_path: Path) -> None:
    left = tmp_path / "runs" / "one" / "0.partial"
    left.mkdir(parents=True)
    (left / FACTS_FILE).write_text("{")
    assert find_runs(tmp_path) == ()
    save_run(make_run(), tmp_path / "runs" / "one")
    assert find_runs(tmp_path) == (tmp_path / "runs" / "one",)


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("image_id", "photo_0", "photo_0 is listed more than once"),
        ("lesion_id", None, "no lesion_id"),
        ("truth", "psoriasis", "none of its classes"),
        ("p_mel", float("nan"), "first photo_5, are not all in 0 to 1"),
        ("p_mel", -0.1, "first photo_5, are not all in 0 to 1"),
        ("p_mel", 0.9999, "first photo_5, do not add up to 1"),
    ],
)
def test_predictions_that_do_not_hold_together_are_refused_by_name(
    make_run: MakeRun, tmp_path: Path, column: str, value: object, sentence: str
) -> None:
    save_run(make_run(), tmp_path / "run")
    changed(make_run(), column, 5, value).frame.to_parquet(tmp_path / "run" / PREDICTIONS_FILE)
    with pytest.raises(RunError, match=sentence) as caught:
        load_run(tmp_path / "run")
    assert str(tmp_path / "run") in str(caught.value)


def test_missing_columns_are_named(make_run: MakeRun, tmp_path: Path) -> None:
    save_run(make_run(), tmp_path / "run")
    frame = make_run().frame.drop(columns=["lesion_id", "p_nv"])
    frame.to_parquet(tmp_path / "run" / PREDICTIONS_FILE)
    with pytest.raises(RunError, match="lack lesion_id, p_nv"):
        load_run(tmp_path / "run")


def test_whole_numbers_are_no_probabilities(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    whole = run.frame.assign(p_malignant=1, p_benign=0)
    with pytest.raises(RunError, match="p_malignant holds int64"):
        save_run(replace(run, frame=whole), tmp_path / "run")


def test_an_empty_run_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    with pytest.raises(RunError, match="hold no photo"):
        save_run(replace(run, frame=run.frame.head(0)), tmp_path / "run")


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no stored run in .*nowhere"):
        load_run(tmp_path / "nowhere")


def test_a_run_without_predictions_says_so(make_run: MakeRun, tmp_path: Path) -> None:
    save_run(make_run(), tmp_path / "run")
    (tmp_path / "run" / PREDICTIONS_FILE).unlink()
    with pytest.raises(RunError, match=r"predictions\.parquet is missing"):
        load_run(tmp_path / "run")


def test_a_file_that_is_no_parquet_says_so(make_run: MakeRun, tmp_path: Path) -> None:
    save_run(make_run(), tmp_path / "run")
    (tmp_path / "run" / PREDICTIONS_FILE).write_text("not a table")
    with pytest.raises(RunError, match="cannot be read as Parquet"):
        load_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [('"split"', '"splot"', "wrong at split"), ('"note"', "note", "wrong at the whole file")],
)
def test_what_is_wrong_in_run_json_is_named(
    make_run: MakeRun, tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    save_run(make_run(), tmp_path / "run")
    file = tmp_path / "run" / FACTS_FILE
    file.write_text(file.read_text().replace(before, after))
    with pytest.raises(RunError, match=sentence):
        load_run(tmp_path / "run")


def test_runs_are_found_below_any_model_and_sorted(make_run: MakeRun, tmp_path: Path) -> None:
    for place in ("models/b/runs/test", "models/a/runs/val", "models/a/runs/test"):
        save_run(make_run(), tmp_path / place)
    save_run(make_run(), tmp_path / "models/a/not-a-run")
    found = [folder.relative_to(tmp_path).as_posix() for folder in find_runs(tmp_path)]
    assert found == ["models/a/runs/test", "models/a/runs/val", "models/b/runs/test"]
