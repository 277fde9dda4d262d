from io import BytesIO, StringIO

import pandas as pd
import pytest

from skinapp.datasets.export import encode_csv, encode_parquet
from skinapp.datasets.readers.upload import read_upload
from skinapp.datasets.table import build_image_table


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
