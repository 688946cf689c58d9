"""Checks of scalar parameters: bools, integers and real numbers of Python and NumPy."""

import numbers

import numpy as np

from gaussmix.errors import ParameterError


def is_bool(value: object) -> bool:
    """Return whether a value is a bool of Python or NumPy."""
    return isinstance(value, bool | np.bool_)


def is_integer(value: object, minimum: int) -> bool:
    """Return whether a value is an integer of at least ``minimum``, and not a bool."""
    if type(value) is int:  # asking abstract classes takes longer
        return value >= minimum
    return isinstance(value, numbers.Integral) and not is_bool(value) and int(value) >= minimum


def require_integer(parameter_name: str, value: object, minimum: int) -> int:
    """Return the value as an int; raise ParameterError unless it is an integer of at least ``minimum``."""
    if not is_integer(value, minimum):
        raise ParameterError.invalid_value(parameter_name, value, f"a whole number of at least {minimum}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def is_real_number(value: object) -> bool:
    """Return whether a value is a real number, and not a bool."""
    return isinstance(value, numbers.Real) and not is_bool(value)


def is_number_in(value: object, low: float, high: float, includes_low: bool = False) -> bool:
    """Return whether a value is a real number above ``low`` (or equal, if ``includes_low``) and below ``high``."""
    if not is_real_number(value):
        return False
    number = float(value)  # type: ignore[arg-type]
    return (low <= number if includes_low else low < number) and number < high
