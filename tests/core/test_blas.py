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

PATIENCE = 30.0


def blas_threads() -> tuple[int, ...]:
    return tuple(library.num_threads for library in libraries())


def libraries() -> list[Any]:
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = [(library, library.num_threads) for library in libraries()]
    for library, _ in before:
        blas._set_n_threads(library, 2)
    if set(blas_threads()) != {2}:
        pytest.skip("this BLAS has no number of threads to set")
    yield
    for library, n_threads in before:
        blas._set_n_threads(library, n_threads)


def test_is_held_while_anyone_holds_it() -> None:
    with one_blas_thread():
        with one_blas_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {2}


def test_is_restored_after_an_error() -> None:
    with pytest.raises(ValueError, match="an error"), one_blas_thread():
        raise ValueError("an error")
    assert set(blas_threads()) == {2}


class Holder(threading.Thread):
    """Another thread that holds BLAS until it is told to leave."""

    def __init__(self) -> None:
        super().__init__()
        self.is_inside, self.may_leave = threading.Event(), threading.Event()

    def run(self) -> None:
        with one_blas_thread():
            self.is_inside.set()
            self.may_leave.wait(PATIENCE)

    def enter(self) -> None:
        self.start()
        self.is_inside.wait(PATIENCE)

    def leave(self) -> None:
        self.may_leave.set()
        self.join(PATIENCE)


def test_whoever_leaves_first_restores_nothing() -> None:
    other = Holder()
    other.enter()
    with one_blas_thread():
        other.leave()
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {2}


def test_any_thread_may_restore_what_another_lowered() -> None:
    other = Holder()
    with one_blas_thread():
        other.enter()
    assert set(blas_threads()) == {1}
    other.leave()
    assert set(blas_threads()) == {2}


def test_a_number_that_somebody_else_sets_meanwhile_is_left_alone() -> None:
    with one_blas_thread():
        for library in libraries():
            blas._set_n_threads(library, 3)
        meanwhile = blas_threads()
    assert blas_threads() == meanwhile


@pytest.mark.parametrize("count", [1, 2, 8])
def test_a_sum_of_several_parts_holds_it(count: int) -> None:
    with threads(count):
        seen = ordered_sum(lambda number: (blas_threads(),), range(4))
        assert {number for libraries in seen for number in libraries} == {1}
        assert set(ordered_sum(lambda number: blas_threads(), range(1))) == {2}
    assert set(blas_threads()) == {2}


def test_libraries_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with one_blas_thread():
        known = blas._BLAS_THREAD_LIMIT._libraries
    with one_blas_thread():
        assert blas._BLAS_THREAD_LIMIT._libraries is known
    monkeypatch.setitem(sys.modules, "a_module_of_this_test", sys)  # as an import would
    with one_blas_thread():
        assert blas._BLAS_THREAD_LIMIT._libraries is not known


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_forked_while_it_is_held_is_free() -> None:
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
        "                held = count()\n"
        "            os._exit(10 * held + count())\n"
        "        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "12"
