import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import read_table, write_table
from skinapp.errors import DatasetError, PhotoError
from skinapp.training.squeezed.arrays import CLASSES, load_arrays, write_arrays


@pytest.fixture(scope="module")
def folder(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("arrays") / "all"
    assert write_arrays(data_root / "table.parquet", written, data_root, ignore_progress) == 40
    return written


def test_the_classes_are_numbered_as_published() -> None:
    assert CLASSES == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def test_photos_are_squeezed_to_75_x_100_in_colour_and_grey(folder: Path, data_root: Path) -> None:
    colour, grey = np.load(folder / "X.npy"), np.load(folder / "X_g.npy")
    assert (colour.shape, grey.shape) == ((40, 75, 100, 3), (40, 75, 100))
    assert colour.dtype == grey.dtype == np.uint8
    for number in (0, 7, 39):
        pixels = np.asarray(Image.open(data_root / "photos" / f"photo_{number:02}.png"), dtype=float)
        assert colour[number].mean(axis=(0, 1)) == pytest.approx(pixels.mean(axis=(0, 1)), abs=1)
        assert grey[number] == pytest.approx(colour[number] @ [0.299, 0.587, 0.114], abs=1)


def test_scc_counts_as_akiec_and_rows_are_the_table_s(folder: Path, data_root: Path) -> None:
    truth = np.load(folder / "y.npy")
    named = [CLASSES[place] for place in truth]
    assert named == read_table(data_root / "table.parquet")["diagnosis"].replace({"scc": "akiec"}).tolist()
    assert json.loads((folder / "arrays.json").read_text())["classes"] == list(CLASSES)


def test_one_hot_holds_a_one_where_the_class_is(folder: Path, data_root: Path, tmp_path: Path) -> None:
    write_arrays(data_root / "table.parquet", tmp_path, data_root, ignore_progress, one_hot=True)
    one_hot = np.load(tmp_path / "y.npy")
    assert one_hot.shape == (40, 7)
    assert (one_hot.sum(axis=1) == 1).all()
    assert (one_hot.argmax(axis=1) == np.load(folder / "y.npy")).all()


def test_arrays_are_made_once_for_a_table(data_root: Path, tmp_path: Path) -> None:
    table = data_root / "table.parquet"
    first = load_arrays(table, tmp_path, data_root, ignore_progress)
    again = load_arrays(table, tmp_path, tmp_path / "no photos here", ignore_progress)
    assert (first.colour == again.colour).all()
    assert first.photos.equals(again.photos)
    write_table(read_table(table).head(30), tmp_path / "shorter.parquet")
    assert len(load_arrays(tmp_path / "shorter.parquet", tmp_path, data_root, ignore_progress).classes) == 30


def test_what_was_broken_off_is_made_anew(data_root: Path, tmp_path: Path) -> None:
    table = data_root / "table.parquet"
    made = load_arrays(table, tmp_path / "arrays", data_root, ignore_progress)
    (folder,) = (tmp_path / "arrays").iterdir()
    shutil.copytree(data_root / "photos", tmp_path / "photos")
    (tmp_path / "photos" / "photo_39.png").write_bytes(b"no picture")
    with pytest.raises(PhotoError):
        write_arrays(table, folder, tmp_path, ignore_progress)
    assert not (folder / "arrays.json").exists()
    (folder / "X.npy").unlink()  # not written over: what `made` holds is mapped from it
    np.save(folder / "X.npy", np.zeros(3))
    again = load_arrays(table, tmp_path / "arrays", data_root, ignore_progress)
    assert (again.colour == made.colour).all()
    assert not list(folder.glob("*.partial"))


def test_a_table_without_diagnoses_has_no_arrays(data_root: Path, tmp_path: Path) -> None:
    table = read_table(data_root / "table.parquet")
    write_table(table.assign(diagnosis=pd.NA), tmp_path / "unnamed.parquet")
    with pytest.raises(DatasetError, match="has no photo of akiec"):
        write_arrays(tmp_path / "unnamed.parquet", tmp_path / "arrays", data_root, ignore_progress)
