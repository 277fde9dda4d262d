import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.readers.common import IndexedTable
from skinapp.datasets.readers.isic2019 import ISIC2019_CODES, read_isic2019, read_isic2019_labels
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256
from skinapp.taxonomy import CODES, is_malignant

MakeIsic2019 = Callable[..., Path]

METADATA = "ISIC_2019_Training_Metadata.csv"
LABELS = "ISIC_2019_Training_GroundTruth.csv"

PUBLISHED = """image,age_approx,anatom_site_general,lesion_id,sex,label
ISIC_0000000,55,anterior torso,,female,NV
ISIC_0000012_downsampled,,,,,MEL
ISIC_0000013_downsampled,30,palms/soles,MSK4_0000013,male,BKL
ISIC_0000030,0,oral/genital,MSK4_0000030,male,DF
ISIC_0024306,45,head/neck,HAM_0000550,male,NV
ISIC_0053453,60,head/neck,BCN_0000001,female,SCC
ISIC_0053454,60,head/neck,BCN_0000001,female,SCC
ISIC_0053455,85,lower extremity,BCN_0000002,male,AK
"""
"""Rows as ISIC 2019's metadata CSV has them, and the column that its label CSV marks."""

HAM10000 = "part of HAM10000, which has a table of its own, left out"
AGE_0 = "age 0, treated as not recorded"
LESION = "without a lesion_id, counted as one lesion each"
NO_LESION = ("ISIC_0000000", "ISIC_0000012_downsampled")


def get_notes(indexed: IndexedTable) -> dict[str, tuple[str, ...]]:
    return {note.what: note.names for note in indexed.notes}


def write_labels(path: Path, images: list[str], labels: list[str]) -> Path:
    """Write the one-hot label CSV; the label "UNK" is that of none of the eight."""
    onehot = {column: [float(label == column) for label in labels] for column in [*ISIC2019_CODES, "UNK"]}
    pd.DataFrame({"image": images, **onehot}).to_csv(path, index=False)
    return path


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.read_csv(StringIO(PUBLISHED))


@pytest.fixture
def make_isic2019(tmp_path: Path, draw_picture: Callable[..., None]) -> MakeIsic2019:
    """Make a folder as ISIC 2019 unpacks: the two CSVs and one folder with a picture for each row."""

    def make(rows: pd.DataFrame, photos: str = "ISIC_2019_Training_Input", suffix: str = ".jpg") -> Path:
        folder = tmp_path / "isic2019"
        for number, image in enumerate(rows["image"]):
            draw_picture(folder / photos / f"{image}{suffix}", number)
        (folder / photos / "LICENSE.txt").write_text("CC BY-NC")
        write_labels(folder / LABELS, rows["image"].tolist(), rows["label"].tolist())
        rows.drop(columns="label").to_csv(folder / METADATA, index=False)
        return folder

    return make


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".webp"])
@pytest.mark.parametrize("photos", ["ISIC_2019_Training_Input", "ISIC_2019_Training_Input/twice_packed", "photos", "."])
def test_reads_it_as_published_or_in_any_folder(
    make_isic2019: MakeIsic2019, rows: pd.DataFrame, photos: str, suffix: str
) -> None:
    folder = make_isic2019(rows, photos, suffix)
    indexed = read_isic2019(folder, folder.parent)
    table = indexed.table
    own = rows[rows["image"] != "ISIC_0024306"]
    assert table["image_id"].tolist() == own["image"].tolist()
    assert table["diagnosis"].tolist() == own["label"].map(ISIC2019_CODES).tolist()
    assert table["malignant"].tolist() == [is_malignant(code) for code in table["diagnosis"]]
    assert [compute_sha256(folder.parent / path) for path in table["path"]] == table["sha256"].tolist()
    assert get_notes(indexed) == {HAM10000: ("ISIC_0024306",), AGE_0: ("ISIC_0000030",), LESION: NO_LESION}


def test_facts_are_as_given_and_what_is_not_recorded_is_missing(
    make_isic2019: MakeIsic2019, rows: pd.DataFrame
) -> None:
    folder = make_isic2019(rows)
    table = read_isic2019(folder, folder).table.set_index("image_id")
    assert table.loc["ISIC_0053455", ["age", "sex", "site"]].tolist() == [85, "male", "lower extremity"]
    assert table.loc["ISIC_0000012_downsampled", ["age", "sex", "site"]].isna().all()
    assert pd.isna(table.loc["ISIC_0000030", "age"])
    assert set(table["source"]) == {"ISIC 2019"}
    assert table[["width", "height", "confirmation", "split"]].isna().to_numpy().all()
    assert set(zip(table["stored_width"], table["stored_height"], strict=True)) == {(80, 60)}


def test_a_photo_without_a_lesion_id_is_a_lesion_of_its_own(make_isic2019: MakeIsic2019, rows: pd.DataFrame) -> None:
    folder = make_isic2019(rows)
    lesions = read_isic2019(folder, folder).table.set_index("image_id")["lesion_id"]
    assert [lesions[image_id] for image_id in NO_LESION] == list(NO_LESION)
    assert lesions["ISIC_0053453"] == lesions["ISIC_0053454"] == "BCN_0000001"
    assert lesions["ISIC_0000030"] == "MSK4_0000030"


def test_the_camera_is_told_by_the_lesion_id_alone(make_isic2019: MakeIsic2019, rows: pd.DataFrame) -> None:
    folder = make_isic2019(rows)
    cameras = read_isic2019(folder, folder).table.set_index("image_id")["camera"]
    assert cameras.drop(list(NO_LESION)).tolist() == ["MSK", "MSK", "BCN", "BCN", "BCN"]
    assert cameras[list(NO_LESION)].isna().all()


def test_whatever_is_left_out_is_named(
    make_isic2019: MakeIsic2019, rows: pd.DataFrame, draw_picture: Callable[..., None]
) -> None:
    folder = make_isic2019(rows)
    photos = folder / "ISIC_2019_Training_Input"
    (photos / "ISIC_0053453.jpg").unlink()
    (photos / "ISIC_0024306.jpg").unlink()
    (photos / "ISIC_0000030.jpg").write_bytes(b"no picture")
    draw_picture(photos / "ISIC_0053455.png", 5)
    draw_picture(photos / "ISIC_0099999.jpg", 99)
    nameless = rows.tail(1).assign(image=None)
    pd.concat([rows, rows.head(1), nameless]).to_csv(folder / METADATA, index=False)
    labels = rows["label"].mask(rows["image"] == "ISIC_0053454", "UNK")
    write_labels(folder / LABELS, [*rows["image"], "ISIC_0088888"], [*labels, "NV"])
    indexed = read_isic2019(folder, folder)
    assert get_notes(indexed) == {
        HAM10000: ("ISIC_0024306",),
        "photo without a row in the metadata, left out": ("ISIC_0099999.jpg",),
        "photo twice in the folder, first kept": ("ISIC_0053455.png",),
        "listed twice in the metadata, first row kept": ("ISIC_0000000",),
        "listed without a photo, left out": ("ISIC_0053453", "(no image)"),
        "without one of the eight diagnoses, left out": ("ISIC_0053454", "(no image)"),
        "labelled without a row in the metadata, left out": ("ISIC_0088888",),
        "not readable as a picture, left out": ("ISIC_0000030",),
        LESION: NO_LESION,
    }
    assert indexed.table["image_id"].tolist() == [*NO_LESION, "ISIC_0000013_downsampled", "ISIC_0053455"]


def test_sharper_copies_take_the_place_of_photos_where_they_are_asked_for(
    make_isic2019: MakeIsic2019, rows: pd.DataFrame, draw_picture: Callable[..., None]
) -> None:
    folder = make_isic2019(rows, "photos")
    plain = read_isic2019(folder, folder.parent)
    with pytest.raises(DatasetError, match="holds no photo in a folder sharper"):
        read_isic2019(folder, folder.parent, sharper=True)
    draw_picture(folder / "sharper" / "ISIC_0053453.png", 90, (160, 120))
    pd.testing.assert_frame_equal(read_isic2019(folder, folder.parent).table, plain.table)
    indexed = read_isic2019(folder, folder.parent, sharper=True)
    assert get_notes(indexed)["replaced by a sharper copy"] == ("ISIC_0053453.jpg",)
    before, after = (one.table.set_index("image_id") for one in (plain, indexed))
    assert after.loc["ISIC_0053453", "path"] == "isic2019/sharper/ISIC_0053453.png"
    assert (before.loc["ISIC_0053453", "stored_height"], after.loc["ISIC_0053453", "stored_height"]) == (60, 120)
    pd.testing.assert_frame_equal(after.drop("ISIC_0053453"), before.drop("ISIC_0053453"))


def test_labels_by_image_id(tmp_path: Path) -> None:
    columns = ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"]
    read = read_isic2019_labels(write_labels(tmp_path / "labels.csv", [f"of {c}" for c in columns], columns))
    codes = {f"of {code.upper()}": code for code in CODES if code != "akiec"}
    assert read.to_dict() == codes | {"of AK": "akiec"}


def test_labels_that_are_not_there_or_something_else(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no label file at .*absent\.csv"):
        read_isic2019_labels(tmp_path / "absent.csv")
    words = ",".join(["image", *ISIC2019_CODES]) + "\nISIC_1" + ",yes" * len(ISIC2019_CODES)
    for content in (b"image,MEL,NV\nISIC_1,1,0\n", b"a,b\n1,2\n", words.encode()):
        (tmp_path / "other.csv").write_bytes(content)
        with pytest.raises(DatasetError, match=r"other\.csv is not ISIC 2019's label CSV"):
            read_isic2019_labels(tmp_path / "other.csv")


def test_labels_that_name_a_photo_twice(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"labels\.csv labels ISIC_1 more than once"):
        read_isic2019_labels(write_labels(tmp_path / "labels.csv", ["ISIC_1", "ISIC_1"], ["NV", "MEL"]))


def test_a_folder_without_metadata_or_labels(make_isic2019: MakeIsic2019, rows: pd.DataFrame) -> None:
    folder = make_isic2019(rows)
    (folder / LABELS).unlink()
    with pytest.raises(DatasetError, match=rf"no label file at .*{LABELS}"):
        read_isic2019(folder, folder)
    (folder / METADATA).unlink()
    with pytest.raises(DatasetError, match=rf"holds no {METADATA}.*ISIC 2019 was unpacked"):
        read_isic2019(folder, folder)


def test_metadata_that_lack_a_column(make_isic2019: MakeIsic2019, rows: pd.DataFrame) -> None:
    folder = make_isic2019(rows.drop(columns=["lesion_id", "sex"]))
    with pytest.raises(DatasetError, match="lacks the column lesion_id, sex"):
        read_isic2019(folder, folder)


def test_no_photo_of_its_own(make_isic2019: MakeIsic2019, rows: pd.DataFrame) -> None:
    folder = make_isic2019(rows[rows["lesion_id"].str.startswith("HAM_", na=False)])
    with pytest.raises(DatasetError, match=r"No photo of ISIC 2019"):
        read_isic2019(folder, folder)


@pytest.mark.skipif("SKINAPP_DATA" not in os.environ, reason="SKINAPP_DATA does not name a folder of the real photos")
def test_the_real_photos_add_up() -> None:
    root = Path(os.environ["SKINAPP_DATA"])
    indexed = read_isic2019(root / "isic2019", root)
    counts = {what: len(names) for what, names in get_notes(indexed).items()}
    counts.pop("photo twice in the folder, first kept", None)  # a data root may hold sharper copies as well
    assert counts.pop(LESION) == indexed.table["camera"].isna().sum()
    assert counts == {HAM10000: 10_015, "listed without a photo, left out": 32, AGE_0: 13}
    assert len(indexed.table) == 25_331 - 10_015 - 32
    assert set(indexed.table["camera"].dropna()) == {"BCN", "MSK"}
    pd.testing.assert_frame_equal(indexed.table, build_image_table(indexed.table))
