import csv
from io import BytesIO, StringIO

import pandas as pd
import pytest

from skinapp.datasets.readers.upload import read_upload
from skinapp.datasets.table import build_image_table
from skinapp.text_tables.write import encode_csv, encode_parquet, format_csv


@pytest.fixture
def table() -> pd.DataFrame:
    rows = {
        "image_id": ["a", "b"],
        "site": ["=cmd|x", "back"],
        "age": [-0.0, None],
        "diagnosis": ["nv", None],
        "malignant": [False, None],
    }
    return build_image_table(pd.DataFrame(rows))


def test_a_spreadsheet_runs_no_cell_of_the_csv(table: pd.DataFrame) -> None:
    back = pd.read_csv(StringIO(encode_csv(table).decode()), keep_default_na=False)
    assert back["site"].tolist() == ["'=cmd|x", "back"]
    assert back["diagnosis"].tolist() == ["nv", ""]
    assert table["site"].tolist() == ["=cmd|x", "back"], "the table that visitors share was changed"


def test_parquet_keeps_values_and_types(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(build_image_table(pd.read_parquet(BytesIO(encode_parquet(table)))), table)


def test_both_can_be_opened_again(table: pd.DataFrame) -> None:
    plain = table.assign(site="back").astype({"site": "string"})
    for data, name in ((encode_csv(plain), "x.csv"), (encode_parquet(plain), "x.parquet")):
        pd.testing.assert_frame_equal(read_upload(data, name).table, plain)


NAMES = ["=1+1.jpg", "+a", "-a", "@a", "\ta", "\ra", " =a", "＝a", "a\r\nb", "a\x1b[2Jb", "caf\udce9.jpg", 'a,"b"', "ü"]
SAFE = [
    *("'=1+1.jpg", "'+a", "'-a", "'@a", "'\\x09a", "'\\x0da", "' =a", "'＝a"),
    *("a\\x0d\\x0ab", "a\\x1b[2Jb", "caf\\xe9.jpg", 'a,"b"', "ü"),
]


def test_no_name_runs_breaks_a_row_or_reaches_a_terminal() -> None:
    text = format_csv(["file", "score"], [[name, -0.5] for name in NAMES])
    lines = text.encode().decode().splitlines()
    assert len(lines) == len(NAMES) + 1
    assert list(csv.reader(lines)) == [["file", "score"], *([name, "-0.5"] for name in SAFE)]


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_every_kind_of_text_is_safe_in_a_table(dtype: str) -> None:
    names = [name for name in NAMES if "\udce9" not in name]
    written = encode_csv(pd.DataFrame({"@file": pd.Series([*names, None], dtype=dtype), "score": -0.5})).decode()
    rows = list(csv.reader(written.splitlines()))
    assert rows[0] == ["'@file", "score"]
    assert [row[0] for row in rows[1:]] == [*(name for name in SAFE if "caf" not in name), ""]
    assert {row[1] for row in rows[1:]} == {"-0.5"}
