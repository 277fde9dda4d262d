"""What a table holds, counted: photos, lesions, shares, sizes."""

import pandas as pd


def class_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count photos and lesions of each diagnosis: columns diagnosis, photos, lesions, share (0..1), most first."""
    counts = table.groupby("diagnosis", as_index=False).agg(
        photos=("image_id", "size"), lesions=("lesion_id", "nunique")
    )
    counts["share"] = counts["photos"] / counts["photos"].sum()
    return counts.sort_values(["photos", "diagnosis"], ascending=[False, True], ignore_index=True)


def size_counts(table: pd.DataFrame, stored: bool = False) -> pd.DataFrame:
    """Count photos of each size: columns source, width, height, photos.

    `stored` counts the files that were read; otherwise the sizes as published, NA where no source says.
    """
    width, height = ("stored_width", "stored_height") if stored else ("width", "height")
    sizes = table[["source", width, height]].set_axis(["source", "width", "height"], axis=1)
    return (
        sizes.groupby(["source", "width", "height"], as_index=False, dropna=False)
        .size()
        .rename(columns={"size": "photos"})
    )


def split_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count photos and lesions of each split: columns split, photos, lesions, malignant (photos)."""
    return table.groupby("split", as_index=False).agg(
        photos=("image_id", "size"), lesions=("lesion_id", "nunique"), malignant=("malignant", "sum")
    )
