"""Sections of the Models page on where a model comes from (data, training, recipe, hashes), and its downloads."""

import json
from pathlib import Path

import streamlit as st

from skinapp.cards import network_facts
from skinapp.cards.formats.hugging_face import format_hub_card
from skinapp.cards.formats.monai import build_monai_metadata
from skinapp.cards.selection import find_figure_of_all_photos, format_counts
from skinapp.errors import RecipeError
from skinapp.files import compute_sha256, read_toml
from skinapp.models.card import CARD, RECIPE, Card, NetworkFacts
from skinapp.models.folder import get_member_folder
from skinapp.ui import loaders

_MOST = ", of the network with the most training photos"


def show(folder: Path, card: Card) -> None:
    """Show what a model was trained on and how, its stored runs, and its files."""
    _show_data(card)
    _show_training(folder, card)
    _show_recipes(folder, card)
    _show_hashes(card)
    _show_runs(folder)
    _show_files(folder, card)


def _format_bullets(lines: "tuple[str, ...] | list[str]") -> str:
    return "\n".join(f"- {line}" for line in lines)


def _show_data(card: Card) -> None:
    tested = find_figure_of_all_photos(card)
    st.subheader("Data and licences", anchor=False)
    st.markdown(
        _format_bullets(
            [
                f"**Photos from** {', '.join(card.data.sources)}, listed in the image table {_describe_tables(card)}",
                f"**Training{_MOST if card.members else ''}:** {network_facts.describe_split(card.data.train)}",
                f"**Validation:** {network_facts.describe_split(card.data.validation)}",
                *([f"**Test:** {format_counts(tested)}"] if tested else []),
                f"**Input:** {_describe_input(card)}",
                f"**Licence:** {network_facts.describe_licence(card)}",
            ]
        )
    )


def _describe_input(card: Card) -> str:
    taken = card.preprocessing
    coarser = sorted({network.preprocessing.input_px for network in card.networks} - {taken.input_px}, reverse=True)
    less = f"; some of its networks see it at {' or '.join(map(str, coarser))} px" if coarser else ""
    return f"the central {taken.input_px} px square of a photo, its short side resized to {taken.resize_px} px{less}"


def _describe_tables(card: Card) -> str:
    borrowed = [f"*{other.table}*" for other in card.data.others]
    more = f"; training also used photos of {', '.join(borrowed)}" if borrowed else ""
    return f"*{card.data.table}*{more}"


def _show_training(folder: Path, card: Card) -> None:
    st.subheader("How it was trained", anchor=False)
    if card.members:
        st.markdown(_format_bullets(_describe_average(card)))
        for network in card.members:
            with st.expander(network_facts.name_network(network)):
                _show_network(network, get_member_folder(folder, network.name))
    else:
        (network,) = card.networks
        _show_network(network, folder)


def _show_network(network: NetworkFacts, folder: Path) -> None:
    facts = {**network_facts.describe_training(network), "Seed": _describe_seed(folder)}
    st.markdown(_format_bullets([f"**{name}:** {value}" for name, value in facts.items()]))


def _describe_average(card: Card) -> list[str]:
    return [
        f"**Averaged:** {len(card.members)} networks, each trained and calibrated by itself; the model "
        "averages the logarithms of their probabilities, then calibrates the result",
        f"**Made:** {card.training.finished[:10]} with {network_facts.describe_versions(card.training)}",
    ]


def _describe_seed(folder: Path) -> str:
    try:
        return str(read_toml(folder / RECIPE).get("seed", "not named in the recipe"))
    except RecipeError:
        return "not known: the recipe is missing"


def _show_recipes(folder: Path, card: Card) -> None:
    recipes = {"Recipe": (folder / RECIPE, card.training.recipe_sha256)}
    for network in card.members:
        path = get_member_folder(folder, network.name) / RECIPE
        recipes[f"Recipe of {network.name}"] = (path, network.training.recipe_sha256)
    for title, (path, sha256) in recipes.items():
        with st.expander(title):
            _show_recipe(path, sha256)


def _show_recipe(path: Path, sha256: str) -> None:
    if not path.is_file():
        st.info("The recipe of this model is missing.")
        return
    if compute_sha256(path) != sha256:
        st.info("This recipe was changed after the training: its sha256 differs from the one in the card.")
    st.code(path.read_text(encoding="utf-8", errors="replace"), language="toml", wrap_lines=True)


def _show_hashes(card: Card) -> None:
    with st.expander("Hashes (sha256)"):
        lines = "\n".join(f"{name}: {value}" for name, value in network_facts.list_hashes(card).items())
        st.code(lines, language=None, wrap_lines=True)


def _show_runs(folder: Path) -> None:
    st.subheader("Its stored runs", anchor=False)
    runs = {name: run for name, run in loaders.list_runs().items() if folder in run.parents}
    own = [name for name, run in runs.items() if run.parents[1] == folder]
    members = [name for name in runs if name not in own]
    if not own:
        st.caption("No runs are stored yet. Make them with `skinapp evaluate`.")
    _link_runs(own)
    if members:
        st.caption("Runs of the single networks:")
        _link_runs(members)


def _link_runs(names: list[str]) -> None:
    for name in names:
        st.page_link("pages/evaluation.py", label=name, icon=":material/monitoring:", query_params={"run": name})


def _show_files(folder: Path, card: Card) -> None:
    st.subheader("The card as a file", anchor=False)
    files = {
        "card.json": ("application/json", lambda: (folder / CARD).read_bytes(), "the file in the model's folder"),
        "README.md": ("text/markdown", lambda: format_hub_card(card).encode(), "a Hugging Face model card"),
        "metadata.json": ("application/json", lambda: _dump_monai(card), "the metadata of a MONAI bundle"),
    }
    with st.container(horizontal=True):
        for name, (kind, data, meaning) in files.items():
            st.download_button(
                name, data, name, kind, key=f"take-{name}", on_click="ignore", help=meaning, icon=":material/download:"
            )
    st.caption("; ".join(f"{name}: {meaning}" for name, (_, _, meaning) in files.items()) + ".")


def _dump_monai(card: Card) -> bytes:
    return (json.dumps(build_monai_metadata(card), indent=2, ensure_ascii=False) + "\n").encode()
