"""Time steps repeatedly, alone or in turn."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Step = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """How long each repetition of a step took, in seconds."""

    elapsed_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return median(self.elapsed_s)

    def __str__(self) -> str:
        shown = (self.median_s, min(self.elapsed_s), max(self.elapsed_s))
        return "{:.1f} ms ({:.1f} to {:.1f})".format(*(1000 * elapsed for elapsed in shown))


def time_repeatedly(step: Step, repeats: int) -> Times:
    """Time a step `repeats` times, after one round that does not count."""
    return Times(tuple([measure_s(step) for _ in range(repeats + 1)][1:]))


def time_in_turn(first: Step, second: Step, repeats: int) -> tuple[Times, Times]:
    """Time two steps in alternation, after one round that does not count: what slows the machine slows both."""
    rounds = [(measure_s(first), measure_s(second)) for _ in range(repeats + 1)][1:]
    ours, theirs = zip(*rounds, strict=True)
    return Times(ours), Times(theirs)


def measure_s(step: Step) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
