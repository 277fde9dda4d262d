"""Trained networks -> one model that averages their answers: calibrated together on validation, written as a card."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pydantic import Field, field_validator
from torch import Tensor

from skinapp.datasets.files import Progress
from skinapp.datasets.table import read_table, truth_labels
from skinapp.errors import RecipeError
from skinapp.files import file_sha256, read_toml
from skinapp.inference.table import predict_batches
from skinapp.models.card import Card, DataFacts, Head, Network, Provenance, Role, Task, write_card
from skinapp.models.folder import member_folder
from skinapp.networks.average import AveragedNetworks, joint_sha256
from skinapp.networks.device import versions
from skinapp.networks.folder import Model, load_model
from skinapp.training.calibrate import fit_temperature
from skinapp.training.facts import LIMITS
from skinapp.training.recipe import Strict, checked


class AverageRecipe(Strict):
    """Which trained networks are averaged, and whose validation photos they are calibrated on together."""

    members: tuple[str, ...] = Field(min_length=2, description="model folders below members/, beside the recipe")
    table: str = Field(description="path of their image table, relative to the folder the command runs in")

    @field_validator("members")
    @classmethod
    def _folders_each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names) or any(Path(name).name != name for name in names):
            raise ValueError("members are names of folders, each once")
        return names


def average(recipe_path: Path, data_root: Path, progress: Progress) -> Card:
    """Average the trained members that a recipe names, and write the card beside it; members stay as they are.

    Each head gets one temperature, fitted on the table's validation photos. Its scores are meant for the shares of the
    classes among the table's training photos, where every member's are meant for some. Returns the card as written,
    without operating points and figures. Raises RecipeError where the members do not fit each other or the table,
    ModelError where one is missing or damaged, PhotoError where a photo cannot be read.
    """
    recipe = checked(AverageRecipe, recipe_path, read_toml(recipe_path))
    folder, table = recipe_path.parent, Path(recipe.table)
    photos = read_table(table)
    members = [load_model(member_folder(folder, name)) for name in recipe.members]
    tasks = _fitting(members, table)
    validation = _validation(photos, members, tasks, table)
    network = AveragedNetworks([(member.network, member.card) for member in members]).eval()
    natural = {task: _shares(photos, task, heads) for task, heads in tasks.items()}
    heads = _calibrated_heads(network, tasks, natural, validation, data_root, progress)
    first = members[0].card
    card = Card(
        id=recipe_path.resolve().parent.name,
        role=_role(tasks),
        architecture=first.architecture,
        members=tuple(map(_network, recipe.members, members)),
        heads=heads,
        preprocessing=network.preprocessing,
        weights_sha256=joint_sha256([member.card for member in members]),
        weights_dtype="float16",
        data=_data(members),
        initial=None,
        training=Provenance(
            recipe_sha256=file_sha256(recipe_path),
            versions=versions(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        ),
        licence=first.licence,
        intended_use=first.intended_use,
        not_for=first.not_for,
    )
    write_card(folder, card)
    return card


def _fitting(members: list[Model], table: Path) -> dict[Task, list[Head]]:
    """Return the heads of each task; RecipeError where members answer otherwise or learned by another table."""
    sha256 = file_sha256(table)
    tasks: dict[Task, list[Head]] = {}
    for member in members:
        if member.card.members:
            raise RecipeError(f"{member.folder} is an average itself. Name its members instead.")
        if member.card.licence != members[0].card.licence:
            raise RecipeError(f"{member.folder} has another licence than {members[0].folder}. Average what shares one.")
        if member.card.data.table_sha256 != sha256:
            raise RecipeError(f"{member.folder} was trained by another table than {table}. Name that one.")
        for head in member.card.heads:
            others = tasks.setdefault(head.name, [])
            if others and others[0].classes != head.classes:
                raise RecipeError(f"{member.folder} answers {head.name} with classes of its own. Leave it out.")
            others.append(head)
    return {task: tasks[task] for task in ("malignancy", "lesion_type") if task in tasks}


def _validation(photos: pd.DataFrame, members: list[Model], tasks: dict[Task, list[Head]], table: Path) -> pd.DataFrame:
    """Return the table's validation photos; RecipeError where they are not the members', or a label is strange."""
    found = photos[photos["split"] == "validation"].reset_index(drop=True)
    for task, (head, *_) in tasks.items():
        truth = truth_labels(found, task)
        if strange := set(truth.fillna("none")) - set(head.classes):
            raise RecipeError(f"The members do not know every {task} of {table}: {', '.join(sorted(strange))}.")
    for member in members:
        known = member.card.data.validation
        if (known.photos, known.lesions) != (len(found), found["lesion_id"].nunique()):
            raise RecipeError(f"{member.folder} was validated on other photos than those of {table}. Leave it out.")
    return found


def _role(tasks: dict[Task, list[Head]]) -> Role:
    (first, *more) = tasks
    return "both" if more else first


def _shares(photos: pd.DataFrame, task: Task, heads: list[Head]) -> tuple[float, ...]:
    """Return the shares of a head's classes among the training photos; none where a member's are not kept."""
    if not all(head.shares for head in heads):
        return ()
    counts = truth_labels(photos[photos["split"] == "train"], task).value_counts()
    named = counts.reindex(list(heads[0].classes), fill_value=0)
    return tuple((named / named.sum()).tolist())


def _calibrated_heads(
    network: AveragedNetworks,
    tasks: dict[Task, list[Head]],
    natural: Mapping[Task, tuple[float, ...]],
    photos: pd.DataFrame,
    data_root: Path,
    progress: Progress,
) -> tuple[Head, ...]:
    """Ask the average about the validation photos, and give each head the temperature that its log loss is least by."""

    def ask(batch: Tensor) -> list[np.ndarray]:
        with torch.inference_mode():
            answers = network(batch)
        return [answers[task].double().numpy() for task in tasks]

    files = [data_root / path for path in photos["path"]]
    calibrated = []
    for (task, (head, *_)), logits in zip(
        tasks.items(), predict_batches(ask, network.preprocessing, files, progress), strict=True
    ):
        classes = truth_labels(photos, task).map(head.classes.index).to_numpy()
        temperature = fit_temperature(logits, classes)
        calibrated.append(Head(name=task, classes=head.classes, temperature=temperature, shares=natural[task]))
    return tuple(calibrated)


def _network(name: str, member: Model) -> Network:
    """Return what the card of a member says of its network, under the name of its folder."""
    (network,) = member.card.networks
    return network.model_copy(update={"name": name})


def _data(members: list[Model]) -> DataFacts:
    """Return the facts of the member that learned from most photos, with the tables and sources of them all.

    The limits are those known today: members may have been trained when less was known.
    """
    facts = [member.card.data for member in members]
    most = max(facts, key=lambda one: one.train.photos)
    others = {other: None for one in facts for other in one.others}
    sources = {source for one in facts for source in one.sources}
    return most.model_copy(update={"others": tuple(others), "sources": tuple(sorted(sources)), "limits": LIMITS})
