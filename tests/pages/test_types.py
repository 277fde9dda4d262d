from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from skinapp.datasets import showcase
from skinapp.datasets.showcase import Example, read_showcase
from skinapp.datasets.table import TABLES
from skinapp.errors import ExampleError
from skinapp.taxonomy import CODES, DIAGNOSES, MALIGNANT_CODES
from skinapp.ui.types.page import order_types
from skinapp.ui.types.photos import choose_photos

SHOWCASE = read_showcase(TABLES / "showcase.csv")


@pytest.fixture(autouse=True)
def no_photos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SKINAPP_DATA", raising=False)
    monkeypatch.delenv("SKINAPP_EXAMPLES", raising=False)
    monkeypatch.setattr(showcase.platformdirs, "user_cache_path", lambda _: tmp_path / "cache")


def read_text(page: AppTest) -> str:
    return " ".join(element.value for element in page.markdown)


def list_headings(page: AppTest) -> list[str]:
    return [heading.value for heading in page.subheader]


def test_each_type_has_its_name_its_reason_and_its_counts(app: AppTest) -> None:
    page = app.switch_page("pages/types.py").run()

    assert not page.exception
    by_code = {d.code: d for d in DIAGNOSES}
    assert list_headings(page) == [f"{by_code[code].name} ({code})" for code in order_types()]
    text = read_text(page)
    for diagnosis in DIAGNOSES:
        assert diagnosis.covers in text
        assert diagnosis.why in text
    assert "6,705 photos of 5,403 lesions" in text
    assert text.count("counted as malignant]") == sum(d.malignant for d in DIAGNOSES)


def test_malignant_types_come_first_and_melanoma_before_all() -> None:
    assert order_types()[0] == "mel"
    assert set(order_types()[: len(MALIGNANT_CODES)]) == set(MALIGNANT_CODES)
    assert sorted(order_types()) == sorted(CODES)


def test_the_types_that_the_address_names_come_first_in_its_order(app: AppTest) -> None:
    app.switch_page("pages/types.py")
    app.query_params["type"] = ["nv", "bcc", "wart"]
    page = app.run()
    assert [heading.split("(")[1] for heading in list_headings(page)[:3]] == ["nv)", "bcc)", "mel)"]
    assert len(list_headings(page)) == len(CODES)
    assert ["does not exist here" in info.value for info in page.info] == [True]


def test_without_photos_the_page_links_to_the_archive_and_asks_it_only_on_a_click(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(image_id: str, folder: Path | None) -> None:
        asked.append(image_id)
        raise ExampleError("The ISIC Archive cannot be reached from here.")

    monkeypatch.setattr("skinapp.ui.types.photos.fetch_example", refuse)
    page = app.switch_page("pages/types.py").run()
    first = min(example.image_id for example in SHOWCASE if example.diagnosis == "mel")
    assert f"https://api.isic-archive.com/images/{first}/" in read_text(page)
    assert len(page.get("image")) == 0
    assert asked == []
    page.button("fetch-mel").click().run()
    assert asked == [first]
    assert [warning.value for warning in page.warning] == ["The ISIC Archive cannot be reached from here."]


def test_photos_at_hand_are_shown_at_most_three_of_a_type(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = BytesIO()
    Image.new("RGB", (64, 48), "brown").save(file, "JPEG")
    for example in SHOWCASE:
        (tmp_path / f"{example.image_id}.jpg").write_bytes(file.getvalue())
    monkeypatch.setenv("SKINAPP_EXAMPLES", str(tmp_path))
    page = app.switch_page("pages/types.py").run()
    assert len(page.get("image")) == 3 * len(CODES)
    assert "ISIC Archive" not in read_text(page)
    assert not [button for button in page.button if button.key and button.key.startswith("fetch")]


def test_photos_are_chosen_in_order_with_their_facts_and_none_for_a_type_without_any() -> None:
    table = pd.DataFrame({"image_id": ["ISIC_0000001"], "path": ["a/1.jpg"], "confirmation": [pd.NA]})
    chosen = choose_photos([Example("ISIC_0000001", "mel"), Example("ISIC_0000002", "mel")], table)
    assert [(photo.path, photo.confirmation) for photo in chosen["mel"]] == [("a/1.jpg", None), (None, None)]
    assert chosen["nv"] == ()
