"""Gain and lift: how many of the positive rows are among those of the highest probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.evaluation.outcomes import BinaryOutcomes, parse_outcomes, require_level
from gaussmix.classification.evaluation.rate_intervals import Interval, effective_count, wilson_interval
from gaussmix.classification.evaluation.text_tables import format_text_table
from gaussmix.errors import OutcomeError, ParameterError
from gaussmix.types import Array, ArrayLike, N

DEFAULT_FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class GainRow:
    """A fraction of the rows, those of the highest probability.

    Attributes
    ----------
    fraction : float
        Of the weight of all rows.
    min_probability : float
        The lowest probability among these rows.
    rate : float
        The fraction of them that is positive.
    rate_interval : Interval
        Its Wilson interval, ``low`` and ``high``.
    lift : float
        ``rate`` divided by the rate of all rows.
    gain : float
        The fraction of all positive rows that is among them.
    """

    fraction: float
    min_probability: float
    rate: float
    rate_interval: Interval
    lift: float
    gain: float


@dataclass(frozen=True, eq=False, repr=False)
class GainTable:
    """The result of `gain_table`; `gaussmix.plots.gain_curve` and `lift_curve` draw it.

    Attributes
    ----------
    rows : tuple of GainRow
        One per fraction.
    rate : float
        The fraction of positive rows among all.
    n_rows : int
    level : float
        Confidence level of the intervals.
    curve_fractions, curve_gains : ndarray of shape (m,)
        The corners of the whole gain curve, from (0, 0) to (1, 1). Rows of equal probability are one straight line.
    """

    rows: tuple[GainRow, ...]
    rate: float
    n_rows: int
    level: float
    curve_fractions: N
    curve_gains: N

    def table(self) -> list[dict[str, object]]:
        """Return one dict per fraction: lowest probability, rate with the ends of its interval, lift and gain."""
        return [
            {
                "fraction": row.fraction,
                "min_probability": row.min_probability,
                "rate": row.rate,
                "rate_low": row.rate_interval.low,
                "rate_high": row.rate_interval.high,
                "lift": row.lift,
                "gain": row.gain,
            }
            for row in self.rows
        ]

    def __repr__(self) -> str:
        """Return one line per fraction."""
        heads = ("highest", "probability from", "rate", f"{100.0 * self.level:g}% interval", "lift", "gain")
        rows = [
            (
                f"{100.0 * row.fraction:.3g}%",
                f"{row.min_probability:.4f}",
                f"{row.rate:.4f}",
                f"{row.rate_interval.low:.4f} to {row.rate_interval.high:.4f}",
                f"{row.lift:.2f}",
                f"{row.gain:.4f}",
            )
            for row in self.rows
        ]
        return f"{self.n_rows:,} rows, {self.rate:.4f} positive\n{format_text_table(heads, rows)}"

    def gain_at(self, fractions: ArrayLike) -> Array:
        """Return the gain at any fractions of the rows, from 0 to 1."""
        return np.interp(np.asarray(fractions, dtype=np.float64), self.curve_fractions, self.curve_gains)


def gain_table(
    y: ArrayLike,
    p: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
    level: float = 0.95,
) -> GainTable:
    """Return lift and gain among the rows of the highest probability.

    Where a fraction ends among rows of equal probability, each of them counts in part, so that the order of the rows
    does not matter.

    Parameters
    ----------
    y : array-like of shape (n,)
        True or 1 for rows of the positive class, False or 0 for others.
    p : array-like of shape (n,)
        Probability of the positive class.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1.
    fractions : sequence of float, default=(0.01, 0.05, 0.1, 0.2, ..., 1.0)
        Fractions of the rows, above 0 and at most 1.
    level : float, default=0.95
        Confidence level of the intervals, for a fixed set of rows of the highest probability.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are invalid, or no row is positive.
    """
    outcomes = parse_outcomes(y, p, sample_weight)
    chosen = _parse_fractions(fractions)
    return tabulate_gain(outcomes, chosen, require_level(level))


def tabulate_gain(
    outcomes: BinaryOutcomes, fractions: Sequence[float] = DEFAULT_FRACTIONS, level: float = 0.95
) -> GainTable:
    """Return the gain table of outcomes that are checked."""
    if not outcomes.n_positive:
        raise OutcomeError.no_positive_row()
    distinct, group = np.unique(-outcomes.probabilities, return_inverse=True)
    weights = np.bincount(group, outcomes.weights)
    positive = np.bincount(group, outcomes.weights * outcomes.is_positive)
    curve_fractions = np.append(0.0, np.cumsum(weights) / weights.sum())
    curve_gains = np.append(0.0, np.cumsum(positive) / positive.sum())
    curve_fractions[-1] = curve_gains[-1] = 1.0
    n_effective = effective_count(outcomes.weights)

    def make_row(fraction: float) -> GainRow:
        gain = float(np.interp(fraction, curve_fractions, curve_gains))
        rate = min(outcomes.rate * gain / fraction, 1.0)
        last = int(np.searchsorted(curve_fractions[1:], fraction, side="left"))
        interval = wilson_interval(rate, fraction * n_effective, level)
        return GainRow(fraction, -float(distinct[last]), rate, interval, gain / fraction, gain)

    rows = tuple(make_row(fraction) for fraction in fractions)
    return GainTable(rows, outcomes.rate, len(outcomes), level, curve_fractions, curve_gains)


def _parse_fractions(fractions: Sequence[float]) -> list[float]:
    """Return fractions as floats; raise ParameterError unless all lie above 0 and are at most 1."""
    try:
        parsed = np.asarray(fractions, dtype=np.float64)
    except (TypeError, ValueError):
        parsed = np.zeros(0)
    if parsed.ndim != 1 or not len(parsed) or not ((parsed > 0.0) & (parsed <= 1.0)).all():
        raise ParameterError.invalid_value("fractions", fractions, "one or more numbers above 0 and at most 1")
    return [float(fraction) for fraction in parsed]
