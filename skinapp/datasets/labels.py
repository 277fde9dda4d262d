"""Labels, splits and confirmations in the words of other data sets -> the words of an image table."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from skinapp.errors import DatasetError
from skinapp.formatting import shorten_list
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES
from skinapp.text_tables.label_words import Meaning, find_meaning
from skinapp.text_tables.read import read_text_table

KNOWN_LABELS = (*CODES, *MALIGNANCY_CLASSES)
"""Labels that tell whether a photo is malignant: the eight codes, and "malignant" and "benign" themselves."""

SPLIT_NAMES = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "training": "train",
    "testing": "test",
    "dev": "validation",
}
"""Names of splits in other data sets, in lower case -> the split of an image table."""

_SPLIT_WORDS = re.compile(
    rf"(?:isic[ _-]?\d{{4}}[ _-])?({'|'.join(SPLIT_NAMES)})(?:[ _-]?(?:set|split|data|images?|imgs?|photos?|input))*",
    re.IGNORECASE,
)

CONFIRMATIONS = {
    "histo": "histology",
    "histopathology": "histology",
    "follow_up": "follow-up",
    "follow up": "follow-up",
    "serial imaging showing no change": "follow-up",
    "consensus": "consensus",
    "single image expert consensus": "consensus",
    "confocal": "confocal",
    "confocal microscopy with consensus dermoscopy": "confocal",
}
"""dx_type in HAM10000's metadata and diagnosis_confirm_type of the ISIC Archive -> how a diagnosis was confirmed."""


def find_split(name: str) -> str | None:
    """Return the split that a folder's or a cell's name means, as "Test", "train_images" or "Validation set"."""
    found = _SPLIT_WORDS.fullmatch(name.strip())
    return SPLIT_NAMES[found[1].casefold()] if found else None


def translate_label(label: str, label_map: Mapping[str, str]) -> str:
    """Return the known label that a label means: by `label_map` (lower case -> known label), else by label_words.

    A label that is in neither is returned unchanged.
    """
    own = label_map.get(label.strip().casefold())
    if own is not None:
        return own
    meaning = find_meaning(label)
    return meaning.label if meaning is not None and meaning.label else label


def is_undecided(label: str) -> bool:
    """Tell whether a word says that nothing was decided, for example "indeterminate/benign"."""
    return find_meaning(label) == Meaning(None, None)


def find_malignancy(label: str) -> bool | None:
    """Tell whether a label is malignant, also one that has no code here, as MAL_OTH; None where it does not say so."""
    meaning = find_meaning(label)
    return None if meaning is None else meaning.malignant


def derive_malignancy(labels: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell which photos are malignant, boolean; NA where the label is missing or does not say so."""
    return labels.map({label: find_malignancy(label) for label in labels.dropna().unique()}).astype("boolean")


def read_label_map(path: Path) -> dict[str, str]:
    """Read a table of two columns, with or without a header: names (returned in lower case) and known labels.

    Any text table will do (see skinapp.text_tables.read), and any word of label_words for a label. Raises a single
    DatasetError for all that is wrong: a missing file or column, unknown labels, and names with two labels.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"The label map {path} cannot be read ({error.strerror}). Check the path.") from error
    table = read_text_table(data, f"The label map {path}")
    if len(table.columns) != 2:
        raise DatasetError(f"The label map {path} has {len(table.columns)} columns. It needs two: name, label.")
    cells = [(table.columns[0], table.columns[1]), *table.frame().itertuples(index=False, name=None)]
    # The first line is a header if its second cell is not a label.
    pairs = [(name.casefold(), translate_label(label, {})) for name, label in cells]
    pairs = list(dict.fromkeys(pairs if pairs[0][1] in KNOWN_LABELS else pairs[1:]))
    if not pairs:
        raise DatasetError(f"The label map {path} maps no name. Write one line for each: name, label.")
    unknown = sorted({label for _, label in pairs} - set(KNOWN_LABELS))
    counts = Counter(name for name, _ in pairs)
    ambiguous = sorted(name for name, count in counts.items() if count > 1)
    problems = []
    if table.misfits:
        problems.append(f"has rows with more than two cells: {shorten_list(map(str, table.misfits), 20)}")
    if unknown:
        problems.append(f"has labels that skinapp does not know: {shorten_list(map(repr, unknown), 20)}")
    if ambiguous:
        problems.append(f"gives {shorten_list(ambiguous, 20)} more than one label")
    if problems:
        raise DatasetError(
            f"The label map {path} {', and it '.join(problems)}. Use {', '.join(KNOWN_LABELS)}, and one line per name."
        )
    return dict(pairs)
