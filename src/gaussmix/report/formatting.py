"""Numbers as a reader wants them: four significant digits, thin spaces between thousands, a true minus."""

import math
from collections.abc import Sequence, Sized

_THIN_SPACE, _MINUS_SIGN = "\u202f", "\N{MINUS SIGN}"
_SIGNIFICANT_DIGITS, _DEVIATION_DIGITS = 4, 3
_MAX_DIGITS = 15


def format_number(value: float | None, n_digits: int = _SIGNIFICANT_DIGITS) -> str:
    """A number to some significant digits: '2.036', '12 346', '1.235e-150'; nothing for None."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value).replace("-", _MINUS_SIGN)
    power = _decimal_exponent(value)
    if value and not -4 < power < 9:
        mantissa, _, exponent = f"{value:.{n_digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", _MINUS_SIGN)
    return format_decimals(value, max(0, n_digits - 1 - power))


def format_decimals(value: float, n_decimals: int) -> str:
    """A number with so many decimals; what rounds to zero has no sign."""
    text = f"{value:,.{n_decimals}f}"
    return text.lstrip("-" if not text.strip("-0.,") else "").replace(",", _THIN_SPACE).replace("-", _MINUS_SIGN)


def format_score(value: float | None) -> str:
    """A criterion or log-likelihood: two decimals, unless they are too few or too many to say anything."""
    if value is None or value == 0.0 or 0.005 <= abs(value) < 1e10:
        return "" if value is None else format_decimals(value, 2)
    return format_number(value, 7 if abs(value) > 1.0 else _SIGNIFICANT_DIGITS)


def format_percent(fraction: float | None, n_decimals: int = 1) -> str:
    """A share as a percentage; never '0.0 %' for something, nor '100.0 %' for less than all."""
    if fraction is None:
        return ""
    if 0.0 < fraction < 0.0005:
        return f"<{_THIN_SPACE}0.1{_THIN_SPACE}%"
    return (
        f">{_THIN_SPACE}99.9{_THIN_SPACE}%"
        if 0.9995 <= fraction < 1.0
        else f"{100.0 * fraction:.{n_decimals}f}{_THIN_SPACE}%"
    )


def format_means_with_deviations(means: Sequence[float], deviations: Sequence[float]) -> tuple[list[str], int]:
    """'mean ± deviation' with equal decimals, and the power of ten that all are to be multiplied by.

    The decimals are those that give the median deviation three digits, so that means far from zero
    keep the digits that tell them apart.
    """
    size = max([abs(value) for value in means] + list(deviations), default=0.0)
    exponent = _decimal_exponent(size) if not -4 < _decimal_exponent(size) < 10 else 0
    middle = _decimal_exponent(sorted(deviations)[len(deviations) // 2]) - exponent
    decimals = min(max(0, _DEVIATION_DIGITS - 1 - middle), max(0, _MAX_DIGITS - 1 - _decimal_exponent(size) + exponent))
    shown = [
        (_divide_by_power_of_ten(value, exponent), _divide_by_power_of_ten(spread, exponent))
        for value, spread in zip(means, deviations, strict=True)
    ]
    texts = [f"{format_decimals(value, decimals)} ± {_format_deviation(spread, decimals)}" for value, spread in shown]
    return texts, exponent


def _format_deviation(deviation: float, n_decimals: int) -> str:
    """A deviation that would round to nothing is written by its own digits."""
    return (
        format_decimals(deviation, n_decimals)
        if deviation == 0 or deviation >= 10.0 ** (1 - n_decimals)
        else format_number(deviation, 2)
    )


def _divide_by_power_of_ten(value: float, exponent: int) -> float:
    half = -exponent // 2
    return value * 10.0**half * 10.0 ** (-exponent - half)


def _decimal_exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def pluralize(name: str, items: Sized) -> str:
    """The name for so many things: 'component' for one, 'components' for more."""
    return name if len(items) == 1 else f"{name}s"


def join_words(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
