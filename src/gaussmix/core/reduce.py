"""``Reduce``: one pass over the rows, seen from the side that does the arithmetic."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from gaussmix.core.batch import Batch


class SupportsAdd(Protocol):
    """A value that adds to its like: statistics, expectations, column ranges, counts."""

    def __add__(self, other: Any, /) -> Any: ...


T = TypeVar("T", bound=SupportsAdd)


class SupportsReduce(Protocol):
    """What can pass over rows: it hands every batch to a task and adds up what the task returns, first to last.

    The task may be called from several threads or processes at once; the sum is always the same bit for bit. A task
    with an attribute ``n_preferred_rows`` computes batches of that many rows at the least cost per row.
    """

    def reduce(self, task: Callable[[Batch], T], /) -> T:
        """Return task(first batch) + task(second batch) + ..."""
        ...
