"""Twenty visitors at once, each answer compared with `skinapp classify` on the same photo.

Run as `python -m benchmarks.visitors --seconds 180`; needs Linux (it reads /proc) and a Chromium.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import Browser, Error, Page, async_playwright, expect

from benchmarks.memory import read_memory_mb
from benchmarks.served import ADDRESS, serve
from skinapp.taxonomy import get_class_name
from skinapp.ui.classify.answer import SCORES, SHOW_ANYWAY

PHOTOS = 40
FORMATS = (("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF"), ("bmp", "BMP"))
WAIT_MS = 180_000
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}  # as `make run` sets them

Shown = dict[str, str]
"""What the page shows of an answer: each class by name, with its score."""


@dataclass
class Tally:
    """How many answers were right, and what went wrong."""

    elapsed_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def make_photos(folder: Path) -> list[Path]:
    """Write photos that networks answer differently, of several formats and sizes."""
    photos = []
    for seed in range(PHOTOS):
        suffix, name = FORMATS[seed % len(FORMATS)]
        photos.append(folder / f"photo_{seed:02}.{suffix}")
        draw_lesion(np.random.default_rng(seed)).save(photos[-1], name)
    return photos


def draw_lesion(random: np.random.Generator) -> Image.Image:
    """Draw skin with a few blots on it, each of a random colour, place and size."""
    width, height = (int(side) for side in random.integers(300, 1_600, 2))
    picture = Image.new("RGB", (width, height), tuple(random.integers((150, 90, 70), (256, 210, 190)).tolist()))
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 9)):
        x, y, reach = random.uniform(0.2, 0.8) * width, random.uniform(0.2, 0.8) * height, random.uniform(0.03, 0.4)
        box = (x - reach * width, y - reach * height, x + reach * width, y + reach * height)
        draw.ellipse(box, tuple(random.integers(0, 256, 3).tolist()))
    picture = picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 12))))
    grain = random.normal(0, random.uniform(0, 40), (height, width, 3))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8))


def classify(photos: list[Path]) -> dict[str, Shown]:
    """Answer photos on the command line; return what a page should show of each, by file name."""
    command = [str(Path(sys.executable).parent / "skinapp"), "classify", "--format", "json", *map(str, photos)]
    done = subprocess.run(command, capture_output=True, check=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return {Path(answer["file"]).name: _format(answer) for answer in answers}


def _format(answer: dict[str, Any]) -> Shown:
    scores = {**answer["models"]["malignancy"], **answer["models"]["lesion_type"]}
    return {get_class_name(label).lower(): f"{score:.1%}" for label, score in scores.items()}


async def come(browser: Browser) -> Page:
    """Open the page as a new visitor, and wait until a photo can be chosen."""
    page = await (await browser.new_context()).new_page()
    await page.goto(ADDRESS, timeout=WAIT_MS)
    await page.wait_for_selector("input[type=file]", state="attached", timeout=WAIT_MS)
    return page


async def visit(page: Page, photos: list[Path], expected: dict[str, Shown], until: float, tally: Tally) -> None:
    """Ask one photo after the other as one visitor, until the time is up."""
    for photo in photos:
        if time.monotonic() > until:
            return
        try:
            started = time.monotonic()
            shown = await ask(page, photo)
            tally.elapsed_s.append(time.monotonic() - started)
        except (Error, AssertionError) as error:
            tally.failed.append(f"{photo.name}: {error}")
            return
        if shown != expected[photo.name]:
            tally.wrong.append(f"{photo.name}: {shown} for {expected[photo.name]}")


async def ask(page: Page, photo: Path) -> Shown:
    """Upload a photo, have the whole of it assessed, read both tables of its answer, and forget it."""
    await page.set_input_files("input[type=file]", photo, timeout=WAIT_MS)
    await page.get_by_role("button", name="Whole photo").click(timeout=WAIT_MS)
    await page.get_by_role("button", name="Assess this part").click(timeout=WAIT_MS)
    folded, anyway = page.get_by_text(SCORES), page.get_by_text(SHOW_ANYWAY)
    await expect(folded.or_(anyway)).to_be_visible(timeout=WAIT_MS)
    if await anyway.count():  # the gate takes a drawn picture for what it is
        await anyway.click(timeout=WAIT_MS)
    await folded.click(timeout=WAIT_MS)
    tables = page.get_by_test_id("stTable")
    await expect(tables).to_have_count(2, timeout=WAIT_MS)
    cells = await tables.evaluate_all(
        "all => all.flatMap(t => [...t.querySelectorAll('th,td')].map(c => c.textContent))"
    )
    await page.get_by_role("button", name="Forget all").click(timeout=WAIT_MS)
    await expect(tables).to_have_count(0, timeout=WAIT_MS)
    pairs = [(name.strip(), score.strip()) for name, score in pairwise(cells) if "%" in score]
    return {name.split(" (")[0].lower(): score for name, score in pairs}


async def visit_at_once(visitors: int, seconds: float, photos: list[Path], expected: dict[str, Shown]) -> Tally:
    """Let visitors come at once, each with the photos in an order of its own."""
    tally = Tally()
    async with async_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        pages = await asyncio.gather(*(come(browser) for _ in range(visitors)))
        until = time.monotonic() + seconds
        asking = []
        for number, page in enumerate(pages):
            order = list(np.random.default_rng(number).permutation(len(photos))) * 50
            asking.append(visit(page, [photos[place] for place in order], expected, until, tally))
        await asyncio.gather(*asking)
        await browser.close()
    return tally


def main(
    seconds: Annotated[float, typer.Option(help="How long the visitors ask.")] = 60,
    visitors: Annotated[int, typer.Option(help="How many come at once.")] = 20,
) -> None:
    """Let visitors ask at once and print how many answers were as those of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        photos = make_photos(Path(folder))
        expected = classify(photos)
        photos = list({tuple(expected[photo.name].items()): photo for photo in photos}.values())  # no two look alike
        with serve(MALLOC) as pid:
            tally = asyncio.run(visit_at_once(visitors, seconds, photos, expected))
            peak, now = read_memory_mb(pid, "VmHWM"), read_memory_mb(pid, "VmRSS")
    answered = len(tally.elapsed_s)
    print(f"{visitors} visitors, {seconds:g} s, {len(photos)} photos: {answered} answers")
    print(f"not as on the command line: {len(tally.wrong)}")
    print(f"visitors who could not go on: {len(tally.failed)}")
    if answered:
        print(f"from choosing a photo to starting over: median {median(tally.elapsed_s):.1f} s")
    print(f"server: peak {peak:.0f} MB, at the end {now:.0f} MB")
    for line in (*tally.wrong[:5], *tally.failed[:5]):
        print(line)
    if tally.wrong or tally.failed or not answered:
        raise SystemExit(1)


if __name__ == "__main__":
    typer.run(main)
