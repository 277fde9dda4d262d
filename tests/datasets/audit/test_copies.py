from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinapp.datasets.audit.copies import (
    MAX_COPIES,
    SAME_HASH,
    find_copies_by_hash,
    find_copies_by_photo,
    find_same_files,
    find_twin_ids_by_hash,
)
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError


def make_table(hashes: list[str | None]) -> pd.DataFrame:
    ids = [f"p{n:05}" for n in range(len(hashes))]
    return build_image_table(pd.DataFrame({"image_id": ids, "perceptual_hash": hashes}))


def list_pairs(found: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(found["first"], found["second"], strict=True))


def test_near_hashes_are_those_that_a_comparison_of_all_finds() -> None:
    random = np.random.default_rng(0)
    bits = random.integers(0, 2, (300, 256))
    bits[:, :128] = bits[0, :128]  # much alike, as lesions are
    for place in range(100, 200):  # copies with 0 to 19 bits changed
        changed = random.choice(256, place % 20, replace=False)
        bits[place] = bits[place - 100]
        bits[place, changed] ^= 1
    apart = (bits[:, None] != bits[None]).sum(axis=2)
    expected = {(a, b) for a, b in zip(*np.nonzero(apart <= SAME_HASH), strict=True) if a < b}
    found = find_copies_by_hash(make_table([np.packbits(row).tobytes().hex() for row in bits]))
    assert list_pairs(found) == expected
    assert len(expected) >= 75
    distance = [apart[a, b] for a, b in zip(found["first"], found["second"], strict=True)]
    assert found["similarity"].tolist() == pytest.approx([1 - d / 256 for d in distance])


def test_hashes_that_are_missing_are_in_no_pair_and_ids_are_named() -> None:
    table = make_table([None, "ab" * 32, None, "ab" * 32])
    assert list_pairs(find_copies_by_hash(table)) == {(1, 3)}
    twins = find_twin_ids_by_hash(table)
    assert twins[["image_a", "image_b", "similarity"]].to_numpy().tolist() == [["p00001", "p00003", 1.0]]


def test_a_hash_of_another_length_is_refused() -> None:
    for spoilt in ("ab" * 16, "no hash", "ab" * 31 + "a"):
        with pytest.raises(DatasetError, match="64 hexadecimal digits"):
            find_copies_by_hash(make_table(["ab" * 32, spoilt]))


def test_few_copies_are_all_paired_and_many_with_the_first() -> None:
    few = build_image_table(pd.DataFrame({"image_id": list("abc"), "sha256": ["x", "x", "x"]}))
    assert list_pairs(find_same_files(few)) == {(0, 1), (0, 2), (1, 2)}
    n = MAX_COPIES + 1
    many = build_image_table(pd.DataFrame({"image_id": [f"p{k:03}" for k in range(n)], "sha256": "x"}))
    assert list_pairs(find_same_files(many)) == {(0, k) for k in range(1, n)}


def draw_skin(seed: int) -> Image.Image:
    relief = np.random.default_rng(seed).normal(140, 40, (30, 40, 3)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(relief).resize((400, 300), Image.Resampling.BICUBIC)


def test_looking_finds_a_squashed_copy_and_names_what_cannot_be_read(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        draw_skin(seed).save(tmp_path / f"{name}.png")
    draw_skin(1).resize((224, 224)).save(tmp_path / "d.jpg", quality=70)
    (tmp_path / "c.png").write_bytes(b"no picture")
    paths = ["a.png", "b.png", "c.png", "d.jpg", None]
    table = build_image_table(pd.DataFrame({"image_id": list("abcde"), "lesion_id": list("abcde"), "path": paths}))
    looked = find_copies_by_photo(table, tmp_path)
    assert list_pairs(looked.pairs) == {(0, 3)}
    assert looked.readable.tolist() == [True, True, False, True, False]


def test_a_root_without_any_of_the_photos_is_a_mistake(tmp_path: Path) -> None:
    table = build_image_table(pd.DataFrame({"image_id": ["a"], "path": ["a.png"]}))
    with pytest.raises(DatasetError, match="None of the photos"):
        find_copies_by_photo(table, tmp_path)
