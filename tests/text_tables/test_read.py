import random

import numpy as np
import pandas as pd
import pytest

from skinapp.errors import DatasetError
from skinapp.text_tables.read import TextTable, mark_missing, read_ids, read_numbers, read_text_table

PLAIN = "image_id,dx,age\na,mel,45\nb,nv,30\n"
CELLS = [["a", "mel", "45"], ["b", "nv", "30"]]


def read(text: str | bytes) -> TextTable:
    return read_text_table(text.encode() if isinstance(text, str) else text, "photos.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(separator: str, end: str) -> None:
    table = read(PLAIN.replace(",", separator).replace("\n", end))
    assert table.columns == ("image_id", "dx", "age")
    assert table.frame().to_numpy().tolist() == CELLS
    assert table.rows.tolist() == [1, 2]
    assert not table.notes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_with_and_without_a_mark(encoding: str) -> None:
    table = read(PLAIN.replace("mel", "naevus Spitz–Müller").encode(encoding))
    assert table.columns == ("image_id", "dx", "age")
    assert table.text("dx").tolist() == ["naevus Spitz–Müller", "nv"]


def test_windows_1252_is_read_and_said() -> None:
    table = read("id;site\na;Rücken\n".encode("cp1252"))
    assert table.text("site").tolist() == ["Rücken"]
    assert "Windows-1252" in table.notes[0]


def test_one_damaged_byte_does_not_spoil_the_other_letters() -> None:
    table = read("id,site\na,Rücken\nb,Hüfte\n".encode() + b"c,\xff\n")
    assert table.text("site").tolist() == ["Rücken", "Hüfte", "�"]


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n", "sep=;;;\n"])
def test_a_line_that_names_the_separator(first: str) -> None:
    table = read(f"{first}image_id;p_mel\na;0,25\n")
    assert table.columns == ("image_id", "p_mel")
    assert read_numbers(table.text("p_mel")).tolist() == [0.25]


def test_a_separator_inside_cells_is_not_taken_for_the_separator() -> None:
    table = read("id\tnote\n1, 2, 3\tx\n4, 5, 6\ty\n")
    assert table.separator == "\t"
    assert table.text("id").tolist() == ["1, 2, 3", "4, 5, 6"]


def test_quoted_cells_may_hold_separators_line_breaks_and_quotation_marks() -> None:
    table = read('id,note\n1,"a, b\r\n\r\nc ""d"""\n2,e\n')
    assert table.text("note").tolist() == ['a, b\r\n\r\nc "d"', "e"]
    assert table.rows.tolist() == [1, 2]


def test_empty_rows_and_columns_are_dropped_and_rows_keep_their_numbers() -> None:
    table = read("id,dx,,\n1,mel,,\n,,,\n\n3,nv,,\n\n\n")
    assert table.columns == ("id", "dx")
    assert table.rows.tolist() == [1, 4]


def test_rows_of_another_length_are_named_and_the_others_used() -> None:
    table = read("id,dx\n1,a,b\n2,mel\n3\n4,nv,\n")
    assert table.frame().to_numpy().tolist() == [["2", "mel"], ["3", ""], ["4", "nv"]]
    assert table.misfits == (1,)
    assert "Row 1 has more cells" in table.notes[0]
    assert "Row 3 has fewer cells" in table.notes[1]


def test_row_names_of_r_are_no_column() -> None:
    table = read('"id","dx"\n"1","a","mel"\n"2","b","nv"\n')
    assert table.frame().to_numpy().tolist() == [["a", "mel"], ["b", "nv"]]


def test_a_name_that_occurs_again_is_said_and_the_first_is_found() -> None:
    table = read("id,Age,age\na,1,2\n")
    assert table.text(table.find("AGE") or "").tolist() == ["1"]
    assert "age" in table.notes[0]


@pytest.mark.parametrize("name", ["Image ID", "image-id", "IMAGE_ID", "imageId", " image id "])
def test_columns_are_found_however_they_are_spelt(name: str) -> None:
    assert read(f"{name},dx\na,mel\n").find("image", "image_id") == name.strip()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "has no row of names"),
        (b"\n \n", "has no row of names"),
        (b"PK\x03\x04rest", "a workbook"),
        (b"PAR1rest", "a Parquet file"),
        (b"\x1f\x8b\x08\x00", "packed with gzip"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x00\x01\x02\x03\xff", "is not a text table"),
        (
            b'id,dx\n1,"mel\n2,nv\n',
            "row 1 below the header cannot be read: a quotation mark is opened and never closed",
        ),
        (b"id,dx\n1,2,3\n4,5,6,7\n", "rows with more cells than its header names"),
        (b"a," * 3000, "has 3,001 columns"),
    ],
)
def test_what_is_no_table_is_named(data: bytes, words: str) -> None:
    with pytest.raises(DatasetError, match=r"photos\.csv") as error:
        read_text_table(data, "photos.csv")
    assert words in str(error.value)
    assert len(str(error.value)) < 400


def test_numbers_with_a_point_or_a_comma() -> None:
    cells = pd.Series(["0.5", "0,5", " 2 ", "1e-3", "", "?", "1.234,5", "1,234,567", "x", "5%"], dtype="string")
    expected = [0.5, 0.5, 2, 0.001, *[np.nan] * 6]
    assert np.allclose(read_numbers(cells), expected, equal_nan=True)
    assert read_numbers(pd.Series(["1", "2.5"], dtype="string")).tolist() == [1, 2.5]


@pytest.mark.parametrize("word", ["", "-", "?", "#N/A", "NA", "N/A", "null", "none", "nan", "Unknown", "not recorded"])
def test_words_for_a_missing_cell(word: str) -> None:
    assert mark_missing(pd.Series([word, "mel"], dtype="string")).isna().tolist() == [True, False]


def test_damaged_tables_are_read_or_refused_with_a_sentence() -> None:
    """300 mutations of a table, always the same: no other error, and no sentence that echoes the file."""
    chance = random.Random(20261129)
    base = bytearray(
        b'image_id,dx,age,note\r\nISIC_1,mel,45,"a, ""b"""\r\nISIC_2,nv,30,"line\r\nbreak"\r\nISIC_3,bcc,,x\r\n'
    )
    pieces = [
        b'"',
        b",",
        b";",
        b"\t",
        b"\r",
        b"\n",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x80",
        b"sep=|",
        b"x" * 5000,
    ]
    for _ in range(300):
        data = bytearray(base)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.choice((0, 0, 1, 9))] = chance.choice(pieces)
        message, table = read_or_explain(bytes(data))
        assert len(message) < 500
        if table is not None:
            assert len(table.frame()) == len(table.rows)
            assert all(len(note) < 1500 for note in table.notes)


def read_or_explain(data: bytes) -> tuple[str, TextTable | None]:
    try:
        return "", read_text_table(data, "photos.csv")
    except DatasetError as error:
        return str(error), None


@pytest.mark.parametrize(
    "title", ["Results of 2024", '"Results of 2024",,', "# Results of 2024\n\n", ",,Results of 2024"]
)
def test_a_title_above_the_names_is_skipped_and_said(title: str) -> None:
    table = read(f"{title}\n{PLAIN}")
    assert table.columns == ("image_id", "dx", "age")
    assert table.frame().to_numpy().tolist() == CELLS
    assert table.rows.tolist() == [1, 2]
    assert "Results of 2024" in table.notes[0]


@pytest.mark.parametrize("text", ["image_id\na\nb\n", "image_id\na\nb, left eye\nc\n", "image_id\n1,mel\n2,nv\n"])
def test_a_column_of_its_own_is_no_title(text: str) -> None:
    assert read(text).columns[0] == "image_id"


def test_names_that_are_repeated_below_are_left_out_by_row() -> None:
    table = read(PLAIN + PLAIN.replace("a,", "c,"))
    assert table.text("image_id").tolist() == ["a", "b", "c", "b"]
    assert table.rows.tolist() == [1, 2, 4, 5]
    assert table.notes == ("Row 3 has the names of the columns again, left out.",)


def test_what_programs_add_to_ids_unseen_is_taken_off() -> None:
    assert read_ids(pd.Series(["1.0", "20.00", "", "?"])).tolist() == ["1", "20", "", "?"]
    assert read_ids(pd.Series(["1.0", "1.1"])).tolist() == ["1.0", "1.1"]
    assert read_ids(pd.Series(["\ufeffa\u200b", "Mu\u0308ller"])).tolist() == ["a", "M\u00fcller"]
