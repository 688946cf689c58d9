"""``TailFunction``: the probability that a normal row has a score at least as high, also beyond all known scores.

Among clean rows it is the rank of a score. Where training rows may contain anomalies, the highest scores are theirs:
ranks would vouch for them. The tail then follows from the scores between the median and the nine-tenths quantile, and
what lies above counts only as lying above.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from gaussmix.anomaly.weighted_quantiles import weighted_quantile
from gaussmix.types import BoolN, N

_MAX_KNOTS = 512
_CLEAN_THRESHOLD = 0.9  # quantile above which the tail of clean scores is extrapolated
_CONTAMINATED_THRESHOLD, _CENSORING = 0.5, 0.9  # quantiles; scores above the second one may be those of anomalies
_MAX_SHAPE = 0.5  # of the generalised Pareto tail: the variance of heavier ones is infinite
_MIN_SCALE = 1e-12
_MAX_EXCESSES = 4096
_LOG_RATIO_BOUNDS = (-12.0, 12.0)  # of shape to scale, in units of the largest excess


@dataclass(frozen=True, eq=False)
class TailFunction:
    """Log probability of a score at least as high, strictly decreasing: linear between knots, then a Pareto tail.

    ``knots`` (m,) are ascending scores and ``log_tails`` (m,) the log probabilities there. Above the last knot, the
    excess has a generalised Pareto distribution of shape ``shape``, at least 0, and scale ``scale``.
    """

    knots: N
    log_tails: N
    shape: float
    scale: float

    @classmethod
    def from_clean_scores(cls, scores: N, weights: N | None = None) -> "TailFunction":
        """Return the tail of scores (n,) of normal rows, with weights (n,): ranks, then a Pareto tail.

        The shape of that tail is fitted to the tenth of the scores that is highest.
        """
        ordered, tails = _sort_with_tail_weights(scores, weights)
        threshold = weighted_quantile(scores, weights, _CLEAN_THRESHOLD)
        shape, scale = _fit_pareto_tail(scores, weights, threshold, np.inf)
        excess = max(float(ordered[-1]) - threshold, 0.0)  # a Pareto tail stays one above a higher threshold
        return _make_tail(ordered, tails, shape, scale + shape * excess)

    @classmethod
    def from_contaminated_scores(cls, scores: N, weights: N | None = None) -> "TailFunction":
        """Return the tail of the normal rows among scores (n,), up to a tenth of which may be those of anomalies.

        A generalised Pareto tail above the median is fitted to the scores up to the nine-tenths quantile; the others
        are censored there. It is never lighter than exponential.
        """
        median = weighted_quantile(scores, weights, _CONTAMINATED_THRESHOLD)
        censoring = weighted_quantile(scores, weights, _CENSORING)
        shape, scale = _fit_pareto_tail(scores, weights, median, censoring)
        ordered, tails = _sort_with_tail_weights(scores, weights)
        below = max(1, int(np.searchsorted(ordered, median, side="right")))
        return _make_tail(ordered[:below], tails[:below], shape, scale)

    def __call__(self, scores: N) -> N:
        """Return the log probabilities, in nats, of scores (n,)."""
        log_tails = np.interp(scores, self.knots, self.log_tails)
        beyond = scores > self.knots[-1]
        log_tails[beyond] += _log_pareto_tail(scores[beyond] - self.knots[-1], self.shape, self.scale)
        below = scores < self.knots[0]
        log_tails[below] = self._log_tail_below(scores[below])
        return log_tails

    def _log_tail_below(self, scores: N) -> N:
        """Return log probabilities below the first knot: they rise towards 0 and never reach it."""
        distance = (self.knots[0] - scores) / max(self.scale, _MIN_SCALE)
        return np.asarray(self.log_tails[0] / (1.0 + distance))

    def inverse(self, log_tail: float) -> float:
        """Return the score that has a given log probability, at most that of the first knot."""
        if log_tail >= self.log_tails[-1]:
            return float(np.interp(-log_tail, -self.log_tails, self.knots))
        excess = self.log_tails[-1] - log_tail
        growth = excess if self.shape == 0 else np.expm1(self.shape * excess) / self.shape
        return float(self.knots[-1] + self.scale * growth)


def _sort_with_tail_weights(scores: N, weights: N | None) -> tuple[N, N]:
    """Return the distinct scores, ascending, and the fraction of the weight at or above each, with one row added."""
    distinct, inverse = np.unique(scores, return_inverse=True)
    mass = np.bincount(inverse, weights=weights)
    at_or_above = np.cumsum(mass[::-1])[::-1]
    return distinct, (1.0 + at_or_above) / (1.0 + at_or_above[0])


def _make_tail(ordered: N, tails: N, shape: float, scale: float) -> TailFunction:
    """Return the tail with at most `_MAX_KNOTS` knots, half of them the highest scores; the first tail is below 1."""
    kept = np.arange(len(ordered))
    if len(ordered) > _MAX_KNOTS:
        top = _MAX_KNOTS // 2
        kept = np.append(np.linspace(0, len(ordered) - top - 1, top).astype(int), kept[-top:])
    log_tails = np.log(tails[kept])
    log_tails[0] = min(log_tails[0], -np.finfo(np.float64).eps)
    return TailFunction(ordered[kept], log_tails, shape, max(scale, _MIN_SCALE))


class _Excesses(NamedTuple):
    """Excesses (m,) over a threshold in units of the largest, their weights (m,), and which are not censored (m,)."""

    values: N
    weights: N
    is_observed: BoolN

    @property
    def n_observed(self) -> float:
        """Weight of the excesses that are not censored."""
        return float(self.weights[self.is_observed].sum())


def _fit_pareto_tail(scores: N, weights: N | None, threshold: float, censoring: float) -> tuple[float, float]:
    """Return shape, from 0 to `_MAX_SHAPE`, and scale of the excesses over a threshold, censored above a score.

    Both maximise the likelihood. For a ratio t of shape to scale, the best shape is the total of log(1 + t excess) over
    the number of observed excesses, so that one number is searched for (Grimshaw, Technometrics 35, 1993).
    """
    above = scores > threshold
    mass = np.ones(int(above.sum())) if weights is None else weights[above]
    excess = np.minimum(scores[above], censoring) - threshold
    unit = float(excess.max(initial=0.0))
    found = _group_excesses(_Excesses(excess / unit, mass, scores[above] <= censoring)) if unit > 0 else None
    if found is None or not found.n_observed > 0:
        return 0.0, _MIN_SCALE
    exponential_scale = float(found.weights @ found.values) / found.n_observed
    exponential = found.n_observed * (np.log(exponential_scale) + 1.0)
    result = minimize_scalar(
        lambda log_ratio: _evaluate_ratio(found, log_ratio)[0], bounds=_LOG_RATIO_BOUNDS, method="bounded"
    )
    value, shape, scale = _evaluate_ratio(found, float(result.x))
    return (shape, scale * unit) if value < exponential else (0.0, exponential_scale * unit)


def _evaluate_ratio(excesses: _Excesses, log_ratio: float) -> tuple[float, float, float]:
    """Return the negative log-likelihood of the best shape for a ratio of shape to scale, that shape and the scale."""
    growth = np.log1p(np.exp(log_ratio) * excesses.values)
    total, observed = float(excesses.weights @ growth), excesses.is_observed
    shape = min(total / excesses.n_observed, _MAX_SHAPE)
    scale = shape / float(np.exp(log_ratio))
    value = total / shape + float(excesses.weights[observed] @ growth[observed])
    return value + excesses.n_observed * float(np.log(scale)), shape, scale


def _group_excesses(excesses: _Excesses) -> _Excesses:
    """Return at most some thousand excesses: neighbours are replaced by their mean. Censored ones are equal already."""
    observed = excesses.is_observed
    order = np.argsort(excesses.values[observed], kind="stable")
    values, weights = excesses.values[observed][order], excesses.weights[observed][order]
    starts = np.arange(0, len(values), -(-len(values) // _MAX_EXCESSES) or 1)
    if len(starts):
        mass = np.add.reduceat(weights, starts)
        values, weights = np.add.reduceat(values * weights, starts) / mass, mass
    n_censored = float(excesses.weights[~observed].sum())
    if not n_censored:
        return _Excesses(values, weights, np.ones(len(values), dtype=bool))
    is_observed = np.append(np.ones(len(values), dtype=bool), False)
    return _Excesses(np.append(values, 1.0), np.append(weights, n_censored), is_observed)


def _log_pareto_tail(excess: N, shape: float, scale: float) -> N:
    """Return the log probability that a generalised Pareto variable exceeds each excess (n,)."""
    return np.asarray(-excess / scale if shape == 0 else -np.log1p(shape * excess / scale) / shape)
