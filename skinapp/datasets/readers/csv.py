"""A CSV of photos, a row a photo, in the words of whoever wrote it -> image table.

Columns are known by their names, without regard to case; the first of several that mean the same is read:

============  ================================================================  =======================================
in the table  names in the CSV                                                  values
============  ================================================================  =======================================
path          path, file, filename, file_name, filepath, image_path, photo,     relative to the CSV's folder; a suffix
              image                                                             may be lacking; else the image_id is it
image_id      image_id, isic_id                                                 else the path without its suffix
lesion_id     lesion_id, lesion                                                 else each photo is a lesion of its own
diagnosis     diagnosis, dx, label, class, target_name                          codes, names of the types, or own words
malignant     malignant, target, benign_malignant                               true/false, 1/0, yes/no, or as labels
age           age, age_approx                                                   years, 0 to 120
sex           sex, gender                                                       female, male, f or m
site          site, localization, anatom_site_general                           any
camera        camera, dataset                                                   any
confirmation  confirmation, dx_type, diagnosis_confirm_type                     any; HAM10000's as in its table
source        source                                                            else the CSV's name
width,        width, height                                                     pixels, as published
height
split         split, set, partition                                             train, val, validation, test, showcase
============  ================================================================  =======================================

An empty cell, "unknown" and the like are missing. What a table says of the file itself is measured, not read.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from skinapp.datasets.columns import read_column, rule
from skinapp.datasets.files import Finding, Indexed, Progress, file_facts, no_progress
from skinapp.datasets.labels import NAMES, malignancy, own_labels, read_label_map
from skinapp.datasets.table import image_table, some_of
from skinapp.errors import DatasetError
from skinapp.photo import PHOTO_SUFFIXES


def read_csv_photos(
    csv: Path, data_root: Path, labels: Path | None = None, progress: Progress = no_progress, kept: Path | None = None
) -> Indexed:
    """Index the photos that a CSV lists; see the top of this module for its columns.

    `labels` is a CSV of two columns that maps own label names to the known ones; names without a match
    stay as they are, and `malignant` is then what the CSV says of it, or NA. Rows without a photo, ids
    that stand twice and columns that are not read are named in the findings. `progress` is called with
    (photos done, photos in all); `kept` is where file_facts keeps what it measured. Raises DatasetError
    where the CSV cannot be read or lists no readable photo, and one that names every column with wrong values.
    """
    names = {} if labels is None else read_label_map(labels)
    cells, unread = _columns(_cells(csv), csv)
    rows, wrong = _values(cells, names)
    files = [_file(csv.parent, path) for path in rows["path"].fillna("")]
    outside = [str(file) for file in files if file and not file.is_relative_to(data_root)]
    if outside:
        wrong.append(f"path: {some_of(outside)} (photos must lie in the data root, {data_root})")
    if wrong:
        raise DatasetError(f"{csv} cannot be taken as it stands. Wrong are {'; '.join(wrong)}. Mend them all.")
    usable, findings = _usable_rows(_with_ids(rows, csv), files)
    if usable.empty:
        raise DatasetError(f"No photo that {csv} lists was found. Its paths must start from the CSV's own folder.")
    facts = file_facts([file for place in usable.index if (file := files[place])], data_root, progress, kept)
    rows = pd.concat([usable.drop(columns="path").reset_index(drop=True), facts], axis=1)
    table = image_table(rows[rows["stored_width"].notna()])
    findings += [
        Finding("not readable as a picture, left out", tuple(rows["image_id"][rows["stored_width"].isna()])),
        Finding("without a label", tuple(table["image_id"][table["diagnosis"].isna() & table["malignant"].isna()])),
        own_labels(table),
        Finding("column that is not read", tuple(unread)),
        Finding("name in the label map that no row bears", _unused(names, cells)),
    ]
    return Indexed(table, tuple(finding for finding in findings if finding.names))


def _cells(csv: Path) -> pd.DataFrame:
    """Read every cell as text; cells may be parted by commas or, as spreadsheets in much of Europe do, semicolons."""
    try:
        with csv.open(encoding="utf-8-sig", errors="replace") as lines:
            header = lines.readline()
        separator = ";" if header.count(";") > header.count(",") else ","
        cells = pd.read_csv(csv, sep=separator, dtype="string", keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{csv} cannot be read ({error.strerror}). Check the path.") from error
    except ValueError as error:
        raise DatasetError(f"{csv} is not a CSV table ({error}). Save it as UTF-8, cells parted by commas.") from error
    if not isinstance(cells.index, pd.RangeIndex):  # pandas takes cells that no header names for names of the rows
        raise DatasetError(f"{csv} has rows with more cells than its header names. Quote cells with a comma in them.")
    return cells


def _columns(cells: pd.DataFrame, csv: Path) -> tuple[pd.DataFrame, list[str]]:
    """Pick the columns that are known and call them as an image table does; name those that are not read."""
    by_name = {str(name).strip().casefold(): name for name in reversed(cells.columns)}
    found = {ours: [by_name[name] for name in theirs if name in by_name] for ours, theirs in NAMES.items()}
    read = {ours: theirs[0] for ours, theirs in found.items() if theirs}
    if not {"path", "image_id"} & set(read):
        raise DatasetError(
            f"{csv} has no column that names the photos, only {some_of(map(str, cells.columns))}. "
            f"Call it {', '.join(NAMES['path'])} or image_id."
        )
    picked = cells[list(read.values())].set_axis(list(read), axis=1)
    unread = [str(name) for name in cells.columns if name not in read.values()]
    return picked.assign(path=picked["path" if "path" in read else "image_id"]), unread


def _values(cells: pd.DataFrame, names: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Turn text into values; with them a phrase for each column that holds what it must not.

    What is malignant follows from the diagnosis where that, as `names` maps it, is a known label.
    """
    if "diagnosis" in cells:
        mapped = cells["diagnosis"].str.strip().str.casefold().map(names).astype("string")
        cells = cells.assign(diagnosis=mapped.fillna(cells["diagnosis"]))
    read = {column: read_column(column, cells[column]) for column in map(str, cells)}
    wrong = [
        f"{column}: {some_of(map(repr, cells[column][found.bad].unique()))} (not {rule(column).wanted})"
        for column, found in read.items()
        if found.bad.any()
    ]
    rows = pd.DataFrame({column: found.values for column, found in read.items()}, index=cells.index)
    if "diagnosis" not in rows:
        return rows, wrong
    follows = malignancy(rows["diagnosis"])
    said = rows.get("malignant", follows)
    against = rows["diagnosis"][(said != follows).fillna(False)].unique()
    if len(against):
        wrong.append(f"malignant: another answer than the diagnosis gives ({some_of(against)})")
    return rows.assign(malignant=follows.fillna(said)), wrong


def _file(folder: Path, path: str) -> Path | None:
    """Find a photo; one that is named without its suffix may have any that photos have."""
    # Not resolve(): photos that are links to files elsewhere are in this folder all the same.
    named = Path(os.path.normpath(folder / path))
    for file in (named, *(Path(f"{named}{suffix}") for suffix in PHOTO_SUFFIXES)):
        try:
            if path and file.is_file():
                return file
        except OSError:  # a name that is too long for a file
            return None
    return None


def _with_ids(rows: pd.DataFrame, csv: Path) -> pd.DataFrame:
    """Give each photo an id and a source where the CSV gives none; one that is not even named has no id."""
    nothing = pd.Series(pd.NA, index=rows.index, dtype="string")
    ids = rows["path"].map(_without_suffix, na_action="ignore").astype("string")
    return rows.assign(
        image_id=rows.get("image_id", nothing).fillna(ids),
        lesion_id=rows.get("lesion_id", nothing),
        age=rows.get("age", nothing),
        source=rows.get("source", nothing).fillna(csv.stem),
    )


def _without_suffix(path: str) -> str:
    known = PurePosixPath(path).suffix.lower() in PHOTO_SUFFIXES
    return PurePosixPath(path).with_suffix("").as_posix() if known else path


def _usable_rows(rows: pd.DataFrame, files: Sequence[Path | None]) -> tuple[pd.DataFrame, list[Finding]]:
    """Keep the rows that have a photo, once each; name the others, and what the rows that are kept do not say."""
    ids = rows["image_id"].fillna("(no photo named)")
    there = pd.Series([file is not None for file in files], index=rows.index) & rows["image_id"].notna()
    twice = there & ids[there].duplicated().reindex(ids.index, fill_value=False)
    kept = rows[there & ~twice]
    lesionless, newborn = kept["lesion_id"].isna(), (kept["age"] == 0).fillna(False)
    findings = [
        Finding("listed without a photo, left out", tuple(ids[~there])),
        Finding("listed twice, first row kept", tuple(ids[twice])),
        Finding("age 0, taken as not recorded", tuple(kept["image_id"][newborn])),
        Finding("lesion not recorded, taken as a lesion of its own", tuple(kept["image_id"][lesionless])),
    ]
    return kept.assign(lesion_id=kept["lesion_id"].fillna(kept["image_id"]), age=kept["age"].mask(newborn)), findings


def _unused(names: Collection[str], cells: pd.DataFrame) -> tuple[str, ...]:
    labels = cells["diagnosis"].unique() if "diagnosis" in cells else ()
    return tuple(sorted(set(names) - {label.strip().casefold() for label in labels}))
