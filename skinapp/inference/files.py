"""Assess photo files in batches, for the command line and archives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skinapp.errors import PhotoError
from skinapp.inference.assessment import Assessment
from skinapp.inference.assessor import Assessor
from skinapp.networks.classifier import BATCH_PHOTOS, batched, prefetch
from skinapp.photo import PHOTO_SUFFIXES, Photo, read_photo_file


@dataclass(frozen=True)
class FileAnswer:
    """The result for one file: an assessment, or the sentence that says why there is none."""

    file: Path
    assessment: Assessment | None
    error: str | None


def find_photos(paths: Sequence[Path]) -> list[Path]:
    """List the given files as they are, and the photos below the given folders by suffix, sorted."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES and p.is_file())
        else:
            files.append(path)
    return files


def assess_files(assessor: Assessor, files: Sequence[Path]) -> Iterator[FileAnswer]:
    """Yield the answers for files in their order, reading ahead while the networks compute."""
    for batch in batched(zip(files, prefetch(_try_read, files), strict=True), BATCH_PHOTOS):
        photos = [photo for _, photo in batch if isinstance(photo, Photo)]
        assessments = iter(assessor.assess_batch(photos) if photos else [])
        for file, photo in batch:
            if isinstance(photo, Photo):
                yield FileAnswer(file, next(assessments), None)
            else:
                yield FileAnswer(file, None, str(photo))


def _try_read(file: Path) -> Photo | PhotoError:
    try:
        return read_photo_file(file)
    except PhotoError as error:
        return error
