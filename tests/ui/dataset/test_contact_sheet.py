from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from skinapp.ui.thumbnails import THUMBNAIL_PX, build_archive_links, read_thumbnail

DrawPicture = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path, draw_picture: DrawPicture) -> Path:
    draw_picture(tmp_path / "root" / "in" / "photo.png", 1, (900, 600))
    draw_picture(tmp_path / "outside.png", 2)
    (tmp_path / "root" / "words.jpg").write_text("no picture")
    (tmp_path / "root" / "link.png").symlink_to(tmp_path / "outside.png")
    return tmp_path / "root"


def test_thumbnail_keeps_the_shape_of_the_photo(root: Path) -> None:
    found = read_thumbnail("in/photo.png", root)
    assert found is not None
    assert found.shape == (2 * THUMBNAIL_PX * 600 // 900, 2 * THUMBNAIL_PX, 3)


@pytest.mark.parametrize(
    "path", ["../outside.png", "link.png", "in/../../outside.png", "words.jpg", "none.jpg", pd.NA, "\0", "in"]
)
def test_nothing_outside_the_root_and_nothing_unreadable_is_shown(root: Path, path: object) -> None:
    assert (root.parent / "outside.png").is_file()
    assert read_thumbnail(path, root) is None


def test_an_absolute_path_is_not_followed(root: Path) -> None:
    assert read_thumbnail(str(root.parent / "outside.png"), root) is None


def test_only_ids_of_the_archive_are_linked() -> None:
    ids = pd.Series(["ISIC_0024306", "ISIC_0024307_downsampled", "train/benign/3", "ISIC_1); x"], dtype="string")
    assert build_archive_links(ids).tolist() == [
        "https://api.isic-archive.com/images/ISIC_0024306/",
        "https://api.isic-archive.com/images/ISIC_0024307/",
        pd.NA,
        pd.NA,
    ]
