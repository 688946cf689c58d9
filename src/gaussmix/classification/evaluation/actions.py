"""``ActionPlan``: which customers to contact, and the profit to expect, from costs, values and success rates."""

from dataclasses import dataclass

import numpy as np

from gaussmix.classification.evaluation.calibration_error import estimate_calibration_covariance
from gaussmix.classification.evaluation.outcomes import (
    parse_binary,
    parse_outcomes,
    parse_probabilities,
    require_level,
)
from gaussmix.classification.evaluation.profit import ContactedRows, ProfitCurve, compute_profit_curve
from gaussmix.classification.evaluation.rate_intervals import Interval
from gaussmix.core.input_kinds import fill_masked_with_nan
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import ActionError, OutcomeError
from gaussmix.errors.text import pluralize
from gaussmix.types import ArrayLike, BoolN, IntN, N

_MAX_AMOUNT = 1e200  # sums of amounts must not overflow


@dataclass(frozen=True, eq=False, repr=False)
class ActionPlan:
    """The result of `plan_actions`; ``print`` shows its sentence, `gaussmix.plots.profit_curve` draws its curve.

    Attributes
    ----------
    is_contacted : ndarray of shape (n,), bool
        Whether a contact of the customer has a positive expected profit.
    probabilities : ndarray of shape (n,)
    expected_profits : ndarray of shape (n,)
        Of a contact of each customer: probability x success rate x value - cost.
    ranking : ndarray of shape (n,), int
        All rows, the highest expected profit first.
    threshold : float or None
        The probability above which customers are contacted; None if costs, values or success rates differ between
        customers, or no contact can pay off.
    expected_profit, observed_profit : float
        Profit of contacting the customers of the plan; observed with their outcomes, None without outcomes.
    expected_interval, observed_interval : Interval
        Their intervals; see `ProfitCurve`. That of the expected profit contains the chance of single customers, and if
        customers were held out the errors that all probabilities share; else it holds if the probabilities are right.
    curve : ProfitCurve
        Profit over the number of customers contacted.
    """

    is_contacted: BoolN
    probabilities: N
    expected_profits: N
    ranking: IntN
    threshold: float | None
    expected_profit: float
    expected_interval: Interval
    observed_profit: float | None
    observed_interval: Interval | None
    curve: ProfitCurve

    @property
    def n_contacted(self) -> int:
        """The number of customers to contact; the expected profit is highest there."""
        return int(self.is_contacted.sum())

    def table(self) -> list[dict[str, object]]:
        """Return one dict per customer to contact, best first: row (from 0), probability and expected profit."""
        return [
            {
                "row": int(row),
                "probability": float(self.probabilities[row]),
                "expected_profit": float(self.expected_profits[row]),
            }
            for row in self.ranking[: self.n_contacted]
        ]

    @property
    def sentence(self) -> str:
        """The plan in one or two sentences."""
        n_rows = f"{len(self.is_contacted):,} {pluralize('customer', len(self.is_contacted))}"
        if not self.n_contacted:
            return f"Contact none of {n_rows}: no contact is expected to bring more than it costs."
        whom = "" if self.threshold is None else f", those with a probability above {self.threshold:.3g}"
        errors = "by chance and by errors of the model's probabilities on the whole"
        if not self.curve.has_calibration_error:
            errors = "by chance alone, if the probabilities are right"
        text = (
            f"Contact {self.n_contacted:,} of {n_rows}{whom}: expected profit {_format_amount(self.expected_profit)} "
            f"({_format_percent(self.curve.level)} interval {_format_interval(self.expected_interval)}, {errors})."
        )
        if self.observed_profit is None or self.observed_interval is None:
            return text
        return (
            f"{text} With the observed outcomes it is {_format_amount(self.observed_profit)} "
            f"({_format_interval(self.observed_interval)})."
        )

    def __repr__(self) -> str:
        """Return the sentence."""
        return self.sentence


def plan_actions(
    p: ArrayLike,
    cost_contact: ArrayLike,
    value_saved: ArrayLike,
    success_rate: ArrayLike = 1.0,
    *,
    y: ArrayLike | None = None,
    held_out: tuple[ArrayLike, ...] | None = None,
    level: float = 0.95,
    n_bootstrap: int = 400,
    random_state: int | np.random.Generator | None = 0,
) -> ActionPlan:
    """Return whom to contact: customers with probability x success rate x value above the cost.

    The interval of the expected profit contains the chance of each success. With ``held_out`` it also contains errors
    of the probabilities that all customers share: of the level and the slope of their log-odds. Otherwise it holds if
    the probabilities are right. Costs, values and success rates count as known.

    Parameters
    ----------
    p : array-like of shape (n,)
        Probability that each customer leaves.
    cost_contact : float or array-like of shape (n,)
        Cost of a contact, in any currency.
    value_saved : float or array-like of shape (n,)
        Value of a customer who stays because of a contact, in the same currency.
    success_rate : float or array-like of shape (n,), default=1.0
        Fraction of leaving customers who stay after a contact.
    y : array-like of shape (n,), optional
        Whether each customer left, in data without contacts. Pass those of rows that the classifier has not seen, such
        as out-of-fold ones.
    held_out : tuple of array-like, optional
        Outcomes (m,), probabilities (m,) and on request weights (m,) of the customers that calibrated the classifier:
        the more they are, the smaller are the errors of the probabilities.
    level : float, default=0.95
        Confidence level of the intervals.
    n_bootstrap : int, default=400
        Samples of the bootstrap interval of the observed profit. Ten thousand customers take about 0.1 s.
    random_state : int, numpy Generator or None, default=0
        Seed of the bootstrap.

    Raises
    ------
    DataError, ParameterError
        If a number is no probability, an amount is negative, or a rate is not a fraction.

    References
    ----------
    Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, for the threshold; Cox, Biometrika 45 (1958), for
    the errors of the probabilities.
    """
    rows = _parse_contacted_rows(p, cost_contact, value_saved, success_rate)
    is_positive = None if y is None else parse_binary(y)
    if is_positive is not None and is_positive.shape != rows.probabilities.shape:
        raise OutcomeError.not_one_per_row("p", rows.probabilities.shape, len(is_positive))
    n_bootstrap = require_integer("n_bootstrap", n_bootstrap, 2)
    covariance = None if held_out is None else estimate_calibration_covariance(parse_outcomes(*held_out))
    rng = make_generator(random_state)
    curve = compute_profit_curve(rows, is_positive, covariance, require_level(level), n_bootstrap, rng)
    profits = rows.expected_profits
    best = int(np.searchsorted(curve.n_contacted, int((profits > 0.0).sum())))
    is_varied = any(np.ndim(each) for each in (cost_contact, value_saved, success_rate))
    return ActionPlan(
        is_contacted=profits > 0.0,
        probabilities=rows.probabilities,
        expected_profits=profits,
        ranking=np.argsort(-profits, kind="stable"),
        threshold=None if is_varied else _find_threshold(rows),
        expected_profit=float(curve.expected[best]),
        expected_interval=Interval(float(curve.low[best]), float(curve.high[best])),
        observed_profit=None if curve.observed is None else float(curve.observed[best]),
        observed_interval=_observed_interval(curve, best),
        curve=curve,
    )


def _observed_interval(curve: ProfitCurve, point: int) -> Interval | None:
    """Return the interval of the observed profit at a point of the curve; None without outcomes."""
    if curve.observed_low is None or curve.observed_high is None:
        return None
    return Interval(float(curve.observed_low[point]), float(curve.observed_high[point]))


def _parse_contacted_rows(
    p: ArrayLike, cost_contact: ArrayLike, value_saved: ArrayLike, success_rate: ArrayLike
) -> ContactedRows:
    """Return probabilities, costs, values and success rates, one of each per row."""
    probabilities = parse_probabilities(p)
    n_rows = len(probabilities)
    if not n_rows:
        raise OutcomeError.no_rows()
    costs, values = (
        _parse_numbers(name, amounts, n_rows, _MAX_AMOUNT)
        for name, amounts in (("cost_contact", cost_contact), ("value_saved", value_saved))
    )
    return ContactedRows(probabilities, costs, values, _parse_numbers("success_rate", success_rate, n_rows, 1.0))


def _parse_numbers(name: str, numbers: ArrayLike, n_rows: int, maximum: float) -> N:
    """Return one number per row (n,), from one or n numbers; raise ActionError unless they are 0 to ``maximum``."""
    try:
        values = np.asarray(fill_masked_with_nan(numbers), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ActionError.not_numeric(name, error) from error
    if values.shape not in ((), (n_rows,)):
        raise ActionError.not_one_per_row(name, values.shape, n_rows)
    is_valid = np.atleast_1d((values >= 0.0) & (values <= maximum))
    if not is_valid.all():
        row = int(np.argmin(is_valid))
        raise ActionError.out_of_range(name, row if values.ndim else None, float(values.flat[row]), maximum)
    return np.broadcast_to(values, (n_rows,)).copy()


def _find_threshold(rows: ContactedRows) -> float | None:
    """Return the probability above which a contact pays off, if all rows are equal; None if no contact can."""
    cost, gain = float(rows.costs[0]), float(rows.success_rates[0] * rows.values[0])
    return cost / gain if cost < gain else None


def _format_amount(amount: float) -> str:
    """Return an amount with four significant digits and commas between thousands: '21,340'."""
    return f"{float(f'{amount:.4g}'):,.10g}"


def _format_interval(interval: Interval) -> str:
    """Return the ends of an interval of amounts: '19,800 to 22,900'."""
    return f"{_format_amount(interval.low)} to {_format_amount(interval.high)}"


def _format_percent(level: float) -> str:
    """Return a confidence level as '95%'."""
    return f"{100.0 * level:.3g}%"
