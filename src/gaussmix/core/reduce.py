"""``Reduce``: what a pass over the rows is, seen from the side that does the arithmetic."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from gaussmix.core.batch import Batch


class SupportsAdd(Protocol):
    """A value that adds to its like: moments, expectations, extents, counts."""

    def __add__(self, other: Any, /) -> Any: ...


T = TypeVar("T", bound=SupportsAdd)


class Reduce(Protocol):
    """Hands every batch to a function and adds up what it returns, first batch to last.

    The function may be called from several threads at once; the sum is always the same bit for bit.
    """

    def __call__(self, function: Callable[[Batch], T], /) -> T: ...
