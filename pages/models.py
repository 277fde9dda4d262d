"""What is known about each model, and what is not."""

from skinapp.ui import frame
from skinapp.ui.models import page

with frame.page(
    "Models", "What each model is for, what it learned from, how well it does on test photos, and what is not known."
):
    page.show(page.choose_model())
