"""Facts of files kept aside while a data set is measured, so that a run that was broken off goes on where it stopped.

A text file beside the table to be: what made it on the first line, then a line of JSON for each file that was measured,
written at once. A line that was torn when the run was killed is not read, and its file is measured again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import skinapp

FileState = tuple[str, int, int]
"""A file's absolute path, its size in bytes and when it was last written, in nanoseconds: as long as all three stand,
so do the facts."""

Facts = Mapping[str, object]


def file_state(file: Path) -> FileState:
    """Return what tells whether a file is still the one that was measured; zeros where it is not there any more."""
    try:
        found = file.stat()
    except OSError:
        return str(file.absolute()), 0, 0
    return str(file.absolute()), found.st_size, found.st_mtime_ns


class KeptFacts:
    """Facts that an earlier run left in a file, and a place to add to; without a file nothing is kept.

    Used in a `with` statement. Facts of other columns, or of another version of skinapp, are thrown away.
    """

    def __init__(self, path: Path | None, columns: Sequence[str]) -> None:
        self._path, self._columns = path, tuple(columns)
        self._first_line = json.dumps([skinapp.__version__, *columns])
        self._known: dict[FileState, Facts] = {}
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Read what is there and open the file to add to it."""
        if self._path:
            self._known = self._read(self._path)
            # Line by line: what has been measured is on the disk when the process is killed.
            self._file = self._path.open("a" if self._known else "w", buffering=1, encoding="utf-8")
            # The last line may be torn; what follows begins on a new one.
            self._file.write("\n" if self._known else f"{self._first_line}\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file; it stays until whoever named it has no more use for it."""
        if self._file:
            self._file.close()

    def get(self, state: FileState) -> Facts | None:
        """Return the facts of a file that was measured before and has not changed since."""
        return self._known.get(state)

    def keep(self, state: FileState, facts: Facts) -> None:
        """Write the facts of a file down, unless they are known; a column that they lack is None."""
        if self._file and state not in self._known:
            self._file.write(json.dumps([*state, *(facts.get(column) for column in self._columns)]) + "\n")

    def _read(self, path: Path) -> dict[FileState, Facts]:
        if not path.is_file():
            return {}
        known: dict[FileState, Facts] = {}
        with path.open(encoding="utf-8", errors="replace") as lines:
            if next(lines, "").rstrip("\n") != self._first_line:
                return {}
            for line in lines:
                try:
                    file, size, written_ns, *facts = json.loads(line)
                    known[file, size, written_ns] = dict(zip(self._columns, facts, strict=True))
                except ValueError:  # a torn line
                    continue
        return known
