import re
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from skinapp.datasets.summary import count_classes
from skinapp.datasets.table import TABLES, read_table
from skinapp.ui.dataset.page import SECTIONS

BAD = "image_id,age,sex,split\na,old,alien,later\nb,40,male,train\n"


@pytest.fixture(scope="module")
def ham10000() -> pd.DataFrame:
    return read_table(TABLES / "ham10000.parquet")


def opened(page: Page, address: str, query: str = "") -> Page:
    page.goto(f"{address}dataset{query}")
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return page


def choose(page: Page, label: str, option: str) -> None:
    """Open the filters and choose from one; a list that opens while its expander still grows closes again."""
    page.get_by_text("Filters", exact=True).click()
    filters = page.get_by_test_id("stExpander").filter(has=page.get_by_role("combobox", name=label))
    still = "expander => expander.getAnimations({subtree: true}).length === 0"
    page.wait_for_function(still, arg=filters.element_handle())
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def photos(page: Page, count: int) -> None:
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(f"{count:,}")


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_filter_changes_the_page_and_its_address(page: Page, address: str, ham10000: pd.DataFrame) -> None:
    opened(page, address)
    photos(page, len(ham10000))
    choose(page, "Diagnosis", "Melanoma")
    melanomas = ham10000[ham10000["diagnosis"] == "mel"]
    photos(page, len(melanomas))
    page.wait_for_url("**/dataset?diagnosis=Melanoma")
    page.keyboard.press("Escape")
    page.reload()
    photos(page, len(melanomas))
    page.get_by_role("button", name="Clear filters").click()
    photos(page, len(ham10000))
    page.wait_for_url("**/dataset")


def test_a_link_with_codes_opens_filtered(page: Page, address: str, ham10000: pd.DataFrame) -> None:
    opened(page, address, "?diagnosis=mel&diagnosis=df&sex=female&age=40&age=60&site=nowhere")
    kept = ham10000["diagnosis"].isin(["mel", "df"]) & (ham10000["sex"] == "female") & ham10000["age"].between(40, 60)
    photos(page, int(kept.sum()))
    expect(page.get_by_text("Site 'nowhere'")).to_be_visible()


def test_the_cap_slider_redraws_before_and_after(page: Page, address: str, ham10000: pd.DataFrame) -> None:
    counts = count_classes(ham10000)["photos"]
    opened(page, address)
    expect(
        page.get_by_text(f"{counts.clip(upper=2_000).sum():,} of {counts.sum():,} photos would be kept")
    ).to_be_visible()
    slider = page.get_by_role("slider", name="Maximum photos per class")
    slider.focus()
    slider.press("Home")
    expect(
        page.get_by_text(f"{counts.clip(upper=50).sum():,} of {counts.sum():,} photos would be kept")
    ).to_be_visible()
    expect(page.locator(".js-plotly-plot").nth(2)).to_contain_text("50 of 6,705")


def test_a_bad_csv_names_each_bad_cell_and_the_rest_is_used(page: Page, address: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(BAD)
    opened(page, address)
    page.get_by_role("button", name="Open your own").click()
    page.set_input_files("input[type=file]", tmp_path / "bad.csv")
    photos(page, 2)
    for word in ("old", "alien", "later"):
        expect(page.get_by_test_id("stCaptionContainer").filter(has_text=re.compile(rf"\b{word}\b"))).to_contain_text(
            "in row 1"
        )
    assert fits(page)


def test_the_kept_rows_can_be_taken_away(page: Page, address: str, ham10000: pd.DataFrame) -> None:
    opened(page, address, "?section=Export&diagnosis=Dermatofibroma")
    kept = ham10000[ham10000["diagnosis"] == "df"]
    photos(page, len(kept))
    with page.expect_download() as given:
        page.get_by_role("button", name="CSV").click()
    assert given.value.suggested_filename == "ham10000-filtered.csv"
    back = pd.read_csv(BytesIO(Path(given.value.path()).read_bytes()))
    assert back["image_id"].tolist() == kept["image_id"].tolist()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits(page: Page, address: str, section: str) -> None:
    opened(page, address, f"?section={quote(section)}&table=malignant-vs-benign")
    expect(
        page.get_by_role("button", name=section, exact=True).or_(page.get_by_role("radio", name=section))
    ).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    assert page.get_by_test_id("stException").count() == 0
    assert fits(page)
