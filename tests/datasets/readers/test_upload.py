import random
from io import BytesIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skinapp.datasets.readers import upload
from skinapp.datasets.readers.upload import read_upload
from skinapp.datasets.table import TABLES, build_image_table, read_table
from skinapp.errors import DatasetError


def read_text(text: str) -> pd.DataFrame:
    return read_upload(text.encode(), "mine.csv").table


def read_refusal(data: bytes | str, name: str = "mine.csv") -> str:
    with pytest.raises(DatasetError) as caught:
        read_upload(data.encode() if isinstance(data, str) else data, name)
    return str(caught.value)


def write_parquet(table: pa.Table) -> bytes:
    file = BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def test_words_of_published_tables_are_understood() -> None:
    found = read_text("isic_id,dx,dx_type,localization,gender\n1,NV,histo,back,F\n2,Melanoma,follow_up,unknown,male\n")
    expected = pd.DataFrame(
        {
            "image_id": ["1", "2"],
            "diagnosis": ["nv", "mel"],
            "malignant": [False, True],
            "confirmation": ["histology", "follow-up"],
            "site": ["back", None],
            "sex": ["female", "male"],
        }
    )
    pd.testing.assert_frame_equal(found, build_image_table(expected))


def test_own_labels_stay_and_say_nothing_of_malignancy() -> None:
    found = read_text("image_id,diagnosis,malignant\na,wart,\nb,wart,yes\nc,mel,\nd,,no\n")
    assert found["diagnosis"].tolist() == ["wart", "wart", "mel", pd.NA]
    assert found["malignant"].tolist() == [pd.NA, True, True, False]


def test_bad_cells_are_missing_and_named_with_their_rows() -> None:
    given = read_upload(
        b"image_id,age,sex,split,width,sha256,dark_corners,typo\n"
        b"a,old,alien,train,12.5,zz,2,1\n"
        b"a,300,male,later,0,,-1,1\n"
        b"\n,3,male,test,5,,1,1\n"
        b"b,301,male,test,5,,1,1\n",
        "mine.csv",
    )
    assert given.table["image_id"].tolist() == ["a", "b"]
    assert given.table["sex"].tolist() == [pd.NA, "male"]
    assert given.table["age"].isna().all()
    assert given.notes == (
        "Left out, as they are not columns of an image table: 'typo'.",
        "3 age that is not a number of years from 0 to 120, left out: ?old? in row 1, ?300? in row 2, ?301? in row 5.",
        "1 sex that is not female or male, left out: ?alien? in row 1.",
        "2 width that is not a whole number of pixels from 1 to 100,000, left out: ?12.5? in row 1, ?0? in row 2.",
        "1 split that is not train, validation, test or showcase, left out: ?later? in row 2.",
        "1 sha256 that is not 64 hexadecimal digits, left out: ?zz? in row 1.",
        "2 dark_corners that is not a share from 0 to 1, left out: ?2? in row 1, ?-1? in row 2.",
        "1 without an id, left out: row 4.",
        "1 listed twice, first row kept: a in row 2.",
    )


def test_columns_that_are_no_ones_are_left_out_and_said() -> None:
    given = read_upload(b"image_id,dx,comment\na,nv,hello\n", "mine.csv")
    assert given.notes == (
        "Read dx as diagnosis.",
        "Left out, as they are not columns of an image table: 'comment'.",
    )


def test_a_table_without_ids_names_every_column_that_it_has() -> None:
    said = read_refusal("foo;bar\n1;2\n")
    assert "lacks the column image_id" in said
    assert "It has foo, bar." in said


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "has no row of names"),
        ("image_id,age\n", "has no rows"),
        ('image_id,age\n"1,2', "a quotation mark is opened and never closed"),
        ("image_id,age\n1,2,3,4\n", "more cells than its header"),
        ("image_id,age\n,3\n", "names no photo in any row"),
        (",".join(["image_id", *(f"c{n}" for n in range(upload.MAX_COLUMNS))]) + "\n", "columns, more than 300"),
    ],
)
def test_a_malformed_csv_is_refused_in_a_sentence(data: bytes | str, words: str) -> None:
    assert words in read_refusal(data)


@pytest.mark.parametrize(
    ("data", "notes"),
    [
        (b"image_id,Image_ID\n1,2\n", ("More than one column is named Image_ID; the first is read.",)),
        (b"image_id,site\n1,\xfc\n", ("The file is not in UTF-8 and was read as Windows-1252",)),
        (
            f"image_id,site\n1,{'x' * 10**6}\n".encode(),
            ("1 site that is not text of at most 300 characters, left out: ?xxxx",),
        ),
        (
            f"image_id,dx\n1,{'x' * 10**6}\n".encode(),
            ("1 dx that is not text of at most 300 characters, left out: row 1.",),
        ),
    ],
)
def test_what_had_to_be_guessed_is_said(data: bytes, notes: tuple[str, ...]) -> None:
    given = read_upload(data, "mine.csv")
    assert given.table["image_id"].tolist() == ["1"]
    for note in notes:
        assert any(said.startswith(note) for said in given.notes)
    assert all(len(said) < 300 for said in given.notes)


def test_too_many_bytes_or_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_ROWS", 2)
    table = pd.DataFrame({"image_id": ["a", "b", "c"]})
    assert "more than 2 rows" in read_refusal(table.to_csv(index=False))
    assert "more than 2 rows" in read_refusal(table.to_parquet(), "mine.parquet")
    monkeypatch.setattr(upload, "MAX_BYTES", 10)
    assert "is larger than" in read_refusal("image_id\naaaaaaaaaaaa\n")


def test_a_formula_is_text_like_any_other() -> None:
    assert read_text('image_id,site\na,"=1+1"\n')["site"].tolist() == ["=1+1"]


def test_markup_of_a_stranger_is_not_repeated() -> None:
    given = read_upload(b"image_id,sex,[x](y)\na,[click](javascript:x)<b>,1\n", "mine.csv")
    assert len(given.notes) == 2
    assert not set("[]()<>`*") & set("".join(given.notes))


def test_a_small_parquet_that_unpacks_to_more_than_memory_is_refused() -> None:
    n = 100_000
    sites = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, dtype=np.int32)), pa.array(["x" * 1_000_000]))
    data = write_parquet(pa.table({"image_id": pa.array([str(number) for number in range(n)]), "site": sites}))
    assert len(data) < upload.MAX_BYTES
    assert "holds a cell of more than" in read_refusal(data, "mine.parquet")


def test_a_parquet_of_lists_or_nonsense_is_refused() -> None:
    assert "holds list" in read_refusal(write_parquet(pa.table({"image_id": ["a"], "site": [["x"]]})), "mine.parquet")
    assert "is not a Parquet table" in read_refusal(b"PAR1 and no more", "mine.parquet")


def test_a_parquet_of_text_that_is_not_utf8_is_refused() -> None:
    broken = pa.array([b"caf\xe9", b"b"]).view(pa.string())
    for columns in ({"image_id": broken}, {"image_id": ["a", "b"], "site": broken}):
        said = read_refusal(write_parquet(pa.table(columns)), "mine.parquet")
        assert "UTF" in said


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_shipped_table_comes_back_as_it_was(suffix: str) -> None:
    table = read_table(TABLES / "ham10000.parquet").iloc[::50].reset_index(drop=True)
    data = table.to_csv(index=False).encode() if suffix == "csv" else table.to_parquet()
    given = read_upload(data, f"mine.{suffix}")
    pd.testing.assert_frame_equal(given.table, table)
    assert given.notes == ()


def test_parquet_of_numbers_and_texts_is_read_by_its_types() -> None:
    table = pa.table({"image_id": pa.array([7, 8]), "age": pa.array([40, None], pa.int64()), "malignant": [True, None]})
    found = read_upload(write_parquet(table), "mine.parquet").table
    assert found["image_id"].tolist() == ["7", "8"]
    assert found["age"].tolist() == [40.0, pd.NA]
    assert found["malignant"].tolist() == [True, pd.NA]


def test_damaged_tables_are_read_or_refused_with_a_sentence() -> None:
    """200 mutations, always the same, of a text table and of a Parquet table: no error but a DatasetError."""
    chance = random.Random(20261129)
    text = b"isic_id;dx;benign_malignant;age;patient_id;MEL;NV\r\nI1;nv;benign;45,5;P1;0;1\r\nI2;mel;?;x;P1;1;0\r\n"
    packed = write_parquet(pa.table({"image_id": ["a", "b"], "dx": ["nv", "?"], "age": [1.5, None], "target": [0, 1]}))
    pieces = [b"", b'"', b";", b"\t", b"\r", b"\0", b"\xff", b"=1+1", b"image_id", b"1e999", b"9" * 400, b"-"]
    for name, base in (("mine.csv", text), ("mine.parquet", packed)):
        for _ in range(100):
            data = bytearray(base)
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(data))
                data[at : at + chance.choice((0, 1, 6))] = chance.choice(pieces)
            try:
                upload = read_upload(bytes(data), name)
            except DatasetError as error:
                said = str(error)
            else:
                said = max(upload.notes, key=len, default="")
                assert len(upload.table) <= 3
            assert len(said) < 2500


def test_rows_that_are_no_photos_are_left_out_by_name() -> None:
    given = read_upload(b"image_id,dx,age\na,mel,45\nimage_id,dx,age\nb,nv,50\nTotal,,95\n", "mine.csv")
    assert given.table["image_id"].tolist() == ["a", "b"]
    assert "Row 2 has the names of the columns again, left out." in given.notes
    assert "1 row of a total, left out: row 4." in given.notes


def test_columns_of_malignancy_that_disagree_are_said() -> None:
    given = read_upload(b"image_name,benign_malignant,target\na,benign,1\nb,malignant,1\nc,,0\n", "mine.csv")
    assert given.table["malignant"].tolist() == [False, True, False]
    assert "1 target says otherwise than benign_malignant, which was read: row 1." in given.notes


def test_units_behind_a_name_are_no_other_column() -> None:
    table = read_text("image_id,Age (years),Sex [m/f],age (months)\na,45,w,540\n")
    assert table[["age", "sex"]].to_numpy().tolist() == [[45, "female"]]
    assert read_text("image_id,age (months)\na,45\n")["age"].isna().all()


def test_ids_that_pandas_wrote_as_decimals_are_whole() -> None:
    for data, name in (
        (b"id,patient_id\n1.0,7.0\n2.0,\n", "mine.csv"),
        (write_parquet(pa.table({"id": [1.0, 2.0], "patient_id": [7.0, None]})), "mine.parquet"),
    ):
        table = read_upload(data, name).table
        assert table[["image_id", "patient_id"]].astype(object).to_numpy().tolist() == [["1", "7"], ["2", pd.NA]]
