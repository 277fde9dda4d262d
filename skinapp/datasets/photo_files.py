"""Folders as they are: which files below a folder are photos, and which of them a table means.

Folders are listed once instead of asking for each file, which takes seconds where a table names 200,000 photos that are
not there. Hidden files and the files of operating systems (`._1.jpg`, `__MACOSX`, Thumbs.db) are no photos. Links are
followed, each folder once, so that links in a circle end. Names that are not UTF-8 cannot stand in a table: such files
are named and left out.
"""

# Names are handled as strings: a Path for each of 200,000 would take most of the time.
# ruff: noqa: PTH118, PTH122, PTH208
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.errors import DatasetError
from skinapp.formatting import escape_controls
from skinapp.photo import PHOTO_SUFFIXES

SYSTEM_NAMES = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "lost+found")
"""Names, in lower case, of files and folders that operating systems and storage devices leave."""

DISTINCT = 8
"""Characters of a photo's name, without its suffix, that no other photo has by chance (ISIC_0024306, not IMG_1)."""

_MAX_DIGITS = 18
_SAME_SUFFIX = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".tiff": ".tif", ".heif": ".heic", ".hif": ".heic"}

Flags = npt.NDArray[np.bool_]


@dataclass
class PhotoListing:
    """The contents of a folder, at any depth, as paths below it with forward slashes, each sorted.

    `photos` are the files with the suffix of a photo, as absolute or relative as the folder. `others` are other files,
    `empty` folders without a photo in or below them, `hidden` hidden and system files with the suffix of a photo,
    `unreadable` folders without permission and links to nothing, `unnameable` files with names that are not UTF-8, and
    `again` links to folders that were listed already.
    """

    photos: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unnameable: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)


def is_photo_name(name: str) -> bool:
    """Tell whether a file's name has the suffix of a photo, in any case, and is not a hidden or system file's."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in PHOTO_SUFFIXES


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is hidden or an operating system's."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def list_photos(folder: Path, any_name: bool = False) -> PhotoListing:
    """List what a folder holds at any depth; links are followed, but each folder is listed once.

    With `any_name` photos with names that are not UTF-8 are listed like others.
    """
    listing, seen = PhotoListing(), {os.path.realpath(folder)}
    folders, links = [folder], list[Path]()
    inside: set[Path] = set()
    while folders or links:
        # Folders come before links to them, so that photos keep their own paths.
        if not folders:
            link = links.pop(0)
            if os.path.realpath(link) in seen:
                listing.again.append(_below(link, folder))
                continue
            folders.append(link)
        current = folders.pop()
        seen.add(os.path.realpath(current))
        inside.add(current)
        for entry in _scan(current, folder, listing):
            _sort_entry(entry, folder, folders, links, listing, any_name)
    listing.photos.sort()
    with_photos = {parent for photo in listing.photos for parent in photo.parents}
    listing.empty = [_below(path, folder) for path in inside - with_photos - {folder}]
    for names in (listing.others, listing.empty, listing.hidden, listing.unreadable, listing.unnameable, listing.again):
        names.sort()
    return listing


def _scan(current: Path, folder: Path, listing: PhotoListing) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(current) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        listing.unreadable.append(_below(current, folder))
        return []


def _sort_entry(
    entry: os.DirEntry[str],
    folder: Path,
    folders: list[Path],
    links: list[Path],
    listing: PhotoListing,
    any_name: bool,
) -> None:
    path = Path(entry.path)
    photo = os.path.splitext(entry.name)[1].lower() in PHOTO_SUFFIXES
    try:
        is_folder = entry.is_dir()
        is_file = not is_folder and entry.is_file()
    except OSError:  # a link in a circle
        is_folder = is_file = False
    if is_hidden(entry.name):
        if photo and is_file:
            listing.hidden.append(_below(path, folder))
    elif not any_name and not is_utf8(entry.name):
        listing.unnameable.append(_below(path, folder))
    elif is_folder:
        (links if entry.is_symlink() else folders).append(path)
    elif entry.is_symlink() and not is_file:
        listing.unreadable.append(_below(path, folder))
    elif photo and is_file:
        listing.photos.append(path)
    else:
        listing.others.append(_below(path, folder))


def is_utf8(name: str) -> bool:
    """Tell whether a file's name is text; Python writes other bytes as lone surrogates."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def _below(path: Path, folder: Path) -> str:
    return escape_controls(path.relative_to(folder).as_posix())


class PhotoFinder:
    """Finds the photos that a table names, by listing folders.

    A name may be a path from `folder`, absolute, or with backslashes; its suffix may be missing or spelt otherwise
    (.JPG, .jpeg). Case is ignored where nothing fits exactly, and so are the zeros before a number. A name that leads
    nowhere is looked for at any depth below the folder: one photo must have it, in a folder of the same name. A path of
    another computer needs a name of at least DISTINCT characters for that, since 1.jpg may be anyone's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: dict[str, dict[str, list[str]]] = {}

    def find(self, name: str) -> Path | None:
        """Return the photo that a name means; None where there is none, or several of that name."""
        name = name.strip().replace("\\", "/")
        if not name or "\0" in name:
            return None
        # Not resolve(): a link to a file elsewhere counts as a photo in this folder.
        path = os.path.normpath(os.path.join(self._folder, name))
        return self._find_exactly(path) or self._find_by_end(name) or self._find_by_number(name)

    def _find_exactly(self, path: str) -> Path | None:
        parent, name = os.path.split(path)
        files = self._list(parent)
        found = files.get(_keys(name)[0], [])
        if name in found:
            return Path(parent, name)
        return Path(parent, min(found, key=_rank_suffix)) if found else None

    def _list(self, folder: str) -> dict[str, list[str]]:
        """List the photos of a folder under their names and stems, in lower case."""
        if folder not in self._listed:
            files: dict[str, list[str]] = {}
            try:
                names = sorted(os.listdir(folder))
            except (OSError, ValueError):  # missing, or a name that no file can have
                names = []
            for name in names:
                if is_photo_name(name) and is_utf8(name):
                    for key in set(_keys(name)):
                        files.setdefault(key, []).append(name)
            self._listed[folder] = files
        return self._listed[folder]

    def _find_by_end(self, name: str) -> Path | None:
        parts = [part for part in PurePosixPath(_fold(name)).parts if part not in ("/", ".")]
        if not parts:
            return None
        found = self._below.get(_keys(parts[-1])[0], [])
        best = max((_count_common(photo, parts) for photo in found), default=0)
        found = [photo for photo in found if _count_common(photo, parts) == best]
        sure = len(found) == 1 and (best or len(parts) == 1 or len(found[0].stem) >= DISTINCT)
        return found[0] if sure else None

    def _find_by_number(self, name: str) -> Path | None:
        """Find 0001.jpg by the 1 that a spreadsheet makes of it, where one photo has that number."""
        stem = _keys(name)[-1]
        found = self._numbered.get(int(stem), []) if _is_number(stem) else []
        return found[0] if len(found) == 1 else None

    @cached_property
    def _numbered(self) -> dict[int, list[Path]]:
        """All photos below the folder whose name is a number."""
        numbered: dict[int, list[Path]] = {}
        for stem, photos in self._below.items():
            if _is_number(stem):
                numbered.setdefault(int(stem), []).extend(photos)
        return numbered

    @cached_property
    def _below(self) -> dict[str, list[Path]]:
        """All photos below the folder under their names and stems, in lower case."""
        files: dict[str, list[Path]] = {}
        for photo in list_photos(self._folder).photos:
            for key in set(_keys(photo.name)):
                files.setdefault(key, []).append(photo)
        return files


def _is_number(stem: str) -> bool:
    return stem.isascii() and stem.isdecimal() and len(stem) <= _MAX_DIGITS


def _fold(name: str) -> str:
    """Ignore case, and whether an accent is stored apart from its letter, as macOS does in names of files."""
    return name.casefold() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def _keys(name: str) -> tuple[str, ...]:
    """Return what a name is found under: with its suffix in one spelling, and without it if that is a photo's."""
    stem, suffix = os.path.splitext(_fold(name))
    if suffix not in PHOTO_SUFFIXES:
        return (_fold(name),)
    return f"{stem}{_SAME_SUFFIX.get(suffix, suffix)}", stem


def _rank_suffix(name: str) -> tuple[int, str]:
    return PHOTO_SUFFIXES.index(os.path.splitext(name)[1].lower()), name


def _count_common(photo: Path, parts: list[str]) -> int:
    """Count how many folders above a photo agree with the last parts of a path."""
    folders = [_fold(part) for part in photo.parent.parts]
    count = 0
    while count < min(len(folders), len(parts) - 1) and folders[-1 - count] == parts[-2 - count]:
        count += 1
    return count


def find_missing(paths: Iterable[object], data_root: Path) -> Flags:
    """Tell which paths of an image table lead to no file below the data root, bool (n,); folders are listed once."""
    listed: dict[str, set[str]] = {}

    def is_missing(path: object) -> bool:
        if not isinstance(path, str):
            return True
        parent, name = os.path.split(os.path.join(data_root, path))
        if parent not in listed:
            try:
                listed[parent] = set(os.listdir(parent))
            except (OSError, ValueError):
                listed[parent] = set()
        return name not in listed[parent]

    return np.fromiter((is_missing(path) for path in paths), dtype=bool)


def require_photos(table: pd.DataFrame, data_root: Path) -> None:
    """Raise DatasetError where photos of a table are not below a data root, with their number, before any work."""
    missing = describe_missing(table, data_root)
    if missing:
        raise DatasetError(f"{missing} Put them there, correct --data, or leave them out of the table.")


def describe_missing(table: pd.DataFrame, data_root: Path) -> str:
    """Return a sentence on the photos of a table that are not below a data root, "" where all are.

    DatasetError where none is: then the root is another's, and whatever looks at the photos would look at nothing.
    """
    missing = find_missing(table["path"], data_root)
    count = int(missing.sum())
    if not count:
        return ""
    first = escape_controls(str(table["path"].array[int(missing.argmax())]))
    if count == len(table):
        raise DatasetError(
            f"None of the {count:,} photos of the table is below {data_root} (the first: {first}). "
            "Correct --data or SKINAPP_DATA."
        )
    return f"{count:,} of {len(table):,} photos are not below {data_root}, the first: {first}."
