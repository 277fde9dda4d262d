"""Labels, splits and confirmations in the words of other data sets -> the words of an image table."""

from pathlib import Path

import pandas as pd

from skinapp.errors import DatasetError
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT, MALIGNANT_CODES

KNOWN_LABELS = (*CODES, *MALIGNANCY_CLASSES)
"""Labels that tell whether a photo is malignant: the eight codes, and "malignant" and "benign" themselves."""

SPLIT_NAMES = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""Names of splits in other data sets, in lower case -> the split of an image table."""

CONFIRMATIONS = {
    "histo": "histology",
    "follow_up": "follow-up",
    "consensus": "consensus",
    "confocal": "confocal",
}
"""dx_type in HAM10000's metadata -> how the diagnosis was confirmed."""


def translate_label(label: str, label_map: dict[str, str]) -> str:
    """Return the known label that a label means, through `label_map` (lower case -> known label) or as it is.

    A label that is neither in the map nor known is returned unchanged.
    """
    translated = label_map.get(label.casefold(), label.casefold())
    return translated if translated in KNOWN_LABELS else label


def derive_malignancy(labels: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell which photos are malignant, boolean; NA where the label is missing or unknown."""
    return labels.map({label: label in (MALIGNANT, *MALIGNANT_CODES) for label in KNOWN_LABELS}).astype("boolean")


def read_label_map(path: Path) -> dict[str, str]:
    """Read a CSV of two columns, with or without a header line: names (returned in lower case) and known labels.

    Raises DatasetError if it is missing or malformed, has an unknown label, or maps one name to two labels.
    """
    try:
        table = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
    except OSError as error:
        raise DatasetError(f"The label map {path} cannot be read ({error.strerror}). Check the path.") from error
    except ValueError as error:
        raise DatasetError(f"The label map {path} is not a CSV table ({error}). Correct it.") from error
    if table.shape[1] != 2:
        raise DatasetError(f"The label map {path} has {table.shape[1]} columns. It needs two: name, label.")
    cells = table.map(lambda cell: cell.strip().casefold())
    # The first line is a header if its second cell is not a label.
    cells = cells.iloc[int(cells.iloc[0, 1] not in KNOWN_LABELS) :].drop_duplicates()
    if cells.empty:
        raise DatasetError(f"The label map {path} maps no name. Write one line for each: name, label.")
    unknown = sorted(set(cells[1]) - set(KNOWN_LABELS))
    if unknown:
        raise DatasetError(
            f"The label map {path} has labels that skinapp does not know: {', '.join(map(repr, unknown))}. "
            f"Use {', '.join(KNOWN_LABELS)}."
        )
    ambiguous = sorted(set(cells[0][cells[0].duplicated()]))
    if ambiguous:
        raise DatasetError(
            f"The label map {path} gives {', '.join(ambiguous)} more than one label. Keep one line for each."
        )
    return dict(zip(cells[0], cells[1], strict=True))
