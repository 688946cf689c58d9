"""Results of the bootstrap test: ``BootstrapStep`` (one test) and ``BootstrapTestResult`` (all tests)."""

from dataclasses import dataclass, replace

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.covariance.structure import Structure
from gaussmix.errors.text import format_count
from gaussmix.model.column_dependence import attach_dependence
from gaussmix.model.mixture import Mixture
from gaussmix.types import Array


@dataclass(frozen=True, eq=False)
class BootstrapStep:
    """One test of ``n_components`` against one component more.

    Attributes
    ----------
    n_components : int
        The number of components of the null hypothesis.
    log_likelihood, log_likelihood_alternative : float
        Of ``n_components`` and of one more (nats, data units).
    statistic : float
        Twice the gain in log-likelihood.
    p_value : float
    bootstrap_statistics : ndarray of shape (n_bootstrap,)
        The statistics of the samples.
    null_mixture, alternative_mixture : Mixture
        The fits of ``n_components`` and of one more.
    """

    n_components: int
    log_likelihood: float
    log_likelihood_alternative: float
    statistic: float
    p_value: float
    bootstrap_statistics: Array
    null_mixture: Mixture
    alternative_mixture: Mixture

    def __repr__(self) -> str:
        counts = f"{self.n_components} vs {self.n_components + 1}"
        return f"{counts}: statistic {self.statistic:.6g}, p {self.p_value:.4g}"


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapTestResult:
    """The tests of 1 against 2 components, 2 against 3 and so on, and the decision.

    Attributes
    ----------
    structure : Structure
    level : float
        The level of significance.
    steps : tuple of BootstrapStep
    n_components : int
        The decided number of components.
    mixture : Mixture
        The fit of ``n_components``.
    stop_reason : str
        Why no further test was made.
    """

    structure: Structure
    level: float
    steps: tuple[BootstrapStep, ...]
    n_components: int
    mixture: Mixture
    stop_reason: str

    def __repr__(self) -> str:
        title = f"BootstrapTestResult of {self.structure} at level {self.level:g}"
        lines = [f"{title}: {format_count(self.n_components, 'component')}", *map(repr, self.steps), self.stop_reason]
        return "\n  ".join(lines)

    def with_all_columns(
        self, dependence: ColumnDependence | None, feature_names: tuple[str, ...] | None
    ) -> "BootstrapTestResult":
        """Return the result of a test of the independent columns, with mixtures of all columns."""
        steps = tuple(
            replace(
                step,
                null_mixture=attach_dependence(step.null_mixture, dependence, feature_names),
                alternative_mixture=attach_dependence(step.alternative_mixture, dependence, feature_names),
            )
            for step in self.steps
        )
        return replace(self, steps=steps, mixture=attach_dependence(self.mixture, dependence, feature_names))

    def table(self) -> list[dict[str, object]]:
        """Return one dict per test: numbers of components, log-likelihoods, statistic, p-value, samples, decision."""
        return [
            {
                "n_components": step.n_components,
                "n_components_alternative": step.n_components + 1,
                "log_likelihood": step.log_likelihood,
                "log_likelihood_alternative": step.log_likelihood_alternative,
                "statistic": step.statistic,
                "p_value": step.p_value,
                "n_bootstrap": len(step.bootstrap_statistics),
                "rejected": step.p_value <= self.level,
            }
            for step in self.steps
        ]
