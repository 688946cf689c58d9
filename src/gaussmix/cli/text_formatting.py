"""Numbers and tables as plain text: four significant digits, aligned, never wider than the terminal."""

import math
import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

from gaussmix.cli.console import terminal_width

_MAX_COLUMN_NAME_WIDTH = 24


def format_number(value: float, significant_digits: int = 4) -> str:
    """A number to some significant digits; whole digits are never dropped below ten million."""
    if value == 0:
        return "0"
    exponent = int(f"{value:.{significant_digits - 1}e}".split("e")[1])
    if -4 <= exponent < max(7, significant_digits):
        return f"{value:.{max(0, significant_digits - 1 - exponent)}f}"
    return f"{value:.{significant_digits - 1}e}"


def choose_significant_digits(magnitude: float, spread: float) -> int:
    """Significant digits for values of a size so that two digits of their spread show: four or more."""
    if magnitude == 0 or spread == 0:
        return 4
    return min(max(4, math.floor(math.log10(magnitude)) - math.floor(math.log10(spread)) + 2), 15)


def format_percent(fraction: float) -> str:
    """A share of one in per cent: '16.9%'."""
    return f"{100 * fraction:.1f}%"


def format_count(count: int, noun: str) -> str:
    """'1 row', '2 rows'."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def format_column_name(name: str) -> str:
    """A column's name on one line and not too long."""
    shown = "".join(c if c.isprintable() else " " for c in name)
    return (
        shown if cell_len(shown) <= _MAX_COLUMN_NAME_WIDTH else set_cell_size(shown, _MAX_COLUMN_NAME_WIDTH - 3) + "..."
    )


def truncate_text(text: str, max_width: int) -> str:
    """A text in as many places as there are, with dots for what does not fit."""
    return (
        text if cell_len(text) <= max_width else set_cell_size(text, max(0, max_width - 3)) + "..."[: max(0, max_width)]
    )


def join_names(names: Sequence[str], max_names: int = 8) -> str:
    """Names with commas between them, the first few of many."""
    shown = list(names[:max_names])
    if len(names) > max_names:
        shown.append(f"... ({len(names)} in all)")
    return ", ".join(shown)


def format_fields(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for, one pair a line, wrapped beside the name."""
    shown = list(pairs)
    indent = max(len(name) for name, _ in shown) + 2
    return "\n".join(
        textwrap.fill(
            f"{name:<{indent}}{what}",
            terminal_width(),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, what in shown
    )


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
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
            room = terminal_width() - widths[0]
        blocks[-1].append(index)
        room -= widths[index] + 2
    return "\n\n".join(_format_table_block([columns[0], *(columns[i] for i in block)]) for block in blocks or [[]])


def _format_table_block(columns: Sequence[Sequence[str]]) -> str:
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    lines = []
    for cells in zip(*columns, strict=True):
        first = set_cell_size(cells[0], widths[0])
        others = [" " * (wide - cell_len(cell)) + cell for cell, wide in zip(cells[1:], widths[1:], strict=True)]
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join(lines)
