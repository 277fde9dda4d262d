from pathlib import Path

import pytest

from skinapp.datasets.showcase import Example, read_showcase
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import ExampleError

ID = "ISIC_0024306"


def test_no_shipped_example_and_no_photo_of_its_lesion_is_trained_or_tested_on() -> None:
    examples = {example.image_id for example in read_showcase(TABLES / "showcase.csv")}
    table = read_table(TABLES / "ham10000.parquet")
    lesions = table["lesion_id"][table["image_id"].isin(examples)]
    assert len(lesions) == len(examples) == len(set(lesions))
    assert set(table["split"][table["lesion_id"].isin(lesions)]) == {"showcase"}


def test_the_showcase_is_read_in_order_whatever_its_further_columns(tmp_path: Path) -> None:
    file = tmp_path / "showcase.csv"
    file.write_text(f"lesion_id,image_id,diagnosis\nHAM_1,{ID},mel\nHAM_2,ISIC_0024307_downsampled,nv\n")
    assert read_showcase(file) == (Example(ID, "mel"), Example("ISIC_0024307_downsampled", "nv"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "lists no examples"),
        ("image_id,diagnosis\n", "lists no examples"),
        (f"image_id,label\n{ID},mel\n", "columns image_id and diagnosis"),
        (f"image_id,diagnosis\n{ID},mel\nlesion,nv\n", "row 3: 'lesion'"),
        (f"image_id,diagnosis\n{ID},wart\n", "row 2: .* with 'wart'"),
        (f"image_id,diagnosis\n{ID}\n", "row 2"),
        (f"image_id,diagnosis\n{ID},mel\n{ID},nv\n", "twice"),
        ("\0", "lists no examples|cannot be read"),
    ],
)
def test_a_malformed_showcase_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "showcase.csv"
    file.write_text(text)
    with pytest.raises(ExampleError, match=sentence):
        read_showcase(file)


def test_a_missing_or_binary_showcase_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xd8\xff\xe0")
    for name in ("missing.csv", "binary.csv"):
        with pytest.raises(ExampleError, match="cannot be read"):
            read_showcase(tmp_path / name)
