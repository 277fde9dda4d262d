"""Sections of the Models page on where a model comes from: data, training, recipe, hashes; and its files to take."""

import json
from pathlib import Path

import streamlit as st

from skinapp.errors import RecipeError
from skinapp.evaluation import card_tables
from skinapp.evaluation.card_bundle import monai_metadata
from skinapp.evaluation.card_text import hub_card
from skinapp.networks.folder import CARD, RECIPE, Card, SplitFacts
from skinapp.storage import file_sha256
from skinapp.training.recipe import read_toml
from skinapp.ui import loaders


def show(folder: Path, card: Card) -> None:
    """Show what a model learned from, how, what is not known, where its runs are looked at, and its files."""
    _unknown(card)
    _data(card)
    _training(folder, card)
    _recipe(folder, card)
    _hashes(card)
    _runs(folder)
    _files(folder, card)


def _unknown(card: Card) -> None:
    st.subheader("What is not known", anchor=False)
    st.markdown(_bullets(card.data.limits))


def _bullets(lines: "tuple[str, ...] | list[str]") -> str:
    return "\n".join(f"- {line}" for line in lines)


def _data(card: Card) -> None:
    tested = card_tables.counted_on_test(card)
    st.subheader("Data and licences", anchor=False)
    st.markdown(
        _bullets(
            [
                f"**Photos of** {', '.join(card.data.sources)}, by the image table {_tables(card)}",
                f"**Training:** {_counted(card.data.train)}",
                f"**Validation:** {_counted(card.data.validation)}",
                *([f"**Test:** {card_tables.counts(tested)}"] if tested else []),
                f"**Initial weights:** {card.initial.name}",
                f"**Their licence:** {card.initial.licence}",
                *(
                    f"**Learned from the answers of** {each.name}; its licence: {each.licence}"
                    for each in card.teachers
                ),
                f"**Its own licence:** {card.licence}",
            ]
        )
    )


def _tables(card: Card) -> str:
    borrowed = [f"*{other.table}*" for other in card.data.others]
    more = f"; to learn from, photos of {', '.join(borrowed)} too" if borrowed else ""
    return f"*{card.data.table}*{more}"


def _counted(part: SplitFacts) -> str:
    return f"{part.photos:,} photos of {part.lesions:,} lesions, {part.malignant_share:.1%} of the photos malignant"


def _training(folder: Path, card: Card) -> None:
    done = card.training
    python, torch, skinapp = done.versions
    st.subheader("How it was trained", anchor=False)
    st.markdown(
        _bullets(
            [
                f"**Epochs:** {done.epochs}; the weights of epoch {done.best_epoch} were taken "
                f"({card_tables.words(done.monitor)} on validation: {done.best_value:.3f})",
                f"**Time:** {done.elapsed_s / 60:,.0f} minutes on {done.device}, finished {done.finished[:10]}",
                f"**Seed:** {_seed(folder)}",
                f"**Versions:** Python {python}, PyTorch {torch}, skinapp {skinapp}",
                f"**Sees:** the central {card.preprocessing.input_px} px square of a photo whose short side was "
                f"brought to {card.preprocessing.resize_px} px",
                f"**Weights:** {card.weights_dtype}; {_rounding(card)}",
            ]
        )
    )


def _seed(folder: Path) -> str:
    try:
        return str(read_toml(folder / RECIPE).get("seed", "not named in the recipe"))
    except RecipeError:
        return "not known, because the recipe is not here"


def _rounding(card: Card) -> str:
    if card.rounding is None:
        return "how far rounding to them moved a score was not measured"
    return f"rounding to them moved a validation score by {card.rounding:.2g} at most"


def _recipe(folder: Path, card: Card) -> None:
    path = folder / RECIPE
    with st.expander("Recipe"):
        if not path.is_file():
            st.info("The recipe of this model is not here.")
            return
        if file_sha256(path) != card.training.recipe_sha256:
            st.info("This recipe was changed after the training: its sha256 is not that of the card.")
        st.code(path.read_text(encoding="utf-8", errors="replace"), language="toml", wrap_lines=True)


def _hashes(card: Card) -> None:
    sums = {
        "weights": card.weights_sha256,
        "recipe": card.training.recipe_sha256,
        f"image table {card.data.table}": card.data.table_sha256,
        **{f"image table {other.table}": other.sha256 for other in card.data.others},
        "initial weights": card.initial.sha256 or "not kept",
        **{f"teacher {each.name}": each.sha256 or "not kept" for each in card.teachers},
    }
    with st.expander("Hashes (sha256)"):
        st.code("\n".join(f"{name}: {value}" for name, value in sums.items()), language=None, wrap_lines=True)


def _runs(folder: Path) -> None:
    st.subheader("Its stored runs", anchor=False)
    names = [name for name, run in loaders.run_names().items() if run.parents[1] == folder]
    if not names:
        st.caption("None yet: `skinapp evaluate` makes them.")
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
