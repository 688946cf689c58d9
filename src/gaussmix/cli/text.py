"""Numbers and tables as plain text: four significant digits, aligned, never wider than the terminal."""

import math
import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

from gaussmix.cli.console import width

_LABEL_WIDTH = 24


def number(value: float, digits: int = 4) -> str:
    """A number to some significant digits; whole digits are never dropped below ten million."""
    if value == 0:
        return "0"
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])
    if -4 <= exponent < max(7, digits):
        return f"{value:.{max(0, digits - 1 - exponent)}f}"
    return f"{value:.{digits - 1}e}"


def digits_for(size: float, spread: float) -> int:
    """Significant digits for values of a size so that two digits of their spread show: four or more."""
    if size == 0 or spread == 0:
        return 4
    return min(max(4, math.floor(math.log10(size)) - math.floor(math.log10(spread)) + 2), 15)


def percent(share: float) -> str:
    """A share of one in per cent: '16.9%'."""
    return f"{100 * share:.1f}%"


def plural(count: int, noun: str) -> str:
    """'1 row', '2 rows'."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def label(name: str) -> str:
    """A column's name on one line and not too long."""
    shown = "".join(c if c.isprintable() else " " for c in name)
    return shown if cell_len(shown) <= _LABEL_WIDTH else set_cell_size(shown, _LABEL_WIDTH - 3) + "..."


def clipped(text: str, room: int) -> str:
    """A text in as many places as there are, with dots for what does not fit."""
    return text if cell_len(text) <= room else set_cell_size(text, max(0, room - 3)) + "..."[: max(0, room)]


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names with commas between them, the first few of many."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"... ({len(names)} in all)")
    return ", ".join(shown)


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for, one pair a line, wrapped beside the name."""
    shown = list(pairs)
    indent = max(len(name) for name, _ in shown) + 2
    return "\n".join(
        textwrap.fill(
            f"{name:<{indent}}{what}",
            width(),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, what in shown
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a header, the first column to the left and the others to the right.

    Where the columns do not fit beside each other they stand in blocks, each with the first column.
    """
    columns = list(zip(header, *rows, strict=True))
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    blocks: list[list[int]] = []
    room = 0
    for index in range(1, len(columns)):
        if not blocks or room < widths[index] + 2:
            blocks.append([])
            room = width() - widths[0]
        blocks[-1].append(index)
        room -= widths[index] + 2
    return "\n\n".join(_block([columns[0], *(columns[i] for i in block)]) for block in blocks or [[]])


def _block(columns: Sequence[Sequence[str]]) -> str:
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    lines = []
    for cells in zip(*columns, strict=True):
        first = set_cell_size(cells[0], widths[0])
        others = [" " * (wide - cell_len(cell)) + cell for cell, wide in zip(cells[1:], widths[1:], strict=True)]
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join(lines)
