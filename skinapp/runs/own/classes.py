"""The classes of uploaded predictions: what their names mean here, and which of them are malignant.

A name that is one of the known labels, or means one of them in a published data set (skinapp.text_tables.label_words),
becomes that label, unless two names would: "SCCKA" is scc, but "seborrheic keratosis" and "pigmented benign keratosis"
stay two classes. A class without a known label keeps its name; whether it is malignant is published for some, as for
MAL_OTH, and must be said by the owner for all others.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from skinapp.datasets.columns import TRUTHS, quote
from skinapp.datasets.labels import KNOWN_LABELS, find_malignancy, translate_label
from skinapp.errors import RunError
from skinapp.formatting import shorten_list
from skinapp.metrics.classification import malignant_mask
from skinapp.runs.own.table import LONGEST_NAME, PLAIN, Problems, is_plain
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.taxonomy import BENIGN, CODES, MALIGNANCY_CLASSES, MALIGNANT, get_class_name

MAX_CLASSES = 50

Meanings = Mapping[str, str]
"""What the owner says of classes, by their names in lower case: one of the eight codes to merge a class into it, or
"malignant" or "benign"."""


@dataclass(frozen=True, eq=False)
class ClassNames:
    """The classes of a file: their `words` there and their `labels` here, one for each column, in the file's order.

    `stated` tells of labels outside the taxonomy whether they are malignant, where that is published. `notes` say what
    was translated.
    """

    words: tuple[str, ...]
    labels: tuple[str, ...]
    stated: Mapping[str, bool]
    notes: tuple[str, ...]


def name_classes(words: Sequence[str], meanings: Meanings, problems: Problems) -> ClassNames:
    """Return the labels of classes; names in `meanings` keep theirs. Unusable names are added to the problems."""
    plain = [" ".join(word.split()) for word in words]
    fixed = {word: word.casefold() for word in plain if word.casefold() in KNOWN_LABELS and not _is_in(word, meanings)}
    meant = {
        word: label
        for word in plain
        if word not in fixed and not _is_in(word, meanings) and (label := translate_label(word, {})) in KNOWN_LABELS
    }
    times = Counter([*fixed.values(), *meant.values()])
    renamed = {word: label for word, label in meant.items() if times[label] == 1}
    labels = [(fixed | renamed).get(word, word) for word in plain]
    _check_names(labels, problems)
    stated = {
        label: malignant
        for word, label in zip(plain, labels, strict=True)
        if label not in KNOWN_LABELS and not _is_in(word, meanings) and (malignant := find_malignancy(word)) is not None
    }
    notes = []
    if renamed:
        notes.append(f"Read {shorten_list((f'{word} as {label}' for word, label in renamed.items()), 12)}.")
    if stated:
        said = (f"{label} as {MALIGNANT if malignant else BENIGN}" for label, malignant in stated.items())
        notes.append(f"Counted {shorten_list(said, 12)}, as their data sets do.")
    return ClassNames(tuple(plain), tuple(labels), stated, tuple(notes))


def make_truth_reader(names: ClassNames, meanings: Meanings) -> Callable[[str], str | None]:
    """Return a function that gives the label that a word of the truth means, or None where it means no class."""
    own = {label.casefold(): label for label in names.labels}
    own |= {word.casefold(): label for word, label in zip(names.words, names.labels, strict=True)}
    for word, meaning in meanings.items():
        if word in own:
            own.setdefault(meaning, own[word])
        elif meaning in own:
            own[word] = own[meaning]
    return partial(_read_truth, own=own, binary=set(names.labels) == set(MALIGNANCY_CLASSES))


def state_classes(run: Predictions, meanings: Meanings) -> Predictions:
    """Return predictions with what their owner says of their classes: merged into one of the eight, or stated."""
    said = {label: meanings[label.casefold()] for label in run.classes if label.casefold() in meanings}
    stated = dict(run.stated) | {
        label: meaning == MALIGNANT for label, meaning in said.items() if meaning in MALIGNANCY_CLASSES
    }
    into = {label: meaning for label, meaning in said.items() if meaning in CODES}
    if not into:
        return replace(run, stated=stated)
    target = [into.get(label, label) for label in run.classes]
    classes = sort_labels(target)
    summed = run.probabilities() @ np.array([[label == to for to in classes] for label in target], dtype=np.float64)
    frame = run.frame.drop(columns=probability_columns(run.classes))
    frame["truth"] = run.frame["truth"].map(dict(zip(run.classes, target, strict=True))).astype("string")
    scores = pd.DataFrame(np.minimum(summed, 1), columns=probability_columns(classes), index=frame.index)
    stated = {label: malignant for label, malignant in stated.items() if label in classes}
    return replace(run, classes=classes, frame=frame.join(scores), stated=stated)


def find_unknown_classes(run: Predictions) -> tuple[str, ...]:
    """Return the classes of which it is not known whether they are malignant."""
    return tuple(label for label in run.classes if malignant_mask((label,), run.stated) is None)


def describe_unknown_classes(run: Predictions) -> str:
    """Say which classes are unknown and what that means; an empty string where there are none."""
    unknown = find_unknown_classes(run)
    if not unknown:
        return ""
    named = shorten_list(map(quote, unknown), 12)
    return (
        f"It is not known whether {named} {'is' if len(unknown) == 1 else 'are'} malignant, so no figure of malignancy "
        "is shown."
    )


def parse_meaning(word: str) -> str:
    """Return the meaning that a word stands for: a code of the eight, "malignant" or "benign"; RunError for others."""
    label = translate_label(word, {})
    if label not in KNOWN_LABELS:
        raise RunError(f"{quote(word)} is not a class to map to. Use one of {', '.join(KNOWN_LABELS)}.")
    return label


def describe_meaning(meaning: str) -> str:
    """Return a meaning in words: "Malignant", "Benign", "The same as Melanoma"."""
    return get_class_name(meaning) if meaning in MALIGNANCY_CLASSES else f"The same as {get_class_name(meaning)}"


def sort_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return each label once: the known ones first, in the order of the taxonomy, then the others as they come."""
    known = {label: place for place, label in enumerate(KNOWN_LABELS)}
    return tuple(sorted(dict.fromkeys(labels), key=lambda label: known.get(label, len(known))))


def _is_in(word: str, meanings: Meanings) -> bool:
    return word.casefold() in meanings


def _read_truth(word: str, own: Mapping[str, str], binary: bool) -> str | None:
    plain = " ".join(word.split()).casefold()
    if plain in own:
        return own[plain]
    translated = translate_label(word, {})
    if translated in own:
        return own[translated]
    if not binary:
        return None
    malignant = TRUTHS.get(plain, find_malignancy(word))
    return None if malignant is None else MALIGNANT if malignant else BENIGN


def _check_names(labels: Sequence[str], problems: Problems) -> None:
    if len(labels) > MAX_CLASSES:
        problems.add(f"has {len(labels)} classes, more than {MAX_CLASSES}. Merge some of them.")
    for label in labels:
        if not is_plain(label):
            problems.add(
                f"has the class {quote(label)}. Name it with at most {LONGEST_NAME} letters, digits, blanks and "
                f"{PLAIN.strip()}"
            )
    times = Counter(label.casefold() for label in labels)
    for label in [label for label, number in times.items() if number > 1]:
        problems.add(f"has {times[label]} columns for the class {quote(label)}. Keep one of them.")
