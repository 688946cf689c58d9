"""Do probabilities mean what they say? Bins of rows of similar probability, beside their observed rate."""

from dataclasses import dataclass

import numpy as np

from gaussmix.classification.evaluation.outcomes import BinaryOutcomes, parse_outcomes, require_level
from gaussmix.classification.evaluation.rate_intervals import Interval, effective_count, wilson_interval
from gaussmix.classification.evaluation.text_tables import format_text_table
from gaussmix.core.scalar_checks import require_integer
from gaussmix.types import Array, ArrayLike, IntN

_N_HISTOGRAM_BINS = 25  # of equal width between 0 and 1
_ROUNDING = 1e-9  # of a bin: a rank on the edge of two bins belongs to the upper one, whatever its rounding


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows of similar probability.

    Attributes
    ----------
    n_rows : int
    weight : float
        Their total weight.
    min_probability, max_probability, mean_probability : float
        Of the rows.
    rate : float
        The observed fraction of positive rows.
    rate_interval : Interval
        Its Wilson interval, ``low`` and ``high``.
    chance_deviation : float
        Standard deviation of the rate if the probabilities are right.
    """

    n_rows: int
    weight: float
    min_probability: float
    max_probability: float
    mean_probability: float
    rate: float
    rate_interval: Interval
    chance_deviation: float


@dataclass(frozen=True, eq=False, repr=False)
class ReliabilityTable:
    """The result of `reliability_table`; `gaussmix.plots.reliability_diagram` draws it.

    Attributes
    ----------
    bins : tuple of ReliabilityBin
        In ascending order of probability.
    level : float
        Confidence level of the intervals.
    histogram_edges : ndarray of shape (m + 1,)
        Ends of bins of equal width between 0 and 1.
    histogram_positive, histogram_negative : ndarray of shape (m,)
        Weight of the positive and of the negative rows in each of them.
    """

    bins: tuple[ReliabilityBin, ...]
    level: float
    histogram_edges: Array
    histogram_positive: Array
    histogram_negative: Array

    @property
    def calibration_error(self) -> float:
        """The expected calibration error: the mean of |mean probability - rate| over bins, weighted by their rows.

        Naeini, Cooper & Hauskrecht, AAAI 2015; here with bins of equally many rows.
        """
        return self._average([abs(one.mean_probability - one.rate) for one in self.bins])

    @property
    def calibration_error_by_chance(self) -> float:
        """The calibration error that right probabilities have on average in as many rows: chance alone."""
        return self._average([float(np.sqrt(2.0 / np.pi)) * one.chance_deviation for one in self.bins])

    def table(self) -> list[dict[str, object]]:
        """Return one dict per bin: rows, weight, probabilities, rate and the ends of its interval."""
        names = ("n_rows", "weight", "min_probability", "max_probability", "mean_probability", "rate")
        return [
            {name: getattr(one, name) for name in names}
            | {"rate_low": one.rate_interval.low, "rate_high": one.rate_interval.high}
            for one in self.bins
        ]

    def __repr__(self) -> str:
        """Return one line per bin, and the calibration error."""
        heads = ("rows", "probabilities", "mean", "rate", f"{100.0 * self.level:g}% interval")
        rows = [
            (
                f"{one.n_rows:,}",
                f"{one.min_probability:.4f} to {one.max_probability:.4f}",
                f"{one.mean_probability:.4f}",
                f"{one.rate:.4f}",
                f"{one.rate_interval.low:.4f} to {one.rate_interval.high:.4f}",
            )
            for one in self.bins
        ]
        error = f"calibration error {self.calibration_error:.4f} ({self.calibration_error_by_chance:.4f} by chance)"
        return f"{format_text_table(heads, rows)}\n{error}"

    def _average(self, values: list[float]) -> float:
        """Return the mean of one value per bin, weighted by the rows."""
        return float(np.average(values, weights=[one.weight for one in self.bins]))


def reliability_table(
    y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None, *, n_bins: int = 10, level: float = 0.95
) -> ReliabilityTable:
    """Return the observed rate of rows in bins of similar probability.

    Bins have equally many rows, but rows of equal probability share one, so that the order of the rows does not matter.

    Parameters
    ----------
    y : array-like of shape (n,)
        True or 1 for rows of the positive class, False or 0 for others.
    p : array-like of shape (n,)
        Probability of the positive class.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1.
    n_bins : int, default=10
        Number of bins; fewer result if many probabilities are equal.
    level : float, default=0.95
        Confidence level of the intervals.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are invalid.
    """
    outcomes = parse_outcomes(y, p, sample_weight)
    return tabulate_reliability(outcomes, require_integer("n_bins", n_bins, 1), require_level(level))


def tabulate_reliability(outcomes: BinaryOutcomes, n_bins: int = 10, level: float = 0.95) -> ReliabilityTable:
    """Return the reliability table of outcomes that are checked."""
    bin_of_row = _assign_bins(outcomes, n_bins)
    bins = tuple(_make_bin(outcomes.select_rows(bin_of_row == b), level) for b in np.unique(bin_of_row))
    edges = np.linspace(0.0, 1.0, _N_HISTOGRAM_BINS + 1)
    positive, negative = (
        np.histogram(outcomes.probabilities[rows], edges, weights=outcomes.weights[rows])[0]
        for rows in (outcomes.is_positive, ~outcomes.is_positive)
    )
    return ReliabilityTable(bins, level, edges, positive, negative)


def _assign_bins(outcomes: BinaryOutcomes, n_bins: int) -> IntN:
    """Return the bin (n,) of each row: that of the middle of the weights of all rows of its probability."""
    _, group = np.unique(outcomes.probabilities, return_inverse=True)
    group_weights = np.bincount(group, outcomes.weights)
    middles = (np.cumsum(group_weights) - 0.5 * group_weights) / outcomes.total_weight
    return np.minimum((n_bins * middles + _ROUNDING).astype(np.int64), n_bins - 1)[group]


def _make_bin(rows: BinaryOutcomes, level: float) -> ReliabilityBin:
    """Return the bin of some rows."""
    p, rate = rows.probabilities, rows.rate
    chance_deviation = float(np.sqrt((rows.weights**2 * p * (1.0 - p)).sum())) / rows.total_weight
    interval = wilson_interval(rate, effective_count(rows.weights), level)
    return ReliabilityBin(
        n_rows=len(rows),
        weight=rows.total_weight,
        min_probability=float(p.min()),
        max_probability=float(p.max()),
        mean_probability=rows.mean_probability,
        rate=rate,
        rate_interval=interval,
        chance_deviation=chance_deviation,
    )
