from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from skinapp.datasets.splits import assign_groups
from skinapp.datasets.table import read_table, write_table
from skinapp.files import compute_sha256

RunCommand = Callable[..., Any]


@pytest.fixture
def indexed(
    run_command: RunCommand, make_ham10000: Callable[..., Path], published: pd.DataFrame, tmp_path: Path
) -> Path:
    """Index a made-up HAM10000 of 20 lesions of each of two diagnoses, and return its table."""
    lesions = pd.Series(range(40), dtype=str)
    rows = pd.concat([published.head(1)] * 40, ignore_index=True)
    rows["image_id"], rows["lesion_id"] = "ISIC_" + lesions.str.zfill(7), "HAM_" + lesions.str.zfill(7)
    rows["dx"] = ["nv", "mel"] * 20
    folder = make_ham10000(rows)
    done = run_command("index", "ham10000", folder, "-o", tmp_path / "new" / "table.parquet")
    assert (done.code, done.out) == (0, "")
    return tmp_path / "new" / "table.parquet"


def test_showcase_then_split_keep_lesions_whole_and_the_showcase_out(
    run_command: RunCommand, indexed: Path, tmp_path: Path
) -> None:
    drawn, output = tmp_path / "showcase.csv", tmp_path / "split.parquet"
    assert run_command("showcase", indexed, "-o", drawn).code == 0
    assert pd.read_csv(drawn)["diagnosis"].value_counts().to_dict() == {"mel": 4, "nv": 4}
    done = run_command("split", indexed, "--showcase", drawn, "-o", output)
    assert (done.code, done.out) == (0, "")
    table = read_table(output)
    aside = table["split"] == "showcase"
    assert set(table["image_id"][aside]) == set(pd.read_csv(drawn)["image_id"])
    assert table.groupby(assign_groups(table))["split"].nunique().eq(1).all()
    for name, photos in table.groupby("split"):
        assert f"{name}: {len(photos)} photos of {photos['lesion_id'].nunique()} lesions" in done.err
    assert "Patients are not recorded" in done.err


def test_split_caps_and_groups_and_says_what_it_did(run_command: RunCommand, indexed: Path, tmp_path: Path) -> None:
    output = tmp_path / "split.parquet"
    done = run_command("split", indexed, "--cap", 12, "--group", "image_id", "-o", output)
    assert done.code == 0
    assert read_table(output)["diagnosis"].value_counts().to_dict() == {"mel": 12, "nv": 12}
    assert "16 of 40 photos left out" in done.err
    assert "by perceptual hash" in done.err
    assert "Split by image_id" in done.err
    assert "Patients are not recorded" in done.err
    compared = run_command("split", indexed, "-o", output, "--data", indexed.parents[1])
    assert "by comparing the photos" in compared.err


def test_split_names_classes_that_are_too_small(run_command: RunCommand, indexed: Path, tmp_path: Path) -> None:
    table = read_table(indexed)
    keep = (table["diagnosis"] == "nv") | (table.groupby("diagnosis").cumcount() < 4)
    write_table(table[keep], tmp_path / "few.parquet")
    done = run_command("split", tmp_path / "few.parquet", "-o", tmp_path / "out.parquet")
    assert done.code == 0
    assert "mel has too few groups for every part: 4 of at least 10" in done.err
    wrong = run_command("split", indexed, "--group", "patient", "-o", tmp_path / "none.parquet")
    assert (wrong.code, "has no column patient" in wrong.err) == (2, True)


def test_the_same_seed_gives_the_same_files_and_another_seed_others(
    run_command: RunCommand, indexed: Path, tmp_path: Path
) -> None:
    def made(seed: int) -> tuple[str, str]:
        drawn, output = tmp_path / "drawn.csv", tmp_path / "split.parquet"
        run_command("showcase", indexed, "-o", drawn, "--seed", seed)
        run_command("split", indexed, "--showcase", always, "-o", output, "--seed", seed)
        return compute_sha256(drawn), compute_sha256(output)

    always = tmp_path / "always.csv"
    run_command("showcase", indexed, "-o", always)
    first, other = made(1), made(2)
    assert made(1) == first
    assert other[0] != first[0]
    assert other[1] != first[1]


def test_what_cannot_be_split_is_said_in_a_sentence(run_command: RunCommand, indexed: Path, tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "other.csv").write_text("name\nISIC_0000001\n")
    (tmp_path / "strange.csv").write_text("image_id\nISIC_0009999\n")
    output = tmp_path / "out.parquet"
    spoilt = [tmp_path / name for name in ("absent.csv", "binary.csv", "other.csv")]
    commands = [
        (("showcase", tmp_path / "absent.parquet", "-o", output), "There is no image table"),
        (("showcase", indexed, "-o", tmp_path / "absent" / "s.csv"), "cannot be written"),
        (("split", indexed, "--showcase", tmp_path / "strange.csv", "-o", output), "ISIC_0009999"),
        *((("split", indexed, "--showcase", file, "-o", output), "is not a showcase CSV") for file in spoilt),
    ]
    for arguments, sentence in commands:
        done = run_command(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "Error: " in done.err
        assert sentence in done.err
    assert not output.exists()
