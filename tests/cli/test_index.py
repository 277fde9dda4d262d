import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from skinapp.datasets.readers.folders import read_folders
from skinapp.datasets.table import read_table, write_table

RunCommand = Callable[..., Any]

COLUMNS_2019 = ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"]


@pytest.fixture
def moles(tmp_path: Path, draw_picture: Callable[..., None]) -> Path:
    """Make a folder with own class names, no split, and a photo in no class."""
    for seed, name in enumerate(("Wart/1.png", "Wart/2.png", "Muttermal/1.jpg", "stray.png")):
        draw_picture(tmp_path / "moles" / name, seed)
    return tmp_path / "moles"


def test_index_writes_a_table_and_names_what_it_left_out(
    run_command: RunCommand, make_ham10000: Callable[..., Path], published: pd.DataFrame, tmp_path: Path
) -> None:
    folder = make_ham10000(published)
    (folder / "HAM10000_images_part_1" / "ISIC_0000001.jpg").unlink()
    output = tmp_path / "table.parquet"
    done = run_command("index", "ham10000", folder, "-o", output)
    table = read_table(output)
    assert (done.code, done.out) == (0, "")
    assert "1 listed without a photo, left out: ISIC_0000001\n" in done.err
    diagnoses = table["diagnosis"].nunique()
    assert f"{len(table)} photos of {table['lesion_id'].nunique()} lesions, {diagnoses} diagnoses" in done.err
    assert (len(table), diagnoses) == (len(published) - 1, 7)
    assert table["path"].str.startswith("ham10000/").all()


def test_index_reads_isic_2019_and_a_data_root(
    run_command: RunCommand, make_ham10000: Callable[..., Path], published: pd.DataFrame, tmp_path: Path
) -> None:
    folder, output = make_ham10000(published), tmp_path / "table.parquet"
    labels = pd.DataFrame(0, index=pd.Index(["ISIC_0000003", "ISIC_0000004"], name="image"), columns=COLUMNS_2019)
    labels.loc["ISIC_0000003", "SCC"] = labels.loc["ISIC_0000004", "AK"] = 1
    labels.to_csv(tmp_path / "labels.csv")
    options = ("-o", output, "--isic2019-labels", tmp_path / "labels.csv", "--data", tmp_path.parent)
    assert run_command("index", "ham10000", folder, *options).code == 0
    table = read_table(output).set_index("image_id")
    assert table["diagnosis"].nunique() == 8
    assert table.loc["ISIC_0000003", "diagnosis"] == "scc"
    assert table["path"].str.startswith(f"{tmp_path.name}/ham10000/").all()


def test_index_reads_isic_2019_without_the_photos_of_ham10000(
    run_command: RunCommand, draw_picture: Callable[..., None], tmp_path: Path
) -> None:
    folder, output = tmp_path / "isic2019", tmp_path / "table.parquet"
    ids = ["ISIC_0000001", "ISIC_0000002", "ISIC_0000003"]
    for seed, image_id in enumerate(ids):
        draw_picture(folder / "ISIC_2019_Training_Input" / f"{image_id}.jpg", seed)
    metadata = {"image": ids, "age_approx": 50, "anatom_site_general": "head", "sex": "male"}
    lesions = pd.DataFrame({**metadata, "lesion_id": ["HAM_1", "BCN_1", "MSK4_1"]})
    lesions.to_csv(folder / "ISIC_2019_Training_Metadata.csv", index=False)
    labels = pd.DataFrame(0, index=pd.Index(ids, name="image"), columns=COLUMNS_2019).assign(SCC=1)
    labels.to_csv(folder / "ISIC_2019_Training_GroundTruth.csv")
    done = run_command("index", "isic2019", folder, "-o", output)
    assert (done.code, done.out) == (0, "")
    assert "part of HAM10000, which has a table of its own, left out: ISIC_0000001\n" in done.err
    assert read_table(output)["camera"].tolist() == ["BCN", "MSK"]


def test_index_reads_isic_2020(run_command: RunCommand, draw_picture: Callable[..., None], tmp_path: Path) -> None:
    folder, output = tmp_path / "isic2020", tmp_path / "table.parquet"
    for seed, name in enumerate(("a", "b")):
        draw_picture(folder / "photos" / f"{name}.jpg", seed)
    (folder / "photos.csv").write_text("image,diagnosis\na,melanoma\nb,benign\n")
    done = run_command("index", "isic2020", folder, "-o", output)
    assert (done.code, done.out) == (0, "")
    assert "2 photos are labelled (1 malignant, 1 benign, 0 not said or undecided), 0 are not." in done.err
    assert read_table(output)["diagnosis"].fillna("none").tolist() == ["mel", "none"]


def test_index_reads_folders_of_own_names_and_a_map(run_command: RunCommand, moles: Path, tmp_path: Path) -> None:
    output, labels = tmp_path / "table.parquet", tmp_path / "map.csv"
    labels.write_text("Muttermal,nv\n")
    done = run_command("index", "folders", moles, "-o", output, "--labels", labels)
    assert (done.code, done.out) == (0, "")
    table = read_table(output).set_index("image_id")
    assert table["diagnosis"].fillna("none").to_dict() == {
        "Muttermal/1": "nv",
        "Wart/1": "Wart",
        "Wart/2": "Wart",
        "stray": "none",
    }
    assert table.loc["Muttermal/1", "path"] == "moles/Muttermal/1.jpg"
    assert "kept as it is: Wart (2 photos)\n" in done.err
    assert "1 in no class folder, without a label: stray\n" in done.err
    assert "4 photos of 4 lesions, 2 diagnoses\n" in done.err


def test_index_reads_a_folder_without_any_label(run_command: RunCommand, moles: Path, tmp_path: Path) -> None:
    output = tmp_path / "table.parquet"
    done = run_command("index", "folders", moles / "Wart", "-o", output)
    assert (done.code, done.out) == (0, "")
    assert read_table(output)["diagnosis"].isna().all()
    assert "2 in no class folder, without a label: 1, 2\n" in done.err
    assert "2 photos of 2 lesions, 0 diagnoses\n" in done.err


def test_index_reads_a_csv_beside_its_photos(run_command: RunCommand, moles: Path, tmp_path: Path) -> None:
    output, csv = tmp_path / "table.parquet", moles / "list.csv"
    csv.write_text("file,dx\nWart/1.png,bkl\nMuttermal/1.jpg,NV\n")
    done = run_command("index", "csv", csv, "-o", output, "--data", tmp_path)
    assert (done.code, done.out) == (0, "")
    table = read_table(output)
    assert table["path"].tolist() == ["moles/Muttermal/1.jpg", "moles/Wart/1.png"]
    assert table["malignant"].tolist() == [False, False]
    csv.write_text("file,age,sex\nWart/1.png,old,x\n")
    partly = run_command("index", "csv", csv, "-o", output)
    assert (partly.code, partly.out) == (0, "")
    assert "1 age that is not a number of years from 0 to 120, left out: 'old' in row 1" in partly.err
    assert "1 sex that is not female or male, left out: 'x' in row 1" in partly.err
    csv.write_text("age,sex\n1,f\n")
    refused = run_command("index", "csv", csv, "-o", output)
    assert (refused.code, refused.out) == (2, "")
    assert len(read_table(output)) == 1  # the old table stays


def test_index_does_not_write_over_the_table_that_it_reads(
    run_command: RunCommand, moles: Path, tmp_path: Path
) -> None:
    csv = moles / "list.csv"
    csv.write_text("file,dx\nWart/1.png,bkl\n")
    refused = run_command("index", "csv", csv, "-o", csv, "--data", tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == f"Error: {csv} is no image table (Parquet) and would be lost. Choose another file with -o.\n"
    assert csv.read_text() == "file,dx\nWart/1.png,bkl\n"


def test_index_continues_an_interrupted_run_and_deletes_its_cache(
    run_command: RunCommand, moles: Path, tmp_path: Path
) -> None:
    output = tmp_path / "table.parquet"
    cache = tmp_path / "table.parquet.facts.partial"

    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_folders(moles, tmp_path, progress=interrupt, facts_cache=cache)
    cache.write_text(cache.read_text().replace(", 80, 60, ", ", 81, 61, "))  # shows which facts were taken from there
    done = run_command("index", "folders", moles, "-o", output)
    assert (done.code, done.out) == (0, "")
    assert "interrupted" in done.err
    assert str(cache) in done.err
    assert read_table(output)["stored_width"].value_counts().to_dict() == {81: 3, 80: 1}
    assert sorted(file.name for file in tmp_path.glob("table*")) == ["table.parquet"]
    again = run_command("index", "folders", moles, "-o", output)
    assert "earlier run" not in again.err


def test_merge_puts_tables_together_and_names_what_collides(
    run_command: RunCommand, moles: Path, tmp_path: Path
) -> None:
    first, second, output = (tmp_path / f"{name}.parquet" for name in ("first", "second", "both"))
    write_table(pd.DataFrame({"image_id": ["a", "b"], "lesion_id": ["a", "b"]}), first)
    write_table(pd.DataFrame({"image_id": ["b", "c"], "lesion_id": ["b", "c"]}), second)
    done = run_command("merge", first, second, "-o", output)
    assert (done.code, done.out) == (0, "")
    assert read_table(output)["image_id"].tolist() == ["a", "c", "first/b", "second/b"]
    assert "each now with its table's name before it: b\n" in done.err
    assert "4 photos of 4 lesions" in done.err


def test_what_cannot_be_indexed_or_merged_is_said_in_a_sentence(
    run_command: RunCommand,
    make_ham10000: Callable[..., Path],
    published: pd.DataFrame,
    data_root: Path,
    tmp_path: Path,
) -> None:
    ham10000, output = make_ham10000(published), tmp_path / "out.parquet"
    (tmp_path / "file").write_text("")
    table = data_root / "table.parquet"
    commands = [
        (("index", "ham10000", tmp_path / "absent", "-o", output), "holds no HAM10000_metadata.csv"),
        (("index", "ham10000", ham10000, "-o", output, "--data", data_root), "data root"),
        (("index", "ham10000", ham10000, "-o", ham10000), "cannot be written"),
        (("index", "ham10000", ham10000, "-o", tmp_path / "file" / "t.parquet"), "cannot be written"),
        (("index", "isic2019", ham10000, "-o", output), "holds no ISIC_2019_Training_Metadata.csv"),
        (("index", "folders", tmp_path / "absent", "-o", output), "There is no folder at"),
        (("index", "folders", ham10000, "-o", output, "--labels", tmp_path / "absent"), "label map"),
        (("index", "csv", tmp_path / "absent.csv", "-o", output), "cannot be read"),
        (("merge", table, tmp_path / "absent.parquet", "-o", output), "There is no image table"),
        (("merge", table, table, "-o", output), "Two tables are called table"),
        (("merge", table, "-o", tmp_path / "file" / "t.parquet"), "cannot be written"),
    ]
    for arguments, sentence in commands:
        done = run_command(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "Error: " in done.err
        assert sentence in done.err
    assert not list(tmp_path.glob("*.p*"))


def test_index_csv_counts_labels_and_reads_a_spreadsheet_of_europe(
    run_command: RunCommand, draw_picture: Callable[..., None], tmp_path: Path
) -> None:
    for seed, name in enumerate("abcd"):
        draw_picture(tmp_path / "photos" / "sub" / f"{name}.JPG", seed)
    text = "sep=;\r\nDateiname;Image Path;Diagnosis;Age;Patient ID\r\n"
    text += "".join(
        f"x;sub\\{name}.jpg;{word};45,5;P1\r\n"
        for name, word in (("a", "Naevus"), ("b", "MEL"), ("c", "?"), ("d", "suspicious"))
    )
    (tmp_path / "photos" / "table.csv").write_bytes(text.encode("utf-16"))
    done = run_command("index", "csv", tmp_path / "photos" / "table.csv", "-o", tmp_path / "t.parquet")
    assert done.code == 0
    assert "2 photos are labelled (1 malignant, 1 benign, 0 not said or undecided), 2 are not." in done.err
    assert "1 undecided in the table, without a label: row 4" in done.err
    table = read_table(tmp_path / "t.parquet")
    assert table["path"].tolist() == [f"sub/{name}.JPG" for name in "abcd"]
    assert table["age"].tolist() == [45.5] * 4
    assert table["patient_id"].tolist() == ["P1"] * 4


def test_names_that_are_not_utf8_end_in_a_note(run_command: RunCommand, moles: Path, tmp_path: Path) -> None:
    photo = (moles / "stray.png").read_bytes()
    Path(os.fsdecode(os.fsencode(moles) + b"/caf\xe9.png")).write_bytes(photo)
    done = run_command("index", "folders", moles, "-o", tmp_path / "t.parquet")
    assert done.code == 0
    assert "1 file with a name that is not UTF-8, left out: rename it: caf\\xe9.png" in done.err


def test_index_on_a_full_disk_ends_in_a_sentence(run_command: RunCommand, moles: Path, tmp_path: Path) -> None:
    (tmp_path / "t.parquet.facts.partial").symlink_to("/dev/full")
    done = run_command("index", "folders", moles, "-o", tmp_path / "t.parquet")
    assert done.code == 2
    assert "cannot be written (No space left on device). Free some space" in done.err
    assert not (tmp_path / "t.parquet").exists()
