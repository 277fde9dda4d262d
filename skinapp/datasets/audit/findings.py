"""A stored audit as a reader looks through it: which findings are about a table, and which of them are leaks."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.datasets.audit.table import FINDING_COLUMNS, crosses
from skinapp.errors import DatasetError


@dataclass(frozen=True)
class Leaks:
    """How many findings cross a split: within one table, and between it and other tables."""

    within: int
    between: int


def read_findings(path: Path) -> pd.DataFrame:
    """Read the findings that `skinapp audit` wrote as Parquet; DatasetError where they cannot be read or are none."""
    try:
        return pd.read_parquet(path, columns=list(FINDING_COLUMNS)).astype(FINDING_COLUMNS)
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{path} holds no findings ({error}). Make them anew with `skinapp audit`.") from error


def about(findings: pd.DataFrame, table: str) -> pd.DataFrame:
    """Keep the findings about a table, by its name, in their order, numbered anew."""
    either = (findings["table_a"] == table) | (findings["table_b"] == table)
    return findings[either.fillna(False)].reset_index(drop=True)


def leaks(findings: pd.DataFrame, table: str) -> Leaks:
    """Count the findings about a table that cross a split; a lesion that crosses is one finding."""
    crossing = about(findings[crosses(findings)], table)
    within = int((crossing["table_a"] == crossing["table_b"]).sum())
    return Leaks(within, len(crossing) - within)
