"""A model's card as the metadata.json of a MONAI bundle.

Keys are those of https://project-monai.github.io/schema/meta_schema_20240725.json. It requires versions of MONAI and
NumPy, which a card does not hold. They are written as not recorded.
"""

from typing import Any

from skinapp.cards.formats.hugging_face import describe_model, list_references
from skinapp.cards.network_facts import describe_licence
from skinapp.cards.selection import list_test_figures
from skinapp.cards.wording import describe_question, name_figure
from skinapp.models.card import Card, Head, Preprocessing
from skinapp.taxonomy import get_class_name

SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"
NO_MONAI, NOT_RECORDED = "none: made without MONAI", "not recorded"
_COLOURS = ("red", "green", "blue")


def build_monai_metadata(card: Card) -> dict[str, Any]:
    """Return a card as a MONAI bundle's metadata; `eval_metrics` are the figures of the whole test split."""
    python, torch, skinapp = card.training.versions
    version = f"{skinapp}+{card.weights_sha256[:12]}"
    return {
        "schema": SCHEMA,
        "version": version,
        "changelog": {version: f"{'averaged' if card.members else 'trained'} {card.training.finished}"},
        "monai_version": NO_MONAI,
        "pytorch_version": torch,
        "numpy_version": NOT_RECORDED,
        "required_packages_version": {"python": python, "skinapp": skinapp},
        "name": card.id,
        "task": "; ".join(map(describe_question, card.heads)),
        "description": describe_model(card),
        "authors": "Skinapp",
        "copyright": describe_licence(card),
        "data_source": f"{', '.join(card.data.sources)}; image tables {_list_tables(card)}",
        "data_type": "dermoscopy photos",
        "image_classes": _describe_input(card.preprocessing),
        "pred_classes": "; ".join(map(_describe_classes, card.heads)),
        "eval_metrics": {
            f"{figure.task} {name_figure(figure)}": figure.value
            for figure in list_test_figures(card)
            if figure.value is not None
        },
        "intended_use": f"{card.intended_use} Not for: {card.not_for}",
        "references": list(list_references(card)),
        "network_data_format": {
            "inputs": {"image": _build_input(card.preprocessing)},
            "outputs": {head.name: _build_output(head, "logits", []) for head in card.heads},
            "post_processed_outputs": {head.name: _build_output(head, "probabilities", [0, 1]) for head in card.heads},
        },
    }


def _list_tables(card: Card) -> str:
    return ", ".join([card.data.table, *(other.table for other in card.data.others)])


def _describe_input(preprocessing: Preprocessing) -> str:
    return (
        f"RGB, short side to {preprocessing.resize_px} px, central {preprocessing.input_px} px square, / 255, less "
        f"mean {preprocessing.mean}, divided by {preprocessing.std}"
    )


def _describe_classes(head: Head) -> str:
    return f"{head.name}: " + ", ".join(f"{place} {get_class_name(label)}" for place, label in enumerate(head.classes))


def _build_input(preprocessing: Preprocessing) -> dict[str, Any]:
    channels = list(zip(preprocessing.mean, preprocessing.std, strict=True))
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "dermoscopy",
        "num_channels": len(channels),
        "spatial_shape": [preprocessing.input_px, preprocessing.input_px],
        "dtype": "float32",
        "value_range": [
            min(_normalise(0, *each) for each in channels),
            max(_normalise(1, *each) for each in channels),
        ],
        "is_patch_data": False,
        "channel_def": {str(place): colour for place, colour in enumerate(_COLOURS)},
    }


def _normalise(value: int, mean: float, std: float) -> float:
    return round((value - mean) / std, 4)


def _build_output(head: Head, kind: str, value_range: list[int]) -> dict[str, Any]:
    return {
        "type": kind,
        "format": "classes",
        "num_channels": len(head.classes),
        "spatial_shape": [],
        "dtype": "float32",
        "value_range": value_range,
        "is_patch_data": False,
        "channel_def": {str(place): label for place, label in enumerate(head.classes)},
    }
