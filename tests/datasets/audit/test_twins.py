from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from skinapp.datasets.audit.overlay import SAME_PICTURE, make_thumbnail, measure_similarity, overlay
from skinapp.datasets.audit.twins import find_twin_ids, find_twins, is_copy
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError


def draw_skin(seed: int, size: tuple[int, int] = (400, 300), blob: int = 0) -> Image.Image:
    """Draw skin with its own hairs and pores, and a dark spot that is the same wherever `blob` is the same."""
    random, place = np.random.default_rng(seed), np.random.default_rng(1000 + blob)
    width, height = size
    picture = Image.new("RGB", size, (205, 160, 140))
    draw = ImageDraw.Draw(picture)
    x, y = place.uniform(0.4, 0.6, 2) * size
    draw.ellipse((x - width / 6, y - height / 7, x + width / 6, y + height / 7), fill=(90, 55, 40))
    for _ in range(12):
        ends = random.uniform(0, 1, 4) * (width, height, width, height)
        draw.line(tuple(ends), fill=tuple(int(v) for v in random.integers(60, 120, 3)), width=3)
    relief = sum(_draw_noise(random, size, cell, strength) for cell, strength in ((50, 14), (20, 12), (8, 10), (3, 8)))
    return Image.fromarray(np.clip(np.asarray(picture) + relief[..., None], 0, 255).astype(np.uint8))


def _draw_noise(random: np.random.Generator, size: tuple[int, int], cell: int, strength: float) -> np.ndarray:
    """Make smooth noise with hills of about `cell` pixels, float (height, width)."""
    coarse = random.normal(0, strength, (size[1] // cell + 2, size[0] // cell + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def recompress(picture: Image.Image, quality: int) -> Image.Image:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "squashed": lambda p: p.resize((224, 224)),
    "small and recompressed": lambda p: recompress(p.resize((200, 150)), 60),
    "cropped on one side": lambda p: p.crop((24, 0, 400, 290)),
    "cropped all round": lambda p: p.crop((20, 15, 380, 285)),
    "brighter": lambda p: p.point(lambda v: min(255, round(v * 1.15))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_the_same_picture(change: str) -> None:
    original = draw_skin(1)
    copy = CHANGES[change](original)
    assert measure_similarity(make_thumbnail(np.asarray(original)), make_thumbnail(np.asarray(copy))) > SAME_PICTURE


def test_the_same_spot_on_other_skin_is_another_picture() -> None:
    first, second = (make_thumbnail(np.asarray(draw_skin(seed))) for seed in (1, 2))
    assert measure_similarity(first, second) < SAME_PICTURE


def test_pictures_without_structure_are_no_twins() -> None:
    grey = np.full((96, 96, 3), 128, dtype=np.uint8)
    assert measure_similarity(grey, grey) == 0.0


def test_twins_are_found_among_many_and_across_lesions() -> None:
    pictures = [draw_skin(seed, blob=seed % 3) for seed in range(30)]
    pictures += [recompress(pictures[4].resize((224, 224)), 70), pictures[7].crop((15, 10, 390, 290))]
    looks = np.stack([make_thumbnail(np.asarray(picture)) for picture in pictures])
    seen: list[tuple[int, int]] = []
    twins = find_twins(looks, pd.Series([pd.NA] * len(pictures), dtype="string"), lambda d, n: seen.append((d, n)))
    assert set(zip(twins["first"], twins["second"], strict=True)) == {(4, 30), (7, 31)}
    assert twins["similarity"].is_monotonic_decreasing
    assert seen[-1][0] == seen[-1][1]


def test_photos_of_one_lesion_are_all_compared() -> None:
    looks = np.stack([make_thumbnail(np.asarray(draw_skin(seed % 2))) for seed in range(4)])
    twins = find_twins(looks, pd.Series(["one"] * 4, dtype="string"))
    assert set(zip(twins["first"], twins["second"], strict=True)) == {(0, 2), (1, 3)}


def test_a_table_s_twins_are_named_by_their_ids_and_unreadable_photos_have_none(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2), ("d", 1)):
        draw_skin(seed).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_bytes(b"no picture")
    ids = list("abcd")
    table = build_image_table(
        pd.DataFrame({"image_id": ids, "lesion_id": ids, "path": [f"{name}.png" for name in ids]})
    )
    twins, unread = find_twin_ids(table, tmp_path)
    assert unread == 1
    with pytest.raises(DatasetError, match="None of the 4 photos can be read below"):
        find_twin_ids(table, tmp_path / "absent")
    assert list(zip(twins["image_a"], twins["image_b"], strict=True)) == [("a", "d")]
    assert twins["similarity"].iloc[0] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("radius", [90, 140])
def test_the_same_round_field_around_other_skin_is_another_picture(radius: int) -> None:
    rows, columns = np.ogrid[:300, :400]
    outside = ((rows - 150) / radius) ** 2 + ((columns - 200) / radius) ** 2 > 1
    pictures = [np.where(outside[..., None], 0, np.asarray(draw_skin(seed))).astype(np.uint8) for seed in (1, 2)]
    first, second = map(make_thumbnail, pictures)
    assert measure_similarity(first, second) < SAME_PICTURE
    # In a small field too little of the skin is left to call even the same file the same picture.
    assert (measure_similarity(first, first) > SAME_PICTURE) == (radius > 100)


def test_an_overlay_says_how_much_is_shared_and_recoloured() -> None:
    original = draw_skin(1)
    inner = original.crop((20, 15, 380, 285))
    changed = {"squashed": original.resize((224, 224)), "inner": inner, "warmer": inner.point(lambda v: int(v * 0.8))}
    laid = [
        overlay(make_thumbnail(np.asarray(original)), make_thumbnail(np.asarray(copy))) for copy in changed.values()
    ]
    assert [found.shared for found in laid] == pytest.approx([1, 0.81, 0.81], abs=0.02)
    assert [found.colour_gap for found in laid] == pytest.approx([0, 0, 31], abs=2)
    assert is_copy(pd.DataFrame(laid)).tolist() == [True, True, False]


def test_a_photo_from_closer_by_is_a_twin_but_no_copy() -> None:
    twins = pd.DataFrame({"similarity": [0.95, 0.7, 0.95, 0.7], "shared": [0.5, 0.95, 0.7, 0.7], "colour_gap": 1.0})
    assert is_copy(twins).tolist() == [False, True, True, False]
