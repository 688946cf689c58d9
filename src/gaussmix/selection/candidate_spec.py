"""``CandidateSpec``: a candidate of a search before its runs."""

from dataclasses import dataclass
from functools import cached_property

from gaussmix.core.moments import Moments
from gaussmix.errors.text import format_count
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import N_NOISE_PARAMETERS, Noise, drop_noise_moments
from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization import initialize_from_moments
from gaussmix.solvers.initialization.noise_initialization import add_noise

# Up to as many rows, every run of every candidate converges: it takes milliseconds, and the table of criteria is exact.
MAX_ROWS_WITHOUT_PRUNING = 300

# A run stops after this many iterations with a floored variance: a degenerate candidate is never chosen, and a run
# that has reached the floor hardly ever leaves it.
MAX_FLOORED_ITER = 2


@dataclass(frozen=True)
class CandidateSpec:
    """A candidate before its runs.

    Attributes
    ----------
    problem : Problem
        All rows.
    screening_problem : Problem
        The rows of the first runs: all, or a sample.
    n_components : int
    labelled_components : tuple of int
        Components with rows that are known to belong to them; they keep their numbers.
    initial_noise : Noise or None
        The noise component of the starts.
    near_problem : Problem or None
        The rows without a few far ones, in the frame of ``problem``; None without far rows.
    """

    problem: Problem
    screening_problem: Problem
    n_components: int
    labelled_components: tuple[int, ...] = ()
    initial_noise: Noise | None = None
    near_problem: Problem | None = None

    def make_initial_mixture(self, moments: Moments) -> Mixture:
        """Return the initial mixture, with noise if the candidate has it.

        Moments of ``n_components + 1`` groups end with those of noise, which are ignored.
        """
        component_moments = (
            moments if len(moments.mass) == self.n_components else drop_noise_moments(moments, moments.kind)
        )
        kind = self.screening_problem.covariance_estimator.moment_kind
        mixture = initialize_from_moments(self.screening_problem, component_moments.to_kind(kind))
        noise = self.initial_noise
        return mixture if noise is None else add_noise(mixture, noise.box, noise.weight)

    @property
    def has_sample(self) -> bool:
        """Whether the first runs use a sample of the rows."""
        return self.screening_problem is not self.problem

    @property
    def is_never_pruned(self) -> bool:
        """Whether the rows are so few that all runs go to convergence; never with far rows, whose runs take longer."""
        return self.problem.n_rows <= MAX_ROWS_WITHOUT_PRUNING and self.problem.far_row_limits is None

    @property
    def shortage_of_rows(self) -> str:
        """Why the candidate must be degenerate, whatever its fit: all rows are too few for it; empty if it need not."""
        requirement, weight = self.problem.row_requirement(self.n_components), self.problem.total_weight
        if weight >= requirement.in_total or self.problem.n_rows < self.n_components:
            return ""
        components = f"{format_count(self.n_components, 'component')} of {self.problem.covariance_estimator.structure}"
        return f"{components} would need {format_count(requirement.in_total, 'row')}; there are {weight:.6g}."

    @property
    def max_floored_iter(self) -> int | None:
        """Iterations with a floored variance after which a run stops; None where far rows have a floored component."""
        return MAX_FLOORED_ITER if self.problem.far_row_limits is None else None

    @property
    def name(self) -> str:
        """Structure and number of components, such as 'VVV, 3 components'."""
        return f"{self.problem.covariance_estimator.structure}, {self.n_components} components"

    @cached_property
    def n_parameters(self) -> int:
        """Free parameters of the mixture, with those of noise."""
        structure = self.problem.covariance_estimator.structure
        n_parameters = structure.n_mixture_parameters(self.n_components, self.problem.source.n_features)
        return n_parameters + (0 if self.initial_noise is None else N_NOISE_PARAMETERS)
