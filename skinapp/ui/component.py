"""Parts of a page in HTML, CSS and JavaScript, from the files in assets/ that bear their name."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

ASSETS = Path(__file__).parent / "assets"


def define_component(name: str) -> ComponentRenderer:
    """Return what mounts the component of a name; its JavaScript and perhaps HTML and CSS are in assets/."""
    files = {kind: ASSETS / f"{name}.{kind}" for kind in ("html", "css", "js")}
    parts = {kind: file.read_text(encoding="utf-8") for kind, file in files.items() if file.is_file()}
    return st.components.v2.component(
        f"skinapp.{name}", html=parts.get("html"), css=parts.get("css"), js=parts.get("js")
    )
