"""What the cells of a search begin from: partitions of the rows, found once for each number of components."""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.label_prior import KnownComponents, LogProbabilities
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.structure import Structure
from gaussmix.errors import DataError, LabelError
from gaussmix.model import prediction
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.selection.candidate_runs import TREE_CRITERIA, CandidateSpec
from gaussmix.solvers.initialization.hierarchical_clustering import MergeTree, build_tree
from gaussmix.solvers.initialization.init_methods import initial_partitions
from gaussmix.solvers.initialization.initial_mixture import partition_moments
from gaussmix.solvers.initialization.semi_supervised import align_labels, constrained_kmeans
from gaussmix.types import BoolN, IntN

_MOMENT_KINDS_RICHEST_FIRST = (MomentKind.FULL, MomentKind.DIAGONAL, MomentKind.TRACE)


@dataclass
class PartitionSource:
    """The rows that partitions are made of: all of them, or those that do not lie alone where there may be noise."""

    problem: Problem
    is_kept: BoolN | None = None
    _trees: dict[str, MergeTree] = field(default_factory=dict)

    @classmethod
    def from_kept_rows(cls, problem: Problem, is_excluded: BoolN) -> "PartitionSource":
        """Some of the rows left out of a problem."""
        framed, weights = problem.source.collect(None)
        rows = problem.source.frame.restore_means(framed[~is_excluded])
        return cls(problem.on_rows(rows, weights[~is_excluded]), ~is_excluded)

    def make_partitions(self, n_components: int, n_starts: int, rng: np.random.Generator) -> list[IntN]:
        """Labels of all rows (n,); of those left out K, that of noise."""
        if n_components == 1:
            found = [np.zeros(self.problem.n_rows, dtype=np.int64)]
        else:
            trees = [self._cached_tree(name).cut_tree(n_components) for name in TREE_CRITERIA[:n_starts]]
            found = [*trees, *initial_partitions(self.problem, n_components, n_starts - len(trees), rng)]
        if self.is_kept is None:
            return found
        spread = [np.full(len(self.is_kept), n_components) for _ in found]
        for whole, labels in zip(spread, found, strict=True):
            whole[self.is_kept] = labels
        return spread

    def _cached_tree(self, criterion: str) -> MergeTree:
        if criterion not in self._trees:
            self._trees[criterion] = build_tree(self.problem, criterion)
        return self._trees[criterion]


@dataclass
class InitialMomentsCache:
    """Moments of shared partitions, made when a number of components is first asked for.

    ``grounds`` hold the rows in one scale, the first all of them; ``problems`` each structure's; those of one frame
    share their moments. ``known`` are components of these rows that are known, (n,), which partitions follow; None
    where none is.
    """

    partition_sources: list[PartitionSource]
    screening_problems: dict[Structure, Problem]
    n_starts: int
    rng: np.random.Generator
    known_components: IntN | None = None
    _partitions: dict[int, list[IntN] | str] = field(default_factory=dict)
    _moments: dict[tuple[int, bool], list[Moments]] = field(default_factory=dict)

    def get_moments(self, structure: Structure, n_components: int) -> list[Moments] | str:
        """Moments for a structure, as rich as all structures of its frame need; or the reason why there are none.

        Those of rows taken for noise are the last, after those of the components.
        """
        labellings = self._cached_partitions(n_components)
        if isinstance(labellings, str):
            return labellings
        key = (n_components, structure.is_column_scale_equivariant)
        if key not in self._moments:
            problem, kind = (
                self.screening_problems[structure],
                self._richest_moment_kind(structure.is_column_scale_equivariant),
            )
            self._moments[key] = [
                partition_moments(problem, KnownComponents(labels), max(n_components, int(labels.max()) + 1), kind)
                for labels in labellings
            ]
        return self._moments[key]

    @staticmethod
    def moments_from_mixture(mixture: Mixture, mixture_problem: Problem, spec: CandidateSpec) -> Moments:
        """Moments of the rows of a task's first runs as another cell's mixture shares them out."""
        shares = prediction.responsibilities(mixture, mixture_problem.source, mixture_problem.engine)
        hints = np.log(np.maximum(shares, np.finfo(np.float64).tiny))
        return partition_moments(
            spec.screening_problem,
            LogProbabilities(hints),
            hints.shape[1],
            spec.screening_problem.covariance_estimator.moment_kind.per_component,
        )

    def _richest_moment_kind(self, column_equivariant: bool) -> MomentKind:
        wanted = {
            problem.covariance_estimator.moment_kind.per_component
            for structure, problem in self.screening_problems.items()
            if structure.is_column_scale_equivariant == column_equivariant
        }
        return next(kind for kind in _MOMENT_KINDS_RICHEST_FIRST if kind in wanted)

    def _cached_partitions(self, n_components: int) -> list[IntN] | str:
        if n_components not in self._partitions:
            self._partitions[n_components] = self._make_partitions(n_components)
        return self._partitions[n_components]

    def _make_partitions(self, n_components: int) -> list[IntN] | str:
        common = self.partition_sources[0].problem
        if common.n_rows < n_components:
            return str(DataError.too_few_rows(common.n_rows, n_components))
        if self.known_components is not None and n_components <= self.known_components.max():
            return str(LabelError.label_out_of_range(n_components, int(self.known_components.max())))
        parts = [ground.make_partitions(n_components, self.n_starts, self.rng) for ground in self.partition_sources]
        found = [labels for alike in zip(*parts, strict=True) for labels in alike]  # trees before what may be drawn
        if self.known_components is None or n_components == 1:
            return found
        found = [align_labels(common.source, groups, self.known_components, n_components) for groups in found]
        return [*found, constrained_kmeans(common, self.known_components, found[0], n_components)]
