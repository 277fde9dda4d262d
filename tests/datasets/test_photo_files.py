import os
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets import photo_files
from skinapp.datasets.photo_files import PhotoFinder, describe_missing, list_photos
from skinapp.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in (
        *("a.JPG", "b.jpeg", "c.jpe", "d.jfif", "sub/e.png", "sub/deep/ISIC_0000001.jpg", "benign/1.jpg"),
        *("masks/ISIC_0000002.png", "p/ISIC_0000002.jpg", "notes.txt", "Thumbs.db", ".hidden.jpg", "._a.JPG"),
        *("__MACOSX/x.jpg", ".ipynb_checkpoints/y.jpg", "@eaDir/z.jpg", "empty/.keep"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


PHOTOS = ["a.JPG", "b.jpeg", "benign/1.jpg", "c.jpe", "d.jfif", "masks/ISIC_0000002.png", "p/ISIC_0000002.jpg"]
PHOTOS += ["sub/deep/ISIC_0000001.jpg", "sub/e.png"]


def test_hidden_and_system_files_are_no_photos(folder: Path) -> None:
    listing = list_photos(folder)
    assert [photo.relative_to(folder).as_posix() for photo in listing.photos] == PHOTOS
    assert listing.others == ["notes.txt"]
    assert listing.empty == ["empty"]
    assert listing.hidden == ["._a.JPG", ".hidden.jpg"]


def test_links_are_followed_once_and_dead_ends_are_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "f.jpg").write_bytes(b"")
    links = {
        "aa": "sub",
        "sub/loop": "..",
        "linked": "../elsewhere",
        "g.jpg": "a.JPG",
        "dead.jpg": "no",
        "me.jpg": "me.jpg",
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    listing = list_photos(folder)
    assert [photo.relative_to(folder).as_posix() for photo in listing.photos] == sorted(
        [*PHOTOS, "g.jpg", "linked/f.jpg"]
    )
    assert listing.again == ["aa", "sub/loop"]
    assert listing.unreadable == ["dead.jpg", "me.jpg"]


def test_a_name_that_is_not_utf8_is_named(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg")).write_bytes(b"")
    listing = list_photos(folder)
    assert listing.unnameable == ["caf\\xe9.jpg"]
    assert len(listing.photos) == len(PHOTOS)
    assert len(list_photos(folder, any_name=True).photos) == len(PHOTOS) + 1


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *[(name, "a.JPG") for name in ("a", "a.jpg", "A.jpeg", "./a.jpg", "sub/../a.jpg")],
        *[(name, "sub/e.png") for name in ("sub\\e.png", "sub/E", "e.png", "elsewhere\\sub\\e.png")],
        *[
            (name, "sub/deep/ISIC_0000001.jpg")
            for name in ("ISIC_0000001", "C:\\x\\ISIC_0000001.JPG", "/k/i/ISIC_0000001")
        ],
        ("x/benign/1.jpg", "benign/1.jpg"),
        ("malignant/1.jpg", None),  # another folder's 1.jpg is another photo
        ("ISIC_0000002", None),  # a photo and a mask
        ("ISIC_0000002.jpg", "p/ISIC_0000002.jpg"),
        ("a.png", None),
        *[(name, None) for name in ("", "\0", "x" * 300, "a.jpg/b", "../a")],
    ],
)
def test_names_of_tables_find_their_photos(folder: Path, name: str, found: str | None) -> None:
    photo = PhotoFinder(folder).find(name)
    assert (photo and photo.relative_to(folder).as_posix()) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *[(name, "0007.jpg") for name in ("7", "07.jpg", "00007")],
        ("8", None),  # 008.jpg or 08.jpg
        ("9", "9.jpg"),  # not 09.jpg
        ("9" * 400, None),
        *[(name, "Mu\u0308ller/e\u0301.jpg") for name in ("M\u00fcller/\u00e9.jpg", "Mu\u0308ller/\u00e9", "\u00c9")],
    ],
)
def test_zeros_before_a_number_and_accents_stored_apart_are_no_other_name(
    tmp_path: Path, name: str, found: str | None
) -> None:
    (tmp_path / "Mu\u0308ller").mkdir()
    for file in ("0007.jpg", "008.jpg", "08.jpg", "9.jpg", "09.jpg", "Mu\u0308ller/e\u0301.jpg"):
        (tmp_path / file).touch()
    photo = PhotoFinder(tmp_path).find(name)
    assert (photo and photo.relative_to(tmp_path).as_posix()) == found


def test_each_folder_is_listed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []

    def list_folder(path: str) -> list[str]:
        listed.append(str(path))
        raise FileNotFoundError(path)

    monkeypatch.setattr(photo_files.os, "listdir", list_folder)
    finder = PhotoFinder(folder)
    assert not any(finder.find(f"gone/ISIC_1{number:07}.jpg") for number in range(1000))
    assert len(listed) == 1


def test_a_root_without_any_photo_of_the_table_is_refused_and_missing_ones_are_counted(folder: Path) -> None:
    table = pd.DataFrame({"path": ["a.JPG", "sub/e.png", "gone/1.jpg", None]})
    assert describe_missing(table.head(2), folder) == ""
    assert describe_missing(table, folder) == f"2 of 4 photos are not below {folder}, the first: gone/1.jpg."
    with pytest.raises(DatasetError, match="None of the 4 photos of the table is below"):
        describe_missing(table, folder / "sub")
