"""Sections of the Models page that show the figures of a card: headline, operating points, calibration, subgroups."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import TypeVar

import pandas as pd
import streamlit as st

from skinapp.cards import selection, wording
from skinapp.cards.figures import EQUAL_SHARES
from skinapp.cards.network_facts import format_architecture, name_network
from skinapp.cards.selection import PointOnTest
from skinapp.cards.wording import describe_question, name_figure
from skinapp.charts.forest import draw_forest_plot
from skinapp.formatting import PERCENT, format_estimate, format_interval, format_threshold, format_value
from skinapp.metrics.labels import get_inline_name, get_meaning, get_metric_name
from skinapp.models.card import Card, CardFigure, Head, UnseenCameraResult
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.ui import chart
from skinapp.ui.evaluation.groups import SKIN_TONE
from skinapp.ui.evaluation.widgets import TILE_PX
from skinapp.ui.tile import show_metric
from skinapp.ui.titles import TITLES

Row = TypeVar("Row")

AUROC = "malignant_auroc"

NO_FIGURES = "No figures yet. Compute them with `skinapp card`."
POINTS = (
    "Each threshold was chosen on the validation photos, so that it finds the stated share of the malignant ones. It "
    "was not adjusted on the test photos. A score equal to the threshold counts as above it. Classify uses the "
    f"{SHOWN_SENSITIVITY:.0%} threshold. Lesions confirmed by histology looked suspicious enough for a biopsy, so they "
    "are difficult to tell from malignant ones."
)
EQUALLY_FREQUENT = (
    "Scores assume that the classes are as frequent as in the data. Balanced accuracy gives a rare class the same "
    "weight as a frequent one. In the rows marked as if equally frequent, the scores are restated for equal class "
    "shares before the likeliest class is taken."
)
EASY = (
    "Some cameras took almost no malignant lesion. A network can rank their photos right by recognising the camera. "
    "That makes the figures above higher than they would be in a clinic where every lesion is suspicious."
)
READ_FROM_TEST = (
    "If the threshold were chosen on the test photos themselves, the result would look too good. The specificity would "
    "then be "
)
OUTSIDE = (
    "The model was not trained on these photos. They show how its answers hold up on an unknown camera or clinic. The "
    "recipe below names their source. If recipes were compared on these photos too, the figures look a little too good."
)
LEFT_OUT = (
    "These are results of other networks, from recipes that were tried for this model. None of them was trained on "
    "these photos. Cameras differ in how hard their photos are. If a camera is listed under Subgroups too, compare "
    "with that figure, not with the figure of all test photos."
)
CALIBRATION = (
    "The calibration error is that of the most likely class, in 15 equal bins. Perfectly calibrated scores show some "
    "error too, by chance. Resampling lesions adds to it, so its interval lies too high. A slope of 1 and an intercept "
    "of 0 are ideal. “Before” means without the temperature and offsets fitted on validation"
)
BY_ITSELF = ". Each network had already been calibrated by itself"


def show(card: Card) -> None:
    """Show how good a model is by its card; one line where the card has no figures yet."""
    st.subheader("On test photos", anchor=False)
    tested = selection.find_figure_of_all_photos(card)
    if tested is None:
        st.caption(NO_FIGURES)
        return
    st.caption(f"{selection.format_counts(tested)}. Intervals are 95%, by bootstrap over lesions.")
    for head in card.heads:
        _show_headline(card, head)
    for sentence in wording.describe_pair(card):
        st.markdown(sentence)
    _show_points(card)
    _show_outside(card)
    _show_seeds(card)
    _show_calibration(card)
    _show_subgroups(card)


def _show_headline(card: Card, head: Head) -> None:
    figures = selection.list_headline_figures(card, head.name)
    if figures:
        st.markdown(f"**{describe_question(head)}**")
        with st.container(horizontal=True):
            for figure in figures:
                _show_tile(figure)
    if head.name == "malignancy":
        _show_without_benign_cameras(card)
    recounted = selection.list_recounted_figures(card, head.name)
    if recounted:
        with st.expander("Counted in other ways"):
            _show_table({"Counted": _name_count, "Figure": name_figure, "Value": format_estimate}, recounted)
            if any(figure.group == EQUAL_SHARES for figure in recounted):
                st.caption(EQUALLY_FREQUENT)


def _show_without_benign_cameras(card: Card) -> None:
    auroc = selection.find_without_benign_cameras(card, AUROC)
    if auroc is None or auroc.group is None:
        return
    sentence = f"{auroc.group.capitalize()}: {get_inline_name(AUROC)} **{format_estimate(auroc)}**"
    if specificity := selection.find_without_benign_cameras(card, "specificity", SHOWN_SENSITIVITY):
        sentence += (
            f"; specificity at the {SHOWN_SENSITIVITY:.0%} operating point {format_estimate(specificity, PERCENT)}"
        )
    st.markdown(f"{sentence}.", help=EASY)


def _show_tile(figure: CardFigure) -> None:
    below = "undefined here" if figure.value is None else format_interval(figure)
    show_metric(name_figure(figure), format_value(figure.value), below, get_meaning(figure.metric), width=TILE_PX)


def _name_count(figure: CardFigure) -> str:
    return f"{figure.group} ({figure.photos:,} photos)"


def _show_table(columns: dict[str, Callable[[Row], str]], rows: Sequence[Row]) -> None:
    """Show rows as a table of text, which breaks lines on a phone; the first column heads each row."""
    first, *_ = columns
    shown = pd.DataFrame({name: [describe(row) for row in rows] for name, describe in columns.items()})
    st.table(shown.set_index(first))


def _show_points(card: Card) -> None:
    rows = selection.list_points_on_test(card)
    if not rows:
        return
    st.subheader("Operating points", anchor=False)
    _show_table(
        {
            "Target sensitivity": lambda row: f"{row.point.sensitivity:.0%}",
            "Threshold": lambda row: format_threshold(row.point.threshold),
            "Sensitivity on test": lambda row: format_estimate(row.sensitivity, PERCENT),
            "Specificity on test": lambda row: format_estimate(row.specificity, PERCENT),
            "Specificity, confirmed by histology": lambda row: format_estimate(row.of_histology, PERCENT),
        },
        rows,
    )
    sentences = [POINTS, *(_describe_melanoma(row) for row in rows if row.of_melanoma)]
    read = [
        f"{format_estimate(figure, PERCENT)} {wording.describe_sensitivity(figure)}"
        for figure in selection.list_read_from_test(card)
    ]
    if read:
        sentences.append(f"{READ_FROM_TEST}{'; '.join(read)}.")
    st.caption(" ".join(sentences))


def _describe_melanoma(row: PointOnTest) -> str:
    return (
        f"The {row.point.sensitivity:.0%} threshold finds {format_estimate(row.of_melanoma, PERCENT)} of the melanomas."
    )


def _show_outside(card: Card) -> None:
    figures = selection.list_outside_figures(card)
    if figures or card.left_out:
        st.subheader("On photos of other clinics and cameras", anchor=False)
    if figures:
        _show_table({"Figure": name_figure, "Value": format_estimate}, figures)
        st.caption(f"{selection.format_counts(figures[0])}. {OUTSIDE} Stored as *{figures[0].run}*.")
    if card.left_out:
        _show_unseen_cameras(card)


def _show_unseen_cameras(card: Card) -> None:
    groups = wording.group_unseen_results(card)
    summary = {name: wording.format_range(results) for name, results in groups.items()}
    _show_table({"Photos of": itemgetter(0), get_metric_name(AUROC): itemgetter(1)}, list(summary.items()))
    if sentence := wording.describe_threshold_transfer(card):
        st.markdown(sentence)
    st.caption(LEFT_OUT)
    columns: dict[str, Callable[[UnseenCameraResult], str]] = {
        "Recipe": lambda result: f"{result.recipe} ({format_architecture(result.network)})",
        get_metric_name(AUROC): lambda result: format_estimate(result.figure),
    }
    for name in selection.RATES:
        columns[f"{get_metric_name(name)} at {SHOWN_SENSITIVITY:.0%}"] = partial(_format_unseen_rate, name)
    with st.expander("Results of each recipe"):
        for name, results in groups.items():
            st.markdown(f"**{name}**")
            _show_table(columns, results)


def _format_unseen_rate(name: str, result: UnseenCameraResult) -> str:
    return format_estimate(selection.find_unseen_rate(result, name), PERCENT)


def _show_seeds(card: Card) -> None:
    if not card.seeds:
        return
    st.subheader("Trained again from other seeds", anchor=False)
    for network in card.networks:
        if rows := selection.list_seeds(card, network.name):
            if card.members:
                st.markdown(f"**{name_network(network)}**")
            st.table(wording.build_seed_table(rows))
    st.caption(wording.SEEDS)


def _show_calibration(card: Card) -> None:
    by_question = {describe_question(head): selection.list_calibration(card, head.name) for head in card.heads}
    if not any(by_question.values()):
        return
    st.subheader("Calibration", anchor=False)
    for question, rows in by_question.items():
        if rows:
            st.markdown(f"**{question}**")
            _show_table(
                {
                    "Figure": lambda row: get_metric_name(row.after.metric),
                    "Before": lambda row: format_estimate(row.before),
                    "After": lambda row: format_estimate(row.after),
                },
                rows,
            )
    st.caption(f"{CALIBRATION}{BY_ITSELF if card.members else ''}.")


def _show_subgroups(card: Card) -> None:
    figures = selection.list_subgroup_figures(card)
    if not figures:
        return
    st.subheader("Subgroups", anchor=False)
    left, right = st.columns(2)
    columns = sorted(dict.fromkeys(map(_name_column, figures)), key=_is_secondary)
    by = left.selectbox("By", columns, key="group-by", bind="query-params")
    name = right.selectbox(
        "Figure", list(dict.fromkeys(map(name_figure, figures))), key="group-figure", bind="query-params"
    )
    shown = [figure for figure in figures if (_name_column(figure), name_figure(figure)) == (by, name)]
    if not shown:
        st.info(f"{name} by {by.lower()}: too few lesions for an estimate.")
        return
    whole = selection.find_same_on_all_photos(card, shown[0])
    plot = draw_forest_plot(selection.build_forest_rows(shown), whole.value if whole else None, name, (0.0, 1.0))
    chart.show(plot, "card-subgroups", f"{name} by {by.lower()}, with 95% intervals")
    st.caption(f"Dashed: all test photos together. {SKIN_TONE}")


def _name_column(figure: CardFigure) -> str:
    column = figure.grouped_by or ""
    return "Age" if column == "age" else TITLES.get(column, column.capitalize())


def _is_secondary(column: str) -> bool:
    """Sort camera and confirmation to the front: scores depend on them more than on age or sex."""
    return column not in (TITLES["camera"], TITLES["confirmation"])
