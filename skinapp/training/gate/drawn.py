"""Pictures that are no dermoscopy, drawn by chance from a seed: what the scope gate is fitted on and measured on.

Kinds for measuring are never fitted on, so their refusals say how the gate does on kinds that it has not met.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from skinapp.training.gate.skin import draw_bare_skin, draw_close_up

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.floating]
Random = np.random.Generator
Draw = Callable[[Random, int], Pixels]
"""Takes a source of chance and the side in px, and returns a picture, uint8 (side, side, 3)."""

WORDS = (
    "lesion",
    "report",
    "total",
    "date of",
    "name",
    "street",
    "invoice",
    "page",
    "figure",
    "no",
    "ward",
    "the right",
)


def draw_noise(random: Random, side: int) -> Pixels:
    """Draw noise in blocks, grey or coloured, weak or strong, around any colour."""
    blocks = max(2, side // int(2 ** random.uniform(0, 6)))
    channels = 1 if random.random() < 0.4 else 3
    noise = random.normal(size=(blocks, blocks, channels)) * random.uniform(5, 90)
    return _finish(_enlarge(noise + _draw_colour(random), side, random.random() < 0.4))


def draw_flat(random: Random, side: int) -> Pixels:
    """Draw one colour, with the faint noise of a sensor or none."""
    noise = random.normal(size=(side, side, 3)) * random.choice([0, 1, 3])
    return _finish(_draw_colour(random) + noise)


def draw_gradient(random: Random, side: int) -> Pixels:
    """Draw a gradient between two colours in any direction."""
    share = _project(random, side)
    share = (share - share.min()) / np.ptp(share)
    return _finish(_mix(share, _draw_colour(random), _draw_colour(random)))


def draw_stripes(random: Random, side: int) -> Pixels:
    """Draw soft or sharp stripes of two colours, at any angle."""
    waves = np.sin(_project(random, side) * 2 * np.pi * random.uniform(2, 40))
    share = np.clip(waves * random.choice([0.5, 20]) + 0.5, 0, 1)
    return _finish(_mix(share, _draw_colour(random), _draw_colour(random)))


def draw_shapes(random: Random, side: int) -> Pixels:
    """Draw ellipses, boxes and polygons of one colour each on a plain ground."""
    picture = Image.new("RGB", (side, side), _as_fill(_draw_colour(random)))
    pen = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 15)):
        fill, centre = _as_fill(_draw_colour(random)), random.uniform(0, side, 2)
        reach = random.uniform(0.03, 0.4) * side
        corners = [tuple(centre + random.uniform(-reach, reach, 2)) for _ in range(random.integers(3, 7))]
        box = [*(centre - reach * random.uniform(0.3, 1)), *(centre + reach * random.uniform(0.3, 1))]
        if random.integers(2):
            pen.ellipse(box, fill)
        else:
            pen.polygon(corners, fill)
    return np.asarray(picture)


def draw_page(random: Random, side: int) -> Pixels:
    """Draw lines of text on paper, lit from one side, as a scan or a photo of a page."""
    paper, ink = random.uniform(190, 255, 3), random.uniform(0, 90, 3)
    picture = Image.new("RGB", (side, side), _as_fill(paper))
    pen, size = ImageDraw.Draw(picture), int(random.uniform(0.035, 0.12) * side)
    for row in range(0, side, int(size * 1.4)):
        line = " ".join(random.choice(WORDS, random.integers(1, 12)))
        pen.text((random.uniform(-0.1, 0.15) * side, row), line, _as_fill(ink), ImageFont.load_default(size))
    light = 1 - random.uniform(0, 0.4) * _scale(_project(random, side))
    return _finish(np.asarray(picture) * light[..., None])


def draw_matrix_code(random: Random, side: int) -> Pixels:
    """Draw black and white modules with a quiet zone, as a matrix code has them."""
    modules = int(random.integers(15, 45))
    code = np.pad(random.random((modules, modules)) < 0.5, random.integers(0, 6), constant_values=True)
    return _finish(_enlarge(np.repeat(code[..., None], 3, axis=2) * 255.0, side, False))


def draw_clouds(random: Random, side: int) -> Pixels:
    """Draw soft coloured clouds: noise whose strength falls with its frequency."""
    steepness = random.uniform(1.0, 2.2)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = np.inf
    waves = np.fft.fft2(random.normal(size=(3, side, side))) / frequency**steepness
    clouds = np.moveaxis(np.fft.ifft2(waves).real, 0, 2)
    return _finish(_draw_colour(random) + clouds / clouds.std() * random.uniform(20, 70))


def draw_rings(random: Random, side: int) -> Pixels:
    """Draw a gradient from a centre outwards, once or as rings."""
    place = np.arange(side) / side - random.uniform(0.3, 0.7, 2)[:, None]
    distance = np.hypot(place[0][:, None], place[1][None, :]) / random.uniform(0.3, 0.9)
    share = np.clip(distance, 0, 1) if random.random() < 0.5 else np.sin(distance * random.uniform(10, 60)) / 2 + 0.5
    return _finish(_mix(share, _draw_colour(random), _draw_colour(random)))


def draw_checkers(random: Random, side: int) -> Pixels:
    """Draw a board of two colours."""
    fields = int(random.integers(2, 30))
    board = np.indices((fields, fields)).sum(axis=0) % 2
    return _finish(_enlarge(_mix(board.astype(float), _draw_colour(random), _draw_colour(random)), side, False))


def draw_barcode(random: Random, side: int) -> Pixels:
    """Draw black bars of several widths on white, with digits below."""
    picture = Image.new("RGB", (side, side), "white")
    pen, x = ImageDraw.Draw(picture), 0.05 * side
    while x < 0.95 * side:
        width = side / 90 * random.integers(1, 5)
        pen.rectangle([x, 0.2 * side, x + width, 0.75 * side], "black")
        x += width + side / 90 * random.integers(1, 5)
    digits = "".join(map(str, random.integers(0, 10, 13)))
    pen.text((0.1 * side, 0.78 * side), digits, "black", ImageFont.load_default(0.09 * side))
    return np.asarray(picture)


def draw_window(random: Random, side: int) -> Pixels:
    """Draw a screen: a bar on top, boxes, buttons and short words."""
    dark = random.random() < 0.5
    ground, text = (random.uniform(5, 50, 3), "white") if dark else (random.uniform(225, 255, 3), "black")
    picture = Image.new("RGB", (side, side), _as_fill(ground))
    pen = ImageDraw.Draw(picture)
    pen.rectangle([0, 0, side, side / 9], _as_fill(_draw_colour(random)))
    for _ in range(random.integers(4, 12)):
        x, y = random.uniform(0, 0.8, 2) * side
        width, height = random.uniform(0.1, 0.5) * side, random.uniform(0.05, 0.3) * side
        pen.rounded_rectangle([x, y, x + width, y + height], side / 50, _as_fill(_draw_colour(random)))
        pen.text((x + 4, y + 4), str(random.choice(WORDS)), text, ImageFont.load_default(0.05 * side))
    return np.asarray(picture)


def draw_chart(random: Random, side: int) -> Pixels:
    """Draw axes with bars or a line."""
    picture = Image.new("RGB", (side, side), "white")
    pen, heights = ImageDraw.Draw(picture), random.uniform(0.1, 0.8, random.integers(4, 12)) * side
    places, colour = np.linspace(0.15, 0.9, len(heights)) * side, _as_fill(_draw_colour(random))
    if random.random() < 0.5:
        pen.line([(x, 0.9 * side - h) for x, h in zip(places, heights, strict=True)], colour, max(2, side // 80))
    else:
        for x, height in zip(places, heights, strict=True):
            pen.rectangle([x - side / 40, 0.9 * side - height, x + side / 40, 0.9 * side], colour)
    pen.line([(0.1 * side, 0.05 * side), (0.1 * side, 0.9 * side), (0.95 * side, 0.9 * side)], "black", 2)
    return np.asarray(picture)


FITTED: dict[str, Draw] = {
    "noise": draw_noise,
    "flat colour": draw_flat,
    "gradient": draw_gradient,
    "stripes": draw_stripes,
    "shapes": draw_shapes,
    "page of text": draw_page,
    "matrix code": draw_matrix_code,
    "bare skin": draw_bare_skin,
    "skin close-up": draw_close_up,
}
MEASURED: dict[str, Draw] = {
    "clouds": draw_clouds,
    "rings": draw_rings,
    "checkers": draw_checkers,
    "barcode": draw_barcode,
    "window": draw_window,
    "chart": draw_chart,
}


def draw_kind(draw: Draw, pictures: int, side: int, seed: int) -> Iterator[Pixels]:
    """Yield so many pictures of a kind; the same for the same seed."""
    random = np.random.default_rng(seed)
    for _ in range(pictures):
        yield draw(random, side)


def _draw_colour(random: Random) -> Values:
    """Draw an sRGB colour (3,), half of the time one that skin or a lesion can have."""
    if random.random() < 0.5:
        return random.uniform(0, 255, 3)
    lightness = random.uniform(60, 245)
    return lightness * np.array([1.0, random.uniform(0.55, 0.95), random.uniform(0.45, 0.95)])


def _mix(share: Values, first: npt.ArrayLike, second: npt.ArrayLike) -> Values:
    return np.asarray(first) * (1 - share[..., None]) + np.asarray(second) * share[..., None]


def _project(random: Random, side: int) -> Values:
    """Return the position (side, side) of each pixel along a random direction, in sides."""
    turn = random.uniform(0, 2 * np.pi)
    place = np.arange(side) / side
    along: Values = np.cos(turn) * place[None, :] + np.sin(turn) * place[:, None]
    return along


def _scale(values: Values) -> Values:
    scaled: Values = (values - values.min()) / np.ptp(values)
    return scaled


def _enlarge(picture: Values, side: int, smooth: bool) -> Values:
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return cv2.resize(np.ascontiguousarray(picture + np.zeros(3)), (side, side), interpolation=how).astype(np.float64)


def _as_fill(colour: npt.ArrayLike) -> tuple[int, ...]:
    return tuple(int(value) for value in np.clip(colour, 0, 255))


def _finish(picture: npt.ArrayLike) -> Pixels:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
