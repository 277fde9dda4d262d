"""Look at the data before believing a score."""

import streamlit as st

from skinapp.charts.distribution import class_distribution
from skinapp.charts.sizes import size_heatmap
from skinapp.datasets.summary import class_counts, size_counts, split_counts
from skinapp.errors import SkinAppError
from skinapp.ui import chart, loaders, widgets

st.title("Dataset", anchor=False)
st.caption("What the networks learned from. Look at the data before believing a score.")

try:
    table = loaders.table(widgets.choose_path("Image table", loaders.tables()))
    counts = class_counts(table)
    widgets.data_headline(table, counts)

    st.subheader("Class distribution", anchor=False)
    unit = st.segmented_control("Count", ("photos", "lesions"), default="photos", required=True)
    chart.show(class_distribution(counts, unit), "classes", f"Bars: {unit} of each lesion type, most first")

    st.subheader("Image sizes", anchor=False)
    shown = st.segmented_control("Sizes", ("as published", "as stored here"), default="as published", required=True)
    sizes = size_counts(table, stored=shown == "as stored here")
    chart.show(size_heatmap(sizes), "sizes", "Photos of each size in pixels")

    st.subheader("Split", anchor=False)
    widgets.split_table(split_counts(table))
except SkinAppError as error:
    st.error(str(error))
