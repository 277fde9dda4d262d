import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skinapp.datasets.table import COLUMNS, build_image_table, get_true_labels, group_photos, read_table, write_table
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256


def test_has_every_column_in_its_type_and_is_sorted() -> None:
    table = build_image_table(pd.DataFrame({"image_id": ["b", "a"], "age": [50, 60], "malignant": [True, False]}))
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == COLUMNS
    assert list(table.columns) == list(COLUMNS)
    assert table["image_id"].tolist() == ["a", "b"]
    assert table["age"].tolist() == [60, 50]


def test_what_is_missing_stays_missing_through_parquet(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "image_id": ["a", "b"],
            "age": [None, 50.0],
            "malignant": [None, True],
            "width": [None, 600],
            "sex": [None, "male"],
        }
    )
    write_table(rows, tmp_path / "table.parquet")
    table = read_table(tmp_path / "table.parquet")
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == COLUMNS
    assert table[["age", "malignant", "width", "sex"]].isna().to_numpy().tolist() == [[True] * 4, [False] * 4]
    assert table["lesion_id"].isna().all()
    assert table["width"].tolist()[1] == 600


def test_strange_columns_are_named() -> None:
    with pytest.raises(DatasetError, match="no column colour, shade"):
        build_image_table(pd.DataFrame({"image_id": ["a"], "shade": [1], "colour": ["red"]}))


def test_duplicate_ids_are_named() -> None:
    ids = [f"photo_{number}" for number in range(7)]
    with pytest.raises(DatasetError, match=r"photo_0, photo_1, photo_2, photo_3, photo_4 and 2 more more than once"):
        build_image_table(pd.DataFrame({"image_id": ids * 2}))


def test_ids_that_follow_each_other_twice_are_named() -> None:
    with pytest.raises(DatasetError, match=r"holds b more than once"):
        build_image_table(pd.DataFrame({"image_id": ["a", "b", "b", "c"]}))


def test_rows_are_numbered_anew_whether_they_were_sorted_or_not() -> None:
    rows = pd.DataFrame({"image_id": ["a", "b", "c"], "age": [1, 2, 3]})
    for some in (rows[1:], rows[1:][::-1]):
        table = build_image_table(some)
        assert table.index.tolist() == [0, 1]
        assert table[["image_id", "age"]].to_numpy().tolist() == [["b", 2], ["c", 3]]


def test_a_row_without_an_id_is_refused() -> None:
    with pytest.raises(DatasetError, match="no image_id"):
        build_image_table(pd.DataFrame({"image_id": ["a", None]}))


def test_values_of_another_type_are_refused_by_column() -> None:
    with pytest.raises(DatasetError, match=r"old.*age"):
        build_image_table(pd.DataFrame({"image_id": ["a"], "age": ["old"]}))


def test_no_table_at_all(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no image table at .*absent\.parquet"):
        read_table(tmp_path / "absent.parquet")


@pytest.mark.parametrize("content", [b"", b"image_id,path\na,b\n", bytes(range(256)) * 20])
def test_a_file_that_is_no_parquet_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "table.parquet"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"table\.parquet cannot be read as a Parquet table"):
        read_table(file)


def test_a_parquet_file_of_something_else_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "weather.parquet"
    pd.DataFrame({"image_id": ["a"], "rain": [1.0]}).to_parquet(file)
    with pytest.raises(DatasetError, match=r"weather\.parquet is not an image table: path, lesion_id"):
        read_table(file)


def test_writing_that_breaks_off_leaves_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "table.parquet"
    write_table(pd.DataFrame({"image_id": ["old"]}), file)

    def break_off(self: pd.DataFrame, path: Path, **options: object) -> None:
        Path(path).write_bytes(b"PAR1 half of a table")
        raise OSError("the disk is full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", break_off)
    with pytest.raises(OSError, match="disk is full"):
        write_table(pd.DataFrame({"image_id": ["new"]}), file)
    assert read_table(file)["image_id"].tolist() == ["old"]


def test_truth_by_task() -> None:
    table = build_image_table(
        pd.DataFrame({"image_id": ["a", "b", "c"], "diagnosis": ["mel", "nv", None], "malignant": [True, False, None]})
    )
    malignancy = get_true_labels(table, "malignancy")
    assert malignancy[:2].tolist() == ["malignant", "benign"]
    assert pd.isna(malignancy[2])
    lesion_type = get_true_labels(table, "lesion_type")
    assert lesion_type[:2].tolist() == ["mel", "nv"]
    assert pd.isna(lesion_type[2])


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"skin")
    assert compute_sha256(tmp_path / "file") == hashlib.sha256(b"skin").hexdigest()


def test_a_stored_table_may_lack_patients_and_does_not_keep_an_empty_column(tmp_path: Path) -> None:
    rows = pd.DataFrame({"image_id": ["a", "b"], "lesion_id": ["L", "L"], "patient_id": ["P", None]})
    for name, kept, expected in (("with", rows, ["P", None]), ("without", rows.drop(columns="patient_id"), [None] * 2)):
        write_table(build_image_table(kept), tmp_path / name)
        assert ("patient_id" in pd.read_parquet(tmp_path / name).columns) == (name == "with")
        read = read_table(tmp_path / name)
        assert [None if patient is pd.NA else patient for patient in read["patient_id"]] == expected


def test_groups_are_patients_then_lesions_then_photos() -> None:
    rows = {"image_id": list("abcd"), "patient_id": ["1", "1", None, None], "lesion_id": ["1", "2", "1", None]}
    groups = group_photos(build_image_table(pd.DataFrame(rows)))
    assert groups.tolist() == ["patient 1", "patient 1", "lesion 1", "photo d"]


def test_a_stored_table_of_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    table = build_image_table(pd.DataFrame({"image_id": ["a", "b"], "site": ["x", "y"]}))
    stored = pa.Table.from_pandas(table, preserve_index=False)
    broken = pa.array([b"caf\xe9", b"b"]).view(pa.string())
    pq.write_table(stored.set_column(stored.column_names.index("site"), "site", broken), tmp_path / "t.parquet")
    with pytest.raises(DatasetError, match="the column site holds text that is not UTF-8"):
        read_table(tmp_path / "t.parquet")
