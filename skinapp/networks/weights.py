"""Whether weights are numbers: a diverged training leaves NaN, and fp16 turns large weights into infinity."""

from collections.abc import Mapping

import torch
from torch import Tensor

from skinapp.errors import ModelError

LARGEST_HALF = torch.finfo(torch.float16).max
"""65,504: larger weights become infinite as fp16."""


def find_not_finite(state: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the tensors that hold NaN or an infinity."""
    # A sum is not finite if one of its terms is not, and it is computed faster than a test of each. In float32 weights
    # that are worth keeping do not overflow it.
    return [name for name, v in state.items() if v.is_floating_point() and not v.sum(dtype=torch.float32).isfinite()]


def check_fits_half(state: Mapping[str, Tensor], whose: str) -> None:
    """Raise ModelError where weights are no numbers, or so large that fp16 would make them infinite.

    `whose` begins the sentence, for example "The weights of a-model".
    """
    if broken := find_not_finite(state):
        raise ModelError(f"{whose} hold NaN or infinity, in {broken[0]}. Train again with a lower learning_rate.")
    large = [name for name, v in state.items() if v.is_floating_point() and v.abs().max() > LARGEST_HALF]
    if large:
        raise ModelError(
            f"{whose} are too large to ship as fp16, in {large[0]} (above {LARGEST_HALF:,.0f}). "
            "Train again with a lower learning_rate or more weight_decay."
        )
