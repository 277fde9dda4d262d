from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from skinapp.runs.stored import load_run
from skinapp.runs.summary import count_confusion
from skinapp.ui.evaluation.page import SECTIONS
from skinapp.ui.loaders import PROBES

RUN = "shortcut-probe%20%C2%B7%20ham10000"  # a run that ships whatever models do
OWN = "truth,p_cat,p_dog\n" + "\n".join(f"{'cat' if n % 3 else 'dog'},0.7,0.3" for n in range(90))


def at_rest(page: Page) -> Page:
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return page


def test_a_click_on_a_cell_lists_its_photos(page: Page, address: str) -> None:
    page.goto(f"{address}evaluation?run={RUN}&section=Confusion")
    at_rest(page)
    counts = count_confusion(load_run(PROBES / "runs" / "ham10000"))
    truth, prediction = next(
        (row, column) for row in counts.index for column in counts.columns if row != column and counts.loc[row, column]
    )
    number = f"{counts.loc[truth, prediction]:,}"
    page.get_by_text("Click a cell to see its photos.").wait_for()
    page.locator(".js-plotly-plot text", has_text=number).first.wait_for()
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    side = len(counts) + 1  # the sums have a row and a column
    column, row = counts.columns.get_loc(prediction), counts.index.get_loc(truth)
    x, y = box["x"] + box["width"] * (column + 0.5) / side, box["y"] + box["height"] * (row + 0.5) / side
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.locator(".js-plotly-plot .hoverlayer .hovertext").first.wait_for()  # Plotly clicks what it hovers over
    page.mouse.click(x, y)
    expect(page.get_by_role("heading", name=", answered ")).to_be_visible()


def test_the_address_carries_run_and_section(page: Page, address: str) -> None:
    page.goto(f"{address}evaluation?run={RUN}&section=Classes")
    at_rest(page)
    expect(page.get_by_role("combobox", name="Stored run")).to_have_value("shortcut-probe · ham10000")
    page.get_by_role("radio", name="Threshold", exact=True).click()
    page.wait_for_url("**section=Threshold*")
    page.reload()
    expect(page.get_by_text("Among 1,000 such people")).to_be_visible()


def test_own_predictions_are_opened(page: Page, address: str, tmp_path: Path) -> None:
    file = tmp_path / "pets.csv"
    file.write_text(OWN)
    page.goto(f"{address}evaluation")
    at_rest(page)
    page.get_by_role("button", name="Open your own").click()
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("90")
    expect(page.get_by_test_id("stMetricDelta").nth(1)).to_contain_text(" to ")  # its interval has been drawn
    expect(page.get_by_role("heading", name="Most confused").last).to_be_visible()  # the page may still hold an old one


def test_predictions_of_56_mb_are_opened(browser: Browser, address: str, tmp_path: Path) -> None:
    digits, rows = 600, 48_000
    file = tmp_path / "many.csv"
    file.write_text("truth,p_cat,p_dog\n" + f"cat,0.7{'0' * digits},0.3{'0' * digits}\n" * rows)
    assert file.stat().st_size > 56e6
    page = browser.new_page()
    page.goto(f"{address}evaluation?run={RUN}")
    at_rest(page).get_by_role("button", name="Open your own").click()
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(f"{rows:,}")
    page.close()


def test_every_section_opens_and_fits(page: Page, address: str) -> None:
    page.goto(f"{address}evaluation?run={RUN}")
    for section in SECTIONS:
        at_rest(page).get_by_role("radio", name=section, exact=True).click()
        page.wait_for_url(f"**section={section}*" if section != "Errors" else "**/evaluation*")
        at_rest(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), section
        assert page.get_by_test_id("stException").count() == 0, section
