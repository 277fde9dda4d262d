from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from skinapp.evaluation.run import StoredRun, Versions
from skinapp.taxonomy import CODES

MakeRun = Callable[..., StoredRun]


@pytest.fixture
def make_run() -> MakeRun:
    """Make a run whose predictions are right more often than by chance, some lesions with several photos."""

    def make(classes: tuple[str, ...] = CODES, photos: int = 120, seed: int = 0) -> StoredRun:
        random = np.random.default_rng(seed)
        truth = random.integers(len(classes), size=photos)
        logits = random.normal(size=(photos, len(classes))) + 1.5 * np.eye(len(classes))[truth]
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        frame = pd.DataFrame(
            {
                "image_id": [f"photo_{number}" for number in range(photos)],
                "lesion_id": [f"lesion_{number * 2 // 3}" for number in range(photos)],
                "truth": np.array(classes)[truth],
            }
        )
        for place, label in enumerate(classes):
            frame[f"p_{label}"] = scores[:, place].astype(np.float32)
        return StoredRun(
            name="test-split",
            model="a-model",
            classes=classes,
            table="a-table",
            table_sha256="0" * 64,
            split="test",
            weights_sha256="1" * 64,
            weights_kept=True,
            versions=Versions(python="3.11.9", torch="2.9.0", skinapp="0.1.0"),
            created="2025-01-31T12:00:00+00:00",
            note="Made up.",
            predictions=frame,
        )

    return make
