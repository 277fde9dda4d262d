"""The seal of a card: a sha256 of all that it says, written with it and checked whenever it is read.

A card decides what the numbers of a network mean: the order of its classes, the preprocessing, the temperature, the
thresholds. A slip of hand there turns 0.1% malignant into 99.9%, while the weights still match their hash. So a card
is only ever written by a command, and one that was changed by hand fails by name.

The seal is over the card and lies in it, rather than over the weights file: stored runs and cards name models by the
hash of that file, which must stay. Weights files that are saved today also carry their classes and preprocessing as
metadata (see networks.folder), which a card must match. The seal is of the values, not of the bytes: line ends and
indents may change, and so may the fields that a later version knows. It is no signature: it guards against mistakes,
not against someone who computes it anew.
"""

import hashlib
import json
from collections.abc import Mapping

SEAL = "seal"
"""The key of the seal in a card's file; it is the last one."""


def compute_seal(content: Mapping[str, object]) -> str:
    """Return the sha256, in hex, of a card's keys and values without the seal, whatever their order and layout."""
    facts = {key: value for key, value in content.items() if key != SEAL}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def add_seal(text: str) -> str:
    """Add the seal to the JSON text of a card, as its last key, on a line of its own; an old seal must be gone."""
    body = text.rstrip().removesuffix("}").rstrip()
    return f'{body},\n  "{SEAL}": "{compute_seal(json.loads(text))}"\n}}\n'
