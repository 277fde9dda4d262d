from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from skinapp.inference.triage import ALWAYS

Cuttable = Callable[[], AbstractContextManager[tuple[str, Callable[[bool], None]]]]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(60, 200, (120, 160, 3), dtype=np.uint8)
    file = tmp_path / "lesion.jpg"
    Image.fromarray(pixels).save(file)
    return file


def donuts(page: Page, count: int) -> None:
    expect(page.locator(".js-plotly-plot")).to_have_count(count)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_upload_is_answered_with_two_donuts_and_the_notice(page: Page, photo: Path) -> None:
    page.set_input_files("input[type=file]", photo)
    donuts(page, 2)
    expect(page.get_by_text("Model score, not the chance of cancer.")).to_be_visible()
    expect(page.get_by_text("Not a diagnosis and not a medical device.").first).to_be_visible()
    expect(page.get_by_alt_text("The photo as the networks saw it")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_contain_text("malignant")
    assert fits(page)


def test_donuts_stand_side_by_side_or_one_under_the_other(page: Page, photo: Path) -> None:
    page.set_input_files("input[type=file]", photo)
    donuts(page, 2)
    first, second = (page.locator(".js-plotly-plot").nth(place).bounding_box() for place in (0, 1))
    assert first
    assert second
    phone = (page.viewport_size or {"width": 0})["width"] < 500
    assert (second["y"] > first["y"] + first["height"] / 2) is phone


def test_photo_and_verdict_are_inside_one_screen_before_the_donuts(page: Page, photo: Path) -> None:
    page.set_input_files("input[type=file]", photo)
    donuts(page, 2)
    page.locator(".st-key-answer").scroll_into_view_if_needed()
    seen = page.get_by_alt_text("The photo as the networks saw it").bounding_box()
    headline = page.locator("[class*=st-key-verdict-] h3").bounding_box()
    words = page.locator("[class*=st-key-verdict-]").bounding_box()
    always = page.get_by_text(ALWAYS).bounding_box()
    first = page.locator(".js-plotly-plot").first.bounding_box()
    assert seen
    assert headline
    assert words
    assert always
    assert first
    assert seen["x"] + seen["width"] <= headline["x"]  # beside each other, on a phone too
    height = (page.viewport_size or {"height": 0})["height"]
    assert max(seen["y"] + seen["height"], words["y"] + words["height"]) - seen["y"] < height
    assert always["y"] + always["height"] <= first["y"]


def test_start_over_clears_photo_and_answer(page: Page, photo: Path) -> None:
    page.set_input_files("input[type=file]", photo)
    donuts(page, 2)
    page.get_by_role("button", name="Start over").click()
    donuts(page, 0)
    expect(page.get_by_text("lesion.jpg")).to_have_count(0)
    expect(page.get_by_text("Dermoscopy only:")).to_be_visible()


def test_the_answer_outlives_a_visit_to_another_page(browser: Browser, address: str, photo: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    page.set_input_files("input[type=file]", photo)
    donuts(page, 2)
    score = page.get_by_text("malignant").first.text_content()
    page.get_by_role("link", name="Lesion types").click()
    donuts(page, 0)
    page.get_by_role("link", name="Classify").click()
    donuts(page, 2)
    expect(page.get_by_alt_text("The photo as the networks saw it")).to_be_visible()
    assert page.get_by_text("malignant").first.text_content() == score
    page.close()


def test_a_photo_chosen_while_the_connection_is_down_comes_when_it_is_back(
    browser: Browser, photo: Path, cuttable: Cuttable
) -> None:
    page = browser.new_page()
    said = page.get_by_text("The connection is down. lesion.jpg will be uploaded when it is back.")
    with cuttable() as (through, switch):
        page.goto(through)
        page.wait_for_selector("input[type=file]", state="attached")
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        switch(False)
        expect(page.locator("input[type=file]")).to_be_disabled()  # the browser's file dialog may be open already
        page.set_input_files("input[type=file]", photo)
        expect(said).to_be_visible()
        donuts(page, 0)
        switch(True)
        donuts(page, 2)
        expect(said).to_be_hidden()
        page.close()


def test_broken_file_gets_a_sentence_and_the_next_photo_an_answer(page: Page, photo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photo.read_bytes()[:400])
    page.set_input_files("input[type=file]", broken)
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    donuts(page, 0)
    page.set_input_files("input[type=file]", photo)
    donuts(page, 2)


def test_camera_takes_a_photo(page: Page) -> None:
    page.get_by_role("radio", name="Camera").or_(page.get_by_role("button", name="Camera", exact=True)).first.click()
    # The button is there before the camera is; a press before its first frame takes nothing.
    page.wait_for_function("(document.querySelector('video')?.readyState ?? 0) >= 2")
    page.get_by_role("button", name="Take Photo").click()
    donuts(page, 2)


def test_example_without_its_folder_gets_one_sentence(page: Page) -> None:
    page.get_by_role("radio", name="Example").or_(page.get_by_role("button", name="Example", exact=True)).first.click()
    page.get_by_role("combobox", name="Example").click()
    page.get_by_role("option", name="Photo 1 of 32").click()
    expect(page.get_by_test_id("stAlert").first).to_contain_text("SKINAPP_EXAMPLES")
    donuts(page, 0)
