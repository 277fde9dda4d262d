"""A CSV of photos, one row per photo -> image table.

Columns are found by these names, ignoring case; the first match is read:

============  ================================================================  =======================================
in the table  names in the CSV                                                  values
============  ================================================================  =======================================
path          path, file, filename, file_name, filepath, image_path, photo,     relative to the CSV's folder; the suffix
              image                                                             may be missing; default: image_id
image_id      image_id, isic_id                                                 default: the path without its suffix
lesion_id     lesion_id, lesion                                                 default: each photo is its own lesion
diagnosis     diagnosis, dx, label, class, target_name                          codes, names of types, or other words
malignant     malignant, target, benign_malignant                               true/false, 1/0, yes/no, or as labels
age           age, age_approx                                                   years, 0 to 120
sex           sex, gender                                                       female, male, f or m
site          site, localization, anatom_site_general                           any
camera        camera, dataset                                                   any
confirmation  confirmation, dx_type, diagnosis_confirm_type                     any; HAM10000's as in its table
source        source                                                            default: the CSV's name
width,        width, height                                                     pixels, as published
height
split         split, set, partition                                             train, val, validation, test, showcase
============  ================================================================  =======================================

An empty cell, "unknown" and similar words mean missing. Facts about the file itself are measured, not read.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from skinapp.datasets.columns import COLUMN_NAMES, find_rule, read_column
from skinapp.datasets.files import Progress, no_progress
from skinapp.datasets.labels import derive_malignancy, read_label_map
from skinapp.datasets.readers.common import (
    IndexedTable,
    IndexNote,
    measure_rows,
    note_unknown_labels,
    note_unreadable,
)
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.formatting import shorten_list
from skinapp.photo import PHOTO_SUFFIXES


def read_csv_photos(
    csv: Path,
    data_root: Path,
    labels: Path | None = None,
    progress: Progress = no_progress,
    facts_cache: Path | None = None,
) -> IndexedTable:
    """Index the photos that a CSV lists; this module's docstring names its columns.

    `labels` is a CSV of two columns that maps other label names to the known ones. Names without a match stay as they
    are, and `malignant` is then what the CSV says, or NA. Rows without a photo, repeated ids and columns that are not
    read are noted. `progress` is called with (photos done, photos in all); `facts_cache` is that of measure_files.
    Raises DatasetError if the CSV cannot be read or lists no readable photo, and one that names every column with
    wrong values.
    """
    label_map = {} if labels is None else read_label_map(labels)
    cells, unread = _pick_columns(_read_cells(csv), csv)
    rows, problems = _read_values(cells, label_map)
    files = [_find_photo(csv.parent, path) for path in rows["path"].fillna("")]
    outside = [str(file) for file in files if file and not file.is_relative_to(data_root)]
    if outside:
        problems.append(f"path: {shorten_list(outside)} (photos must lie in the data root, {data_root})")
    if problems:
        raise DatasetError(f"{csv} has wrong values: {'; '.join(problems)}. Correct them all.")
    rows, notes = _select_rows(_fill_ids(rows, csv), files)
    if rows.empty:
        raise DatasetError(f"No photo that {csv} lists was found. Its paths must start from the CSV's own folder.")
    photos = [file for row in rows.index if (file := files[row])]
    measured, readable = measure_rows(rows.drop(columns="path"), photos, data_root, progress, facts_cache)
    table = build_image_table(measured[readable])
    notes += [
        note_unreadable(measured["image_id"][~readable]),
        IndexNote("without a label", tuple(table["image_id"][table["diagnosis"].isna() & table["malignant"].isna()])),
        note_unknown_labels(table),
        IndexNote("column that is not read", tuple(unread)),
        IndexNote("name in the label map that no row has", _find_unused(label_map, cells)),
    ]
    return IndexedTable.from_notes(table, notes)


def _read_cells(csv: Path) -> pd.DataFrame:
    """Read every cell as text; cells are separated by commas or, as in much of Europe, by semicolons."""
    try:
        with csv.open(encoding="utf-8-sig", errors="replace") as lines:
            header = lines.readline()
        separator = ";" if header.count(";") > header.count(",") else ","
        cells = pd.read_csv(csv, sep=separator, dtype="string", keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{csv} cannot be read ({error.strerror}). Check the path.") from error
    except ValueError as error:
        raise DatasetError(
            f"{csv} is not a CSV table ({error}). Save it as UTF-8, with cells separated by commas."
        ) from error
    if not isinstance(cells.index, pd.RangeIndex):  # pandas takes cells beyond the header for row names
        raise DatasetError(f"{csv} has rows with more cells than its header names. Quote cells with a comma in them.")
    return cells


def _pick_columns(cells: pd.DataFrame, csv: Path) -> tuple[pd.DataFrame, list[str]]:
    """Select the known columns under their names in an image table, and list the others."""
    by_name = {str(name).strip().casefold(): name for name in reversed(cells.columns)}
    matches = {ours: [by_name[name] for name in theirs if name in by_name] for ours, theirs in COLUMN_NAMES.items()}
    read = {ours: theirs[0] for ours, theirs in matches.items() if theirs}
    if not {"path", "image_id"} & set(read):
        raise DatasetError(
            f"{csv} has no column that names the photos, only {shorten_list(map(str, cells.columns))}. "
            f"Call it {', '.join(COLUMN_NAMES['path'])} or image_id."
        )
    picked = cells[list(read.values())].set_axis(list(read), axis=1)
    unread = [str(name) for name in cells.columns if name not in read.values()]
    return picked.assign(path=picked["path" if "path" in read else "image_id"]), unread


def _read_values(cells: pd.DataFrame, label_map: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Turn text into values, and describe the wrong values of each column that has any.

    `malignant` follows from the diagnosis if that, after `label_map`, is a known label.
    """
    if "diagnosis" in cells:
        mapped = cells["diagnosis"].str.strip().str.casefold().map(label_map).astype("string")
        cells = cells.assign(diagnosis=mapped.fillna(cells["diagnosis"]))
    read = {column: read_column(column, cells[column]) for column in map(str, cells)}
    problems = [
        f"{name}: {shorten_list(map(repr, cells[name][column.bad].unique()))} (not {find_rule(name).allowed})"
        for name, column in read.items()
        if column.bad.any()
    ]
    rows = pd.DataFrame({name: column.values for name, column in read.items()}, index=cells.index)
    if "diagnosis" not in rows:
        return rows, problems
    derived = derive_malignancy(rows["diagnosis"])
    stated = rows.get("malignant", derived)
    conflicts = rows["diagnosis"][(stated != derived).fillna(False)].unique()
    if len(conflicts):
        problems.append(f"malignant: contradicts the diagnosis ({shorten_list(conflicts)})")
    return rows.assign(malignant=derived.fillna(stated)), problems


def _find_photo(folder: Path, path: str) -> Path | None:
    """Find a photo by its path, with any suffix of a photo if the path has none; None if there is no such file."""
    # Not resolve(): a link to a file elsewhere counts as a photo in this folder.
    named = Path(os.path.normpath(folder / path))
    for file in (named, *(Path(f"{named}{suffix}") for suffix in PHOTO_SUFFIXES)):
        try:
            if path and file.is_file():
                return file
        except OSError:  # the name is too long for a file
            return None
    return None


def _fill_ids(rows: pd.DataFrame, csv: Path) -> pd.DataFrame:
    """Fill in the ids and sources that the CSV does not give; a row that names no photo stays without an id."""
    missing = pd.Series(pd.NA, index=rows.index, dtype="string")
    ids = rows["path"].map(_remove_suffix, na_action="ignore").astype("string")
    return rows.assign(
        image_id=rows.get("image_id", missing).fillna(ids),
        lesion_id=rows.get("lesion_id", missing),
        age=rows.get("age", missing),
        source=rows.get("source", missing).fillna(csv.stem),
    )


def _remove_suffix(path: str) -> str:
    known = PurePosixPath(path).suffix.lower() in PHOTO_SUFFIXES
    return PurePosixPath(path).with_suffix("").as_posix() if known else path


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
        IndexNote("lesion not recorded, counted as a lesion of its own", tuple(kept["image_id"][no_lesion])),
    ]
    return kept.assign(lesion_id=kept["lesion_id"].fillna(kept["image_id"]), age=kept["age"].mask(age_zero)), notes


def _find_unused(label_map: Collection[str], cells: pd.DataFrame) -> tuple[str, ...]:
    labels = cells["diagnosis"].unique() if "diagnosis" in cells else ()
    return tuple(sorted(set(label_map) - {label.strip().casefold() for label in labels}))
