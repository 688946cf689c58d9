"""Several components, one cluster: components that overlap are joined, the mixture stays as it is.

A group that is not Gaussian takes several components, and the best number of components is then
larger than the number of clusters. Baudry, Raftery, Celeux, Lo & Gottardo ("Combining mixture
components for clustering", J. Comput. Graph. Stat. 19, 2010) join, one pair after the other, the two
whose union leaves the assignment of the rows clearest.
"""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

import numpy as np

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import noise_to_minus_one
from gaussmix.selection.elbow import find_elbow
from gaussmix.selection.validation import parse_integer
from gaussmix.types import NK, ArrayLike, IntN, N

_GAIN_DECIMALS = 14  # of a gain in nats a row: what differs by rounding alone is equal, and the first pair is taken


class FittedMixtureEstimator(Protocol):
    """A fitted estimator, as far as its mixture goes."""

    model_: Mixture


@dataclass(frozen=True)
class ClusterSolution:
    """One solution: which components form each cluster, in the order of their first components.

    ``entropy`` is -sum over rows and clusters of w t log t (nats), ``joined`` are the two clusters of the solution
    before that became one; None where nothing is joined yet.
    """

    cluster_components: tuple[tuple[int, ...], ...]
    entropy: float
    merged_clusters: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    @property
    def n_clusters(self) -> int:
        return len(self.cluster_components)


@dataclass(frozen=True, eq=False, repr=False)
class Combination:
    """Solutions with K, K - 1, ..., 1 clusters, and the number that the entropies suggest."""

    solutions: tuple[ClusterSolution, ...]
    suggested_n_clusters: int
    has_noise: bool
    component_probabilities: NK = field(repr=False)

    def __repr__(self) -> str:
        lines = "".join(f"\n  {found.n_clusters}: {_format_solution(found)}" for found in self.solutions)
        return f"Combination of {self.solutions[0].n_clusters} components, {self.suggested_n_clusters} suggested{lines}"

    def solution(self, n_clusters: int | None = None) -> ClusterSolution:
        """The solution with so many clusters; ParameterError if there is none."""
        count = self.suggested_n_clusters if n_clusters is None else parse_integer("n_clusters", n_clusters, 1)
        most = self.solutions[0].n_clusters
        if count > most:
            raise ParameterError.invalid_value("n_clusters", n_clusters, f"at most {most}, the number of components")
        return self.solutions[most - count]

    def cluster_probabilities(self, n_clusters: int | None = None) -> NK:
        """Probability of each cluster for each row, (n, n_clusters); with noise its own follows in one more column."""
        columns = [
            self.component_probabilities[:, list(members)].sum(axis=1)
            for members in self.solution(n_clusters).cluster_components
        ]
        return np.column_stack([*columns, *([self.component_probabilities[:, -1]] if self.has_noise else [])])

    def cluster_labels(self, n_clusters: int | None = None) -> IntN:
        """The most probable cluster of each row (n,), counted from 0; -1 is noise."""
        soft = self.cluster_probabilities(n_clusters)
        return noise_to_minus_one(soft.argmax(axis=1), self.solution(n_clusters).n_clusters)

    def table(self) -> list[dict[str, object]]:
        """One row per solution, K clusters first: clusters, entropy, what was joined, whether it is suggested."""
        return [
            {
                "n_clusters": found.n_clusters,
                "entropy": found.entropy,
                "merged_clusters": found.merged_clusters,
                "cluster_components": found.cluster_components,
                "suggested": found.n_clusters == self.suggested_n_clusters,
            }
            for found in self.solutions
        ]


def combine(
    mixture: Mixture | FittedMixtureEstimator, X: ArrayLike, sample_weight: ArrayLike | None = None
) -> Combination:
    """Join the components of a mixture into clusters, one pair at a time.

    Of all pairs the one is joined that lowers the entropy of the assignment, -sum w t log t over rows and clusters,
    most. The number suggested is where the entropy as a function of the number of clusters bends: the breakpoint of
    the best two straight pieces that both hold it. Noise is never joined.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
        The rows it was fitted to.
    sample_weight : array-like of shape (n,), optional
        How often each row counts.

    Raises
    ------
    DataError, ParameterError
        If the rows cannot be used, or ``mixture`` is none.

    References
    ----------
    Baudry, Raftery, Celeux, Lo & Gottardo, J. Comput. Graph. Stat. 19 (2010), section 2 (criterion) and 4 (elbow).
    """
    found = getattr(mixture, "model_", mixture)
    if not isinstance(found, Mixture):
        allowed = "a Mixture or a fitted estimator (call fit first; of a search pass selection.best.mixture)"
        raise ParameterError.invalid_value("mixture", type(mixture), allowed)
    rows = parse_rows(X, found.n_features, found.feature_names)
    weights = parse_weights(sample_weight, len(rows))
    soft = found.predict_proba(rows)
    soft.flags.writeable = False
    solutions = _merge_clusters(soft, found.n_components, np.ones(len(rows)) if weights is None else weights)
    entropies = [one.entropy for one in reversed(solutions)]
    return Combination(solutions, find_elbow(entropies), found.noise is not None, soft)


def _merge_clusters(component_probabilities: NK, n_components: int, weights: N) -> tuple[ClusterSolution, ...]:
    """All solutions, most clusters first."""
    members: list[tuple[int, ...]] = [(k,) for k in range(n_components)]
    shares: dict[tuple[int, ...], N] = {(k,): component_probabilities[:, k] for k in range(n_components)}
    parts = {cluster: _cluster_entropy(share, weights) for cluster, share in shares.items()}
    total = float(weights.sum())
    rest = float(_cluster_entropy(component_probabilities[:, n_components:].sum(axis=1), weights))  # the noise's
    gains = {pair: _entropy_reduction(pair, shares, parts, weights) for pair in combinations(members, 2)}
    found = [ClusterSolution(tuple(members), rest + sum(parts.values()))]
    while len(members) > 1:
        first, second = max(combinations(members, 2), key=lambda pair: round(gains[pair] / total, _GAIN_DECIMALS))
        union = tuple(sorted(first + second))
        shares[union] = shares[first] + shares[second]
        parts[union] = _cluster_entropy(shares[union], weights)
        members = sorted([other for other in members if other not in (first, second)] + [union])
        for pair in combinations(members, 2):
            if union in pair:
                gains[pair] = _entropy_reduction(pair, shares, parts, weights)
        entropy = rest + sum(parts[cluster] for cluster in members)
        found.append(ClusterSolution(tuple(members), entropy, (first, second)))
    return tuple(found)


def _entropy_reduction(
    pair: tuple[tuple[int, ...], tuple[int, ...]],
    cluster_probabilities: dict[tuple[int, ...], N],
    cluster_entropies: dict[tuple[int, ...], float],
    weights: N,
) -> float:
    """How much the entropy falls if two clusters become one."""
    first, second = pair
    return (
        cluster_entropies[first]
        + cluster_entropies[second]
        - _cluster_entropy(cluster_probabilities[first] + cluster_probabilities[second], weights)
    )


def _cluster_entropy(probabilities: N, weights: N) -> float:
    """-sum w t log t of one cluster; what rounding lifts above 1 is 1."""
    from scipy import special

    return float(weights @ special.entr(np.minimum(probabilities, 1.0)))


def _format_solution(solution: ClusterSolution) -> str:
    clusters = " ".join("{" + ",".join(map(str, members)) + "}" for members in solution.cluster_components)
    return f"entropy {solution.entropy:.5g}, {clusters}"
