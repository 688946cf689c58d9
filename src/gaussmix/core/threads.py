"""A thread pool for sums: threads compute the terms, and the terms are added in their order.

The calling thread computes terms too, so a sum never waits for a busy pool. Sums may be requested from several threads
at once. A sum within a term of another sum runs in its own thread only, so that there is no deadlock.
"""

import functools
import operator
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from queue import SimpleQueue
from typing import Generic, TypeVar, cast

from gaussmix.core.blas import one_blas_thread
from gaussmix.core.cpus import default_n_threads
from gaussmix.core.reduce import T
from gaussmix.core.scalar_checks import is_integer
from gaussmix.errors import ParameterError

Item = TypeVar("Item")

_requested_n_threads: ContextVar[int | None] = ContextVar("requested_n_threads", default=None)
_is_within_sum: ContextVar[bool] = ContextVar("is_within_sum", default=False)


@contextmanager
def threads(n_threads: int | None) -> Iterator[None]:
    """Let passes over the rows use ``n_threads`` threads within the block; None means `default_n_threads`.

    The setting is local to the thread or asynchronous task. Results do not depend on it.

    Raises
    ------
    ParameterError
        If ``n_threads`` is not a whole number of at least 1.
    """
    if n_threads is not None and not is_integer(n_threads, 1):
        raise ParameterError.invalid_value("threads", n_threads, "a whole number of at least 1, or None")
    token = _requested_n_threads.set(n_threads)
    try:
        yield
    finally:
        _requested_n_threads.reset(token)


def available_n_threads() -> int:
    """Return the number of threads that a sum may use here: 1 within a term of another sum."""
    if _is_within_sum.get():
        return 1
    return _requested_n_threads.get() or default_n_threads()


def ordered_sum(function: Callable[[Item], T], items: Sequence[Item]) -> T:
    """Return function(items[0]) + function(items[1]) + ..., the same bit for bit for any number of threads.

    ``function`` is called from several threads at once, each in a copy of the caller's context (which holds NumPy's
    error state, for example). After an exception no further call starts. The exception of the lowest index is raised
    once the running calls have ended.
    """
    if len(items) == 1:
        return function(items[0])
    with one_blas_thread():
        n_helpers = min(available_n_threads(), len(items)) - 1
        if not n_helpers:
            return functools.reduce(operator.add, map(function, items))
        parallel_sum = _ParallelSum(function, items)
        with parallel_sum.run_helpers(n_helpers):
            parallel_sum.compute_remaining_terms()
        return parallel_sum.take_total()


@contextmanager
def helper_threads(work: Callable[[], None], n_helpers: int) -> Iterator[None]:
    """Let up to ``n_helpers`` threads of the pool call ``work`` once each within the block.

    Helpers may start late or never. At the end of the block no further one starts, and the running ones are waited for,
    so that ``work`` must end soon after the block. Its errors are dropped: whoever needs its result computes it again.
    """
    group = _HelperGroup(work)
    token = _is_within_sum.set(True)
    try:
        _thread_pool.submit_or_drop([functools.partial(copy_context().run, group.run) for _ in range(n_helpers)])
        yield
    finally:
        _is_within_sum.reset(token)
        group.close()


class _HelperGroup:
    """Threads that work beside the one that waits for them."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._condition = threading.Condition()
        self._is_closed, self._n_running = False, 0

    def run(self) -> None:
        """Work in a thread of the pool, unless the group is closed."""
        with self._condition:
            if self._is_closed:
                return
            self._n_running += 1
        try:
            with suppress(Exception):
                self._work()
        finally:
            with self._condition:
                self._n_running -= 1
                self._condition.notify_all()

    def close(self) -> None:
        """Let no further helper start, and wait for the running ones."""
        with self._condition:
            self._is_closed = True
            while self._n_running:
                self._condition.wait()


class _ParallelSum(Generic[Item, T]):
    """The state of one sum, shared by the threads that compute it."""

    def __init__(self, function: Callable[[Item], T], items: Sequence[Item]) -> None:
        self._function, self._items, self._n_terms = function, items, len(items)
        self._condition = threading.Condition()
        self._n_started = self._n_added = self._n_helpers = 0
        self._pending_terms: dict[int, T] = {}  # terms whose predecessors are not added yet
        self._total: T | None = None
        self._failure: tuple[bool, int, BaseException] | None = None

    @contextmanager
    def run_helpers(self, n_helpers: int) -> Iterator[None]:
        """Let threads of the pool compute terms within the block; all of them have stopped at its end."""
        token = _is_within_sum.set(True)
        try:
            _thread_pool.submit_or_drop(
                [functools.partial(copy_context().run, self._run_helper) for _ in range(n_helpers)]
            )
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
            self._failure = None  # the traceback refers to this frame; a reference cycle would keep the rows alive

    def _run_helper(self) -> None:
        """Compute terms in a thread of the pool; a late thread finds none left."""
        with self._condition:
            self._n_helpers += 1
        self.compute_remaining_terms()
        with self._condition:
            self._n_helpers -= 1
            self._condition.notify_all()

    def compute_remaining_terms(self) -> None:
        """Compute and add terms in this thread until none is left."""
        while (term := self._take_next_term()) is not None:
            try:
                self._add_in_order(term, self._function(self._items[term]))
            except BaseException as error:
                self._record_failure(term, error)

    def _take_next_term(self) -> int | None:
        """Return the index of the next term and count it as started; None if all are started."""
        with self._condition:
            if self._n_started == self._n_terms:
                return None
            self._n_started += 1
            return self._n_started - 1

    def _add_in_order(self, term: int, value: T) -> None:
        """Store the value of a term, and add all stored terms whose predecessors are added to the total."""
        with self._condition:
            self._pending_terms[term] = value
            while self._n_added in self._pending_terms:
                next_value = self._pending_terms.pop(self._n_added)
                self._total = next_value if self._total is None else self._total + next_value
                self._n_added += 1

    def _record_failure(self, term: int, error: BaseException) -> None:
        """Let no further term start; store an interrupt rather than an error, else the error of the lowest index."""
        failure = (isinstance(error, Exception), term, error)
        with self._condition:
            self._n_started = self._n_terms
            if self._failure is None or failure[:2] < self._failure[:2]:
                self._failure = failure

    def _stop_and_wait(self) -> None:
        """Start no further term, and wait for the running ones."""
        with self._condition:
            self._n_started = self._n_terms
            while self._n_helpers:
                self._condition.wait()


class _ThreadPool:
    """Daemon threads that wait for tasks; there are as many as were ever requested at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._n_threads = 0

    def submit_or_drop(self, tasks: list[Callable[[], None]]) -> None:
        """Queue the tasks for as many threads, starting those that are missing; drop tasks if threads cannot start."""
        with self._lock:
            try:
                while self._n_threads < len(tasks):
                    threading.Thread(target=self._run_tasks_forever, name="gaussmix", daemon=True).start()
                    self._n_threads += 1
            except RuntimeError:  # the system allows no more threads, or Python is shutting down
                del tasks[self._n_threads :]
        for task in tasks:
            self._tasks.put(task)

    def _run_tasks_forever(self) -> None:
        """Run queued tasks for ever in a daemon thread; tasks must not raise."""
        while True:
            task = self._tasks.get()
            task()
            del task  # an idle thread keeps no rows alive


_thread_pool = _ThreadPool()


def _reset_after_fork() -> None:
    """Make a new pool in a forked child, which has none of its parent's threads."""
    global _thread_pool
    _thread_pool = _ThreadPool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
