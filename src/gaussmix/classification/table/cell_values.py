"""Single cells of tables as Python values: text, bool, int, float, or None where the cell is missing."""

import math
import numbers
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from gaussmix.errors import TableColumnError

CellValue = str | bool | int | float
_UNUSABLE_TYPES = (list, tuple, dict, set, frozenset, np.ndarray, bytes, complex, np.complexfloating)
_MISSING_NUMBER_TEXTS = frozenset({"na", "nan", "null"})  # beside numbers written as text


def normalize_value(value: object, column: str) -> CellValue | None:
    """Return a cell as text, bool, int or float; None where it is missing: None, NaN, NaT, NA or a blank text.

    Whole numbers are integers, so that 1 and 1.0 are equal also when they are printed. Dates, intervals and other
    objects become text.

    Raises
    ------
    DataTypeError
        If the cell holds several values, bytes or a complex number.
    """
    if value is None or _differs_from_itself(value):
        return None
    if isinstance(value, str):
        return str(value) if value.strip() else None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real | Decimal):
        number = float(value)
        return int(number) if number.is_integer() else number
    if isinstance(value, _UNUSABLE_TYPES):
        raise TableColumnError.unusable_cell(column, value)
    return str(value)


def _differs_from_itself(value: object) -> bool:
    """Return whether a value is NaN or NaT, which differ from themselves, or NA, which has no truth value."""
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # arrays have several truth values
        return not isinstance(value, _UNUSABLE_TYPES)


def parse_number(text: str) -> float | None:
    """Return a text as a number, NaN for 'NA', 'NaN' and 'null'; None if it is neither."""
    stripped = text.strip()
    if stripped.lower() in _MISSING_NUMBER_TEXTS:
        return math.nan
    if "_" in stripped:  # Python reads '1_000' as a number
        return None
    try:
        return float(stripped)
    except ValueError:
        return None


def parse_numbers(values: Sequence[CellValue]) -> list[float] | None:
    """Return values as floats if each is a number or a text that is one; else None."""
    parsed: list[float] = []
    for value in values:
        number = parse_number(value) if isinstance(value, str) else None if isinstance(value, bool) else float(value)
        if number is None:
            return None
        parsed.append(number)
    return parsed
