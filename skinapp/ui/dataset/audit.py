"""The audit of a table, to browse pair by pair, and its shortcut probe."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from skinapp.datasets.audit.checks import audit_tables
from skinapp.datasets.audit.findings import count_findings, crosses_split, has_label_conflict, select_findings
from skinapp.text_tables.write import encode_csv
from skinapp.ui import loaders, state
from skinapp.ui.dataset import probe
from skinapp.ui.dataset.contact_sheet import MAX_ROWS
from skinapp.ui.thumbnails import read_thumbnail

HEADINGS: dict[str, Any] = {
    **{f"{fact}_a": title for fact, title in (("table", "Table"), ("image", "Photo"), ("split", "Split"))},
    **{
        f"{fact}_b": title
        for fact, title in (("table", "other table"), ("image", "other photo"), ("split", "its split"))
    },
    "similarity": st.column_config.NumberColumn("Alike", format="%.2f"),
    "detail": "Detail",
}

_ALL = "All"
_PAIR_PX = 320


def show(name: str, table: pd.DataFrame, findings: pd.DataFrame | None, root: Path | None, own: bool) -> None:
    """Show a table's findings and its shortcut probe; the visitor's own table is audited at the press of a button."""
    st.subheader("Audit findings", anchor=False)
    if findings is not None:
        _show_findings(name, findings, root)
    elif own:
        _offer_audit(name, table)
    else:
        st.info(f"No audit of {name} is stored. Make one with `skinapp audit`.")
    if not own:
        probe.show(name)


def _offer_audit(name: str, table: pd.DataFrame) -> None:
    st.caption("Compares perceptual hashes (if the table has them) to find copies, and checks lesions and labels.")
    if st.button("Audit this table", icon=":material/search:"):
        with st.spinner("Comparing photos"):
            state.keep_findings(audit_tables({name: table}))
        st.rerun()


def _show_findings(name: str, findings: pd.DataFrame, root: Path | None) -> None:
    selected = select_findings(findings, name)
    counts = count_findings(selected)
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
        st.success("No findings.")
        return
    kind = st.pills("Browse", kinds, default=kinds[0], required=True, key="finding", bind="query-params")
    rows = selected[selected["finding"] == kind].reset_index(drop=True)
    _browse_findings(name, rows, root)
    st.download_button(
        "All findings as CSV",
        lambda: encode_csv(selected),
        f"{name}-findings.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _browse_findings(name: str, rows: pd.DataFrame, root: Path | None) -> None:
    subset = st.segmented_control("Show", (_ALL, "Across splits", "Labels disagree"), default=_ALL, required=True)
    if subset == "Across splits":
        rows = rows[crosses_split(rows)]
    elif subset == "Labels disagree":
        rows = rows[has_label_conflict(rows)]
    shown = rows.drop(columns="finding").dropna(axis=1, how="all").head(MAX_ROWS).reset_index(drop=True)
    if shown.empty:
        st.caption("No findings of this kind.")
        return
    chosen = st.dataframe(
        shown, hide_index=True, column_config=HEADINGS, on_select="rerun", selection_mode="single-row", key="pairs"
    )
    if len(rows) > MAX_ROWS:
        st.caption(
            f"The first {MAX_ROWS:,} of {len(rows):,}, leaks and label conflicts first. The CSV has all of them."
        )
    if "image_b" not in shown:
        return
    selected = chosen.selection.rows
    st.caption("" if selected else "Select a row to see both photos.")
    _show_pair(shown.iloc[selected[0] if selected else 0], root)


def _show_pair(pair: "pd.Series[str]", root: Path | None) -> None:
    """Show both photos of a finding side by side, with the known facts about each."""
    for end, column in zip("ab", st.columns(2), strict=True):
        name, image_id = pair[f"table_{end}"], pair[f"image_{end}"]
        path, facts = _describe_photo(str(name), str(image_id))
        column.markdown(f"**{image_id}**  \n{facts}")
        picture = None if root is None else read_thumbnail(path, root, _PAIR_PX // 2)
        if picture is None:
            column.caption("The photo is not here.")
        else:
            column.image(picture, width=_PAIR_PX)


def _describe_photo(name: str, image_id: str) -> tuple[str | None, str]:
    """Return a photo's path, and its table, label, split and source in words."""
    table = _find_table(name)
    rows = table[table["image_id"] == image_id] if table is not None else pd.DataFrame()
    if rows.empty:
        return None, name
    row = rows.iloc[0]
    facts = [name, *(str(row[column]) for column in ("diagnosis", "split", "source") if pd.notna(row[column]))]
    return (None if pd.isna(row["path"]) else str(row["path"])), ", ".join(dict.fromkeys(facts))


def _find_table(name: str) -> pd.DataFrame | None:
    own = state.get_own_table()
    if own is not None and own.name == name:
        return own.table
    path = next((path for path in loaders.list_tables() if path.stem == name), None)
    return None if path is None else loaders.get_table(path)
