"""What the audit found, to look through pair by pair, and what trivial facts alone would predict."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from skinapp.datasets.audit.findings import about
from skinapp.datasets.audit.table import audit, crosses, disagrees, summarize
from skinapp.datasets.export import csv_bytes
from skinapp.ui import loaders, state
from skinapp.ui.dataset import probe
from skinapp.ui.dataset.contact_sheet import MOST_ROWS
from skinapp.ui.thumbnails import thumbnail

HEADINGS: dict[str, Any] = {
    **{f"{fact}_a": words for fact, words in (("table", "Table"), ("image", "Photo"), ("split", "Split"))},
    **{
        f"{fact}_b": words
        for fact, words in (("table", "other table"), ("image", "other photo"), ("split", "its split"))
    },
    "similarity": st.column_config.NumberColumn("Alike", format="%.2f"),
    "detail": "Detail",
}

_ALL = "All"
_PAIR_PX = 320


def show(name: str, table: pd.DataFrame, findings: pd.DataFrame | None, root: Path | None, own: bool) -> None:
    """Show a table's findings and its shortcut probe; the visitor's own table is audited when she asks for it."""
    st.subheader("What the audit found", anchor=False)
    if findings is not None:
        _findings(name, findings, root)
    elif own:
        _offer(name, table)
    else:
        st.info(f"No audit of {name} is stored. Make one with `skinapp audit`.")
    if not own:
        probe.show(name)


def _offer(name: str, table: pd.DataFrame) -> None:
    st.caption("Copies are looked for by perceptual hash, where the table has it; lesions and labels are compared.")
    if st.button("Audit this table", icon=":material/search:"):
        with st.spinner("Comparing photos"):
            state.keep_findings(audit({name: table}))
        st.rerun()


def _findings(name: str, findings: pd.DataFrame, root: Path | None) -> None:
    found = about(findings, name)
    counts = summarize(found)
    st.dataframe(
        counts,
        hide_index=True,
        width="content",
        column_config={
            "finding": "Finding",
            "found": st.column_config.NumberColumn("Found", format="localized"),
            "across_splits": st.column_config.NumberColumn("Across splits", format="localized"),
            "labels_disagree": st.column_config.NumberColumn("Labels disagree", format="localized"),
        },
    )
    kinds = [kind for kind, number in zip(counts["finding"], counts["found"], strict=True) if number]
    if not kinds:
        st.success("Nothing was found.")
        return
    kind = st.pills("Look through", kinds, default=kinds[0], required=True, key="finding", bind="query-params")
    rows = found[found["finding"] == kind].reset_index(drop=True)
    _look_through(name, rows, root)
    st.download_button(
        "All findings as CSV",
        lambda: csv_bytes(found),
        f"{name}-findings.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _look_through(name: str, rows: pd.DataFrame, root: Path | None) -> None:
    narrowed = st.segmented_control("Which", (_ALL, "Across splits", "Labels disagree"), default=_ALL, required=True)
    if narrowed == "Across splits":
        rows = rows[crosses(rows)]
    elif narrowed == "Labels disagree":
        rows = rows[disagrees(rows)]
    shown = rows.drop(columns="finding").dropna(axis=1, how="all").head(MOST_ROWS).reset_index(drop=True)
    if shown.empty:
        st.caption("None of these.")
        return
    chosen = st.dataframe(
        shown, hide_index=True, column_config=HEADINGS, on_select="rerun", selection_mode="single-row", key="pairs"
    )
    if len(rows) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {len(rows):,}, leaks and disagreements first; all of them in the CSV.")
    if "image_b" not in shown:
        return
    places = chosen.selection.rows
    st.caption("Choose a row to see both photos." if not places else "")
    _pair(shown.iloc[places[0] if places else 0], root)


def _pair(pair: "pd.Series[str]", root: Path | None) -> None:
    """Show both photos of a finding side by side, with what is known of each."""
    for end, column in zip("ab", st.columns(2), strict=True):
        name, image_id = pair[f"table_{end}"], pair[f"image_{end}"]
        path, words = _facts(str(name), str(image_id))
        column.markdown(f"**{image_id}**  \n{words}")
        picture = None if root is None else thumbnail(path, root, _PAIR_PX // 2)
        if picture is None:
            column.caption("The photo is not here.")
        else:
            column.image(picture, width=_PAIR_PX)


def _facts(name: str, image_id: str) -> tuple[str | None, str]:
    """Return a photo's path, and its table, label and split in words."""
    table = _table(name)
    rows = table[table["image_id"] == image_id] if table is not None else pd.DataFrame()
    if rows.empty:
        return None, name
    row = rows.iloc[0]
    known = [name, *(str(row[column]) for column in ("diagnosis", "split", "source") if pd.notna(row[column]))]
    return (None if pd.isna(row["path"]) else str(row["path"])), ", ".join(dict.fromkeys(known))


def _table(name: str) -> pd.DataFrame | None:
    own = state.own_table()
    if own is not None and own.name == name:
        return own.table
    path = next((path for path in loaders.tables() if path.stem == name), None)
    return None if path is None else loaders.table(path)
