"""Model-based hierarchical clustering: one tree of the rows, which can be cut into any number of groups.

k-means cuts long thin groups across, and EM cannot leave that local optimum. Merging groups by their Gaussian
likelihood has no such preference and no randomness, and one tree serves every number of components (Banfield &
Raftery, "Model-based Gaussian and non-Gaussian clustering", Biometrics 49, 1993; Fraley, "Algorithms for model-based
Gaussian hierarchical clustering", SIAM J. Sci. Comput. 20, 1998).

The rows are transformed first. Criteria of mclust use the principal components of the standardized columns, divided
by the square root of their singular value (Scrucca & Raftery, "Improved initialisation of model-based clustering using
Gaussian hierarchical clustering", Adv. Data Anal. Classif. 9, 2015). The tree is then independent of the columns'
units. The default criterion whitens the rows, which makes the tree independent of any linear map.
"""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from gaussmix.core.linalg import principal_axes
from gaussmix.engines.agglomerator import AbstractAgglomerator
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization.agglomeration import agglomerate, agglomerator_or_none, cut_merges
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.initial_mixture import initialize_from_labels, sort_components_by_mean
from gaussmix.solvers.initialization.merge_criteria import MAX_DETERMINANT_COLUMNS, MERGE_CRITERIA, MergedPairs
from gaussmix.solvers.initialization.pooled_agglomeration import agglomerate_pooled
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.types import ND, IntN, N

MAX_TREE_ROWS = 2_000  # an initialization builds the tree of a sample of this size if there are more distinct rows
_MIN_TREE_ROWS_PER_COMPONENT = 10  # raises that limit for many components
DEFAULT_MERGE_CRITERION = "whitened"
_RELATIVE_RANK_TOLERANCE = 1e-9  # directions with a smaller singular value, relative to the largest, are constant
_RELATIVE_JITTER = 1e-9  # relative to the largest value of a column; breaks ties of distances reproducibly


class AgglomerationFunction(Protocol):
    """A function of rows (m, D), weights (m,) and mean variance; it returns the merges (m - 1, 2)."""

    def __call__(
        self, rows: ND, weights: N, mean_variance: float, agglomerator: AbstractAgglomerator | None = None, /
    ) -> MergedPairs: ...


@dataclass(frozen=True)
class AgglomerationMethod:
    """A function that makes all merges, and whether it needs whitened rows."""

    agglomerate: AgglomerationFunction
    needs_whitening: bool = False


# By name of the criterion. EEE shares one covariance, so that its criterion is not a sum over groups.
AGGLOMERATION_METHODS: dict[str, AgglomerationMethod] = {
    **{
        name: AgglomerationMethod(partial(agglomerate, criterion=criterion), criterion.needs_whitening)
        for name, criterion in MERGE_CRITERIA.items()
    },
    "EEE": AgglomerationMethod(agglomerate_pooled),
}

MCLUST_CRITERIA = ("EII", "VII", "EEE", "VVV")  # on rows scaled as in mclust


@dataclass(frozen=True)
class MergeTree:
    """A tree of merges over the m distinct rows, with scikit-learn's numbering of nodes.

    ``children`` (m - 1, 2) are the two groups that each step merges. Leaves are groups 0 to m - 1, in sorted
    order of the distinct rows; step t makes group m + t. ``leaf_of_row`` (n,) is the leaf of each row, -1 for
    a row of weight zero.
    """

    children: MergedPairs
    leaf_of_row: IntN

    def cut_tree(self, n_components: int) -> IntN:
        """Return the group of each row, (n,), if the tree is cut into ``n_components`` groups; -1 for weight zero.

        Groups are numbered by their first leaf. If there are fewer distinct rows
        than ``n_components``, each of them is a group.
        """
        return np.append(cut_merges(self.children, n_components), -1)[self.leaf_of_row]


def build_merge_tree(problem: Problem, criterion: str = DEFAULT_MERGE_CRITERION) -> MergeTree:
    """Build the tree of all distinct rows of a problem, for a few thousand rows at most.

    Parameters
    ----------
    problem : Problem
    criterion : str, default='whitened'
        'EII' (sum of squares), 'VII', 'EEE' or 'VVV' as in mclust, named after the structure whose likelihood
        they approximate. 'whitened' is the likelihood of VVV on whitened rows under a weak prior. The trace
        dominates mclust's VVV and EEE, which therefore cut long groups that are not parallel to a column;
        'whitened' does not, and is invariant to linear maps of the rows.

    Raises
    ------
    ParameterError
        If the criterion is unknown.
    """
    if criterion not in AGGLOMERATION_METHODS:
        raise ParameterError.invalid_choice("criterion", criterion, list(AGGLOMERATION_METHODS))
    distinct = DistinctRows.from_source(problem.source)
    leaf_of_row = np.full(problem.n_rows, -1, dtype=np.int64)
    leaf_of_row[distinct.positive_weight_indices] = distinct.inverse
    counts = distinct.weights * max(1.0, len(distinct.weights) / distinct.weights.sum())  # at least 1 on average
    method = AGGLOMERATION_METHODS[criterion]
    rows = _scale_principal_components(distinct.rows, counts, method.needs_whitening)
    mean_variance = float(counts @ (rows**2).sum(axis=1)) / (counts.sum() * rows.shape[1])
    mean_variance = max(mean_variance, np.finfo(float).eps)
    agglomerator = agglomerator_or_none(problem.engine)
    return MergeTree(method.agglomerate(rows, counts, mean_variance, agglomerator), leaf_of_row)


def _scale_principal_components(rows: ND, row_counts: N, should_whiten: bool) -> ND:
    """Return the principal components of the standardized columns, (n, r), scaled and with a tiny jitter.

    If ``should_whiten``, return the first components with variance one. Otherwise divide all components by the
    square root of their singular value as in mclust, so that long directions stay longer than short ones.
    """
    total_weight = row_counts.sum()
    standardized = rows - row_counts @ rows / total_weight
    deviations = np.sqrt(row_counts @ standardized**2 / max(total_weight - 1.0, 1.0))
    standardized = standardized[:, deviations > 0] / deviations[deviations > 0]
    if not standardized.shape[1]:
        return np.zeros((len(rows), 1))
    singular, axes = principal_axes(np.sqrt(row_counts)[:, None] * standardized)
    is_kept = singular > _RELATIVE_RANK_TOLERANCE * singular[0]
    if should_whiten:
        is_kept[MAX_DETERMINANT_COLUMNS:] = False
    divisors = singular / np.sqrt(max(total_weight - 1.0, 1.0)) if should_whiten else np.sqrt(singular)
    scaled = standardized @ (axes[is_kept].T / divisors[is_kept])
    # The jitter depends only on a row's position in sorted order.
    jitter = np.random.default_rng(0).uniform(-_RELATIVE_JITTER, _RELATIVE_JITTER, scaled.shape)
    return np.asarray(scaled + jitter * np.abs(scaled).max(axis=0))


def initialize_hierarchical(
    problem: Problem, n_components: int, rng: np.random.Generator, criterion: str = DEFAULT_MERGE_CRITERION
) -> Mixture:
    """Initialize a mixture from the tree of all distinct rows, or of a sample, cut into ``n_components`` groups."""
    sample_problem, max_rows = problem, max(MAX_TREE_ROWS, _MIN_TREE_ROWS_PER_COMPONENT * n_components)
    if problem.n_rows > max_rows:
        sample = draw_representative_sample(problem, max_rows + 1, rng)
        if len(sample.rows) > max_rows:
            sample = sample.take_first(max_rows)
            sample_problem = problem.on_sample_of_rows(sample.rows, sample.weights)
    labels = build_merge_tree(sample_problem, criterion).cut_tree(n_components)
    return sort_components_by_mean(initialize_from_labels(sample_problem, labels, n_components), problem)
