from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.measures import MEASURES
from skinapp.datasets.table import TABLES, build_image_table, write_table
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256
from skinapp.runs.intervals import compute_intervals, get_figure, load_intervals
from skinapp.runs.probe.fit import FOLDS, MODEL, Probe, probe_table
from skinapp.runs.probe.stored import FEATURE_COLUMNS, FEATURES_FILE
from skinapp.runs.stored import find_runs, load_run, save_run


def made_up(path: Path, photos_a_lesion: int = 1, **columns: object) -> pd.DataFrame:
    """Write an image table of 300 photos whose facts are noise but where the columns say otherwise."""
    random, n = np.random.default_rng(0), 300
    noise = {name: random.normal(100, 10, n) for name in MEASURES}
    facts = {
        "image_id": [f"p{k:03}" for k in range(n)],
        "lesion_id": [f"lesion {k // photos_a_lesion}" for k in range(n)],
        "diagnosis": np.array(["nv", "mel"])[random.integers(0, 2, n)],
    }
    table = build_image_table(pd.DataFrame(noise | facts | columns))
    write_table(table, path)
    return table


def probed(path: Path, table: pd.DataFrame, task: str = "diagnosis") -> tuple[Probe, dict[str, float]]:
    probe = probe_table(table, path, task, "a-name")
    intervals = compute_intervals(probe.run, replicates=5)
    return probe, {label: get_figure(intervals, "auroc", label).value for label in probe.run.classes}


def test_a_planted_shortcut_is_found_and_named(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    labels = np.array(["nv", "mel"] * 150)
    table = made_up(path, diagnosis=labels, camera=np.where(labels == "mel", "one", "other"))
    probe, auroc = probed(path, table)
    assert auroc == pytest.approx({"nv": 1.0, "mel": 1.0}, abs=0.001)
    assert tuple(probe.features.columns) == FEATURE_COLUMNS
    by_fact = probe.features[probe.features["class"] == "mel"].set_index("feature")
    assert by_fact["auroc_drop"].idxmax() == "camera"
    assert by_fact.loc["camera", ["auroc_alone", "auroc_drop"]].tolist() == pytest.approx([1, 0.5], abs=0.1)
    assert by_fact.loc["sharpness", "auroc_alone"] < 0.65
    assert "source" not in by_fact.index  # the same for all photos: it cannot tell any apart


def test_noise_predicts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    _, auroc = probed(path, made_up(path))
    assert auroc["mel"] == pytest.approx(0.5, abs=0.1)


def test_a_lesion_never_teaches_about_itself(tmp_path: Path) -> None:
    """Ten photos of a lesion share colour and label, which is drawn anew for each lesion: by photo AUROC would be 1."""
    path, random = tmp_path / "table.parquet", np.random.default_rng(5)
    labels = np.repeat(np.array(["nv", "mel"])[random.permutation(30) % 2], 10)
    colours = np.repeat(random.normal(100, 30, 30), 10)
    _, auroc = probed(path, made_up(path, photos_a_lesion=10, diagnosis=labels, red=colours))
    assert auroc["mel"] < 0.75


def test_copies_of_a_photo_never_teach_about_each_other(tmp_path: Path) -> None:
    path, random = tmp_path / "table.parquet", np.random.default_rng(5)
    labels = np.repeat(np.array(["nv", "mel"])[random.permutation(30) % 2], 10)
    colours = np.repeat(random.normal(100, 30, 30), 10)
    hashes = np.repeat([random.bytes(32).hex() for _ in range(30)], 10)
    _, auroc = probed(path, made_up(path, diagnosis=labels, red=colours, perceptual_hash=hashes))
    assert auroc["mel"] < 0.75


def test_the_predictions_are_a_run_that_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table = made_up(path, malignant=[True, False] * 150)
    table.loc[0, "malignant"] = pd.NA
    probe, _ = probed(path, table, "malignancy")
    save_run(probe.run, tmp_path / "runs" / "table")
    again = load_run(tmp_path / "runs" / "table")
    assert again.classes == ("malignant", "benign")
    assert (again.model, again.split, again.table) == (MODEL, "cross-validated", "table")
    assert (again.weights_kept, again.weights_sha256) == (False, "")
    assert set(again.frame["image_id"]) == set(table["image_id"]) - {"p000"}
    pd.testing.assert_frame_equal(again.frame, probe_table(table, path, "malignancy", "a").run.frame)


def test_what_cannot_be_probed_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    with pytest.raises(DatasetError, match="two or more classes"):
        probe_table(made_up(path, diagnosis="nv"), path, "diagnosis", "a")
    few = ["mel"] * (FOLDS - 1) + ["nv"] * (300 - FOLDS + 1)
    with pytest.raises(DatasetError, match="mel: fewer than 5 lesions"):
        probe_table(made_up(path, diagnosis=few), path, "diagnosis", "a")
    blank = made_up(path).assign(**dict.fromkeys(MEASURES, 1.0))
    with pytest.raises(DatasetError, match="No fact differs"):
        probe_table(blank, path, "diagnosis", "a")


def test_the_shipped_probes_are_of_the_shipped_tables() -> None:
    folders = find_runs(TABLES.parent / "experiments" / "shortcut-probe")
    assert {folder.name for folder in folders} == {
        "ham10000",
        "ham10000-malignancy",
        "isic2019",
        "malignant-vs-benign",
    }
    for folder in folders:
        run = load_run(folder)
        assert run.table_sha256 == compute_sha256(TABLES / f"{run.table}.parquet")
        assert load_intervals(folder) is not None
        features = pd.read_csv(folder / FEATURES_FILE)
        assert tuple(features.columns) == FEATURE_COLUMNS
        assert set(features["class"]) == set(run.classes)
