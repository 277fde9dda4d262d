"""Peak memory of the running app after ten photos, and the time from its start to the first answer.

Run as `python -m benchmarks.memory`; needs Linux (it reads /proc) and a Chromium.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.served import ADDRESS, open_page, serve

IMPORTS = """
import streamlit.web.bootstrap, streamlit.runtime.scriptrunner, time
import skinapp.inference.assessor, skinapp.ui.classify.answer, skinapp.ui.evaluation.widgets, skinapp.ui.types
import skinapp.charts.confusion, skinapp.charts.scores, skinapp.charts.distribution, skinapp.charts.sizes
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def draw_scene(width: int, height: int) -> Image.Image:
    """Draw a smooth picture with some grain, which compresses about as well as a photo."""
    coarse = np.random.default_rng(width).integers(90, 200, (40, 50, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def make_photos(folder: Path) -> list[Path]:
    """Write ten photos: a 12-MP JPEG, a 48-MP PNG, a 16-bit TIFF and seven ordinary ones."""
    photos = [folder / f"small_{number}.jpg" for number in range(7)]
    for number, path in enumerate(photos):
        draw_scene(600 + number, 450).save(path)
    jpeg, png, tiff = folder / "12mp.jpg", folder / "48mp.png", folder / "16bit.tif"
    draw_scene(4000, 3000).save(jpeg, quality=92)
    draw_scene(8000, 6000).save(png, compress_level=1)
    grey = np.asarray(draw_scene(2000, 1500).convert("L"), dtype=np.uint16) * 257
    Image.fromarray(grey).save(tiff)
    return [photos[0], jpeg, png, tiff, *photos[1:]]


def read_memory_mb(pid: int, field: str) -> float:
    """Read a process's memory (VmHWM: the peak, VmRSS: now), in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def main() -> None:
    """Start the app, upload ten photos, print the figures."""
    bare = int(subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, check=True).stdout) / 1024
    with tempfile.TemporaryDirectory() as folder, open_page() as page:
        photos = make_photos(Path(folder))
        started = time.monotonic()
        with serve({}) as pid:
            page.goto(ADDRESS)
            page.wait_for_selector("input[type=file]", state="attached", timeout=120_000)
            print(f"page open, no photo yet: {read_memory_mb(pid, 'VmRSS'):.0f} MB")
            for number, photo in enumerate(photos, start=1):
                upload(page, photo)
                if number == 1:
                    print(f"from `streamlit run` to the first answer: {time.monotonic() - started:.1f} s")
                peak, now = read_memory_mb(pid, "VmHWM"), read_memory_mb(pid, "VmRSS")
                print(f"{photo.name}: peak {peak:.0f} MB, now {now:.0f} MB")
    print(f"bare imports {bare:.0f} MB; after {len(photos)} photos at most {peak:.0f} MB, {peak - bare:.0f} more")


def upload(page: Page, photo: Path) -> None:
    """Upload one photo, wait for its answer, and forget it."""
    page.set_input_files("input[type=file]", photo)
    page.get_by_role("button", name="Assess this part").click(timeout=120_000)
    expect(page.get_by_role("button", name="New photo")).to_be_visible(timeout=120_000)
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Forget all").click()
    expect(page.get_by_role("button", name="New photo")).to_have_count(0, timeout=60_000)


if __name__ == "__main__":
    main()
