from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.audit.findings import FINDING_COLUMNS, Leaks, count_leaks, read_findings, select_findings
from skinapp.errors import DatasetError


@pytest.fixture
def findings() -> pd.DataFrame:
    rows = [
        ("same file", "one", "a", "train", "one", "b", "test"),
        ("same picture", "one", "a", "train", "two", "c", "test"),
        ("same picture", "one", "a", "train", "one", "d", "train"),
        ("metadata missing", "two", None, None, None, None, None),
        ("same picture", "two", "c", None, "two", "e", "test"),
    ]
    columns = ["finding", "table_a", "image_a", "split_a", "table_b", "image_b", "split_b"]
    frame = pd.DataFrame(rows, columns=columns).reindex(columns=list(FINDING_COLUMNS))
    return frame.astype(FINDING_COLUMNS)


def test_findings_come_back_as_they_were_stored(tmp_path: Path, findings: pd.DataFrame) -> None:
    findings.to_parquet(tmp_path / "findings.parquet")
    pd.testing.assert_frame_equal(read_findings(tmp_path / "findings.parquet"), findings)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"other": [1]}).to_parquet(tmp_path / "findings.parquet")
    with pytest.raises(DatasetError, match=r"findings\.parquet holds no findings"):
        read_findings(tmp_path / "findings.parquet")


def test_findings_about_a_table_name_it_on_either_side(findings: pd.DataFrame) -> None:
    assert select_findings(findings, "two")["finding"].tolist() == ["same picture", "metadata missing", "same picture"]


def test_leaks_are_counted_within_and_between_tables(findings: pd.DataFrame) -> None:
    assert count_leaks(findings, "one") == Leaks(within=1, between=1)
    assert count_leaks(findings, "two") == Leaks(within=0, between=1)
    assert count_leaks(findings, "three") == Leaks(within=0, between=0)
