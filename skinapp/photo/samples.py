"""Samples of more than 8 bits -> 8 bits, from the range that they fill in the whole photo, whatever its size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Open = Callable[[], Any]
Shrink = Callable[[Any], Any]

_BITS = {"ushort": 16, "uint": 32, "char": 7, "short": 15, "int": 31}
_USUAL_BITS = (8, 10, 12, 14)  # depths of sensors, often stored unscaled in 16 bits
_LARGE_BITS = (16, 24)  # of 32-bit numbers
_FLOAT_TOPS = (1, 255, 65535)
_LARGEST = 1e30  # floats beyond are taken as missing

_FEW_BITS_NOTE = (
    "The file has {whole} bits per colour, but no sample needs more than {used}: it was read as {used}-bit, "
    "so its brightness was guessed."
)
_RANGE_NOTE = (
    "The file holds numbers without a stated range; {low:.6g} was taken as black and {high:.6g} as the brightest, "
    "so its brightness was guessed."
)
_MISSING_NOTE = "The file holds samples that are no numbers (NaN or infinite); they were taken as 0."


@dataclass(frozen=True)
class _Range:
    low: float
    high: float
    notes: tuple[str, ...] = ()


class Samples:
    """The samples of a photo that can be opened again, with `colours` bands and perhaps one of transparency.

    `top` is the largest sample, where the file states it.
    """

    def __init__(self, open_again: Open, colours: int, top: int | None) -> None:
        """Open nothing yet."""
        self._open, self._colours, self._top = open_again, colours, top

    def convert(self, stream: Any, shrink: Shrink) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        """Return 8-bit samples, transparency as white, and notes on what had to be guessed."""
        if stream.format == "ushort" and stream.bands == self._colours:
            return self._convert_shrunk(shrink(stream).numpy())
        stream, is_float = _replace_missing(stream), stream.format in ("float", "double")
        found, has_missing = self._measure(slice(0, self._colours), is_float)
        scaled = (stream.extract_band(0, n=self._colours) - found.low) * (255 / (found.high - found.low))
        if stream.bands > self._colours:
            alpha, _ = self._measure(slice(self._colours, self._colours + 1), is_float)
            # A photo may be transparent everywhere: the range of the colours counts, unless transparency exceeds it.
            clear = stream[self._colours] * (255 / max(alpha.high, found.high))
            scaled = scaled.bandjoin(clear).flatten(background=255, max_alpha=255)
        eight_bit = np.round(shrink(scaled.cast("float")).numpy()).clip(0, 255).astype(np.uint8)
        return eight_bit, found.notes + ((_MISSING_NOTE,) if has_missing else ())

    def _convert_shrunk(self, shrunk: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        """Convert 16-bit samples: only if the reduced photo is dark must the whole one be measured."""
        if self._top is None and shrunk.max() >= 1 << _USUAL_BITS[-1]:
            return np.round(shrunk / np.float32(257)).astype(np.uint8), ()
        found, _ = self._measure(slice(0, self._colours), is_float=False)
        return np.round(shrunk * np.float32(255 / found.high)).clip(0, 255).astype(np.uint8), found.notes

    def _measure(self, bands: slice, is_float: bool) -> tuple[_Range, bool]:
        """Measure bands of the whole photo, and whether samples are missing."""
        stream = self._open()
        stream = stream.extract_band(bands.start, n=bands.stop - bands.start)
        whole = _BITS.get(stream.format, 0)
        measured = _replace_missing(stream)
        if is_float:
            missing = (measured != stream).ifthenelse(1.0, 0.0)
            measured = measured.bandjoin(missing)
        statistics = measured.stats().numpy()
        count = bands.stop - bands.start
        low, high = float(statistics[1 : 1 + count, 0].min()), float(statistics[1 : 1 + count, 1].max())
        has_missing = is_float and bool(statistics[1 + count :, 1].max())
        if self._top is not None and high <= self._top:
            return _Range(0, self._top), has_missing
        return (_choose_float_range(low, high) if is_float else _choose_range(low, high, whole)), has_missing


def _replace_missing(stream: Any) -> Any:
    """Replace NaN and infinite samples by 0."""
    if stream.format not in ("float", "double"):
        return stream
    return (stream.abs() < _LARGEST).ifthenelse(stream, 0.0)


def _choose_range(low: float, high: float, whole: int) -> _Range:
    """Choose the range of whole numbers of `whole` bits: the depth of a usual sensor that holds all, else all bits."""
    if low < 0:
        return _guess_range(low, high)
    if high == 0:
        return _Range(0, 1)
    depths = [bits for bits in (*_USUAL_BITS, *_LARGE_BITS) if bits < whole]
    used = next((bits for bits in depths if high < 1 << bits), whole)
    notes = () if used == whole else (_FEW_BITS_NOTE.format(whole=whole + whole % 2, used=used),)
    return _Range(0, (1 << used) - 1, notes)


def _choose_float_range(low: float, high: float) -> _Range:
    """Choose the range of floats: 0 to 1 by convention, 0 to 255 or 65535 where they hold all, else what is filled."""
    top = next((top for top in _FLOAT_TOPS if low >= 0 and high <= top), None)
    if top is None:
        return _guess_range(low, high)
    return _Range(0, top) if top == 1 else _guess_range(0, top)


def _guess_range(low: float, high: float) -> _Range:
    return _Range(low, max(high, low + 1e-9), (_RANGE_NOTE.format(low=low, high=high),))
