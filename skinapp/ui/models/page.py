"""The Models page's frame: which model, what it is for and must not be used for, then all that its card says."""

from pathlib import Path

import streamlit as st

from skinapp.cards.networks import networks_in_words
from skinapp.cards.tables import question
from skinapp.errors import ModelError
from skinapp.models.card import Card, Head, read_card
from skinapp.models.folder import find_models
from skinapp.taxonomy import class_name
from skinapp.ui import loaders
from skinapp.ui.models import facts, figures

_MODEL = "model"

SHARES_HELP = (
    "A score can be read as a chance only where the classes are as frequent as listed here. Where melanoma is rarer, "
    "the scores are too high."
)


def chosen() -> Path:
    """Let the reader choose a model, where there are several, and return its folder; ModelError where there is none."""
    folders = {folder.name: folder for folder in find_models(loaders.models_root())}
    if not folders:
        raise ModelError("No model is here. Train one with `skinapp train`.")
    asked = [name for name in st.query_params.get_all(_MODEL) if name not in folders]
    name, *others = folders
    if others:
        name = st.selectbox("Model", list(folders), key=_MODEL, bind="query-params")
    if asked:
        st.info("The address asks for a model that is not here. Another is shown.")
    return folders[name]


def show(folder: Path) -> None:
    """Show a model from its card, what it must not be used for first; ModelError where the card is damaged."""
    card = read_card(folder)
    st.subheader(card.id, anchor=False)
    st.caption(f"{networks_in_words(card)} · {' · '.join(map(question, card.heads))}")
    _use(card)
    figures.show(card)
    _answers(card)
    facts.show(folder, card)


def _use(card: Card) -> None:
    with st.container(border=True):
        st.markdown(f":material/check_circle: **For.** {card.intended_use}")
        st.markdown(f":material/block: **Not for.** {card.not_for}")
        if card.data.limits:
            st.markdown(f":material/help: **Not known.** {' '.join(card.data.limits)}")


def _answers(card: Card) -> None:
    with st.expander("The classes, and the shares of them that its scores assume"):
        for place, head in zip(st.columns(len(card.heads), gap="large"), card.heads, strict=True):
            with place:
                _answer(head)


def _answer(head: Head) -> None:
    st.markdown(f"**{question(head)}**")
    if not head.shares:
        st.markdown("\n".join(f"- {_named(label)}" for label in head.classes))
        st.caption("Which shares of the classes its scores assume is not kept.")
        return
    st.caption("Its scores assume these shares of the photos:", help=SHARES_HELP)
    shares = zip(head.classes, head.shares, strict=True)
    st.markdown("\n".join(f"- {_named(label)}: {share:.1%}" for label, share in shares))


def _named(label: str) -> str:
    name = class_name(label)
    return name if name.lower() == label else f"{name} ({label})"
