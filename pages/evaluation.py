"""How well stored runs did, with intervals."""

from skinapp.ui import frame
from skinapp.ui.evaluation import page

with frame.page(
    "Evaluation", "Every figure is computed from stored predictions. Intervals are 95%, by bootstrap over lesions."
):
    page.show(page.choose_run())
