"""Model folders, models/<id>/: their files, and how to find them."""

from pathlib import Path

from skinapp.models.card import CARD, read_card

WEIGHTS, CURVES, MEMBERS = "model.safetensors", "curves.csv", "members"


def member_folder(folder: Path, name: str) -> Path:
    """Return the folder of a member of an average: a model folder inside the average's own."""
    return folder / MEMBERS / name


def weights_files(folder: Path) -> tuple[Path, ...]:
    """List the weights files of a model: its own, or those of its members; ModelError if it has no card."""
    members = read_card(folder).members
    return tuple(member_folder(folder, member.name) / WEIGHTS for member in members) or (folder / WEIGHTS,)


def find_models(root: Path) -> tuple[Path, ...]:
    """List the folders in `root` that hold a card, sorted by name, without the members of averages."""
    return tuple(sorted(card.parent for card in root.glob(f"*/{CARD}")))


def describe_no_model(root: Path) -> str:
    """Say that a folder holds no model, and what to do."""
    return (
        f"There is no model in {root}. Name the folder of models with --models or SKINAPP_MODELS, or train one with "
        "`skinapp train`. An installed package brings no models: they are in the folder models of the repository."
    )
