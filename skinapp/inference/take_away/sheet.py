"""A page of PDF that is written from top to bottom: paragraphs, lists, bars and small tables in a column, by fpdf2."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import numpy as np
from fpdf import FPDF, XPos, YPos
from PIL import Image

INK, GREY, MIDDLING, PALE = "#1F2328", "#57606A", "#B6BEC7", "#E1E4E8"
"""Colours (hex) of letters, of letters that explain, of a bar that decides nothing, and of lines and behind bars."""

_FONT, _BODY_PT, _MARGIN_MM = "Helvetica", 9.5, 14.0
_LEADING = 1.3
"""Height of a line, as a multiple of the height of its letters."""

_MM_PER_PT = 25.4 / 72
_ENCODING = "cp1252"
"""Letters of the fonts that every PDF reader has; a font file with more letters would be half a megabyte here."""

_SPELLED = str.maketrans({"≥": ">=", "≤": "<=", "\u00a0": " ", "\u2009": " ", "\u202f": " "})


class Sheet:
    """One page of A4. All sizes are mm, those of letters pt; all are multiplied by `scale`.

    `y` is where the next line begins, `left` and `right` are the ends of the column that is written.
    """

    def __init__(self, title: str, created: datetime, scale: float = 1.0) -> None:
        """Begin a page with its title, in its metadata too, and when it was made (with a time zone)."""
        self._pdf, self._scale = FPDF(format="A4"), scale
        self._pdf.core_fonts_encoding = _ENCODING
        self._pdf.set_auto_page_break(False)
        self._pdf.set_title(title)
        self._pdf.set_lang("en")
        self._pdf.set_creation_date(created)
        self._pdf.c_margin = 0
        self._pdf.add_page()
        self.y, self.left, self.right = _MARGIN_MM, _MARGIN_MM, self._pdf.w - _MARGIN_MM

    @property
    def fits(self) -> bool:
        """Whether all that was written lies above the lower margin."""
        return bool(self.y <= self._pdf.h - _MARGIN_MM)

    def close(self) -> bytes:
        """Return the page as a PDF."""
        return bytes(self._pdf.output())

    @contextmanager
    def column(self, left: float, right: float) -> Iterator[None]:
        """Write between two places, from the left edge of the page."""
        before, (self.left, self.right) = (self.left, self.right), (left, right)
        try:
            yield
        finally:
            self.left, self.right = before

    def skip(self, height: float) -> None:
        """Leave room."""
        self.y += height * self._scale

    def write(self, text: str, *, size: float = _BODY_PT, bold: bool = False, colour: str = INK) -> None:
        """Write a paragraph; nothing where the text is empty."""
        if text:
            self._fill(text, self.left, self.right, size, bold, colour)
            self.skip(1.2)

    def head(self, text: str) -> None:
        """Write the heading of a section."""
        self.skip(2.2)
        self.write(text, size=11, bold=True)

    def list(self, lines: Iterable[str], *, size: float = _BODY_PT) -> None:
        """Write lines with a bullet before each."""
        indent = 3.5 * self._scale
        for line in lines:
            top = self.y
            self._fill("•", self.left, self.left + indent, size)
            self.y = top
            self._fill(line, self.left + indent, self.right, size)
            self.skip(0.6)

    def tabulate(self, rows: Iterable[Sequence[str]], ends: Sequence[float], *, size: float = 8.5) -> None:
        """Write rows of three or so cells; `ends` are the right ends of the columns, shares of the width (0 to 1)."""
        width = self.right - self.left
        places = [self.left, *(self.left + end * width for end in ends)]
        for row in rows:
            top, bottom = self.y, self.y
            for cell, left, right in zip(row, places, places[1:], strict=False):
                self.y = top
                self._fill(cell, left, right - 2, size)
                bottom = max(bottom, self.y)
            self.y = bottom
            self.rule(0.1)

    def bar(self, name: str, share: float, number: str, colour: str, tick: float | None = None) -> None:
        """Draw a named bar for a share (0 to 1) with its number; `tick` is a place on it, 0 to 1, that is marked."""
        size, width = 8.5, self.right - self.left
        start, end = self.left + 0.5 * width, self.left + 0.87 * width
        top, height = self.y, size * _LEADING * _MM_PER_PT * self._scale
        self._fill(name, self.left, start, size)
        bottom, self.y = self.y, top
        self._fill(number, end + 1, self.right, size)
        self.y = max(bottom, self.y)
        thick = 0.55 * height
        y = top + (height - thick) / 2
        self.paint(PALE, start, y, end - start, thick)
        self.paint(colour, start, y, share * (end - start), thick)
        if tick is not None:
            self.paint(INK, start + tick * (end - start) - 0.25, y - 0.9, 0.5, thick + 1.8)

    def rule(self, thick: float = 0.25) -> None:
        """Draw a line across the column."""
        self.paint(PALE, self.left, self.y, self.right - self.left, thick)
        self.skip(0.9)

    def paint(self, colour: str, left: float, top: float, width: float, height: float) -> None:
        """Fill a rectangle."""
        self._pdf.set_fill_color(colour)
        self._pdf.rect(left, top, width, height, style="F")

    def picture(self, pixels: np.ndarray, width: float, alt: str) -> float:
        """Draw a picture, uint8 (h, w, 3), at the left of the column and return where it ends below; `y` stays."""
        # A new picture of the pixels alone: nothing that a file held beside them comes along.
        drawn = self._pdf.image(Image.fromarray(pixels), self.left, self.y, width, alt_text=alt)
        return float(self.y + drawn.rendered_height)

    def _fill(self, text: str, left: float, right: float, size: float, bold: bool = False, colour: str = INK) -> None:
        points = size * self._scale
        self._pdf.set_font(_FONT, "B" if bold else "", points)
        self._pdf.set_text_color(colour)
        self._pdf.set_xy(left, self.y)
        height = points * _LEADING * _MM_PER_PT
        self._pdf.multi_cell(
            right - left, height, _spell(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT, padding=0
        )
        self.y = float(self._pdf.y)


def _spell(text: str) -> str:
    """Write a text with the letters of the page's fonts; letters that they lack become "?"."""
    return text.translate(_SPELLED).encode(_ENCODING, "replace").decode(_ENCODING)
