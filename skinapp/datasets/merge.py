"""Several image tables -> one."""

from collections.abc import Sequence

import pandas as pd

from skinapp.datasets.files import Finding, Indexed
from skinapp.datasets.table import image_table, some_of
from skinapp.errors import DatasetError


def merge(tables: Sequence[tuple[str, pd.DataFrame]]) -> Indexed:
    """Put the rows of image tables, each with its name, into one; nothing is left out and no split is changed.

    An image_id that stands in more than one table gets its table's name before it ("mine/3") in each of them, and so
    does the lesion_id of a photo that is a lesion of its own; both are named in the findings. A lesion_id that stands
    in more than one table is taken as one lesion. Paths stay: all must start from one data root. Raises DatasetError
    where two tables bear one name.
    """
    names = pd.Series([name for name, _ in tables])
    if names.duplicated().any():
        raise DatasetError(f"Two tables are called {some_of(names[names.duplicated()].unique())}. Rename one of them.")
    rows = pd.concat([table.assign(table=name) for name, table in tables], ignore_index=True)
    shared = rows["image_id"].duplicated(keep=False)
    alone = shared & (rows["lesion_id"] == rows["image_id"]).fillna(False)
    prefixed = rows["table"] + "/" + rows["image_id"]
    merged = rows.assign(
        image_id=rows["image_id"].mask(shared, prefixed), lesion_id=rows["lesion_id"].mask(alone, prefixed)
    )
    tables_of = merged.groupby("lesion_id")["table"].nunique()
    findings = [
        Finding(
            "id in more than one table, each now with its table's name before it",
            tuple(rows["image_id"][shared].unique()),
        ),
        Finding("lesion in more than one table, taken as one", tuple(tables_of.index[tables_of > 1])),
    ]
    return Indexed(image_table(merged.drop(columns="table")), tuple(finding for finding in findings if finding.names))
