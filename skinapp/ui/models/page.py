"""The Models page: which model, its use and misuse, its figures, classes, training and files."""

from pathlib import Path

import streamlit as st

from skinapp.cards.network_facts import name_networks
from skinapp.cards.wording import describe_question
from skinapp.errors import ModelError
from skinapp.models.card import Card, Head, read_card
from skinapp.models.folder import describe_no_model, find_models
from skinapp.taxonomy import get_class_name
from skinapp.ui import loaders
from skinapp.ui.models import checks, facts, figures

_MODEL = "model"

SHARES_HELP = (
    "A score can be read as a chance only where the classes are as frequent as listed here. Where melanoma is rarer, "
    "the scores are too high."
)


def choose_model() -> Path:
    """Let the reader choose a model, where there are several, and return its folder; ModelError where there is none."""
    root = loaders.get_models_root()
    folders = {folder.name: folder for folder in find_models(root)}
    if not folders:
        raise ModelError(describe_no_model(root))
    unknown = [name for name in st.query_params.get_all(_MODEL) if name not in folders]
    name, *others = folders
    if others:
        name = st.selectbox("Model", list(folders), key=_MODEL, bind="query-params")
    if unknown:
        st.info("The link names a model that does not exist here. Another one is shown.")
    return folders[name]


def show(folder: Path) -> None:
    """Show a model from its card, what it must not be used for first; ModelError where the card is damaged."""
    card = read_card(folder)
    st.subheader(card.id, anchor=False)
    st.caption(f"{name_networks(card)} · {' · '.join(map(describe_question, card.heads))}")
    _show_use(card)
    figures.show(card)
    checks.show(card)
    _show_classes(card)
    facts.show(folder, card)


def _show_use(card: Card) -> None:
    with st.container(border=True):
        st.markdown(f":material/check_circle: **For.** {card.intended_use}")
        st.markdown(f":material/block: **Not for.** {card.not_for}")
        if card.data.limits:
            st.markdown(f":material/help: **Not known.** {' '.join(card.data.limits)}")


def _show_classes(card: Card) -> None:
    with st.expander("Classes, and the share of each that the scores assume"):
        for place, head in zip(st.columns(len(card.heads), gap="large"), card.heads, strict=True):
            with place:
                _show_head(head)


def _show_head(head: Head) -> None:
    st.markdown(f"**{describe_question(head)}**")
    if not head.shares:
        st.markdown("\n".join(f"- {_name_class(label)}" for label in head.classes))
        st.caption("The class shares that its scores assume were not kept.")
        return
    st.caption("Its scores assume that the classes have these shares:", help=SHARES_HELP)
    shares = zip(head.classes, head.shares, strict=True)
    st.markdown("\n".join(f"- {_name_class(label)}: {share:.1%}" for label, share in shares))


def _name_class(label: str) -> str:
    name = get_class_name(label)
    return name if name.lower() == label else f"{name} ({label})"
