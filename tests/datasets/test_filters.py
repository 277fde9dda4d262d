import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.filters import (
    FACETS,
    MAX_VALUES,
    NOT_RECORDED,
    FilterIndex,
    Selection,
    build_filter_index,
    select_rows,
)
from skinapp.datasets.table import build_image_table


@pytest.fixture
def table() -> pd.DataFrame:
    return build_image_table(
        pd.DataFrame(
            {
                "image_id": list("abcdef"),
                "diagnosis": ["nv", "nv", "mel", "nv", None, None],
                "malignant": [False, False, True, False, True, None],
                "sex": ["male", None, "female", "female", "male", None],
                "age": [30.0, 40.5, 50.0, None, 70.0, None],
                "source": "one",
            }
        )
    )


def select(index: FilterIndex, **asked: object) -> str:
    return "".join(np.array(list("abcdef"))[select_rows(index, Selection(**asked))])


def get_values(index: FilterIndex) -> dict[str, tuple[str, ...]]:
    return {facet.column: facet.values for facet in index.facets}


def test_nothing_asked_keeps_every_row(table: pd.DataFrame) -> None:
    assert select(build_filter_index(table)) == "abcdef"
    assert Selection().active == 0


def test_values_of_a_column_add_up_and_columns_narrow_each_other(table: pd.DataFrame) -> None:
    index = build_filter_index(table)
    assert select(index, diagnosis=("mel", "nv")) == "abcd"
    assert select(index, diagnosis=("nv",), sex=("female",)) == "d"
    assert select(index, diagnosis=("mel",), sex=("male",)) == ""
    assert Selection(diagnosis=("mel",), sex=("male",), age=(1, 2)).active == 3


def test_what_is_not_recorded_can_be_asked_for(table: pd.DataFrame) -> None:
    index = build_filter_index(table)
    assert select(index, sex=(NOT_RECORDED,)) == "bf"
    assert select(index, sex=(NOT_RECORDED, "male")) == "abef"


def test_a_photo_known_to_be_malignant_alone_is_found_by_that(table: pd.DataFrame) -> None:
    index = build_filter_index(table)
    assert select(index, diagnosis=("malignant",)) == "e"
    assert select(index, diagnosis=(NOT_RECORDED,)) == "f"


def test_age_keeps_both_ends_and_leaves_out_photos_without_one(table: pd.DataFrame) -> None:
    index = build_filter_index(table)
    assert index.age_range == (0, 90)
    assert select(index, age=(30, 50)) == "abc"


def test_values_are_offered_most_photos_first_and_what_is_missing_last(table: pd.DataFrame) -> None:
    assert get_values(build_filter_index(table)) == {
        "diagnosis": ("nv", "malignant", "mel", NOT_RECORDED),
        "sex": ("female", "male", NOT_RECORDED),
    }


def test_values_and_columns_that_a_table_lacks_keep_nothing(table: pd.DataFrame) -> None:
    index = build_filter_index(table)
    assert select(index, diagnosis=("no such",)) == ""
    assert select(index, camera=("any",)) == ""


@pytest.mark.parametrize(("different", "offered"), [(MAX_VALUES, True), (MAX_VALUES + 1, False)])
def test_free_text_is_no_facet(different: int, offered: bool) -> None:
    sites = [f"site {number}" for number in range(different)] + [None]
    table = build_image_table(pd.DataFrame({"image_id": [str(n) for n in range(different + 1)], "site": sites}))
    index = build_filter_index(table)
    assert ("site" in get_values(index)) == offered
    if offered:
        assert select_rows(index, Selection(site=(f"site {different - 1}",))).nonzero()[0].tolist() == [
            list(table["site"]).index(f"site {different - 1}")
        ]


def test_same_rows_as_pandas_on_a_random_table() -> None:
    random = np.random.default_rng(3)
    n = 3_000
    pick = {column: random.choice(np.array(["x", "y", "z", None], dtype=object), n) for column in FACETS[1:]}
    frame = pd.DataFrame({"image_id": [f"{n:05}" for n in range(n)], "age": random.integers(0, 90, n), **pick})
    table = build_image_table(frame)
    found = select_rows(build_filter_index(table), Selection(site=("x", NOT_RECORDED), camera=("y", "z"), age=(20, 60)))
    sites = table["site"].isna() | (table["site"] == "x")
    expected = sites & table["camera"].isin(["y", "z"]) & table["age"].between(20, 60)
    assert found.tolist() == expected.fillna(False).tolist()
    assert 0 < found.sum() < n


def test_the_range_of_ages_reaches_the_oldest() -> None:
    assert build_filter_index(build_image_table(pd.DataFrame({"image_id": ["a"], "age": [101.5]}))).age_range == (
        0,
        102,
    )


def test_a_table_without_ages_has_no_age_range() -> None:
    assert build_filter_index(build_image_table(pd.DataFrame({"image_id": ["a"]}))).age_range is None
