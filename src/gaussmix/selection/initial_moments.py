"""Initial moments of the candidates of a search: partitions of the rows, made once per number of components."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.label_prior import KnownComponents, LogProbabilities
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.structure import Structure
from gaussmix.errors import DataError, LabelError
from gaussmix.model import prediction
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.selection.candidate_runs import TREE_CRITERIA
from gaussmix.selection.candidate_spec import CandidateSpec
from gaussmix.solvers.initialization.far_rows import partition_near_and_far_rows
from gaussmix.solvers.initialization.hierarchical_clustering import MergeTree, build_merge_tree
from gaussmix.solvers.initialization.init_methods import initial_partitions
from gaussmix.solvers.initialization.initial_mixture import partition_moments
from gaussmix.solvers.initialization.semi_supervised import align_labels, constrained_kmeans
from gaussmix.types import BoolN, IntN

_MOMENT_KINDS_RICHEST_FIRST = (MomentKind.FULL, MomentKind.DIAGONAL, MomentKind.TRACE)


@dataclass
class PartitionSource:
    """The rows that are partitioned: all rows of a screening problem, or those that are no outliers.

    Attributes
    ----------
    problem : Problem
        The kept rows.
    is_kept : ndarray of shape (n,) or None
        Which rows of the screening problem are kept; None keeps all.
    """

    problem: Problem
    is_kept: BoolN | None = None
    _trees: dict[str, MergeTree] = field(default_factory=dict)

    @classmethod
    def without_rows(cls, problem: Problem, is_excluded: BoolN) -> "PartitionSource":
        """Return the source of a problem's rows without those that ``is_excluded`` (n,) marks."""
        framed_rows, weights = problem.source.collect(None)
        rows = problem.source.frame.restore_means(framed_rows[~is_excluded])
        return cls(problem.on_sample_of_rows(rows, weights[~is_excluded]), ~is_excluded)

    def make_partitions(self, n_components: int, n_starts: int, rng: np.random.Generator) -> list[IntN]:
        """Return ``n_starts`` partitions, the labels (n,) of all rows for each; one component has only one partition.

        Excluded rows get the label ``n_components`` of noise.
        """
        if n_components == 1:
            partitions = [np.zeros(self.problem.n_rows, dtype=np.int64)]
        else:
            partitions = [self._cached_tree(name).cut_tree(n_components) for name in TREE_CRITERIA[:n_starts]]
            partitions += initial_partitions(self.problem, n_components, n_starts - len(partitions), rng)
        return [self._extend_labels_to_all_rows(labels, n_components) for labels in partitions]

    def _extend_labels_to_all_rows(self, kept_row_labels: IntN, excluded_label: int) -> IntN:
        """Return the labels (n,) of all rows: those of the kept rows, and ``excluded_label`` elsewhere."""
        if self.is_kept is None:
            return kept_row_labels
        all_labels = np.full(len(self.is_kept), excluded_label)
        all_labels[self.is_kept] = kept_row_labels
        return all_labels

    def _cached_tree(self, tree_criterion: str) -> MergeTree:
        """Return the tree of the kept rows by a criterion in TREE_CRITERIA; build it at the first call."""
        if tree_criterion not in self._trees:
            self._trees[tree_criterion] = build_merge_tree(self.problem, tree_criterion)
        return self._trees[tree_criterion]


@dataclass
class InitialMomentsCache:
    """Moments of partitions that all candidates share; each number of components is partitioned once, on demand.

    Attributes
    ----------
    partition_sources : list of PartitionSource
        The first one holds all rows.
    screening_problems : dict of Structure to Problem
        Structures with one frame share their moments.
    n_starts : int
        Partitions per partition source.
    rng : Generator
    known_components : ndarray of shape (n,) or None
        Components of these rows that are known, -1 where unknown; partitions agree with them.
    """

    partition_sources: list[PartitionSource]
    screening_problems: dict[Structure, Problem]
    n_starts: int
    rng: np.random.Generator
    known_components: IntN | None = None
    _partitions: dict[int, list[IntN] | str] = field(default_factory=dict)
    _moments: dict[tuple[int, bool], list[Moments]] = field(default_factory=dict)

    def get_moments_or_failure_reason(self, structure: Structure, n_components: int) -> list[Moments] | str:
        """Return the moments of each partition, or the reason (text) why there are no partitions.

        The moments are of the richest kind that any structure of the same frame needs. Those of noise come last.
        """
        partitions = self._cached_partitions_or_failure_reason(n_components)
        if isinstance(partitions, str):
            return partitions
        key = (n_components, structure.is_column_scale_equivariant)
        if key not in self._moments:
            problem = self.screening_problems[structure]
            kind = self._richest_moment_kind(structure.is_column_scale_equivariant)
            self._moments[key] = [
                partition_moments(problem, KnownComponents(labels), max(n_components, int(labels.max()) + 1), kind)
                for labels in partitions
            ]
        return self._moments[key]

    def _richest_moment_kind(self, is_column_scale_equivariant: bool) -> MomentKind:
        """Return the richest kind of moments that any structure of the search with this kind of frame needs."""
        return _richest_moment_kind(
            problem
            for structure, problem in self.screening_problems.items()
            if structure.is_column_scale_equivariant == is_column_scale_equivariant
        )

    def _cached_partitions_or_failure_reason(self, n_components: int) -> list[IntN] | str:
        """Return the partitions into ``n_components`` groups, made at the first call, or why there are none."""
        if n_components not in self._partitions:
            self._partitions[n_components] = self._make_partitions_or_failure_reason(n_components)
        return self._partitions[n_components]

    def _make_partitions_or_failure_reason(self, n_components: int) -> list[IntN] | str:
        """Return partitions of all sources in turn, so that those from trees come first; or the reason for none."""
        problem, known_components = self.partition_sources[0].problem, self.known_components
        if problem.n_rows < n_components:
            return str(DataError.too_few_rows(problem.n_rows, n_components))
        if known_components is not None and n_components <= known_components.max():
            return str(LabelError.label_out_of_range(n_components, int(known_components.max())))
        by_source = [source.make_partitions(n_components, self.n_starts, self.rng) for source in self.partition_sources]
        partitions = [labels for same_start in zip(*by_source, strict=True) for labels in same_start]
        near_and_far = partition_near_and_far_rows(problem, n_components, self.rng)
        partitions += [] if near_and_far is None else [near_and_far]
        if known_components is None or n_components == 1:
            return partitions
        aligned = [align_labels(problem.source, labels, known_components, n_components) for labels in partitions]
        return [*aligned, constrained_kmeans(problem, known_components, aligned[0], n_components)]


def _richest_moment_kind(problems: Iterable[Problem]) -> MomentKind:
    """Return the richest kind of moments, per component, that a problem needs."""
    needed_kinds = {problem.covariance_estimator.moment_kind.per_component for problem in problems}
    return next(kind for kind in _MOMENT_KINDS_RICHEST_FIRST if kind in needed_kinds)


def screening_moments_from_responsibilities(
    other_mixture: Mixture, same_rows_in_other_frame: Problem, specs: Sequence[CandidateSpec]
) -> list[Moments]:
    """Return moments of candidates' screening rows, weighted by another mixture's responsibilities for these rows.

    Candidates of one frame share their moments, of the richest kind that one of them needs.

    Parameters
    ----------
    other_mixture : Mixture
    same_rows_in_other_frame : Problem
        The screening rows in the other mixture's frame.
    specs : sequence of CandidateSpec
        The candidates.

    Returns
    -------
    list of Moments
        One element for each candidate.
    """
    source, engine = same_rows_in_other_frame.source, same_rows_in_other_frame.engine
    responsibilities = prediction.responsibilities(other_mixture, source, engine)
    label_prior = LogProbabilities(np.log(np.maximum(responsibilities, np.finfo(np.float64).tiny)))
    problems_by_frame: dict[bool, list[Problem]] = {}
    for spec in specs:
        problems_by_frame.setdefault(_has_column_scales(spec), []).append(spec.screening_problem)
    moments_by_frame = {
        has_scales: partition_moments(
            problems[0], label_prior, responsibilities.shape[1], _richest_moment_kind(problems)
        )
        for has_scales, problems in problems_by_frame.items()
    }
    return [moments_by_frame[_has_column_scales(spec)] for spec in specs]


def _has_column_scales(spec: CandidateSpec) -> bool:
    """Return whether the frame of a candidate's rows has one scale per column."""
    return spec.screening_problem.covariance_estimator.structure.is_column_scale_equivariant
