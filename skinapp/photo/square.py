"""The square of a photo that is scored: where it lies, how it is proposed around a lesion, and how it is cut out."""

from dataclasses import dataclass

LEAST_SIDE = 64
"""The shortest side of a square, in pixels; a shorter one shows the networks nothing that the photo does not hold."""

MARGIN = 2.0
"""How many times as long as a lesion the square around it is, so that the skin around it is seen too."""

SMALL = 0.25
"""A lesion whose box is shorter than this share of the photo's short side is framed more closely."""

OFF_CENTRE = 0.2
"""A lesion whose centre is further from the photo's than this share of its short side is brought to the centre.

Other lesions are as those of HAM10000: of every 20th of its lesion masks, 3% are smaller and 3% are further off.
"""


@dataclass(frozen=True)
class Square:
    """A square of an upright photo in its original size: left and top edge and side, whole pixels."""

    left: int
    top: int
    side: int


def find_largest_square(width: int, height: int) -> Square:
    """Return the largest square in the centre of a photo, which the networks see of a photo that nobody framed."""
    side = min(width, height)
    return Square((width - side) // 2, (height - side) // 2, side)


def fit_square(left: float, top: float, side: float, width: int, height: int) -> Square:
    """Return the square that is nearest to a wished one, in pixels, and lies within a photo of a size."""
    shortest = min(width, height)
    fitted = round(min(max(side, min(LEAST_SIDE, shortest)), shortest))
    return Square(
        round(min(max(left, 0), width - fitted)),
        round(min(max(top, 0), height - fitted)),
        fitted,
    )


def propose_square(box: tuple[float, float, float, float], width: int, height: int) -> Square:
    """Propose the square that is assessed: central where the lesion lies as in most training photos, else around it.

    `box` is the lesion's left, top, right and bottom edge in pixels.
    """
    left, top, right, bottom = box
    shortest, longer = min(width, height), max(right - left, bottom - top)
    off = max(abs(left + right - width), abs(top + bottom - height)) / 2
    if longer >= SMALL * shortest and off <= OFF_CENTRE * shortest:
        return find_largest_square(width, height)
    side = min(max(MARGIN * longer, LEAST_SIDE), shortest)
    return fit_square((left + right - side) / 2, (top + bottom - side) / 2, side, width, height)


def turn_back(square: Square, width: int, height: int, orientation: int) -> Square:
    """Return where a square of an upright photo of a size lies in the stored photo (Exif 2.32, tag 0x0112)."""
    left, top = square.left, square.top
    if orientation in (3, 4, 7, 8):
        top = height - top - square.side
    if orientation in (2, 3, 6, 7):
        left = width - left - square.side
    return Square(top, left, square.side) if orientation in (5, 6, 7, 8) else Square(left, top, square.side)
