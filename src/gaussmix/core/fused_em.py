"""``WholeRun``: a run of EM over few rows in plain numbers, for an engine that can do all its passes at once.

Between pass and step Python costs ten times what few rows cost. So an engine may offer to go through passes
and steps without it (`AbstractEngine.whole`); it gives back how far it came, and the loop goes on from there.
"""

from dataclasses import dataclass

from gaussmix.types import DD, KD, KDD, ND, Array, D, IntN, K, N


@dataclass(frozen=True)
class PriorStatistics:
    """What a prior adds to every component: ``scatter`` (D, D), ``mass`` to divide by, and ``shrinkage`` rows at a
    ``location`` (D,). Its log density is minus half of mass log|S| + tr(S^-1 scatter) + shrinkage (distance)^2."""

    shrinkage: float
    mass: float
    location: D
    scatter: DD

    def scale(self, factor: float) -> "PriorStatistics":
        """What it adds where it counts ``factor`` times."""
        return PriorStatistics(self.shrinkage * factor, self.mass * factor, self.location, self.scatter * factor)


@dataclass(frozen=True)
class FusedRun:
    """Rows (n, D) in working coordinates, where to begin, the floor, and when to stop.

    ``letters`` name the structure; ``known`` (n,) are components of rows, -1 where unknown; covariances are
    ``matrices`` (K, D, D), with variances ``values`` (K, D) along ``axes`` (K, D, D, columns). It ends when the
    log-likelihood changes from ``last`` by less than ``tolerance`` times the total weight, or times the log-likelihood
    if that ``is_relative`` and larger. ``noise`` is its share and the logarithm of its density; with a ``belief`` its
    log density is part of every log-likelihood.
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
class FusedResult:
    """Where it ended: parameters as they began, ``factors`` of the covariances, and a log-likelihood for each pass."""

    component_weights: K
    noise_weight: float
    centers: KD
    axis_variances: KD
    axes: KDD
    covariance_factors: KDD
    log_likelihoods: Array
    has_converged: bool
