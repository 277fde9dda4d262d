import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from skinapp.inference.triage import HEADLINES


@pytest.fixture
def answered(browser: Browser, address: str, tmp_path: Path) -> Page:
    """Return a page with an answer."""
    photo = tmp_path / "lesion.jpg"
    Image.fromarray(np.random.default_rng(1).integers(60, 200, (120, 160, 3), dtype=np.uint8)).save(photo)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    page.set_input_files("[data-testid=stFileUploader] input[type=file]", photo)
    page.get_by_role("button", name="Assess this part").click()
    expect(page.get_by_text(re.compile("|".join(map(re.escape, HEADLINES.values())))).first).to_be_visible()
    return page


def take(page: Page, name: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return Path(download.value.path()).read_bytes()


def test_the_answer_can_be_taken_away_as_pdf_and_as_json(answered: Page) -> None:
    answered.get_by_text("Take the answer away").click()
    assert take(answered, "PDF, one page").startswith(b"%PDF-")
    content = json.loads(take(answered, "JSON"))
    assert HEADLINES[content["triage"]["category"]] == content["triage"]["headline"]
    expect(answered.get_by_text(content["triage"]["headline"])).to_be_visible()


def test_the_page_with_an_answer_prints_on_one_sheet(answered: Page) -> None:
    answered.emulate_media(media="print")
    expect(answered.get_by_alt_text("The photo as the networks saw it")).to_be_visible()
    for not_of_the_answer in ("lesion.jpg", "Your last answers"):
        expect(answered.get_by_text(not_of_the_answer).filter(visible=True)).to_have_count(0)
    expect(answered.get_by_role("button")).to_have_count(0)
    answered.emulate_media(media="screen")
    printed = answered.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b(?!s)", printed)) == 1


def test_the_answer_links_to_its_types_and_is_there_when_the_reader_comes_back(answered: Page) -> None:
    answered.get_by_role("link", name="What these types are").click()
    expect(answered.get_by_text("The types that the link names come first.")).to_be_visible()
    named = re.findall(r"type=(\w+)", answered.url)
    assert len(named) >= 3
    headings = answered.locator("h3")
    for place, code in enumerate(named):
        expect(headings.nth(place)).to_contain_text(f"({code})")
    answered.get_by_role("link", name="Classify").click()
    expect(answered.get_by_alt_text("The photo as the networks saw it")).to_be_visible()
