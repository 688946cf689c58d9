"""Expectation-maximisation of a mixture of numeric and categorical columns with missing cells."""

from typing import NamedTuple

import numpy as np

from gaussmix.classification.mixed.log_probabilities import compute_responsibilities
from gaussmix.classification.mixed.mixed_m_step import MixedMStep
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.types import KN, IntN

MAX_ITER = 200
TOLERANCE = 1e-5  # of the mean log posterior density per row


class EMResult(NamedTuple):
    """A fitted mixture, its log-likelihood in total, and the log posterior density per row after each iteration.

    ``covariance`` are the covariances as the estimator of their structure made them; None without numeric columns.
    """

    mixture: MixedMixture
    log_likelihood: float
    trace: tuple[float, ...]
    covariance: AbstractCovariance | None = None


def run_em(
    start: MixedMixture,
    rows: MixedRows,
    m_step: MixedMStep,
    responsibilities: KN,
    allowed: KN | None = None,
    tol: float = TOLERANCE,
    max_iter: int = MAX_ITER,
    covariance: AbstractCovariance | None = None,
) -> EMResult:
    """Run EM until the log posterior density gains less than ``tol`` per row.

    Parameters
    ----------
    start : MixedMixture
        Its covariances predict missing cells in the first M-step.
    rows : MixedRows
    m_step : MixedMStep
    responsibilities : ndarray of shape (K, n)
        Responsibilities of the sorted rows for the first M-step.
    allowed : ndarray of shape (K, n), optional
        Log probability of the known class of each sorted row in each component.
    tol : float
    max_iter : int
    covariance : AbstractCovariance, optional
        Where an iterative M-step begins: the covariances of an earlier result.
    """
    mixture, trace = start, []
    for _ in range(max_iter):
        mixture, covariance = m_step.update(mixture, rows.accumulate(responsibilities), covariance)
        scores = mixture.compute_scores(rows)
        log_density, responsibilities = compute_responsibilities(scores if allowed is None else scores + allowed)
        log_likelihood = float(rows.apply_weights(log_density).sum())
        trace.append((log_likelihood + m_step.prior.log_density(mixture)) / rows.total_weight)
        if len(trace) > 1 and trace[-1] - trace[-2] < tol:
            break
    return EMResult(mixture, log_likelihood, tuple(trace), covariance)


def hard_responsibilities(labels: IntN, n_components: int) -> KN:
    """Return responsibilities (K, n) of 0 and 1 from labels (n,)."""
    return np.asarray(labels == np.arange(n_components)[:, None], dtype=np.float64)
