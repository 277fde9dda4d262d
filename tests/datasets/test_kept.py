import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.files import file_facts

PHOTOS = 30
MARK = -1.0
"""A red that no photo has: put into facts that were kept, it shows which of them were taken and not measured anew."""

KILLED = """
import os, signal, sys
from pathlib import Path
from skinapp.datasets.files import file_facts

def progress(done, total):
    if done == 12:
        os.kill(os.getpid(), signal.SIGKILL)

root = Path(sys.argv[1])
file_facts(sorted(root.glob("*.png")), root, progress, root / "kept")
"""


@pytest.fixture
def files(tmp_path: Path, draw_picture: Callable[..., None]) -> list[Path]:
    paths = [tmp_path / f"{number:02}.png" for number in range(PHOTOS)]
    for number, path in enumerate(paths):
        draw_picture(path, number)
    return paths


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def break_off_after(photos: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == photos:
            raise KeyboardInterrupt

    return progress


def lines_of(kept: Path) -> list[list[object]]:
    """Return the facts kept so far: a line that is not whole is none."""
    return [json.loads(line) for line in kept.read_text().splitlines()[1:] if line.endswith("]")]


def mark(kept: Path) -> None:
    """Give every kept photo the red that shows that it was not measured anew."""
    first, *others = kept.read_text().splitlines(keepends=True)
    red = json.loads(first).index("red") + 2  # a file's path, size and time stand where the version does
    marked = []
    for line in others:
        facts = json.loads(line) if line.endswith("]\n") else None
        marked.append(json.dumps([*facts[:red], MARK, *facts[red + 1 :]]) + "\n" if facts else line)
    kept.write_text("".join([first, *marked]))


def measured_anew(files: list[Path], kept: Path) -> int:
    return int((file_facts(files, files[0].parent, kept=kept)["red"] != MARK).sum())


def test_a_run_that_was_broken_off_goes_on(files: list[Path], kept: Path) -> None:
    root = files[0].parent
    with pytest.raises(KeyboardInterrupt):
        file_facts(files, root, break_off_after(12), kept)
    assert len(lines_of(kept)) == 12
    mark(kept)
    assert measured_anew(files, kept) == PHOTOS - 12
    assert measured_anew(files, kept) == PHOTOS - 12  # those are kept as well by now, and unmarked
    mark(kept)
    assert measured_anew(files, kept) == 0


def test_it_ends_with_the_same_facts(files: list[Path], kept: Path) -> None:
    root = files[0].parent
    (root / "05.png").write_bytes(b"no picture")
    whole = file_facts(files, root)
    with pytest.raises(KeyboardInterrupt):
        file_facts(files, root, break_off_after(12), kept)
    pd.testing.assert_frame_equal(file_facts(files, root, kept=kept), whole, check_exact=True)


def test_a_run_that_was_killed_goes_on(files: list[Path], kept: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(files[0].parent)], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(lines_of(kept)) == 12
    mark(kept)
    assert measured_anew(files, kept) == PHOTOS - 12


def test_progress_counts_what_was_kept(files: list[Path], kept: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        file_facts(files, files[0].parent, break_off_after(12), kept)
    seen: list[tuple[int, int]] = []
    file_facts(files, files[0].parent, lambda done, total: seen.append((done, total)), kept)
    assert seen == [(done, PHOTOS) for done in range(1, PHOTOS + 1)]


def test_a_torn_line_is_measured_again_and_spoils_no_other(files: list[Path], kept: Path) -> None:
    file_facts(files[:12], files[0].parent, kept=kept)
    mark(kept)
    torn = kept.read_bytes()[:-30]
    kept.write_bytes(torn)
    assert measured_anew(files, kept) == PHOTOS - 11
    assert len(lines_of(kept)) == PHOTOS
    mark(kept)
    assert measured_anew(files, kept) == 0


def test_a_photo_that_changed_is_measured_again(
    files: list[Path], kept: Path, draw_picture: Callable[..., None]
) -> None:
    file_facts(files, files[0].parent, kept=kept)
    mark(kept)
    draw_picture(files[3], 99)
    os.utime(files[4], ns=(1, 1))
    assert measured_anew(files, kept) == 2


def test_facts_of_another_version_are_thrown_away(files: list[Path], kept: Path) -> None:
    file_facts(files, files[0].parent, kept=kept)
    mark(kept)
    first, _, rest = kept.read_text().partition("\n")
    version, *columns = json.loads(first)
    kept.write_text(f"{json.dumps([version + '.1', *columns])}\n{rest}")
    assert measured_anew(files, kept) == PHOTOS
    assert len(lines_of(kept)) == PHOTOS


def test_a_photo_that_could_not_be_opened_is_tried_again(
    files: list[Path], kept: Path, draw_picture: Callable[..., None]
) -> None:
    files[3].unlink()
    facts = file_facts(files, files[0].parent, kept=kept)
    assert facts.loc[3, ["sha256", "stored_width", "red"]].isna().all()
    assert len(lines_of(kept)) == PHOTOS - 1
    draw_picture(files[3], 3)
    assert file_facts(files, files[0].parent, kept=kept)["sha256"].notna().all()
