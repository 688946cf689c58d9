"""Format numbers for a report: four significant digits, thin spaces between thousands, a minus sign."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_THIN_SPACE, _MINUS_SIGN = "\u202f", "\N{MINUS SIGN}"
_SIGNIFICANT_DIGITS, _DEVIATION_DIGITS = 4, 3
_MAX_DIGITS = 15


def format_number(value: float | None, n_significant_digits: int = _SIGNIFICANT_DIGITS) -> str:
    """Format a number to ``n_significant_digits`` significant digits: '2.036', '12 346', '1.235e-150'; '' for None."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value).replace("-", _MINUS_SIGN)
    power = _decimal_exponent(value)
    if value and not -4 < power < 9:
        mantissa, _, exponent = f"{value:.{n_significant_digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", _MINUS_SIGN)
    return format_decimals(value, max(0, n_significant_digits - 1 - power))


def format_decimals(value: float, n_decimals: int) -> str:
    """Format a number with ``n_decimals`` decimals, and without a sign if it rounds to zero."""
    text = f"{value:,.{n_decimals}f}"
    return text.lstrip("-" if not text.strip("-0.,") else "").replace(",", _THIN_SPACE).replace("-", _MINUS_SIGN)


def format_score(value: float | None) -> str:
    """Format a criterion or log-likelihood with two decimals; very small and huge ones with significant digits."""
    if value is None or value == 0.0 or 0.005 <= abs(value) < 1e10:
        return "" if value is None else format_decimals(value, 2)
    return format_number(value, 7 if abs(value) > 1.0 else _SIGNIFICANT_DIGITS)


def format_percent(fraction: float | None, n_decimals: int = 1) -> str:
    """Format a fraction as a percentage, with '<0.1 %' and '>99.9 %' for values that would round to 0 or 100."""
    if fraction is None:
        return ""
    if 0.0 < fraction < 0.0005:
        return f"<{_THIN_SPACE}0.1{_THIN_SPACE}%"
    if 0.9995 <= fraction < 1.0:
        return f">{_THIN_SPACE}99.9{_THIN_SPACE}%"
    return f"{100.0 * fraction:.{n_decimals}f}{_THIN_SPACE}%"


def format_mean(mean: float, deviation: float) -> str:
    """Format a mean with the decimals that show two digits of its standard deviation: '54.5' for 54.49 ± 5.8."""
    size = max(abs(mean), deviation)
    power = _decimal_exponent(size)
    n_digits = power - _decimal_exponent(deviation) + 2 if deviation else _SIGNIFICANT_DIGITS
    if not -4 < power < 10:
        return format_number(mean, min(max(n_digits, 2), _MAX_DIGITS))
    return format_decimals(mean, min(max(0, n_digits - 1 - power), max(0, _MAX_DIGITS - 1 - power)))


class MeanTexts(NamedTuple):
    """Texts such as '54.49 ± 5.80', to be multiplied by ``10**exponent``."""

    texts: list[str]
    exponent: int


def format_means_with_deviations(means: Sequence[float], deviations: Sequence[float]) -> MeanTexts:
    """Return one text per mean, such as '54.49 ± 5.80', with equal decimals, and the power of ten of all.

    The median deviation has three digits, so that means far from zero keep the digits in which they differ.
    """
    size = max([abs(value) for value in means] + list(deviations), default=0.0)
    exponent = _decimal_exponent(size) if not -4 < _decimal_exponent(size) < 10 else 0
    median_exponent = _decimal_exponent(sorted(deviations)[len(deviations) // 2]) - exponent
    max_decimals = max(0, _MAX_DIGITS - 1 - _decimal_exponent(size) + exponent)
    n_decimals = min(max(0, _DEVIATION_DIGITS - 1 - median_exponent), max_decimals)
    pairs = [
        (_divide_by_power_of_ten(mean, exponent), _divide_by_power_of_ten(deviation, exponent))
        for mean, deviation in zip(means, deviations, strict=True)
    ]
    texts = [f"{format_decimals(mean, n_decimals)} ± {_format_deviation(sd, n_decimals)}" for mean, sd in pairs]
    return MeanTexts(texts, exponent)


def _format_deviation(deviation: float, n_decimals: int) -> str:
    """Format a deviation with ``n_decimals``, or with two significant digits if it would round to zero."""
    is_visible = deviation == 0 or deviation >= 10.0 ** (1 - n_decimals)
    return format_decimals(deviation, n_decimals) if is_visible else format_number(deviation, 2)


def _divide_by_power_of_ten(value: float, exponent: int) -> float:
    """Return ``value / 10**exponent``, divided in two steps, so that no power of ten overflows."""
    half = -exponent // 2
    return value * 10.0**half * 10.0 ** (-exponent - half)


def _decimal_exponent(value: float) -> int:
    """Return the exponent of the leading decimal digit, such as 3 for -2500; 0 for 0."""
    return math.floor(math.log10(abs(value))) if value else 0
