"""How numbers are written for people: a value, its interval, a dash for what is undefined."""

import math
import unicodedata
from collections.abc import Iterable
from typing import Protocol

DECIMALS, PERCENT = ".3f", ".1%"
"""The two formats that figures are written in, as Python's `format` takes them."""

DASH = "–"


class HasInterval(Protocol):
    """A figure with its 95% interval; None or NaN where undefined."""

    @property
    def value(self) -> float | None:
        """The figure."""

    @property
    def low(self) -> float | None:
        """Where its interval begins."""

    @property
    def high(self) -> float | None:
        """Where its interval ends."""


def is_undefined(value: float | None) -> bool:
    """Tell whether a figure is None or NaN."""
    return value is None or math.isnan(value)


def format_value(value: float | None, spec: str = DECIMALS, undefined: str = DASH) -> str:
    """Write "0.918", or another word for what is undefined."""
    return undefined if value is None or math.isnan(value) else format(value, spec)


def format_interval(figure: HasInterval, spec: str = DECIMALS) -> str:
    """Write "0.899 to 0.931"; nothing where there is no interval."""
    if is_undefined(figure.low) or is_undefined(figure.high):
        return ""
    return f"{figure.low:{spec}} to {figure.high:{spec}}"


def format_estimate(figure: HasInterval | None, spec: str = DECIMALS) -> str:
    """Write "0.918 (0.899 to 0.931)", the value alone where there is no interval, a dash where it is undefined."""
    if figure is None or is_undefined(figure.value):
        return DASH
    interval = format_interval(figure, spec)
    return f"{figure.value:{spec}} ({interval})" if interval else f"{figure.value:{spec}}"


def format_share(part: float, whole: float) -> str:
    """Write a share in whole percent, with 0% for none alone and 100% for all alone: else "<1%" and ">99%"."""
    text = f"{part / whole if whole else 0:.0%}"
    return {"0%": "<1%", "100%": ">99%"}.get(text, text) if 0 < part < whole else text


def format_count_and_share(count: float, total: float) -> str:
    """Write a count and its share of a total: "6,705 · 67%"."""
    return f"{count:,} · {format_share(count, total)}"


def format_score_percent(score: float) -> str:
    """Write a model's score (0 to 1) in whole percent, but never claim a certainty: "<1%" and ">99%" at the ends."""
    if score < 0.01:
        return "<1%"
    return ">99%" if score > 0.99 else f"{score:.0%}"


def format_threshold(score: float) -> str:
    """Write a threshold (a score, 0 to 1) in percent with three digits: "6.49%"; "<0.1%" and ">99.9%" at the ends."""
    if score < 0.001:
        return "<0.1%"
    return ">99.9%" if score > 0.999 else f"{100 * score:.3g}%"


def format_score(score: float) -> str:
    """Write a score (0 to 1) beside shares in percent: two places, a third near the ends, never 0 or 1."""
    if score < 0.001:
        return "<0.001"
    if score > 0.999:
        return ">0.999"
    return f"{score:.2f}" if 0.1 <= score <= 0.99 else f"{score:.3f}"


def clean_text(text: str, most: int = 80) -> str:
    """Make a stranger's text fit for a sentence: at most `most` characters, none of which a terminal would obey.

    Control characters, line breaks and bytes that are no text become ?.
    """
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(letter if letter.isprintable() else "?" for letter in short)


def shorten_list(names: Iterable[str], most: int = 5) -> str:
    """Write the first `most` names, each cleaned, separated by commas, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(clean_text(name) for name in listed[:most]) + more


def escape_controls(text: str, keep: str = "") -> str:
    """Write the characters that a terminal or a CSV would obey as \\x1b and the like, except those in `keep`.

    These are control characters, and the bytes of a file name that are no text (\\xff). All others stay.
    """
    if text.isprintable() and text.isascii():
        return text
    return "".join(letter if letter in keep or not _is_control(letter) else _escape(letter) for letter in text)


def _is_control(letter: str) -> bool:
    # Cc are control characters, Cs lone surrogates, Zl and Zp line breaks; Cf would turn the direction of writing.
    return (
        unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
        or letter in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
    )


def _escape(letter: str) -> str:
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # how Python writes a byte that is no text
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
