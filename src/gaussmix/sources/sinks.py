"""Where results per row go: a task writes those of its batch, and the caller finishes."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from gaussmix.errors import SourceError
from gaussmix.types import AnyArray

UnstoredBlocks = tuple[tuple[int, AnyArray], ...]
# Results that travel back to the caller: position of the first row, values. Tuples add.


class AbstractSink(ABC):
    """A place for one result per row; sinks are picklable, since tasks carry them to where the rows are."""

    @abstractmethod
    def write(self, first_row: int, values: AnyArray) -> UnstoredBlocks:
        """Store the results of consecutive rows; return those that cannot be stored in this process, usually none."""

    @abstractmethod
    def finish(self, unstored_blocks: UnstoredBlocks) -> Any:
        """Return the results of all rows, given the concatenation of everything that `write` returned."""


class ArraySink(AbstractSink):
    """An array of all results; filled in place where its memory is at hand, else from what comes back.

    Parameters
    ----------
    n_rows : int or None
        Number of rows; None if it is not known before the pass.
    row_shape : tuple of int
        Shape of the result of one row.
    dtype : dtype, default=float64
    """

    def __init__(self, n_rows: int | None, row_shape: tuple[int, ...] = (), dtype: DTypeLike = np.float64) -> None:
        self._row_shape, self._dtype = row_shape, dtype
        self._array = None if n_rows is None else np.empty((n_rows, *row_shape), dtype)
        self._written: list[tuple[int, int]] = []  # first row and number of rows of each block in the array

    def __getstate__(self) -> dict[str, Any]:
        # A copy in another process cannot fill the caller's array.
        return {**self.__dict__, "_array": None, "_written": []}

    def buffer(self, first_row: int, n_rows: int) -> AnyArray | None:
        """Return a writable view of the results of some rows; None if the array is in another process or not made.

        Raises
        ------
        SourceError
            If the array has no such rows.
        """
        if self._array is None:
            return None
        if first_row < 0 or first_row + n_rows > len(self._array):
            raise SourceError.rows_out_of_range(first_row, n_rows, len(self._array))
        return self._array[first_row : first_row + n_rows]

    def write(self, first_row: int, values: AnyArray) -> UnstoredBlocks:
        """Store the results of consecutive rows, or return them where the caller's memory is elsewhere."""
        place = self.buffer(first_row, len(values))
        if place is None:
            return ((first_row, values),)
        self._written.append((first_row, len(values)))
        place[...] = values
        return ()

    def finish(self, unstored_blocks: UnstoredBlocks) -> AnyArray:
        """Return the array of all results.

        Raises
        ------
        SourceError
            If a row has no result or several: ``first_row`` of a batch is wrong, or the source has other rows.
        """
        blocks = [(first_row, len(values)) for first_row, values in unstored_blocks]
        n_rows = _count_consecutive_rows(sorted(self._written + blocks))
        if self._array is not None and n_rows != len(self._array):
            raise SourceError.wrong_n_results(n_rows, len(self._array))
        if self._array is None:
            return np.concatenate(
                [np.empty((0, *self._row_shape), self._dtype), *(values for _, values in unstored_blocks)]
            )
        for first_row, values in unstored_blocks:
            self._array[first_row : first_row + len(values)] = values
        return self._array


def _count_consecutive_rows(blocks: list[tuple[int, int]]) -> int:
    """Return the number of rows of blocks (first row, number of rows), after a check that they follow one another."""
    n_rows = 0
    for first_row, n_block_rows in blocks:
        if first_row != n_rows:
            raise SourceError.rows_not_consecutive(first_row, n_rows)
        n_rows += n_block_rows
    return n_rows
