"""Independent fits at once: tasks run in threads, and their results come back in the order of the tasks."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Event
from typing import TypeVar

from gaussmix.core.threads import available_n_threads, threads

T = TypeVar("T")

# Tasks that a thread takes at a time, and how often at least a thread takes some, so that all end at about one time.
_MAX_TASKS_AT_A_TIME, _MIN_TURNS_PER_WORKER = 7, 8

# With more rows, the processors share the rows of one fit instead of computing several fits at once.
MAX_ROWS_FOR_PARALLEL_FITS = 100_000


def default_n_workers(n_rows: int) -> int:
    """Return how many fits of ``n_rows`` rows should run at once: as many as there are processors, or one."""
    return 1 if n_rows > MAX_ROWS_FOR_PARALLEL_FITS else available_n_threads()


def iterate_results(tasks: Iterable[Callable[[], T]], n_workers: int) -> Iterator[T]:
    """Yield the results of tasks in their order; ``n_workers`` of them run at once, each in one thread.

    All tasks are made before the first one runs. A thread takes several at a time, because tasks may take less than a
    millisecond. An interrupt waits for running tasks only.
    """
    if n_workers == 1:
        yield from (task() for task in tasks)
        return
    all_tasks, is_cancelled = list(tasks), Event()
    n_at_a_time = max(1, min(_MAX_TASKS_AT_A_TIME, len(all_tasks) // (_MIN_TURNS_PER_WORKER * n_workers)))
    chunks = [all_tasks[start : start + n_at_a_time] for start in range(0, len(all_tasks), n_at_a_time)]

    def run_unless_cancelled(chunk: list[Callable[[], T]]) -> list[T]:
        return [task() for task in chunk if not is_cancelled.is_set()]

    with ThreadPoolExecutor(n_workers) as pool, threads(1):
        try:
            for future in [pool.submit(copy_context().run, run_unless_cancelled, chunk) for chunk in chunks]:
                yield from future.result()
        except BaseException:
            is_cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
