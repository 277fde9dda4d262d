import os
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.files import FILE_FACTS, measure_files
from skinapp.datasets.merge import merge_tables
from skinapp.datasets.table import TABLES, build_image_table, read_table
from skinapp.errors import DatasetError


def make_table(ids: list[str], **columns: object) -> pd.DataFrame:
    return build_image_table(pd.DataFrame({"image_id": ids, **columns}))


def test_rows_come_as_they_are() -> None:
    first = make_table(["a", "c"], source="First", split=["train", "test"], age=[50, None])
    second = make_table(["b"], source="Second", lesion_id=["L"])
    merged = merge_tables([("first", first), ("second", second)])
    assert merged.notes == ()
    assert merged.table["image_id"].tolist() == ["a", "b", "c"]
    pd.testing.assert_frame_equal(
        merged.table[merged.table["source"] == "First"].reset_index(drop=True), first, check_exact=True
    )
    pd.testing.assert_frame_equal(merged.table.iloc[[1]].reset_index(drop=True), second, check_exact=True)


def test_ids_that_collide_get_their_tables_names() -> None:
    first = make_table(["1", "2", "x"], lesion_id=["1", "L", "x"])
    second = make_table(["1", "2", "y"], lesion_id=["1", "L", "M"])
    merged = merge_tables([("mine", first), ("hers", second)])
    by_id = merged.table.set_index("image_id")["lesion_id"].to_dict()
    own = {"mine/1": "mine/1", "hers/1": "hers/1"}  # a lesion of its own does not become another's
    assert by_id == own | {"mine/2": "L", "hers/2": "L", "x": "x", "y": "M"}
    named = {note.what: note.names for note in merged.notes}
    assert named["id in more than one table, each now with its table's name before it"] == ("1", "2")
    assert named["lesion in more than one table, counted as one"] == ("L",)


def test_tables_of_one_name_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"Two tables are called mine\."):
        merge_tables([("mine", make_table(["a"])), ("mine", make_table(["b"]))])


def test_the_shipped_merge_is_what_its_tables_hold() -> None:
    names = ("ham10000", "isic2019", "malignant-vs-benign")
    merged = merge_tables([(name, read_table(TABLES / f"{name}.parquet")) for name in names])
    assert merged.notes == ()
    shipped = read_table(TABLES / "merged.parquet")
    pd.testing.assert_frame_equal(merged.table, shipped, check_exact=True)
    assert shipped["source"].value_counts().to_dict() == {
        "ISIC 2019": 15_284,
        "HAM10000": 10_015,
        "malignant-vs-benign": 3_297,
    }
    assert shipped.loc[shipped["source"] != "HAM10000", ["width", "height"]].isna().to_numpy().all()
    sizes = shipped[["stored_width", "stored_height"]]
    assert (sizes.min().min(), sizes.max().max()) == (84, 427)


@pytest.mark.skipif("SKINAPP_DATA" not in os.environ, reason="SKINAPP_DATA does not name a folder of the real photos")
def test_the_shipped_tables_hold_what_is_measured_on_the_real_files() -> None:
    root, facts = Path(os.environ["SKINAPP_DATA"]), list(FILE_FACTS)
    some = read_table(TABLES / "merged.parquet").sample(60, random_state=0).reset_index(drop=True)
    measured = measure_files([root / path for path in some["path"]], root)
    measured = build_image_table(measured.assign(image_id=[f"{number:02}" for number in range(len(some))]))
    pd.testing.assert_frame_equal(measured[facts], some[facts], check_exact=True)
