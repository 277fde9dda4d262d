from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from skinapp.errors import PhotoError
from skinapp.inference.assessor import Assessor, load_assessor
from skinapp.inference.what_if import CHANGES, Move, View, WhatIf, ask_what_if, describe_moves
from skinapp.networks.device import Device
from skinapp.photo import Photo

BY_NAME = {change.name: change.apply for change in CHANGES}


@pytest.fixture
def view() -> View:
    random = np.random.default_rng(5)
    skin = random.normal((205, 150, 130), 6, (64, 64, 3))
    skin[20:40, 24:44] -= 90
    return np.clip(skin, 0, 255).astype(np.uint8)


class Darkness:
    """Scores a view by how dark it is."""

    def score_views(self, views: Sequence[View]) -> np.ndarray:
        return np.array([1 - view.mean() / 255 for view in views])


@pytest.mark.parametrize("name", BY_NAME)
def test_a_change_gives_another_view_of_the_same_size_and_leaves_the_first_alone(name: str, view: View) -> None:
    before = view.copy()
    changed = BY_NAME[name](view)
    assert changed.dtype == np.uint8
    assert changed.shape == view.shape
    assert not np.array_equal(changed, view)
    assert np.array_equal(view, before)


def test_artefacts_leave_the_lesion_as_it_is(view: View) -> None:
    for name in ("Ruler at the edge", "Ink around it", "Dark corners"):
        assert np.array_equal(BY_NAME[name](view)[18:46, 18:46], view[18:46, 18:46]), name


def test_changes_do_what_their_names_say(view: View) -> None:
    corner, mean = (0, 0), view.mean()
    assert BY_NAME["Dark corners"](view)[corner].max() < 20 < view[corner].min()
    assert BY_NAME["Darker"](view).mean() == pytest.approx(0.8 * mean, rel=0.01)
    assert BY_NAME["Blur"](view).std() < view.std()
    red, green = view[..., 0].mean(), view[..., 1].mean()
    assert BY_NAME["Redder"](view)[..., 1].mean() < green - 5
    assert BY_NAME["Yellower"](view)[..., 1].mean() > green + 5
    assert BY_NAME["Yellower"](view)[..., 0].mean() == pytest.approx(red, abs=2)
    assert np.array_equal(BY_NAME["Mirrored"](BY_NAME["Mirrored"](view)), view)


def test_the_same_view_is_asked_about_in_one_batch(view: View) -> None:
    answer = ask_what_if(Darkness(), view)
    assert answer.score == pytest.approx(1 - view.mean() / 255)
    assert [move.name for move in answer.moves] == [change.name for change in CHANGES]
    assert answer.largest.name == "Darker"


def test_scores_are_those_of_the_assessor(models: Path) -> None:
    assessor: Assessor = load_assessor(models, Device("cpu", "CPU"))
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    photo = Photo(pixels, "f" * 64, "JPEG", 80, 60)
    answer = ask_what_if(assessor, assessor.crop_for_network(photo))
    assert answer.score == pytest.approx(assessor.assess(photo).malignant_score, abs=1e-5)
    assert len({move.score for move in answer.moves}) > 1


def test_an_answer_that_is_no_number_is_refused(view: View) -> None:
    class Broken:
        def score_views(self, views: Sequence[View]) -> np.ndarray:
            return np.array([0.5] * (len(views) - 1) + [np.nan])

    with pytest.raises(PhotoError, match="no number"):
        ask_what_if(Broken(), view)


def test_the_sentence_names_the_largest_move_and_every_crossing() -> None:
    answer = WhatIf(0.04, (Move("Blur", 0.07), Move("Ink around it", 0.01), Move("Mirrored", 0.045)))
    text = describe_moves(answer, 0.065, "95% threshold")
    assert "most with *blur*: from 4% to 7%" in text
    assert "above the 95% threshold with 1 of 3 changes: *blur*" in text
    assert "No change" in describe_moves(answer, 0.2, "95% threshold")
    assert "threshold" not in describe_moves(answer, None, "95% threshold")


def test_a_score_at_the_threshold_counts_as_above_it() -> None:
    answer = WhatIf(0.2, (Move("Blur", 0.1), Move("Darker", 0.05)))
    assert [move.name for move in answer.find_crossing(0.1)] == ["Darker"]
    assert "below the" in describe_moves(answer, 0.1, "95% threshold")
