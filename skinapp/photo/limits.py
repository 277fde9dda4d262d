"""What may be decoded, and how much memory all decoding together may hold."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from skinapp.errors import PhotoError

MAX_BYTES = 50 * 1024 * 1024
"""The largest file that is read: 50 MB."""

MAX_PIXELS = 16_384 * 12_288
"""The largest photo that is decoded: 201 megapixels, the full size of the largest phone sensors (200 MP).

Such sensors usually join 4 or 16 pixels to one (8192 x 6144, 8160 x 6144, 4096 x 3072). A format that cannot be decoded
a few rows at a time reaches MAX_HELD_BYTES first, at about 50 to 180 megapixels.
"""

MAX_UNPACKED_BYTES = 640_000_000
"""The most that a file may unpack to, which bounds the time: MAX_PIXELS in 8-bit colour (604 MB) takes seconds."""

MAX_HELD_BYTES = 560_000_000
"""The most that one decoder may hold at once: an 8192 x 6144 photo in AVIF takes 503 MB, in HEIC 453 MB."""

MIN_SIDE = 32
"""Minimum length of both sides of a photo, in pixels; smaller ones do not show a lesion."""

MAX_ASPECT = 16
"""How many times as long as wide a photo may be; the networks see a square from its middle."""

_QUEUED_BYTES = 32_000_000  # photos that need less never wait

TOO_MANY_PIXELS = (
    f"The photo has more than {MAX_PIXELS // 1_000_000} million pixels (megapixels). "
    "Save it smaller, or crop it to the lesion."
)


class MemoryQueue:
    """Lets threads hold at most `capacity` bytes together; who does not fit waits, first come, first served."""

    def __init__(self, capacity: int) -> None:
        """Start with nothing held."""
        self.capacity = self._free = capacity
        self._turn = Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Hold `size` bytes, at most the capacity, while the block runs; wait until they are free."""
        size, ticket = min(size, self.capacity), object()
        with self._turn:
            self._waiting.append(ticket)
            try:
                self._turn.wait_for(lambda: self._waiting[0] is ticket and self._free >= size)
                self._free -= size
            finally:
                self._waiting.remove(ticket)
                self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._free += size
                self._turn.notify_all()


_queue = MemoryQueue(MAX_HELD_BYTES)


@contextmanager
def hold_memory(size: int) -> Iterator[None]:
    """Run a block that holds about `size` bytes; large ones wait for each other, in all threads of this process."""
    if size <= _QUEUED_BYTES:
        yield
        return
    with _queue.reserve(size):
        yield


def check_bytes(size: int) -> None:
    """Raise PhotoError for a file of no bytes, or of more than MAX_BYTES."""
    if size == 0:
        raise PhotoError("The file is empty. Copy or export the photo again from the original.")
    if size > MAX_BYTES:
        raise PhotoError(
            f"The file has {size / 1024**2:.1f} MB; the limit is {MAX_BYTES // 1024**2} MB. "
            "Save the photo smaller or as JPEG."
        )


def check_size(width: int, height: int) -> None:
    """Raise PhotoError for a photo, in pixels, that is too small, too large or too narrow."""
    if width * height > MAX_PIXELS:
        raise PhotoError(TOO_MANY_PIXELS)
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"The photo has {width} × {height} pixels; both sides need at least {MIN_SIDE}. "
            "Use the original, not a thumbnail of it."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(
            f"The photo has {width} × {height} pixels: one side is more than {MAX_ASPECT} times the other. "
            "Crop it to the lesion."
        )


def check_cost(unpacked_bytes: int, held_bytes: int) -> None:
    """Raise PhotoError for a photo that would take too long or too much memory to decode, whatever its file size."""
    if unpacked_bytes > MAX_UNPACKED_BYTES or held_bytes > MAX_HELD_BYTES:
        held = held_bytes if held_bytes > MAX_HELD_BYTES else unpacked_bytes
        limit = MAX_HELD_BYTES if held_bytes > MAX_HELD_BYTES else MAX_UNPACKED_BYTES
        raise PhotoError(
            f"The photo would unpack to {held / 1e6:,.0f} MB; the limit is {limit / 1e6:,.0f} MB. "
            "Save it smaller, crop it to the lesion, or save it as an ordinary JPEG."
        )
