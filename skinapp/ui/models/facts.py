"""Sections of the Models page on where a model comes from: data, training, recipe, hashes; and its files to take."""

import json
from pathlib import Path

import streamlit as st

from skinapp.cards import networks, tables
from skinapp.cards.formats.hugging_face import hub_card
from skinapp.cards.formats.monai import monai_metadata
from skinapp.errors import RecipeError
from skinapp.files import file_sha256, read_toml
from skinapp.models.card import CARD, RECIPE, Card, Network
from skinapp.models.folder import member_folder
from skinapp.ui import loaders

_MOST = ", the network that learned from most"


def show(folder: Path, card: Card) -> None:
    """Show what a model learned from, how, where its runs are looked at, and its files."""
    _data(card)
    _training(folder, card)
    _recipe(folder, card)
    _hashes(card)
    _runs(folder)
    _files(folder, card)


def _bullets(lines: "tuple[str, ...] | list[str]") -> str:
    return "\n".join(f"- {line}" for line in lines)


def _data(card: Card) -> None:
    tested = tables.counted_on_test(card)
    st.subheader("Data and licences", anchor=False)
    st.markdown(
        _bullets(
            [
                f"**Photos of** {', '.join(card.data.sources)}, by the image table {_tables(card)}",
                f"**Training{_MOST if card.members else ''}:** {networks.counted(card.data.train)}",
                f"**Validation:** {networks.counted(card.data.validation)}",
                *([f"**Test:** {tables.counts(tested)}"] if tested else []),
                f"**Sees:** {_square(card)}",
                f"**Its licence:** {networks.licence(card)}",
            ]
        )
    )


def _square(card: Card) -> str:
    taken = card.preprocessing
    coarser = sorted({network.preprocessing.input_px for network in card.networks} - {taken.input_px}, reverse=True)
    less = f"; some of its networks get it at {' or '.join(map(str, coarser))} px" if coarser else ""
    return (
        f"the central {taken.input_px} px square of a photo whose short side was brought to {taken.resize_px} px{less}"
    )


def _tables(card: Card) -> str:
    borrowed = [f"*{other.table}*" for other in card.data.others]
    more = f"; to learn from, photos of {', '.join(borrowed)} too" if borrowed else ""
    return f"*{card.data.table}*{more}"


def _training(folder: Path, card: Card) -> None:
    st.subheader("How it was trained", anchor=False)
    if card.members:
        st.markdown(_bullets(_averaging(card)))
        for network in card.members:
            with st.expander(networks.network_title(network)):
                _learned(network, member_folder(folder, network.name))
    else:
        (network,) = card.networks
        _learned(network, folder)


def _learned(network: Network, folder: Path) -> None:
    facts = {**networks.how_it_learned(network), "Seed": _seed(folder)}
    st.markdown(_bullets([f"**{name}:** {value}" for name, value in facts.items()]))


def _averaging(card: Card) -> list[str]:
    return [
        f"**Averaged:** {len(card.members)} networks, each trained and calibrated by itself; the mean of the "
        "logarithms of their answers, calibrated once more",
        f"**Made:** {card.training.finished[:10]} with {networks.versions_in_words(card.training)}",
    ]


def _seed(folder: Path) -> str:
    try:
        return str(read_toml(folder / RECIPE).get("seed", "not named in the recipe"))
    except RecipeError:
        return "not known, because the recipe is not here"


def _recipe(folder: Path, card: Card) -> None:
    recipes = {"Recipe": (folder / RECIPE, card.training.recipe_sha256)}
    for network in card.members:
        path = member_folder(folder, network.name) / RECIPE
        recipes[f"Recipe of {network.name}"] = (path, network.training.recipe_sha256)
    for title, (path, sha256) in recipes.items():
        with st.expander(title):
            _recipe_text(path, sha256)


def _recipe_text(path: Path, sha256: str) -> None:
    if not path.is_file():
        st.info("The recipe of this model is not here.")
        return
    if file_sha256(path) != sha256:
        st.info("This recipe was changed after the training: its sha256 is not that of the card.")
    st.code(path.read_text(encoding="utf-8", errors="replace"), language="toml", wrap_lines=True)


def _hashes(card: Card) -> None:
    with st.expander("Hashes (sha256)"):
        lines = "\n".join(f"{name}: {value}" for name, value in networks.hashes(card).items())
        st.code(lines, language=None, wrap_lines=True)


def _runs(folder: Path) -> None:
    st.subheader("Its stored runs", anchor=False)
    runs = {name: run for name, run in loaders.run_names().items() if folder in run.parents}
    own = [name for name, run in runs.items() if run.parents[1] == folder]
    members = [name for name in runs if name not in own]
    if not own:
        st.caption("None yet: `skinapp evaluate` makes them.")
    _linked(own)
    if members:
        st.caption("Those of its networks, each by itself:")
        _linked(members)


def _linked(names: list[str]) -> None:
    for name in names:
        st.page_link("views/evaluation.py", label=name, icon=":material/monitoring:", query_params={"run": name})


def _files(folder: Path, card: Card) -> None:
    st.subheader("The card as a file", anchor=False)
    files = {
        "card.json": ("application/json", lambda: (folder / CARD).read_bytes(), "as it lies in the model's folder"),
        "README.md": ("text/markdown", lambda: hub_card(card).encode(), "a Hugging Face model card"),
        "metadata.json": ("application/json", lambda: _json(card), "the metadata of a MONAI bundle"),
    }
    with st.container(horizontal=True):
        for name, (kind, data, meaning) in files.items():
            st.download_button(
                name, data, name, kind, key=f"take-{name}", on_click="ignore", help=meaning, icon=":material/download:"
            )
    st.caption("; ".join(f"{name}: {meaning}" for name, (_, _, meaning) in files.items()) + ".")


def _json(card: Card) -> bytes:
    return (json.dumps(monai_metadata(card), indent=2, ensure_ascii=False) + "\n").encode()
