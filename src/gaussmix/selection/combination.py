"""Combination of overlapping components into clusters; the mixture stays as it is.

A group that is not Gaussian takes several components, so the best number of components may exceed the number of
clusters. Baudry, Raftery, Celeux, Lo & Gottardo ("Combining mixture components for clustering", J. Comput. Graph.
Stat. 19, 2010) merge clusters one pair at a time. Each step merges the pair that lowers the entropy of the assignment
most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

import numpy as np

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import relabel_noise_as_minus_one
from gaussmix.types import NK, ArrayLike, IntN, N

# Entropy reductions per row (nats) are rounded to so many decimals, so that equal ones tie and the first pair wins.
_GAIN_DECIMALS = 14

Cluster = tuple[int, ...]  # the components of one cluster, ascending


class FittedMixtureEstimator(Protocol):
    """A fitted estimator that holds its mixture in ``model_``."""

    model_: Mixture


@dataclass(frozen=True)
class ClusterSolution:
    """One solution: the components of each cluster.

    Attributes
    ----------
    cluster_components : tuple of tuple of int
        The components of each cluster; clusters are in the order of their first components.
    entropy : float
        -sum w t log t over rows and clusters, with row weights w and cluster probabilities t (nats).
    merged_clusters : pair of tuple of int, or None
        The two clusters of the previous solution that this one merges; None in the first solution.
    """

    cluster_components: tuple[Cluster, ...]
    entropy: float
    merged_clusters: tuple[Cluster, Cluster] | None = None

    @property
    def n_clusters(self) -> int:
        """The number of clusters."""
        return len(self.cluster_components)


@dataclass(frozen=True, eq=False, repr=False)
class Combination:
    """Solutions with K, K - 1, ..., 1 clusters, and the suggested number of clusters.

    Attributes
    ----------
    solutions : tuple of ClusterSolution
        Most clusters first.
    suggested_n_clusters : int
        The elbow of the entropies.
    has_noise : bool
        Whether the mixture has a noise component.
    component_probabilities : ndarray of shape (n, K)
        Responsibilities of the components; with noise, its column is the last.
    """

    solutions: tuple[ClusterSolution, ...]
    suggested_n_clusters: int
    has_noise: bool
    component_probabilities: NK = field(repr=False)

    def __repr__(self) -> str:
        lines = "".join(f"\n  {solution.n_clusters}: {_format_solution(solution)}" for solution in self.solutions)
        return f"Combination of {self.solutions[0].n_clusters} components, {self.suggested_n_clusters} suggested{lines}"

    def solution(self, n_clusters: int | None = None) -> ClusterSolution:
        """Return the solution with ``n_clusters`` clusters (default: the suggested number).

        Raises ParameterError if ``n_clusters`` is below 1 or above the number of components.
        """
        count = self.suggested_n_clusters if n_clusters is None else require_integer("n_clusters", n_clusters, 1)
        n_components = self.solutions[0].n_clusters
        if count > n_components:
            allowed = f"at most {n_components}, the number of components"
            raise ParameterError.invalid_value("n_clusters", n_clusters, allowed)
        return self.solutions[n_components - count]

    def cluster_probabilities(self, n_clusters: int | None = None) -> NK:
        """Return the probability of each cluster for each row, (n, n_clusters); noise adds a last column."""
        columns = [
            self.component_probabilities[:, list(components)].sum(axis=1)
            for components in self.solution(n_clusters).cluster_components
        ]
        return np.column_stack([*columns, *([self.component_probabilities[:, -1]] if self.has_noise else [])])

    def cluster_labels(self, n_clusters: int | None = None) -> IntN:
        """Return the most probable cluster of each row (n,), from 0; -1 means noise."""
        probabilities = self.cluster_probabilities(n_clusters)
        return relabel_noise_as_minus_one(probabilities.argmax(axis=1), self.solution(n_clusters).n_clusters)

    def table(self) -> list[dict[str, object]]:
        """Return one dict per solution, most clusters first: n_clusters, entropy, merged clusters, suggestion."""
        return [
            {
                "n_clusters": solution.n_clusters,
                "entropy": solution.entropy,
                "merged_clusters": solution.merged_clusters,
                "cluster_components": solution.cluster_components,
                "suggested": solution.n_clusters == self.suggested_n_clusters,
            }
            for solution in self.solutions
        ]


def combine(
    mixture: Mixture | FittedMixtureEstimator, X: ArrayLike, sample_weight: ArrayLike | None = None
) -> Combination:
    """Merge the components of a mixture into clusters, one pair at a time.

    Each step merges the pair that lowers the entropy of the assignment most. The entropy is -sum w t log t over rows
    and clusters. The suggested number of clusters is the elbow of the entropies: the breakpoint of the two
    least-squares lines that fit them best. Noise is never merged.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
        The rows that the mixture was fitted to.
    sample_weight : array-like of shape (n,), optional
        How often each row counts.

    Returns
    -------
    Combination

    Raises
    ------
    DataError
        If the rows or the weights are invalid.
    ParameterError
        If ``mixture`` is neither a mixture nor a fitted estimator.

    References
    ----------
    Baudry, Raftery, Celeux, Lo & Gottardo, J. Comput. Graph. Stat. 19 (2010), section 2 (criterion) and 4 (elbow).
    """
    model = getattr(mixture, "model_", mixture)
    if not isinstance(model, Mixture):
        allowed = "a Mixture or a fitted estimator (call fit first; for a search, pass selection.best.mixture)"
        raise ParameterError.invalid_value("mixture", type(mixture), allowed)
    rows = parse_rows(X, model.n_features, model.feature_names)
    weights = parse_weights(sample_weight, len(rows))
    probabilities = model.predict_proba(rows)
    probabilities.flags.writeable = False
    solutions = _merge_pairs_until_one_cluster(
        probabilities, model.n_components, np.ones(len(rows)) if weights is None else weights
    )
    entropies = [solution.entropy for solution in reversed(solutions)]
    return Combination(solutions, find_elbow_number(entropies), model.noise is not None, probabilities)


def find_elbow_number(values: Sequence[float]) -> int:
    """Return the number c (from 1) of the value where two least-squares lines through values 1..c and c..K meet.

    Both lines contain the breakpoint, and each has at least two values. Of equal breakpoints the first wins. One or
    two values have no breakpoint; the result is then their number. Baudry et al. (2010), section 4.
    """
    n_values = len(values)
    positions, heights = np.arange(1.0, n_values + 1.0), np.asarray(values, dtype=np.float64)
    if n_values < 3:
        return n_values
    breakpoints = range(2, n_values)
    errors = [
        _sum_squared_line_residuals(positions[:c], heights[:c])
        + _sum_squared_line_residuals(positions[c - 1 :], heights[c - 1 :])
        for c in breakpoints
    ]
    return breakpoints[int(np.argmin(errors))]


def _sum_squared_line_residuals(positions: N, values: N) -> float:
    """Return the sum of squared residuals of the least-squares line through values (n,) at positions (n,)."""
    x, y = positions - positions.mean(), values - values.mean()
    return float(((y - x * (x @ y) / (x @ x)) ** 2).sum())


def _merge_pairs_until_one_cluster(
    component_probabilities: NK, n_components: int, weights: N
) -> tuple[ClusterSolution, ...]:
    """Return the solutions with K, K - 1, ..., 1 clusters; each step merges the pair that lowers the entropy most.

    Columns of the probabilities beyond ``n_components`` belong to noise, which stays as it is.
    """
    clusters: list[Cluster] = [(k,) for k in range(n_components)]
    probabilities: dict[Cluster, N] = {(k,): component_probabilities[:, k] for k in range(n_components)}
    entropies = {cluster: _cluster_entropy(values, weights) for cluster, values in probabilities.items()}
    total_weight = float(weights.sum())
    noise_entropy = float(_cluster_entropy(component_probabilities[:, n_components:].sum(axis=1), weights))
    reductions = {
        pair: _entropy_reduction_by_merging(pair, probabilities, entropies, weights)
        for pair in combinations(clusters, 2)
    }
    solutions = [ClusterSolution(tuple(clusters), noise_entropy + sum(entropies.values()))]
    while len(clusters) > 1:
        first, second = max(
            combinations(clusters, 2), key=lambda pair: round(reductions[pair] / total_weight, _GAIN_DECIMALS)
        )
        union = tuple(sorted(first + second))
        probabilities[union] = probabilities[first] + probabilities[second]
        entropies[union] = _cluster_entropy(probabilities[union], weights)
        clusters = sorted([cluster for cluster in clusters if cluster not in (first, second)] + [union])
        for pair in combinations(clusters, 2):
            if union in pair:
                reductions[pair] = _entropy_reduction_by_merging(pair, probabilities, entropies, weights)
        entropy = noise_entropy + sum(entropies[cluster] for cluster in clusters)
        solutions.append(ClusterSolution(tuple(clusters), entropy, (first, second)))
    return tuple(solutions)


def _entropy_reduction_by_merging(
    pair: tuple[Cluster, Cluster],
    cluster_probabilities: dict[Cluster, N],
    cluster_entropies: dict[Cluster, float],
    weights: N,
) -> float:
    """Return how much the entropy of the assignment falls if a pair of clusters merges (nats)."""
    first, second = pair
    union_entropy = _cluster_entropy(cluster_probabilities[first] + cluster_probabilities[second], weights)
    return cluster_entropies[first] + cluster_entropies[second] - union_entropy


def _cluster_entropy(probabilities: N, weights: N) -> float:
    """Return -sum w t log t of one cluster with probabilities (n,); those above 1 by rounding count as 1."""
    from scipy import special

    return float(weights @ special.entr(np.minimum(probabilities, 1.0)))


def _format_solution(solution: ClusterSolution) -> str:
    """Return the entropy and the components of each cluster, such as 'entropy 4.38, {0,2} {1}'."""
    clusters = " ".join("{" + ",".join(map(str, components)) + "}" for components in solution.cluster_components)
    return f"entropy {solution.entropy:.5g}, {clusters}"
