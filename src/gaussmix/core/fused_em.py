"""Inputs and results of fused EM: a whole run as arrays, for an engine that runs all iterations at once.

Between two passes over few rows Python costs ten times as much as a pass. A fused runner (`engines`) therefore runs
many iterations without Python. It returns how far it came, and the loop continues from there.
"""

from dataclasses import dataclass
from typing import NamedTuple

from gaussmix.core.expectation import Expectation
from gaussmix.types import DD, KD, KDD, ND, Array, D, IntN, K, N


class FusedRunRows(NamedTuple):
    """Rows (n, D) in the frame, weights (n,) or None for one each, known components (n,) or None if no row has one."""

    rows: ND
    row_weights: N | None
    known_labels: IntN | None


@dataclass(frozen=True)
class PriorStatistics:
    """What a prior adds to every component.

    ``scatter`` (D, D) is added to the scatter, ``mass`` to its divisor, and ``shrinkage`` rows at ``location`` (D,) to
    the mean. The log density of the prior is minus half of mass log|S| + tr(S^-1 scatter) + shrinkage (distance)^2.
    """

    shrinkage: float
    mass: float
    location: D
    scatter: DD

    def scale_count(self, factor: float) -> "PriorStatistics":
        """Return the statistics of a prior that counts ``factor`` times: shrinkage, mass and scatter are multiplied."""
        return PriorStatistics(self.shrinkage * factor, self.mass * factor, self.location, self.scatter * factor)


@dataclass(frozen=True)
class FusedRunInput:
    """The input of a fused run of EM: rows (n, D) in working coordinates, initial parameters, and a stopping rule.

    ``structure_name`` are mclust's letters. ``known_labels`` (n,) are components of rows, -1 if unknown.
    ``covariances`` (K, D, D) have the variances ``axis_variances`` (K, D) along ``axes`` (K, D, D, in columns); nobody
    reads axes and covariances of axis-aligned structures. The run stops when the log-likelihood changes from
    ``previous_log_likelihood`` by less than ``tolerance`` times the total weight. If ``is_tolerance_relative``, it is
    less than ``tolerance`` times the log-likelihood, if that is larger. With ``prior_statistics`` every log-likelihood
    includes the log density of the prior.
    """

    structure_name: str
    rows: ND
    row_weights: N | None
    known_labels: IntN | None
    component_weights: K
    centers: KD
    axis_variances: KD
    axes: KDD
    covariances: KDD
    variance_floor: D
    tolerance: float
    is_tolerance_relative: bool
    previous_log_likelihood: float
    max_iter: int
    noise_weight_and_log_density: tuple[float, float] | None = None
    prior_statistics: PriorStatistics | None = None


@dataclass(frozen=True)
class FirstMStepInput:
    """The input of an M-step without previous covariances: mass (K,) and scatter (K, D, D) in working coordinates.

    ``structure_name`` are mclust's letters. ``axes_to_try`` (n_trials, D, D, in columns) are axes to start from, for
    structures whose components share axes.
    """

    structure_name: str
    mass: K
    scatter: KDD
    axes_to_try: Array
    variance_floor: D


@dataclass(frozen=True)
class FusedCovariances:
    """Covariances as variances (K, D) along axes (K, D, D, in columns), and their Cholesky factors (K, D, D)."""

    axis_variances: KD
    axes: KDD
    covariance_factors: KDD


@dataclass(frozen=True)
class FusedRunResult:
    """The result of a fused run: the last parameters, and the log-likelihood of each iteration.

    ``expectation``, with moments of the kind NONE, is that of the last parameters; None if the loop must continue.
    """

    component_weights: K
    noise_weight: float
    centers: KD
    axis_variances: KD
    axes: KDD
    covariance_factors: KDD
    log_likelihoods: Array
    has_converged: bool
    expectation: Expectation | None = None
