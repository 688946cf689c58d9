"""Online EM: a step after each chunk of rows, from sums of moments in which older chunks count less and less.

The moments of a chunk under a leading mixture enter a running sum, ``s <- (1 - g) s + g s(chunk)``. The M-step of that
sum is the next leading mixture (Sato & Ishii, "On-line EM algorithm for the normalized Gaussian network", Neural
Computation 12, 2000; Cappe & Moulines, "On-line expectation-maximization algorithm for latent data models", JRSS B 71,
2009). Sums that forget fast leave a poor start, but count few rows. The mixture that is returned is therefore that of
an average of the sums, which forgets more slowly (Polyak & Juditsky, SIAM J. Control and Optimization 30, 1992; for
online EM see Cappe & Moulines).

The weight of a row is proportional to a power of the number of rows up to it. So the first rows are forgotten, a fixed
fraction of all rows always counts, and the chunk size does not matter. For chunks of one size, g is about
FORGETTING_EXPONENT / t for chunk t. No row is kept.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.frame import ColumnRange
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import CentersModel
from gaussmix.core.statistics import Statistics
from gaussmix.covariance.estimator import make_covariance_estimator
from gaussmix.covariance.prior import NormalInverseWishart
from gaussmix.covariance.regularizer import AbstractRegularizer, RidgeRegularizer
from gaussmix.engines.base import AbstractEngine
from gaussmix.model import prediction
from gaussmix.model.fixed_parameters import FixedParameters
from gaussmix.model.frame_fitting import column_range
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture_parameters import expected_moments_per_unit_weight
from gaussmix.model.noise import unpool_kind_if_noise
from gaussmix.model.problem import Problem, make_regularizer
from gaussmix.solvers.em.em import EM
from gaussmix.sources.base import AbstractSource

# A chunk enters the running sum with weight 1 - f^FORGETTING_EXPONENT, where f is the fraction of the rows before it,
# and the average likewise. With an exponent of 1 all rows count alike. With 10 the first half of the rows keeps a
# thousandth of the weight, with 3 an eighth.
FORGETTING_EXPONENT, AVERAGING_EXPONENT = 10.0, 3.0


@dataclass(frozen=True)
class OnlineState:
    """What is kept of the rows so far, in the frame of the first chunk; no row.

    Attributes
    ----------
    total_moments : Moments
        Moments of all rows as one group.
    column_range : ColumnRange
        Smallest and largest value of each column.
    regularizer : AbstractRegularizer
        Variance floor or ridge.
    prior : NormalInverseWishart, optional
    fixed : FixedParameters, optional
    running, averaged : Statistics, optional
        The running sum and the average of such sums, per unit of weight. None after a fit to one chunk: the fitted
        mixture implies them.
    leading_mixture : Mixture, optional
        The mixture of the running sum.
    n_chunks : int
    """

    total_moments: Moments
    column_range: ColumnRange
    regularizer: AbstractRegularizer
    prior: NormalInverseWishart | None = None
    fixed: FixedParameters | None = None
    running: Statistics | None = None
    averaged: Statistics | None = None
    leading_mixture: Mixture | None = None
    n_chunks: int = 1

    @classmethod
    def from_problem(cls, problem: Problem, fixed: FixedParameters | None) -> "OnlineState":
        """Return the state after a fit to all rows of a problem."""
        estimator = problem.covariance_estimator
        return cls(problem.total_moments, problem.column_range, estimator.regularizer, estimator.prior, fixed)

    @property
    def total_weight(self) -> float:
        """Total weight of all rows so far."""
        return float(self.total_moments.mass[0])


@dataclass(frozen=True)
class OnlineStep:
    """The result of one chunk.

    Attributes
    ----------
    mixture : Mixture
        The mixture of the averaged sums.
    state : OnlineState
    chunk : Problem
        The rows of the chunk.
    expectation : Expectation
        That of the chunk under the leading mixture before the step.
    """

    mixture: Mixture
    state: OnlineState
    chunk: Problem
    expectation: Expectation

    @property
    def mean_log_likelihood(self) -> float:
        """Mean log-likelihood of the chunk per row before its step, in data units."""
        return self.expectation.log_likelihood / self.chunk.total_weight + self.mixture.frame.log_abs_det_jacobian


def make_online_step(
    mixture: Mixture, state: OnlineState, source: AbstractSource, engine: AbstractEngine
) -> OnlineStep:
    """Return mixture and state after one E-step over a chunk and an M-step each for running sum and average.

    Parameters
    ----------
    mixture : Mixture
        The mixture of the averaged sums so far.
    state : OnlineState
    source : AbstractSource
        The rows of the chunk.
    engine : AbstractEngine

    Raises
    ------
    DataError
        If a row is so far away that its log density overflows.
    """
    leading = state.leading_mixture or mixture
    with np.errstate(over="ignore", invalid="ignore"):
        chunk = _make_chunk_problem(mixture, state, source, engine)
        kind = unpool_kind_if_noise(mixture.noise, chunk.covariance_estimator.moment_kind)
        expectation = chunk.e_step(leading, kind)
    if not np.isfinite(expectation.log_likelihood):
        prediction.logpdf_in_frame_units(leading, chunk.source, engine)  # names the row that is too far away
    next_state = _state_with_chunk(mixture, state, chunk, expectation)
    estimator = make_covariance_estimator(mixture.structure, next_state.regularizer, next_state.prior)
    em = EM(estimator, next_state.fixed)

    def m_step(previous: Mixture, statistics: Statistics | None) -> Mixture:
        assert statistics is not None
        scaled = statistics.scale_weights(next_state.total_weight)
        return em.m_step(previous, replace(expectation, statistics=scaled))

    next_state = replace(next_state, leading_mixture=m_step(leading, next_state.running))
    return OnlineStep(m_step(mixture, next_state.averaged), next_state, chunk, expectation)


def _state_with_chunk(mixture: Mixture, state: OnlineState, chunk: Problem, expectation: Expectation) -> OnlineState:
    """Return the state with the moments of a chunk added, and with the leading mixture of before."""
    total = state.total_moments + chunk.total_moments
    old_fraction = state.total_weight / float(total.mass[0])
    of_chunk = expectation.statistics.scale_weights(1.0 / chunk.total_weight)
    implied = Statistics(expected_moments_per_unit_weight(mixture, expectation.moments.kind))
    running = _blend_statistics(state.running or implied, of_chunk, old_fraction**FORGETTING_EXPONENT)
    averaged = _blend_statistics(state.averaged or implied, running, old_fraction**AVERAGING_EXPONENT)
    return replace(
        state,
        total_moments=total,
        column_range=state.column_range + chunk.column_range,
        regularizer=_regularizer_of_all_rows(mixture, replace(state, total_moments=total)),
        running=running,
        averaged=averaged,
        n_chunks=state.n_chunks + 1,
    )


def _blend_statistics(old: Statistics, new: Statistics, old_fraction: float) -> Statistics:
    """Return ``old_fraction * old + (1 - old_fraction) * new``."""
    return old.scale_weights(old_fraction) + new.scale_weights(1.0 - old_fraction)


def _make_chunk_problem(
    mixture: Mixture, state: OnlineState, source: AbstractSource, engine: AbstractEngine
) -> Problem:
    """Return the rows of a chunk as a problem in the frame of the mixture, with the regularizer of the state."""
    framed = source.with_frame(mixture.frame)
    extent = framed.reduce(column_range)
    middle = 0.5 * extent.minimum + 0.5 * extent.maximum  # sums about the frame's center would cancel far from it
    total = engine.bind(framed).e_step(CentersModel.uniform(middle[None]), MomentKind.DIAGONAL).moments
    estimator = make_covariance_estimator(mixture.structure, state.regularizer, state.prior)
    return Problem(framed, estimator, engine, total, extent, mixture.feature_names)


def _regularizer_of_all_rows(mixture: Mixture, state: OnlineState) -> AbstractRegularizer:
    """Return the variance floor of all rows so far; with noise that of the first chunk, free of outliers."""
    if isinstance(state.regularizer, RidgeRegularizer) or mixture.noise is not None:
        return state.regularizer
    total = state.total_moments
    return make_regularizer(mixture.frame, total.scatter[0] / total.mass[0], mixture.structure, None)
