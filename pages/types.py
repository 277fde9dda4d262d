"""The eight lesion types in words and photos."""

from skinapp.datasets.table import TABLES
from skinapp.ui import frame
from skinapp.ui.types import page

with frame.page(
    "Lesion types",
    "What each of the eight labels means, what it covers in this data, and whether it counts as malignant.",
):
    page.show(TABLES / "ham10000.parquet")
