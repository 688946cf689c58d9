"""One thread for BLAS while our own threads run: two pools on the same processors fight.

BLAS also adds in another order with another number of threads, so a pass over several blocks
holds it even where one thread does all of them: its sums are the same bit for bit then.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread within the block; it counts who holds it, from any number of threads."""
    hold = _BLAS_THREAD_LIMIT
    hold.acquire()
    try:
        yield
    finally:
        hold.release()


def limit_blas_threads(n_features: int) -> AbstractContextManager[None]:
    """`one_blas_thread` for work on matrices so large that BLAS would start threads for each of them.

    Factorising a few matrices of 128 columns takes it longer with two threads than with one, and far
    longer while other threads run.
    """
    return one_blas_thread() if n_features >= _MIN_COLUMNS_FOR_BLAS_THREADS else nullcontext()


_MIN_COLUMNS_FOR_BLAS_THREADS = 16


class _BlasThreadLimit:
    """The first who takes it lowers the threads of BLAS, the last who leaves it restores them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_holders = 0
        self._saved_thread_counts: list[tuple[Any, int]] = []
        self._libraries: list[Any] | None = None
        self._n_modules = 0

    def acquire(self) -> None:
        with self._lock:
            if self._n_holders == 0:
                self._saved_thread_counts = [(library, library.num_threads) for library in self._find_libraries()]
                for library, _ in self._saved_thread_counts:
                    _set_n_threads(library, 1)
            self._n_holders += 1

    def release(self) -> None:
        with self._lock:
            self._n_holders -= 1
            if self._n_holders == 0:
                self.restore_thread_counts()

    def restore_thread_counts(self) -> None:
        """Give back what was taken, but for a library whose number somebody else has set meanwhile."""
        for library, n_threads in self._saved_thread_counts:
            if library.num_threads == 1:
                _set_n_threads(library, n_threads)
        self._saved_thread_counts = []

    def _find_libraries(self) -> list[Any]:
        """The BLAS libraries in this process; looking for them costs milliseconds, setting them microseconds."""
        if self._libraries is None or len(sys.modules) != self._n_modules:  # an import may have loaded another one
            from threadpoolctl import ThreadpoolController

            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            self._n_modules = len(sys.modules)
        return self._libraries


def _set_n_threads(library: Any, n_threads: int) -> None:
    """For all threads of the process.

    From version 3.7 on, threadpoolctl obeys only the thread that was the first to set a number; it
    would leave ours alone, or never restore what it lowered.
    """
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n_threads)


_BLAS_THREAD_LIMIT = _BlasThreadLimit()


def _reset_after_fork() -> None:
    """In a forked child nobody else is left to restore BLAS, and somebody may have had the lock."""
    global _BLAS_THREAD_LIMIT
    _BLAS_THREAD_LIMIT.restore_thread_counts()
    _BLAS_THREAD_LIMIT = _BlasThreadLimit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
