"""Photo files -> answers, in batches: what the command line and archives use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skinapp.errors import PhotoError
from skinapp.inference.assessment import Assessment
from skinapp.inference.assessor import Assessor
from skinapp.networks.classifier import BATCH_PHOTOS, in_batches, prefetched
from skinapp.photo import PHOTO_SUFFIXES, Photo, read_photo_file


@dataclass(frozen=True)
class FileAnswer:
    """What became of one file: an assessment, or the sentence that says why there is none."""

    file: Path
    assessment: Assessment | None
    error: str | None


def find_photos(paths: Sequence[Path]) -> list[Path]:
    """List files as given, and every photo below the given folders in sorted order, by suffix."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES and p.is_file())
        else:
            found.append(path)
    return found


def assess_files(assessor: Assessor, files: Sequence[Path]) -> Iterator[FileAnswer]:
    """Answer files in their order, reading ahead while the networks compute; refused files get their sentence."""
    for batch in in_batches(zip(files, prefetched(_read, files), strict=True), BATCH_PHOTOS):
        photos = [photo for _, photo in batch if isinstance(photo, Photo)]
        answers = iter(assessor.assess_batch(photos) if photos else [])
        for file, photo in batch:
            if isinstance(photo, Photo):
                yield FileAnswer(file, next(answers), None)
            else:
                yield FileAnswer(file, None, str(photo))


def _read(file: Path) -> Photo | PhotoError:
    try:
        return read_photo_file(file)
    except PhotoError as error:
        return error
