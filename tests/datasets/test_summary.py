import pandas as pd
import pytest

from skinapp.datasets.summary import class_counts, size_counts, split_counts
from skinapp.datasets.table import image_table


@pytest.fixture
def table() -> pd.DataFrame:
    return image_table(
        pd.DataFrame(
            {
                "image_id": list("abcde"),
                "lesion_id": ["1", "1", "2", "3", "4"],
                "diagnosis": ["nv", "nv", "nv", "mel", "bcc"],
                "malignant": [False, False, False, True, True],
                "source": ["HAM10000", "HAM10000", "HAM10000", "HAM10000", "a clinic"],
                "width": [600, 600, 600, 600, None],
                "height": [450, 450, 450, 450, None],
                "stored_width": [427, 427, 427, 320, 427],
                "stored_height": [320, 320, 320, 240, 320],
                "split": ["train", "train", "test", "test", "test"],
            }
        )
    )


def test_counts_of_each_diagnosis(table: pd.DataFrame) -> None:
    counts = class_counts(table)
    assert list(counts.columns) == ["diagnosis", "photos", "lesions", "share"]
    assert counts.to_numpy().tolist() == [["nv", 3, 2, 0.6], ["bcc", 1, 1, 0.2], ["mel", 1, 1, 0.2]]


def test_counts_of_each_published_size(table: pd.DataFrame) -> None:
    sizes = size_counts(table)
    assert list(sizes.columns) == ["source", "width", "height", "photos"]
    assert sizes.iloc[0].tolist() == ["HAM10000", 600, 450, 4]
    assert sizes.iloc[1][["source", "photos"]].tolist() == ["a clinic", 1]
    assert sizes.iloc[1][["width", "height"]].isna().all()
    assert len(sizes) == 2


def test_counts_of_each_stored_size(table: pd.DataFrame) -> None:
    assert size_counts(table, stored=True).to_numpy().tolist() == [
        ["HAM10000", 320, 240, 1],
        ["HAM10000", 427, 320, 3],
        ["a clinic", 427, 320, 1],
    ]


def test_counts_of_each_split(table: pd.DataFrame) -> None:
    counts = split_counts(table)
    assert list(counts.columns) == ["split", "photos", "lesions", "malignant"]
    assert counts.to_numpy().tolist() == [["test", 3, 3, 2], ["train", 2, 1, 0]]
