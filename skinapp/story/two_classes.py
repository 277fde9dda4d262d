"""Step 5: malignant or benign on a balanced set, with its leaks and shortcuts."""

import pandas as pd

from skinapp.errors import RunError
from skinapp.runs.baselines import select_photos
from skinapp.runs.intervals import compute_intervals
from skinapp.runs.measured import MeasuredRun
from skinapp.story.experiments import StoredExperiments, list_missing
from skinapp.story.parts import (
    NOT_YET,
    ClaimAnswer,
    ForestPlot,
    RunId,
    Step,
    build_key_figure,
    build_rows,
    describe_difference,
    format_percent,
)
from skinapp.taxonomy import BENIGN, MALIGNANT

NETWORK = RunId("malignant-vs-benign", "test")
PROBE = RunId("shortcut-probe", "malignant-vs-benign")
TABLE = "malignant-vs-benign"
TITLE = "Two classes, balanced"

WHOLE, CLEAN, TRIVIAL = "whole test", "without twins", "light and colour alone"


def build_step(stored: StoredExperiments) -> Step:
    """Measure the two-class network on its test photos, with and without leaked copies, and compare it with a probe."""
    runs = stored.find_runs([NETWORK, PROBE])
    twins = list_leaked(stored)
    differences = (
        f"Ours: {stored.describe_training(NETWORK.experiment)}; the validation photos are from its training half. "
        f"{len(twins):,} of the test photos have a copy among the training photos, so we also give the figures without "
        "them. The probe knows light, colour, sharpness and size of a photo, but nothing about the lesion."
    )
    if not runs.has(NETWORK):
        return Step(TITLE, (ClaimAnswer("A7", NOT_YET, "", differences),), missing=list_missing(runs))
    whole = runs.measured[NETWORK]
    clean = measure_on(whole, whole.run.frame["image_id"][~whole.run.frame["image_id"].isin(twins)])
    trivial = measure_on(runs.measured[PROBE], whole.run.frame["image_id"]) if runs.has(PROBE) else None
    photos = f"{whole.describe_photos()}; {len(clean.run.frame):,} without twins"
    measured = {WHOLE: whole, CLEAN: clean} | ({TRIVIAL: trivial} if trivial else {})
    return Step(
        TITLE,
        (ClaimAnswer("A7", _describe_results(measured), photos, differences),),
        (
            build_key_figure("F1 malignant", whole.get_figure("f1", MALIGNANT)),
            build_key_figure("F1 benign", whole.get_figure("f1", BENIGN)),
            build_key_figure("AUROC", whole.get_figure("malignant_auroc"), 3),
            *((build_key_figure("AUROC of the probe", trivial.get_figure("malignant_auroc"), 3),) if trivial else ()),
        ),
        ForestPlot(_build_test_rows(measured), "F1 of each class, and AUROC"),
        _write_lesson(whole, clean, trivial),
        differences,
        list_missing(runs),
    )


def list_leaked(stored: StoredExperiments) -> "pd.Series[str]":
    """Return the ids of the test photos of the two-class set with the same file or picture in its training photos."""
    twins = stored.list_twins()
    within = twins[(twins["table_a"] == TABLE) & (twins["table_b"] == TABLE)]
    a = within.loc[(within["split_a"] == "test") & (within["split_b"] == "train"), "image_a"]
    b = within.loc[(within["split_b"] == "test") & (within["split_a"] == "train"), "image_b"]
    both: pd.Series[str] = pd.concat([a, b]).drop_duplicates().reset_index(drop=True)
    return both


def measure_on(measured: MeasuredRun, image_ids: "pd.Series[str]") -> MeasuredRun:
    """Return the figures of a run on some of its photos; RunError if it has none of them."""
    run = select_photos(measured.run, image_ids)
    if len(run.frame) == len(measured.run.frame):
        return measured
    if not {MALIGNANT, BENIGN} <= set(run.classes):
        raise RunError(f"The run {run.name} has no classes malignant and benign. Make it again.")
    return MeasuredRun(run, compute_intervals(run))


def _describe_results(measured: dict[str, MeasuredRun]) -> str:
    results = [
        f"{words}: F1 malignant {format_percent(run.get_figure('f1', MALIGNANT))}, "
        f"benign {format_percent(run.get_figure('f1', BENIGN))}, AUROC {run.get_figure('malignant_auroc').format()}"
        for words, run in measured.items()
    ]
    return f"loss {measured[WHOLE].get_figure('log_loss').format()}; {'; '.join(results)}"


def _build_test_rows(measured: dict[str, MeasuredRun]) -> pd.DataFrame:
    figures = (("F1 malignant", "f1", MALIGNANT), ("F1 benign", "f1", BENIGN), ("AUROC", "malignant_auroc", None))
    return build_rows(
        (name, words, run.get_figure(figure, label))
        for name, figure, label in figures
        for words, run in measured.items()
    )


def _write_lesson(whole: MeasuredRun, clean: MeasuredRun, trivial: MeasuredRun | None) -> str:
    without = describe_difference(clean.get_figure("f1", MALIGNANT), whole.get_figure("f1", MALIGNANT))
    if trivial is None:
        return f"Look for copies first. Without them F1 of malignant is {without}."
    probe = trivial.get_figure("malignant_auroc")
    if not probe.low > 0.5:  # also where it is undefined
        return f"Look for copies and for shortcuts. Without copies F1 of malignant is {without}."
    return (
        f"Balanced classes are not enough. Light and colour alone reach an AUROC of {probe.format(2)}; only what the "
        f"network adds to that can come from the lesion. Without copies F1 of malignant is {without}."
    )
