import numpy as np
import pandas as pd
import pytest

from skinapp.errors import RunError
from skinapp.runs.lookup import find_indices, match_ids


def test_ids_are_found_whatever_pandas_calls_their_type() -> None:
    among = pd.Series(["b", "a", "c"])
    for kind in ("str", "string", object):
        places = find_indices(pd.Series(["a", "x", "c", "a"], dtype=kind), among.astype(kind))
        assert places.tolist() == [1, -1, 2, 1]
    assert places.dtype == np.intp
    assert find_indices(pd.Series([], dtype="str"), among).tolist() == []
    assert find_indices(among, pd.Series([], dtype="str")).tolist() == [-1, -1, -1]


def test_equal_ids_match_first_and_others_without_folder_suffix_and_capitals() -> None:
    among = pd.Series(["a", "dir/B.JPG", "ISIC_1_downsampled", "9"])
    matched = match_ids(pd.Series(["isic_1", "a", "b", "x"]), among)
    assert matched.places.tolist() == [2, 0, 1, -1]
    assert matched.notes == (
        "2 photos were matched by their ids without folder, suffix such as .jpg, _downsampled, leading zeros and "
        "capitals (isic_1 with ISIC_1_downsampled).",
    )
    assert match_ids(among, among).notes == ()


@pytest.mark.parametrize("twins", [["A", "a.png"], ["x/1.jpg", "y/1.jpg"], ["1", "1_downsampled"]])
def test_ids_that_would_be_the_same_are_not_guessed(twins: list[str]) -> None:
    alone = pd.Series(["a.tif", "1.tif"])
    for sides in ((alone, pd.Series(twins)), (pd.Series(twins), alone)):
        with pytest.raises(RunError, match="differ only in their folder"):
            match_ids(*sides)


def test_ids_that_are_unclear_on_one_side_but_not_asked_for_do_not_matter() -> None:
    assert match_ids(pd.Series(["b"]), pd.Series(["x/1.jpg", "y/1.jpg", "B"])).places.tolist() == [2]


def test_mere_numbers_are_called_so() -> None:
    numbers = pd.Series(["1", "2"])
    assert any("mere numbers" in note for note in match_ids(numbers, numbers).notes)


def test_zeros_that_a_spreadsheet_took_and_accents_stored_apart_are_no_difference() -> None:
    ours = pd.Series(["1", "20", "Mu\u0308ller_03", "7a"])
    assert match_ids(ours, pd.Series(["0020", "0001", "M\u00fcller_03", "07a"])).places.tolist() == [1, 0, 2, -1]
