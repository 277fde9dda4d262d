import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import pandas as pd
import pytest

from skinapp.datasets.files import FILE_FACTS, measure_files
from skinapp.datasets.table import TABLES, build_image_table, read_table


def test_measures_and_hashes_in_order(tmp_path: Path, draw_picture: Callable[..., None]) -> None:
    files = [tmp_path / "photos" / name for name in ("b.png", "a.jpg", "c.webp")]
    sizes = [(80, 60), (33, 50), (64, 64)]
    for seed, (file, size) in enumerate(zip(files, sizes, strict=True)):
        draw_picture(file, seed, size)
    facts = measure_files(files, tmp_path)
    assert facts["path"].tolist() == ["photos/b.png", "photos/a.jpg", "photos/c.webp"]
    assert list(zip(facts["stored_width"], facts["stored_height"], strict=True)) == sizes
    assert facts["sha256"].tolist() == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_a_file_that_is_no_picture_has_a_hash_and_no_size(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    facts = measure_files([tmp_path / "a.jpg"], tmp_path).iloc[0]
    assert pd.isna(facts["stored_width"])
    assert pd.isna(facts["stored_height"])
    assert facts["sha256"] == hashlib.sha256(b"no picture").hexdigest()


def test_reports_progress(tmp_path: Path, draw_picture: Callable[..., None]) -> None:
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file in files:
        draw_picture(file, 0)
    seen: list[tuple[int, int]] = []
    measure_files(files, tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_file_outside_the_data_root_is_refused(tmp_path: Path, draw_picture: Callable[..., None]) -> None:
    draw_picture(tmp_path / "a.png", 0)
    with pytest.raises(ValueError, match=r"a\.png"):
        measure_files([tmp_path / "a.png"], tmp_path / "elsewhere")


def test_opencv_gets_its_threads_back(tmp_path: Path, draw_picture: Callable[..., None]) -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        draw_picture(tmp_path / "a.png", 0)
        measure_files([tmp_path / "a.png"], tmp_path)
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


@pytest.mark.skipif("SKINAPP_DATA" not in os.environ, reason="SKINAPP_DATA does not name a folder of the real photos")
def test_measures_what_the_frozen_table_holds() -> None:
    root, facts = Path(os.environ["SKINAPP_DATA"]), list(FILE_FACTS)
    some = read_table(TABLES / "ham10000.parquet").sample(60, random_state=1).sort_index().reset_index(drop=True)
    measured = build_image_table(
        measure_files([root / path for path in some["path"]], root).assign(image_id=some["image_id"])
    )
    pd.testing.assert_frame_equal(measured[facts], some[facts], check_exact=True)
