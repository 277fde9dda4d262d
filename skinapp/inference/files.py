"""Assess photo files in batches, for the command line and archives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skinapp.datasets.photo_files import list_photos
from skinapp.errors import PhotoError
from skinapp.inference.assessment import Assessment
from skinapp.inference.assessor import Assessor
from skinapp.networks.classifier import batched, prefetch
from skinapp.photo import Photo, read_photo_file


@dataclass(frozen=True)
class FileAnswer:
    """The result for one file: an assessment, or the sentence that says why there is none.

    `was_read` tells a photo that the network has no answer to from a file that cannot be read.
    """

    file: Path
    assessment: Assessment | None
    error: str | None
    was_read: bool = True


def find_photos(paths: Sequence[Path]) -> list[Path]:
    """List the given files as they are, and the photos below the given folders, sorted (see list_photos)."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += list_photos(path, any_name=True).photos
        else:
            files.append(path)
    return files


def assess_files(assessor: Assessor, files: Sequence[Path]) -> Iterator[FileAnswer]:
    """Yield the answers for files in their order, reading ahead while the networks compute."""
    for batch in batched(zip(files, prefetch(_try_read, files), strict=True), assessor.batch_photos):
        photos = [photo for _, photo in batch if isinstance(photo, Photo)]
        assessments = iter(_assess_each(assessor, photos))
        for file, photo in batch:
            answer = next(assessments) if isinstance(photo, Photo) else photo
            if isinstance(answer, Assessment):
                # A folder of photos would fill the memory with maps that nobody looks at.
                yield FileAnswer(file, replace(answer, maps=None), None)
            else:
                yield FileAnswer(file, None, str(answer), isinstance(photo, Photo))


def _assess_each(assessor: Assessor, photos: Sequence[Photo]) -> Sequence[Assessment | PhotoError]:
    """Assess photos together, or one by one where one of them cannot be assessed: the others keep their answer."""
    if not photos:
        return []
    try:
        return assessor.assess_batch(photos)
    except PhotoError:
        return [_try_assess(assessor, photo) for photo in photos]


def _try_assess(assessor: Assessor, photo: Photo) -> Assessment | PhotoError:
    try:
        return assessor.assess(photo)
    except PhotoError as error:
        return error


def _try_read(file: Path) -> Photo | PhotoError:
    try:
        return read_photo_file(file)
    except PhotoError as error:
        return error
