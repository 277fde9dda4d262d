"""Make the scope gate and the reference bank of a model, and measure the gate, by what its evidence network sees."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skinapp.datasets.files import Progress
from skinapp.files import replace_together
from skinapp.inference.scope_file import get_evidence_sha256, load_gate, save_gate
from skinapp.models.card import CARD, Card, format_card
from skinapp.models.scope import Refusals, ScopeFacts
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import choose_device
from skinapp.networks.folder import Model, choose_evidence, load_model
from skinapp.networks.reference import CASE_COLUMNS, ReferenceBank, save_reference
from skinapp.training.gate.extract import Seen, extract_groups
from skinapp.training.gate.fit import FALSE_ALARMS, fit_gate, measure_refusals
from skinapp.training.gate.groups import collect_groups


def make_gate(folder: Path, data_root: Path, evidence: str | None, cache: Path, progress: Progress) -> Card:
    """Fit the gate of a model folder, and write it, the reference bank and the card with both: all or none.

    `evidence` names the member of an average whose maps and features are used from now on; None keeps the card's.
    `cache` is a folder for what the network saw already. Returns the card as written. Raises ModelError where the model
    is damaged or has no such member, DatasetError where photos are missing, PhotoError where one cannot be read.
    """
    model = load_model(folder)
    model = choose_evidence(model, evidence) if evidence else model
    seen = _look(model, data_root, cache, progress)
    gate = fit_gate(seen)
    with replace_together(folder) as aside:
        facts = _describe_gate(save_gate(aside, gate), model.card, seen, measure_refusals(gate, seen))
        changes = {"reference_sha256": save_reference(aside, _build_bank(seen)), "scope": facts}
        card = model.card.model_copy(update=changes)
        (aside / CARD).write_text(format_card(card), encoding="utf-8")
    return card


def measure_gate(folder: Path, data_root: Path, cache: Path, progress: Progress) -> tuple[Refusals, ...]:
    """Measure the gate that a model folder holds on all groups that it was not fitted on; empty where it has none."""
    model = load_model(folder)
    gate = load_gate(folder, model.card)
    if gate is None:
        return ()
    return measure_refusals(gate, _look(model, data_root, cache, progress))


def _look(model: Model, data_root: Path, cache: Path, progress: Progress) -> list[Seen]:
    groups = collect_groups(data_root, model.card.preprocessing)
    return extract_groups(Classifier(model, choose_device()), groups, cache, progress)


def _describe_gate(sha256: str, card: Card, seen: Sequence[Seen], refusals: tuple[Refusals, ...]) -> ScopeFacts:
    fitted: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for each in seen:
        if each.group.fitted:
            fitted[each.group.inside][each.group.kind] += each.group.pictures
    return ScopeFacts(
        sha256=sha256,
        network_sha256=get_evidence_sha256(card),
        false_alarms=FALSE_ALARMS,
        fitted_inside=dict(fitted[True]),
        fitted_outside=dict(fitted[False]),
        refusals=refusals,
    )


def _build_bank(seen: Sequence[Seen]) -> ReferenceBank:
    """Build the bank of the training photos of the model's own table, which the first group holds."""
    own = seen[0]
    assert own.group.photos is not None
    return ReferenceBank(np.maximum(own.features, 0), own.group.photos[list(CASE_COLUMNS)].reset_index(drop=True))
