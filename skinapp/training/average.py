"""Make one model that averages trained networks: calibrate it on validation photos and write its card."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pydantic import Field, field_validator
from torch import Tensor

from skinapp.datasets.files import Progress
from skinapp.datasets.table import get_true_labels, read_table
from skinapp.errors import ModelError, RecipeError
from skinapp.files import compute_sha256, read_toml
from skinapp.inference.table import predict_batches
from skinapp.models.card import (
    Card,
    DataFacts,
    Head,
    NetworkFacts,
    Provenance,
    Role,
    Task,
    find_evidence_network,
    read_card,
    write_card,
)
from skinapp.models.folder import get_member_folder
from skinapp.networks.average import AveragedNetworks, hash_members
from skinapp.networks.device import read_versions
from skinapp.networks.folder import Model, load_model
from skinapp.training.calibrate import fit_temperature
from skinapp.training.facts import LIMITS
from skinapp.training.recipe import parse_recipe
from skinapp.training.sections import StrictModel


class AverageRecipe(StrictModel):
    """The trained networks to average, and the image table with the validation photos to calibrate on."""

    members: tuple[str, ...] = Field(min_length=2, description="model folders below members/, beside the recipe")
    table: str = Field(description="path of their image table, relative to the working directory")

    @field_validator("members")
    @classmethod
    def _folders_each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names) or any(Path(name).name != name for name in names):
            raise ValueError("members must be names of folders, each named once")
        return names


def average(recipe_path: Path, data_root: Path, progress: Progress) -> Card:
    """Average the trained members of a recipe and write the card beside it; the members stay as they are.

    Each head gets one temperature, fitted on the table's validation photos, and the class shares of the table's
    training photos, if every member's card has class shares. Returns the card as written, without operating points and
    figures. Raises RecipeError where the members do not fit each other or the table, ModelError where one is missing or
    damaged, PhotoError where a photo cannot be read.
    """
    recipe = parse_recipe(AverageRecipe, recipe_path, read_toml(recipe_path))
    folder, table = recipe_path.parent, Path(recipe.table)
    photos = read_table(table)
    members = [load_model(get_member_folder(folder, name)) for name in recipe.members]
    tasks = _group_heads(members, table)
    validation = _select_validation(photos, members, tasks, table)
    network = AveragedNetworks([(member.network, member.card) for member in members]).eval()
    shares = {task: _compute_shares(photos, task, heads) for task, heads in tasks.items()}
    heads = _calibrate_heads(network, tasks, shares, validation, data_root, progress)
    first = members[0].card
    card = Card(
        id=recipe_path.resolve().parent.name,
        role=_find_role(tasks),
        architecture=first.architecture,
        members=tuple(map(_network_facts, recipe.members, members)),
        heads=heads,
        preprocessing=network.preprocessing,
        weights_sha256=hash_members([member.card for member in members]),
        weights_dtype="float16",
        data=_join_data_facts(members),
        initial=None,
        training=Provenance(
            recipe_sha256=compute_sha256(recipe_path),
            versions=read_versions(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        ),
        licence=first.licence,
        intended_use=first.intended_use,
        not_for=first.not_for,
    )
    card = _keep_gate(folder, card)
    write_card(folder, card)
    return card


def _keep_gate(folder: Path, card: Card) -> Card:
    """Return a card with the evidence network, scope gate, quality checks and reference bank of the folder's old card.

    They depend on what the evidence network sees, not on the calibration; where that network or the photos' size is
    another now, they are dropped. So are those of a card that cannot be read or was changed by hand.
    """
    try:
        old = read_card(folder)
    except ModelError:
        return card
    name = find_evidence_network(old)
    before, now = (next((n.weights_sha256 for n in one.networks if n.name == name), None) for one in (old, card))
    if before != now or old.preprocessing != card.preprocessing:
        return card
    kept = ("evidence_network", "scope", "quality", "reference_sha256")
    return card.model_copy(update={name: getattr(old, name) for name in kept})


def _group_heads(members: list[Model], table: Path) -> dict[Task, list[Head]]:
    """Return the members' heads by task; RecipeError where members differ in classes, licence or image table."""
    sha256 = compute_sha256(table)
    tasks: dict[Task, list[Head]] = {}
    for member in members:
        if member.card.members:
            raise RecipeError(f"{member.folder} is an average itself. Name its members instead.")
        if member.card.licence != members[0].card.licence:
            raise RecipeError(
                f"{member.folder} and {members[0].folder} have different licences. Average models with the same one."
            )
        if member.card.data.table_sha256 != sha256:
            raise RecipeError(f"{member.folder} was trained on another table than {table}. Name that table.")
        for head in member.card.heads:
            others = tasks.setdefault(head.name, [])
            if others and others[0].classes != head.classes:
                raise RecipeError(
                    f"{member.folder} has other {head.name} classes than the other members. Leave it out."
                )
            others.append(head)
    return {task: tasks[task] for task in ("malignancy", "lesion_type") if task in tasks}


def _select_validation(
    photos: pd.DataFrame, members: list[Model], tasks: dict[Task, list[Head]], table: Path
) -> pd.DataFrame:
    """Return the table's validation photos; RecipeError where the members' were others or lack a label of these."""
    validation = photos[photos["split"] == "validation"].reset_index(drop=True)
    for task, (head, *_) in tasks.items():
        truth = get_true_labels(validation, task)
        if unknown := set(truth.fillna("none")) - set(head.classes):
            raise RecipeError(f"{table} has {task} labels that the members do not have: {', '.join(sorted(unknown))}.")
    for member in members:
        facts = member.card.data.validation
        if (facts.photos, facts.lesions) != (len(validation), validation["lesion_id"].nunique()):
            raise RecipeError(f"{member.folder} was validated on other photos than those of {table}. Leave it out.")
    return validation


def _find_role(tasks: dict[Task, list[Head]]) -> Role:
    (first, *more) = tasks
    return "both" if more else first


def _compute_shares(photos: pd.DataFrame, task: Task, heads: list[Head]) -> tuple[float, ...]:
    """Return the class shares of the training photos, (k,); empty where a member's card has none."""
    if not all(head.shares for head in heads):
        return ()
    counts = get_true_labels(photos[photos["split"] == "train"], task).value_counts()
    ordered = counts.reindex(list(heads[0].classes), fill_value=0)
    return tuple((ordered / ordered.sum()).tolist())


def _calibrate_heads(
    network: AveragedNetworks,
    tasks: dict[Task, list[Head]],
    shares: Mapping[Task, tuple[float, ...]],
    photos: pd.DataFrame,
    data_root: Path,
    progress: Progress,
) -> tuple[Head, ...]:
    """Predict the validation photos and give each head the temperature with the lowest log loss."""

    def predict(batch: Tensor) -> list[np.ndarray]:
        with torch.inference_mode():
            logits = network(batch)
        return [logits[task].double().numpy() for task in tasks]

    files = [data_root / path for path in photos["path"]]
    calibrated = []
    for (task, (head, *_)), logits in zip(
        tasks.items(), predict_batches(predict, network.preprocessing, files, progress), strict=True
    ):
        classes = get_true_labels(photos, task).map(head.classes.index).to_numpy()
        temperature = fit_temperature(logits, classes)
        calibrated.append(Head(name=task, classes=head.classes, temperature=temperature, shares=shares[task]))
    return tuple(calibrated)


def _network_facts(name: str, member: Model) -> NetworkFacts:
    """Return the network facts of a member's card, named by its folder."""
    (network,) = member.card.networks
    return network.model_copy(update={"name": name})


def _join_data_facts(members: list[Model]) -> DataFacts:
    """Return the data facts of the member with the most training photos, with the tables and sources of all members.

    The limits are today's, because the members' cards may be older.
    """
    facts = [member.card.data for member in members]
    most = max(facts, key=lambda one: one.train.photos)
    others = {other: None for one in facts for other in one.others}
    sources = {source for one in facts for source in one.sources}
    return most.model_copy(update={"others": tuple(others), "sources": tuple(sorted(sources)), "limits": LIMITS})
