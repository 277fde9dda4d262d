"""Look at the data before believing a score."""

from skinapp.ui import frame
from skinapp.ui.dataset import page

with frame.page(
    "Dataset",
    "Look at the data before you believe a score: the photos the networks learned from, or a table of your own.",
):
    page.show(page.open_table())
