from typing import Any

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.description import (
    MAX_LEVELS,
    NOT_DRAWN_REASON,
    SHOWCASE_LESIONS_REASON,
    SHOWCASE_REASON,
    UNLABELLED_REASON,
    UNSPLIT_REASON,
    make_table_one,
    trace_flow,
)
from skinapp.datasets.table import TABLES, build_image_table, read_table


def make_table(**columns: list[Any]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return build_image_table(pd.DataFrame({"image_id": [f"p{place:03d}" for place in range(n)], **columns}))


@pytest.fixture
def table() -> pd.DataFrame:
    return make_table(
        lesion_id=["1", "1", "2", "3", "4", None],
        diagnosis=["nv", "nv", "nv", "mel", "mel", None],
        malignant=[False, False, False, True, True, None],
        age=[40, 50, 60, 20, None, 70],
        sex=["male", "male", "female", None, "male", "male"],
        source=["HAM10000"] * 4 + ["a clinic"] * 2,
        split=["train", "train", "test", "test", "showcase", "train"],
    )


def list_rows(frame: pd.DataFrame, characteristic: str) -> list[list[str]]:
    return frame[frame["characteristic"] == characteristic].iloc[:, 1:].to_numpy().tolist()


def list_steps(frame: pd.DataFrame) -> list[list[Any]]:
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


def test_table_one_is_as_counted_by_hand(table: pd.DataFrame) -> None:
    one = make_table_one(table)
    assert list(one.columns) == ["characteristic", "level", "train", "test", "showcase", "all"]
    assert list_rows(one, "Photos") == [["", "3", "2", "1", "6"]]
    assert list_rows(one, "Lesions") == [
        ["", "1", "2", "1", "4"],
        ["photos without a named lesion", "1 (33%)", "0 (0%)", "0 (0%)", "1 (17%)"],
    ]
    assert list_rows(one, "Age") == [
        ["years, median (quartiles)", "50 (45–60)", "40 (30–50)", "not recorded", "50 (40–60)"],
        ["not recorded", "0 (0%)", "0 (0%)", "1 (100%)", "1 (17%)"],
    ]
    assert list_rows(one, "Sex") == [
        ["male", "3 (100%)", "0 (0%)", "1 (100%)", "4 (67%)"],
        ["female", "0 (0%)", "1 (50%)", "0 (0%)", "1 (17%)"],
        ["not recorded", "0 (0%)", "1 (50%)", "0 (0%)", "1 (17%)"],
    ]
    assert list_rows(one, "Site") == [["not recorded", "3 (100%)", "2 (100%)", "1 (100%)", "6 (100%)"]]
    assert [row[0] for row in list_rows(one, "Diagnosis")] == ["Melanocytic nevus", "Melanoma", "not recorded"]
    assert list_rows(one, "Malignancy")[1] == ["Malignant", "0 (0%)", "1 (50%)", "1 (100%)", "2 (33%)"]


def test_table_one_of_an_unsplit_table_has_one_column(table: pd.DataFrame) -> None:
    one = make_table_one(table.assign(split=pd.array([None] * 6, dtype="string")))
    assert list(one.columns) == ["characteristic", "level", "all"]
    assert list_rows(one, "Photos") == [["", "6"]]


def test_table_one_keeps_photos_of_no_split_in_a_column_of_their_own() -> None:
    one = make_table_one(make_table(split=[None, "train", None]))
    assert list(one.columns)[2:] == ["train", "no split", "all"]
    assert list_rows(one, "Photos") == [["", "1", "2", "3"]]
    assert list_rows(one, "Lesions")[0] == ["", "not recorded", "not recorded", "not recorded"]


def test_rare_values_of_table_one_share_a_row() -> None:
    sites = [f"site {place:02d}" for place in range(MAX_LEVELS + 2)]
    shown = list_rows(make_table_one(make_table(site=[*sites, *sites[:MAX_LEVELS]])), "Site")
    assert len(shown) == MAX_LEVELS + 1
    assert shown[-1] == ["2 other values", "2 (5%)"]


def test_a_rare_value_is_not_written_as_none_of_many() -> None:
    sexes = ["male"] * 399 + ["female"]
    assert [row[1] for row in list_rows(make_table_one(make_table(sex=sexes)), "Sex")] == ["399 (>99%)", "1 (<1%)"]


def test_an_empty_table_can_be_described() -> None:
    empty = make_table(split=["train"]).iloc[:0]
    assert list_rows(make_table_one(empty), "Photos") == [["", "0"]]
    assert trace_flow(empty).empty


def test_the_flow_loses_no_photo_unnamed(table: pd.DataFrame) -> None:
    frame = trace_flow(table)
    assert list(frame.columns) == ["kind", "step", "photos", "lesions", "reason"]
    assert list_steps(frame) == [
        ["source", "HAM10000", 4, 3, None],
        ["source", "a clinic", 2, 1, None],
        ["kept", "Together", 6, 4, None],
        ["out", "Without a label", 1, None, UNLABELLED_REASON],
        ["out", "Showcase", 1, 1, SHOWCASE_LESIONS_REASON],
        ["kept", "Split", 4, 3, None],
        ["split", "Train", 2, 1, None],
        ["split", "Test", 2, 2, None],
    ]


def test_what_is_left_out_and_what_is_split_make_up_what_came_in() -> None:
    generator = np.random.default_rng(5)

    def pick(values: list[str | None]) -> list[str | None]:
        return generator.choice(np.array(values, dtype=object), 200).tolist()

    frame = trace_flow(
        make_table(
            diagnosis=pick(["nv", "mel", None]),
            split=pick(["train", "test", "showcase", None]),
            source=pick(["a", "b"]),
        )
    )
    photos = frame.groupby("kind")["photos"].sum()
    assert photos["source"] == 200
    assert photos["out"] + photos["split"] == 200
    assert set(frame["reason"].dropna()) == {UNLABELLED_REASON, SHOWCASE_LESIONS_REASON, UNSPLIT_REASON}
    assert frame.loc[frame["kind"] == "out", "reason"].notna().all()


def test_the_flow_of_an_unsplit_table_ends_with_its_labelled_photos() -> None:
    frame = trace_flow(make_table(malignant=[True, False, None], source=[None] * 3))
    assert list_steps(frame)[0] == ["source", "Source not stated", 3, None, None]
    assert list_steps(frame)[-1] == ["kept", "Labelled", 2, None, None]


def test_a_table_without_a_label_flows_to_where_it_stops() -> None:
    assert list_steps(trace_flow(make_table(source=["x", "x"])))[1:] == [
        ["out", "Without a label", 2, None, UNLABELLED_REASON]
    ]


def test_photos_that_a_cap_left_out_are_counted_with_the_cap() -> None:
    whole = make_table(diagnosis=["nv"] * 5 + ["mel"] * 3 + ["df"], lesion_id=list("123456789"), source=["x"] * 9)
    frame = trace_flow(whole.iloc[[0, 1, 5, 6, 8]], [whole])
    assert list_steps(frame) == [
        ["source", "x", 9, 9, None],
        ["out", "Left out", 4, 4, "At most 2 photos per type are kept"],
        ["kept", "Labelled", 5, 5, None],
    ]


def test_photos_left_out_for_another_reason_are_not_called_capped() -> None:
    whole = make_table(diagnosis=["nv"] * 5 + ["mel"] * 3, source=["x"] * 8)
    frame = trace_flow(whole.iloc[[0, 1, 2, 5]], [whole])
    assert list_steps(frame)[1] == ["out", "Left out", 4, None, NOT_DRAWN_REASON]


def test_photos_of_a_merge_are_known_by_their_path_though_their_ids_changed() -> None:
    first, second = make_table(path=["a/1", "a/2"], source=["A"] * 2), make_table(path=["b/1"], source=["B"])
    merged = build_image_table(pd.concat([first, second]).assign(image_id=["A/p000", "A/p001", "B/p000"]))
    frame = trace_flow(merged, [first, second])
    assert list_steps(frame)[:3] == [
        ["source", "A", 2, None, None],
        ["source", "B", 1, None, None],
        ["kept", "Together", 3, None, None],
    ]
    assert "Left out" not in list(frame["step"])


def test_the_shipped_table_flows_whole_into_its_splits() -> None:
    frame = trace_flow(read_table(TABLES / "ham10000.parquet")).set_index("step")
    assert frame.loc["HAM10000", ["photos", "lesions"]].tolist() == [10015, 7470]
    assert frame.loc[["Train", "Validation", "Test", "Showcase"], "photos"].sum() == 10015
    assert frame.loc[["Train", "Validation", "Test", "Showcase"], "lesions"].sum() == 7470


def test_a_photo_left_out_before_is_not_left_out_again_for_its_label_or_its_split() -> None:
    whole = make_table(
        diagnosis=["nv", "nv", None, "mel"], split=["train", "test", "train", "showcase"], source=["x"] * 4
    )
    frame = trace_flow(whole.iloc[:2], [whole])
    assert list_steps(frame)[1:3] == [["out", "Left out", 2, None, NOT_DRAWN_REASON], ["kept", "Split", 2, None, None]]


def test_a_showcase_whose_lesions_are_trained_on_too_is_not_said_to_hold_all_their_photos() -> None:
    table = make_table(
        diagnosis=["nv"] * 3, lesion_id=["1", "1", "2"], split=["showcase", "train", "test"], source=["x"] * 3
    )
    assert list_steps(trace_flow(table))[1] == ["out", "Showcase", 1, 1, SHOWCASE_REASON]
    assert list_steps(trace_flow(table.iloc[[0, 2]]))[1] == ["out", "Showcase", 1, 1, SHOWCASE_LESIONS_REASON]
