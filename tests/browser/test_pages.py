import pytest
from playwright.sync_api import Page, expect


@pytest.mark.parametrize(
    ("path", "heading", "charts"),
    [("types", "Lesion types", 0), ("dataset", "Dataset", 3), ("evaluation", "Evaluation", 0)],
)
def test_page_opens_and_fits(page: Page, address: str, path: str, heading: str, charts: int) -> None:
    page.goto(address + path)
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(charts)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
