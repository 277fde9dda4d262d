"""Step 7: the small network of the browser, a network with pretrained features, and a ResNet."""

import pandas as pd

from skinapp.metrics.estimate import Estimate
from skinapp.story.differences import compute_differences
from skinapp.story.experiments import FoundRuns, StoredExperiments, list_missing
from skinapp.story.held_out import RESNET, SMALL, SPLITS
from skinapp.story.parts import (
    NOT_YET,
    ClaimAnswer,
    ForestPlot,
    KeyFigure,
    RunId,
    Step,
    build_key_figure,
    build_rows,
    choose_verdict,
    format_percent,
    format_points,
    get_difference,
    sign_if_certain,
)

TITLE = "The network in the browser"

DOUBLED, GREY = RunId("small-cnn-augmented", "test"), RunId("small-cnn-grey", "test")
FROZEN = {split: RunId(f"mobilenet-by-{split}", "frozen-test") for split in SPLITS}
TUNED = {split: RunId(f"mobilenet-by-{split}", "tuned-test") for split in SPLITS}
COLOUR, REFERENCE = SMALL["lesion"], RESNET["lesion"]

_RUNS = (
    *(("Small network", words, SMALL[split]) for split, words in SPLITS.items()),
    ("Small network", "doubled, by lesion", DOUBLED),
    ("Small network", "grey, by lesion", GREY),
    *(("MobileNet", f"frozen, {words}", FROZEN[split]) for split, words in SPLITS.items()),
    *(("MobileNet", f"tuned, {words}", TUNED[split]) for split, words in SPLITS.items()),
    ("ResNet of step 3", "by lesion", REFERENCE),
)
"""Network, how it was trained and split, run."""

_BY_LESION = {"small network": COLOUR, "MobileNet": TUNED["lesion"], "ResNet": REFERENCE}


def build_step(stored: StoredExperiments) -> Step:
    """Compare the small network, its variants, a MobileNet and the ResNet of step 3 by macro F1."""
    runs = stored.find_runs(run_id for _, _, run_id in _RUNS)
    rows = _build_network_rows(runs)
    unknown = (
        "The page gives no layers, no pixel scaling and no figures. The layers are our choice; so we test "
        "its statements, not its figures."
    )
    differences = " ".join(filter(None, (unknown, _describe_validations(stored), _describe_trainings(stored))))
    return Step(
        TITLE,
        (*_answer_small_network(runs, stored), *_answer_figures(runs), _answer_browser()),
        _build_figures(runs),
        ForestPlot(rows, "Macro F1") if len(rows) else None,
        _write_lesson(runs),
        differences,
        list_missing(runs),
    )


def _build_network_rows(runs: FoundRuns) -> pd.DataFrame:
    return build_rows(
        (name, note, runs.measured[run_id].get_figure("macro_f1")) for name, note, run_id in _RUNS if runs.has(run_id)
    )


def _describe_trainings(stored: StoredExperiments) -> str:
    trainings = {words: stored.read_training(run_id.experiment) for words, run_id in _BY_LESION.items()}
    phrases = [f"{words}: {training.describe()}" for words, training in trainings.items() if training]
    return f"By lesion, {'; '.join(phrases)}; fewer photos were held out for the ResNet." if phrases else ""


def _compute_difference(runs: FoundRuns, a: RunId, b: RunId) -> Estimate | None:
    """Return the difference in macro F1, a minus b, on photos that neither was trained on; None if one is missing."""
    if not runs.has(a, b):
        return None
    return get_difference(compute_differences(runs.measured[a].run, runs.measured[b].run), "macro_f1")


def _describe_photos(runs: FoundRuns, run_id: RunId) -> str:
    return f"test: {runs.measured[run_id].describe_photos()}" if runs.has(run_id) else ""


def _answer_small_network(runs: FoundRuns, stored: StoredExperiments) -> tuple[ClaimAnswer, ...]:
    grey, doubled = _compute_difference(runs, GREY, COLOUR), _compute_difference(runs, DOUBLED, COLOUR)
    grey_result = f"grey minus colour, by lesion: macro F1 {format_points(grey)}" if grey else NOT_YET
    doubled_result = NOT_YET
    if doubled:
        difference = f"doubled minus not doubled, by lesion: macro F1 {format_points(doubled)}."
        doubled_result = f"{difference} {_describe_validations(stored)}".strip()
    return (
        ClaimAnswer(
            "B1",
            grey_result,
            _describe_photos(runs, GREY),
            "The same size and labels; `skinapp arrays` writes X.npy, X_g.npy and y.npy.",
        ),
        ClaimAnswer(
            "B3",
            doubled_result,
            _describe_photos(runs, DOUBLED),
            "Zoomed to the central third, as its text says; the crop that its code computes is the whole photo or a "
            "corner of it. Its validation photos are split off after the copies were appended, so they are copies of "
            "training photos.",
        ),
        ClaimAnswer(
            "B4",
            _describe_small_training(stored),
            _describe_photos(runs, COLOUR),
            "All settings that the page gives; layers and pixel scaling (1/255) are our choice.",
        ),
    )


def _describe_validations(stored: StoredExperiments) -> str:
    curves = stored.read_curves(DOUBLED.experiment)
    columns = ["validation_accuracy", "appended_validation_accuracy"]
    if curves is None or not set(columns) <= set(curves.columns):
        return ""
    separate, appended = curves.iloc[-1][columns]
    return (
        f"After {len(curves)} epochs of doubled photos, accuracy is {appended:.1%} on validation photos split off "
        f"after doubling, and {separate:.1%} on those split off before."
    )


def _describe_small_training(stored: StoredExperiments) -> str:
    training, curves = stored.read_training(COLOUR.experiment), stored.read_curves(COLOUR.experiment)
    if training is None or curves is None:
        return NOT_YET
    first, last = curves["train_loss"].iloc[0], curves["train_loss"].iloc[-1]
    return f"{training.describe()}; training loss {first:.3f} after the first epoch, {last:.3f} at the end"


def _answer_figures(runs: FoundRuns) -> tuple[ClaimAnswer, ...]:
    by_photo, result = SMALL["photo"], NOT_YET
    if runs.has(by_photo):
        small = runs.measured[by_photo]
        auroc = small.get_figure("macro_auroc").format()
        result = f"by photo: accuracy {format_percent(small.get_figure('accuracy'))}, macro AUROC {auroc}"
    differences = {
        "MobileNet (tuned) minus the small network": _compute_difference(runs, TUNED["lesion"], COLOUR),
        "MobileNet (frozen) minus the small network": _compute_difference(runs, FROZEN["lesion"], COLOUR),
        "ResNet minus MobileNet (tuned)": _compute_difference(runs, REFERENCE, TUNED["lesion"]),
    }
    phrases = [f"{words}: {format_points(value)}" for words, value in differences.items() if value]
    return (
        ClaimAnswer("B5", result, _describe_photos(runs, by_photo), "The confusion matrix is on the Evaluation page."),
        ClaimAnswer(
            "B6",
            f"macro F1 by lesion, on shared photos: {'; '.join(phrases)}" if phrases else NOT_YET,
            _describe_photos(runs, TUNED["lesion"]) + _describe_shared_photos(runs),
            "MobileNetV2 with the initial weights that we have. The ResNet was trained on larger and more photos.",
        ),
    )


def _describe_shared_photos(runs: FoundRuns) -> str:
    """Say how many test photos of MobileNet are validation photos of the ResNet too."""
    if not runs.has(TUNED["lesion"], REFERENCE):
        return ""
    mobilenet, resnet = (runs.measured[run_id].run.frame["image_id"] for run_id in (TUNED["lesion"], REFERENCE))
    return f"; {mobilenet.isin(resnet).sum():,} of them shared with the ResNet"


def _answer_browser() -> ClaimAnswer:
    return ClaimAnswer(
        "B7",
        "not measured",
        "",
        "Our experiments keep predictions but no weights, so there is nothing to send to a browser. This app keeps a "
        "photo only in the server's memory.",
    )


def _build_figures(runs: FoundRuns) -> tuple[KeyFigure, ...]:
    return tuple(
        build_key_figure(f"Macro F1, {words}", runs.measured[run_id].get_figure("macro_f1"))
        for words, run_id in _BY_LESION.items()
        if runs.has(run_id)
    )


def _write_lesson(runs: FoundRuns) -> str | None:
    mobilenet = _compute_difference(runs, TUNED["lesion"], COLOUR)
    resnet = _compute_difference(runs, REFERENCE, TUNED["lesion"])
    if mobilenet is None:
        return None
    verdict = choose_verdict(
        mobilenet,
        "The pretrained network did better than the small one",
        "The pretrained network did worse than the small one",
        "It is uncertain whether the pretrained network is better than the small one",
    )
    lesson = (
        f"{verdict}: on the same photos of new lesions, macro F1 of MobileNet minus that of the small network is "
        f"{format_points(mobilenet)}."
    )
    if resnet is None:
        return lesson
    best = (
        choose_verdict(resnet, "But it is not the best", "It is the best", "Whether it is the best is uncertain")
        if sign_if_certain(mobilenet) > 0
        else choose_verdict(
            resnet, "The ResNet did better", "The ResNet did worse", "The ResNet may do better or worse"
        )
    )
    return f"{lesson} {best}: macro F1 of the ResNet minus that of MobileNet is {format_points(resnet)}."
