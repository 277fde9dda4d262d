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
    assert "by comparing 40 of 40 photos" in compared.err


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
    spoilt = {
        "absent.csv": "is not a showcase CSV",
        "binary.csv": "is a JPEG photo",
        "other.csv": "is not a showcase CSV",
    }
    commands = [
        (("showcase", tmp_path / "absent.parquet", "-o", output), "There is no image table"),
        (("showcase", indexed, "-o", tmp_path / "absent" / "s.csv"), "cannot be written"),
        (("split", indexed, "--showcase", tmp_path / "strange.csv", "-o", output), "ISIC_0009999"),
        *((("split", indexed, "--showcase", tmp_path / name, "-o", output), what) for name, what in spoilt.items()),
    ]
    for arguments, sentence in commands:
        done = run_command(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "Error: " in done.err
        assert sentence in done.err
    assert not output.exists()


def test_a_data_root_that_holds_no_photo_is_refused_and_missing_ones_are_counted(
    run_command: RunCommand, indexed: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    output = tmp_path / "split.parquet"
    done = run_command("split", indexed, "-o", output, "--data", tmp_path / "empty")
    assert done.code == 2
    assert "None of the 40 photos can be read below" in done.err
    assert not output.exists()
    next((tmp_path / "ham10000").rglob("*.jpg")).unlink()
    done = run_command("split", indexed, "-o", output, "--data", indexed.parents[1])
    assert done.code == 0
    assert "by comparing 39 of 40 photos" in done.err
    assert "1 of 40 photos are missing below" in done.err


def test_split_keeps_patients_together_and_says_so(run_command: RunCommand, indexed: Path, tmp_path: Path) -> None:
    table = read_table(indexed)
    table["patient_id"] = pd.Series([f"P{number // 2}" for number in range(38)], dtype="string")
    write_table(table, tmp_path / "with.parquet")
    done = run_command("split", tmp_path / "with.parquet", "-o", tmp_path / "split.parquet")
    assert "All photos of one patient are in one split (19 patients). 2 photos name no patient." in done.err
    assert read_table(tmp_path / "split.parquet").groupby("patient_id")["split"].nunique().max() == 1


@pytest.mark.parametrize("seed", ["-1", str(2**32), "x"])
@pytest.mark.parametrize("command", ["split", "showcase"])
def test_a_seed_out_of_range_is_refused(run_command: RunCommand, indexed: Path, command: str, seed: str) -> None:
    done = run_command(command, indexed, "-o", indexed.with_name("new"), "--seed", seed)
    assert done.code == 2
    assert "--seed" in done.err


def test_a_showcase_of_an_empty_table_and_an_output_that_cannot_be_written(
    run_command: RunCommand, indexed: Path, tmp_path: Path
) -> None:
    write_table(read_table(indexed).head(0), tmp_path / "empty.parquet")
    done = run_command("showcase", tmp_path / "empty.parquet", "-o", tmp_path / "new.csv")
    assert (done.code, "no photo with a diagnosis" in done.err) == (2, True)
    for command in ("split", "showcase"):
        done = run_command(command, tmp_path / "gone.parquet", "-o", "/dev/null")
        assert (done.code, "/dev/null cannot be written: it is a device" in done.err) == (2, True)
