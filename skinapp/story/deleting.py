"""Step 6: eight types with a cap per class or all photos, and what the top three of 32 photos can prove."""

from itertools import pairwise

import pandas as pd

from skinapp.datasets.summary import compute_imbalance, count_classes
from skinapp.errors import RunError
from skinapp.metrics.classification import top_k_accuracy
from skinapp.metrics.estimate import Estimate, estimate_proportion
from skinapp.runs.baselines import select_photos
from skinapp.runs.measured import MeasuredRun
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_per_class
from skinapp.runs.views.curves import mark_malignant
from skinapp.story.differences import compute_differences
from skinapp.story.experiments import FoundRuns, StoredExperiments, list_missing
from skinapp.story.parts import (
    NOT_YET,
    ClaimAnswer,
    ForestPlot,
    KeyFigure,
    RunId,
    Step,
    build_count_figure,
    build_rows,
    format_interval,
    format_percent,
    format_points,
    get_difference,
    sign_if_certain,
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
VALIDATION = {name: RunId(experiment, "validation") for name, experiment in NETWORKS.items()}
SHOWCASE = {name: RunId(experiment, "showcase") for name, experiment in NETWORKS.items()}
SHARED = {name: VALIDATION[name] for name in (CAPPED, UNCAPPED, BALANCED)}
FIGURES = {"macro_f1": "macro F1", "balanced_accuracy": "balanced accuracy"}
TOP = 3


def build_step(stored: StoredExperiments) -> Step:
    """Compare networks with and without a cap of 2,000 photos per class, and count the top three of 32 photos."""
    runs, on_showcase = stored.find_runs(VALIDATION.values()), stored.find_runs(SHOWCASE.values())
    ids = stored.read_showcase().index
    showcase = {
        name: select_photos(on_showcase.measured[run_id].run, ids)
        for name, run_id in SHOWCASE.items()
        if on_showcase.has(run_id)
    }
    differences = (
        f"{_describe_imbalance(stored)} Ours: {stored.describe_training(NETWORKS[CAPPED])}. The showcase photos "
        "come from clinics in the training data; the origin of the article's photos is not known."
    )
    answers = (_answer_cap(runs, differences), _answer_top_three(showcase, differences), _answer_usefulness(runs))
    figures, missing = _build_figures(showcase), list_missing(runs, on_showcase)
    if not runs.has(*SHARED.values()):
        return Step(TITLE, answers, figures, differences=differences, missing=missing)
    plot = ForestPlot(_build_network_rows(runs), "On held-out photos")
    return Step(TITLE, answers, figures, plot, _write_lesson(runs), differences, missing)


def _describe_imbalance(stored: StoredExperiments) -> str:
    merged = stored.read_table("merged")
    eight_types = merged[merged["source"] != "malignant-vs-benign"]
    phrases = []
    for name, table in (("capped", stored.read_table("capped")), ("uncapped", eight_types)):
        photos = count_classes(table)["photos"]
        phrases.append(
            f"{name} {photos.sum():,} photos, largest to median class {photos.max() / photos.median():.1f} to 1, "
            f"largest to smallest {compute_imbalance(photos):.0f} to 1"
        )
    return f"The number of photos differs from the article's: {'; '.join(phrases)}."


def _answer_cap(runs: FoundRuns, differences: str) -> ClaimAnswer:
    measured = {name: runs.measured[run_id] for name, run_id in VALIDATION.items() if runs.has(run_id)}
    results = [
        f"{name}: macro F1 {format_percent(run.get_figure('macro_f1'))}, balanced accuracy "
        f"{format_percent(run.get_figure('balanced_accuracy'))}, worst {_describe_worst_class(run)}"
        for name, run in measured.items()
    ]
    for name in (UNCAPPED, BALANCED):
        if runs.has(VALIDATION[CAPPED], VALIDATION[name]):
            points = [f"{figure} {format_points(value)}" for figure, value in _compare_capped(runs, name).items()]
            results.append(f"capped minus {name}: {', '.join(points)}")
    photos = "; ".join(f"{name}: {run.describe_photos()}" for name, run in measured.items())
    return ClaimAnswer("A8", "; ".join(results) or NOT_YET, photos, differences)


def _describe_worst_class(measured: MeasuredRun) -> str:
    worst = compute_per_class(measured.run).dropna(subset="f1").sort_values("f1").iloc[0]
    return f"{worst['class']} {worst['f1']:.1%}"


def _compare_capped(runs: FoundRuns, name: str) -> dict[str, Estimate]:
    """Return the differences of the capped network minus another, by the name of the metric."""
    differences = compute_differences(runs.measured[VALIDATION[CAPPED]].run, runs.measured[VALIDATION[name]].run)
    return {words: get_difference(differences, figure) for figure, words in FIGURES.items()}


def _answer_top_three(showcase: dict[str, StoredRun], differences: str) -> ClaimAnswer:
    if not showcase:
        return ClaimAnswer("A9", NOT_YET, "", differences)
    n = max(len(run.frame) for run in showcase.values())
    k = max(len(run.classes) for run in showcase.values())
    results = [
        f"{name}: top one {_format_hits(run, 1)}, top three {_format_hits(run, TOP)}, {_count_false_alarms(run)}"
        for name, run in showcase.items()
    ]
    proof = f"even {n} of {n} right would only show a rate of at least {estimate_proportion(n, n).low:.0%}"
    chance = f"chance gives {TOP * n / k:.0f} of {n}"
    return ClaimAnswer(
        "A9", "; ".join([*results, proof, chance]), f"{n} photos of {n} lesions (exact interval)", differences
    )


def _format_hits(run: StoredRun, top: int) -> str:
    hits, n = _count_hits(run, top), len(run.frame)
    return f"{hits} of {n} ({format_interval(estimate_proportion(hits, n))}%)"


def _count_hits(run: StoredRun, top: int) -> int:
    return round(float(top_k_accuracy(run.truth_index(), run.probabilities(), top)) * len(run.frame))


def _count_false_alarms(run: StoredRun) -> str:
    malignant = mark_malignant(run)
    benign = ~malignant[run.truth_index()]
    called_malignant = malignant[run.probabilities().argmax(axis=1)]
    return f"{int((benign & called_malignant).sum())} of {int(benign.sum())} benign called malignant"


def _answer_usefulness(runs: FoundRuns) -> ClaimAnswer:
    """Answer whether the network with the lowest loss is the best by the other metrics too, on the same photos."""
    differences = "Compared between the three networks with the same held-out photos."
    if not runs.has(*SHARED.values()):
        return ClaimAnswer("A10", NOT_YET, "", differences)
    headlines = {name: runs.measured[run_id].compute_headline() for name, run_id in SHARED.items()}
    if len({headline.photos for headline in headlines.values()}) > 1:
        raise RunError("The runs of eight types do not share their held-out photos. Make them again.")
    best = {
        "lowest loss": min(headlines, key=lambda name: headlines[name].log_loss),
        "best macro F1": max(headlines, key=lambda name: headlines[name].macro_f1),
        "best balanced accuracy": max(headlines, key=lambda name: headlines[name].balanced_accuracy),
    }
    same = all(a == b for a, b in pairwise(best.values()))
    winners = "; ".join(f"{figure}: {name}" for figure, name in best.items())
    verdict = "one network leads in all three" if same else "no network leads in all three"
    return ClaimAnswer("A10", f"{winners}; {verdict}", runs.measured[SHARED[CAPPED]].describe_photos(), differences)


def _build_figures(showcase: dict[str, StoredRun]) -> tuple[KeyFigure, ...]:
    if not showcase:
        return ()
    name, run = next(iter(showcase.items()))
    n = len(run.frame)
    return (
        build_count_figure(f"Top answer right ({name})", _count_hits(run, 1), n, "exact"),
        build_count_figure("Truth in its top three", _count_hits(run, TOP), n, "exact"),
        KeyFigure("By chance", f"{TOP * n / len(run.classes):.0f} of {n}", f"in {TOP} of {len(run.classes)} types"),
        KeyFigure(f"Even {n} of {n}", f"≥ {estimate_proportion(n, n).low:.0%}", "lower limit if all were right"),
    )


def _build_network_rows(runs: FoundRuns) -> pd.DataFrame:
    return build_rows(
        (words[0].upper() + words[1:], name, runs.measured[run_id].get_figure(figure))
        for figure, words in FIGURES.items()
        for name, run_id in VALIDATION.items()
        if runs.has(run_id)
    )


def _write_lesson(runs: FoundRuns) -> str:
    differences = _compare_capped(runs, BALANCED)
    verdict = _choose_verdict({sign_if_certain(value) for value in differences.values()})
    points = " and ".join(f"{figure} by {format_points(value)}" for figure, value in differences.items())
    return (
        f"{verdict}. On the same photos the capped network differs in {points} from a network that kept all photos and "
        "drew the rare types more often."
    )


def _choose_verdict(signs: set[int]) -> str:
    """Return what the signs of the differences (0: uncertain) say about deleting data."""
    if {1, -1} <= signs:
        return "Whether deleting good data helped depends on the metric"
    if -1 in signs:
        return "Deleting good data made the network worse"
    return "Deleting photos helped here" if 1 in signs else "Deleting good data had no certain benefit"
