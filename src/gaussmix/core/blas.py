"""One BLAS thread while our own threads run, since two thread pools compete for the same processors.

The order of BLAS's additions depends on its number of threads. A pass over several blocks therefore holds BLAS to one
thread even if it runs in one thread itself; its sums are then the same bit for bit.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread within the block; blocks may overlap in any number of threads."""
    hold = _BLAS_THREAD_LIMIT
    hold.acquire()
    try:
        yield
    finally:
        hold.release()


def limit_blas_threads(n_features: int) -> AbstractContextManager[None]:
    """Hold BLAS to one thread within the block if matrices have 16 or more columns; else do nothing.

    BLAS starts threads only for matrices of that size. A few factorisations of matrices with 128 columns take longer
    with two threads than with one, and much longer while other threads run.
    """
    return one_blas_thread() if n_features >= _MIN_COLUMNS_FOR_BLAS_THREADS else nullcontext()


_MIN_COLUMNS_FOR_BLAS_THREADS = 16


class _BlasThreadLimit:
    """A counted limit: the first holder lowers BLAS's threads, and the last one restores them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_holders = 0
        self._saved_thread_counts: list[tuple[Any, int]] = []
        self._libraries: list[Any] | None = None
        self._n_modules = 0

    def acquire(self) -> None:
        """Add a holder; the first one lowers BLAS to one thread."""
        with self._lock:
            if self._n_holders == 0:
                counts = [(library, library.num_threads) for library in self._find_libraries()]
                self._saved_thread_counts = [(library, n_threads) for library, n_threads in counts if n_threads != 1]
                for library, _ in self._saved_thread_counts:
                    _set_n_threads(library, 1)
            self._n_holders += 1

    def release(self) -> None:
        """Remove a holder; the last one restores the thread counts of BLAS."""
        with self._lock:
            self._n_holders -= 1
            if self._n_holders == 0:
                self.restore_thread_counts()

    def restore_thread_counts(self) -> None:
        """Restore the thread counts, except of libraries whose count was changed meanwhile."""
        for library, n_threads in self._saved_thread_counts:
            if library.num_threads == 1:
                _set_n_threads(library, n_threads)
        self._saved_thread_counts = []

    def _find_libraries(self) -> list[Any]:
        """Return the BLAS libraries of this process; the search takes milliseconds, so it is cached."""
        if self._libraries is None or len(sys.modules) != self._n_modules:  # an import may have loaded another one
            from threadpoolctl import ThreadpoolController

            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            self._n_modules = len(sys.modules)
        return self._libraries


def _set_n_threads(library: Any, n_threads: int) -> None:
    """Set the threads of a library for all threads of the process.

    From version 3.7 on, threadpoolctl changes only the thread that set a number first. It would not limit our threads,
    or never restore what it lowered.
    """
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n_threads)


_BLAS_THREAD_LIMIT = _BlasThreadLimit()


def _reset_after_fork() -> None:
    """Restore BLAS in a forked child, where no holder is left and the lock may be held."""
    global _BLAS_THREAD_LIMIT
    _BLAS_THREAD_LIMIT.restore_thread_counts()
    _BLAS_THREAD_LIMIT = _BlasThreadLimit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
