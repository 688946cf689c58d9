"""Responsibilities of a batch in NumPy, with the sums that an E-step needs; NumPy and reference engine share them."""

from typing import NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.statistics import count_levels
from gaussmix.engines.base import AssignmentKind
from gaussmix.engines.score_tiles import log_sum_exp_with_shifted_terms
from gaussmix.types import NK, Array


def add_category_and_label_log_probabilities(scores: NK, quadratics: Quadratics, batch: Batch) -> NK:
    """Return scores (n, K) plus the log probabilities of each row's categories and label prior."""
    if quadratics.tables and batch.codes is not None:
        for table, codes in zip(quadratics.tables, batch.codes.T, strict=True):
            scores = scores + np.where(codes >= 0, table[:, codes], 0.0).T
    log_prior = batch.label_log_prior(scores.shape[1])
    return scores if log_prior is None else scores + log_prior


class WeightedResponsibilities(NamedTuple):
    """Responsibilities times the weight of the row (n, K), and three sums with the weights over the rows.

    The sums are log-likelihood, entropy, and the log of the largest responsibility.
    """

    responsibilities: NK
    log_likelihood: float
    entropy: float
    total_log_max_responsibility: float


def compute_weighted_responsibilities(scores: NK, batch: Batch, assignment: AssignmentKind) -> WeightedResponsibilities:
    """Return responsibilities (n, K) times the rows' weights, and weighted sums over the rows of a batch."""
    if assignment is AssignmentKind.HARD:
        log_density, entropy, log_max = scores.max(axis=1), np.zeros(len(scores)), np.zeros(len(scores))
        responsibilities = np.zeros_like(scores)
        responsibilities[np.arange(len(scores)), scores.argmax(axis=1)] = 1.0
    else:
        log_density, terms = log_sum_exp_with_shifted_terms(scores)
        sums = terms.sum(axis=1)
        log_max = -np.log(np.where(sums > 0, sums, 1.0))  # a row infinitely far from all components has no terms
        responsibilities = terms / sums[:, None]
        logs = np.log(np.where(responsibilities > 0, responsibilities, 1.0))
        entropy = -(responsibilities * logs).sum(axis=1)
    if batch.weights is None:
        totals = float(log_density.sum()), float(entropy.sum()), float(log_max.sum())
        return WeightedResponsibilities(responsibilities, *totals)
    has_weight = batch.weights > 0  # a row of weight zero may have any density
    log_likelihood = float(batch.weights[has_weight] @ log_density[has_weight])
    responsibilities = responsibilities * batch.weights[:, None]
    totals = log_likelihood, float(batch.weights @ entropy), float(batch.weights[has_weight] @ log_max[has_weight])
    return WeightedResponsibilities(responsibilities, *totals)


def sum_responsibilities_by_level(quadratics: Quadratics, batch: Batch, responsibilities: NK) -> tuple[Array, ...]:
    """Return for each categorical column the summed responsibilities per component and level, (K, n_levels)."""
    if not quadratics.tables or batch.codes is None:
        return ()
    return tuple(
        count_levels(codes, responsibilities, table.shape[1])
        for table, codes in zip(quadratics.tables, batch.codes.T, strict=True)
    )
