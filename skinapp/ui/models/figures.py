"""Sections of the Models page that show the figures of a card: headline, operating points, calibration, subgroups."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import TypeVar

import pandas as pd
import streamlit as st

from skinapp.cards import tables
from skinapp.cards.figures import EQUAL_SHARES
from skinapp.cards.networks import architecture_name, network_title
from skinapp.cards.rows import ALL, at_point
from skinapp.cards.tables import PointOnTest, Subgroup, interval, question, words, written
from skinapp.charts.forest import forest
from skinapp.charts.style import finer_percent
from skinapp.models.card import Card, CardFigure, Head, UnseenCameraResult
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.ui import chart
from skinapp.ui.evaluation.groups import SKIN_TONE
from skinapp.ui.evaluation.widgets import HEADLINE, TILE_PX
from skinapp.ui.metric import metric
from skinapp.ui.titles import TITLES

Row = TypeVar("Row")

NO_FIGURES = "No figures yet: `skinapp card` writes them."
POINTS = (
    "Each threshold was chosen on validation photos, to find that share of the malignant ones, and is not moved by "
    f"what test shows. A score of at least the threshold is above it; Classify shows that of {SHOWN_SENSITIVITY:.0%}. "
    "Histology confirms the benign lesions that somebody thought worth a biopsy: the hard ones."
)
EQUALLY_FREQUENT = (
    "A score says how often, where the classes come as often as in the data. Balanced accuracy weighs a rare class as "
    "heavily as a frequent one; as if equally frequent, the scores are restated for that before the likeliest is taken."
)
EASY = (
    "Photos of a camera that took hardly a malignant lesion can be ranked rightly by recognising the camera. They make "
    "the figures above higher than they would be where every lesion raises the question."
)
READ_FROM_TEST = "A threshold that is read from the test photos themselves flatters. So read, the specificity would be "
OUTSIDE = (
    "It learned from none of them: what a camera or a clinic that it does not know may do to its answers. The recipe "
    "below says whose they are. Where recipes were compared by such photos too, they flatter a little."
)
LEFT_OUT = (
    "Not this model, but networks of recipes that were tried for it: each learned nothing from these photos and was "
    "asked about them. Cameras hold harder and easier photos: where one stands under Subgroups too, compare with that "
    "figure, not with that of all test photos."
)
CALIBRATION = (
    "The calibration error is of the top answer, in 15 equal bins; perfect scores show one too, by chance, and lesions "
    "drawn anew add to it, so that its interval lies high. A slope of 1 and an intercept of 0 are right. Before: "
    "without the temperature and offsets that validation gave"
)
BY_ITSELF = ", though each network was calibrated by itself already"


def show(card: Card) -> None:
    """Show what a card says of how well its model does; one line where it has no figures yet."""
    st.subheader("On test photos", anchor=False)
    tested = tables.counted_on_test(card)
    if tested is None:
        st.caption(NO_FIGURES)
        return
    st.caption(f"{tables.counts(tested)}. Intervals are 95%, by bootstrap over lesions.")
    for head in card.heads:
        _headline(card, head)
    for sentence in tables.side_by_side(card):
        st.markdown(sentence)
    _points(card)
    _outside(card)
    _seeds(card)
    _calibration(card)
    _subgroups(card)


def _headline(card: Card, head: Head) -> None:
    found = tables.headline(card, head.name)
    if found:
        st.markdown(f"**{question(head)}**")
        with st.container(horizontal=True):
            for figure in found:
                _tile(figure)
    if head.name == "malignancy":
        _without_benign_cameras(card)
    recounted = tables.recounted(card, head.name)
    if recounted:
        with st.expander("Counted in other ways"):
            _table({"Counted": _counted, "Figure": _named, "Value": written}, recounted)
            if any(figure.group == EQUAL_SHARES for figure in recounted):
                st.caption(EQUALLY_FREQUENT)


def _without_benign_cameras(card: Card) -> None:
    auroc = tables.without_benign_cameras(card, "malignant_auroc")
    if auroc is None:
        return
    spared = tables.without_benign_cameras(card, at_point("specificity", SHOWN_SENSITIVITY))
    rate = f"; specificity at the {SHOWN_SENSITIVITY:.0%} point {written(spared, '.1%')}" if spared else ""
    st.markdown(f"{auroc.group.capitalize()}: malignant AUROC **{written(auroc)}**{rate}.", help=EASY)


def _tile(figure: CardFigure) -> None:
    value = "–" if figure.value is None else f"{figure.value:.3f}"
    below = interval(figure) or ("undefined here" if figure.value is None else "")
    meaning = HEADLINE[figure.figure][1] if figure.figure in HEADLINE else None
    metric(_named(figure), value, below, meaning, width=TILE_PX)


def _named(figure: CardFigure) -> str:
    return words(figure.figure, figure.label)


def _counted(figure: CardFigure) -> str:
    return f"{figure.group} ({figure.photos:,} photos)"


def _table(columns: dict[str, Callable[[Row], str]], rows: Sequence[Row]) -> None:
    """Show rows as a table of words, which breaks lines on a phone; the first column heads each row."""
    first, *_ = columns
    shown = pd.DataFrame({name: [said(row) for row in rows] for name, said in columns.items()})
    st.table(shown.set_index(first))


def _points(card: Card) -> None:
    rows = tables.reached(card)
    if not rows:
        return
    st.subheader("Operating points", anchor=False)
    _table(
        {
            "Meant to find": lambda row: f"{row.point.sensitivity:.0%}",
            "Threshold": lambda row: finer_percent(row.point.threshold),
            "Sensitivity on test": lambda row: written(row.sensitivity, ".1%"),
            "Specificity on test": lambda row: written(row.specificity, ".1%"),
            "Specificity, confirmed by histology": lambda row: written(row.of_histology, ".1%"),
        },
        rows,
    )
    said = POINTS + "".join(f" {_of_melanoma(row)}" for row in rows if row.of_melanoma)
    read = [f"{written(figure, '.1%')} {_at_sensitivity(figure)}" for figure in tables.read_from_test(card)]
    st.caption(said + (f" {READ_FROM_TEST}{'; '.join(read)}." if read else ""))


def _of_melanoma(row: PointOnTest) -> str:
    return f"Above the {row.point.sensitivity:.0%} point lie {written(row.of_melanoma, '.1%')} of the melanomas."


def _at_sensitivity(figure: CardFigure) -> str:
    """Write "at 95% sensitivity" of the figure "specificity at 0.95 sensitivity, read from test"."""
    return words(figure.figure).removesuffix(tables.READ_FROM_TEST).partition(" ")[2]


def _outside(card: Card) -> None:
    rows = tables.outside(card)
    if rows or card.left_out:
        st.subheader("On photos of other clinics and cameras", anchor=False)
    if rows:
        _table({"Figure": _named, "Value": written}, rows)
        st.caption(f"{tables.counts(rows[0])}. {OUTSIDE} Stored as *{rows[0].run}*.")
    if card.left_out:
        _left_out(card)


def _left_out(card: Card) -> None:
    groups = tables.left_out(card)
    summary = {name: tables.spread(rows) for name, rows in groups.items()}
    _table({"Photos of": itemgetter(0), "Malignant AUROC": itemgetter(1)}, list(summary.items()))
    if said := tables.not_carried_over(card):
        st.markdown(said)
    st.caption(LEFT_OUT)
    columns: dict[str, Callable[[UnseenCameraResult], str]] = {
        "Recipe": lambda row: f"{row.recipe} ({architecture_name(row.network)})",
        "Malignant AUROC": lambda row: written(row.figure),
    }
    for name in tables.RATES:
        columns[f"{name.capitalize()} at {SHOWN_SENSITIVITY:.0%}"] = partial(_rate_left_out, name)
    with st.expander("Recipe by recipe"):
        for name, rows in groups.items():
            st.markdown(f"**{name}**")
            _table(columns, rows)


def _rate_left_out(name: str, row: UnseenCameraResult) -> str:
    return written(tables.rate_left_out(row, name), ".1%")


def _seeds(card: Card) -> None:
    if not card.seeds:
        return
    st.subheader("Trained again from other seeds", anchor=False)
    for network in card.networks:
        if rows := tables.seeds_of(card, network.name):
            if card.members:
                st.markdown(f"**{network_title(network)}**")
            st.table(tables.seed_table(rows))
    st.caption(tables.SEEDS)


def _calibration(card: Card) -> None:
    found = {question(head): tables.calibration(card, head.name) for head in card.heads}
    if not any(found.values()):
        return
    st.subheader("Calibration", anchor=False)
    for asked, rows in found.items():
        if rows:
            st.markdown(f"**{asked}**")
            _table(
                {
                    "Figure": lambda row: row.words,
                    "Before": lambda row: written(row.before),
                    "After": lambda row: written(row.after),
                },
                rows,
            )
    st.caption(f"{CALIBRATION}{BY_ITSELF if card.members else ''}.")


def _subgroups(card: Card) -> None:
    groups = tables.subgroups(card)
    if not groups:
        return
    st.subheader("Subgroups", anchor=False)
    left, right = st.columns(2)
    by = left.selectbox("By", sorted(_distinct(groups, _by), key=_tells_less), key="group-by", bind="query-params")
    name = right.selectbox("Figure", _distinct(groups, _figure), key="group-figure", bind="query-params")
    shown = [group for group in groups if (_by(group), _figure(group)) == (by, name)]
    if not shown:
        st.info(f"{name} by {by.lower()} stands on too few lesions to say.")
        return
    drawn = forest(tables.forest_rows(shown), _overall(card, shown[0].figure), name, (0.0, 1.0))
    chart.show(drawn, "card-subgroups", f"{name} by {by.lower()}, with 95% intervals")
    st.caption(f"Dashed: all test photos together. {SKIN_TONE}")


def _distinct(groups: Sequence[Subgroup], said: Callable[[Subgroup], str]) -> list[str]:
    return list(dict.fromkeys(map(said, groups)))


def _by(group: Subgroup) -> str:
    return TITLES.get(group.by, group.by.capitalize()) if group.by != "age" else "Age"


def _tells_less(by: str) -> bool:
    """Sort what a score hangs on more than on age or sex to the front: who took the photo, and who said what it is."""
    return by not in (TITLES["camera"], TITLES["confirmation"])


def _figure(group: Subgroup) -> str:
    return _named(group.figure)


def _overall(card: Card, like: CardFigure) -> float | None:
    """Return the same figure of all test photos; None where the card does not say."""
    same = (figure for figure in tables.on_test(card, like.task, ALL) if figure.figure == like.figure)
    return next((figure.value for figure in same if figure.value is not None), None)
