"""``ProfitCurve``: the profit of contacting customers, best first, over the number of customers contacted."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.classification.evaluation.calibration_error import log_odds_features
from gaussmix.classification.evaluation.rate_intervals import normal_quantile
from gaussmix.types import DD, Array, BoolN, IntN, N

_MAX_POINTS = 201  # of a curve


@dataclass(frozen=True, eq=False, repr=False)
class ProfitCurve:
    """Profit over the number of customers contacted, in the order of their expected profit.

    Attributes
    ----------
    n_contacted : ndarray of shape (m,)
        From 0 to all customers, at most 202 values; one of them is the best number.
    expected : ndarray of shape (m,)
        Expected profit.
    low, high : ndarray of shape (m,)
        Ends of the interval that contains the profit with the probability ``level``.
    has_calibration_error : bool
        Whether this interval contains the error of the probabilities; otherwise it holds if they are right.
    observed : ndarray of shape (m,) or None
        Profit with the observed outcomes, if they are given; contacts succeed at their expected rate.
    observed_low, observed_high : ndarray of shape (m,) or None
        Bootstrap interval of the observed profit.
    level : float
    """

    n_contacted: IntN
    expected: N
    low: N
    high: N
    has_calibration_error: bool
    observed: N | None
    observed_low: N | None
    observed_high: N | None
    level: float

    def table(self) -> list[dict[str, object]]:
        """Return one dict per number of customers contacted; values without observed outcomes are None."""
        names = ("expected", "low", "high", "observed", "observed_low", "observed_high")
        columns = {name: getattr(self, name) for name in names}
        return [
            {"n_contacted": int(count)}
            | {name: None if column is None else float(column[i]) for name, column in columns.items()}
            for i, count in enumerate(self.n_contacted)
        ]

    def __repr__(self) -> str:
        """Return where the expected profit is highest, and how many points the curve has."""
        best, last = int(self.expected.argmax()), int(self.n_contacted[-1])
        return (
            f"Expected profit of contacting 0 to {last:,} customers, at {len(self.n_contacted)} points; the highest is "
            f"{self.expected[best]:,.4g}, of {int(self.n_contacted[best]):,} contacts."
        )


class ContactedRows(NamedTuple):
    """What a contact of each customer may bring, all of shape (n,).

    A contact costs ``costs``, and brings ``values`` if the customer would have left and the contact succeeds, with the
    probability ``probabilities`` * ``success_rates``.
    """

    probabilities: N
    costs: N
    values: N
    success_rates: N

    @property
    def expected_profits(self) -> N:
        """The expected profit of a contact of each customer, (n,)."""
        return self.probabilities * self.success_rates * self.values - self.costs

    def observed_profits(self, is_positive: BoolN) -> N:
        """Return the profit of a contact of each customer, (n,), given who left without one."""
        return np.where(is_positive, self.success_rates * self.values, 0.0) - self.costs


def compute_profit_curve(
    rows: ContactedRows,
    is_positive: BoolN | None,
    calibration_covariance: DD | None,
    level: float,
    n_bootstrap: int,
    rng: np.random.Generator,
) -> ProfitCurve:
    """Return the profit curve, with the observed one if outcomes (n,) are given.

    ``calibration_covariance`` (2, 2) is that of `estimate_calibration_covariance`; None: the probabilities are right.

    Customers of equal expected profit count as contacted in random order: the curve is a straight line over them.
    """
    unit = _money_unit(rows)
    scaled = rows._replace(costs=rows.costs / unit, values=rows.values / unit)
    order = _canonical_order(scaled, is_positive)
    scaled = ContactedRows(*(column[order] for column in scaled))
    profits = scaled.expected_profits
    _, group = np.unique(-profits, return_inverse=True)
    counts = _contact_counts(len(profits), int((profits > 0.0).sum()))
    expected = _cumulate(group, profits, counts)
    low, high = _expected_interval(scaled, group, counts, calibration_covariance, level)
    observed = None if is_positive is None else scaled.observed_profits(is_positive[order])
    ends = None if observed is None else _bootstrap_interval(group, observed, counts, level, n_bootstrap, rng)
    return ProfitCurve(
        n_contacted=counts,
        expected=unit * expected,
        low=unit * low,
        high=unit * high,
        has_calibration_error=calibration_covariance is not None,
        observed=None if observed is None else unit * _cumulate(group, observed, counts),
        observed_low=None if ends is None else unit * ends[0],
        observed_high=None if ends is None else unit * ends[1],
        level=level,
    )


def _money_unit(rows: ContactedRows) -> float:
    """Return the power of two near the largest amount, so that no square overflows and units change no digit."""
    largest = max(float(rows.costs.max()), float(rows.values.max()))
    return float(2.0 ** np.floor(np.log2(largest))) if largest > 0.0 else 1.0


def _canonical_order(rows: ContactedRows, is_positive: BoolN | None) -> IntN:
    """Return an order that is the same for rows in any order: by expected profit, then by all that is known of them."""
    outcomes = np.zeros(len(rows.costs)) if is_positive is None else is_positive
    return np.lexsort(
        (outcomes, rows.success_rates, rows.values, rows.costs, rows.probabilities, -rows.expected_profits)
    )


def _contact_counts(n_rows: int, best: int) -> IntN:
    """Return the numbers of customers at which a curve is computed: evenly spaced, and the best number."""
    evenly = np.round(np.linspace(0.0, n_rows, min(n_rows + 1, _MAX_POINTS))).astype(np.int64)
    return np.unique(np.append(evenly, best))


def _cumulate(group: IntN, values: N, counts: IntN, multiplicities: N | None = None) -> N:
    """Return the sum of values (n,) of the first rows, at each count (m,); rows of one group share their sum evenly.

    With ``multiplicities`` (n,), each row occurs that many times.
    """
    repeats = np.ones(len(values)) if multiplicities is None else multiplicities
    ends = np.append(0.0, np.cumsum(np.bincount(group, repeats)))
    return np.asarray(np.interp(counts, ends, np.append(0.0, np.cumsum(np.bincount(group, repeats * values)))))


def _expected_interval(
    rows: ContactedRows, group: IntN, counts: IntN, calibration_covariance: DD | None, level: float
) -> tuple[N, N]:
    """Return the interval (m,), (m,) of the profit if each success is an independent Bernoulli variable.

    Mean and variance are exact, but for the error of the probabilities, which is linearized; the sum counts as normal,
    and the interval ends at the least and largest profit.
    """
    success = rows.probabilities * rows.success_rates
    mean = _cumulate(group, rows.expected_profits, counts)
    variance = _cumulate(group, rows.values**2 * success * (1.0 - success), counts)
    if calibration_covariance is not None:
        variance = variance + _calibration_variance(rows, group, counts, calibration_covariance)
    half_width = normal_quantile(level) * np.sqrt(np.maximum(variance, 0.0))
    least = _cumulate(group, np.where(success < 1.0, 0.0, rows.values) - rows.costs, counts)
    largest = _cumulate(group, np.where(success > 0.0, rows.values, 0.0) - rows.costs, counts)
    return np.maximum(mean - half_width, least), np.minimum(mean + half_width, largest)


def _calibration_variance(rows: ContactedRows, group: IntN, counts: IntN, covariance: DD) -> N:
    """Return the variance (m,) of the expected profit by errors of level and slope that all log-odds share."""
    derivatives = rows.success_rates * rows.values * rows.probabilities * (1.0 - rows.probabilities)
    features = log_odds_features(rows.probabilities)
    gradients = np.stack([_cumulate(group, derivatives * column, counts) for column in features.T])
    return np.asarray(((covariance @ gradients) * gradients).sum(axis=0))


def _bootstrap_interval(
    group: IntN, profits: N, counts: IntN, level: float, n_bootstrap: int, rng: np.random.Generator
) -> Array:
    """Return the percentile interval (2, m) of the observed profit over samples of the customers with replacement."""
    n_rows = len(profits)
    curves = np.empty((n_bootstrap, len(counts)))
    for b in range(n_bootstrap):
        multiplicities = np.bincount(rng.integers(n_rows, size=n_rows), minlength=n_rows).astype(np.float64)
        curves[b] = _cumulate(group, profits, counts, multiplicities)
    tail = 0.5 * (1.0 - level)
    return np.asarray(np.quantile(curves, [tail, 1.0 - tail], axis=0))
