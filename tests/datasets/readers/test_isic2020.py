from collections.abc import Callable
from pathlib import Path

import pytest

from skinapp.datasets.readers.isic2020 import read_isic2020
from skinapp.errors import DatasetError

ROWS = """image,diagnosis
a_1,melanoma
a_2,benign
a_3,benign
a_3,melanoma
a_4,unknown
a_5,benign
"""


@pytest.fixture
def folder(tmp_path: Path, draw_picture: Callable[..., None]) -> Path:
    """Make photos.csv with a repeated, an unlabelled and a photoless row, and a photo without a row."""
    folder = tmp_path / "isic2020"
    for number, name in enumerate(("a_1", "a_2", "a_3", "a_4", "other")):
        draw_picture(folder / "photos" / f"{name}.jpg", number)
    (folder / "photos.csv").write_text(ROWS)
    return folder


def test_a_melanoma_has_a_type_and_a_benign_photo_none(folder: Path, tmp_path: Path) -> None:
    table = read_isic2020(folder, tmp_path).table
    assert table["image_id"].tolist() == ["a_1", "a_2", "a_3"]
    assert table["lesion_id"].tolist() == ["a_1", "a_2", "a_3"]
    assert table["diagnosis"].fillna("none").tolist() == ["mel", "none", "none"]
    assert table["malignant"].tolist() == [True, False, False]
    assert table["path"].tolist() == [f"isic2020/photos/a_{n}.jpg" for n in (1, 2, 3)]
    assert table["sha256"].notna().all()
    assert table["split"].isna().all()


def test_what_is_left_out_is_noted(folder: Path, tmp_path: Path) -> None:
    (folder / "photos" / "a_2.jpg").write_bytes(b"no picture")
    indexed = read_isic2020(folder, tmp_path)
    assert {note.what: note.names for note in indexed.notes} == {
        "photo without a row in the metadata, left out": ("other.jpg",),
        "listed twice, first row kept": ("a_3",),
        "listed without a photo, left out": ("a_5",),
        "neither melanoma nor benign, left out": ("a_4",),
        "not readable as a picture, left out": ("a_2",),
    }
    assert indexed.table["image_id"].tolist() == ["a_1", "a_3"]


def test_a_folder_of_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "photos.csv").write_text("image,diagnosis\nb_1,benign\n")
    with pytest.raises(DatasetError, match=r"No photo of photos\.csv"):
        read_isic2020(folder, tmp_path)
    (folder / "photos.csv").write_text("image,label\na_1,benign\n")
    with pytest.raises(DatasetError, match="lacks the column diagnosis"):
        read_isic2020(folder, tmp_path)
    (folder / "photos.csv").unlink()
    with pytest.raises(DatasetError, match=r"holds no photos\.csv"):
        read_isic2020(folder, tmp_path)
