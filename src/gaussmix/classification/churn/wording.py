"""Numbers, rates and conditions in sentences for people who decide."""

from collections.abc import Sequence

from gaussmix.classification.table.cell_values import CellValue

_QUOTED_CHARACTERS = frozenset(",;=()\"'")
_MIN_WHOLE_PERCENT = 9.5
_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-4, 1e9  # sizes of numbers that are written without an exponent


def format_number(value: float) -> str:
    """Return a number with three significant digits, and numbers from 100 to 1e9 without decimals: '0.063', '1,397'."""
    size = abs(value)
    if not (size == 0.0 or _SMALLEST_PLAIN <= size < _LARGEST_PLAIN):
        return f"{value:.3g}"
    return f"{value:,.0f}" if size >= 100.0 else f"{float(f'{value:.3g}'):.10g}"


def format_percent(fraction: float) -> str:
    """Return a fraction as '61%', '4.2%' or '0.31%'."""
    return f"{format_per_hundred(fraction)}%"


def format_per_hundred(fraction: float) -> str:
    """Return how many of a hundred a fraction is: '61', '4.2', '0.31'."""
    percent = 100.0 * fraction
    if percent >= _MIN_WHOLE_PERCENT:
        return f"{percent:.0f}"
    return f"{float(f'{percent:.2g}'):.10g}" if percent >= 0.01 else "0" if percent == 0.0 else "less than 0.01"


def format_count(count: float) -> str:
    """Return a number of customers as a whole number with commas; fractions of weights are rounded."""
    return f"{count:,.0f}"


def format_cell(value: CellValue | None) -> str:
    """Return a cell as text: a number, a level with quotes where they are needed, or 'missing'."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return format_number(value)
    needs_quotes = value != value.strip() or bool(_QUOTED_CHARACTERS & set(value))
    return repr(value) if needs_quotes else value


def format_condition(column: str, value: CellValue | None) -> str:
    """Return 'contract = Month-to-month'."""
    return f"{column} = {format_cell(value)}"


def shorten_list(parts: Sequence[str], maximum: int) -> str:
    """Return the first parts, separated by commas, and how many more there are."""
    more = len(parts) - maximum
    return ", ".join([*parts[:maximum], *([f"{more} more"] if more > 0 else [])])
