"""Limits come from training photos, false alarms from validation photos, and flaws are made in copies of those."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinapp.datasets.files import ignore_progress
from skinapp.errors import DatasetError
from skinapp.inference.quality import WORDS, check_quality, measure_quality
from skinapp.models.card import Card
from skinapp.models.quality import QualityFacts
from skinapp.training import fit_quality as fit
from skinapp.training.degrade import FLAWS

PHOTOS = 24


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data root with drawn lesions, their masks and a table; half of the photos to fit on."""
    root = tmp_path_factory.mktemp("drawn")
    for folder in ("set/photos", "set/masks"):
        (root / folder).mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(PHOTOS):
        mask = np.zeros((240, 320), np.uint8)
        centre = (160 + int(random.integers(-10, 10)), 120 + int(random.integers(-10, 10)))
        cv2.circle(mask, centre, int(random.integers(40, 60)), 255, -1)
        skin = np.array([205, 165, 148]) + random.integers(-6, 6, 3)
        pixels = np.where(mask[..., None] > 0, [110, 75, 60], skin) + random.normal(0, 6, (240, 320, 1))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(root / f"set/photos/p{number:02}.png")
        Image.fromarray(mask).save(root / f"set/masks/p{number:02}.png")
    return root


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    names = [f"p{number:02}" for number in range(PHOTOS)]
    return pd.DataFrame(
        {
            "image_id": names,
            "path": [f"set/photos/{name}.png" for name in names],
            "lesion_id": [f"lesion_{number // 2}" for number in range(PHOTOS)],
            "split": ["train"] * (PHOTOS // 2) + ["validation"] * (PHOTOS // 2),
        }
    )


@pytest.fixture(scope="module")
def facts(root: Path, table: pd.DataFrame, make_card: Callable[..., Card]) -> QualityFacts:
    seen = make_card("both").preprocessing.model_copy(update={"resize_px": 224, "input_px": 224})
    return fit.fit_quality(make_card("both", preprocessing=seen), table, root, ignore_progress)


def test_each_check_has_a_limit_that_training_photos_set(facts: QualityFacts) -> None:
    assert [limit.code for limit in facts.limits] == [code for code in WORDS if code != "too_small"]
    assert facts.photos == PHOTOS // 2
    assert {limit.code for limit in facts.limits if limit.refuses_beyond is not None} == set(fit.REFUSES)


def test_limits_are_quantiles_and_refusals_lie_beyond_all(make_card: Callable[..., Card]) -> None:
    rows = [dict.fromkeys(measure_quality(np.zeros((224, 224, 3), np.uint8)), float(n)) for n in range(101)]
    made = fit.fit_limits(pd.DataFrame(rows), make_card("both"))
    by_code = {limit.code: limit for limit in made.limits}
    assert by_code["dark"].warns_beyond == pytest.approx(100 * (1 - fit.SHARE))
    assert by_code["dark"].refuses_beyond == 100
    assert by_code["ink"].refuses_beyond is None


def test_flaws_are_found_in_copies_and_findings_are_counted(facts: QualityFacts) -> None:
    figures = facts.figures
    assert figures is not None
    assert {copy.kind for copy in figures.copies} == {flaw.kind for flaw in FLAWS}
    found = {copy.kind: copy.found.value for copy in figures.copies}
    assert (found["30% of the light"], found["white reflections"]) == (1, 1)
    assert figures.refused.value <= figures.any_finding.value
    assert figures.any_finding.photos == PHOTOS // 2
    assert figures.any_finding.lesions == PHOTOS // 4
    assert set(figures.false_alarms) == {limit.code for limit in facts.limits}


def test_the_lesions_box_is_compared_with_its_mask(facts: QualityFacts) -> None:
    assert facts.figures is not None
    assert facts.figures.box is not None
    assert facts.figures.box.overlap.value == pytest.approx(0.9, abs=0.1)
    assert facts.figures.box.centred.value == 1


def test_a_photo_below_the_smallest_side_is_blurred_when_enlarged(facts: QualityFacts, root: Path) -> None:
    assert 40 <= facts.smallest_px <= 224
    view = np.asarray(Image.open(root / "set/photos/p20.png"))[:224, 48:272]
    assert "too_small" in {finding.code for finding in check_quality(view, facts.smallest_px - 1, facts)}


def test_without_masks_the_flaws_that_need_one_are_left_out(
    root: Path, table: pd.DataFrame, make_card: Callable[..., Card], tmp_path: Path
) -> None:
    shutil.copytree(root / "set" / "photos", tmp_path / "set" / "photos")
    figures = fit.fit_quality(make_card("both"), table, tmp_path, ignore_progress).figures
    assert figures is not None
    assert figures.box is None
    assert {copy.kind for copy in figures.copies} == {flaw.kind for flaw in FLAWS if not flaw.needs_mask}


def test_a_table_without_training_photos_is_named(
    root: Path, table: pd.DataFrame, make_card: Callable[..., Card]
) -> None:
    with pytest.raises(DatasetError, match="no photo in the split train"):
        fit.fit_quality(make_card("both"), table[table["split"] != "train"], root, ignore_progress)
