"""Several image tables -> one."""

from collections.abc import Sequence

import pandas as pd

from skinapp.datasets.readers.common import IndexedTable, IndexNote
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.formatting import shorten_list


def merge_tables(tables: Sequence[tuple[str, pd.DataFrame]]) -> IndexedTable:
    """Put the rows of named image tables into one; every row and every split is kept.

    An image_id that occurs in several tables gets its table's name as a prefix ("mine/3") in each of them, and so does
    the lesion_id of a photo that is its own lesion. A lesion_id or patient_id that occurs in several tables counts as
    one. The notes name them. Paths stay, so all tables must start from one data root. Raises DatasetError if two
    tables have the same name.
    """
    names = pd.Series([name for name, _ in tables])
    if names.duplicated().any():
        duplicates = shorten_list(names[names.duplicated()].unique())
        raise DatasetError(f"Two tables are called {duplicates}. Rename one of them.")
    rows = pd.concat([table.assign(table=name) for name, table in tables], ignore_index=True)
    shared = rows["image_id"].duplicated(keep=False)
    own_lesion = shared & (rows["lesion_id"] == rows["image_id"]).fillna(False)
    prefixed = rows["table"] + "/" + rows["image_id"]
    merged = rows.assign(
        image_id=rows["image_id"].mask(shared, prefixed), lesion_id=rows["lesion_id"].mask(own_lesion, prefixed)
    )
    tables_per_lesion = merged.groupby("lesion_id")["table"].nunique()
    patients = merged.get("patient_id", pd.Series(pd.NA, index=merged.index, dtype="string"))
    tables_per_patient = merged["table"].groupby(patients).nunique()
    notes = [
        IndexNote(
            "id in more than one table, each now with its table's name before it",
            tuple(rows["image_id"][shared].unique()),
        ),
        IndexNote(
            "lesion in more than one table, counted as one", tuple(tables_per_lesion.index[tables_per_lesion > 1])
        ),
        IndexNote(
            "patient in more than one table, counted as one", tuple(tables_per_patient.index[tables_per_patient > 1])
        ),
    ]
    return IndexedTable.from_notes(build_image_table(merged.drop(columns="table")), notes)
