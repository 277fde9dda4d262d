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


def test_a_link_to_a_page_of_a_fresh_server_has_navigation_and_notice(browser: Browser, fresh_address: str) -> None:
    page = browser.new_page()
    page.goto(fresh_address + "dataset")
    expect(page.get_by_role("heading", name="Dataset", exact=True)).to_be_visible()
    expect(page.get_by_text(NOTICE)).to_be_visible()
    expect(page.get_by_role("link", name="Evaluation")).to_be_visible()
    page.close()
