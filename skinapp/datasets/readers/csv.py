"""A table of photos, one row per photo -> image table.

Any text table will do (see skinapp.text_tables.read). Columns are found by the names in skinapp.datasets.columns,
however they are spelt, so that these tables are read as published: exports of the ISIC Archive; ISIC 2016 to 2020 and
2024; HAM10000, BCN20000, MILK10k, PAD-UFES-20 and Fitzpatrick17k. Columns of an image table:

============  ==========================================================================================================
path          of the photo, from the table's folder; see PhotoFinder; default: image_id
image_id      default: the path without its suffix
lesion_id     default: each photo is its own lesion
patient_id    default: not known
diagnosis     a name or code of skinapp.text_tables.label_words, or other words; or one column of 0 and 1 per class
malignant     true/false, 1/0, yes/no, or as labels
age           years, 0 to 120
sex           female, male, f or m
site, camera  any
confirmation  any; HAM10000's and the ISIC Archive's as in our tables
source        default: the table's name
width,        pixels, as published
height
split         train, validation, test or showcase
============  ==========================================================================================================

A cell that is empty, "unknown", "-" or the like is missing. Facts about the file itself are measured, not read.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from skinapp.datasets.columns import IMAGE_NAMES
from skinapp.datasets.files import Progress, ignore_progress
from skinapp.datasets.labels import read_label_map
from skinapp.datasets.photo_files import PhotoFinder, is_photo_name
from skinapp.datasets.readers.common import (
    IndexedTable,
    IndexNote,
    measure_rows,
    note_unknown_labels,
    note_unreadable,
    read_table_file,
)
from skinapp.datasets.readers.rows import read_rows, remove_suffix
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.formatting import shorten_list
from skinapp.text_tables.read import TextTable


def read_csv_photos(
    csv: Path,
    data_root: Path,
    labels: Path | None = None,
    progress: Progress = ignore_progress,
    facts_cache: Path | None = None,
) -> IndexedTable:
    """Index the photos that a table lists; this module's docstring names its columns.

    `labels` is a table of two columns that maps other label names to the known ones. Names without a match stay as they
    are, and `malignant` is then what the table says, or NA. Whatever cannot be used is left out and noted with its row:
    rows without a photo, repeated ids, cells that are not allowed, labels that are undecided. `progress` is called with
    (photos done, photos in all); `facts_cache` is that of measure_files. Raises DatasetError if the table cannot be
    read, names no photos, or lists no readable one.
    """
    label_map = {} if labels is None else read_label_map(labels)
    table = _give_header(read_table_file(csv))
    cells = table.frame()
    read = read_rows(cells, table.rows, label_map)
    if not {"path", "image_id"} & set(read.rows.columns):
        raise DatasetError(
            f"{csv} has no column that names the photos, only {shorten_list(table.columns, 20)}. "
            f"Call it one of {', '.join(IMAGE_NAMES)}."
        )
    rows = _fill_ids(read.rows, csv)
    finder = PhotoFinder(csv.parent)
    files = [finder.find(path) for path in rows["path"].fillna("")]
    inside = [file if file and file.is_relative_to(data_root) else None for file in files]
    outside = tuple(str(file) for file in files if file and not file.is_relative_to(data_root))
    rows, notes = _select_rows(rows, inside)
    if rows.empty:
        where = f"; {len(outside):,} lie outside the data root {data_root}" if outside else ""
        raise DatasetError(
            f"No photo that {csv} lists was found{where}. Its paths must start from the table's own folder."
        )
    photos = [file for row in rows.index if (file := inside[row])]
    measured, readable = measure_rows(rows.drop(columns="path"), photos, data_root, progress, facts_cache)
    image_table = build_image_table(measured[readable])
    if image_table.empty:
        raise DatasetError(f"None of the {len(photos):,} photos that {csv} lists is readable as a photo.")
    unlabelled = image_table["diagnosis"].isna() & image_table["malignant"].isna()
    notes = [
        *(IndexNote("note on the table", (note,)) for note in table.notes),
        *read.notes,
        IndexNote(f"outside the data root {data_root}, left out", outside),
        *notes,
        note_unreadable(measured["image_id"][~readable]),
        IndexNote("without a label", tuple(image_table["image_id"][unlabelled])),
        note_unknown_labels(image_table),
        IndexNote("column that is not read", tuple(name for name in table.columns if name not in read.used)),
        IndexNote("name in the label map that no row has", _find_unused(label_map, cells)),
    ]
    return IndexedTable.from_notes(image_table, notes)


def _give_header(table: TextTable) -> TextTable:
    """Name the columns of a table without a header, as ISIC 2016's truths: a photo, and its label or malignancy."""
    first = table.columns[0]
    is_photo = re.fullmatch(r"ISIC_\d+(_downsampled)?", first) or is_photo_name(first)
    if len(table.columns) != 2 or not is_photo:
        return table
    number = re.fullmatch(r"[01](\.0+)?", table.columns[1])
    return table.without_header(("image", "target" if number else "label"))


def _fill_ids(rows: pd.DataFrame, csv: Path) -> pd.DataFrame:
    """Fill in the ids and sources that the table does not give; a row that names no photo stays without an id."""
    missing = pd.Series(pd.NA, index=rows.index, dtype="string")
    paths = rows.get("path", missing).fillna(rows.get("image_id", missing))
    ids = paths.map(remove_suffix, na_action="ignore").astype("string")
    return rows.assign(
        path=paths,
        image_id=rows.get("image_id", missing).fillna(ids),
        lesion_id=rows.get("lesion_id", missing),
        diagnosis=rows.get("diagnosis", missing),
        age=rows.get("age", missing.astype("Float32")),
        source=rows.get("source", missing).fillna(csv.stem),
    )


def _select_rows(rows: pd.DataFrame, files: Sequence[Path | None]) -> tuple[pd.DataFrame, list[IndexNote]]:
    """Keep the rows with a photo, each once; note the others, and what is not recorded in the kept rows."""
    ids = rows["image_id"].fillna("(no photo named)")
    present = pd.Series([file is not None for file in files], index=rows.index) & rows["image_id"].notna()
    duplicate = present & ids[present].duplicated().reindex(ids.index, fill_value=False)
    kept = rows[present & ~duplicate]
    no_lesion, age_zero = kept["lesion_id"].isna(), (kept["age"] == 0).fillna(False)
    notes = [
        IndexNote("listed without a photo, left out", tuple(ids[~present])),
        IndexNote("listed twice, first row kept", tuple(ids[duplicate])),
        IndexNote("age 0, treated as not recorded", tuple(kept["image_id"][age_zero])),
        IndexNote("lesion not recorded, counted as one lesion each", tuple(kept["image_id"][no_lesion])),
    ]
    return kept.assign(lesion_id=kept["lesion_id"].fillna(kept["image_id"]), age=kept["age"].mask(age_zero)), notes


def _find_unused(label_map: Collection[str], cells: pd.DataFrame) -> tuple[str, ...]:
    if not label_map:
        return ()
    words = {word.casefold() for column in cells.columns for word in cells[column].unique()}
    return tuple(sorted(set(label_map) - words))
