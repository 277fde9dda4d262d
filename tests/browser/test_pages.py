from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from skinapp.notice import NOTICE


@pytest.mark.parametrize(
    ("path", "heading", "charts"),
    [("types", "Lesion types", 0), ("dataset", "Dataset", 3), ("evaluation", "Evaluation", 0), ("models", "Models", 0)],
)
def test_page_opens_and_fits(page: Page, address: str, path: str, heading: str, charts: int) -> None:
    page.goto(address + path)
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(charts)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("?from=letter", "Classify a lesion"),
        ("types?from=letter", "Lesion types"),
        ("dataset?section=Sizes", "Dataset"),
        ("evaluation?section=Classes", "Evaluation"),
        ("models?model=malignancy", "Models"),
        ("story?from=letter", "How skewed data fools a score"),
    ],
)
def test_any_page_may_be_the_first_that_a_fresh_server_shows(
    browser: Browser, fresh_addresses: Iterator[str], address: str, heading: str
) -> None:
    """Streamlit would run a script of pages/ by itself until the entry script has registered the pages."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    opened = next(fresh_addresses) + address
    page.goto(opened)
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_text(NOTICE)).to_be_visible()
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(6)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.url == opened
    page.close()


def test_an_unknown_address_gets_a_sentence_and_the_way_home(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    for unknown in ("models/lesion", "foo", "foo/bar/"):
        answer = page.goto(address + unknown)
        assert answer
        assert answer.status == 404
        expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.get_by_role("link", name="Models").evaluate("link => link.href") == f"{address}models"
        assert page.get_by_role("link", name="Classify").evaluate("link => link.href") == address
    page.close()


def test_addresses_that_mean_a_page_open_it(browser: Browser, address: str) -> None:
    page = browser.new_page()
    for written, meant in (("Types", "types"), ("types/", "types"), ("Classify?from=letter", "?from=letter")):
        page.goto(address + written)
        assert page.url == address + meant
    page.close()
