"""BLAS has one thread while our own threads run, and as many as before afterwards."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from threadpoolctl import ThreadpoolController

from gaussmix.core import blas
from gaussmix.core.blas import one_blas_thread
from gaussmix.core.threads import ordered_sum, threads

TIMEOUT_SECONDS = 30.0


def blas_thread_counts() -> tuple[int, ...]:
    return tuple(library.num_threads for library in blas_libraries())


def blas_libraries() -> list[Any]:
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


@pytest.fixture(autouse=True)
def set_two_blas_threads() -> Iterator[None]:
    before = [(library, library.num_threads) for library in blas_libraries()]
    for library, _ in before:
        blas._set_n_threads(library, 2)
    if set(blas_thread_counts()) != {2}:
        pytest.skip("this BLAS has no number of threads to set")
    yield
    for library, n_threads in before:
        blas._set_n_threads(library, n_threads)


def test_blas_has_one_thread_until_the_outer_block_ends() -> None:
    with one_blas_thread():
        with one_blas_thread():
            assert set(blas_thread_counts()) == {1}
        assert set(blas_thread_counts()) == {1}
    assert set(blas_thread_counts()) == {2}


def test_thread_counts_are_restored_after_an_error() -> None:
    with pytest.raises(ValueError, match="an error"), one_blas_thread():
        raise ValueError("an error")
    assert set(blas_thread_counts()) == {2}


class ThreadInBlock(threading.Thread):
    """A thread that stays within ``one_blas_thread()`` until ``leave`` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.is_inside, self.should_leave = threading.Event(), threading.Event()

    def run(self) -> None:
        with one_blas_thread():
            self.is_inside.set()
            self.should_leave.wait(TIMEOUT_SECONDS)

    def enter(self) -> None:
        self.start()
        self.is_inside.wait(TIMEOUT_SECONDS)

    def leave(self) -> None:
        self.should_leave.set()
        self.join(TIMEOUT_SECONDS)


def test_counts_are_not_restored_while_another_thread_is_in_a_block() -> None:
    second_thread = ThreadInBlock()
    second_thread.enter()
    with one_blas_thread():
        second_thread.leave()
        assert set(blas_thread_counts()) == {1}
    assert set(blas_thread_counts()) == {2}


def test_the_last_thread_to_leave_restores_the_counts() -> None:
    second_thread = ThreadInBlock()
    with one_blas_thread():
        second_thread.enter()
    assert set(blas_thread_counts()) == {1}
    second_thread.leave()
    assert set(blas_thread_counts()) == {2}


def test_counts_changed_within_the_block_are_not_restored() -> None:
    with one_blas_thread():
        for library in blas_libraries():
            blas._set_n_threads(library, 3)
        changed_counts = blas_thread_counts()
    assert blas_thread_counts() == changed_counts


@pytest.mark.parametrize("count", [1, 2, 8])
def test_a_sum_of_several_terms_limits_blas_to_one_thread(count: int) -> None:
    with threads(count):
        thread_counts_per_term = ordered_sum(lambda number: (blas_thread_counts(),), range(4))
        assert {number for counts in thread_counts_per_term for number in counts} == {1}
        assert set(ordered_sum(lambda number: blas_thread_counts(), range(1))) == {2}
    assert set(blas_thread_counts()) == {2}


def test_the_list_of_libraries_is_cached_until_a_module_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    with one_blas_thread():
        cached = blas._BLAS_THREAD_LIMIT._libraries
    with one_blas_thread():
        assert blas._BLAS_THREAD_LIMIT._libraries is cached
    monkeypatch.setitem(sys.modules, "a_module_of_this_test", sys)  # as an import would
    with one_blas_thread():
        assert blas._BLAS_THREAD_LIMIT._libraries is not cached


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_forked_within_a_block_can_set_and_restore_thread_counts() -> None:
    code = (
        "import os, numpy\n"
        "from threadpoolctl import ThreadpoolController\n"
        "from gaussmix.core.blas import one_blas_thread\n"
        "def count():\n"
        "    return max(part.num_threads for part in ThreadpoolController().select(user_api='blas').lib_controllers)\n"
        "with ThreadpoolController().limit(limits=2, user_api='blas'):\n"
        "    with one_blas_thread():\n"
        "        child = os.fork()\n"
        "        if child == 0:\n"
        "            with one_blas_thread():\n"
        "                within_block = count()\n"
        "            os._exit(10 * within_block + count())\n"
        "        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "12"
