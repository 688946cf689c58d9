"""Our own pool of threads: parts of one sum are worked out side by side and added in their order.

The calling thread works too and takes parts like any other, so a sum never waits for a thread that
is busy elsewhere: sums may be asked for from several threads at once, and one within another
(which runs in its own thread alone) cannot lock up.
"""

import functools
import operator
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from queue import SimpleQueue
from typing import Generic, TypeVar, cast

from gaussmix.core.blas import one_blas_thread
from gaussmix.core.cpus import default_n_threads
from gaussmix.core.reduce import T
from gaussmix.errors import ParameterError

Item = TypeVar("Item")

_requested_n_threads: ContextVar[int | None] = ContextVar("requested_n_threads", default=None)
_is_within_sum: ContextVar[bool] = ContextVar("is_within_sum", default=False)


@contextmanager
def threads(n_threads: int | None) -> Iterator[None]:
    """Let passes over the rows use ``count`` threads within the block; None is `default_threads`.

    It holds for the thread (or asynchronous task) that says it. Results do not depend on it.

    Raises
    ------
    ParameterError
        If ``count`` is not a whole number of at least 1.
    """
    if n_threads is not None and (isinstance(n_threads, bool) or not isinstance(n_threads, int) or n_threads < 1):
        raise ParameterError.invalid_value("threads", n_threads, "a whole number of at least 1, or None")
    token = _requested_n_threads.set(n_threads)
    try:
        yield
    finally:
        _requested_n_threads.reset(token)


def available_n_threads() -> int:
    """Threads that a sum asked for here and now may use: 1 within a part of another sum."""
    if _is_within_sum.get():
        return 1
    return _requested_n_threads.get() or default_n_threads()


def ordered_sum(function: Callable[[Item], T], items: Sequence[Item]) -> T:
    """Return function(items[0]) + function(items[1]) + ..., the same bit for bit for any number of threads.

    ``function`` is called from several threads at once, each in a copy of the caller's context
    (NumPy's error state, for one). If a call raises, no further one begins, and the error of the
    lowest number is raised once the others have ended.
    """
    if len(items) == 1:
        return function(items[0])
    with one_blas_thread():
        n_helpers = min(available_n_threads(), len(items)) - 1
        if not n_helpers:
            return functools.reduce(operator.add, map(function, items))
        parallel_sum = _ParallelSum(function, items)
        with parallel_sum.run_helpers(n_helpers):
            parallel_sum.compute_terms()
        return parallel_sum.take_total()


class _ParallelSum(Generic[Item, T]):
    """One sum, shared by the threads that work on it."""

    def __init__(self, function: Callable[[Item], T], items: Sequence[Item]) -> None:
        self._function, self._items, self._n_terms = function, items, len(items)
        self._condition = threading.Condition()
        self._n_started = self._n_added = self._n_helpers = 0
        self._pending_terms: dict[int, T] = {}  # terms that others must be added before
        self._total: T | None = None
        self._failure: tuple[bool, int, BaseException] | None = None

    @contextmanager
    def run_helpers(self, n_helpers: int) -> Iterator[None]:
        """Let threads of the pool compute terms too within the block; at its end no thread works any more."""
        token = _is_within_sum.set(True)
        try:
            _thread_pool.submit([functools.partial(copy_context().run, self._run_helper) for _ in range(n_helpers)])
            yield
        finally:
            _is_within_sum.reset(token)
            self._stop_and_wait()

    def take_total(self) -> T:
        """Return the sum, or raise the error of the first term that failed."""
        if self._failure is None:
            return cast(T, self._total)
        try:
            raise self._failure[2]
        finally:
            self._failure = None  # the traceback holds this frame: no ring that keeps the rows alive

    def _run_helper(self) -> None:
        """What a thread of the pool does; one that comes too late finds nothing left."""
        with self._condition:
            self._n_helpers += 1
        self.compute_terms()
        with self._condition:
            self._n_helpers -= 1
            self._condition.notify_all()

    def compute_terms(self) -> None:
        """Compute terms until none is left."""
        while (number := self._next_term()) is not None:
            try:
                self._add_in_order(number, self._function(self._items[number]))
            except BaseException as error:
                self._record_failure(number, error)

    def _next_term(self) -> int | None:
        with self._condition:
            if self._n_started == self._n_terms:
                return None
            self._n_started += 1
            return self._n_started - 1

    def _add_in_order(self, term: int, value: T) -> None:
        """Add up as far as nothing is missing, so that few parts are ever held."""
        with self._condition:
            self._pending_terms[term] = value
            while self._n_added in self._pending_terms:
                part = self._pending_terms.pop(self._n_added)
                self._total = part if self._total is None else self._total + part
                self._n_added += 1

    def _record_failure(self, term: int, error: BaseException) -> None:
        """Begin no further part; keep an interrupt before an error, and the error of the lowest number."""
        failure = (isinstance(error, Exception), term, error)
        with self._condition:
            self._n_started = self._n_terms
            if self._failure is None or failure[:2] < self._failure[:2]:
                self._failure = failure

    def _stop_and_wait(self) -> None:
        """Begin no further part, and wait for those that others have begun."""
        with self._condition:
            self._n_started = self._n_terms
            while self._n_helpers:
                self._condition.wait()


class _ThreadPool:
    """Threads that wait for tasks; as many as were ever wanted at once, and none that keeps Python from ending."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._n_threads = 0

    def submit(self, tasks: list[Callable[[], None]]) -> None:
        """Start what is missing of one thread per task; where none can be started, fewer do the tasks."""
        with self._lock:
            try:
                while self._n_threads < len(tasks):
                    threading.Thread(target=self._run_tasks, name="gaussmix", daemon=True).start()
                    self._n_threads += 1
            except RuntimeError:  # the system allows no more, or Python is ending
                del tasks[self._n_threads :]
        for task in tasks:
            self._tasks.put(task)

    def _run_tasks(self) -> None:
        while True:
            task = self._tasks.get()
            task()
            del task  # an idle thread holds on to nobody's rows


_thread_pool = _ThreadPool()


def _reset_after_fork() -> None:
    """A forked child has none of its parent's threads."""
    global _thread_pool
    _thread_pool = _ThreadPool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
