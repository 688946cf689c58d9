"""Numbers as a reader wants them: four significant digits, thin spaces between thousands, a true minus."""

import math
from collections.abc import Sequence, Sized

_THIN, _MINUS = "\u202f", "\N{MINUS SIGN}"
_DIGITS, _SPREAD_DIGITS = 4, 3
_MOST_DIGITS = 15


def number(value: float | None, digits: int = _DIGITS) -> str:
    """A number to some significant digits: '2.036', '12 346', '1.235e-150'; nothing for None."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value).replace("-", _MINUS)
    power = _power(value)
    if value and not -4 < power < 9:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", _MINUS)
    return fixed(value, max(0, digits - 1 - power))


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; what rounds to zero has no sign."""
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-" if not text.strip("-0.,") else "").replace(",", _THIN).replace("-", _MINUS)


def score(value: float | None) -> str:
    """A criterion or log-likelihood: two decimals, unless they are too few or too many to say anything."""
    if value is None or value == 0.0 or 0.005 <= abs(value) < 1e10:
        return "" if value is None else fixed(value, 2)
    return number(value, 7 if abs(value) > 1.0 else _DIGITS)


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as a percentage; never '0.0 %' for something, nor '100.0 %' for less than all."""
    if share is None:
        return ""
    if 0.0 < share < 0.0005:
        return f"<{_THIN}0.1{_THIN}%"
    return f">{_THIN}99.9{_THIN}%" if 0.9995 <= share < 1.0 else f"{100.0 * share:.{decimals}f}{_THIN}%"


def with_spread(values: Sequence[float], spreads: Sequence[float]) -> tuple[list[str], int]:
    """'mean ± deviation' with equal decimals, and the power of ten that all are to be multiplied by.

    The decimals are those that give the median deviation three digits, so that means far from zero
    keep the digits that tell them apart.
    """
    size = max([abs(value) for value in values] + list(spreads), default=0.0)
    exponent = _power(size) if not -4 < _power(size) < 10 else 0
    middle = _power(sorted(spreads)[len(spreads) // 2]) - exponent
    decimals = min(max(0, _SPREAD_DIGITS - 1 - middle), max(0, _MOST_DIGITS - 1 - _power(size) + exponent))
    shown = [
        (_scaled(value, exponent), _scaled(spread, exponent)) for value, spread in zip(values, spreads, strict=True)
    ]
    return [f"{fixed(value, decimals)} ± {_visible(spread, decimals)}" for value, spread in shown], exponent


def _visible(spread: float, decimals: int) -> str:
    """A deviation that would round to nothing is written by its own digits."""
    return fixed(spread, decimals) if spread == 0 or spread >= 10.0 ** (1 - decimals) else number(spread, 2)


def _scaled(value: float, exponent: int) -> float:
    half = -exponent // 2
    return value * 10.0**half * 10.0 ** (-exponent - half)


def _power(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def plural(name: str, things: Sized) -> str:
    """The name for so many things: 'component' for one, 'components' for more."""
    return name if len(things) == 1 else f"{name}s"


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
