"""A teacher's stored answers: computed once on whole training photos, then learned from in every epoch.

The file is Parquet: one row per photo with its `image_id` and the `sha256` of its file, and one column of probabilities
per class of each head ("lesion_type:mel"). Its metadata says which model answered. It is kept outside the repository.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from skinapp.datasets.files import Progress, ignore_progress
from skinapp.datasets.photo_files import require_photos
from skinapp.errors import ModelError
from skinapp.files import replace_file
from skinapp.formatting import clean_text
from skinapp.inference.table import predict_files
from skinapp.models.card import Card, InitialWeights, Task
from skinapp.networks.classifier import Classifier

_TEACHER = b"skinapp.teacher"
_BLOCK = 256
"""Photos answered between two writings of the file: what an interruption loses at most."""

_KEYS = ["image_id", "sha256"]


@dataclass(frozen=True, eq=False)
class StoredAnswers:
    """Who answered, and the frame of answers: image_id, sha256 and float32 probabilities, as in the file."""

    teacher: InitialWeights
    frame: pd.DataFrame


def write_answers(
    classifier: Classifier, photos: pd.DataFrame, output: Path, data_root: Path, progress: Progress
) -> StoredAnswers:
    """Store a model's calibrated probabilities for each photo of an image table that the file lacks.

    The file is written after every _BLOCK photos, so an interrupted call goes on where it was. Raises ModelError where
    the file holds another model's answers, DatasetError where photos are missing, PhotoError where one cannot be read.
    """
    teacher = describe_teacher(classifier.card)
    done = read_answers(output) if output.exists() else StoredAnswers(teacher, pd.DataFrame(columns=_KEYS))
    if done.teacher != teacher:
        raise ModelError(
            f"{output} holds the answers of {done.teacher.name} with other weights than those of {teacher.name} now. "
            "Name another file with -o."
        )
    missing = photos[~photos["sha256"].isin(done.frame["sha256"])].drop_duplicates("sha256")
    if missing.empty:
        return done
    require_photos(missing, data_root)
    for start in range(0, len(missing), _BLOCK):
        part = missing.iloc[start : start + _BLOCK]
        frames = [frame for frame in (done.frame, _answer(classifier, part, data_root)) if len(frame)]
        done = StoredAnswers(teacher, pd.concat(frames, ignore_index=True))
        _write(done, output)
        progress(start + len(part), len(missing))
    return done


def read_answers(path: Path) -> StoredAnswers:
    """Read stored answers; ModelError where the file is missing or holds something else."""
    try:
        table = pq.read_table(path)
        teacher = InitialWeights.model_validate_json((table.schema.metadata or {})[_TEACHER])
        frame = table.to_pandas()
    except FileNotFoundError as error:
        raise ModelError(f"There are no stored answers at {path}. Make them with `skinapp teach`.") from error
    except (OSError, ValueError, LookupError) as error:
        raise ModelError(
            f"{path} holds no answers of a teacher ({clean_text(str(error), 200)}). Make it anew with `skinapp teach`."
        ) from error
    return StoredAnswers(teacher, frame)


def arrange_answers(answers: StoredAnswers, photos: pd.DataFrame, heads: Mapping[Task, Sequence[str]]) -> np.ndarray:
    """Return the answers for photos in their order, float32 (n, classes of all heads); NaN where none is stored.

    The columns are those of `heads` in order. A photo is known by its sha256. ModelError where a class was not asked.
    """
    columns = [name_column(task, label) for task, classes in heads.items() for label in classes]
    if lacking := [column for column in columns if column not in answers.frame.columns]:
        raise ModelError(
            f"The stored answers of {answers.teacher.name} lack {', '.join(lacking)}. "
            "Take a teacher with the recipe's classes."
        )
    by_photo = answers.frame.drop_duplicates("sha256").set_index("sha256")[columns]
    return by_photo.reindex(photos["sha256"]).to_numpy(np.float32, copy=True)  # torch wants to own it


def describe_teacher(card: Card) -> InitialWeights:
    """Return the name, hash and licence of a teacher, for the card of its student."""
    return InitialWeights(name=card.id, sha256=card.weights_sha256, licence=card.licence)


def name_column(task: str, label: str) -> str:
    """Name the column with a class's probabilities."""
    return f"{task}:{label}"


def _answer(classifier: Classifier, photos: pd.DataFrame, data_root: Path) -> pd.DataFrame:
    probabilities = predict_files(classifier, [data_root / path for path in photos["path"]], ignore_progress)
    columns = [name_column(head.name, label) for head in classifier.card.heads for label in head.classes]
    scores = pd.DataFrame(np.concatenate(probabilities, axis=1).astype(np.float32), columns=columns)
    return pd.concat([photos[_KEYS].reset_index(drop=True), scores], axis=1)


def _write(answers: StoredAnswers, path: Path) -> None:
    table = pa.Table.from_pandas(answers.frame, preserve_index=False)
    metadata = (table.schema.metadata or {}) | {_TEACHER: answers.teacher.model_dump_json().encode()}
    with replace_file(path) as aside:
        pq.write_table(table.replace_schema_metadata(metadata), aside, compression="zstd")
