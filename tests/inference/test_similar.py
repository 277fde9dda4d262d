import numpy as np
import pandas as pd
import pytest

from skinapp.inference.similar import compute_similarity, find_similar
from skinapp.networks.reference import ReferenceBank

CASES = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d"],
        "lesion_id": ["L1", "L1", "L2", "L3"],
        "diagnosis": ["mel", "mel", "nv", "bkl"],
        "confirmation": ["histology", "histology", None, "consensus"],
        "camera": ["one"] * 4,
    },
    dtype="str",
)
BANK = ReferenceBank(np.array([[3, 0, 0], [2, 0.1, 0], [1, 1, 0], [0, 0, 5]], np.float32), CASES)


def test_the_nearest_come_first_and_one_photo_stands_for_a_lesion() -> None:
    cases = find_similar(np.array([1.0, 0.2, 0.0]), BANK)
    assert [case.image_id for case in cases] == ["b", "c", "d"]
    assert [case.diagnosis for case in cases] == ["mel", "nv", "bkl"]
    assert [case.confirmation for case in cases] == ["histology", None, "consensus"]
    assert cases[1].similarity == pytest.approx(1.2 / np.sqrt(2 * 1.04), abs=1e-5)
    assert cases[2].similarity == 0
    assert len(find_similar(np.array([1.0, 0.2, 0.0]), BANK, most=2)) == 2


def test_similarity_is_the_cosine_and_does_not_depend_on_strength() -> None:
    features = np.array([[1.0, 2.0, 2.0], [0, 0, 0]])
    assert compute_similarity(features, features * 7)[0] == pytest.approx([1, 0])
    assert compute_similarity(features, features)[1].tolist() == [0, 0]
    assert compute_similarity(features[:1], np.eye(3))[0] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
