import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.labels import KNOWN_LABELS
from skinapp.datasets.readers.common import IndexedTable
from skinapp.datasets.readers.folders import read_folders
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256
from skinapp.taxonomy import CODES, is_malignant

MakeFolders = Callable[..., Path]

LESION = "lesion not recorded, counted as one lesion each"
OWN_NAMES = "label that is not a diagnosis code, malignant or benign, kept as it is"


def get_notes(indexed: IndexedTable) -> dict[str, tuple[str, ...]]:
    """Return the findings by what they say, but for the lesions, which no folder records."""
    return {note.what: note.names for note in indexed.notes if note.what != LESION}


def get_by_id(indexed: IndexedTable, column: str) -> dict[str, object]:
    values = indexed.table[column].astype(object)
    return dict(zip(indexed.table["image_id"], values.where(values.notna(), None), strict=True))


@pytest.fixture
def make_folders(tmp_path: Path, draw_picture: Callable[..., None]) -> MakeFolders:
    """Make a folder "mine" with a picture at each path."""

    def make(*paths: str) -> Path:
        for seed, path in enumerate(paths):
            draw_picture(tmp_path / "mine" / path, seed)
        return tmp_path / "mine"

    return make


def test_splits_and_classes_are_read_from_the_folders(make_folders: MakeFolders) -> None:
    folder = make_folders("train/benign/3.jpg", "train/malignant/3.png", "test/benign/4.JPEG", "test/malignant/5.webp")
    indexed = read_folders(folder, folder.parent)
    table = indexed.table
    assert table["image_id"].tolist() == ["test/benign/4", "test/malignant/5", "train/benign/3", "train/malignant/3"]
    assert table["diagnosis"].tolist() == ["benign", "malignant", "benign", "malignant"]
    assert table["malignant"].tolist() == [False, True, False, True]
    assert table["split"].tolist() == ["test", "test", "train", "train"]
    assert set(table["source"]) == {"mine"}
    assert table["path"].tolist()[0] == "mine/test/benign/4.JPEG"
    assert [compute_sha256(folder.parent / path) for path in table["path"]] == table["sha256"].tolist()
    assert table[["width", "height", "age", "camera"]].isna().to_numpy().all()
    assert get_notes(indexed) == {}


@pytest.mark.parametrize(
    ("path", "image_id", "label", "split"),
    [
        ("3.jpg", "3", None, None),
        ("3.1.jpg", "3.1", None, None),
        ("train/3.jpg", "train/3", None, "train"),
        ("nv/3.jpg", "nv/3", "nv", None),
        ("head/nv/3.jpg", "head/nv/3", "nv", None),
        ("nv/Valid/3.jpg", "nv/Valid/3", "nv", "validation"),
        ("val/a/b/mel/3.jpg", "val/a/b/mel/3", "mel", "validation"),
        ("validation/mel/3.jpg", "validation/mel/3", "mel", "validation"),
        ("unpacked/TEST/Benign/3.jpg", "unpacked/TEST/Benign/3", "benign", "test"),
        ("test/Odd mole/3.jpg", "test/Odd mole/3", "Odd mole", "test"),
        ("mel/images/3.jpg", "mel/images/3", "mel", None),
        ("images/3.jpg", "images/3", None, None),
        ("train_images/mel/3.jpg", "train_images/mel/3", "mel", "train"),
        ("Test Set/Photos/nv/3.jpg", "Test Set/Photos/nv/3", "nv", "test"),
        ("ISIC_2019_Training_Input/3.jpg", "ISIC_2019_Training_Input/3", None, "train"),
        ("trained/3.jpg", "trained/3", "trained", None),
    ],
)
def test_folders_of_any_depth(
    make_folders: MakeFolders, path: str, image_id: str, label: str | None, split: str | None
) -> None:
    folder = make_folders(path)
    indexed = read_folders(folder, folder)
    assert get_by_id(indexed, "diagnosis") == {image_id: label}
    assert get_by_id(indexed, "split") == {image_id: split}


def test_malignant_is_known_of_known_labels_alone(make_folders: MakeFolders) -> None:
    folder = make_folders(*(f"{label}/3.png" for label in [*KNOWN_LABELS, "wart"]))
    expected: dict[str, object] = {f"{code}/3": is_malignant(code) for code in CODES}
    expected |= {"malignant/3": True, "benign/3": False, "wart/3": None}
    assert get_by_id(read_folders(folder, folder), "malignant") == expected


def test_each_photo_is_a_lesion_of_its_own(make_folders: MakeFolders) -> None:
    folder = make_folders("nv/1.png", "nv/2.png")
    indexed = read_folders(folder, folder)
    assert indexed.table["lesion_id"].tolist() == ["nv/1", "nv/2"]
    assert {note.what: note.names for note in indexed.notes}[LESION] == ("nv/1", "nv/2")
    assert get_notes(indexed) == {}


def test_whatever_is_left_out_or_not_known_is_named(make_folders: MakeFolders) -> None:
    kept = ("train/nv/1.png", "train/nv/2.png", "train/wart/6.png", "train/wart/7.png", "8.png", "nv/9.png")
    folder = make_folders(*kept, "train/nv/1.webp")
    (folder / "train" / "nv" / "2.jpg").write_bytes(b"no picture")
    (folder / "train" / "nv" / "4.jpg").write_bytes(b"")
    (folder / "train" / "notes.txt").write_text("not a photo")
    (folder / "train" / "mel" / "early").mkdir(parents=True)
    (folder / "train" / "df.png").mkdir()
    indexed = read_folders(folder, folder)
    assert sorted(indexed.table["path"]) == sorted(kept)
    assert get_notes(indexed) == {
        "file without the suffix of a photo, left out": ("train/notes.txt",),
        "folder without a photo": ("train/df.png", "train/mel", "train/mel/early"),
        "not readable as a picture, left out": ("train/nv/2.jpg", "train/nv/4.jpg"),
        "same name as another photo with another suffix, first kept": ("train/nv/1.webp",),
        OWN_NAMES: ("wart (2 photos)",),
        "in no class folder, without a label": ("8",),
        "outside the split folders, without a split": ("8", "nv/9"),
    }


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_map_may_come_from_any_spreadsheet(make_folders: MakeFolders, tmp_path: Path, separator: str) -> None:
    folder = make_folders("Muttermal/1.png", "Warze/2.png")
    (tmp_path / "labels.csv").write_bytes(f"muttermal{separator}Naevus\r\nwarze{separator}BKL\r\n".encode("utf-16"))
    indexed = read_folders(folder, folder, tmp_path / "labels.csv")
    assert get_by_id(indexed, "diagnosis") == {"Muttermal/1": "nv", "Warze/2": "bkl"}


@pytest.mark.parametrize("header", ["", "folder,label\n"])
def test_a_map_gives_folder_names_their_labels(make_folders: MakeFolders, tmp_path: Path, header: str) -> None:
    folder = make_folders("Naevus/1.png", "train/NA/2.png", "wart/3.png", "wart/4.png", "bcc/5.png", "harmless/6.png")
    labels = tmp_path / "labels.csv"
    lines = 'naevus, nv\nNA,MEL\n"harmless",benign\nharmless,Benign\nsolar lentigo,bkl\n'
    labels.write_text(header + lines, encoding="utf-8-sig")
    indexed = read_folders(folder, folder, labels)
    wart = {"wart/3": "wart", "wart/4": "wart"}
    known = {"Naevus/1": "nv", "train/NA/2": "mel", "bcc/5": "bcc", "harmless/6": "benign"}
    assert get_by_id(indexed, "diagnosis") == known | wart
    malignant = {"Naevus/1": False, "train/NA/2": True, "bcc/5": True, "harmless/6": False}
    assert get_by_id(indexed, "malignant") == malignant | dict.fromkeys(wart)
    assert get_notes(indexed)[OWN_NAMES] == ("wart (2 photos)",)
    assert get_notes(indexed)["name in the label map that no folder has"] == ("solar lentigo",)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"mole\nwart\n", "has 1 columns"),
        (b"mole,nv,benign\n", "has 3 columns"),
        (b"folder,label\nmole,newus\nwart,\nWart,mel\n", "has labels .*: '', 'newus', and it gives wart more than one"),
        (b"folder,label\nmole\n", "has labels .*: ''"),
        (b"mole,nv\nMole,mel\n", "gives mole more than one label"),
        (b"folder,label\n", "maps no name"),
        (b"", "has no row of names"),
        (b"mole,nv\nwart,bkl\na,b,c\n", "has rows with more than two cells: 2"),
        (b"\xff\xfe\x00", "is not a text table"),
    ],
)
def test_a_malformed_map_is_refused(make_folders: MakeFolders, tmp_path: Path, content: bytes, what: str) -> None:
    folder = make_folders("mole/1.png")
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"label map .*labels\.csv {what}"):
        read_folders(folder, folder, tmp_path / "labels.csv")


def test_a_map_that_is_not_there(make_folders: MakeFolders, tmp_path: Path) -> None:
    folder = make_folders("mole/1.png")
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(DatasetError, match=rf"label map {path} cannot be read"):
            read_folders(folder, folder, path)


def test_no_folder_and_no_photo(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no folder at .*absent"):
        read_folders(tmp_path / "absent", tmp_path)
    with pytest.raises(DatasetError, match="No readable photo was found"):
        read_folders(tmp_path, tmp_path)
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="No readable photo was found"):
        read_folders(tmp_path, tmp_path)


@pytest.mark.skipif("SKINAPP_DATA" not in os.environ, reason="SKINAPP_DATA does not name a folder of the real photos")
def test_the_two_class_set_keeps_its_own_split() -> None:
    root = Path(os.environ["SKINAPP_DATA"])
    indexed = read_folders(root / "malignant-vs-benign", root)
    table = indexed.table
    assert table["split"].value_counts().to_dict() == {"train": 2_637, "test": 660}
    assert (table["malignant"] == (table["diagnosis"] == "malignant")).all()
    assert set(table["diagnosis"]) == {"malignant", "benign"}
    assert get_notes(indexed) == {}
    pd.testing.assert_frame_equal(table, build_image_table(table))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *(
            ("actinic keratosis", "akiec"),
            ("basal cell carcinoma", "bcc"),
            ("dermatofibroma", "df"),
            ("melanoma", "mel"),
        ),
        *(
            ("nevus", "nv"),
            ("pigmented benign keratosis", "bkl"),
            ("seborrheic keratosis", "bkl"),
            ("vascular lesion", "vasc"),
        ),
        *(
            ("squamous cell carcinoma", "scc"),
            ("5. Melanocytic Nevi (NV) - 7970", "nv"),
            ("Seborrhoeic_Keratoses", "bkl"),
        ),
        *(("Training/MEL", "mel"), ("indeterminate", None), ("Test/malignant", "malignant")),
    ],
)
def test_folders_of_kaggle_have_their_labels(make_folders: MakeFolders, name: str, label: str | None) -> None:
    folder = make_folders(f"{name}/1.png")
    indexed = read_folders(folder, folder)
    assert list(get_by_id(indexed, "diagnosis").values()) == [label]
    assert ("in a folder of undecided lesions, without a label" in get_notes(indexed)) == (label is None)


def test_a_map_may_name_a_folder_that_else_says_nothing(make_folders: MakeFolders, tmp_path: Path) -> None:
    folder = make_folders("images/1.png", "data/2.png")
    (tmp_path / "map.csv").write_text("images,mel\n")
    indexed = read_folders(folder, folder, tmp_path / "map.csv")
    assert get_by_id(indexed, "diagnosis") == {"data/2": None, "images/1": "mel"}
