"""Skinapp's entry script: `streamlit run streamlit_app.py`.

Streamlit imports it once to find the server's `app`, and runs it as a script for each visitor.
"""

import streamlit as st

from skinapp.ui import frame

if __name__ == "__main__":
    frame.run_page()
else:
    from skinapp.ui import server

    app = st.App(__file__, lifespan=server.lifespan, middleware=server.MIDDLEWARE)
