"""Step 7: the small network of the browser, and one with pretrained features, beside a ResNet."""

import pandas as pd

from skinapp.metrics.estimate import Estimate
from skinapp.story.differences import gaps
from skinapp.story.experiments import FoundRuns, StoredExperiments, absent
from skinapp.story.held_out import RESNET, SMALL, WAYS
from skinapp.story.parts import (
    NOT_YET,
    Forest,
    ScoredPhoto,
    Shown,
    Source,
    Step,
    difference,
    percent,
    points,
    rows,
    shown,
    verdict,
)

TITLE = "The network in the browser"

DOUBLED, GREY = Source("small-cnn-augmented", "test"), Source("small-cnn-grey", "test")
FROZEN = {way: Source(f"mobilenet-by-{way}", "frozen-test") for way in WAYS}
TUNED = {way: Source(f"mobilenet-by-{way}", "tuned-test") for way in WAYS}
COLOUR, REFERENCE = SMALL["lesion"], RESNET["lesion"]

_NAMED = (
    *(("Small network", words, SMALL[way]) for way, words in WAYS.items()),
    ("Small network", "doubled, by lesion", DOUBLED),
    ("Small network", "grey, by lesion", GREY),
    *(("MobileNet", f"frozen, {words}", FROZEN[way]) for way, words in WAYS.items()),
    *(("MobileNet", f"tuned, {words}", TUNED[way]) for way, words in WAYS.items()),
    ("ResNet of step 3", "by lesion", REFERENCE),
)
"""Network, how it was trained and split, run."""


def step(shelf: StoredExperiments) -> Step:
    """Compare the small network, its variants, a MobileNet and the ResNet of step 3, by macro F1."""
    taken = shelf.take(source for _, _, source in _NAMED)
    found = _rows(taken)
    given = (
        "The page gives neither layers nor pixel scaling nor figures: the layers are our choice, and its sentences are "
        "answered, not its numbers."
    )
    differs = " ".join(filter(None, (given, _two_curves(shelf), _sizes(shelf))))
    return Step(
        TITLE,
        (*_squeezed(taken, shelf), *_measured(taken), _not_done()),
        _figures(taken),
        Forest(found, "Macro F1") if len(found) else None,
        _lesson(taken),
        differs,
        absent(taken),
    )


def _rows(taken: FoundRuns) -> pd.DataFrame:
    return rows(
        (name, note, taken.found[source].figure("macro_f1")) for name, note, source in _NAMED if taken.has(source)
    )


def _sizes(shelf: StoredExperiments) -> str:
    asked = {"small network": COLOUR, "MobileNet": TUNED["lesion"], "ResNet": REFERENCE}
    known = {words: shelf.trained(source.experiment) for words, source in asked.items()}
    said = [f"{words}: {trained.in_words()}" for words, trained in known.items() if trained]
    return f"By lesion, {'; '.join(said)}; fewer photos were held out for the ResNet." if said else ""


def _gap(taken: FoundRuns, a: Source, b: Source) -> Estimate | None:
    """Return the difference in macro F1, a less b, on photos that neither was trained on; None if one is missing."""
    if not taken.has(a, b):
        return None
    return difference(gaps(taken.found[a].run, taken.found[b].run), "macro_f1")


def _photos(taken: FoundRuns, source: Source) -> str:
    return f"test: {taken.found[source].photos()}" if taken.has(source) else ""


def _squeezed(taken: FoundRuns, shelf: StoredExperiments) -> tuple[ScoredPhoto, ...]:
    grey, doubled = _gap(taken, GREY, COLOUR), _gap(taken, DOUBLED, COLOUR)
    return (
        ScoredPhoto(
            "B1",
            f"grey less colour, by lesion: macro F1 {points(grey)}" if grey else NOT_YET,
            _photos(taken, GREY),
            "The same size and labels; `skinapp arrays` writes X.npy, X_g.npy and y.npy.",
        ),
        ScoredPhoto(
            "B3",
            f"doubled less not doubled, by lesion: macro F1 {points(doubled)}. {_two_curves(shelf)}".strip()
            if doubled
            else NOT_YET,
            _photos(taken, DOUBLED),
            "Zoomed to the central third, as its text says; the crop that its code computes is the whole photo, or a "
            "corner of it. Its validation photos, cut off after copies were appended, are copies of training photos.",
        ),
        ScoredPhoto(
            "B4",
            _trained(shelf),
            _photos(taken, COLOUR),
            "All given settings as given; layers and pixel scaling (1/255) are our choice.",
        ),
    )


def _two_curves(shelf: StoredExperiments) -> str:
    curves = shelf.curves(DOUBLED.experiment)
    asked = ["validation_accuracy", "appended_validation_accuracy"]
    if curves is None or not set(asked) <= set(curves.columns):
        return ""
    honest, appended = curves.iloc[-1][asked]
    return (
        f"After {len(curves)} epochs of doubled photos, validation cut off behind the copies shows an accuracy of "
        f"{appended:.1%}, photos put aside before {honest:.1%}."
    )


def _trained(shelf: StoredExperiments) -> str:
    trained, curves = shelf.trained(COLOUR.experiment), shelf.curves(COLOUR.experiment)
    if trained is None or curves is None:
        return NOT_YET
    loss = curves["train_loss"]
    return (
        f"{trained.in_words()}; training loss {loss.iloc[0]:.3f} after the first epoch, {loss.iloc[-1]:.3f} in the end"
    )


def _measured(taken: FoundRuns) -> tuple[ScoredPhoto, ...]:
    small, best = SMALL["photo"], _gap(taken, TUNED["lesion"], COLOUR)
    ours = NOT_YET
    if taken.has(small):
        one = taken.found[small]
        ours = (
            f"by photo: accuracy {percent(one.figure('accuracy'))}, macro AUROC {one.figure('macro_auroc').in_words()}"
        )
    frozen, resnet = _gap(taken, FROZEN["lesion"], COLOUR), _gap(taken, REFERENCE, TUNED["lesion"])
    gaps = {
        "MobileNet (tuned) less the small network": best,
        "MobileNet (frozen) less the small network": frozen,
        "ResNet less MobileNet (tuned)": resnet,
    }
    said = [f"{words}: {points(gap)}" for words, gap in gaps.items() if gap]
    return (
        ScoredPhoto("B5", ours, _photos(taken, small), "The confusion matrix is on the Evaluation page."),
        ScoredPhoto(
            "B6",
            f"macro F1 by lesion, on shared photos: {'; '.join(said)}" if said else NOT_YET,
            _photos(taken, TUNED["lesion"]) + _shared(taken),
            "MobileNetV2 with weights that are at hand; the ResNet sees larger photos, and more of them.",
        ),
    )


def _shared(taken: FoundRuns) -> str:
    """Say how many of MobileNet's test photos the ResNet was not trained on either."""
    if not taken.has(TUNED["lesion"], REFERENCE):
        return ""
    ours, others = (taken.found[source].run.predictions["image_id"] for source in (TUNED["lesion"], REFERENCE))
    return f"; {ours.isin(others).sum():,} of them with the ResNet"


def _not_done() -> ScoredPhoto:
    return ScoredPhoto(
        "B7",
        "not measured",
        "",
        "Our experiments keep predictions, not weights, so there is nothing to send to a browser; a photo sent to this "
        "app stays in the server's memory only.",
    )


def _figures(taken: FoundRuns) -> tuple[Shown, ...]:
    asked = {"small network": COLOUR, "MobileNet": TUNED["lesion"], "ResNet": REFERENCE}
    return tuple(
        shown(f"Macro F1, {words}", taken.found[source].figure("macro_f1"))
        for words, source in asked.items()
        if taken.has(source)
    )


def _lesson(taken: FoundRuns) -> str | None:
    gap, resnet = _gap(taken, TUNED["lesion"], COLOUR), _gap(taken, REFERENCE, TUNED["lesion"])
    if gap is None:
        return None
    word = verdict(
        gap,
        "The pretrained network did better than the small one",
        "The pretrained network did worse than the small one",
        "Whether the pretrained network is better than the small one cannot be told",
    )
    said = f"{word}: on the same photos of new lesions, MobileNet's macro F1 less the small network's is {points(gap)}"
    if resnet is None:
        return f"{said}."
    best = verdict(resnet, "yet it is not the best", "and it is the best", "but it is not surely the best")
    return f"{said}; {best}: the ResNet's less MobileNet's is {points(resnet)}."
