import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.audit.checks import audit_tables, stack_tables
from skinapp.datasets.audit.findings import (
    FINDING_COLUMNS,
    FINDINGS,
    PATIENT_CROSSES,
    count_findings,
    crosses_split,
    has_label_conflict,
)
from skinapp.datasets.table import TABLES, build_image_table, read_table


def make_hash(number: int, flipped: int = 0) -> str:
    """Return the perceptual hash of photo `number`, with so many of its bits flipped."""
    bits = np.random.default_rng(number).integers(0, 2, 256)
    bits[:flipped] ^= 1
    return np.packbits(bits).tobytes().hex()


def make_table(**columns: list[object]) -> pd.DataFrame:
    """Make an image table of photos that have nothing in common but what the columns say."""
    n = len(columns["image_id"])
    ids = [str(name) for name in columns["image_id"]]
    facts: dict[str, list[object]] = {
        "lesion_id": [f"lesion of {name}" for name in ids],
        "path": [f"{name}.jpg" for name in ids],
        "sha256": [f"file {name}" for name in ids],
        "perceptual_hash": [make_hash(hash_seed) for hash_seed in map(_make_seed, ids)],
        "stored_width": [100] * n,
        "diagnosis": ["nv"] * n,
        "malignant": [False] * n,
    }
    return build_image_table(pd.DataFrame(facts | columns))


def _make_seed(name: str) -> int:
    return int.from_bytes(name.encode(), "big") % 2**32


def list_findings(findings: pd.DataFrame, kind: str) -> list[tuple[object, ...]]:
    """List the findings of a kind: image_a, split_a, image_b, split_b."""
    kept = findings[findings["finding"] == kind]
    return list(kept[["image_a", "split_a", "image_b", "split_b"]].itertuples(index=False, name=None))


def test_a_clean_table_has_no_findings_but_what_is_missing() -> None:
    table = make_table(image_id=[f"p{n}" for n in range(20)], split=["train"] * 20)
    findings = audit_tables({"one": table})
    assert set(findings["finding"]) == {"metadata missing"}
    assert findings.dtypes.astype(str).to_dict() == FINDING_COLUMNS
    assert "age: 20 of 20 photos (100.0%)" in set(findings["detail"])
    assert not findings["detail"].str.startswith(("diagnosis", "split", "lesion_id")).any()


def test_the_same_file_is_found_across_splits_and_not_called_the_same_picture_again() -> None:
    table = make_table(
        image_id=["a", "b", "c"],
        sha256=["x", "x", "y"],
        perceptual_hash=[make_hash(1), make_hash(1), make_hash(2)],
        split=["train", "test", "test"],
    )
    findings = audit_tables({"one": table})
    assert list_findings(findings, "same file") == [("a", "train", "b", "test")]
    assert list_findings(findings, "same picture") == []
    assert findings["similarity"].iloc[0] == 1
    assert crosses_split(findings).sum() == 1


def test_near_hashes_are_the_same_picture_between_tables() -> None:
    one = make_table(image_id=["a", "b"], perceptual_hash=[make_hash(1), make_hash(2)], split=["train", "train"])
    two = make_table(image_id=["c", "d"], perceptual_hash=[make_hash(1, 14), make_hash(2, 16)], split=["test", "test"])
    findings = audit_tables({"one": one, "two": two})
    (pair,) = findings[findings["finding"] == "same picture"].itertuples()
    assert (pair.table_a, pair.image_a, pair.table_b, pair.image_b) == ("one", "a", "two", "c")
    assert pair.similarity == pytest.approx(1 - 14 / 256)


def test_given_pairs_are_taken_in_place_of_hashes() -> None:
    table = make_table(image_id=["a", "b", "c"], perceptual_hash=[make_hash(1)] * 3, split=["train", "test", None])
    alike = pd.DataFrame({"first": [1], "second": [2], "similarity": [0.8]})
    findings = audit_tables({"one": table}, alike, np.array([True, True, True]))
    assert list_findings(findings, "same picture") == [("b", "test", "c", pd.NA)]
    assert not crosses_split(findings).any()  # a photo in no split is on neither side


def test_photos_of_one_lesion_that_are_copies_are_findings_but_no_leak() -> None:
    table = make_table(image_id=["a", "b"], lesion_id=["one", "one"], sha256=["x", "x"], split=["train", "train"])
    findings = audit_tables({"one": table})
    assert findings["detail"].iloc[0] == "photos of one lesion"
    assert count_findings(findings).set_index("finding").loc["same file"].tolist() == [1, 0, 0]


def test_a_lesion_that_crosses_is_one_finding_with_its_counts() -> None:
    table = make_table(
        image_id=list("abcdefg"),
        lesion_id=["z", "z", "z", "z", "k", "k", None],
        split=["train", "train", "test", None, "test", "validation", "test"],
    )
    findings = audit_tables({"one": table})
    assert list_findings(findings, "lesion crosses a split") == [
        ("a", "train", "c", "test"),
        ("e", "test", "f", "validation"),
    ]
    details = findings.loc[findings["finding"] == "lesion crosses a split", "detail"]
    assert set(details) == {"z: 1 in test, 2 in train", "k: 1 in test, 1 in validation"}


def test_a_lesion_may_cross_between_tables_but_not_by_an_own_id() -> None:
    one = make_table(image_id=["a", "1"], lesion_id=["HAM_1", "1"], split=["train", "train"])
    two = make_table(image_id=["b", "1"], lesion_id=["HAM_1", "1"], sha256=["p", "q"], split=["test", "test"])
    two["perceptual_hash"] = [make_hash(7), make_hash(8)]
    assert list_findings(audit_tables({"one": one, "two": two}), "lesion crosses a split") == [
        ("a", "train", "b", "test")
    ]


@pytest.mark.parametrize(
    ("first", "second", "detail"),
    [
        (("nv", False), ("mel", True), "nv against mel"),
        (("nv", False), ("malignant", True), "nv against malignant"),
        (("nv", False), ("benign", False), None),
        (("bkl", False), ("nv", False), "bkl against nv"),
        (("mole", pd.NA), ("nv", False), None),
        (("mole", pd.NA), ("spot", pd.NA), None),
        ((pd.NA, True), ("nv", False), "malignant against nv"),
        ((pd.NA, pd.NA), ("nv", False), None),
    ],
)
def test_labels_of_one_picture_are_compared_between_tables(
    first: tuple[object, object], second: tuple[object, object], detail: str | None
) -> None:
    tables = {
        name: make_table(image_id=[name], sha256=["x"], diagnosis=[label[0]], malignant=[label[1]])
        for name, label in (("one", first), ("two", second))
    }
    findings = audit_tables(tables)
    kept = findings[findings["finding"] == "labels disagree"]
    assert kept["detail"].tolist() == ([] if detail is None else [detail])
    assert has_label_conflict(findings)[findings["finding"] == "same file"].tolist() == [detail is not None]


def test_own_words_are_compared_within_a_table() -> None:
    table = make_table(image_id=["a", "b"], sha256=["x", "x"], diagnosis=["mole", "spot"], malignant=[pd.NA, pd.NA])
    findings = audit_tables({"one": table})
    assert "mole against spot" in set(findings["detail"])


def test_names_of_the_archive_mean_one_photo_and_others_do_not() -> None:
    ids = ["ISIC_0000001", "IMG_1"]
    one = make_table(image_id=ids, diagnosis=["nv", "nv"])
    two = make_table(image_id=["ISIC_0000001_downsampled", "IMG_1"], diagnosis=["bcc", "bcc"], sha256=["p", "q"])
    two["perceptual_hash"] = [make_hash(7), make_hash(8)]
    findings = audit_tables({"one": one, "two": two})
    assert [row[0] for row in list_findings(findings, "labels disagree")] == ["ISIC_0000001"]


def test_unreadable_files_are_named_from_the_table_or_from_the_disk() -> None:
    table = make_table(image_id=["a", "b"], stored_width=[100, None], split=["train", "test"])
    assert list_findings(audit_tables({"one": table}), "unreadable file") == [("b", "test", pd.NA, pd.NA)]
    none = pd.DataFrame({"first": [], "second": [], "similarity": []}, dtype=np.intp)
    on_disk = audit_tables({"one": table}, none, np.array([False, True]))
    assert list_findings(on_disk, "unreadable file") == [("a", "train", pd.NA, pd.NA)]
    assert on_disk.loc[on_disk["finding"] == "unreadable file", "detail"].iloc[0].startswith("a.jpg: ")


def test_small_classes_are_counted_in_lesions() -> None:
    ids = [f"p{n:02}" for n in range(30)]
    table = make_table(
        image_id=ids,
        diagnosis=["nv"] * 10 + ["df"] * 20,
        lesion_id=[*ids[:10], *[f"df {n % 9}" for n in range(20)]],
    )
    findings = audit_tables({"one": table})
    small = findings[findings["finding"] == "class too small to split"]
    assert small["detail"].tolist() == ["df: 20 photos of 9 lesions; a split needs 10"]
    assert small["image_a"].isna().all()


def test_leaks_come_first_then_labels_that_disagree() -> None:
    table = make_table(
        image_id=list("abcdef"),
        sha256=["x", "x", "y", "y", "z", "z"],
        diagnosis=["nv", "nv", "nv", "bkl", "nv", "nv"],
        split=["train", "train", "train", "train", "train", "test"],
    )
    findings = audit_tables({"one": table})
    kinds = list(zip(findings["finding"], findings["image_a"].fillna(""), strict=True))[:4]
    assert kinds == [("same file", "e"), ("same file", "c"), ("labels disagree", "c"), ("same file", "a")]


def test_many_copies_of_one_file_are_paired_with_the_first_alone() -> None:
    ids = [f"p{n:03}" for n in range(200)]
    findings = audit_tables({"one": make_table(image_id=ids, sha256=["x"] * 200, perceptual_hash=[make_hash(1)] * 200)})
    pairs = list_findings(findings, "same file")
    assert len(pairs) == 199
    assert {pair[0] for pair in pairs} == {"p000"}
    assert list_findings(findings, "same picture") == []


def test_the_summary_has_every_kind_in_order() -> None:
    table = make_table(image_id=["a", "b"], sha256=["x", "x"], diagnosis=["nv", "mel"], split=["train", "test"])
    summary = count_findings(audit_tables({"one": table}))
    assert summary["finding"].tolist() == [finding for finding in FINDINGS if finding != PATIENT_CROSSES]
    counts = summary.set_index("finding")[["found", "across_splits", "labels_disagree"]]
    assert counts.loc["same file"].tolist() == [1, 1, 1]
    assert counts.loc["labels disagree"].tolist() == [1, 1, 1]
    assert counts.loc["unreadable file"].tolist() == [0, 0, 0]


def test_an_empty_table_and_one_without_hashes_are_audited() -> None:
    table = make_table(image_id=["a", "b"])
    table = build_image_table(table.drop(columns=["sha256", "perceptual_hash", "lesion_id", "path"]))
    assert set(audit_tables({"one": table, "none": table.head(0)})["finding"]) == {
        "metadata missing",
        "class too small to split",
    }
    assert len(stack_tables({"one": table, "two": table})) == 4


def test_the_shipped_findings_are_of_the_shipped_tables_and_ham10000_leaks_nothing_within_itself() -> None:
    findings = pd.read_parquet(TABLES / "findings.parquet")
    assert findings.dtypes.astype(str).to_dict() == FINDING_COLUMNS
    for name in ("ham10000", "isic2019", "malignant-vs-benign"):
        splits = read_table(TABLES / f"{name}.parquet").set_index("image_id")["split"]
        for end in "ab":
            rows_of = findings[(findings[f"table_{end}"] == name) & findings[f"image_{end}"].notna()]
            stated = splits.loc[rows_of[f"image_{end}"]]
            assert stated.fillna("none").tolist() == rows_of[f"split_{end}"].fillna("none").tolist()
    within = findings[(findings["table_a"] == "ham10000") & (findings["table_b"] == "ham10000")]
    assert len(within)
    assert not crosses_split(within).any()


def test_a_patient_that_crosses_is_a_finding_within_a_table_and_by_an_id_of_the_archive() -> None:
    one = make_table(image_id=["a", "b", "c"], patient_id=["P1", "P1", "IP_0000001"], split=["train", "test", "train"])
    two = make_table(image_id=["d", "e"], patient_id=["P1", "IP_0000001"], split=["validation", "test"])
    found = audit_tables({"one": one, "two": two})
    crossing = found[found["finding"] == PATIENT_CROSSES]
    assert crossing["detail"].tolist() == ["P1: 1 in test, 1 in train", "IP_0000001: 1 in test, 1 in train"]
    assert count_findings(found).set_index("finding").loc[PATIENT_CROSSES, "found"] == 2
