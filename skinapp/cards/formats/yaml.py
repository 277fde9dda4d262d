"""The metadata at the top of a Hugging Face model card, and its YAML.

Keys and nesting are those of https://github.com/huggingface/hub-docs/blob/main/modelcard.md.
"""

import json
from itertools import groupby
from typing import Any

from skinapp.cards.figures import READ_HERE
from skinapp.cards.network_facts import describe_licence, has_terms_of_weights
from skinapp.cards.selection import list_test_figures
from skinapp.cards.wording import describe_question, name_figure
from skinapp.formatting import format_interval
from skinapp.models.card import Card, CardFigure

_LICENCES = {"CC BY-NC 4.0": "cc-by-nc-4.0"}
"""The beginning of a card's licence, and its id on the Hub."""

_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "macro_f1": "f1",
    "macro_auroc": "roc_auc",
    "malignant_auroc": "roc_auc",
    "recall": "recall",
    "brier": "brier_score",
}
"""The Hub's ids of metrics that it knows; others keep our name."""


def build_front_matter(card: Card) -> dict[str, Any]:
    """Return a card's metadata for the Hub: licence, tags, data sets and, if it has figures, metrics and their index.

    The index has the figures of the whole test split, one result per head. Undefined figures are left out.
    """
    results = _build_results(card)
    architectures = dict.fromkeys(network.architecture for network in card.networks)
    return {
        **_build_licence(card),
        "library_name": "skinapp",
        "pipeline_tag": "image-classification",
        "tags": ["pytorch", "safetensors", "image-classification", "dermoscopy", *architectures],
        "datasets": list(card.data.sources),
        **({"metrics": _list_metric_ids(results)} if results else {}),
        **({"model-index": [{"name": card.id, "results": results}]} if results else {}),
    }


def _build_licence(card: Card) -> dict[str, str]:
    for begins, known in _LICENCES.items():
        if card.licence.startswith(begins) and not has_terms_of_weights(card):
            return {"license": known}
    return {"license": "other", "license_name": describe_licence(card)}


def _build_results(card: Card) -> list[dict[str, Any]]:
    figures = [
        figure for head in card.heads for figure in list_test_figures(card, head.name) if figure.value is not None
    ]
    return [_build_result(card, list(of_run)) for _, of_run in groupby(figures, key=lambda figure: figure.run)]


def _build_result(card: Card, figures: list[CardFigure]) -> dict[str, Any]:
    first = figures[0]
    return {
        "task": {"type": "image-classification", "name": describe_question(card.head(first.task))},
        "dataset": {
            "type": card.data.table,
            "name": f"{card.data.table}, stored run {first.run}",
            "split": first.split,
            "revision": card.data.table_sha256,
        },
        "metrics": [_build_metric(figure) for figure in figures],
    }


def _build_metric(figure: CardFigure) -> dict[str, Any]:
    interval = format_interval(figure)
    name = name_figure(figure) + (f" (95% interval {interval})" if interval else "")
    return {"type": _get_metric_type(figure), "name": name, "value": figure.value}


def _get_metric_type(figure: CardFigure) -> str:
    """Return the Hub's id of a figure, or one in its style: "sensitivity_at_0.95"."""
    point = "" if figure.sensitivity is None else f"_at_{figure.sensitivity:g}"
    if figure.stage == READ_HERE:
        return f"{figure.metric}{point}_sensitivity_read_from_{figure.split}"
    if figure.stage == "before calibration":
        return f"{figure.metric}_before_calibration"
    return f"{figure.metric}{point}" if point else _METRICS.get(figure.metric, figure.metric)


def _list_metric_ids(results: list[dict[str, Any]]) -> list[str]:
    types = (metric["type"] for result in results for metric in result["metrics"])
    known = set(_METRICS.values())
    return list(dict.fromkeys(kind for kind in types if kind in known))


def format_yaml(value: dict[str, Any], depth: int = 0) -> str:
    """Return nested dicts, lists, strings and numbers as YAML, one line per key, each ending in a newline."""
    return "".join(f"{line}\n" for line in _list_lines(value, depth))


def _list_lines(value: dict[str, Any] | list[Any], depth: int) -> list[str]:
    pad, lines = "  " * depth, []
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in items:
        head = f"{pad}-" if key is None else f"{pad}{key}:"
        if not isinstance(item, dict | list) or not item:
            lines.append(f"{head} {_format_scalar(item)}")
        elif key is None:  # the first line of a list item stands beside its dash
            first, *rest = _list_lines(item, depth + 1)
            lines += [f"{head} {first.lstrip()}", *rest]
        else:
            lines += [head, *_list_lines(item, depth + 1)]
    return lines


def _format_scalar(value: object) -> str:
    """Return a string or a number as JSON, which is YAML too, except that YAML needs a point in 1e-05."""
    text = json.dumps(value, ensure_ascii=False)
    is_short = isinstance(value, float) and "e" in text and "." not in text
    return text.replace("e", ".0e") if is_short else text
