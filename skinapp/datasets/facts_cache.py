"""A file that takes measured facts while a data set is indexed, so that an interrupted run can continue.

It is a text file beside the table that is being made. The first line holds the version of skinapp and the columns;
then one line of JSON per measured file is written at once. A line that was cut off when the run was killed is
ignored, and its file is measured again.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import skinapp
from skinapp.errors import DatasetError

FileState = tuple[str, int, int]
"""A file's absolute path, its size in bytes and the time of its last change in nanoseconds.

Cached facts are valid as long as all three are the same.
"""

Facts = Mapping[str, object]


def read_file_state(file: Path) -> FileState:
    """Read a file's size and time of last change, which tell whether it is still the measured one; 0 if it is gone."""
    try:
        status = file.stat()
    except OSError:
        return str(file.absolute()), 0, 0
    return str(file.absolute()), status.st_size, status.st_mtime_ns


class FactsCache:
    """Facts that an earlier run left in a file, to read and to add to; without a path nothing is stored.

    Use it in a `with` statement. Facts with other columns, or from another version of skinapp, are discarded.
    """

    def __init__(self, path: Path | None, columns: Sequence[str]) -> None:
        self._path, self._columns = path, tuple(columns)
        self._first_line = json.dumps([skinapp.__version__, *columns])
        self._known: dict[FileState, Facts] = {}
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Read the stored facts and open the file to add more."""
        if self._path:
            self._known = self._read(self._path)
            # Line buffering: every measured fact is on disk when the process is killed.
            try:
                self._file = self._path.open("a" if self._known else "w", buffering=1, encoding="utf-8")
            except OSError as error:
                raise self._explain(error) from error
            # The last line may have been cut off: start a new one.
            self._write("\n" if self._known else f"{self._first_line}\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file; the caller deletes it when it is no longer needed."""
        if self._file:
            with suppress(OSError):  # what a full disk did not take was said when it was written
                self._file.close()

    def get(self, state: FileState) -> Facts | None:
        """Return the facts of a file that was measured before and has not changed since, else None."""
        return self._known.get(state)

    def add(self, state: FileState, facts: Facts) -> None:
        """Store the facts of a file unless they are known; columns that they lack become None."""
        if self._file and state not in self._known:
            self._write(json.dumps([*state, *(facts.get(column) for column in self._columns)]) + "\n")

    def _write(self, line: str) -> None:
        try:
            if self._file:
                self._file.write(line)
        except OSError as error:
            raise self._explain(error) from error

    def _explain(self, error: OSError) -> DatasetError:
        return DatasetError(
            f"{self._path} cannot be written ({error.strerror}). Free some space, or write the table elsewhere. Facts "
            "that were measured until now are kept there for the next run."
        )

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
                except ValueError:  # a line that was cut off
                    continue
        return known
