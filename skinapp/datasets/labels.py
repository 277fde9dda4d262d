"""The words of whoever sorted the photos -> the words of an image table."""

from pathlib import Path

import pandas as pd

from skinapp.datasets.files import Finding
from skinapp.errors import DatasetError
from skinapp.taxonomy import BENIGN, CODES, MALIGNANCY_CLASSES, MALIGNANT, MALIGNANT_CODES

NAMES = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image_path", "photo", "image"),
    "image_id": ("image_id", "isic_id"),
    "lesion_id": ("lesion_id", "lesion"),
    "diagnosis": ("diagnosis", "dx", "label", "class", "target_name"),
    "malignant": ("malignant", "target", "benign_malignant"),
    "age": ("age", "age_approx"),
    "sex": ("sex", "gender"),
    "site": ("site", "localization", "anatom_site_general"),
    "camera": ("camera", "dataset"),
    "confirmation": ("confirmation", "dx_type", "diagnosis_confirm_type"),
    "source": ("source",),
    "width": ("width",),
    "height": ("height",),
    "split": ("split", "set", "partition"),
}
"""Columns of an image table -> the names, in lower case, under which a CSV may have them; the first is read."""

MISSING = ("", "unknown", "na", "n/a", "nan", "none", "null", "<na>")
"""Cells, in lower case, that say that something is not known."""

OLDEST = 120
"""Years; hardly anybody has lived longer."""

SPLIT_NAMES = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""Names, in lower case, of the splits that photos come in, and what a table calls them."""

KNOWN_LABELS = (*CODES, *MALIGNANCY_CLASSES)
"""Labels that say whether a photo is malignant: the eight codes, and "malignant" and "benign" themselves."""


def known_label(given: str, names: dict[str, str]) -> str:
    """Return what a label means: as `names` (lower case -> known label) maps it, as a known label, or as it stands."""
    known = names.get(given.casefold(), given.casefold())
    return known if known in KNOWN_LABELS else given


def malignancy(labels: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell which photos are malignant, boolean; NA where the label is missing or not a known one."""
    return labels.map({label: label in (MALIGNANT, *MALIGNANT_CODES) for label in KNOWN_LABELS}).astype("boolean")


def own_labels(table: pd.DataFrame) -> Finding:
    """Name the labels of an image table that say nothing of malignancy, and how many photos bear each."""
    own = table["diagnosis"][table["diagnosis"].notna() & table["malignant"].isna()].value_counts().sort_index()
    return Finding(
        f"label that is no diagnosis code, {MALIGNANT} or {BENIGN}, kept as it is",
        tuple(f"{label} ({photos:,} photos)" for label, photos in own.items()),
    )


def read_label_map(path: Path) -> dict[str, str]:
    """Read a CSV of two columns, with or without a header line: names, in lower case, and the known labels they mean.

    Raises DatasetError where it is missing or malformed, knows another label, or gives a name two.
    """
    try:
        table = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
    except OSError as error:
        raise DatasetError(f"The label map {path} cannot be read ({error.strerror}). Check the path.") from error
    except ValueError as error:
        raise DatasetError(f"The label map {path} is not a CSV table ({error}). Mend it.") from error
    if table.shape[1] != 2:
        raise DatasetError(f"The label map {path} has {table.shape[1]} columns in place of two: name, label.")
    cells = table.map(lambda cell: cell.strip().casefold())
    # A first line whose second cell is no label is the header.
    cells = cells.iloc[int(cells.iloc[0, 1] not in KNOWN_LABELS) :].drop_duplicates()
    if cells.empty:
        raise DatasetError(f"The label map {path} maps no name. Write a line for each: name, label.")
    strange = sorted(set(cells[1]) - set(KNOWN_LABELS))
    if strange:
        raise DatasetError(
            f"The label map {path} knows labels that skinapp does not: {', '.join(repr(s) for s in strange)}. "
            f"Use {', '.join(KNOWN_LABELS)}."
        )
    twice = sorted(set(cells[0][cells[0].duplicated()]))
    if twice:
        raise DatasetError(f"The label map {path} gives {', '.join(twice)} more than one label. Keep one line each.")
    return dict(zip(cells[0], cells[1], strict=True))


CONFIRMATIONS = {
    "histo": "histology",
    "follow_up": "follow-up",
    "consensus": "consensus",
    "confocal": "confocal",
}
"""dx_type of the metadata CSV -> how the diagnosis was confirmed."""
