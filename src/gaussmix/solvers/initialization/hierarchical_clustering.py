"""Model-based hierarchical clustering: one tree of the rows, cut into any number of groups.

k-means cuts long thin groups across, and EM cannot leave that. Joining groups by the likelihood of
Gaussians knows no such preference, needs no draw, and one tree serves all numbers of components
(Banfield & Raftery, "Model-based Gaussian and non-Gaussian clustering", Biometrics 49, 1993; Fraley,
"Algorithms for model-based Gaussian hierarchical clustering", SIAM J. Sci. Comput. 20, 1998). Before,
columns are standardised, and their principal components divided by the root of their singular
value (Scrucca & Raftery, "Improved initialisation of model-based clustering using Gaussian
hierarchical clustering", Adv. Data Anal. Classif. 9, 2015), so that units do not matter; or, where a
start is made of the tree, brought to variance one, so that no linear map of the rows matters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from gaussmix.core.linalg import principal_axes
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization import agglomeration, pooled_agglomeration
from gaussmix.solvers.initialization.agglomeration import MAX_DETERMINANT_COLUMNS
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.initial_mixture import initialize_from_labels, sort_components
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.types import ND, IntN, N

MAX_TREE_ROWS = 2_000
"""The most distinct rows that a start makes a tree of; of more, a sample of so many."""
_MIN_TREE_ROWS_PER_COMPONENT = 10  # where the components are so many that this is more
DEFAULT_MERGE_CRITERION = "whitened"
_RELATIVE_RANK_TOLERANCE = 1e-9  # of the largest singular value: a direction in which nothing varies
_RELATIVE_JITTER = (
    1e-9  # of the spread: what rows are moved by, so that equal distances differ in the same way everywhere
)


@dataclass(frozen=True)
class AgglomerationMethod:
    """How rows (m, D) with weights and a spread are joined two by two, and whether they are whitened before."""

    agglomerate: Callable[[ND, N, float], IntN]
    needs_whitening: bool = False


AGGLOMERATION_METHODS: dict[str, AgglomerationMethod] = {
    **{
        name: AgglomerationMethod(partial(agglomeration.agglomerate, criterion=rule), rule.needs_whitening)
        for name, rule in agglomeration.MERGE_CRITERIA.items()
    },
    "EEE": AgglomerationMethod(pooled_agglomeration.agglomerate_pooled),
}
"""By criterion: those that are sums over groups, and that of one covariance for all."""

MCLUST_CRITERIA = ("EII", "VII", "EEE", "VVV")
"""Criteria that mclust has, on rows scaled as there."""


@dataclass(frozen=True)
class MergeTree:
    """Which two groups were joined at each step, (m - 1, 2), and the leaf that each row is, -1 where none.

    Leaves are the m distinct rows, groups 0 to m - 1 in sorted order; step t makes group m + t.
    """

    children: IntN
    leaf_of_row: IntN

    def cut_tree(self, n_components: int) -> IntN:
        """The group (n,) of each row where so many are left, numbered by first leaf; -1 where a row weighs nothing.

        There are fewer groups than ``n_components`` where there are fewer distinct rows.
        """
        n_leaves = len(self.children) + 1
        n_joined = max(0, n_leaves - n_components)
        above = np.arange(n_leaves + n_joined)
        above[self.children[:n_joined].ravel()] = np.repeat(n_leaves + np.arange(n_joined), 2)
        while np.any(above != above[above]):
            above = above[above]
        tops, first, inverse = np.unique(above[:n_leaves], return_index=True, return_inverse=True)
        numbers = np.empty(len(tops), dtype=np.int64)
        numbers[np.argsort(first)] = np.arange(len(tops))
        return np.append(numbers[inverse.ravel()], -1)[self.leaf_of_row]


def build_tree(problem: Problem, criterion: str = DEFAULT_MERGE_CRITERION) -> MergeTree:
    """The tree of all distinct rows of a problem, for a few thousand of them at most.

    ``criterion`` is one of mclust's (EII, the sum of squares, VII, EEE or VVV), named after the structure whose
    likelihood it stands for, or 'whitened': the likelihood of VVV on rows of covariance one, under a weak prior.
    Mclust's VVV and EEE are mostly decided by traces, and cut long groups that are not parallel to a column;
    'whitened' does not, and no linear map of the rows matters to it.
    """
    if criterion not in AGGLOMERATION_METHODS:
        raise ParameterError.invalid_choice("criterion", criterion, list(AGGLOMERATION_METHODS))
    distinct = DistinctRows.from_source(problem.source)
    leaves = np.full(problem.source.n_rows, -1, dtype=np.int64)
    leaves[distinct.positive_weight_indices] = distinct.inverse
    counts = distinct.weights * max(1.0, len(distinct.weights) / distinct.weights.sum())  # a row is one at least
    joining = AGGLOMERATION_METHODS[criterion]
    rows = _scale_rows(distinct.rows, counts, joining.needs_whitening)
    spread = float(counts @ (rows**2).sum(axis=1)) / (counts.sum() * rows.shape[1])
    return MergeTree(joining.agglomerate(rows, counts, max(spread, np.finfo(float).eps)), leaves)


def _scale_rows(rows: ND, counts: N, should_whiten: bool) -> ND:
    """Principal components of the standardised columns: the first ones at variance one, or all of them as mclust's.

    mclust divides by the root of the singular value, which leaves long directions longer than short ones.
    """
    total = counts.sum()
    moved = rows - counts @ rows / total
    deviations = np.sqrt(counts @ moved**2 / max(total - 1.0, 1.0))
    moved = moved[:, deviations > 0] / deviations[deviations > 0]
    if not moved.shape[1]:
        return np.zeros((len(rows), 1))
    singular, axes = principal_axes(np.sqrt(counts)[:, None] * moved)
    kept = singular > _RELATIVE_RANK_TOLERANCE * singular[0]
    if should_whiten:
        kept[MAX_DETERMINANT_COLUMNS:] = False
    divisors = singular / np.sqrt(max(total - 1.0, 1.0)) if should_whiten else np.sqrt(singular)
    scaled = moved @ (axes[kept].T / divisors[kept])
    ties = np.random.default_rng(0).uniform(
        -_RELATIVE_JITTER, _RELATIVE_JITTER, scaled.shape
    )  # by the place in sorted order alone
    return np.asarray(scaled + ties * np.abs(scaled).max(axis=0))


def initialize_hierarchical(
    problem: Problem, n_components: int, rng: np.random.Generator, criterion: str = DEFAULT_MERGE_CRITERION
) -> Mixture:
    """The tree of all distinct rows, or of a sample, cut into ``n_components`` groups."""
    few, most = problem, max(MAX_TREE_ROWS, _MIN_TREE_ROWS_PER_COMPONENT * n_components)
    if problem.source.n_rows > most:
        sample = draw_representative_sample(problem, most + 1, rng)
        if len(sample.rows) > most:
            sample = sample.take_first(most)
            few = problem.on_rows(sample.rows, sample.weights)
    labels = build_tree(few, criterion).cut_tree(n_components)
    return sort_components(initialize_from_labels(few, labels, n_components), problem)
