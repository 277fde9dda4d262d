"""Folders of photos named after what they hold, in splits or not, labelled or not -> image table."""

from pathlib import Path, PurePosixPath

import pandas as pd

from skinapp.datasets.files import Finding, Indexed, Progress, file_facts, no_progress, photo_files
from skinapp.datasets.labels import SPLIT_NAMES, known_label, malignancy, own_labels, read_label_map
from skinapp.datasets.table import image_table
from skinapp.errors import DatasetError


def read_folders(
    folder: Path,
    data_root: Path,
    labels: Path | None = None,
    progress: Progress = no_progress,
    kept: Path | None = None,
) -> Indexed:
    """Index photos in class folders of any depth, with or without train, val and test levels or any label.

    The image_id is the path below the folder without its suffix ("train/benign/3"), the diagnosis the
    deepest folder that is no split, NA where there is none. Each photo is taken as a lesion of its own.
    `labels`, a CSV of two columns with or without a header line, maps folder names to the eight codes or
    to malignant and benign; other names stay as they are, and `malignant` is then NA. Names are
    compared without regard to case. What is left out or not known is named in the findings.
    `progress` is called with (photos done, photos in all); `kept` is where file_facts keeps what it
    measured. Raises DatasetError where the folder is missing or holds no readable photo, or the map is
    missing or malformed.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder at {folder}. Check the path.")
    names = {} if labels is None else read_label_map(labels)
    files = photo_files(folder)
    facts = file_facts(files, data_root, progress, kept)
    inside = pd.Series([file.relative_to(folder).as_posix() for file in files], dtype="string")
    rows = pd.concat([_described(inside, names).assign(source=folder.resolve().name), facts], axis=1)
    unreadable = rows["stored_width"].isna()
    twice = rows["image_id"].mask(unreadable).duplicated() & ~unreadable
    table = image_table(rows[~(unreadable | twice)])
    if table.empty:
        raise DatasetError(f"No readable photo was found below {folder}. Name a folder that holds photos.")
    findings = [
        *_beside_the_photos(folder, files),
        Finding("not readable as a picture, left out", tuple(inside[unreadable])),
        Finding("named like another photo but for the suffix, first kept", tuple(inside[twice])),
        *_noticed(table),
        Finding("name in the label map that no folder bears", tuple(sorted(set(names) - _folder_names(inside)))),
    ]
    return Indexed(table, tuple(finding for finding in findings if finding.names))


def _described(inside: "pd.Series[str]", names: dict[str, str]) -> pd.DataFrame:
    """Tell what paths below the folder say: columns image_id, lesion_id, diagnosis, malignant, split."""
    paths = [PurePosixPath(path) for path in inside]
    ids = [path.with_suffix("").as_posix() for path in paths]
    diagnosis = pd.Series([_label(path, names) for path in paths], dtype="string")
    return pd.DataFrame(
        {
            "image_id": ids,
            "lesion_id": ids,
            "diagnosis": diagnosis,
            "malignant": malignancy(diagnosis),
            "split": [_split(path) for path in paths],
        }
    )


def _label(path: PurePosixPath, names: dict[str, str]) -> str | None:
    """Return what the deepest folder that is no split says: as mapped, as a known label, or as it stands."""
    given = next((part for part in reversed(path.parent.parts) if part.casefold() not in SPLIT_NAMES), None)
    if given is None:
        return None
    return known_label(given, names)


def _split(path: PurePosixPath) -> str | None:
    levels = [SPLIT_NAMES[part.casefold()] for part in path.parent.parts if part.casefold() in SPLIT_NAMES]
    return levels[-1] if levels else None


def _folder_names(inside: "pd.Series[str]") -> set[str]:
    return {part.casefold() for path in inside for part in PurePosixPath(path).parent.parts}


def _beside_the_photos(folder: Path, photos: list[Path]) -> list[Finding]:
    """Name the files that are no photos and the folders without a photo in them or below them."""
    holding = {parent for photo in photos for parent in photo.parents}
    others = [path for path in sorted(folder.rglob("*")) if path not in {*photos, *holding}]
    files = [path.relative_to(folder).as_posix() for path in others if not path.is_dir()]
    empty = [path.relative_to(folder).as_posix() for path in others if path.is_dir()]
    return [
        Finding("file that is no photo by its suffix, left out", tuple(files)),
        Finding("folder without a photo", tuple(empty)),
    ]


def _noticed(table: pd.DataFrame) -> list[Finding]:
    """Name the labels that say nothing of malignancy, and the photos without a label, split or lesion."""
    ids, labels = table["image_id"], table["diagnosis"]
    splitless = table["split"].isna() & bool(table["split"].notna().any())
    return [
        own_labels(table),
        Finding("in no class folder, without a label", tuple(ids[labels.isna()])),
        Finding("beside the split folders, in no split", tuple(ids[splitless])),
        Finding("lesion not recorded, taken as a lesion of its own", tuple(ids)),
    ]
