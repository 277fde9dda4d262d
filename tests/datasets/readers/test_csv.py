from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.readers.common import IndexedTable
from skinapp.datasets.readers.csv import read_csv_photos
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256

MakeCsv = Callable[..., Path]

LESION = "lesion not recorded, counted as one lesion each"


def get_notes(indexed: IndexedTable) -> dict[str, tuple[str, ...]]:
    return {note.what: note.names for note in indexed.notes}


def list_column(indexed: IndexedTable, name: str) -> list[object]:
    values = indexed.table[name].astype(object)
    return values.where(values.notna(), None).tolist()


@pytest.fixture
def make_csv(tmp_path: Path, draw_picture: Callable[..., None]) -> MakeCsv:
    """Write a CSV beside the photos a.png, b.jpg and deep/c.webp."""
    for seed, name in enumerate(("a.png", "b.jpg", "deep/c.webp")):
        draw_picture(tmp_path / "clinic" / name, seed)

    def make(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "clinic" / "photos.csv"
        path.write_text(text, encoding=encoding)
        return path

    return make


def test_a_path_is_enough(make_csv: MakeCsv) -> None:
    csv = make_csv("path\na.png\nb.jpg\ndeep/c.webp\n")
    indexed = read_csv_photos(csv, csv.parents[1])
    assert list_column(indexed, "image_id") == ["a", "b", "deep/c"]
    assert list_column(indexed, "lesion_id") == ["a", "b", "deep/c"]
    assert list_column(indexed, "path") == ["clinic/a.png", "clinic/b.jpg", "clinic/deep/c.webp"]
    assert list_column(indexed, "source") == ["photos"] * 3
    assert [compute_sha256(csv.parents[1] / path) for path in indexed.table["path"]] == list_column(indexed, "sha256")
    assert indexed.table[["stored_width", "red", "perceptual_hash"]].notna().to_numpy().all()
    assert indexed.table[["diagnosis", "malignant", "age", "split", "width"]].isna().to_numpy().all()
    assert get_notes(indexed) == {LESION: ("a", "b", "deep/c"), "without a label": ("a", "b", "deep/c")}
    pd.testing.assert_frame_equal(indexed.table, build_image_table(indexed.table))


def test_every_column_is_read(make_csv: MakeCsv) -> None:
    csv = make_csv(
        "image_id,path,lesion_id,diagnosis,age,sex,site,camera,confirmation,source,width,height,split\n"
        "one,a.png,L1,mel,55,female,back,cam,histology,Ours,600,450,train\n"
        "two,b.jpg,L1,nv,7.5,male,ear,cam,follow-up,Ours,1024,768,validation\n"
    )
    indexed = read_csv_photos(csv, csv.parent)
    expected = {
        "image_id": ["one", "two"],
        "lesion_id": ["L1", "L1"],
        "diagnosis": ["mel", "nv"],
        "malignant": [True, False],
        "age": [55, 7.5],
        "sex": ["female", "male"],
        "site": ["back", "ear"],
        "camera": ["cam", "cam"],
        "confirmation": ["histology", "follow-up"],
        "source": ["Ours", "Ours"],
        "width": [600, 1024],
        "height": [450, 768],
        "stored_width": [80, 80],
        "split": ["train", "validation"],
    }
    assert {name: list_column(indexed, name) for name in expected} == expected
    assert get_notes(indexed) == {}


def test_other_names_of_columns_and_values_are_understood(make_csv: MakeCsv) -> None:
    csv = make_csv(
        "Image,DX,localization,Gender,age_approx,dx_type,partition\n"
        "a,BCC,back,F,55,histo,Val\nb, nv ,ear,Male,60,follow_up,TEST\n",
        encoding="utf-8-sig",
    )
    indexed = read_csv_photos(csv, csv.parent)
    assert list_column(indexed, "path") == ["a.png", "b.jpg"]  # named without their suffixes
    assert list_column(indexed, "diagnosis") == ["bcc", "nv"]
    assert list_column(indexed, "malignant") == [True, False]
    assert list_column(indexed, "site") == ["back", "ear"]
    assert list_column(indexed, "sex") == ["female", "male"]
    assert list_column(indexed, "age") == [55, 60]
    assert list_column(indexed, "confirmation") == ["histology", "follow-up"]
    assert list_column(indexed, "split") == ["validation", "test"]


def test_the_image_id_finds_the_photo_where_there_is_no_path(make_csv: MakeCsv) -> None:
    csv = make_csv("isic_id;target\na;0\ndeep/c;1\n")  # parted by semicolons
    indexed = read_csv_photos(csv, csv.parent)
    assert list_column(indexed, "path") == ["a.png", "deep/c.webp"]
    assert list_column(indexed, "malignant") == [False, True]
    assert list_column(indexed, "diagnosis") == [None, None]
    assert "without a label" not in get_notes(indexed)


def test_what_is_not_known_is_missing(make_csv: MakeCsv) -> None:
    csv = make_csv("path,sex,age,site,dx\na.png,unknown,,NA,\nb.jpg, ,0,n/a,none\n")
    indexed = read_csv_photos(csv, csv.parent)
    assert indexed.table[["sex", "age", "site", "diagnosis", "malignant"]].isna().to_numpy().all()
    assert get_notes(indexed)["age 0, treated as not recorded"] == ("b",)
    assert get_notes(indexed)["without a label"] == ("a", "b")


def test_own_labels_stay_and_a_map_gives_them_ours(make_csv: MakeCsv, tmp_path: Path) -> None:
    csv = make_csv("path,label\na.png,Wart\nb.jpg,Muttermal\ndeep/c.webp,Wart\n")
    indexed = read_csv_photos(csv, csv.parent)
    assert list_column(indexed, "diagnosis") == ["Wart", "Muttermal", "Wart"]
    assert list_column(indexed, "malignant") == [None] * 3
    own = "label that is not a diagnosis code, malignant or benign, kept as it is"
    assert get_notes(indexed)[own] == ("Muttermal (1 photos)", "Wart (2 photos)")
    labels = tmp_path / "map.csv"
    labels.write_text("muttermal,nv\nsunspot,bkl\n")
    mapped = read_csv_photos(csv, csv.parent, labels)
    assert list_column(mapped, "diagnosis") == ["Wart", "nv", "Wart"]
    assert list_column(mapped, "malignant") == [None, False, None]
    assert get_notes(mapped)["name in the label map that no row has"] == ("sunspot",)


def test_what_the_csv_says_of_malignancy_counts_where_its_label_is_its_own(make_csv: MakeCsv) -> None:
    csv = make_csv("path,label,malignant\na.png,Wart,no\nb.jpg,Sarcoma,yes\ndeep/c.webp,bcc,\n")
    assert list_column(read_csv_photos(csv, csv.parent), "malignant") == [False, True, True]


def test_whatever_is_left_out_is_named(make_csv: MakeCsv) -> None:
    csv = make_csv("path,image_id,colour,dx,label\na.png,1,red,nv,mel\nb.jpg,1,red,nv,mel\ngone.png,2,,nv,\n,,,,\n")
    (csv.parent / "d.png").write_bytes(b"no picture")
    csv.write_text(csv.read_text() + "d.png,4,,nv,\n")
    indexed = read_csv_photos(csv, csv.parent)
    assert list_column(indexed, "image_id") == ["1"]
    assert list_column(indexed, "diagnosis") == ["nv"]  # dx is named before label in the list
    assert get_notes(indexed) == {
        "listed without a photo, left out": ("2",),
        "listed twice, first row kept": ("1",),
        "not readable as a picture, left out": ("4",),
        "column that is not read": ("colour",),
        "label names another lesion than dx, which was read": ("row 1", "row 2"),
        LESION: ("1", "4"),
    }


def test_what_can_be_used_is_used_and_the_rest_named_by_row(
    make_csv: MakeCsv, draw_picture: Callable[..., None]
) -> None:
    csv = make_csv(
        "path,dx,malignant,age,sex,split,width,height\n"
        "a.png,nv,true,old,x,train,600,450\n"
        "b.jpg,mel,true,-3,male,holdout,60.5,0\n"
        "\n"
        "deep/c.webp,bcc,maybe,45 years,female,test,1,1\n"
        "../outside.png,mel,1,200,female,test,1,1\n"
    )
    draw_picture(csv.parents[1] / "outside.png", 0)
    indexed = read_csv_photos(csv, csv.parent)
    assert list_column(indexed, "diagnosis") == [None, "mel", "bcc"]
    assert list_column(indexed, "malignant") == [None, True, True]
    assert list_column(indexed, "age") == [None, None, 45]
    assert list_column(indexed, "sex") == [None, "male", "female"]
    assert list_column(indexed, "split") == ["train", None, "test"]
    notes = get_notes(indexed)
    assert notes["age that is not a number of years from 0 to 120, left out"] == (
        "'old' in row 1",
        "'-3' in row 2",
        "'200' in row 5",
    )
    assert notes["sex that is not female or male, left out"] == ("'x' in row 1",)
    assert notes["malignant that is not true or false, left out"] == ("'maybe' in row 4",)
    assert notes["diagnosis and malignancy contradict each other, without a label"] == ("row 1",)
    assert notes[f"outside the data root {csv.parent}, left out"] == (str(csv.parents[1] / "outside.png"),)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"colour,label\nred,nv\n", "no column that names the photos, only colour, label"),
        (b"", "has no row of names"),
        (b"path\n\xff\xfe\n", "No photo that .* lists was found"),
        (b'path,dx\n"a.png,nv\nb.jpg,nv\n', "a quotation mark is opened and never closed"),
        (b"path,dx\na.png,nv,mel\nb.jpg,nv,mel\n", "more cells than its header names"),
        (b"path\nz.png\n", "No photo that .* lists was found"),
        (b"path\n", "No photo that .* lists was found"),
        (b"path\n" + b"a" * 260 + b"\n", "No photo that .* lists was found"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused(make_csv: MakeCsv, content: bytes, what: str) -> None:
    csv = make_csv("")
    csv.write_bytes(content)
    with pytest.raises(DatasetError, match=what):
        read_csv_photos(csv, csv.parent)


def test_no_csv(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(DatasetError, match=rf"{path} cannot be read"):
            read_csv_photos(path, tmp_path)
