"""Independent fits at once: tasks run in threads, and their results come back in the order of the tasks."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from gaussmix.core.threads import available_n_threads, threads

T = TypeVar("T")

# With more rows, the processors share the rows of one fit instead of computing several fits at once.
MAX_ROWS_FOR_PARALLEL_FITS = 100_000


def default_n_workers(n_rows: int) -> int:
    """Return how many fits of ``n_rows`` rows should run at once: as many as there are processors, or one."""
    return 1 if n_rows > MAX_ROWS_FOR_PARALLEL_FITS else available_n_threads()


def iterate_results(tasks: Iterable[Callable[[], T]], n_workers: int) -> Iterator[T]:
    """Yield the results of tasks in their order; ``n_workers`` of them run at once, each in one thread.

    An interrupt waits for running tasks only.
    """
    if n_workers == 1:
        yield from (task() for task in tasks)
        return
    with ThreadPoolExecutor(n_workers) as pool, threads(1):
        try:
            for get_result in [pool.submit(copy_context().run, task).result for task in tasks]:
                yield get_result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
