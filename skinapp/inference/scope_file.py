"""The file of a scope gate in a model folder, scope.safetensors; `skinapp gate` writes it."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from skinapp.errors import ModelError
from skinapp.files import compute_sha256, replace_file
from skinapp.inference.scope import ScopeGate
from skinapp.models.card import Card, find_evidence_network
from skinapp.networks.resnet import read_safetensors

SCOPE = "scope.safetensors"


def save_gate(folder: Path, gate: ScopeGate) -> str:
    """Write a gate into a model folder, its directions in fp16, and return the sha256, in hex, of the file."""
    arrays: dict[str, np.ndarray] = {
        "centre": gate.centre.astype(np.float32),
        "spread": gate.spread.astype(np.float32),
        "directions": np.ascontiguousarray(gate.directions, dtype=np.float16),
        "weights": gate.weights.astype(np.float32),
        "joined": np.array([gate.residual_weight, gate.floor, gate.offset]),
    }
    with replace_file(folder / SCOPE) as aside:
        save_file(arrays, aside)
    return compute_sha256(folder / SCOPE)


def load_gate(folder: Path, card: Card) -> ScopeGate | None:
    """Load the gate of a model folder; None where its card knows of none.

    ModelError where the file is missing, damaged, not the one of the card, or fitted to another network.
    """
    if card.scope is None:
        return None
    path = folder / SCOPE
    again = f"Restore it, or run `skinapp gate {card.id}`."
    if not path.is_file() or compute_sha256(path) != card.scope.sha256:
        raise ModelError(f"{path} is not the scope gate that the card names. {again}")
    if card.scope.network_sha256 != get_evidence_sha256(card):
        raise ModelError(f"{path} was fitted to another network than the card's evidence network. {again}")
    tensors = {name: tensor.float().numpy() for name, tensor in read_safetensors(path).items()}
    try:
        residual_weight, floor, offset = tensors["joined"].tolist()
        centre, spread, directions, weights = (tensors[n] for n in ("centre", "spread", "directions", "weights"))
        return ScopeGate(centre, spread, directions, weights, residual_weight, floor, offset)
    except (KeyError, ValueError) as error:
        raise ModelError(f"{path} holds no scope gate. {again}") from error


def get_evidence_sha256(card: Card) -> str:
    """Return the sha256, in hex, of the weights of a model's evidence network."""
    name = find_evidence_network(card)
    return next(network.weights_sha256 for network in card.networks if network.name == name)
