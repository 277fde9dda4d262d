"""Step 3: the same network measured on photos that were held out in three ways."""

import pandas as pd

from skinapp.story.experiments import FoundRuns, StoredExperiments, absent
from skinapp.story.parts import NOT_YET, Forest, ScoredPhoto, Source, Step, compared, overlap, percent, rows, shown

WAYS = {"photo": "by photo", "class": "by class", "lesion": "by lesion"}
RESNET = {way: Source(f"ham10000-seven-by-{way}", "validation") for way in WAYS}
SMALL = {way: Source(f"small-cnn-by-{way}", "test") for way in WAYS}
TITLE = "Ask which photos were held out"
FIGURES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


def step(shelf: StoredExperiments) -> Step:
    """Compare three splits: 20% of photos, 20% of each class's photos, 20% of lesions."""
    taken, small = shelf.take(RESNET.values()), shelf.take(SMALL.values())
    differs = (
        f"One recipe, three draws ({shelf.how(RESNET['lesion'].experiment)}): the held-out photos are not the same, "
        f"so part of a difference is the draw. {_siblings(shelf, taken)}".strip()
    )
    answers = (
        ScoredPhoto("A5", _in_words(taken, RESNET) + _against_photo(taken), _photos(taken, RESNET), differs),
        ScoredPhoto(
            "B2",
            _in_words(small, SMALL),
            _photos(small, SMALL),
            "The small network of step 7. Seed 101 by photo draws what its code drew; its text is by class; "
            "by lesion is ours. Showcase photos stay out.",
        ),
    )
    missing = absent(taken, small)
    if not taken.has(*RESNET.values()):
        return Step(TITLE, answers, differs=differs, missing=missing)
    return Step(
        TITLE,
        answers,
        tuple(shown(f"Macro F1 {words}", taken.found[RESNET[way]].figure("macro_f1")) for way, words in WAYS.items()),
        Forest(_rows(taken), "Accuracy and macro F1"),
        _lesson(taken),
        differs,
        missing,
    )


def _in_words(taken: FoundRuns, sources: dict[str, Source]) -> str:
    known = {WAYS[way]: taken.found[source] for way, source in sources.items() if taken.has(source)}
    said = [
        f"{words}: accuracy {percent(one.figure('accuracy'))}, macro F1 {percent(one.figure('macro_f1'))}"
        for words, one in known.items()
    ]
    return "; ".join(said) or NOT_YET


def _against_photo(taken: FoundRuns) -> str:
    if not taken.has(*RESNET.values()):
        return ""
    by_photo = taken.found[RESNET["photo"]].figure("macro_f1")
    said = [
        f"{WAYS[way]} {compared(taken.found[RESNET[way]].figure('macro_f1'), by_photo)}" for way in ("class", "lesion")
    ]
    return f"; macro F1 against that by photo: {', '.join(said)}"


def _photos(taken: FoundRuns, sources: dict[str, Source]) -> str:
    return "; ".join(
        f"{WAYS[way]}: {taken.found[source].photos()}" for way, source in sources.items() if taken.has(source)
    )


def _rows(taken: FoundRuns) -> pd.DataFrame:
    return rows(
        (name, words, taken.found[RESNET[way]].figure(figure))
        for figure, name in FIGURES.items()
        for way, words in WAYS.items()
    )


def _siblings(shelf: StoredExperiments, taken: FoundRuns) -> str:
    """Say how many of the photos held out by photo show a lesion that was trained on."""
    source = RESNET["photo"]
    if not taken.has(source):
        return ""
    held = taken.found[source].run.predictions
    table = shelf.table("ham10000")
    trained = table[~table["image_id"].isin(held["image_id"]) & (table["split"] != "showcase").fillna(True)]
    share = held["lesion_id"].isin(trained["lesion_id"]).mean()
    return f"By photo, {share:.0%} of the photos held out show a lesion of which another photo was trained on."


def _lesson(taken: FoundRuns) -> str:
    by_photo, by_lesion = (taken.found[RESNET[way]] for way in ("photo", "lesion"))
    f1 = by_lesion.figure("macro_f1"), by_photo.figure("macro_f1")
    hits = by_lesion.figure("accuracy"), by_photo.figure("accuracy")
    said = f"held out by lesion, macro F1 is {compared(*f1)}, and accuracy is {compared(*hits)}"
    lower = [now.value < before.value and not overlap(now, before) for now, before in (f1, hits)]
    if any(lower):
        return f"Photos of one lesion on both sides flatter: {said}."
    return f"Hold out whole lesions, for a new patient brings a new one; these figures alone do not prove it: {said}."
