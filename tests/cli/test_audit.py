import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinapp.datasets.audit.findings import FINDING_COLUMNS
from skinapp.datasets.files import measure_files
from skinapp.datasets.table import build_image_table, write_table
from skinapp.runs.stored import load_run

RunCommand = Callable[..., Any]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Make photos/ with six photos of their own and x, a squashed and recompressed copy of the first."""
    (tmp_path / "photos").mkdir()
    for number in range(6):
        relief = np.random.default_rng(number).normal(140, 40, (30, 40, 3)).clip(0, 255).astype(np.uint8)
        picture = Image.fromarray(relief).resize((400, 300), Image.Resampling.BICUBIC)
        picture.save(tmp_path / "photos" / f"p{number}.png")
        if number == 0:
            picture.resize((224, 224)).save(tmp_path / "photos" / "x.jpg", quality=75)
    return tmp_path


@pytest.fixture
def make_table(photos: Path) -> Callable[..., Path]:
    """Write a table of photos by their names, and return its path."""

    def make(name: str, files: list[str], **columns: object) -> Path:
        paths = [photos / "photos" / file for file in files]
        ids = [path.stem for path in paths]
        facts = pd.DataFrame({"image_id": ids, "lesion_id": ids, "diagnosis": "nv", "malignant": False} | columns)
        write_table(
            build_image_table(pd.concat([facts, measure_files(paths, photos)], axis=1)), photos / f"{name}.parquet"
        )
        return photos / f"{name}.parquet"

    return make


ALL = [f"p{number}.png" for number in range(6)]


@pytest.mark.parametrize("by_looking", [False, True])
def test_a_copy_across_splits_is_found_either_way_and_strict_says_so(
    run_command: RunCommand, make_table: Callable[..., Path], photos: Path, by_looking: bool
) -> None:
    tables = make_table("one", ALL, split="train"), make_table("two", ["x.jpg"], split="test", diagnosis="bcc")
    output = photos / "findings.csv"
    options = ("--data", photos) if by_looking else ()
    done = run_command("audit", *tables, "-o", output, "--strict", *options)
    assert done.code == 1
    assert ("comparing the photos" if by_looking else "perceptual hashes are compared") in done.err
    assert "Leaks, findings that cross a split: 2." in done.err
    assert done.out.splitlines()[2].split() == ["same", "picture", "1", "1", "1"]
    found = pd.read_csv(output)
    assert tuple(found.columns) == tuple(FINDING_COLUMNS)
    first = found.iloc[0]
    assert (first["finding"], first["image_a"], first["split_a"], first["table_b"]) == (
        "same picture",
        "p0",
        "train",
        "two",
    )


def test_without_strict_a_leak_ends_well_and_without_a_leak_strict_does(
    run_command: RunCommand, make_table: Callable[..., Path]
) -> None:
    crossing = make_table("one", [*ALL, "x.jpg"], split=["train"] * 6 + ["test"])
    assert run_command("audit", crossing).code == 0
    together = make_table("two", [*ALL, "x.jpg"], split="train")
    done = run_command("audit", together, "--strict")
    assert done.code == 0
    assert "Nothing crosses a split." in done.err


def test_findings_are_written_as_parquet_and_unreadable_files_are_named(
    run_command: RunCommand, make_table: Callable[..., Path], photos: Path
) -> None:
    table = make_table("one", ALL)
    (photos / "photos" / "p3.png").unlink()
    assert run_command("audit", table, "-o", photos / "f.parquet", "--data", photos).code == 0
    found = pd.read_parquet(photos / "f.parquet")
    assert list(found.columns) == list(FINDING_COLUMNS)
    assert found.loc[found["finding"] == "unreadable file", "image_a"].tolist() == ["p3"]


def test_wrong_usage_ends_with_two_and_writes_nothing(
    run_command: RunCommand, make_table: Callable[..., Path], photos: Path
) -> None:
    table, output = make_table("one", ALL), photos / "findings.csv"
    (photos / "sub").mkdir()
    (photos / "sub" / "one.parquet").write_bytes(table.read_bytes())
    cases = [
        ((table, "-o", photos / "findings.txt"), "is neither .csv nor .parquet"),
        ((table, "-o", photos / "absent" / "f.csv"), "cannot be written"),
        ((table, photos / "sub" / "one.parquet", "-o", output), "Two tables are named one"),
        ((photos / "absent.parquet", "-o", output), "There is no image table"),
        ((table, "-o", output, "--data", photos / "sub"), "None of the photos"),
        ((table, "-o", output, "--data", photos / "absent"), "is not a folder"),
    ]
    for arguments, sentence in cases:
        done = run_command("audit", *arguments)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.err
    assert not output.exists()
    assert run_command("audit").code == 2


def test_probe_stores_a_run_and_what_each_fact_carries(run_command: RunCommand, tmp_path: Path) -> None:
    random, n = np.random.default_rng(0), 100
    ids = [f"p{k:03}" for k in range(n)]
    labels = ["malignant", "benign"] * (n // 2)
    rows = {"image_id": ids, "lesion_id": ids, "diagnosis": labels, "malignant": [True, False] * (n // 2)}
    write_table(
        build_image_table(pd.DataFrame(rows | {"sharpness": random.normal(0, 1, n), "red": [9.0, 1.0] * (n // 2)})),
        tmp_path / "own.parquet",
    )
    done = run_command("probe", tmp_path / "own.parquet", "-o", tmp_path / "runs" / "own")
    assert done.code == 0
    assert done.out.splitlines()[2].split()[:6] == ["Malignant", "1.000", "(1.000", "to", "1.000)", "colour"]
    run = load_run(tmp_path / "runs" / "own")
    assert (run.name, run.classes) == ("own", ("malignant", "benign"))
    features = pd.read_csv(io.StringIO((tmp_path / "runs" / "own" / "features.csv").read_text()))
    assert set(features["feature"]) == {"colour", "sharpness"}


def test_what_was_not_compared_and_a_table_without_a_split_are_said(run_command: RunCommand, tmp_path: Path) -> None:
    table = tmp_path / "bare.parquet"
    rows = pd.DataFrame({"image_id": ["a", "b"], "lesion_id": ["a", "b"], "perceptual_hash": [pd.NA, "f" * 64]})
    write_table(rows, table)
    done = run_command("audit", table)
    assert "1 of 2 photos have no hash and were not compared." in done.err
    assert done.err.endswith("No photo has a split, so there is none to cross.\n")
    write_table(rows.assign(split=["train", "test"]), table)
    assert run_command("audit", table).err.endswith("Nothing crosses a split.\n")
