"""The stored shortcut probes of a table: how well facts without the lesion predict the labels."""

from pathlib import Path

import streamlit as st

from skinapp.runs.intervals import get_figure
from skinapp.taxonomy import MALIGNANCY_CLASSES
from skinapp.ui import loaders


def show(name: str) -> None:
    """Show the stored probes of a table, or say that there are none."""
    st.subheader("Shortcut probe", anchor=False)
    folders = loaders.list_probes(name)
    if not folders:
        st.caption(f"No probe of {name} is stored. Make one with `skinapp probe`.")
        return
    chosen = folders[0]
    if len(folders) > 1:
        chosen = (
            st.segmented_control("Predicts", folders, format_func=_describe_task, default=chosen, required=True)
            or chosen
        )
    _show_probe(chosen)


def _describe_task(folder: Path) -> str:
    return "malignant or benign" if set(loaders.get_run(folder).classes) == set(MALIGNANCY_CLASSES) else "lesion type"


def _show_probe(folder: Path) -> None:
    auroc = get_figure(loaders.get_intervals(folder), "macro_auroc").format(2)
    st.markdown(
        "Colour, light, size, camera and source alone, **without the lesion**, predict "
        f"{_describe_task(folder)} with an AUROC of **{auroc}** (0.5 is chance). Compare a network's AUROC on these "
        "photos with that, not with 0.5."
    )
    st.dataframe(
        loaders.get_probe(folder),
        hide_index=True,
        column_config={
            "name": "Class",
            "support": st.column_config.NumberColumn("Photos", format="localized"),
            "auroc": st.column_config.ProgressColumn("AUROC", format="%.2f", min_value=0.0, max_value=1.0),
            "auroc_low": st.column_config.NumberColumn("95% from", format="%.2f"),
            "auroc_high": st.column_config.NumberColumn("to", format="%.2f"),
            "carried_by": st.column_config.TextColumn("Most important facts (AUROC lost without each)", width="large"),
        },
    )
    st.caption(loaders.get_run(folder).note)
