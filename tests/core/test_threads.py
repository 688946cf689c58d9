"""Sums by several threads: in order, the same bit for bit, and never stuck."""

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix.core import threads as module
from gaussmix.core.cpus import default_n_threads
from gaussmix.core.threads import available_n_threads, ordered_sum, threads
from gaussmix.errors import ParameterError

COUNTS = [1, 2, 3, 8]
PATIENCE = 30.0  # seconds after which a test that is stuck gives up


def run_script(code: str) -> str:
    """What a fresh interpreter prints; it must end by itself and well."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("count", COUNTS)
@given(n_parts=st.integers(1, 60))
def test_parts_are_added_in_their_order(count: int, n_parts: int) -> None:
    with threads(count):
        assert ordered_sum(lambda number: (number,), range(n_parts)) == tuple(range(n_parts))


def test_a_sum_is_the_same_bit_for_bit() -> None:
    terms = np.random.default_rng(0).normal(size=(64, 5)) * np.geomspace(1e-8, 1e8, 64)[:, None]
    expected = terms[0]
    for term in terms[1:]:
        expected = expected + term
    for count in COUNTS * 3:
        with threads(count):
            np.testing.assert_array_equal(ordered_sum(lambda number: terms[number], range(64)), expected)


def test_threads_work_side_by_side() -> None:
    """Three parts that wait for one another."""
    meeting = threading.Barrier(3, timeout=PATIENCE)

    def part(number: int) -> tuple[int, ...]:
        meeting.wait()
        return (threading.get_ident(),)

    with threads(3):
        seen = ordered_sum(part, range(3))
    assert len(set(seen)) == 3
    assert threading.get_ident() in seen


def test_one_thread_is_the_callers_own() -> None:
    with threads(1):
        assert set(ordered_sum(lambda number: (threading.get_ident(),), range(9))) == {threading.get_ident()}


def test_little_work_starts_nothing() -> None:
    told = run_script(
        "import sys, threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "with threads(4):\n"
        "    one = ordered_sum(lambda number: 1, range(1))\n"
        "with threads(1):\n"
        "    nine = ordered_sum(lambda number: 1, range(9))\n"
        "print(one, nine, threading.active_count())"
    )
    assert told == "1 9 1"


# -- errors ---------------------------------------------------------------------------------------


def test_the_error_of_the_lowest_part_is_raised_and_no_further_part_begins() -> None:
    later_has_failed = threading.Event()
    begun = []

    def part(number: int) -> int:
        begun.append(number)
        if number == 5:
            later_has_failed.set()
            raise ValueError("five")
        later_has_failed.wait(PATIENCE)
        if number == 3:
            raise ValueError("three")
        return 1

    with threads(8), pytest.raises(ValueError, match="three"):
        ordered_sum(part, range(100_000))
    assert len(begun) < 100_000
    with threads(8):
        assert ordered_sum(lambda number: 1, range(100)) == 100


@pytest.mark.parametrize("count", COUNTS)
def test_values_that_do_not_add_are_an_error_too(count: int) -> None:
    with threads(count), pytest.raises(TypeError, match="unsupported operand"):
        ordered_sum(lambda number: "a" if number == 4 else 1, range(9))


def test_an_interrupt_comes_before_errors() -> None:
    failed = threading.Event()

    def part(number: int) -> int:
        if number == 0:
            failed.wait(PATIENCE)
            raise ValueError("an error")
        failed.set()
        raise KeyboardInterrupt

    with threads(2), pytest.raises(KeyboardInterrupt):
        ordered_sum(part, range(2))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on POSIX")
@pytest.mark.parametrize("count", [1, 2, 4])
def test_control_c_stops_a_sum(count: int) -> None:
    told = run_script(
        "import os, signal, threading, time\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "begun = []\n"
        "def part(number):\n"
        "    begun.append(number)\n"
        "    if number == 5:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(0.001)\n"
        "    return 1\n"
        f"with threads({count}):\n"
        "    try:\n"
        "        ordered_sum(part, range(20_000))\n"
        "    except KeyboardInterrupt:\n"
        "        print('stopped', len(begun) < 20_000, ordered_sum(lambda number: 1, range(100)))"
    )
    assert told == "stopped True 100"


# -- sums within sums, and beside one another -------------------------------------------------------


def test_a_sum_within_a_sum_runs_in_its_own_thread() -> None:
    def inner(_: int) -> tuple[tuple[int, int], ...]:
        return ((available_n_threads(), threading.get_ident()),)

    def outer(_: int) -> tuple[bool, ...]:
        with threads(8):
            seen = set(ordered_sum(inner, range(10)))
        return (seen == {(1, threading.get_ident())},)

    with threads(4):
        assert ordered_sum(outer, range(50)) == (True,) * 50
        assert available_n_threads() == 4


@pytest.mark.parametrize("counts", [(2, 2), (1, 8), (8, 3)])
def test_two_threads_may_ask_at_once(counts: tuple[int, int]) -> None:
    together = threading.Barrier(2, timeout=PATIENCE)
    found: dict[int, bool] = {}

    def ask(which: int) -> None:
        with threads(counts[which]):
            together.wait()
            found[which] = all(
                ordered_sum(lambda number: (number + which,), range(40)) == tuple(range(which, 40 + which))
                and available_n_threads() == counts[which]
                for _ in range(50)
            )

    callers = [threading.Thread(target=ask, args=(which,)) for which in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)
    assert found == {0: True, 1: True}


def test_helpers_work_in_the_callers_context() -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def part(number: int) -> int:
        meeting.wait()
        return int(np.geterr()["divide"] == "raise")

    with threads(2), np.errstate(divide="raise"):
        assert ordered_sum(part, range(2)) == 2


# -- the pool ---------------------------------------------------------------------------------------


def test_the_pool_is_kept() -> None:
    with threads(3):
        ordered_sum(lambda number: 1, range(9))
        before = threading.active_count()
        for _ in range(20):
            ordered_sum(lambda number: 1, range(9))
        assert threading.active_count() == before


def test_idle_threads_hold_on_to_nothing() -> None:
    meeting = threading.Barrier(3, timeout=PATIENCE)

    class Rows:
        def __call__(self, number: int) -> int:
            meeting.wait()
            return 1

    function: Callable[[int], int] = Rows()
    rows = weakref.ref(function)
    with threads(3):
        ordered_sum(function, range(3))
        ordered_sum(lambda number: meeting.wait() and 0, range(3))  # every helper has let go of the first sum
    del function
    gc.collect()
    assert rows() is None


def test_without_a_thread_to_be_had_the_caller_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module, "_thread_pool", module._ThreadPool())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with threads(4):
        assert ordered_sum(lambda number: (number,), range(20)) == tuple(range(20))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_threads_of_its_own() -> None:
    told = run_script(
        "import os, threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "def side_by_side():\n"
        "    meeting = threading.Barrier(3, timeout=30)\n"
        "    with threads(3):\n"
        "        return len(set(ordered_sum(lambda number: (meeting.wait(), ), range(3)))) == 3\n"
        "side_by_side()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if side_by_side() else 1)\n"
        "print(os.waitpid(child, 0)[1], side_by_side())"
    )
    assert told == "0 True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_forked_in_the_middle_of_a_sum_is_not_stuck() -> None:
    told = run_script(
        "import os, threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "go_on, begun = threading.Event(), threading.Event()\n"
        "def ask():\n"
        "    with threads(3):\n"
        "        ordered_sum(lambda number: (begun.set(), go_on.wait()), range(9))\n"
        "beside = threading.Thread(target=ask)\n"
        "beside.start()\n"
        "begun.wait()\n"
        "child = os.fork()\n"
        "with threads(3):\n"
        "    total = ordered_sum(lambda number: 1, range(9))\n"
        "if child == 0:\n"
        "    os._exit(total)\n"
        "status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "go_on.set()\n"
        "beside.join()\n"
        "print(status, total)"
    )
    assert told == "9 9"


def test_waiting_threads_do_not_keep_python_from_ending() -> None:
    told = run_script(
        "import threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "with threads(4):\n"
        "    ordered_sum(lambda number: 1, range(9))\n"
        "print(threading.active_count() > 1)"
    )
    assert told == "True"


# -- how many ---------------------------------------------------------------------------------------


def test_a_number_of_threads_holds_for_a_while() -> None:
    assert available_n_threads() == default_n_threads()
    with threads(5):
        assert available_n_threads() == 5
        with threads(2):
            assert available_n_threads() == 2
        with threads(None):
            assert available_n_threads() == default_n_threads()
        assert available_n_threads() == 5
    assert available_n_threads() == default_n_threads()


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "two"])
def test_a_number_of_threads_is_a_whole_number(count: Any) -> None:
    with pytest.raises(ParameterError, match="threads"):
        with threads(count):
            pass
