import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from skinapp.datasets.table import read_table, write_table
from skinapp.models.card import Head
from skinapp.runs.intervals import compute_intervals, get_figure, save_intervals
from skinapp.runs.own.read import read_predictions
from skinapp.runs.stored import StoredRun, Versions, load_run, save_run
from skinapp.runs.summary import compute_headline, compute_per_class
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

RunCommand = Callable[..., Any]

HEADER = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"
FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "macro_auroc", "malignant_auroc", "ece")


def made_csv(classes: tuple[str, ...] = ("mel", "nv", "vasc"), photos: int = 60, seed: int = 0) -> str:
    """Write predictions that are right more often than by chance, two photos a lesion."""
    random = np.random.default_rng(seed)
    truth = random.integers(len(classes), size=photos)
    scores = random.random((photos, len(classes))) + np.eye(len(classes))[truth]
    frame = pd.DataFrame({"image_id": [f"photo_{n}" for n in range(photos)]})
    frame["lesion_id"] = [f"lesion_{n // 2}" for n in range(photos)]
    frame["truth"] = np.array(classes)[truth]
    frame["sex"] = "female"
    frame[[f"p_{label}" for label in classes]] = scores / scores.sum(axis=1, keepdims=True)
    return frame.to_csv(index=False)


def made_run(model: str, seed: int = 0, classes: tuple[str, ...] = ("mel", "nv", "vasc")) -> StoredRun:
    made = read_predictions(made_csv(classes, seed=seed).encode(), "made.csv").predictions
    return StoredRun(
        name=made.name,
        model=model,
        classes=made.classes,
        table="a-table",
        table_sha256="0" * 64,
        split="test",
        weights_sha256="1" * 64,
        weights_kept=False,
        versions=Versions("3", "2", "0"),
        created="2026-01-01T00:00:00+00:00",
        note="Made up.",
        frame=made.frame,
    )


def stored(run: StoredRun, folder: Path, intervals: bool = True) -> Path:
    save_run(run, folder)
    if intervals:
        save_intervals(compute_intervals(run, 20), folder)
    return folder


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    """Store a run of a model with intervals and one of an experiment without."""
    roots = {"models": tmp_path / "models", "experiments": tmp_path / "experiments"}
    stored(made_run("a-model"), roots["models"] / "a-model" / "runs" / "table-test")
    own = made_run("trial", 1, ("nv", "vasc", "df"))
    stored(own, roots["experiments"] / "trial" / "runs" / "test", intervals=False)
    return roots


def options(roots: dict[str, Path]) -> list[object]:
    return [part for name, root in roots.items() for part in (f"--{name}", root)]


def test_runs_lists_those_of_models_and_of_experiments(run_command: RunCommand, roots: dict[str, Path]) -> None:
    done = run_command("runs", "--format", "json", *options(roots))
    first, second = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert list(first) == ["name", "model", "table", "split", "photos", "lesions", *FIGURES]
    run = load_run(roots["models"] / "a-model" / "runs" / "table-test")
    intervals = compute_intervals(run, 20)
    assert [first[key] for key in ("name", "model", "table", "split")] == ["table-test", "a-model", "a-table", "test"]
    assert (first["photos"], first["lesions"]) == (60, 30)
    for name in FIGURES:
        expected = get_figure(intervals, name)
        assert first[name] == pytest.approx({"value": expected.value, "low": expected.low, "high": expected.high})

    plain = compute_headline(load_run(roots["experiments"] / "trial" / "runs" / "test"))
    assert (second["model"], second["name"]) == ("trial", "test")
    assert second["accuracy"] == {"value": pytest.approx(plain.accuracy), "low": None, "high": None}
    assert second["malignant_auroc"] == {"value": None, "low": None, "high": None}

    shown = run_command("runs", *options(roots)).out.splitlines()
    (line,) = [line for line in shown if line.strip().startswith("trial")]
    assert f"{plain.balanced_accuracy:.3f} " in line
    assert line.rstrip().endswith("–")
    (line,) = [line for line in shown if line.strip().startswith("a-model")]
    assert get_figure(intervals, "balanced_accuracy").format() in line


def test_name_and_model_together_mean_one_run(run_command: RunCommand, roots: dict[str, Path]) -> None:
    twin = stored(made_run("a-model", 2), roots["experiments"] / "copy" / "runs" / "table-test")
    listed = json.loads(run_command("runs", "--format", "json", *options(roots)).out)
    assert len({(run["name"], run["model"]) for run in listed}) == len(listed) == 3
    assert twin.as_posix() in [run["name"] for run in listed]


def test_the_folders_may_come_from_the_environment(
    run_command: RunCommand, roots: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINAPP_MODELS", str(roots["models"]))
    monkeypatch.setenv("SKINAPP_EXPERIMENTS", str(roots["experiments"]))
    assert len(json.loads(run_command("runs", "--format", "json").out)) == 2


def test_what_is_damaged_is_said_and_the_others_are_listed(run_command: RunCommand, roots: dict[str, Path]) -> None:
    folder = roots["models"] / "a-model" / "runs" / "table-test"
    (folder / "intervals.json").write_text("{")
    done = run_command("runs", "--format", "json", *options(roots))
    assert "intervals.json cannot be read" in done.err
    first, _ = json.loads(done.out)
    assert first["accuracy"]["value"] is not None
    assert first["accuracy"]["low"] is None

    (folder / "predictions.parquet").write_bytes(b"damaged")
    done = run_command("runs", "--format", "json", *options(roots))
    assert (done.code, [run["model"] for run in json.loads(done.out)]) == (0, ["trial"])
    assert "is damaged" in done.err


def test_no_runs_give_an_empty_list_and_a_hint(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("runs", "--format", "json", "--models", tmp_path, "--experiments", tmp_path / "absent")
    assert (done.code, json.loads(done.out)) == (0, [])
    assert "No run is stored" in done.err


def test_every_run_that_ships_is_listed(run_command: RunCommand) -> None:
    done = run_command("runs", "--format", "json")
    listed = json.loads(done.out)
    assert done.err == ""
    assert {"lesion", "shortcut-probe"} <= {run["model"] for run in listed}
    assert len({(run["name"], run["model"]) for run in listed}) == len(listed)


def test_score_prints_figures_with_intervals_overall_and_by_class(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(made_csv())
    run = read_predictions(made_csv().encode(), "mine.csv").predictions
    intervals = compute_intervals(run, 30)
    done = run_command("score", tmp_path / "mine.csv", "--format", "json", "--replicates", 30)
    found = json.loads(done.out)
    assert (done.code, found["file"], found["photos"], found["lesions"], found["notes"]) == (0, "mine.csv", 60, 30, [])
    for name in (*FIGURES, "log_loss"):
        expected = get_figure(intervals, name)
        assert found[name] == pytest.approx({"value": expected.value, "low": expected.low, "high": expected.high})
    assert found["top3"] == {"value": None, "low": None, "high": None}
    by_class = compute_per_class(run)
    assert [one["class"] for one in found["classes"]] == ["mel", "nv", "vasc"]
    assert [one["photos"] for one in found["classes"]] == by_class["support"].tolist()
    recall = get_figure(intervals, "recall", "nv")
    assert found["classes"][1]["recall"] == pytest.approx(
        {"value": recall.value, "low": recall.low, "high": recall.high}
    )

    shown = run_command("score", tmp_path / "mine.csv", "--replicates", 30).out
    assert shown.startswith("mine.csv: 60 photos of 30 lesions")
    assert get_figure(intervals, "macro_f1").format() in shown
    (line,) = [line for line in shown.splitlines() if line.strip().startswith("Melanocytic nevus")]
    assert recall.format() in line


def test_score_takes_the_isic_format_and_says_how_it_was_read(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "sent.csv").write_text(f"{HEADER}\na,0.8,0.8,0,0,0,0,0\nb,0,0,0,0,0,0,1\n")
    (tmp_path / "truth.csv").write_text(f"{HEADER}\na,1,0,0,0,0,0,0\nb,0,0,0,0,0,0,1\n")
    scored = ("score", tmp_path / "sent.csv", "--replicates", 5)
    done = run_command(*scored, "--truth", tmp_path / "truth.csv", "--format", "json")
    found = json.loads(done.out)
    assert (done.code, found["accuracy"]["value"]) == (0, 1)
    assert any("did not add up to 1" in note for note in found["notes"])
    assert all(note in done.err for note in found["notes"])
    done = run_command(*scored)
    assert (done.code, done.out) == (2, "")
    assert "file of truths" in done.err
    done = run_command("score", tmp_path / "absent.csv")
    assert done.code == 2
    assert "absent.csv cannot be read" in done.err


def test_truths_in_another_order_are_joined_by_ids_and_not_by_row(run_command: RunCommand, tmp_path: Path) -> None:
    ids = [f"ISIC_{n}" for n in range(30)]
    truth = pd.get_dummies(pd.Series([("MEL", "NV", "DF")[n % 3] for n in range(30)]), dtype=float)
    truth.assign(image_name=ids).to_csv(tmp_path / "sent.csv", index=False)
    truth.assign(image_name=ids)[::-1].to_csv(tmp_path / "truth.csv", index=False)
    scored = ("score", tmp_path / "sent.csv", "--truth", tmp_path / "truth.csv", "--format", "json", "--replicates", 2)
    assert json.loads(run_command(*scored).out)["accuracy"]["value"] == 1


def test_score_asks_about_unknown_classes_and_takes_the_answer(run_command: RunCommand, tmp_path: Path) -> None:
    made = made_csv(("mel", "nv", "akiec", "blob", "odd"))
    (tmp_path / "mine.csv").write_text(made)
    scored = ("score", tmp_path / "mine.csv", "--format", "json", "--replicates", 3)
    found = json.loads(run_command(*scored).out)
    assert found["malignant_auroc"] == {"value": None, "low": None, "high": None}
    assert any("'blob', 'odd' are malignant" in note and "--malignant CLASS" in note for note in found["notes"])

    frame = pd.read_csv(StringIO(made))
    said = json.loads(run_command(*scored, "--map", "blob=AK", "--benign", "Odd").out)
    malignant = frame["truth"].isin(["mel", "akiec", "blob"])
    area = roc_auc_score(malignant, frame[["p_mel", "p_akiec", "p_blob"]].sum(axis=1))
    assert said["malignant_auroc"]["value"] == pytest.approx(area)
    assert [one["class"] for one in said["classes"]] == ["akiec", "mel", "nv", "odd"]

    for wrong, sentence in (
        (("--map", "blob"), "names no class and code"),
        (("--map", "blob=wart hog"), "'wart hog' is not a class to map to"),
        (("--malignant", "blub"), "'blub', which the predictions do not have"),
        (("--malignant", "blob", "--benign", "blob"), "given two meanings"),
    ):
        done = run_command(*scored, *wrong)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.err


@pytest.fixture
def unlabelled(data_root: Path, tmp_path: Path) -> Path:
    """Write the made-up table without its labels, lesions and splits, as one that is held back would be."""
    table = read_table(data_root / "table.parquet")
    bare = table.assign(diagnosis=pd.NA, malignant=pd.NA, split=pd.NA, lesion_id=pd.NA)
    write_table(bare.astype(table.dtypes), tmp_path / "bare.parquet")
    return tmp_path / "bare.parquet"


def test_submission_predicts_photos_without_labels_as_evaluate_does(
    run_command: RunCommand,
    models: Path,
    data_root: Path,
    unlabelled: Path,
    tmp_path: Path,
    make_model: Callable[..., Path],
) -> None:
    own = make_model(tmp_path / "lesion-type", "lesion_type", seed=2)
    output = tmp_path / "all.csv"
    done = run_command("submission", own, unlabelled, "-o", output, "--data", data_root)
    assert (done.code, done.out) == (0, "")
    assert output.read_text().splitlines()[0] == HEADER
    frame = pd.read_csv(output).set_index("image")
    assert set(frame.index) == set(read_table(data_root / "table.parquet")["image_id"])

    run_command("evaluate", own, data_root / "table.parquet", "--data", data_root, "--name", "test")
    run = load_run(own / "runs" / "test")
    expected = run.frame.set_index("image_id")
    test = frame.loc[expected.index]
    np.testing.assert_allclose(test["AKIEC"], expected["p_akiec"] + expected["p_scc"], atol=1e-5)
    np.testing.assert_allclose(test["MEL"], expected["p_mel"], atol=1e-5)
    assert frame.sum(axis=1).to_numpy() == pytest.approx(1)

    options = ("--split", "test", "--data", data_root)
    printed = run_command("submission", own, data_root / "table.parquet", *options)
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(printed.out)).set_index("image"), test, check_names=False)
    by_run = run_command("submission", own / "runs" / "test")
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(by_run.out)).set_index("image"), test, check_names=False)


def test_submission_takes_the_lesion_type_head_of_two(
    run_command: RunCommand, data_root: Path, tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    heads = (Head(name="malignancy", classes=MALIGNANCY_CLASSES), Head(name="lesion_type", classes=CODES))
    folder = make_model(tmp_path / "two", "both", seed=3, heads=heads)
    done = run_command("submission", folder, data_root / "table.parquet", "--split", "test", "--data", data_root)
    assert done.code == 0
    assert pd.read_csv(StringIO(done.out)).drop(columns="image").sum(axis=1).to_numpy() == pytest.approx(1)


def test_submission_restates_scores_for_equal_shares_from_the_card(
    run_command: RunCommand, data_root: Path, tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    shares = (0.02, 0.1, 0.1, 0.02, 0.11, 0.6, 0.03, 0.02)
    head = Head(name="lesion_type", classes=CODES, shares=shares)
    folder = make_model(tmp_path / "own", "lesion_type", seed=3, heads=(head,))
    asked = ("submission", folder, data_root / "table.parquet", "--data", data_root)
    plain, restated = (
        pd.read_csv(StringIO(run_command(*asked, *more).out), index_col="image") for more in ((), ("--equal-shares",))
    )
    odds = plain / dict(zip(HEADER.split(",")[1:], (0.11, 0.6, 0.1, 0.05, 0.1, 0.02, 0.02), strict=True))
    pd.testing.assert_frame_equal(restated, odds.div(odds.sum(axis=1), axis=0))


def test_what_submission_cannot_do_is_said_before_the_work(
    run_command: RunCommand, models: Path, data_root: Path, unlabelled: Path, tmp_path: Path
) -> None:
    there = ("--models", models, "--data", data_root)
    for arguments, sentence in (
        (("malignancy", unlabelled, *there), "has no lesion_type head"),
        (("lesion-type", unlabelled, *there, "--split", "test"), "no photo in the split test"),
        (("lesion-type", unlabelled, "--models", models), "Name their data root"),
        (("lesion-type", unlabelled, *there, "-o", tmp_path / "absent" / "a.csv"), "cannot be written"),
        (("absent", unlabelled, *there), "There is no model absent"),
        ((tmp_path,), "There is no stored run"),
        (("lesion-type", unlabelled, *there, "--equal-shares"), "has no class shares"),
        ((tmp_path, "--equal-shares"), "Name the model and the image table instead"),
    ):
        done = run_command("submission", *arguments)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.err
