import numpy as np
import pandas as pd

from skinapp.datasets.encoding import EncodedColumn, count_distinct, count_pairs, encode, encode_lesions, encode_splits
from skinapp.datasets.table import build_image_table


def test_values_are_numbered_by_the_alphabet_and_missing_ones_stay_out() -> None:
    of = encode(pd.Series(["b", None, "a", "b"], dtype="string"))
    assert of.names == ("a", "b")
    assert of.codes.tolist() == [1, -1, 0, 1]
    assert of.names_column.tolist() == ["a", "b"]


def test_the_order_of_names_may_be_told() -> None:
    of = EncodedColumn(np.array([0, 1, 2, -1]), ("a", "b", "c")).sort_names(("c", "z", "a"))
    assert of.names == ("c", "a", "b")
    assert of.codes.tolist() == [1, 2, 0, -1]


def test_what_is_missing_can_have_a_code_of_its_own() -> None:
    of = EncodedColumn(np.array([0, -1]), ("a",)).name_missing()
    assert (of.names, of.codes.tolist()) == (("a", None), [0, 1])
    assert of.names_column.isna().tolist() == [False, True]
    assert EncodedColumn(np.array([0]), ("a",)).name_missing().names == ("a",)


def test_splits_stand_in_the_order_of_their_use() -> None:
    split = ["test", "fold 1", None, "train", "showcase", "validation"]
    table = build_image_table(pd.DataFrame({"image_id": list("abcdef"), "split": split}))
    assert encode_splits(table).names == ("train", "validation", "test", "showcase", "fold 1")


def test_two_columns_are_crossed_without_what_is_missing() -> None:
    rows, columns = np.array([0, 0, 1, -1, 1]), np.array([1, 1, 0, 0, -1])
    assert count_pairs(rows, 2, columns, 3).tolist() == [[0, 2, 0], [1, 0, 0]]


def test_different_members_are_counted_once_a_group() -> None:
    groups, members = np.array([0, 0, 0, 1, 1, -1, 1]), np.array([5, 5, 0, 5, -1, 7, 3])
    assert count_distinct(groups, 3, members).tolist() == [2, 2, 0]


def test_nothing_is_counted_in_an_empty_table() -> None:
    empty = build_image_table(pd.DataFrame({"image_id": []}))
    assert count_distinct(encode_lesions(empty), 2, encode_lesions(empty)).tolist() == [0, 0]
