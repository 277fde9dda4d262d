"""Model folders, models/<id>/: their files, and how to find them."""

from pathlib import Path

from skinapp.errors import ModelError
from skinapp.models.card import CARD, read_card

WEIGHTS, CURVES, MEMBERS = "model.safetensors", "curves.csv", "members"
REFERENCE = "reference.safetensors"
"""The features of training photos that new photos are compared with: see networks.reference."""


def get_member_folder(folder: Path, name: str) -> Path:
    """Return the folder of a member of an average: a model folder inside the average's own."""
    return folder / MEMBERS / name


def get_weights_files(folder: Path) -> tuple[Path, ...]:
    """List the weights files of a model: its own, or those of its members; ModelError if it has no card."""
    members = read_card(folder).members
    return tuple(get_member_folder(folder, member.name) / WEIGHTS for member in members) or (folder / WEIGHTS,)


def find_models(root: Path) -> tuple[Path, ...]:
    """List the folders in `root` that hold a card, by name, without hidden folders and the members of averages."""
    return tuple(sorted(card.parent for card in root.glob(f"*/{CARD}") if not card.parent.name.startswith(".")))


def describe_no_model(root: Path) -> str:
    """Say that a folder holds no model, why, and what to do."""
    if (root / CARD).is_file():
        return f"{root} is a model itself. Name the folder it lies in, {root.parent}, with --models or SKINAPP_MODELS."
    if root.exists() and not root.is_dir():
        return f"{root} is a file. Name the folder of models with --models or SKINAPP_MODELS."
    happened = f"There is no model in {root}" if root.is_dir() else f"There is no folder {root} of models"
    return (
        f"{happened}. Name the folder of models with --models or SKINAPP_MODELS. An installed package brings no "
        "models: they are in the folder models of Skinapp's repository."
    )


def check_model_id(name: str) -> None:
    """Raise ModelError where the name of a model folder cannot be an id, which cards, runs and addresses hold."""
    try:
        name.encode("utf-8")
        printable = name.isprintable()
    except UnicodeEncodeError:
        printable = False
    if not name.strip() or not printable:
        raise ModelError(
            f"The folder {name!r} cannot name a model: its name must be UTF-8 text of printable characters. Rename it."
        )
