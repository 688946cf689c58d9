"""``TailFunction``: the probability that a normal row has a score at least as high, also beyond all known scores.

Among clean rows it is the rank of a score. Where training rows may contain anomalies, the highest scores are theirs:
ranks would vouch for them. The tail then follows from the scores between the median and the nine-tenths quantile, and
what lies above counts only as lying above.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from gaussmix.anomaly.weighted_quantiles import weighted_quantile
from gaussmix.types import N

_MAX_KNOTS = 512
_CLEAN_THRESHOLD = 0.9  # quantile above which the tail of clean scores is extrapolated
_CONTAMINATED_THRESHOLD, _CENSORING = 0.5, 0.9  # quantiles; scores above the second one may be those of anomalies
_MAX_SHAPE = 0.5  # of the generalised Pareto tail: the variance of heavier ones is infinite
_MIN_SCALE = 1e-12


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


def _fit_pareto_tail(scores: N, weights: N | None, threshold: float, censoring: float) -> tuple[float, float]:
    """Return shape, from 0 to `_MAX_SHAPE`, and scale of the excesses over a threshold, censored above a score.

    Both maximise the likelihood: Balkema & de Haan, Annals of Probability 2 (1974), for the distribution.
    """
    above = scores > threshold
    mass = np.ones(int(above.sum())) if weights is None else weights[above]
    excess = np.minimum(scores[above], censoring) - threshold
    is_observed = scores[above] <= censoring
    n_observed = float(mass[is_observed].sum())
    if n_observed == 0 or not excess.max(initial=0.0) > 0:
        return 0.0, _MIN_SCALE
    unit = float(excess.max())
    excess = excess / unit

    def best_scale(shape: float) -> tuple[float, float]:
        if shape == 0:
            scale = float(mass @ excess) / n_observed
            return scale, n_observed * (np.log(scale) + 1.0)
        result = minimize_scalar(_negative_log_likelihood, bounds=(-20.0, 20.0), args=(shape,), method="bounded")
        return float(np.exp(result.x)), float(result.fun)

    def _negative_log_likelihood(log_scale: float, shape: float) -> float:
        log_tails = np.log1p(shape * excess / np.exp(log_scale)) / shape
        return float(mass @ log_tails + mass[is_observed] @ (shape * log_tails[is_observed] + log_scale))

    result = minimize_scalar(lambda shape: best_scale(shape)[1], bounds=(1e-6, _MAX_SHAPE), method="bounded")
    shape = float(result.x) if result.fun < best_scale(0.0)[1] else 0.0
    return shape, best_scale(shape)[0] * unit


def _log_pareto_tail(excess: N, shape: float, scale: float) -> N:
    """Return the log probability that a generalised Pareto variable exceeds each excess (n,)."""
    return np.asarray(-excess / scale if shape == 0 else -np.log1p(shape * excess / scale) / shape)
