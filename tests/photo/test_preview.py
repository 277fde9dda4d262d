import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from skinapp.photo.preview import make_preview


@pytest.mark.parametrize(("size", "shown"), [((2_000, 1_000), (500, 250)), ((300, 400), (300, 400))])
def test_a_preview_is_a_small_jpeg_without_metadata(size: tuple[int, int], shown: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), (200, 120, 90), dtype=np.uint8)
    head, data = make_preview(pixels, 500).split(",")
    assert head == "data:image/jpeg;base64"
    picture = Image.open(BytesIO(base64.b64decode(data)))
    assert picture.format == "JPEG"
    assert picture.size == shown
    assert not picture.getexif()
    assert picture.getpixel((5, 5)) == pytest.approx((200, 120, 90), abs=4)
