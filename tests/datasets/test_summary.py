import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from skinapp.datasets.summary import (
    METADATA,
    compute_headline,
    compute_imbalance,
    compute_measure_quantiles,
    count_capped,
    count_classes,
    count_classes_by_split,
    count_metadata,
    count_sizes,
    count_splits,
    get_labels,
)
from skinapp.datasets.table import build_image_table


@pytest.fixture
def table() -> pd.DataFrame:
    return build_image_table(
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
    counts = count_classes(table)
    assert list(counts.columns) == ["diagnosis", "photos", "lesions", "share"]
    assert counts.to_numpy().tolist() == [["nv", 3, 2, 0.6], ["bcc", 1, 1, 0.2], ["mel", 1, 1, 0.2]]


def test_counts_of_each_published_size(table: pd.DataFrame) -> None:
    sizes = count_sizes(table)
    assert list(sizes.columns) == ["source", "width", "height", "photos"]
    assert sizes.iloc[0].tolist() == ["HAM10000", 600, 450, 4]
    assert sizes.iloc[1][["source", "photos"]].tolist() == ["a clinic", 1]
    assert sizes.iloc[1][["width", "height"]].isna().all()
    assert len(sizes) == 2


def test_counts_of_each_stored_size(table: pd.DataFrame) -> None:
    assert count_sizes(table, stored=True).to_numpy().tolist() == [
        ["HAM10000", 320, 240, 1],
        ["HAM10000", 427, 320, 3],
        ["a clinic", 427, 320, 1],
    ]


def test_counts_of_each_split(table: pd.DataFrame) -> None:
    counts = count_splits(table)
    assert list(counts.columns) == ["split", "photos", "lesions", "malignant"]
    assert counts.to_numpy().tolist() == [["test", 3, 3, 2], ["train", 2, 1, 0]]


def make_table(photos: int | None = None, **columns: object) -> pd.DataFrame:
    """An image table of the columns given, named p000, p001 and so on."""
    n = photos or len(next(values for values in columns.values() if isinstance(values, list)))
    return build_image_table(pd.DataFrame({"image_id": [f"p{place:03d}" for place in range(n)], **columns}))


def list_rows(frame: pd.DataFrame) -> list[list[Any]]:
    """The rows of a frame, with None for what is missing."""
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


BARE = {"diagnosis": ["nv", None, None, None, "nv"], "malignant": [False, True, False, None, None]}


def test_a_photo_without_a_diagnosis_is_labelled_by_what_is_known() -> None:
    assert list_rows(get_labels(make_table(**BARE)).to_frame()) == [["nv"], ["malignant"], ["benign"], [None], ["nv"]]
    assert list_rows(get_labels(make_table(diagnosis=["nv", None])).to_frame()) == [["nv"], [None]]


def test_labels_keep_the_index_of_a_filtered_table() -> None:
    kept = make_table(**BARE).iloc[[2, 0]]
    assert get_labels(kept).to_dict() == {2: "benign", 0: "nv"}


def test_counts_of_a_table_that_knows_only_malignant_or_not() -> None:
    counts = count_classes(make_table(malignant=[True, False, False], lesion_id=["1", "2", "2"]))
    assert counts.to_numpy().tolist() == [["benign", 2, 1, 2 / 3], ["malignant", 1, 1, 1 / 3]]


def test_own_class_names_stand_as_they_are_and_photos_without_a_label_are_counted_apart() -> None:
    table = make_table(diagnosis=["wart", "wart", "Zyste", None], lesion_id=["1", None, "2", "3"])
    counts = count_classes(table)
    assert counts.to_numpy().tolist() == [["wart", 2, 1, 2 / 3], ["Zyste", 1, 1, 1 / 3]]
    assert compute_headline(table).unlabelled == 1
    assert counts["photos"].sum() + compute_headline(table).unlabelled == len(table)


def test_a_table_of_categories_is_counted_like_one_of_strings(table: pd.DataFrame) -> None:
    kinds = ["diagnosis", "split", "source", "lesion_id"]
    categories = table.assign(**{name: table[name].astype("category") for name in kinds}).iloc[:4]
    pd.testing.assert_frame_equal(count_classes(categories), count_classes(table.iloc[:4]))
    pd.testing.assert_frame_equal(count_classes_by_split(categories), count_classes_by_split(table.iloc[:4]))
    assert len(count_sizes(categories)) == 1
    assert list_rows(count_splits(categories)) == list_rows(count_splits(table.iloc[:4]))


def test_counts_of_each_diagnosis_in_each_split() -> None:
    table = make_table(
        diagnosis=["mel", "nv", "nv", "nv", "nv", "mel", None],
        lesion_id=["1", "2", "2", "3", "4", "5", "6"],
        split=["test", "train", "train", "test", None, "validation", "train"],
    )
    counts = count_classes_by_split(table)
    assert list(counts.columns) == ["diagnosis", "split", "photos", "lesions"]
    assert list_rows(counts) == [
        ["nv", "train", 2, 1],
        ["nv", "test", 1, 1],
        ["nv", None, 1, 1],
        ["mel", "validation", 1, 1],
        ["mel", "test", 1, 1],
    ]


def test_the_headline_is_as_counted_by_hand(table: pd.DataFrame) -> None:
    told = compute_headline(table)
    assert (told.photos, told.lesions, told.classes, told.unlabelled) == (5, 4, 3, 0)
    assert (told.largest_to_smallest, told.top_three_share, told.top_three) == (3.0, 1.0, ("nv", "bcc", "mel"))
    assert (told.missing, told.malignant_share, told.without_lesion) == (1.0, 0.4, 0)


def test_the_headline_counts_what_is_missing() -> None:
    known = {"age": [40, None], "sex": ["male", "male"], "site": ["back", "ear"], "camera": [None, "a"]}
    told = compute_headline(
        make_table(**known, confirmation=["histology", None], lesion_id=["1", None], malignant=[True, None])
    )
    assert told.missing == pytest.approx(3 / 10)
    assert (told.without_lesion, told.lesions, told.malignant_share) == (1, 1, 1.0)


@pytest.mark.parametrize("photos", [0, 2])
def test_a_headline_without_labels_is_undefined_not_zero(photos: int) -> None:
    told = compute_headline(make_table(lesion_id=["1", "2"]).iloc[:photos])
    assert (told.photos, told.classes, told.unlabelled, told.top_three) == (photos, 0, photos, ())
    assert math.isnan(told.largest_to_smallest)
    assert math.isnan(told.top_three_share)
    assert math.isnan(told.malignant_share)
    assert math.isnan(told.missing) == (photos == 0)


def test_a_cap_cuts_only_what_is_above_it() -> None:
    counts = count_capped(make_table(diagnosis=["nv"] * 5 + ["mel"] * 2 + ["df"]), 2)
    assert list(counts.columns) == ["diagnosis", "before", "after", "left_out"]
    assert list_rows(counts) == [["nv", 5, 2, 3], ["mel", 2, 2, 0], ["df", 1, 1, 0]]


def test_the_imbalance_looks_only_at_classes_that_have_photos() -> None:
    assert compute_imbalance(pd.Series([6705, 0, 115])) == 6705 / 115
    assert math.isnan(compute_imbalance(pd.Series([0])))


def test_a_cap_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="cap of 0"):
        count_capped(make_table(diagnosis=["nv"]), 0)


def test_a_measure_by_class_has_the_quantiles_of_pandas_and_the_auroc_of_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    diagnosis = generator.choice(["nv", "mel", "df"], 300, p=[0.6, 0.3, 0.1]).tolist()
    # Whole numbers, so that ties are many.
    brightness = generator.normal(100, 5, 300).round() + 4 * (np.array(diagnosis) == "mel")
    frame = compute_measure_quantiles(make_table(diagnosis=diagnosis, brightness=brightness.tolist()), "brightness")
    assert list(frame.columns) == ["label", "photos", "q05", "q25", "q50", "q75", "q95", "auroc"]
    assert frame["q50"].is_monotonic_increasing
    for row in frame.itertuples():
        mine = np.array(diagnosis) == row.label
        assert row.photos == mine.sum()
        assert [row.q05, row.q25, row.q50, row.q75, row.q95] == pytest.approx(
            pd.Series(brightness[mine]).quantile([0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
        )
        assert row.auroc == pytest.approx(roc_auc_score(mine, brightness))


def test_a_measure_of_photos_without_a_label_stands_last_and_unmeasured_ones_are_left_out() -> None:
    table = make_table(diagnosis=["nv", "nv", "mel", None, "df"], red=[9.0, 7.0, 8.5, 1.0, None])
    frame = compute_measure_quantiles(table, "red")
    assert list_rows(frame[["label", "photos", "q50"]]) == [["nv", 2, 8.0], ["mel", 1, 8.5], [None, 1, 1.0]]
    assert frame["auroc"].tolist() == [0.75, pytest.approx(2 / 3), 0.0]


def test_a_measure_of_one_class_tells_nothing_apart() -> None:
    assert math.isnan(compute_measure_quantiles(make_table(diagnosis=["nv"], red=[9.0]), "red")["auroc"].item())


def test_a_table_without_the_measure_has_no_rows_and_a_strange_measure_is_refused(table: pd.DataFrame) -> None:
    assert compute_measure_quantiles(table, "sharpness").empty
    with pytest.raises(ValueError, match="age is not measured"):
        compute_measure_quantiles(table, "age")


def test_metadata_is_counted_by_class_most_frequent_first_and_missing_last() -> None:
    table = make_table(
        diagnosis=["mel", "nv", "nv", "nv", None],
        sex=["male", "female", None, None, "male"],
    )
    counts = count_metadata(table, "sex")
    assert list(counts.columns) == ["label", "value", "photos"]
    assert list_rows(counts) == [
        ["nv", "male", 0],
        ["nv", "female", 1],
        ["nv", None, 2],
        ["mel", "male", 1],
        ["mel", "female", 0],
        ["mel", None, 0],
        [None, "male", 1],
        [None, "female", 0],
        [None, None, 0],
    ]


def test_ages_are_counted_in_decades_youngest_first() -> None:
    ages = [9.9, 85, 85, 40, 49.9, None, -3, 104, 1e30, math.inf]
    counts = count_metadata(make_table(diagnosis=["nv"] * len(ages), age=ages), "age")
    shown = counts[counts["photos"] > 0]
    assert list_rows(shown[["value", "photos"]]) == [["0–9", 1], ["40–49", 2], ["80–89", 2], ["100+", 2], [None, 3]]


def test_every_column_of_metadata_is_counted_whole() -> None:
    generator = np.random.default_rng(1)
    values = {name: generator.choice(np.array(["a", "b", None], dtype=object), 50).tolist() for name in METADATA[1:]}
    table = make_table(diagnosis=generator.choice(["nv", "mel"], 50).tolist(), age=[40.0] * 50, **values)
    for column in METADATA:
        counts = count_metadata(table, column)
        assert counts["photos"].sum() == 50
        if column != "age":
            expected = table.groupby(["diagnosis", column], dropna=False).size().to_dict()
            found = {(row.label, row.value): row.photos for row in counts.itertuples() if row.photos}
            assert {(a, str(b)): n for (a, b), n in found.items()} == {(a, str(b)): n for (a, b), n in expected.items()}


def test_a_column_that_is_no_metadata_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="path is not counted by class"):
        count_metadata(table, "path")
