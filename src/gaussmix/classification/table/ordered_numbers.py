"""``OrderedNumbers``: numbers that are categories in an order, such as counts: their levels and their names."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gaussmix.errors import UnknownNumbers


@dataclass(frozen=True)
class OrderedNumbers:
    """The numbers of a column in a fit. A level is one of them, or several neighbours.

    Attributes
    ----------
    numbers : tuple of int or float
        Ascending.
    starts : tuple of int
        Position of the first number of each level, ascending from 0.

    Raises
    ------
    ValueError
        If the numbers or the positions do not ascend.
    """

    numbers: tuple[float, ...]
    starts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Require ascending numbers and positions."""
        is_ascending = all(list(each) == sorted(set(each)) for each in (self.numbers, self.starts))
        if not (is_ascending and self.starts and self.starts[0] == 0 and self.starts[-1] < len(self.numbers)):
            raise ValueError("ordered levels need ascending numbers and positions")

    @cached_property
    def levels(self) -> tuple[float | str, ...]:
        """The names of the levels."""
        return name_levels(self.numbers, self.starts, self.numbers)

    def find_level(self, number: float) -> int:
        """Return the position of the level of the number that is nearest to a finite one; the smaller one of two."""
        return bisect_right(self.starts, self._find_position(number)) - 1

    def _find_position(self, number: float) -> int:
        """Return the position of the nearest number."""
        upper = bisect_left(self.numbers, number)
        if upper == len(self.numbers):
            return upper - 1
        if upper == 0 or self.numbers[upper] == number:
            return upper
        is_lower = number - self.numbers[upper - 1] <= self.numbers[upper] - number
        return upper - 1 if is_lower else upper

    def describe_unknown(self, n_rows_of_number: Mapping[float, int]) -> tuple[UnknownNumbers, ...]:
        """Return what unknown numbers are read as, given the rows of each; those of the same answer are together."""
        smallest, largest = self.numbers[0], self.numbers[-1]
        groups: dict[tuple[int, bool], list[float]] = {}
        for number in sorted(n_rows_of_number):
            groups.setdefault((self.find_level(number), smallest < number < largest), []).append(number)
        return tuple(
            UnknownNumbers(
                tuple(group), sum(n_rows_of_number[each] for each in group), (smallest, largest), self.levels[level]
            )
            for (level, _), group in groups.items()
        )


def name_levels(
    numbers: Sequence[float], starts: Sequence[int], known_numbers: Sequence[float]
) -> tuple[float | str, ...]:
    """Return the name of each level: its number, or a text such as '7 or more', '2 or less' and '3 to 5'.

    Parameters
    ----------
    numbers : sequence of int or float
        Ascending.
    starts : sequence of int
        Position of the first number of each level.
    known_numbers : sequence of int or float
        All numbers that the column had in the fit, ascending. Levels at their ends are open.
    """
    ends = [*starts[1:], len(numbers)]
    pairs = zip(starts, ends, strict=True)
    return tuple(_name_level(numbers[start], numbers[end - 1], known_numbers) for start, end in pairs)


def _name_level(first: float, last: float, known_numbers: Sequence[float]) -> float | str:
    """Return the name of a level from its smallest and its largest number."""
    if first == last:
        return first
    if last == known_numbers[-1]:
        return f"{first} or more"
    return f"{last} or less" if first == known_numbers[0] else f"{first} to {last}"


def find_shared_starts(readings: Sequence[Sequence[int]], n_numbers: int) -> tuple[int, ...]:
    """Return the position of the first number of each level that no encoded column divides.

    Parameters
    ----------
    readings : sequence of sequence of int
        For each encoded column, what it reads each number (n_numbers,) as.
    n_numbers : int
    """
    meanings = [tuple(reading[code] for reading in readings) for code in range(n_numbers)]
    return tuple(code for code in range(n_numbers) if code == 0 or meanings[code] != meanings[code - 1])
