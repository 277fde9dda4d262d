"""The two donuts of an assessment: malignant or benign, and the lesion types. They never contradict the verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from skinapp.charts.style import FONT_SIZE, GREY, apply_style, get_full_class_name, get_short_class_name, wrap_text
from skinapp.formatting import format_score_percent, format_threshold
from skinapp.taxonomy import (
    BENIGN,
    BY_CODE,
    MALIGNANCY_COLOURS,
    MALIGNANT,
    get_class_colour,
    get_class_name,
    is_malignant,
)

Tone = Literal["plain", "flagged", "grey"]
"""How a donut follows the verdict: as it is, benign classes pale, or all of it grey (nothing to go by)."""

_PALE = 0.25
"""The opacity of benign classes on a flagged photo: enough to be seen, too little to outweigh the verdict."""

_GREYS = (0.85, 0.6, 0.4, 0.25, 0.15)
"""The opacities of the segments of a grey donut, in their order."""

_RING_PX, _LEGEND_LINE_PX = 230, 24
_ABOVE_PX, _BETWEEN_PX, _BELOW_PX = 40, 12, 10
"""Room above the ring (for the two lines of a tick's label), between ring and legend, and below the legend."""

_HOLE = 0.7
_NUMBER_PX, _WORD_PX = 36, 28
"""Sizes of a number in the middle of the ring, and of a word, which is longer."""

_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Share:
    """A segment of a donut: its class (None for several classes together), its name and its share."""

    label: str | None
    name: str
    share: float


def draw_malignancy_donut(
    malignant: float, threshold: float | None = None, name: str = "", meaning: str = "", tone: Tone = "plain"
) -> go.Figure:
    """Draw the malignancy score (0 to 1): malignant in orange, benign in blue, the malignant score in the middle.

    A `threshold` (0 to 1) is a tick where a segment of that score would end; `name` is its label, `meaning` its
    tooltip. In the tone "flagged" the middle says so and the benign part is pale. Raises ValueError for a score or a
    threshold outside 0 to 1.
    """
    for score in (malignant, malignant if threshold is None else threshold):
        if not 0 <= score <= 1:
            raise ValueError(f"A malignancy score must be in 0 to 1, but this one is {score}.")
    scores = (malignant, 1 - malignant)
    pairs = zip(MALIGNANCY_COLOURS, scores, strict=True)
    shares = tuple(Share(label, get_class_name(label), score) for label, score in pairs)
    said = format_score_percent(malignant)
    middle = ("Flagged", f"malignant {said}") if tone == "flagged" else (said, MALIGNANT)
    figure = _draw_donut(shares, *middle, tone)
    return figure if threshold is None else _add_tick(figure, threshold, name, meaning)


def draw_lesion_type_donut(classes: Sequence[str], probabilities: Sequence[float], tone: Tone = "plain") -> go.Figure:
    """Draw the three most probable lesion types and the others together; the most probable is in the middle.

    `probabilities` has one value (0 to 1) per class, in the order of `classes`. In the tone "flagged" the strongest
    malignant type is in the middle, and it has a segment of its own also where it is not among the three.
    """
    strongest = find_strongest_malignant(classes, probabilities) if tone == "flagged" else None
    shares = list_top_and_other(classes, probabilities, also=strongest)
    first = next((share for share in shares if share.label == strongest), shares[0]) if strongest else shares[0]
    name = wrap_text(get_short_class_name(first.label or first.name))
    return _draw_donut(shares, format_score_percent(first.share), name, tone)


def find_strongest_malignant(classes: Sequence[str], probabilities: Sequence[float]) -> str | None:
    """Return the malignant lesion type with the highest probability, the earlier of equals; None without one."""
    pairs = zip(classes, map(float, probabilities), strict=True)
    malignant = [(label, share) for label, share in pairs if label in BY_CODE and is_malignant(label)]
    return max(malignant, key=lambda pair: pair[1])[0] if malignant else None


def list_top_and_other(
    classes: Sequence[str], probabilities: Sequence[float], n: int = 3, also: str | None = None
) -> tuple[Share, ...]:
    """Return the n most probable classes, most probable first, and the rest together: "Other five".

    `also` is a class that gets its own share after them where it is not among them. With equal probabilities the
    earlier class comes first. A rest of one class keeps its name. Raises ValueError if there is not one probability
    per class.
    """
    pairs = zip(classes, map(float, probabilities), strict=True)
    ranked = sorted(pairs, key=lambda pair: -pair[1])
    named = ranked if len(ranked) <= n + 1 else ranked[:n]
    named = named + [pair for pair in ranked[len(named) :] if pair[0] == also]
    top = tuple(Share(label, get_class_name(label), share) for label, share in named)
    rest = [pair for pair in ranked if pair not in named]
    if len(rest) == 1:
        return (*top, *(Share(label, get_class_name(label), share) for label, share in rest))
    return (*top, Share(None, _name_others(len(rest)), sum(share for _, share in rest))) if rest else top


def _name_others(count: int) -> str:
    return f"Other {_NUMBER_WORDS[count] if count < len(_NUMBER_WORDS) else count}"


def _add_tick(figure: go.Figure, threshold: float, name: str, meaning: str) -> go.Figure:
    angle = 2 * math.pi * threshold
    right, up = math.sin(angle), math.cos(angle)
    inner, outer = _RING_PX / 2 * _HOLE - 4, _RING_PX / 2 + 5
    middle = {"xref": "paper", "yref": "paper", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": 0.5}
    # Black with a white outline: visible on both colours of the ring and on a light or a dark page.
    for colour, width in (("white", 6), ("black", 2.5)):
        ends = {"x0": inner * right, "x1": outer * right, "y0": inner * up, "y1": outer * up}
        figure.add_shape(type="line", yanchor=0.5, line={"color": colour, "width": width}, **middle, **ends)
    return figure.add_annotation(
        text=wrap_text(name, 10) if name else format_threshold(threshold),  # in two lines it fits on a phone
        align="left" if right >= 0 else "right",
        hovertext=wrap_text(meaning, 30),
        font={"size": FONT_SIZE},
        xref="paper",
        yref="paper",
        x=0.5,
        y=0.5,
        xanchor="left" if right >= 0 else "right",
        yanchor="middle",
        xshift=(outer + 4) * right,
        yshift=(outer + (17 if name else 9)) * up,
        showarrow=False,
    )


def _draw_donut(shares: Sequence[Share], number: str, label: str, tone: Tone) -> go.Figure:
    # Names and shares are in the legend: beside a ring of this size they would overlap on a phone.
    pie = go.Pie(
        labels=[f"{part.name} · {format_score_percent(part.share)}" for part in shares],
        values=[part.share for part in shares],
        customdata=[get_full_class_name(part.label) if part.label else part.name for part in shares],
        marker={"colors": [_choose_colour(part, place, tone) for place, part in enumerate(shares)]},
        hovertemplate="%{customdata}: %{value:.1%}<extra></extra>",
        textinfo="none",
        hole=_HOLE,
        sort=False,
        direction="clockwise",
    )
    below = _BETWEEN_PX + _LEGEND_LINE_PX * len(shares) + _BELOW_PX
    figure = apply_style(go.Figure(pie), _ABOVE_PX + _RING_PX + below)
    figure.add_annotation(
        text=f"<b>{number}</b>", font={"size": 36 if len(number) < 6 else 28}, yshift=14, showarrow=False
    )
    figure.add_annotation(text=label, font={"size": 15}, yanchor="top", yshift=-8, showarrow=False)
    # The legend does not react to taps: hiding a segment would stretch the others to shares that nobody computed.
    # The margins are fixed: the position of the tick depends on the size of the ring.
    return figure.update_layout(
        margin={"t": _ABOVE_PX, "b": below, "autoexpand": False},
        legend={
            "orientation": "v",
            "x": 0.5,
            "xanchor": "center",
            "y": -_BETWEEN_PX / _RING_PX,
            "yanchor": "top",
            "font": {"size": 15},
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )


def _choose_colour(share: Share, place: int, tone: Tone) -> str:
    colour = get_class_colour(share.label) if share.label else GREY
    if tone == "grey":
        return _fade(GREY, _GREYS[min(place, len(_GREYS) - 1)])
    benign = share.label == BENIGN or (share.label in BY_CODE and not is_malignant(share.label))
    return _fade(colour, _PALE) if tone == "flagged" and benign else colour


def _fade(colour: str, opacity: float) -> str:
    """Return a hex colour as rgba; the page shows through, so that it is pale on a light page and on a dark one."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
