"""``Member``: one mixture of an ensemble, fitted to a half of the rows and scaled on the other half.

Its score is minus the log density under the components that vouch for rows, in units of the spread of that score among
held-out rows: 0 at their median, 1 at their upper quartile. Up to a quarter of anomalies hardly changes this scale.

Where training rows may contain anomalies, only components that belong to a group of at least a twentieth of the weight
vouch (`vouching`).
"""

from dataclasses import dataclass
from typing import NamedTuple

from gaussmix.anomaly.row_order import count_distinct_rows
from gaussmix.anomaly.vouching import select_vouching_components
from gaussmix.anomaly.weighted_quantiles import weighted_quantile
from gaussmix.core.random_numbers import make_generator
from gaussmix.covariance import Structure
from gaussmix.engines import AutomaticEngine
from gaussmix.model import Mixture, Problem, prediction
from gaussmix.solvers import EM, MeanGainRule, run_solver
from gaussmix.solvers.initialization.kmeans import initialize_from_centers, kmeans_centers
from gaussmix.sources import MemorySource
from gaussmix.types import ND, N

_TOL, _MAX_ITER = 1e-3, 60
_MIN_ROWS_PER_COMPONENT = 4
_MAX_COVARIANCE_VALUES = 16_000_000  # of a member: 128 MB
_MIN_SPREAD = 1e-3  # in nats: less is that of equal rows and of rounding errors, which must not become scores


class MemberOptions(NamedTuple):
    """What a member is: components, structure, ridge in squared deviations, and whether light components vouch."""

    n_components: int
    structure: Structure
    ridge: float
    light_components_vouch: bool


@dataclass(frozen=True, eq=False)
class Member:
    """A mixture of standardised rows, and the median and the spread of minus its log density among held-out rows."""

    mixture: Mixture
    median: float
    spread: float

    def score(self, rows: ND) -> N:
        """Return the scores (n,) of standardised rows (n, d); a higher score is more anomalous."""
        scores = log_density(self.mixture, rows)
        scores += self.median
        scores /= -self.spread
        return scores


def log_density(mixture: Mixture, rows: ND) -> N:
    """Return the log density (n,) of rows (n, d), up to a constant of the mixture."""
    source = MemorySource.from_array(rows, frame=mixture.frame)
    return prediction.logpdf_in_frame_units(mixture, source, AutomaticEngine(len(rows)))


def fit_mixture(rows: ND, weights: N | None, options: MemberOptions, seed: int) -> Mixture:
    """Fit a mixture with a ridge to standardised rows (n, d), with weights (n,) or None, from one run of k-means.

    There are at least four distinct rows for each component.
    """
    problem = Problem.from_source(MemorySource.from_array(rows, weights), options.structure, options.ridge)
    most = min(count_distinct_rows(rows) // _MIN_ROWS_PER_COMPONENT, _MAX_COVARIANCE_VALUES // rows.shape[1] ** 2)
    n_components = max(1, min(options.n_components, most))
    start = initialize_from_centers(problem, kmeans_centers(problem, n_components, make_generator(seed)))
    return run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(_TOL, _MAX_ITER)).model


def make_member(mixture: Mixture, held_out_rows: ND, weights: N | None, options: MemberOptions) -> Member:
    """Return the member of a fitted mixture, scaled on rows (m, d), with weights (m,) or None, that it has not seen."""
    if not options.light_components_vouch:
        mixture = select_vouching_components(mixture, held_out_rows, weights)
    return _scale(mixture, -log_density(mixture, held_out_rows), weights)


def _scale(mixture: Mixture, scores: N, weights: N | None) -> Member:
    """Return the member whose scores have these values among held-out rows, before they are scaled."""
    median = weighted_quantile(scores, weights, 0.5)
    return Member(mixture, median, max(weighted_quantile(scores, weights, 0.75) - median, _MIN_SPREAD))
