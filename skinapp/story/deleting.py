"""Step 6: eight types with most photos deleted, or none, and what the top three are worth."""

from itertools import pairwise

import pandas as pd

from skinapp.datasets.summary import class_counts, imbalance
from skinapp.errors import RunError
from skinapp.metrics.classification import malignant_mask, top_k_accuracy
from skinapp.metrics.estimate import proportion
from skinapp.runs.baselines import on_photos
from skinapp.runs.measured import Measured
from skinapp.runs.stored import StoredRun, probabilities, truth_index
from skinapp.runs.summary import per_class
from skinapp.story.differences import gaps
from skinapp.story.experiments import FoundRuns, StoredExperiments, absent
from skinapp.story.parts import (
    NOT_YET,
    Forest,
    ScoredPhoto,
    Shown,
    Source,
    Step,
    certain,
    difference,
    interval,
    of_photos,
    percent,
    points,
    rows,
)

TITLE = "Delete good data"

NETWORKS = {
    "capped, by photo": "eight-types-capped-by-photo",
    "capped": "eight-types-capped",
    "uncapped": "eight-types-uncapped",
    "uncapped, balanced": "eight-types-uncapped-balanced",
}
"""The first is the article's way; the others share one held-out set of lesions."""

_, CAPPED, UNCAPPED, BALANCED = NETWORKS
VALIDATION = {words: Source(experiment, "validation") for words, experiment in NETWORKS.items()}
SHOWCASE = {words: Source(experiment, "showcase") for words, experiment in NETWORKS.items()}
SHARED = {words: VALIDATION[words] for words in (CAPPED, UNCAPPED, BALANCED)}
FIGURES = {"macro_f1": "macro F1", "balanced_accuracy": "balanced accuracy"}
TOP = 3


def step(shelf: StoredExperiments) -> Step:
    """Ask whether a cap of 2,000 photos a class helped, and what the top three of 32 photos can prove."""
    taken, shown = shelf.take(VALIDATION.values()), shelf.take(SHOWCASE.values())
    ids = shelf.showcase().index
    seen = {words: on_photos(shown.found[s].run, ids) for words, s in SHOWCASE.items() if shown.has(s)}
    differs = (
        f"{_ratios(shelf)} Ours: {shelf.how(NETWORKS[CAPPED])}; the showcase photos are of clinics that were "
        "trained on, the article's are not known."
    )
    answers = (_capping(taken, differs), _top_three(seen, differs), _useful(taken))
    missing = absent(taken, shown)
    if not taken.has(*SHARED.values()):
        return Step(TITLE, answers, _figures(seen), differs=differs, missing=missing)
    return Step(
        TITLE, answers, _figures(seen), Forest(_rows(taken), "On held-out photos"), _lesson(taken), differs, missing
    )


def _ratios(shelf: StoredExperiments) -> str:
    merged = shelf.table("merged")
    eight = merged[merged["source"] != "malignant-vs-benign"]
    said = []
    for words, table in (("capped", shelf.table("capped")), ("uncapped", eight)):
        photos = class_counts(table)["photos"]
        said.append(
            f"{words} {photos.sum():,} photos, largest to median class {photos.max() / photos.median():.1f} to 1, "
            f"to smallest {imbalance(photos):.0f} to 1"
        )
    return f"Our sources hold other numbers of photos: {'; '.join(said)}."


def _capping(taken: FoundRuns, differs: str) -> ScoredPhoto:
    known = {words: taken.found[source] for words, source in VALIDATION.items() if taken.has(source)}
    said = [
        f"{words}: macro F1 {percent(one.figure('macro_f1'))}, balanced accuracy "
        f"{percent(one.figure('balanced_accuracy'))}, worst {_worst(one)}"
        for words, one in known.items()
    ]
    said += [f"capped less {words}: {_gap(taken, words)}" for words in (UNCAPPED, BALANCED) if _both(taken, words)]
    photos = "; ".join(f"{words}: {one.photos()}" for words, one in known.items())
    return ScoredPhoto("A8", "; ".join(said) or NOT_YET, photos, differs)


def _worst(measured: Measured) -> str:
    worst = per_class(measured.run).dropna(subset="f1").sort_values("f1").iloc[0]
    return f"{worst['class']} {worst['f1']:.1%}"


def _both(taken: FoundRuns, words: str) -> bool:
    return taken.has(VALIDATION[CAPPED], VALIDATION[words])


def _differences(taken: FoundRuns, words: str) -> pd.DataFrame:
    return gaps(taken.found[VALIDATION[CAPPED]].run, taken.found[VALIDATION[words]].run)


def _gap(taken: FoundRuns, words: str) -> str:
    found = _differences(taken, words)
    return ", ".join(f"{name} {points(difference(found, figure))}" for figure, name in FIGURES.items())


def _top_three(seen: dict[str, StoredRun], differs: str) -> ScoredPhoto:
    if not seen:
        return ScoredPhoto("A9", NOT_YET, "", differs)
    n = max(len(run.predictions) for run in seen.values())
    said = [
        f"{words}: top one {_counted(run, 1)}, top three {_counted(run, TOP)}, {_false_alarms(run)}"
        for words, run in seen.items()
    ]
    k = max(len(run.classes) for run in seen.values())
    sure = (
        f"all of {n} would still only mean at least {proportion(n, n).low:.0%}; chance gives {TOP * n / k:.0f} of {n}"
    )
    return ScoredPhoto(
        "A9", f"{'; '.join(said)}; {sure}", f"{n} photos, each of another lesion (exact interval)", differs
    )


def _counted(run: StoredRun, top: int) -> str:
    hits, n = _hits(run, top), len(run.predictions)
    return f"{hits} of {n} ({interval(proportion(hits, n))}%)"


def _hits(run: StoredRun, top: int) -> int:
    return round(float(top_k_accuracy(truth_index(run), probabilities(run), top)) * len(run.predictions))


def _false_alarms(run: StoredRun) -> str:
    malignant = malignant_mask(run.classes)
    benign = ~malignant[truth_index(run)]
    called = malignant[probabilities(run).argmax(axis=1)]
    return f"{int((benign & called).sum())} of {int(benign.sum())} benign called malignant"


def _useful(taken: FoundRuns) -> ScoredPhoto:
    """Answer whether the lowest loss goes with the best figures, among networks on the same photos."""
    differs = "Asked of the three networks that share one held-out set."
    if not taken.has(*SHARED.values()):
        return ScoredPhoto("A10", NOT_YET, "", differs)
    lines = {words: taken.found[source].headline() for words, source in SHARED.items()}
    if len({line.photos for line in lines.values()}) > 1:
        raise RunError("The runs of eight types do not share their held-out photos. Make them again.")
    best = {
        "the lowest loss": min(lines, key=lambda words: lines[words].log_loss),
        "the best macro F1": max(lines, key=lambda words: lines[words].macro_f1),
        "the best balanced accuracy": max(lines, key=lambda words: lines[words].balanced_accuracy),
    }
    same = all(a == b for a, b in pairwise(best.values()))
    said = "; ".join(f"{name}: {words}" for name, words in best.items())
    word = "one network has all three" if same else "not one network has all three"
    return ScoredPhoto("A10", f"{said}: {word}", taken.found[SHARED[CAPPED]].photos(), differs)


def _figures(seen: dict[str, StoredRun]) -> tuple[Shown, ...]:
    if not seen:
        return ()
    words, run = next(iter(seen.items()))
    n = len(run.predictions)
    return (
        of_photos(f"Top answer right ({words})", _hits(run, 1), n, "exact"),
        of_photos("Truth in its top three", _hits(run, TOP), n, "exact"),
        Shown("By chance", f"{TOP * n / len(run.classes):.0f} of {n}", f"in {TOP} of {len(run.classes)} types"),
        Shown(f"Even {n} of {n}", f"≥ {proportion(n, n).low:.0%}", "is all that it would prove"),
    )


def _rows(taken: FoundRuns) -> pd.DataFrame:
    return rows(
        (name[0].upper() + name[1:], words, taken.found[source].figure(figure))
        for figure, name in FIGURES.items()
        for words, source in VALIDATION.items()
        if taken.has(source)
    )


def _lesson(taken: FoundRuns) -> str:
    found = _differences(taken, BALANCED)
    of = {name: difference(found, figure) for figure, name in FIGURES.items()}
    said = " and ".join(f"{points(gap)} of {name}" for name, gap in of.items())
    return (
        f"{_verdict({certain(gap) for gap in of.values()})}: on the same photos, the capped network has {said} against "
        "one that deleted nothing and drew the rare types more often."
    )


def _verdict(signs: set[int]) -> str:
    """Say what the signs of sure differences (0: not sure) allow to be said of deleting."""
    if {1, -1} <= signs:
        return "Whether deleting good data helped depends on the figure that is asked"
    if -1 in signs:
        return "Deleting good data did not help, it cost"
    return "Deleting photos helped here" if 1 in signs else "Deleting good data gained nothing that is sure"
