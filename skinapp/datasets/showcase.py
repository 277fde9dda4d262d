"""The photos that the page offers as examples: from a folder, from the cache, or from the public ISIC Archive by id."""

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

from skinapp.errors import ExampleError, PhotoError
from skinapp.files import written_aside
from skinapp.photo import MAX_BYTES, PHOTO_SUFFIXES, photo_bytes, read_photo
from skinapp.taxonomy import CODES

ARCHIVE_URL = "https://api.isic-archive.com/api/v2/images/"
"""The archive's address of one photo, to which its id and a slash are added."""

FOLDER_VARIABLE = "SKINAPP_EXAMPLES"
"""The environment variable that names a folder with the example photos, for places without a network."""

TIMEOUT_S = 10.0
"""How long each step of a request (connect, send, next bytes) may take, in seconds."""

DOWNLOAD_S = 60.0
"""How long one download may take as a whole, in seconds."""

_MAX_ANSWER_BYTES = 1024 * 1024
_ID = re.compile(r"(ISIC_\d{7})(_downsampled)?", re.ASCII)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_WAY_OUT = f"upload a photo of your own, or set {FOLDER_VARIABLE} to a folder that holds this one"


@dataclass(frozen=True)
class Example:
    """One photo of the showcase; `diagnosis` is a code of taxonomy, to be shown only after the answer."""

    image_id: str
    diagnosis: str


@dataclass(frozen=True)
class ExamplePhoto:
    """The bytes of an example's photo, checked to be readable, and whom to name beside it."""

    data: bytes
    attribution: str


def read_showcase(path: Path) -> tuple[Example, ...]:
    """Read the showcase from a CSV with at least the columns image_id and diagnosis, in the order of its rows.

    ExampleError where the file is missing, holds no row, or has an id or diagnosis that is unknown or given twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ExampleError(f"The list of examples, {path}, cannot be read ({error}). Restore it.") from error
    if not rows or not {"image_id", "diagnosis"} <= rows[0].keys():
        raise ExampleError(
            f"{path} lists no examples. It needs the columns image_id and diagnosis, and a row for each."
        )
    examples = tuple(Example(row["image_id"] or "", row["diagnosis"] or "") for row in rows)
    for line, example in enumerate(examples, start=2):
        if not _ID.fullmatch(example.image_id) or example.diagnosis not in CODES:
            raise ExampleError(
                f"{path}, row {line}: {example.image_id!r} with {example.diagnosis!r} is no example here."
            )
    if len({example.image_id for example in examples}) < len(examples):
        raise ExampleError(f"{path} lists a photo twice. Keep one row for each image_id.")
    return examples


def examples_folder() -> Path | None:
    """Return the folder that the environment names for example photos, None where it names none."""
    folder = os.environ.get(FOLDER_VARIABLE, "").strip()
    return Path(folder).expanduser() if folder else None


def fetch_example(
    image_id: str, folder: Path | None, cache: Path | None = None, archive: str = ARCHIVE_URL
) -> ExamplePhoto:
    """Return the photo of an ISIC id; ExampleError says in one sentence why it cannot be had and what to do.

    Where `folder` is given, it alone is searched, itself and one level below. Otherwise the photo comes from `cache`
    (by default the user's) or else from `archive`, over https, checked like an upload and then cached.
    """
    known = _ID.fullmatch(image_id)
    if known is None:
        raise ExampleError(f"{image_id!r} is not the id of an ISIC photo: choose one of the examples offered.")
    if folder is not None:
        return _from_folder(image_id, folder)
    cache = cache if cache is not None else platformdirs.user_cache_path("skinapp") / "examples"
    cached = _from_cache(known[1], cache)
    if cached is not None:
        return cached
    fetched = _from_archive(known[1], archive)
    _store(known[1], fetched, cache)
    return fetched


def _from_folder(image_id: str, folder: Path) -> ExamplePhoto:
    try:
        places = (folder, *sorted(place for place in folder.iterdir() if place.is_dir()))
    except OSError as error:
        raise ExampleError(
            f"The folder of examples, {folder}, cannot be read: set {FOLDER_VARIABLE} to one that can, or unset it."
        ) from error
    # By suffix first: masks of the lesions, PNG under the same names, often lie beside the photos.
    names = [image_id + spelt for suffix in PHOTO_SUFFIXES for spelt in (suffix, suffix.upper())]
    file = next((place / name for name in names for place in places if (place / name).is_file()), None)
    if file is None:
        raise ExampleError(
            f"No photo of {image_id} lies in {folder}: put it there, unset {FOLDER_VARIABLE} "
            "to fetch it from the ISIC Archive, or upload a photo of your own."
        )
    try:
        data = photo_bytes(file)
        read_photo(data)
    except PhotoError as error:
        raise ExampleError(f"{file} cannot be used as an example: {error}") from error
    return ExamplePhoto(data, f"{image_id}, ISIC Archive")


class _File(BaseModel):
    url: str


class _Files(BaseModel):
    full: _File


class _ArchiveImage(BaseModel):
    """What is used of the archive's answer for one photo, which holds more."""

    attribution: str
    copyright_license: str
    files: _Files


def _from_archive(isic_id: str, archive: str) -> ExamplePhoto:
    unusable = f"The ISIC Archive's answer for {isic_id} cannot be used: try again later, or {_WAY_OUT}."
    try:
        with _client(archive) as client:
            answer = _ArchiveImage.model_validate_json(_get(client, f"{archive}{isic_id}/", _MAX_ANSWER_BYTES))
            data = _get(client, answer.files.full.url, MAX_BYTES)
        read_photo(data)
    except httpx.HTTPStatusError as error:
        if error.response.status_code in (404, 410):
            raise ExampleError(
                f"The ISIC Archive no longer offers {isic_id}: choose another, or {_WAY_OUT}."
            ) from error
        raise ExampleError(unusable) from error
    except (_UnusableError, httpx.InvalidURL, httpx.DecodingError, ValidationError, PhotoError) as error:
        raise ExampleError(unusable) from error
    except httpx.HTTPError as error:
        raise ExampleError(f"The ISIC Archive cannot be reached from here: {_WAY_OUT}.") from error
    return ExamplePhoto(data, f"{isic_id}, {answer.attribution}, {answer.copyright_license}, ISIC Archive")


class _UnusableError(Exception):
    """An answer that is too large, too slow, or would come over an open line."""


def _client(archive: str) -> httpx.Client:
    """Make a client that asks over https alone, redirects included, or on this machine where the archive is there."""
    local = httpx.URL(archive).host in _LOOPBACK

    def refuse_open_line(request: httpx.Request) -> None:
        if request.url.scheme != "https" and not (local and request.url.host in _LOOPBACK):
            raise _UnusableError(f"{request.url.scheme} is not https")

    hooks: dict[str, list[Callable[..., None]]] = {"request": [refuse_open_line]}
    return httpx.Client(timeout=TIMEOUT_S, follow_redirects=True, max_redirects=5, event_hooks=hooks)


def _get(client: httpx.Client, url: str, max_bytes: int) -> bytes:
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
    """What lies beside a cached photo; written after it, so that a note means a whole photo."""

    attribution: str
    sha256: str


def _from_cache(isic_id: str, cache: Path) -> ExamplePhoto | None:
    """Return a cached photo, None where there is none or it is not as it was stored."""
    try:
        note = _CacheNote(**json.loads((cache / f"{isic_id}.json").read_text(encoding="utf-8")))
        data = (cache / f"{isic_id}.photo").read_bytes()
    except (OSError, ValueError, TypeError):
        return None
    return ExamplePhoto(data, note.attribution) if sha256(data).hexdigest() == note.sha256 else None


def _store(isic_id: str, photo: ExamplePhoto, cache: Path) -> None:
    note = json.dumps(asdict(_CacheNote(photo.attribution, sha256(photo.data).hexdigest())))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for suffix, content in (("photo", photo.data), ("json", note.encode())):
            with written_aside(cache / f"{isic_id}.{suffix}") as aside:
                aside.write_bytes(content)
    except OSError:
        return  # a full or read-only disk costs the next visitor a download, not this one the photo
