"""The eight lesion types in words."""

from skinapp.ui import frame, loaders, types

with frame.page(
    "Lesion types",
    "What each of the eight labels means, what it covers in this data, and whether it counts as malignant.",
):
    for card in types.count_types(loaders.get_table(loaders.TABLES / "ham10000.parquet")):
        types.show(card)
