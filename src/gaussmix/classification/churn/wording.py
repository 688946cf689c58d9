"""Numbers, rates and conditions in sentences for people who decide."""

from collections.abc import Sequence

from gaussmix.classification.table.cell_values import CellValue
from gaussmix.classification.table.encoded_columns import CategoricalColumn
from gaussmix.classification.table.table_schema import TableSchema

_QUOTED_CHARACTERS = frozenset(",;=()\"'")
_MIN_WHOLE_PERCENT = 9.5


def format_number(value: float) -> str:
    """Return a number with three significant digits, and whole numbers up to 99,999 with all: '3', '0.0625', '1,397'."""
    if value == int(value) and abs(value) < 1e5 if abs(value) < 1e15 else False:
        return f"{int(value):,}"
    if abs(value) >= 1e15 or 0.0 < abs(value) < 1e-4:
        return f"{value:.3g}"
    return f"{float(f'{value:.3g}'):,.10g}" if abs(value) < 1000.0 else f"{value:,.0f}"


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


def level_conditions(schema: TableSchema, column: CategoricalColumn) -> tuple[str, ...]:
    """Return a condition for each level of an encoded column, in terms of the columns of the table.

    An encoded column that says whether a column of the table has some value is 'plan = No' or 'plan is not No'.
    """
    if column.name in schema.input_columns or column.levels != (False, True):
        return tuple(format_condition(column.name, level) for level in column.levels)
    reading = column.readings[0]
    values = next((reader.values for reader in schema.readers if reader.name == reading.column), ())
    chosen = [values[code] for code, level in enumerate(reading.levels) if level == 1 and code < len(values)]
    if len(chosen) != 1:
        return (f"not {column.name}", column.name)
    return f"{reading.column} is not {format_cell(chosen[0])}", format_condition(reading.column, chosen[0])


def shorten_list(parts: Sequence[str], maximum: int) -> str:
    """Return the first parts, separated by commas, and how many more there are."""
    more = len(parts) - maximum
    return ", ".join([*parts[:maximum], *([f"{more} more"] if more > 0 else [])])
