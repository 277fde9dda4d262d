import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.readers.common import IndexedTable
from skinapp.datasets.readers.ham10000 import read_ham10000
from skinapp.datasets.readers.isic2019 import ISIC2019_CODES
from skinapp.datasets.table import TABLES, build_image_table, read_table
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256
from skinapp.taxonomy import CODES, is_malignant

MakeHam10000 = Callable[..., Path]


def get_notes(indexed: IndexedTable) -> dict[str, tuple[str, ...]]:
    return {note.what: note.names for note in indexed.notes}


def write_isic2019(path: Path, labels: dict[str, str]) -> Path:
    """Write ISIC 2019's one-hot CSV; the label "UNK" is that of none of the eight."""
    columns = [*ISIC2019_CODES, "UNK"]
    onehot = {column: [float(label == column) for label in labels.values()] for column in columns}
    pd.DataFrame({"image": list(labels), **onehot}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".webp"])
@pytest.mark.parametrize("folders", [("HAM10000_images_part_1", "HAM10000_images_part_2"), ("photos",), (".",)])
def test_reads_it_as_published_or_in_one_folder(
    make_ham10000: MakeHam10000, published: pd.DataFrame, folders: tuple[str, ...], suffix: str
) -> None:
    folder = make_ham10000(published, folders, suffix)
    indexed = read_ham10000(folder, folder.parent)
    table = indexed.table
    assert table["image_id"].tolist() == published["image_id"].tolist()
    assert set(get_notes(indexed)) == {"age 0, treated as not recorded"}
    assert [compute_sha256(folder.parent / path) for path in table["path"]] == table["sha256"].tolist()
    sizes = table[["width", "height", "stored_width", "stored_height"]]
    assert sizes.drop_duplicates().to_numpy().tolist() == [[600, 450, 80, 60]]


def test_without_isic_2019_there_are_seven_diagnoses(make_ham10000: MakeHam10000, published: pd.DataFrame) -> None:
    folder = make_ham10000(published)
    table = read_ham10000(folder, folder).table
    assert table["diagnosis"].tolist() == published["dx"].tolist()
    assert set(table["diagnosis"]) == set(CODES) - {"scc"}
    assert table["malignant"].tolist() == [is_malignant(code) for code in published["dx"]]


def test_what_is_not_recorded_is_missing(make_ham10000: MakeHam10000, published: pd.DataFrame) -> None:
    folder = make_ham10000(published)
    indexed = read_ham10000(folder, folder)
    table = indexed.table.set_index("image_id")
    assert get_notes(indexed)["age 0, treated as not recorded"] == ("ISIC_0000005",)
    assert table["age"].isna()[["ISIC_0000005", "ISIC_0000006"]].all()
    assert table["age"].drop(["ISIC_0000005", "ISIC_0000006"]).notna().all()
    assert table.loc["ISIC_0000006", ["sex", "site"]].isna().all()
    assert not table.isin(["unknown"]).to_numpy().any()
    assert table["camera"].isna().all()  # the published CSV does not say
    assert table["confirmation"].tolist()[4:7] == ["follow-up", "confocal", "histology"]


def test_the_camera_is_kept_where_it_is_told(make_ham10000: MakeHam10000, published: pd.DataFrame) -> None:
    folder = make_ham10000(published.assign(dataset="rosendahl"))
    assert (read_ham10000(folder, folder).table["camera"] == "rosendahl").all()


def test_the_csv_may_lack_its_suffix(make_ham10000: MakeHam10000, published: pd.DataFrame) -> None:
    folder = make_ham10000(published, csv="HAM10000_metadata")
    assert len(read_ham10000(folder, folder).table) == len(published)


def spoil(folder: Path, metadata: pd.DataFrame, draw_picture: Callable[..., None]) -> pd.DataFrame:
    """Put one of everything that can be wrong into a folder; return its metadata as they are then."""
    photos = {file.stem: file for file in folder.glob("HAM10000_images_*/*.jpg")}
    photos["ISIC_0000001"].unlink()
    photos["ISIC_0000003"].write_bytes(b"no picture")
    draw_picture(folder / "HAM10000_images_part_2" / "ISIC_0000004.png", 4)  # the .jpg lies in part 2 as well
    draw_picture(folder / "HAM10000_images_part_1" / "ISIC_0099999.jpg", 99)
    (folder / "HAM10000_images_part_1" / "a_folder.jpg").mkdir()
    (folder / "notes.txt").write_text("not a photo")
    spoilt = metadata.assign(dx=metadata["dx"].mask(metadata["image_id"] == "ISIC_0000007", "wart"))
    spoilt = pd.concat([spoilt, spoilt[spoilt["image_id"] == "ISIC_0000008"], spoilt.tail(1).assign(image_id=np.nan)])
    spoilt.to_csv(folder / "HAM10000_metadata.csv", index=False)
    return spoilt


def test_whatever_is_left_out_is_named(
    make_ham10000: MakeHam10000, published: pd.DataFrame, draw_picture: Callable[..., None]
) -> None:
    folder = make_ham10000(published)
    spoil(folder, published, draw_picture)
    indexed = read_ham10000(folder, folder)
    assert get_notes(indexed) == {
        "photo without a row in the metadata, left out": ("ISIC_0099999.jpg",),
        "photo twice in the folder, first kept": ("ISIC_0000004.png",),
        "listed twice in the metadata, first row kept": ("ISIC_0000008",),
        "listed without a photo, left out": ("ISIC_0000001", "(no image_id)"),
        "unknown label, left out": ("ISIC_0000007 (wart)",),
        "not readable as a picture, left out": ("ISIC_0000003",),
        "age 0, treated as not recorded": ("ISIC_0000005",),
    }
    kept = ["ISIC_0000002", "ISIC_0000004", "ISIC_0000005", "ISIC_0000006", "ISIC_0000008", "ISIC_0000009"]
    assert indexed.table["image_id"].tolist() == kept


def test_rows_and_findings_account_for_every_row_and_every_photo(
    make_ham10000: MakeHam10000, published: pd.DataFrame, draw_picture: Callable[..., None]
) -> None:
    folder = make_ham10000(published)
    metadata = spoil(folder, published, draw_picture)
    indexed = read_ham10000(folder, folder)
    left_out = {what: len(names) for what, names in get_notes(indexed).items() if "age" not in what}
    photos = {what: left_out.pop(what) for what in list(left_out) if what.startswith("photo")}
    assert len(metadata) == len(indexed.table) + sum(left_out.values())
    files = [file for file in folder.glob("HAM10000_images_*/*") if file.is_file()]
    rows_with_file = len(indexed.table) + left_out["unknown label, left out"]
    assert len(files) == rows_with_file + left_out["not readable as a picture, left out"] + sum(photos.values())


def test_isic_2019_tells_akiec_apart(make_ham10000: MakeHam10000, published: pd.DataFrame, tmp_path: Path) -> None:
    folder = make_ham10000(published)
    theirs = {"ISIC_0000003": "SCC", "ISIC_0000004": "AK", "ISIC_0000005": "MEL", "ISIC_0000007": "BCC"}
    labels = write_isic2019(tmp_path / "labels.csv", theirs | {"ISIC_0000008": "UNK", "ISIC_0000077": "NV"})
    indexed = read_ham10000(folder, folder, labels)
    diagnoses = indexed.table.set_index("image_id")["diagnosis"]
    assert diagnoses["ISIC_0000003"] == "scc"
    assert diagnoses["ISIC_0000004"] == "akiec"
    ours = published.set_index("image_id")["dx"].drop("ISIC_0000003")
    assert diagnoses.drop("ISIC_0000003").to_dict() == ours.to_dict()
    assert indexed.table["malignant"].tolist() == [is_malignant(code) for code in diagnoses]
    assert get_notes(indexed)["ISIC 2019 names another diagnosis, HAM10000's kept"] == ("ISIC_0000005",)


def test_where_isic_2019_doubts_an_akiec_it_stays_one(
    make_ham10000: MakeHam10000, published: pd.DataFrame, tmp_path: Path
) -> None:
    folder = make_ham10000(published)
    indexed = read_ham10000(folder, folder, write_isic2019(tmp_path / "labels.csv", {"ISIC_0000003": "BKL"}))
    assert indexed.table.set_index("image_id").loc["ISIC_0000003", "diagnosis"] == "akiec"
    assert get_notes(indexed)["ISIC 2019 names another diagnosis, HAM10000's kept"] == ("ISIC_0000003",)


def test_no_metadata(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no HAM10000_metadata\.csv"):
        read_ham10000(tmp_path, tmp_path)


def test_metadata_that_lack_a_column_or_are_no_csv(make_ham10000: MakeHam10000, published: pd.DataFrame) -> None:
    folder = make_ham10000(published.drop(columns=["dx_type", "sex"]))
    with pytest.raises(DatasetError, match="lacks the column dx_type, sex"):
        read_ham10000(folder, folder)
    for content, what in ((b"", "has no row of names"), (b"\xff\xfe\x00", "is not a text table")):
        (folder / "HAM10000_metadata.csv").write_bytes(content)
        with pytest.raises(DatasetError, match=what):
            read_ham10000(folder, folder)


def test_the_metadata_of_dataverse_are_tabs_and_quotes(make_ham10000: MakeHam10000, published: pd.DataFrame) -> None:
    folder = make_ham10000(published)
    before = read_ham10000(folder, folder).table
    (folder / "HAM10000_metadata.csv").unlink()
    published.to_csv(folder / "HAM10000_metadata.tab", index=False, sep="\t", quoting=csv.QUOTE_NONNUMERIC)
    pd.testing.assert_frame_equal(read_ham10000(folder, folder).table, before)


def test_metadata_without_any_photo(tmp_path: Path, published: pd.DataFrame) -> None:
    published.to_csv(tmp_path / "HAM10000_metadata.csv", index=False)
    with pytest.raises(DatasetError, match="No photo of HAM10000 was found"):
        read_ham10000(tmp_path, tmp_path)


def test_the_shipped_table_holds_what_was_published() -> None:
    table = read_table(TABLES / "ham10000.parquet")
    assert len(table) == 10_015
    assert table["lesion_id"].nunique() == 7_470
    counts = {"akiec": 130, "bcc": 514, "bkl": 1_099, "df": 115, "mel": 1_113, "nv": 6_705, "scc": 197, "vasc": 142}
    assert table["diagnosis"].value_counts().to_dict() == counts
    assert set(zip(table["width"], table["height"], strict=True)) == {(600, 450)}
    assert set(zip(table["stored_width"], table["stored_height"], strict=True)) == {(427, 320)}
    assert (table["malignant"] == table["diagnosis"].map(is_malignant)).all()
    assert table["age"].min() > 0
    assert not table.isin(["unknown"]).to_numpy().any()
    pd.testing.assert_frame_equal(table, build_image_table(table))


@pytest.mark.skipif("SKINAPP_DATA" not in os.environ, reason="SKINAPP_DATA does not name a folder of the real photos")
def test_the_shipped_table_names_the_real_files() -> None:
    some = read_table(TABLES / "ham10000.parquet").sample(20, random_state=0)
    root = Path(os.environ["SKINAPP_DATA"])
    assert [compute_sha256(root / path) for path in some["path"]] == some["sha256"].tolist()


def test_ids_with_a_suffix_and_labels_in_words_or_capitals_are_read(
    make_ham10000: MakeHam10000, published: pd.DataFrame
) -> None:
    folder = make_ham10000(published)
    expected = read_ham10000(folder, folder).table
    words = {"mel": "Melanoma", "nv": "NV", "akiec": "Bowen's disease"}
    spelt = published.assign(image_id=published["image_id"].str.lower() + ".JPG", dx=published["dx"].replace(words))
    spelt.to_csv(folder / "HAM10000_metadata.csv", index=False)
    found = read_ham10000(folder, folder).table
    assert found["diagnosis"].tolist() == expected["diagnosis"].tolist()
    assert found["path"].tolist() == expected["path"].tolist()
