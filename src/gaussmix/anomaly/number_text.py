"""Numbers in sentences: as many digits as a standard deviation makes meaningful."""

import math

_OWN_VALUE_DIGITS = 5  # of a value that the user wrote; digits before the decimal point are all kept
_MAX_DIGITS = 15
_FIXED_POINT_EXPONENTS = range(-5, 10)


def rounding_exponent(deviation: float, n_digits: int = 3) -> int:
    """Return the power of ten to which values round so that ``deviation`` keeps ``n_digits`` digits."""
    return _decimal_exponent(deviation) - n_digits + 1


def format_value(value: float, deviation: float) -> str:
    """Return a value to a hundredth of its standard deviation, without trailing zeros: '5210', '0.31'."""
    return _format_at(value, rounding_exponent(deviation) if deviation > 0 else _decimal_exponent(value) - 5)


def format_own_value(value: float, deviation: float) -> str:
    """Return a value of the user with at least five significant digits, and more if ``deviation`` is small."""
    exponent = min(_decimal_exponent(value) - _OWN_VALUE_DIGITS + 1, 0)
    return _format_at(value, min(exponent, rounding_exponent(deviation)) if deviation > 0 else exponent)


def round_onward(start: float, end: float, scale: float | None = None) -> float:
    """Return ``end``, rounded to about a hundredth of ``scale``, by default of the change, further from ``start``."""
    if start == end:
        return end
    exponent = rounding_exponent(abs(end - start) if scale is None else scale)
    if abs(end) >= 10.0 ** min(exponent + _MAX_DIGITS, 300) or not -290 < exponent < 290:
        return end
    steps = end / 10.0**exponent
    return round((math.ceil(steps) if end > start else math.floor(steps)) * 10.0**exponent, -exponent)


def format_sd(z: float) -> str:
    """Return the size of a z value: '4.1 sd', '12 sd', '2e+06 sd'; 'more than 1e+99 sd' where sizes are limited."""
    size = abs(z)
    if size > 1e99:
        return "more than 1e+99 sd"
    return f"{size:.1f} sd" if size < 9.95 else f"{size:.0f} sd" if size < 1e5 else f"{size:.1g} sd"


def format_percent(probability: float) -> str:
    """Return a probability as '41%', '0.3%' or 'less than 0.001%'."""
    percent = 100.0 * probability
    if percent < 0.001:
        return "less than 0.001%"
    return f"{percent:.0f}%" if percent >= 9.5 else f"{percent:.1g}%"


def _format_at(value: float, exponent: int) -> str:
    """Return a value rounded to a power of ten, as a fixed-point number if it is neither huge nor tiny."""
    size = _decimal_exponent(value)
    exponent = max(exponent, size - _MAX_DIGITS + 1)
    if value == 0 or size < exponent - 1 or abs(value) < 0.5 * 10.0 ** max(exponent, -300):
        return "0"
    if size not in _FIXED_POINT_EXPONENTS:
        mantissa, power = f"{value:.{max(0, min(size - exponent, _MAX_DIGITS - 1))}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{power}"
    text = f"{round(value, -exponent):.{max(0, -exponent)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _decimal_exponent(value: float) -> int:
    """Return the power of ten of the first significant digit; 0 for zero."""
    return math.floor(math.log10(abs(value))) if value else 0
