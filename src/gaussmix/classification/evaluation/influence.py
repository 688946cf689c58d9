"""Measures of predicted probabilities, each with the influence of every row on it.

The influence of a row is its contribution to the first-order change of a measure under resampling; it has a weighted
mean of zero. Standard errors follow from the influences of one set of probabilities, and those of differences from the
differences of the influences of two.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from gaussmix.classification.evaluation.outcomes import BinaryOutcomes
from gaussmix.types import AnyArray, N


class MeasureWithInfluence(NamedTuple):
    """A measure of all rows, and the influence (n,) of each."""

    value: float
    influence: N

    def standard_error(self, weights: N) -> float:
        """Return the standard error of the measure for row weights (n,)."""
        return influence_standard_error(self.influence, weights)


def influence_standard_error(influence: N, weights: N) -> float:
    """Return the standard error of a measure from the influence (n,) and the weight (n,) of each row."""
    return float(np.sqrt(((weights * influence) ** 2).sum()) / weights.sum())


def auc_with_influence(outcomes: BinaryOutcomes) -> MeasureWithInfluence:
    """Return the area under the ROC curve; the influences are DeLong's placements.

    DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988): the placement of a positive row is the fraction of negative
    rows below it, with ties counted as a half, and the other way round.
    """
    is_positive, weights = outcomes.is_positive, outcomes.weights
    value = float(roc_auc_score(is_positive, outcomes.probabilities, sample_weight=weights))
    tied = _TiedWeights.from_outcomes(outcomes)
    n_positive, n_negative = outcomes.n_positive, len(outcomes) - outcomes.n_positive
    below = (np.cumsum(tied.negative) - 0.5 * tied.negative) / tied.negative.sum()
    above = 1.0 - (np.cumsum(tied.positive) - 0.5 * tied.positive) / tied.positive.sum()
    positive_scale = _unbiased_scale(n_positive) * weights.sum() / tied.positive.sum()
    negative_scale = _unbiased_scale(n_negative) * weights.sum() / tied.negative.sum()
    deviations = np.where(
        is_positive, positive_scale * (below[tied.group] - value), negative_scale * (above[tied.group] - value)
    )
    return MeasureWithInfluence(value, deviations)


def average_precision_with_influence(outcomes: BinaryOutcomes) -> MeasureWithInfluence:
    """Return the average precision, the mean over positive rows of the precision among rows of at least their p.

    The influences are the derivatives of this functional of the distribution of the rows (von Mises).
    """
    is_positive, weights = outcomes.is_positive, outcomes.weights
    value = float(average_precision_score(is_positive, outcomes.probabilities, sample_weight=weights))
    tied = _TiedWeights.from_outcomes(outcomes)
    weight_at_least = np.cumsum((tied.positive + tied.negative)[::-1])[::-1]
    precision = np.cumsum(tied.positive[::-1])[::-1] / weight_at_least
    own = is_positive * precision[tied.group]
    # A row also changes the precision at every smaller probability.
    gained = is_positive * np.cumsum(tied.positive / weight_at_least)[tied.group]
    lost = np.cumsum(tied.positive * precision / weight_at_least)[tied.group]
    influence = (own + gained - lost - value * is_positive) / outcomes.rate
    return MeasureWithInfluence(value, _unbiased_scale(len(outcomes)) * influence)


def brier_with_influence(outcomes: BinaryOutcomes) -> MeasureWithInfluence:
    """Return the Brier score, the mean of (y - p)^2."""
    value = brier_score_loss(outcomes.is_positive, outcomes.probabilities, sample_weight=outcomes.weights)
    return _mean_with_influence(value, (outcomes.is_positive - outcomes.probabilities) ** 2)


def log_loss_with_influence(outcomes: BinaryOutcomes) -> MeasureWithInfluence:
    """Return the log-loss, the mean of -log p(y), in nats; probabilities of 0 and 1 are clipped by 2e-16."""
    value = log_loss(outcomes.is_positive, outcomes.probabilities, sample_weight=outcomes.weights, labels=[False, True])
    tiny = np.finfo(np.float64).eps
    p = np.clip(outcomes.probabilities, tiny, 1.0 - tiny)
    return _mean_with_influence(value, np.where(outcomes.is_positive, -np.log(p), -np.log1p(-p)))


MEASURES: dict[str, Callable[[BinaryOutcomes], MeasureWithInfluence]] = {
    "auc": auc_with_influence,
    "average_precision": average_precision_with_influence,
    "brier": brier_with_influence,
    "log_loss": log_loss_with_influence,
}


def _mean_with_influence(value: float, losses: N) -> MeasureWithInfluence:
    """Return a weighted mean of losses (n,), which is known, with the influence of each row."""
    return MeasureWithInfluence(float(value), _unbiased_scale(len(losses)) * (losses - value))


def _unbiased_scale(n_rows: int) -> float:
    """Return the factor that makes a variance of ``n_rows`` deviations from their own mean unbiased."""
    return float(np.sqrt(n_rows / (n_rows - 1.0)))


class _TiedWeights(NamedTuple):
    """Weight of positive and of negative rows per distinct probability, ascending (g,), and the group of each row."""

    positive: N
    negative: N
    group: AnyArray

    @classmethod
    def from_outcomes(cls, outcomes: BinaryOutcomes) -> "_TiedWeights":
        """Return the weights of rows of equal probability."""
        _, group = np.unique(outcomes.probabilities, return_inverse=True)
        positive, negative = (
            np.asarray(np.bincount(group, outcomes.weights * is_in_class), dtype=np.float64)
            for is_in_class in (outcomes.is_positive, ~outcomes.is_positive)
        )
        return cls(positive, negative, group)
