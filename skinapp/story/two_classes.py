"""Step 5: malignant or benign on a balanced set, with its leaks and its shortcuts."""

import pandas as pd

from skinapp.errors import RunError
from skinapp.runs.baselines import on_photos
from skinapp.runs.intervals import headline_intervals
from skinapp.runs.measured import Measured
from skinapp.story.experiments import StoredExperiments, absent
from skinapp.story.parts import NOT_YET, Forest, ScoredPhoto, Source, Step, compared, percent, rows, shown
from skinapp.taxonomy import BENIGN, MALIGNANT

NETWORK = Source("malignant-vs-benign", "test")
PROBE = Source("shortcut-probe", "malignant-vs-benign")
TABLE = "malignant-vs-benign"
TITLE = "Two classes, balanced"

WHOLE, CLEAN, TRIVIAL = "whole test", "without twins", "light and colour alone"


def step(shelf: StoredExperiments) -> Step:
    """Measure the two-class network on its own test photos, without those seen in training, and beside a probe."""
    taken = shelf.take([NETWORK, PROBE])
    twins = leaked(shelf)
    differs = (
        f"Ours: {shelf.how(NETWORK.experiment)}, validation cut from the training half. "
        f"{len(twins):,} of its test photos have a copy among its training photos: the same figures are given without "
        "them, and beside a probe that is told light, colour, sharpness and size but nothing of the lesion."
    )
    if not taken.has(NETWORK):
        return Step(TITLE, (ScoredPhoto("A7", NOT_YET, "", differs),), missing=absent(taken))
    whole = taken.found[NETWORK]
    clean = cut(whole, whole.run.predictions["image_id"][~whole.run.predictions["image_id"].isin(twins)])
    trivial = cut(taken.found[PROBE], whole.run.predictions["image_id"]) if taken.has(PROBE) else None
    measured = {WHOLE: whole, CLEAN: clean} | ({TRIVIAL: trivial} if trivial else {})
    return Step(
        TITLE,
        (
            ScoredPhoto(
                "A7", _in_words(measured), f"{whole.photos()}; {len(clean.run.predictions):,} without twins", differs
            ),
        ),
        (
            shown("F1 malignant", whole.figure("f1", MALIGNANT)),
            shown("F1 benign", whole.figure("f1", BENIGN)),
            shown("AUROC", whole.figure("malignant_auroc"), 3),
            *((shown("AUROC of the probe", trivial.figure("malignant_auroc"), 3),) if trivial else ()),
        ),
        Forest(_rows(measured), "F1 of each class, and AUROC"),
        _lesson(whole, clean, trivial),
        differs,
        absent(taken),
    )


def leaked(shelf: StoredExperiments) -> "pd.Series[str]":
    """Return the ids of the two-class set's test photos that are, as file or as picture, among its training photos."""
    twins = shelf.twins()
    own = twins[(twins["table_a"] == TABLE) & (twins["table_b"] == TABLE)]
    a = own.loc[(own["split_a"] == "test") & (own["split_b"] == "train"), "image_a"]
    b = own.loc[(own["split_b"] == "test") & (own["split_a"] == "train"), "image_b"]
    both: pd.Series[str] = pd.concat([a, b]).drop_duplicates().reset_index(drop=True)
    return both


def cut(measured: Measured, image_ids: "pd.Series[str]") -> Measured:
    """Measure a run anew on some of its photos; RunError where it has none of them."""
    run = on_photos(measured.run, image_ids)
    if len(run.predictions) == len(measured.run.predictions):
        return measured
    if not {MALIGNANT, BENIGN} <= set(run.classes):
        raise RunError(f"The run {run.name} does not tell malignant from benign. Make it again.")
    return Measured(run, headline_intervals(run))


def _in_words(measured: dict[str, Measured]) -> str:
    said = [
        f"{words}: F1 malignant {percent(one.figure('f1', MALIGNANT))}, benign {percent(one.figure('f1', BENIGN))}, "
        f"AUROC {one.figure('malignant_auroc').in_words()}"
        for words, one in measured.items()
    ]
    return f"loss {measured[WHOLE].figure('log_loss').in_words()}; {'; '.join(said)}"


def _rows(measured: dict[str, Measured]) -> pd.DataFrame:
    asked = (("F1 malignant", "f1", MALIGNANT), ("F1 benign", "f1", BENIGN), ("AUROC", "malignant_auroc", None))
    return rows(
        (name, words, one.figure(figure, label)) for name, figure, label in asked for words, one in measured.items()
    )


def _lesson(whole: Measured, clean: Measured, trivial: Measured | None) -> str:
    without = compared(clean.figure("f1", MALIGNANT), whole.figure("f1", MALIGNANT))
    if trivial is None:
        return f"Look for copies first: without them F1 of malignant is {without}."
    found = trivial.figure("malignant_auroc")
    if found.low <= 0.5:
        return f"Look for copies and for shortcuts: without copies F1 of malignant is {without}."
    return (
        f"Balance does not make photos fair: light and colour alone reach an AUROC of {found.in_words(2)}, so only "
        f"what lies above that is about the lesion; without copies F1 of malignant is {without}."
    )
