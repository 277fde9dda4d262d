"""Step 3: one recipe, measured on photos that were held out in three ways."""

import pandas as pd

from skinapp.story.experiments import FoundRuns, StoredExperiments, list_missing
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
    intervals_overlap,
)

SPLITS = {"photo": "by photo", "class": "by class", "lesion": "by lesion"}
RESNET = {split: RunId(f"ham10000-seven-by-{split}", "validation") for split in SPLITS}
SMALL = {split: RunId(f"small-cnn-by-{split}", "test") for split in SPLITS}
TITLE = "Check which photos were held out"
FIGURES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


def build_step(stored: StoredExperiments) -> Step:
    """Compare three splits: 20% of photos, 20% of each class's photos, 20% of lesions."""
    runs, small = stored.find_runs(RESNET.values()), stored.find_runs(SMALL.values())
    differences = (
        f"One recipe, three splits ({stored.describe_training(RESNET['lesion'].experiment)}). The held-out photos "
        f"differ, so part of a difference is chance. {_describe_siblings(stored, runs)}".strip()
    )
    answers = (
        ClaimAnswer(
            "A5",
            _describe_results(runs, RESNET) + _describe_differences(runs),
            _describe_photos(runs, RESNET),
            differences,
        ),
        ClaimAnswer(
            "B2",
            _describe_results(small, SMALL),
            _describe_photos(small, SMALL),
            "The small network of step 7. Its code splits by photo (seed 101 draws the same photos), its text by "
            "class; the split by lesion is ours. Showcase photos are left out.",
        ),
    )
    missing = list_missing(runs, small)
    if not runs.has(*RESNET.values()):
        return Step(TITLE, answers, differences=differences, missing=missing)
    return Step(
        TITLE,
        answers,
        tuple(
            build_key_figure(f"Macro F1 {words}", runs.measured[RESNET[split]].get_figure("macro_f1"))
            for split, words in SPLITS.items()
        ),
        ForestPlot(_build_split_rows(runs), "Accuracy and macro F1"),
        _write_lesson(runs),
        differences,
        missing,
    )


def _describe_results(runs: FoundRuns, run_ids: dict[str, RunId]) -> str:
    measured = {SPLITS[split]: runs.measured[run_id] for split, run_id in run_ids.items() if runs.has(run_id)}
    results = [
        f"{words}: accuracy {format_percent(run.get_figure('accuracy'))}, "
        f"macro F1 {format_percent(run.get_figure('macro_f1'))}"
        for words, run in measured.items()
    ]
    return "; ".join(results) or NOT_YET


def _describe_differences(runs: FoundRuns) -> str:
    if not runs.has(*RESNET.values()):
        return ""
    by_photo = runs.measured[RESNET["photo"]].get_figure("macro_f1")
    differences = [
        f"{SPLITS[split]} {describe_difference(runs.measured[RESNET[split]].get_figure('macro_f1'), by_photo)}"
        for split in ("class", "lesion")
    ]
    return f"; macro F1 compared with the split by photo: {', '.join(differences)}"


def _describe_photos(runs: FoundRuns, run_ids: dict[str, RunId]) -> str:
    return "; ".join(
        f"{SPLITS[split]}: {runs.measured[run_id].describe_photos()}"
        for split, run_id in run_ids.items()
        if runs.has(run_id)
    )


def _build_split_rows(runs: FoundRuns) -> pd.DataFrame:
    return build_rows(
        (name, words, runs.measured[RESNET[split]].get_figure(figure))
        for figure, name in FIGURES.items()
        for split, words in SPLITS.items()
    )


def _describe_siblings(stored: StoredExperiments, runs: FoundRuns) -> str:
    """Say how many of the photos held out by photo are of a lesion that was trained on."""
    run_id = RESNET["photo"]
    if not runs.has(run_id):
        return ""
    held = runs.measured[run_id].run.frame
    table = stored.read_table("ham10000")
    trained = table[~table["image_id"].isin(held["image_id"]) & (table["split"] != "showcase").fillna(True)]
    share = held["lesion_id"].isin(trained["lesion_id"]).mean()
    return f"By photo, {share:.0%} of the held-out photos are of a lesion with another photo among the training photos."


def _write_lesson(runs: FoundRuns) -> str:
    by_photo, by_lesion = (runs.measured[RESNET[split]] for split in ("photo", "lesion"))
    f1 = by_lesion.get_figure("macro_f1"), by_photo.get_figure("macro_f1")
    accuracy = by_lesion.get_figure("accuracy"), by_photo.get_figure("accuracy")
    comparison = (
        f"held out by lesion, macro F1 is {describe_difference(*f1)}, and accuracy is {describe_difference(*accuracy)}"
    )
    lower = [now.value < before.value and not intervals_overlap(now, before) for now, before in (f1, accuracy)]
    if any(lower):
        return f"Scores are too high if photos of one lesion are in training and validation: {comparison}."
    advice = "Hold out whole lesions, because a new patient has a new lesion"
    return f"{advice}. These figures alone do not prove it: {comparison}."
