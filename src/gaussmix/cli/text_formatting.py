"""Numbers, lists and tables as plain text for a terminal."""

import math
import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

from gaussmix.cli.console import terminal_width

_MAX_COLUMN_NAME_WIDTH = 24


MAX_NAMES_SHOWN = 8  # of a list of column names


def format_number(value: float, significant_digits: int = 4) -> str:
    """Return a number with this many significant digits; below ten million, all integer digits are kept."""
    if value == 0:
        return "0"
    exponent = int(f"{value:.{significant_digits - 1}e}".split("e")[1])
    if -4 <= exponent < max(7, significant_digits):
        return f"{value:.{max(0, significant_digits - 1 - exponent)}f}"
    return f"{value:.{significant_digits - 1}e}"


def format_row_count(value: float) -> str:
    """Return a number of rows, as a whole number if it is one; weights may make it fractional."""
    return f"{value:.0f}" if float(value).is_integer() else format_number(value)


def replace_noise_by_zero(mean: float, deviation: float) -> float:
    """Return a mean, or 0 if it is below a thousandth of its standard deviation, where its digits are noise."""
    return 0.0 if abs(mean) < 1e-3 * deviation else mean


def choose_significant_digits(magnitude: float, spread: float) -> int:
    """Return the significant digits, 4 to 15, that show two digits of ``spread`` for values of this magnitude."""
    if magnitude == 0 or spread == 0:
        return 4
    return min(max(4, math.floor(math.log10(magnitude)) - math.floor(math.log10(spread)) + 2), 15)


def format_percent(fraction: float) -> str:
    """Return a fraction as a percentage: '16.9%'."""
    return f"{100 * fraction:.1f}%"


def format_column_name(name: str) -> str:
    """Return a column's name on one line, truncated to 24 characters."""
    return truncate_text("".join(c if c.isprintable() else " " for c in name), _MAX_COLUMN_NAME_WIDTH)


def truncate_text(text: str, max_width: int) -> str:
    """Return the text; dots replace what exceeds ``max_width``."""
    return (
        text if cell_len(text) <= max_width else set_cell_size(text, max(0, max_width - 3)) + "..."[: max(0, max_width)]
    )


def format_fields(pairs: Iterable[tuple[str, str]]) -> str:
    """Return one line per pair of name and text; long texts wrap beside the name."""
    fields = list(pairs)
    indent = max(len(name) for name, _ in fields) + 2
    return "\n".join(
        textwrap.fill(
            f"{name:<{indent}}{text}",
            terminal_width(),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in fields
    )


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned rows under a header: the first column to the left, the others to the right.

    A table wider than the terminal is split into blocks that all have the first column.
    """
    columns = list(zip(header, *rows, strict=True))
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    blocks: list[list[int]] = []
    free_width = 0
    for index in range(1, len(columns)):
        if not blocks or free_width < widths[index] + 2:
            blocks.append([])
            free_width = terminal_width() - widths[0]
        blocks[-1].append(index)
        free_width -= widths[index] + 2
    return "\n\n".join(_format_table_block([columns[0], *(columns[i] for i in block)]) for block in blocks or [[]])


def _format_table_block(columns: Sequence[Sequence[str]]) -> str:
    """Return columns of cells, headers first, as lines: the first column to the left, the others to the right."""
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    lines = []
    for cells in zip(*columns, strict=True):
        first = set_cell_size(cells[0], widths[0])
        others = [" " * (width - cell_len(cell)) + cell for cell, width in zip(cells[1:], widths[1:], strict=True)]
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join(lines)
