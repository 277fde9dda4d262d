"""What is left of a visitor's photo in the server's memory, looked for byte by byte.

Run as `python -m benchmarks.traces`; needs Linux (it reads /proc) and a Chromium.
"""

import os
import struct
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from benchmarks.memory import draw_scene
from benchmarks.served import ADDRESS, open_page, serve

MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}  # as `make run` sets them
MARK_BYTES, SEGMENT_BYTES = 32, 60_000


def write_marked_photo(path: Path, segments: int) -> bytes:
    """Write a JPEG with a random mark in each of its comment segments, and return the mark."""
    draw_scene(600, 450).save(path, quality=92)
    data, mark = path.read_bytes(), os.urandom(MARK_BYTES)
    rest = os.urandom(SEGMENT_BYTES - MARK_BYTES)
    comment = b"\xff\xfe" + struct.pack(">H", SEGMENT_BYTES + 2) + mark + rest
    path.write_bytes(data[:2] + segments * comment + data[2:])
    return mark


def count_marks(pid: int, mark: bytes) -> int:
    """Count how often a process has a mark in its memory."""
    count = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            extent, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            first, last = (int(part, 16) for part in extent.split("-"))
            try:
                memory.seek(first)
                count += memory.read(last - first).count(mark)
            except (OSError, ValueError, OverflowError):  # gone meanwhile, or the kernel's own
                continue
    return count


def upload(page: Page, photo: Path) -> None:
    """Upload one photo and wait for its answer."""
    if (again := page.get_by_role("button", name="New photo")).is_visible():
        again.click()
    page.set_input_files("input[type=file]", photo)
    page.get_by_role("button", name="Assess this part").click(timeout=120_000)
    expect(page.get_by_role("button", name="New photo")).to_be_visible(timeout=120_000)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)


def main() -> None:
    """Upload photos, start over, leave, and print what is left of each."""
    with tempfile.TemporaryDirectory() as folder, open_page() as page, serve(MALLOC) as pid:
        page.goto(ADDRESS)
        page.wait_for_selector("input[type=file]", state="attached", timeout=120_000)
        for segments in (1, 5, 60):
            photo, second = Path(folder) / f"first_{segments}.jpg", Path(folder) / f"second_{segments}.jpg"
            mark, other = write_marked_photo(photo, segments), write_marked_photo(second, segments)
            upload(page, photo)
            print(f"{photo.stat().st_size / 2**20:.2f} MB, {segments} marks; found in the server's memory:")
            print(f"  answered: {count_marks(pid, mark)}")
            upload(page, second)
            print(f"  a second photo answered: {count_marks(pid, mark)}; of the second {count_marks(pid, other)}")
            page.get_by_role("button", name="Forget all").click()
            expect(page.get_by_role("button", name="New photo")).to_have_count(0, timeout=60_000)
            time.sleep(1)
            print(f"  all forgotten: {count_marks(pid, mark)}; of the second {count_marks(pid, other)}")
        upload(page, photo)
        page.close()
        time.sleep(2)
        print(f"  2 s after the tab was closed: {count_marks(pid, mark)}")


if __name__ == "__main__":
    main()
