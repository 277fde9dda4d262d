"""The example photos of the app, from a folder, the cache, or the public ISIC Archive by id.

The list is drawn by `skinapp showcase` before the split. Do not add a photo by hand: networks may have been trained on
it.
"""

import csv
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import httpx
import platformdirs
from pydantic import BaseModel, ValidationError

from skinapp.errors import ExampleError, PhotoError, SkinAppError
from skinapp.files import replace_file
from skinapp.photo import MAX_BYTES, PHOTO_SUFFIXES, read_photo, read_photo_bytes
from skinapp.taxonomy import CODES

ARCHIVE_URL = "https://api.isic-archive.com/api/v2/images/"
"""Address of a photo in the archive, before its id and a slash."""

FOLDER_VARIABLE = "SKINAPP_EXAMPLES"
"""Environment variable that names a folder of example photos, for use without a network."""

HAM10000 = "ham10000"
"""The folder of the photos in the data root."""

TIMEOUT_S = 10.0
"""Limit for each step of a request (connect, send, next bytes), in seconds."""

DOWNLOAD_S = 60.0
"""Limit for one whole download, in seconds."""

_MAX_RESPONSE_BYTES = 1024 * 1024
_ID = re.compile(r"(ISIC_\d{7})(_downsampled)?", re.ASCII)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_OTHER_WAYS = f"upload your own photo, or set {FOLDER_VARIABLE} to a folder that holds this one"


@dataclass(frozen=True)
class Example:
    """One photo of the showcase; `diagnosis` is a code of skinapp.taxonomy, to be shown only after the answer."""

    image_id: str
    diagnosis: str


@dataclass(frozen=True)
class ExamplePhoto:
    """The bytes of an example, checked to be a readable photo, and the attribution to show beside it."""

    data: bytes
    attribution: str


def read_showcase(path: Path) -> tuple[Example, ...]:
    """Read the showcase from a CSV with at least the columns image_id and diagnosis, in the order of its rows.

    ExampleError if the file is missing or has no rows, an id or diagnosis is invalid, or an id is repeated.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ExampleError(f"The list of examples, {path}, cannot be read ({error}). Restore it.") from error
    if not rows or not {"image_id", "diagnosis"} <= rows[0].keys():
        raise ExampleError(
            f"{path} lists no examples. It needs the columns image_id and diagnosis, and one row per photo."
        )
    examples = tuple(Example(row["image_id"] or "", row["diagnosis"] or "") for row in rows)
    for line, example in enumerate(examples, start=2):
        if not _ID.fullmatch(example.image_id) or example.diagnosis not in CODES:
            raise ExampleError(
                f"{path}, row {line}: {example.image_id!r} with {example.diagnosis!r} is not a valid example."
            )
    if len({example.image_id for example in examples}) < len(examples):
        raise ExampleError(f"{path} lists a photo twice. Keep one row per image_id.")
    return examples


def get_examples_folder() -> Path | None:
    """Return the folder of example photos that the environment names, or None."""
    folder = os.environ.get(FOLDER_VARIABLE, "").strip()
    return Path(folder).expanduser() if folder else None


def fetch_example(
    image_id: str,
    folder: Path | None,
    cache: Path | None = None,
    archive: str = ARCHIVE_URL,
    data_root: Path | None = None,
) -> ExamplePhoto:
    """Return the photo with an ISIC id; ExampleError says in one sentence why it is not available and what to do.

    If `folder` is given, only it and the folders directly below it are searched. Otherwise the photo comes from
    HAM10000 in `data_root`, from `cache` (by default the user's), or from `archive` over https; it is then checked like
    an upload and cached.
    """
    match = _ID.fullmatch(image_id)
    if match is None:
        raise ExampleError(f"{image_id!r} is not the id of an ISIC photo: choose one of the examples.")
    if folder is not None:
        return _read_from_folder(image_id, folder)
    if data_root is not None and _find_file(image_id, data_root / HAM10000) is not None:
        return _read_from_folder(image_id, data_root / HAM10000)
    cache = cache if cache is not None else _get_cache()
    cached = _read_from_cache(match[1], cache)
    if cached is not None:
        return cached
    fetched = _fetch_from_archive(match[1], archive)
    _store_in_cache(match[1], fetched, cache)
    return fetched


def find_example(
    image_id: str, folder: Path | None, file: Path | None = None, cache: Path | None = None
) -> ExamplePhoto | None:
    """Return the photo with an ISIC id that is at hand without the network, or None: a page may open with it.

    It comes from `folder`, as in `fetch_example`, from `file`, its place in the data root, or from the `cache`.
    """
    try:
        if folder is not None:
            return _read_from_folder(image_id, folder)
        if file is not None and file.is_file():
            return _read_file(image_id, file)
    except ExampleError:
        return None
    return _read_from_cache(image_id.removesuffix("_downsampled"), cache or _get_cache())


def _get_cache() -> Path:
    return platformdirs.user_cache_path("skinapp") / "examples"


def _read_from_folder(image_id: str, folder: Path) -> ExamplePhoto:
    if not folder.is_dir():
        raise ExampleError(
            f"The folder of examples, {folder}, cannot be read: set {FOLDER_VARIABLE} to another folder, or unset it."
        )
    file = _find_file(image_id, folder)
    if file is None:
        raise ExampleError(
            f"{folder} has no photo of {image_id}: put it there, unset {FOLDER_VARIABLE} "
            "to fetch it from the ISIC Archive, or upload your own photo."
        )
    return _read_file(image_id, file)


def _read_file(image_id: str, file: Path) -> ExamplePhoto:
    try:
        data = read_photo_bytes(file)
        read_photo(data)
    except PhotoError as error:
        raise ExampleError(f"{file} cannot be used as an example: {error}") from error
    return ExamplePhoto(data, f"{image_id}, ISIC Archive")


def _find_file(image_id: str, folder: Path) -> Path | None:
    """Return the photo of an id in a folder or in one directly below it, or None."""
    try:
        folders = (folder, *sorted(path for path in folder.iterdir() if path.is_dir()))
    except OSError:
        return None
    # Sorted by suffix first: lesion masks, PNG files with the same names, are often stored beside the photos.
    names = [image_id + spelling for suffix in PHOTO_SUFFIXES for spelling in (suffix, suffix.upper())]
    return next((path / name for name in names for path in folders if (path / name).is_file()), None)


class _File(BaseModel):
    url: str


class _Files(BaseModel):
    full: _File


class _ArchiveImage(BaseModel):
    """The fields that are used of the archive's response for one photo."""

    attribution: str
    copyright_license: str
    files: _Files


def _fetch_from_archive(isic_id: str, archive: str) -> ExamplePhoto:
    unusable = f"The ISIC Archive's response for {isic_id} cannot be used: try again later, or {_OTHER_WAYS}."
    try:
        with _open_client(archive) as client:
            image = _ArchiveImage.model_validate_json(_download(client, f"{archive}{isic_id}/", _MAX_RESPONSE_BYTES))
            data = _download(client, image.files.full.url, MAX_BYTES)
        read_photo(data)
    except httpx.HTTPStatusError as error:
        if error.response.status_code in (404, 410):
            raise ExampleError(
                f"The ISIC Archive no longer offers {isic_id}: choose another, or {_OTHER_WAYS}."
            ) from error
        raise ExampleError(unusable) from error
    except (_UnusableError, httpx.InvalidURL, httpx.DecodingError, ValidationError, PhotoError) as error:
        raise ExampleError(unusable) from error
    except httpx.HTTPError as error:
        raise ExampleError(f"The ISIC Archive cannot be reached from here: {_OTHER_WAYS}.") from error
    return ExamplePhoto(data, f"{isic_id}, {image.attribution}, {image.copyright_license}, ISIC Archive")


class _UnusableError(Exception):
    """A response that is too large, too slow, or not over https."""


def _open_client(archive: str) -> httpx.Client:
    """Open a client that allows only https, redirects included; or plain http if the archive is on this machine."""
    local = httpx.URL(archive).host in _LOOPBACK

    def refuse_plain_http(request: httpx.Request) -> None:
        if request.url.scheme != "https" and not (local and request.url.host in _LOOPBACK):
            raise _UnusableError(f"{request.url.scheme} is not https")

    hooks: dict[str, list[Callable[..., None]]] = {"request": [refuse_plain_http]}
    return httpx.Client(timeout=TIMEOUT_S, follow_redirects=True, max_redirects=5, event_hooks=hooks)


def _download(client: httpx.Client, url: str, max_bytes: int) -> bytes:
    deadline_s = time.monotonic() + DOWNLOAD_S
    body = bytearray()
    with client.stream("GET", url) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > max_bytes or time.monotonic() > deadline_s:
                raise _UnusableError(f"more than {max_bytes} bytes or {DOWNLOAD_S} s")
    return bytes(body)


@dataclass(frozen=True)
class _CacheNote:
    """The note beside a cached photo; it is written last, so a note means that the photo is complete."""

    attribution: str
    sha256: str


def _read_from_cache(isic_id: str, cache: Path) -> ExamplePhoto | None:
    """Return a cached photo, or None if there is none or its hash is wrong."""
    try:
        note = _CacheNote(**json.loads((cache / f"{isic_id}.json").read_text(encoding="utf-8")))
        data = (cache / f"{isic_id}.photo").read_bytes()
    except (OSError, ValueError, TypeError):
        return None
    return ExamplePhoto(data, note.attribution) if sha256(data).hexdigest() == note.sha256 else None


def _store_in_cache(isic_id: str, photo: ExamplePhoto, cache: Path) -> None:
    note = json.dumps(asdict(_CacheNote(photo.attribution, sha256(photo.data).hexdigest())))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for suffix, content in (("photo", photo.data), ("json", note.encode())):
            with replace_file(cache / f"{isic_id}.{suffix}") as aside:
                aside.write_bytes(content)
    except (OSError, SkinAppError):
        return  # a full or read-only disk only means that the next visitor downloads again
