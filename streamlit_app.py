"""Skinapp's entry script: `streamlit run streamlit_app.py`."""

from skinapp.ui import frame

frame.run_page()
