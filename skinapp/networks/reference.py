"""The reference bank of a model: the features of its training photos, which new photos are compared with.

It lies in the model folder, made by `skinapp gate`. The features are of its evidence network: the means of
its last maps, which its heads read. They are not negative, so 8 bits a value suffice: a step is 1/255 of a channel's
largest value.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from skinapp.errors import ModelError
from skinapp.files import compute_sha256, replace_file
from skinapp.models.card import Card
from skinapp.models.folder import REFERENCE
from skinapp.networks.resnet import read_metadata, read_safetensors

CASES = "cases"
"""The key of the metadata that holds the photos' facts, as JSON: a list for each column."""

CASE_COLUMNS = ("image_id", "lesion_id", "diagnosis", "confirmation", "camera")
"""Facts of a reference photo, as the image table has them."""


@dataclass(frozen=True, eq=False)
class ReferenceBank:
    """Training photos with their features.

    `features` is float32 (n, d). `cases` has a row for each, in the same order, with CASE_COLUMNS: text, NA where
    unknown.
    """

    features: np.ndarray
    cases: pd.DataFrame


def save_reference(folder: Path, bank: ReferenceBank) -> str:
    """Write a bank into a model folder and return the sha256, in hex, of its file.

    ValueError where a feature is negative: the 8 bits leave no room for a sign.
    """
    if bank.features.min() < 0:
        raise ValueError("features must not be negative")
    largest = np.maximum(bank.features.max(axis=0), np.finfo(np.float32).tiny)
    steps = np.round(bank.features / largest * 255).astype(np.uint8)
    columns = {name: bank.cases[name].astype(object).where(bank.cases[name].notna(), None) for name in CASE_COLUMNS}
    facts = json.dumps({name: list(values) for name, values in columns.items()})
    tensors = {"features": torch.from_numpy(steps), "largest": torch.from_numpy(largest.astype(np.float32))}
    with replace_file(folder / REFERENCE) as aside:
        save_file(tensors, aside, {CASES: facts})
    return compute_sha256(folder / REFERENCE)


def load_reference(folder: Path, card: Card) -> ReferenceBank | None:
    """Load the bank of a model folder; None where its card knows of none.

    ModelError where the file is missing, damaged or not the one of the card.
    """
    if card.reference_sha256 is None:
        return None
    path = folder / REFERENCE
    if not path.is_file() or compute_sha256(path) != card.reference_sha256:
        raise ModelError(f"{path} is not the file that its card names. Restore it, or run `skinapp gate {card.id}`.")
    try:
        tensors, cases = read_safetensors(path), pd.DataFrame(json.loads(read_metadata(path)[CASES]), dtype="str")
        features = tensors["features"].numpy() * (tensors["largest"].numpy() / np.float32(255))
        cases = cases[list(CASE_COLUMNS)]
    except (KeyError, ValueError) as error:
        raise ModelError(f"{path} is no reference bank. Run `skinapp gate {card.id}`.") from error
    if len(features) != len(cases):
        raise ModelError(f"{path} holds other photos than its features are of. Run `skinapp gate {card.id}`.")
    return ReferenceBank(features, cases)


def choose_cases(photos: pd.DataFrame, most: int) -> pd.DataFrame:
    """Choose at most so many rows of an image table for a bank: one photo of each lesion, at random, seeded.

    Where there is no room for all lesions, nevi are left out first: they are two thirds of the photos, and each of the
    rarer types is wanted more.
    """
    one_each = photos.sample(frac=1, random_state=0).drop_duplicates("lesion_id")
    rare_first = one_each.sort_values("diagnosis", key=lambda codes: codes == "nv", kind="stable")
    return rare_first.head(most).sort_index()
