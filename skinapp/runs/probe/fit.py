"""The shortcut probe: how well facts that do not describe the lesion predict its label.

A network can learn from a photo's colour, size or camera instead of the lesion. The probe trains a small model on these
facts alone, predicts every photo of a table, and measures what each fact adds. Where the probe's score comes near a
network's score on the same table, that score says little about the lesions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold

import skinapp
from skinapp.datasets.audit.copies import find_twin_ids_by_hash
from skinapp.datasets.files import Progress, ignore_progress
from skinapp.datasets.splits import assign_groups
from skinapp.datasets.table import get_true_labels
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256
from skinapp.metrics.classification import ClassIndex, Floats, auroc_per_class
from skinapp.runs.predictions import probability_columns
from skinapp.runs.probe.stored import FEATURE_COLUMNS
from skinapp.runs.stored import StoredRun, Versions
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MODEL = "shortcut-probe"
SPLIT = "cross-validated"

FACTS = {
    "colour": ("red", "green", "blue"),
    "brightness": ("brightness",),
    "contrast": ("contrast",),
    "sharpness": ("sharpness",),
    "dark corners": ("dark_corners",),
    "stored size": ("stored_width", "stored_height"),
    "camera": ("camera",),
    "source": ("source",),
}
"""The facts, and the columns of an image table that hold each."""

NOTE = (
    "Predicted from colour, brightness, contrast, sharpness, dark corners, stored size, camera and source alone, never "
    "from the lesion, by models that saw no photo of the same lesion and no near copy. Patients are not recorded."
)

SEED = 2026
FOLDS = 5
_ROUNDS, _LEAVES, _RATE = 40, 15, 0.1
"""A small model, the same for every table: its settings are never tuned on the photos that are reported."""


Row = tuple[str, str, float, float]


@dataclass(frozen=True)
class Probe:
    """A probe's predictions as a run, and what each fact contributes.

    `features` has one row per fact and class, columns FEATURE_COLUMNS: the AUROC (0 to 1) of a model that knows only
    this fact, and the drop in the full model's AUROC when this fact is shuffled among the photos of a fold.
    """

    run: StoredRun
    features: pd.DataFrame


def probe_table(
    table: pd.DataFrame, table_path: Path, task: str, name: str, progress: Progress = ignore_progress
) -> Probe:
    """Predict the label of every labelled photo from trivial facts, with models that saw no photo of its group.

    `task` is "diagnosis" or "malignancy". Photos of one lesion, copies of one file and near copies (by perceptual
    hash) are one group. `progress` is called with the number of models trained and of all models. The same table gives
    the same predictions. Raises DatasetError where there are fewer than two classes, a class has fewer than FOLDS
    groups, or no fact differs between photos.
    """
    truth = get_true_labels(table, task).dropna()
    photos = table.loc[truth.index].reset_index(drop=True)
    classes = _list_classes(truth)
    place = pd.Index(classes).get_indexer(pd.Index(truth))
    groups = assign_groups(photos, find_twin_ids_by_hash(photos))
    facts = _find_varying_facts(photos)
    _check_table(place, groups, classes, facts)
    folds = list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(photos, place, groups))
    steps = (len(facts) + 1) * FOLDS
    whole = _cross_validate(photos, list(facts), place, len(classes), folds, _report_from(0, steps, progress))
    rows = []
    for number, fact in enumerate(facts, start=1):
        done = number * FOLDS
        alone = _cross_validate(photos, [fact], place, len(classes), folds, _report_from(done, steps, progress))
        rows += _measure_fact(fact, classes, place, alone.scores, whole)
    run = _build_run(photos, truth, classes, whole.scores, table_path, name)
    return Probe(run, pd.DataFrame(rows, columns=list(FEATURE_COLUMNS)))


def _report_from(done: int, steps: int, progress: Progress) -> Callable[[int], None]:
    return lambda more: progress(done + more, steps)


@dataclass(frozen=True)
class _Fold:
    """A trained model and the photos it did not see: their indices (n,) and their facts (n, columns)."""

    model: HistGradientBoostingClassifier
    places: ClassIndex
    known: Floats


@dataclass(frozen=True)
class _CrossValidated:
    """The probabilities of each photo, (n, k), from the model that did not see it; the folds and the columns used."""

    scores: Floats
    folds: list[_Fold]
    columns: list[str]


def _cross_validate(
    photos: pd.DataFrame,
    facts: list[str],
    truth: ClassIndex,
    k: int,
    parts: list[tuple[ClassIndex, ClassIndex]],
    progress: Callable[[int], None],
) -> _CrossValidated:
    columns = [column for fact in facts for column in FACTS[fact]]
    known, categorical = _encode_facts(photos[columns])
    scores, folds = np.zeros((len(photos), k)), []
    for done, (seen, unseen) in enumerate(parts, start=1):
        # scikit-learn cannot bin a column that has no value.
        facts_of = np.where(np.isnan(known[seen]).all(axis=0), 0, known)
        model = _build_model(categorical).fit(facts_of[seen], truth[seen])
        folds.append(_Fold(model, unseen, facts_of[unseen]))
        scores[unseen] = _predict(model, facts_of[unseen], k)
        progress(done)
    return _CrossValidated(scores, folds, columns)


def _build_model(categorical: list[bool]) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        max_leaf_nodes=_LEAVES,
        learning_rate=_RATE,
        early_stopping=False,
        categorical_features=categorical,
        random_state=SEED,
    )


def _measure_fact(
    fact: str, classes: tuple[str, ...], truth: ClassIndex, alone: Floats, whole: _CrossValidated
) -> list[Row]:
    """Return the rows of a fact, one per class: its AUROC alone, and the full model's drop when it is shuffled.

    All columns of the fact are shuffled together among the photos of a fold (permutation importance, Breiman 2001).
    """
    random, shuffled = np.random.default_rng(SEED), np.zeros_like(whole.scores)
    places = [whole.columns.index(column) for column in FACTS[fact]]
    for fold in whole.folds:
        known = fold.known.copy()
        known[:, places] = known[random.permutation(len(known))][:, places]
        shuffled[fold.places] = _predict(fold.model, known, len(classes))
    drop = auroc_per_class(truth, whole.scores) - auroc_per_class(truth, shuffled)
    return list(zip([fact] * len(classes), classes, auroc_per_class(truth, alone), drop, strict=True))


def _predict(model: HistGradientBoostingClassifier, known: Floats, k: int) -> Floats:
    """Return a model's probabilities, (n, k), 0 for a class that it was not trained on."""
    scores = np.zeros((len(known), k))
    scores[:, model.classes_] = model.predict_proba(known)
    return scores


def _encode_facts(facts: pd.DataFrame) -> tuple[Floats, list[bool]]:
    """Return facts as numbers, float64 (n, columns), NaN where missing, and which columns are categorical."""
    words = [pd.api.types.is_string_dtype(facts[column]) for column in facts]
    columns = [
        pd.Series(pd.factorize(facts[column], sort=True)[0]).replace(-1, np.nan) if word else facts[column]
        for column, word in zip(facts, words, strict=True)
    ]
    return np.stack([column.to_numpy(dtype=np.float64, na_value=np.nan) for column in columns], axis=1), words


def _list_classes(truth: "pd.Series[str]") -> tuple[str, ...]:
    """Return the labels that occur: those of the taxonomy in its order, then others by name."""
    labels = set(truth)
    known = [label for label in (*CODES, *MALIGNANCY_CLASSES) if label in labels]
    return (*known, *sorted(labels - set(known)))


def _find_varying_facts(photos: pd.DataFrame) -> list[str]:
    """Return the facts that differ between photos; a constant or missing fact teaches nothing."""
    return [
        fact for fact, columns in FACTS.items() if any(photos[column].nunique(dropna=False) > 1 for column in columns)
    ]


def _check_table(place: ClassIndex, groups: npt.NDArray[np.int32], classes: tuple[str, ...], facts: list[str]) -> None:
    if len(classes) < 2:
        raise DatasetError(
            f"A probe needs photos of two or more classes; the table has {len(classes)}. Label more photos."
        )
    counts = pd.Series(groups).groupby(place).nunique()
    few = [classes[label] for label in counts.index[counts < FOLDS]]
    if few:
        raise DatasetError(f"{', '.join(few)}: fewer than {FOLDS} lesions, one for each fold. Leave these photos out.")
    if not facts:
        raise DatasetError("No fact differs between the photos of the table. Index them again with `skinapp index`.")


def _build_run(
    photos: pd.DataFrame, truth: "pd.Series[str]", classes: tuple[str, ...], scores: Floats, path: Path, name: str
) -> StoredRun:
    frame = photos[["image_id"]].assign(lesion_id=photos["lesion_id"].fillna(photos["image_id"]), truth=truth.array)
    frame[probability_columns(classes)] = scores
    return StoredRun(
        name=name,
        model=MODEL,
        classes=classes,
        table=path.stem,
        table_sha256=compute_sha256(path),
        split=SPLIT,
        weights_sha256="",
        weights_kept=False,
        versions=Versions(python_version(), version("torch"), skinapp.__version__),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        note=NOTE,
        frame=frame,
    )
