import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.files import measure_files

PHOTOS = 30
MARK = -1.0
"""A red that no photo has: put into cached facts, it shows which of them were used and not measured again."""

KILLED = """
import os, signal, sys
from pathlib import Path
from skinapp.datasets.files import measure_files

def progress(done, total):
    if done == 12:
        os.kill(os.getpid(), signal.SIGKILL)

root = Path(sys.argv[1])
measure_files(sorted(root.glob("*.png")), root, progress, root / "cache")
"""


@pytest.fixture
def files(tmp_path: Path, draw_picture: Callable[..., None]) -> list[Path]:
    paths = [tmp_path / f"{number:02}.png" for number in range(PHOTOS)]
    for number, path in enumerate(paths):
        draw_picture(path, number)
    return paths


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def interrupt_after(photos: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == photos:
            raise KeyboardInterrupt

    return progress


def read_lines(cache: Path) -> list[list[object]]:
    """Return the facts cached so far, without a line that was cut off."""
    return [json.loads(line) for line in cache.read_text().splitlines()[1:] if line.endswith("]")]


def mark(cache: Path) -> None:
    """Give every cached photo a red that shows that it was not measured again."""
    first, *others = cache.read_text().splitlines(keepends=True)
    red = json.loads(first).index("red") + 2  # a file's path, size and time stand where the version does
    marked = []
    for line in others:
        facts = json.loads(line) if line.endswith("]\n") else None
        marked.append(json.dumps([*facts[:red], MARK, *facts[red + 1 :]]) + "\n" if facts else line)
    cache.write_text("".join([first, *marked]))


def count_measured_again(files: list[Path], cache: Path) -> int:
    return int((measure_files(files, files[0].parent, facts_cache=cache)["red"] != MARK).sum())


def test_an_interrupted_run_continues(files: list[Path], cache: Path) -> None:
    root = files[0].parent
    with pytest.raises(KeyboardInterrupt):
        measure_files(files, root, interrupt_after(12), cache)
    assert len(read_lines(cache)) == 12
    mark(cache)
    assert count_measured_again(files, cache) == PHOTOS - 12
    assert count_measured_again(files, cache) == PHOTOS - 12  # those are cached too by now, without the mark
    mark(cache)
    assert count_measured_again(files, cache) == 0


def test_it_ends_with_the_same_facts(files: list[Path], cache: Path) -> None:
    root = files[0].parent
    (root / "05.png").write_bytes(b"no picture")
    whole = measure_files(files, root)
    with pytest.raises(KeyboardInterrupt):
        measure_files(files, root, interrupt_after(12), cache)
    pd.testing.assert_frame_equal(measure_files(files, root, facts_cache=cache), whole, check_exact=True)


def test_a_killed_run_continues(files: list[Path], cache: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(files[0].parent)], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(read_lines(cache)) == 12
    mark(cache)
    assert count_measured_again(files, cache) == PHOTOS - 12


def test_progress_counts_cached_photos(files: list[Path], cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure_files(files, files[0].parent, interrupt_after(12), cache)
    seen: list[tuple[int, int]] = []
    measure_files(files, files[0].parent, lambda done, total: seen.append((done, total)), cache)
    assert seen == [(done, PHOTOS) for done in range(1, PHOTOS + 1)]


def test_a_cut_off_line_is_measured_again_and_spoils_no_other(files: list[Path], cache: Path) -> None:
    measure_files(files[:12], files[0].parent, facts_cache=cache)
    mark(cache)
    torn = cache.read_bytes()[:-30]
    cache.write_bytes(torn)
    assert count_measured_again(files, cache) == PHOTOS - 11
    assert len(read_lines(cache)) == PHOTOS
    mark(cache)
    assert count_measured_again(files, cache) == 0


def test_a_photo_that_changed_is_measured_again(
    files: list[Path], cache: Path, draw_picture: Callable[..., None]
) -> None:
    measure_files(files, files[0].parent, facts_cache=cache)
    mark(cache)
    draw_picture(files[3], 99)
    os.utime(files[4], ns=(1, 1))
    assert count_measured_again(files, cache) == 2


def test_facts_of_another_version_are_discarded(files: list[Path], cache: Path) -> None:
    measure_files(files, files[0].parent, facts_cache=cache)
    mark(cache)
    first, _, rest = cache.read_text().partition("\n")
    version, *columns = json.loads(first)
    cache.write_text(f"{json.dumps([version + '.1', *columns])}\n{rest}")
    assert count_measured_again(files, cache) == PHOTOS
    assert len(read_lines(cache)) == PHOTOS


def test_a_photo_that_could_not_be_opened_is_tried_again(
    files: list[Path], cache: Path, draw_picture: Callable[..., None]
) -> None:
    files[3].unlink()
    facts = measure_files(files, files[0].parent, facts_cache=cache)
    assert facts.loc[3, ["sha256", "stored_width", "red"]].isna().all()
    assert len(read_lines(cache)) == PHOTOS - 1
    draw_picture(files[3], 3)
    assert measure_files(files, files[0].parent, facts_cache=cache)["sha256"].notna().all()
