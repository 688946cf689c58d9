"""Sums by several threads: added in order, bitwise reproducible, without deadlocks."""

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
from gaussmix.core.threads import available_n_threads, helper_threads, ordered_sum, threads
from gaussmix.errors import ParameterError

THREAD_COUNTS = [1, 2, 3, 8]
TIMEOUT_SECONDS = 30.0  # after which a test that is stuck fails


def run_script(code: str) -> str:
    """Return what a fresh interpreter prints; it must exit with status 0."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    completed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout.strip()


@pytest.mark.parametrize("count", THREAD_COUNTS)
@given(n_terms=st.integers(1, 60))
def test_terms_are_added_in_order(count: int, n_terms: int) -> None:
    with threads(count):
        assert ordered_sum(lambda number: (number,), range(n_terms)) == tuple(range(n_terms))


def test_sum_is_bitwise_equal_for_any_number_of_threads() -> None:
    terms = np.random.default_rng(0).normal(size=(64, 5)) * np.geomspace(1e-8, 1e8, 64)[:, None]
    expected = terms[0]
    for term in terms[1:]:
        expected = expected + term
    for count in THREAD_COUNTS * 3:
        with threads(count):
            np.testing.assert_array_equal(ordered_sum(lambda number: terms[number], range(64)), expected)


def test_terms_run_concurrently_in_helpers_and_the_calling_thread() -> None:
    """Each of three terms waits until all have started."""
    barrier = threading.Barrier(3, timeout=TIMEOUT_SECONDS)

    def compute_term(number: int) -> tuple[int, ...]:
        barrier.wait()
        return (threading.get_ident(),)

    with threads(3):
        thread_ids = ordered_sum(compute_term, range(3))
    assert len(set(thread_ids)) == 3
    assert threading.get_ident() in thread_ids


def test_with_one_thread_terms_run_in_the_calling_thread() -> None:
    with threads(1):
        assert set(ordered_sum(lambda number: (threading.get_ident(),), range(9))) == {threading.get_ident()}


def test_one_term_or_one_thread_starts_no_helper_thread() -> None:
    printed = run_script(
        "import sys, threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "with threads(4):\n"
        "    one = ordered_sum(lambda number: 1, range(1))\n"
        "with threads(1):\n"
        "    nine = ordered_sum(lambda number: 1, range(9))\n"
        "print(one, nine, threading.active_count())"
    )
    assert printed == "1 9 1"


# -- errors ---------------------------------------------------------------------------------------


def test_error_of_the_lowest_term_is_raised_and_no_further_term_starts() -> None:
    later_has_failed = threading.Event()
    started = []

    def compute_term(number: int) -> int:
        started.append(number)
        if number == 5:
            later_has_failed.set()
            raise ValueError("five")
        later_has_failed.wait(TIMEOUT_SECONDS)
        if number == 3:
            raise ValueError("three")
        return 1

    with threads(8), pytest.raises(ValueError, match="three"):
        ordered_sum(compute_term, range(100_000))
    assert len(started) < 100_000
    with threads(8):
        assert ordered_sum(lambda number: 1, range(100)) == 100


@pytest.mark.parametrize("count", THREAD_COUNTS)
def test_values_that_cannot_be_added_raise_type_error(count: int) -> None:
    with threads(count), pytest.raises(TypeError, match="unsupported operand"):
        ordered_sum(lambda number: "a" if number == 4 else 1, range(9))


def test_keyboard_interrupt_is_raised_rather_than_an_error() -> None:
    failed = threading.Event()

    def compute_term(number: int) -> int:
        if number == 0:
            failed.wait(TIMEOUT_SECONDS)
            raise ValueError("an error")
        failed.set()
        raise KeyboardInterrupt

    with threads(2), pytest.raises(KeyboardInterrupt):
        ordered_sum(compute_term, range(2))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on POSIX")
@pytest.mark.parametrize("count", [1, 2, 4])
def test_control_c_stops_a_sum(count: int) -> None:
    printed = run_script(
        "import os, signal, threading, time\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "started = []\n"
        "def compute_term(number):\n"
        "    started.append(number)\n"
        "    if number == 5:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(0.001)\n"
        "    return 1\n"
        f"with threads({count}):\n"
        "    try:\n"
        "        ordered_sum(compute_term, range(20_000))\n"
        "    except KeyboardInterrupt:\n"
        "        print('stopped', len(started) < 20_000, ordered_sum(lambda number: 1, range(100)))"
    )
    assert printed == "stopped True 100"


# -- nested and concurrent sums -------------------------------------------------------


def test_a_sum_within_a_sum_runs_in_its_own_thread() -> None:
    def inner(_: int) -> tuple[tuple[int, int], ...]:
        return ((available_n_threads(), threading.get_ident()),)

    def outer(_: int) -> tuple[bool, ...]:
        with threads(8):
            results = set(ordered_sum(inner, range(10)))
        return (results == {(1, threading.get_ident())},)

    with threads(4):
        assert ordered_sum(outer, range(50)) == (True,) * 50
        assert available_n_threads() == 4


@pytest.mark.parametrize("counts", [(2, 2), (1, 8), (8, 3)])
def test_two_threads_can_sum_at_once_with_their_own_n_threads(counts: tuple[int, int]) -> None:
    barrier = threading.Barrier(2, timeout=TIMEOUT_SECONDS)
    is_correct: dict[int, bool] = {}

    def run_sums(caller_index: int) -> None:
        with threads(counts[caller_index]):
            barrier.wait()
            is_correct[caller_index] = all(
                ordered_sum(lambda number: (number + caller_index,), range(40))
                == tuple(range(caller_index, 40 + caller_index))
                and available_n_threads() == counts[caller_index]
                for _ in range(50)
            )

    callers = [threading.Thread(target=run_sums, args=(caller_index,)) for caller_index in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(TIMEOUT_SECONDS)
    assert is_correct == {0: True, 1: True}


def test_helpers_run_in_the_context_of_the_caller() -> None:
    barrier = threading.Barrier(2, timeout=TIMEOUT_SECONDS)

    def compute_term(number: int) -> int:
        barrier.wait()
        return int(np.geterr()["divide"] == "raise")

    with threads(2), np.errstate(divide="raise"):
        assert ordered_sum(compute_term, range(2)) == 2


# -- the pool ---------------------------------------------------------------------------------------


def test_threads_of_the_pool_are_reused() -> None:
    with threads(3):
        ordered_sum(lambda number: 1, range(9))
        before = threading.active_count()
        for _ in range(20):
            ordered_sum(lambda number: 1, range(9))
        assert threading.active_count() == before


def test_idle_threads_keep_no_reference_to_the_function() -> None:
    barrier = threading.Barrier(3, timeout=TIMEOUT_SECONDS)

    class Rows:
        def __call__(self, number: int) -> int:
            barrier.wait()
            return 1

    function: Callable[[int], int] = Rows()
    rows = weakref.ref(function)
    with threads(3):
        ordered_sum(function, range(3))
        ordered_sum(lambda number: barrier.wait() and 0, range(3))  # every helper has dropped the first sum
    del function
    gc.collect()
    assert rows() is None


def test_caller_computes_all_terms_if_no_thread_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_runtime_error(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module, "_thread_pool", module._ThreadPool())
    monkeypatch.setattr(threading.Thread, "start", raise_runtime_error)
    with threads(4):
        assert ordered_sum(lambda number: (number,), range(20)) == tuple(range(20))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_starts_its_own_pool() -> None:
    printed = run_script(
        "import os, threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "def runs_concurrently():\n"
        "    barrier = threading.Barrier(3, timeout=30)\n"
        "    with threads(3):\n"
        "        return len(set(ordered_sum(lambda number: (barrier.wait(), ), range(3)))) == 3\n"
        "runs_concurrently()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if runs_concurrently() else 1)\n"
        "print(os.waitpid(child, 0)[1], runs_concurrently())"
    )
    assert printed == "0 True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_forked_during_a_sum_can_sum() -> None:
    printed = run_script(
        "import os, threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "may_finish, started = threading.Event(), threading.Event()\n"
        "def run_sums():\n"
        "    with threads(3):\n"
        "        ordered_sum(lambda number: (started.set(), may_finish.wait()), range(9))\n"
        "other_thread = threading.Thread(target=run_sums)\n"
        "other_thread.start()\n"
        "started.wait()\n"
        "child = os.fork()\n"
        "with threads(3):\n"
        "    total = ordered_sum(lambda number: 1, range(9))\n"
        "if child == 0:\n"
        "    os._exit(total)\n"
        "status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "may_finish.set()\n"
        "other_thread.join()\n"
        "print(status, total)"
    )
    assert printed == "9 9"


def test_idle_threads_do_not_keep_python_from_exiting() -> None:
    printed = run_script(
        "import threading\n"
        "from gaussmix.core.threads import ordered_sum, threads\n"
        "with threads(4):\n"
        "    ordered_sum(lambda number: 1, range(9))\n"
        "print(threading.active_count() > 1)"
    )
    assert printed == "True"


# -- how many ---------------------------------------------------------------------------------------


def test_n_threads_applies_within_the_block_only() -> None:
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
def test_n_threads_must_be_a_whole_number_of_at_least_one(count: Any) -> None:
    with pytest.raises(ParameterError, match="threads"):
        with threads(count):
            pass


def test_helper_threads_work_within_the_block_and_are_waited_for() -> None:
    started, may_end, ended = threading.Barrier(3), threading.Event(), []

    def work() -> None:
        started.wait(timeout=30)
        may_end.wait(timeout=30)
        ended.append(available_n_threads())

    with helper_threads(work, 2):
        started.wait(timeout=30)
        may_end.set()
    assert ended == [1, 1]


def test_helpers_that_come_late_do_not_work() -> None:
    """Two blocks keep both threads of the pool, so that the third gets none before its end."""
    may_end, calls = threading.Event(), []
    with helper_threads(lambda: None, 2):
        pass
    n_threads = module._thread_pool._n_threads
    with helper_threads(lambda: may_end.wait(timeout=30) and None, n_threads):
        while module._thread_pool._tasks.qsize():
            pass
        with helper_threads(lambda: calls.append(1), 1):
            pass
        may_end.set()
    with helper_threads(lambda: None, n_threads):
        pass
    assert calls == []


@pytest.mark.parametrize("error", [ValueError, MemoryError])
def test_errors_of_helpers_do_not_reach_the_caller(error: type[Exception]) -> None:
    def fail() -> None:
        raise error

    with helper_threads(fail, 2):
        pass


def test_an_error_in_the_block_is_raised_after_the_helpers_have_ended() -> None:
    has_started, may_end, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        has_started.set()
        may_end.wait(timeout=30)
        ended.append(1)

    with pytest.raises(KeyboardInterrupt), helper_threads(work, 1):
        has_started.wait(timeout=30)
        threading.Timer(0.05, may_end.set).start()
        raise KeyboardInterrupt
    assert ended == [1]
