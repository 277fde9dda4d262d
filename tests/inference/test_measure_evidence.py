from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinapp.datasets.files import ignore_progress
from skinapp.errors import DatasetError
from skinapp.inference.measure_evidence import (
    Seen,
    find_masks,
    load_evidence_network,
    look_at,
    measure_activation,
    measure_similar,
    read_masks,
)
from skinapp.models.card import read_card
from skinapp.networks.device import Device
from skinapp.networks.reference import CASE_COLUMNS, ReferenceBank
from skinapp.taxonomy import CODES

MakeModel = Callable[..., Path]
DrawPicture = Callable[..., None]
CPU = Device("cpu", "CPU")


def seen(maps: dict[str, list[list[float]]], likeliest: list[str]) -> Seen:
    large = {label: np.stack([np.array(each, np.float32).reshape(2, 2) for each in of]) for label, of in maps.items()}
    return Seen(large, np.array(likeliest), np.zeros((len(likeliest), 3), np.float32))


PHOTOS = pd.DataFrame({"lesion_id": ["A", "A", "B"], "diagnosis": ["mel", "mel", "nv"]})
LEFT = np.zeros((3, 40, 40), np.uint8)
LEFT[:, :, :20] = 255


def test_each_class_is_measured_on_its_own_photos_and_the_likeliest_on_all() -> None:
    all_left, all_right, none = [1.0, -1, 1, -1], [-1.0, 1, -1, 1], [-1.0] * 4
    maps = {
        "malignant": [all_left, all_right, all_left],
        "mel": [all_left, none, none],
        "nv": [none, all_left, all_right],
    }
    shares = {share.label: share for share in measure_activation(seen(maps, ["mel", "nv", "nv"]), LEFT, PHOTOS)}
    assert set(shares) == {None, "malignant", "mel", "nv"}
    assert shares["mel"].inside.value == pytest.approx(1, abs=0.02)
    assert (shares["mel"].inside.photos, shares["mel"].inside.lesions) == (1, 1)
    assert shares["nv"].inside.value == pytest.approx(0, abs=0.02)
    assert shares["malignant"].inside.value == pytest.approx(0.5, abs=0.02)
    assert shares["malignant"].inside.photos == 2
    likeliest = shares[None].inside
    assert likeliest.value == pytest.approx(2 / 3, abs=0.02)
    assert likeliest.low is not None
    assert likeliest.high is not None
    assert likeliest.low < 2 / 3 < likeliest.high
    assert {share.area for share in shares.values()} == {0.5}


def bank(features: list[list[float]], diagnoses: list[str], lesions: list[str]) -> ReferenceBank:
    cases = pd.DataFrame({name: ["x"] * len(lesions) for name in CASE_COLUMNS}, dtype="str")
    return ReferenceBank(np.array(features, np.float32), cases.assign(diagnosis=diagnoses, lesion_id=lesions))


def test_the_nearest_case_is_right_or_wrong() -> None:
    features = np.array([[1, 0], [0, 1], [1, 0.1]], np.float32)
    reference = bank([[1, 0], [0, 1], [0, 2]], ["bcc", "nv", "nv"], ["R1", "R2", "R3"])
    found = measure_similar(features, PHOTOS, reference)
    assert found.type_right.value == 0
    assert (found.of_malignant.value, found.of_benign.value) == (0.5, 0)
    assert found.type_by_chance == pytest.approx(2 / 9, abs=1e-4)
    assert found.cases == 3


def test_a_case_of_the_same_lesion_does_not_count() -> None:
    features = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    reference = bank([[1, 0], [0, 1]], ["mel", "nv"], ["A", "R"])
    assert measure_similar(features, PHOTOS, reference).of_malignant.value == 0
    elsewhere = bank([[1, 0], [0, 1]], ["mel", "nv"], ["Q", "R"])
    assert measure_similar(features, PHOTOS, elsewhere).type_right.value == 1


def test_outlines_are_found_by_either_name_and_missing_ones_are_named(tmp_path: Path) -> None:
    photos = pd.DataFrame({"image_id": ["one", "two"]})
    for name in ("one.png", "two_segmentation.png"):
        Image.fromarray(np.zeros((6, 8), np.uint8)).save(tmp_path / name)
    assert [file.name for file in find_masks(photos, tmp_path)] == ["one.png", "two_segmentation.png"]
    with pytest.raises(DatasetError, match=r"no outline of three\. Name"):
        find_masks(pd.DataFrame({"image_id": ["one", "three"]}), tmp_path)


def test_photos_pass_through_the_evidence_network_alone(
    tmp_path: Path, make_average: Callable[..., Path], draw_picture: DrawPicture
) -> None:
    folder = make_average(tmp_path / "average")
    network = load_evidence_network(folder, read_card(folder), CPU)
    assert network.card.id == "deep"
    files = [tmp_path / f"{seed}.png" for seed in range(3)]
    for seed, file in enumerate(files):
        draw_picture(file, seed)
    found = look_at(network, files, ignore_progress)
    assert set(found.maps) == {"malignant", *CODES}
    assert found.features.shape[0] == len(found.likeliest) == 3
    assert set(found.likeliest) <= set(CODES)


def test_outlines_are_cropped_as_photos_are(tmp_path: Path, make_model: MakeModel) -> None:
    folder = make_model(tmp_path / "pair", "both")
    network = load_evidence_network(folder, read_card(folder), CPU)
    outline = np.zeros((60, 90), np.uint8)
    outline[:, 45:] = 255
    Image.fromarray(outline).convert("1").save(tmp_path / "outline.png")
    mask = read_masks([tmp_path / "outline.png"], network)[0]
    side = network.card.preprocessing.input_px
    assert mask.shape == (side, side)
    assert mask[:, : side // 2 - 2].max() == 0
    assert mask[:, side // 2 + 2 :].min() == 255
