"""What trivial facts alone would predict: the stored shortcut probes of a table."""

from pathlib import Path

import streamlit as st

from skinapp.runs.intervals import figure
from skinapp.taxonomy import MALIGNANCY_CLASSES
from skinapp.ui import loaders


def show(name: str) -> None:
    """Show the stored probes of a table, and say where there is none."""
    st.subheader("Shortcut probe", anchor=False)
    folders = loaders.probe_runs(name)
    if not folders:
        st.caption(f"No probe of {name} is stored. Make one with `skinapp probe`.")
        return
    chosen = folders[0]
    if len(folders) > 1:
        chosen = st.segmented_control("Asked for", folders, format_func=_task, default=chosen, required=True) or chosen
    _probe(chosen)


def _task(folder: Path) -> str:
    return "malignant or benign" if set(loaders.run(folder).classes) == set(MALIGNANCY_CLASSES) else "lesion type"


def _probe(folder: Path) -> None:
    of_all = figure(loaders.intervals(folder), "macro_auroc").in_words(2)
    st.markdown(
        f"Colour, light, size, camera and source alone, **without the lesion**, tell {_task(folder)} with an AUROC of "
        f"**{of_all}**. A score that a network earns on these photos counts only for what it is above that; 0.5 would "
        "be chance."
    )
    st.dataframe(
        loaders.probe(folder),
        hide_index=True,
        column_config={
            "name": "Class",
            "support": st.column_config.NumberColumn("Photos", format="localized"),
            "auroc": st.column_config.ProgressColumn("AUROC", format="%.2f", min_value=0.0, max_value=1.0),
            "auroc_low": st.column_config.NumberColumn("95% from", format="%.2f"),
            "auroc_high": st.column_config.NumberColumn("to", format="%.2f"),
            "carried_by": st.column_config.TextColumn("Carried by (AUROC lost without it)", width="large"),
        },
    )
    st.caption(loaders.run(folder).note)
