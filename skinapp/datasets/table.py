"""The image table: one row per photo with the known facts about it, no pixels.

Columns and types (an unknown fact is NA, never "unknown" or 0):

=============================  =========  ==================================================================
image_id                       string     as published; unique within a table
path                           string     of the photo, relative to the data root, with forward slashes
lesion_id                      string     photos that share it show one lesion
patient_id                     string     photos that share it show one patient; tables without it are read too
diagnosis                      string     one of the eight codes of skinapp.taxonomy, or the source's label
malignant                      boolean    from the diagnosis
age                            Float32    years
sex                            string     "female" or "male"
site                           string     place on the body, in the source's words
camera                         string     camera or clinic
confirmation                   string     "histology", "follow-up", "consensus" or "confocal"
source                         string     which data set
width, height                  Int32      pixels, as published
stored_width, stored_height    Int32      pixels of the file that was read
sha256                         string     of the file that was read, hex
red, green, blue               Float32    mean colour of the photo, 0 to 255
brightness, contrast           Float32    mean and standard deviation of its luma, 0 to 255
sharpness                      Float32    variance of the luma's Laplacian
dark_corners                   Float32    share of dark pixels in its corners, 0 to 1
perceptual_hash                string     64 hexadecimal digits; copies of a picture differ in few bits
split                          string     "train", "validation", "test" or "showcase"
=============================  =========  ==================================================================
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa

import skinapp
from skinapp.datasets.measures import MEASURES
from skinapp.errors import DatasetError
from skinapp.files import replace_file
from skinapp.formatting import clean_text, shorten_list
from skinapp.taxonomy import BENIGN, MALIGNANT

TABLES = Path(skinapp.__file__).parents[1] / "datasets"
"""The image tables that ship with the app."""

COLUMNS = {
    "image_id": "string",
    "path": "string",
    "lesion_id": "string",
    "patient_id": "string",
    "diagnosis": "string",
    "malignant": "boolean",
    "age": "Float32",
    "sex": "string",
    "site": "string",
    "camera": "string",
    "confirmation": "string",
    "source": "string",
    "width": "Int32",
    "height": "Int32",
    "stored_width": "Int32",
    "stored_height": "Int32",
    "sha256": "string",
    **dict.fromkeys(MEASURES, "Float32"),
    "perceptual_hash": "string",
    "split": "string",
}

OPTIONAL = ("patient_id",)
"""Columns that a stored table may lack; one that nothing is known about is not written."""

SPLITS = ("train", "validation", "test", "showcase")
"""All splits. Showcase photos are the examples of the app: no model is trained or tested on them."""


def build_image_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows the columns, types and order of an image table, sorted by image_id.

    Missing columns become NA. Raises DatasetError for a column that an image table does not have, values of another
    type, and an image_id that is missing or repeated.
    """
    unknown = sorted(set(rows.columns) - set(COLUMNS))
    if unknown:
        raise DatasetError(f"An image table has no column {', '.join(unknown)}. Its columns: {', '.join(COLUMNS)}.")
    try:
        table = rows.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"A column of the image table holds values of another type ({clean_text(str(error), 200)}). Correct it."
        ) from error
    if table["image_id"].isna().any():
        raise DatasetError("A row of the image table has no image_id. Give every photo one.")
    ids = table["image_id"].array
    # A stored table is sorted already; sorting 400,000 rows again would take as long as reading them.
    if (ids[:-1] < ids[1:]).all():
        return table.reset_index(drop=True)
    repeated = table["image_id"][table["image_id"].duplicated()]
    if len(repeated):
        raise DatasetError(f"The image table holds {shorten_list(repeated)} more than once. Keep one row per photo.")
    return table.sort_values("image_id", ignore_index=True)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write an image table as Parquet: to a temporary file first, then moved into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = build_image_table(table)
    stored = whole.drop(columns=[column for column in OPTIONAL if whole[column].isna().all()])
    with replace_file(path) as aside:
        stored.to_parquet(aside, index=False, compression="zstd")


def read_table(path: Path) -> pd.DataFrame:
    """Read an image table from Parquet; DatasetError if the file is missing or is not an image table."""
    if path.is_dir():  # pandas would read all files in it
        raise DatasetError(f"{path} is a folder. Name the image table in it, a Parquet file.")
    try:
        rows = pd.read_parquet(path)
        check_text(rows)
    except FileNotFoundError as error:
        raise DatasetError(
            f"There is no image table at {path}. Check the path, or make one with `skinapp index`."
        ) from error
    except (OSError, ValueError) as error:
        fault = clean_text(str(error), 300)
        raise DatasetError(f"{path} cannot be read as a Parquet table ({fault}). Make it again.") from error
    lacking = [column for column in COLUMNS if column not in (*rows.columns, *OPTIONAL)]
    if lacking:
        raise DatasetError(
            f"{path} is not an image table: {', '.join(lacking)} missing. Make it again with `skinapp index`."
        )
    return build_image_table(rows[[column for column in COLUMNS if column in rows.columns]])


def check_text(rows: pd.DataFrame) -> None:
    """Raise ValueError for a column of text with bytes that are not UTF-8, which Parquet does not notice."""
    for column in rows.columns:
        if isinstance(rows[column].dtype, pd.StringDtype):
            try:
                pa.array(rows[column].array).validate(full=True)
            except pa.ArrowInvalid as error:
                raise ValueError(f"the column {column} holds text that is not UTF-8") from error


def group_photos(table: pd.DataFrame) -> "pd.Series[str]":
    """Name the group of each photo that belongs together: its patient where known, else its lesion, else itself.

    Patients come first because photos of one patient are alike beyond the lesion. The names say which of the three they
    are ("patient IP_1"), so that a patient and a lesion with one id are two groups.
    """
    groups = "photo " + table["image_id"]
    for column, kind in (("lesion_id", "lesion "), ("patient_id", "patient ")):
        if column in table.columns:
            groups = (kind + table[column]).fillna(groups)
    return groups


def get_true_labels(table: pd.DataFrame, task: str) -> "pd.Series[str]":
    """Return each photo's label for a task: "malignant"/"benign" for "malignancy", else its diagnosis; NA if none."""
    if task == "malignancy":
        return table["malignant"].map({True: MALIGNANT, False: BENIGN})
    return table["diagnosis"]
