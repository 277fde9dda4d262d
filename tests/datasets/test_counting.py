import numpy as np
import pandas as pd

from skinapp.datasets.counting import Coded, coded, coded_lesions, coded_splits, crossed, distinct
from skinapp.datasets.table import image_table


def test_values_are_numbered_by_the_alphabet_and_missing_ones_stay_out() -> None:
    of = coded(pd.Series(["b", None, "a", "b"], dtype="string"))
    assert of.names == ("a", "b")
    assert of.codes.tolist() == [1, -1, 0, 1]
    assert of.named.tolist() == ["a", "b"]


def test_the_order_of_names_may_be_told() -> None:
    of = Coded(np.array([0, 1, 2, -1]), ("a", "b", "c")).ordered(("c", "z", "a"))
    assert of.names == ("c", "a", "b")
    assert of.codes.tolist() == [1, 2, 0, -1]


def test_what_is_missing_can_have_a_code_of_its_own() -> None:
    of = Coded(np.array([0, -1]), ("a",)).whole()
    assert (of.names, of.codes.tolist()) == (("a", None), [0, 1])
    assert of.named.isna().tolist() == [False, True]
    assert Coded(np.array([0]), ("a",)).whole().names == ("a",)


def test_splits_stand_in_the_order_of_their_use() -> None:
    split = ["test", "fold 1", None, "train", "showcase", "validation"]
    table = image_table(pd.DataFrame({"image_id": list("abcdef"), "split": split}))
    assert coded_splits(table).names == ("train", "validation", "test", "showcase", "fold 1")


def test_two_columns_are_crossed_without_what_is_missing() -> None:
    rows, columns = np.array([0, 0, 1, -1, 1]), np.array([1, 1, 0, 0, -1])
    assert crossed(rows, 2, columns, 3).tolist() == [[0, 2, 0], [1, 0, 0]]


def test_different_members_are_counted_once_a_group() -> None:
    groups, members = np.array([0, 0, 0, 1, 1, -1, 1]), np.array([5, 5, 0, 5, -1, 7, 3])
    assert distinct(groups, 3, members).tolist() == [2, 2, 0]


def test_nothing_is_counted_in_an_empty_table() -> None:
    empty = image_table(pd.DataFrame({"image_id": []}))
    assert distinct(coded_lesions(empty), 2, coded_lesions(empty)).tolist() == [0, 0]
