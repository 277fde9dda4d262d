"""What stored runs say of a model."""

import streamlit as st

from skinapp.charts.confusion import confusion_heatmap
from skinapp.charts.scores import per_class_bars
from skinapp.errors import SkinAppError
from skinapp.ui import chart, loaders, widgets

st.title("Evaluation", anchor=False)
st.caption("Every figure is computed from stored predictions; intervals are 95%, by bootstrap over lesions.")

try:
    folder = widgets.choose_path("Stored run", loaders.runs(), widgets.run_name)
    run = loaders.run(folder)
    classes = loaders.run_classes(folder)
    widgets.run_headline(loaders.run_headline(folder), loaders.intervals(folder))

    st.subheader("By class", anchor=False)
    chart.show(per_class_bars(classes), "scores", "Bars: F1, precision and recall by class")
    widgets.class_table(classes)

    st.subheader("Confusion matrix", anchor=False)
    view = widgets.choose_confusion()
    chart.show(confusion_heatmap(loaders.run_confusion(folder), view), "confusion", "Confusion matrix")

    st.caption(f"**Limits of the data.** {run.note}")
except SkinAppError as error:
    st.error(str(error))
