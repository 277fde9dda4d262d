from base64 import b64encode
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


def choose(page: Page, *files: Path) -> None:
    """Put files into the uploader."""
    page.set_input_files("[data-testid=stFileUploader] input[type=file]", list(files))


def assess(page: Page) -> None:
    """Have the framed part assessed, and wait for the answer."""
    page.get_by_role("button", name="Assess this part").click()
    donuts(page, 2)


def answer(page: Page, photo: Path) -> None:
    """Upload a photo and have the part assessed that is proposed."""
    choose(page, photo)
    assess(page)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_upload_is_answered_with_two_donuts_and_the_notice(page: Page, photo: Path) -> None:
    answer(page, photo)
    expect(page.get_by_text("Model score, not the chance of cancer.")).to_be_visible()
    expect(page.get_by_text("Not a diagnosis and not a medical device.").first).to_be_visible()
    expect(page.get_by_alt_text("The photo as the networks saw it")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_contain_text("malignant")
    assert fits(page)


def test_donuts_stand_side_by_side_or_one_under_the_other(page: Page, photo: Path) -> None:
    answer(page, photo)
    first, second = (page.locator(".js-plotly-plot").nth(place).bounding_box() for place in (0, 1))
    assert first
    assert second
    phone = (page.viewport_size or {"width": 0})["width"] < 500
    assert (second["y"] > first["y"] + first["height"] / 2) is phone


def test_photo_verdict_and_advice_are_inside_the_first_screen(page: Page, photo: Path) -> None:
    answer(page, photo)
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 50")
    height = (page.viewport_size or {"height": 0})["height"]
    view = page.get_by_alt_text("The photo as the networks saw it")
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=view.element_handle())
    seen = view.bounding_box()
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
    assert min(seen["y"], words["y"]) >= 0
    assert max(box["y"] + box["height"] for box in (seen, words)) <= height
    assert always["y"] + always["height"] <= first["y"]


def test_forget_all_clears_photo_and_answers(page: Page, photo: Path) -> None:
    answer(page, photo)
    page.get_by_role("button", name="Forget all").click()
    donuts(page, 0)
    expect(page.get_by_text("lesion.jpg")).to_have_count(0)
    expect(page.get_by_text("Dermoscopy only:")).to_be_visible()


def test_the_page_moves_to_the_answer(page: Page, photo: Path) -> None:
    answer(page, photo)
    row = page.get_by_role("button", name="New photo")
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 50")
    expect(row).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Classify a lesion")).not_to_be_in_viewport()


def get_frame(page: Page) -> dict[str, float]:
    box = page.get_by_role("group", name="Frame around the lesion").bounding_box()
    assert box
    return {name: round(length) for name, length in box.items()}


def test_the_frame_is_moved_and_zoomed_by_keys_alone(page: Page, photo: Path) -> None:
    choose(page, photo)
    frame = page.get_by_role("group", name="Frame around the lesion")
    expect(frame).to_be_focused()
    page.keyboard.press("0")
    whole = get_frame(page)
    for _ in range(4):
        page.keyboard.press("+")
    zoomed = get_frame(page)
    assert zoomed["width"] == zoomed["height"] < whole["width"] - 20
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    moved = get_frame(page)
    assert moved["x"] < zoomed["x"]
    assert moved["y"] > zoomed["y"]
    assert moved["width"] == zoomed["width"]
    page.keyboard.press("Enter")
    donuts(page, 2)
    expect(page.get_by_role("region", name="The answer")).to_be_focused()


def test_the_frame_is_dragged_within_the_photo(page: Page, photo: Path) -> None:
    choose(page, photo)
    frame = page.get_by_role("group", name="Frame around the lesion")
    expect(frame).to_be_focused()
    for _ in range(6):
        page.keyboard.press("+")
    before, photo_box = get_frame(page), page.get_by_alt_text("The whole photo").bounding_box()
    assert photo_box
    page.mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    page.mouse.down()
    page.mouse.move(before["x"] + 2_000, before["y"] + before["height"] / 2 + 8, steps=4)
    page.mouse.up()
    after = get_frame(page)
    assert after["x"] + after["width"] == pytest.approx(photo_box["x"] + photo_box["width"], abs=2)
    assert after["y"] == pytest.approx(before["y"] + 8, abs=2)
    page.get_by_role("button", name="Whole photo").click()
    assert get_frame(page)["height"] == pytest.approx(photo_box["height"], abs=2)


def test_a_pasted_picture_is_framed_also_while_an_answer_is_open(page: Page, photo: Path) -> None:
    answer(page, photo)
    page.evaluate(
        """async (data) => {
            const blob = await (await fetch(data)).blob();
            const carried = new DataTransfer();
            carried.items.add(new File([blob], "pasted.jpg", { type: "image/jpeg" }));
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
        }""",
        "data:image/jpeg;base64," + b64encode(photo.read_bytes()).decode(),
    )
    expect(page.get_by_role("group", name="Frame around the lesion")).to_be_focused()
    assess(page)
    expect(page.get_by_text("Upload · pasted.jpg")).to_be_visible()


def test_the_frame_of_an_answer_is_changed_without_choosing_the_photo_again(page: Page, photo: Path) -> None:
    choose(page, photo)
    expect(page.get_by_role("group", name="Frame around the lesion")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("+")
    before = get_frame(page)
    assess(page)
    page.get_by_role("button", name="Change the frame").click()
    expect(page.get_by_role("group", name="Frame around the lesion")).to_be_focused()
    assert get_frame(page)["width"] == pytest.approx(before["width"], abs=2)


def test_several_photos_are_framed_and_answered_together(page: Page, photo: Path, tmp_path: Path) -> None:
    others = [tmp_path / f"{name}.jpg" for name in ("second", "third")]
    for number, other in enumerate(others, start=2):
        Image.fromarray(np.random.default_rng(number).integers(60, 200, (120, 160, 3), dtype=np.uint8)).save(other)
    choose(page, photo, *others)
    expect(page.get_by_role("button", name="Assess all 3")).to_be_visible()
    page.get_by_role("button", name="second.jpg", exact=True).click()
    page.get_by_role("button", name="Keep this frame").click()
    page.get_by_role("button", name="Assess all 3").click()
    expect(page.get_by_role("heading", name="Your last answers")).to_be_visible()
    expect(page.get_by_role("button", name="third.jpg")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="third.jpg").click()
    donuts(page, 2)


def test_the_answer_outlives_a_visit_to_another_page(browser: Browser, address: str, photo: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    answer(page, photo)
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
        switch(True)
        assess(page)
        expect(said).to_be_hidden()
        page.close()


def test_broken_file_gets_a_sentence_and_the_next_photo_an_answer(page: Page, photo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photo.read_bytes()[:400])
    choose(page, broken)
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    donuts(page, 0)
    answer(page, photo)


def test_camera_takes_a_photo(page: Page) -> None:
    page.get_by_role("radio", name="Camera").or_(page.get_by_role("button", name="Camera", exact=True)).first.click()
    # The button is there before the camera is; a press before its first frame takes nothing.
    page.wait_for_function("(document.querySelector('video')?.readyState ?? 0) >= 2")
    page.get_by_role("button", name="Take Photo").click()
    assess(page)


def test_example_without_its_folder_gets_one_sentence(page: Page) -> None:
    page.get_by_role("radio", name="Example").or_(page.get_by_role("button", name="Example", exact=True)).first.click()
    page.get_by_role("button", name="1", exact=True).last.click()
    expect(page.get_by_test_id("stAlert").first).to_contain_text("cannot be loaded at the moment")
    donuts(page, 0)
