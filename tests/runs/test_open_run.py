import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from skinapp.runs.open_run import MAX_RESULTS, OpenRun
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_headline


@pytest.fixture
def opened(make_run: Callable[..., StoredRun]) -> OpenRun:
    run = make_run()
    return OpenRun("a run", run, run.frame[[]])


def count_photos(run: StoredRun, less: int) -> int:
    return len(run.frame) - less


def test_a_result_is_computed_once_per_argument(opened: OpenRun) -> None:
    calls: list[int] = []

    def compute(run: StoredRun, less: int) -> int:
        calls.append(less)
        return count_photos(run, less)

    assert [opened.cached(compute, less) for less in (0, 1, 0, 1)] == [120, 119, 120, 119]
    assert opened.cached(compute, less=1) == 119
    assert calls == [0, 1, 1]


def test_two_lambdas_do_not_collide(opened: OpenRun) -> None:
    assert opened.cached(lambda run: len(run.frame)) == 120
    assert opened.cached(lambda run: run.name) == "test-split"


def test_the_result_that_was_not_used_for_longest_goes_first(opened: OpenRun) -> None:
    calls: list[int] = []

    def compute(run: StoredRun, number: int) -> int:
        calls.append(number)
        return number

    for number in range(MAX_RESULTS):
        opened.cached(compute, number)
    opened.cached(compute, 0)  # now 1 is the one that was not used for longest
    opened.cached(compute, MAX_RESULTS)
    assert calls == [*range(MAX_RESULTS + 1)]
    opened.cached(compute, 0)
    assert len(calls) == MAX_RESULTS + 1
    opened.cached(compute, 1)
    assert calls[-1] == 1


def test_threads_that_ask_at_once_get_the_same_result(opened: OpenRun) -> None:
    def compute(run: StoredRun) -> list[str]:
        time.sleep(0.05)  # long enough that every other thread asks meanwhile
        return list(run.classes)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: opened.cached(compute), range(8)))
    assert len({id(result) for result in results}) == 1


def test_threads_that_fill_the_cache_get_their_own_results(opened: OpenRun) -> None:
    numbers = [number % (2 * MAX_RESULTS) for number in range(40 * MAX_RESULTS)]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda number: opened.cached(count_photos, number), numbers))
    assert results == [120 - number for number in numbers]


def test_the_run_of_seven_types_stays_the_same_object_and_is_not_stored(opened: OpenRun) -> None:
    merged = opened.seven()
    assert merged is opened.seven()
    assert "scc" not in merged.run.classes
    assert merged.folder is None
    assert merged.cached(compute_headline) != opened.cached(compute_headline)


def test_intervals_are_drawn_a_little_at_a_time_and_kept(opened: OpenRun) -> None:
    shares = []
    while opened.intervals() is None:
        shares.append(opened.draw_on())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert opened.draw_on() == 1.0
    assert opened.intervals() is opened.intervals()
