from pathlib import Path

import pandas as pd
import pytest

from skinapp.errors import RunError
from skinapp.runs.probe.stored import FEATURES_FILE, read_features, summarise_probe


def test_each_class_names_the_facts_that_carry_it() -> None:
    classes = pd.DataFrame(
        {"class": ["mel", "nv"], "name": ["Melanoma", "Nevus"], "support": [3, 4], "lesions": [2, 2]}
        | {name: [0.9, 0.6] for name in ("auroc", "auroc_low", "auroc_high")}
    )
    facts = ["colour", "camera", "size", "contrast", "sharpness"]
    features = pd.DataFrame(
        {
            "feature": [*facts, "colour"],
            "class": ["mel"] * len(facts) + ["nv"],
            "auroc_alone": 0.5,
            "auroc_drop": [0.02, 0.2, 0.1, 0.015, 0.001, 0.004],
        }
    )
    found = summarise_probe(classes, features)
    assert found["carried_by"].tolist() == ["camera (0.20), size (0.10), colour (0.02)", ""]
    assert found["auroc"].tolist() == [0.9, 0.6]


def test_features_that_are_missing_or_malformed_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=FEATURES_FILE):
        read_features(tmp_path)
    (tmp_path / FEATURES_FILE).write_text("feature,other\na,b\n")
    with pytest.raises(RunError, match=FEATURES_FILE):
        read_features(tmp_path)
