"""``SearchProblem``: what all candidates of a search share, a problem per structure, screening rows and starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.moments import Moments
from gaussmix.covariance.prior import DefaultPrior
from gaussmix.covariance.structure import Structure
from gaussmix.engines.base import AbstractEngine
from gaussmix.model.noise import Noise
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.model.problem import Problem
from gaussmix.selection import candidate_runs
from gaussmix.selection.candidate_results import make_candidate
from gaussmix.selection.candidate_spec import CandidateSpec
from gaussmix.selection.candidates import Candidate
from gaussmix.selection.initial_moments import InitialMomentsCache, PartitionSource
from gaussmix.selection.labelled_sample import draw_labelled_sample, restrict_to_sample
from gaussmix.solvers.initialization.noise_initialization import (
    MAX_NOISE_WEIGHT,
    MIN_NOISE_WEIGHT,
    outlier_mask,
    robust_variances,
)
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.sources.base import AbstractSource
from gaussmix.types import IntN

# First runs use all rows up to this number. With more rows they use a sample of this size, or more if the parameters
# need it.
N_SCREENING_ROWS = 2_000
_N_ROWS_PER_FEATURE_AND_COMPONENT = 10

# A search that is not bounded by the user goes on while the best candidate has the largest number of components.
MAX_EXTENDED_COUNT = 30
_N_EXTENDED_COUNTS, _MIN_ROWS_PER_PARAMETER = 3, 3.0

ProblemByStructure = dict[Structure, Problem]


@dataclass(frozen=True)
class ModelOptions:
    """A prior, and noise as users specify it: None, True, False or a volume."""

    prior: DefaultPrior | None = None
    noise: object = None


DEFAULT_MODEL_OPTIONS = ModelOptions()


@dataclass(frozen=True)
class ScreeningProblems:
    """The rows of the first runs: a problem per structure, and one for partitions.

    Attributes
    ----------
    by_structure : dict of Structure to Problem
    for_partitions : Problem
        The same rows in a frame with one scale for all columns.
    known_components : ndarray of shape (m,) or None
        Components of these rows that are known; -1 means unknown. None if there are no labels.
    """

    by_structure: ProblemByStructure
    for_partitions: Problem
    known_components: IntN | None = None


class _PartitionSources(NamedTuple):
    """The sources of the rows that are partitioned, and the initial weight of noise."""

    sources: list[PartitionSource]
    initial_noise_weight: float


@dataclass(frozen=True)
class SearchProblem:
    """The rows to fit, a problem per structure, and the starts of all candidates.

    Attributes
    ----------
    problems : dict of Structure to Problem
    initial_moments : InitialMomentsCache
    labelled_components : tuple of int
        Components with rows that are known to belong to them.
    prior : DefaultPrior or None
    initial_noises : dict of Structure to Noise
        The noise components of the starts; empty without noise.
    near_problems : dict of Structure to Problem
        The rows without a few far ones; None without far rows. Structures of one frame share a problem.
    """

    problems: ProblemByStructure
    initial_moments: InitialMomentsCache
    labelled_components: tuple[int, ...] = ()
    prior: DefaultPrior | None = None
    initial_noises: dict[Structure, Noise] = field(default_factory=dict)
    near_problems: dict[Structure, Problem | None] = field(default_factory=dict)

    @classmethod
    def from_source(
        cls,
        source: AbstractSource,
        structures: Sequence[Structure],
        max_components: int,
        n_starts: int,
        engine: AbstractEngine,
        rng: np.random.Generator,
        feature_names: tuple[str, ...] | None = None,
        model_options: ModelOptions = DEFAULT_MODEL_OPTIONS,
    ) -> "SearchProblem":
        """Return a search problem on the rows of a source, whose label prior is `KnownComponents` or None."""
        by_frame = _make_problem_by_has_column_scales(source, structures, engine, feature_names)
        boxes = {has_scales: make_noise_box(problem, model_options.noise) for has_scales, problem in by_frame.items()}
        has_noise = any(box is not None for box in boxes.values())
        problems = _make_problem_by_structure(by_frame, structures, has_noise)
        problem_for_partitions = by_frame.get(False) or Problem.from_source(
            source, Structure.from_name("EII"), engine=engine
        )
        screening = _make_screening_problems(problems, problem_for_partitions, max_components, rng)
        partition_sources, noise_weight = _make_partition_sources(screening.for_partitions, max_components, has_noise)
        structure_boxes = ((structure, boxes[structure.is_column_scale_equivariant]) for structure in structures)
        known_components = _known_components(source)
        return cls(
            problems,
            InitialMomentsCache(partition_sources, screening.by_structure, n_starts, rng, screening.known_components),
            () if known_components is None else tuple(np.unique(known_components[known_components >= 0]).tolist()),
            model_options.prior,
            {structure: Noise(noise_weight, box) for structure, box in structure_boxes if box is not None},
            {structure: by_frame[structure.is_column_scale_equivariant].near_rows_problem for structure in structures},
        )

    def make_specs(self, structures: Sequence[Structure], component_counts: Sequence[int]) -> list[CandidateSpec]:
        """Return the specification of every candidate: each structure with each number of components."""
        return [self.make_spec(structure, count) for count in component_counts for structure in structures]

    def make_larger_specs(self, structures: Sequence[Structure], largest_count: int) -> list[CandidateSpec]:
        """Return specifications with the next numbers of components, up to MAX_EXTENDED_COUNT; empty at the end.

        Candidates of more than one parameter per three rows are left out.
        """
        counts = range(largest_count + 1, min(largest_count + _N_EXTENDED_COUNTS, MAX_EXTENDED_COUNT) + 1)
        max_parameters = next(iter(self.problems.values())).total_weight / _MIN_ROWS_PER_PARAMETER
        return [spec for spec in self.make_specs(structures, counts) if spec.n_parameters <= max_parameters]

    def make_spec(self, structure: Structure, n_components: int) -> CandidateSpec:
        """Return the specification of one candidate.

        Without a sample its problem and its screening problem are the same object.
        """
        problem = self.problems[structure].with_prior(self.prior, n_components)
        screening_problem = self.initial_moments.screening_problems[structure]
        if screening_problem is self.problems[structure]:
            screening_problem = problem
        else:
            screening_problem = replace(screening_problem, covariance_estimator=problem.covariance_estimator)
        noise, near = self.initial_noises.get(structure), self.near_problems.get(structure)
        return CandidateSpec(problem, screening_problem, n_components, self.labelled_components, noise, near)

    def make_fit_task(self, structure: Structure, n_components: int) -> Callable[[], Candidate]:
        """Make the starts of a candidate; return the function that runs them to convergence and returns its fit."""
        moments = self.initial_moments.get_moments_or_failure_reason(structure, n_components)
        return partial(_fit_to_convergence, self.make_spec(structure, n_components), moments)


def _fit_to_convergence(spec: CandidateSpec, moments_or_failure_reason: Sequence[Moments] | str) -> Candidate:
    """Run a candidate from all starts to convergence; return its best fit, or a failed one with the reason."""
    run = candidate_runs.run_candidate(spec, moments_or_failure_reason)
    return make_candidate(candidate_runs.run_to_convergence(run))


def _known_components(source: AbstractSource) -> IntN | None:
    """Return the known component (n,) of each row from the source's label prior, -1 if unknown; None without prior."""
    prior = source.label_prior
    assert prior is None or isinstance(prior, KnownComponents)
    return None if prior is None else prior.labels


def _make_problem_by_has_column_scales(
    source: AbstractSource,
    structures: Sequence[Structure],
    engine: AbstractEngine,
    feature_names: tuple[str, ...] | None,
) -> dict[bool, Problem]:
    """Return a problem in a frame with one scale per column (True), and one with a scale for all columns (False).

    Only the kinds of frames that the structures need are made.
    """
    problems: dict[bool, Problem] = {}
    for structure in structures:
        if structure.is_column_scale_equivariant not in problems:
            problems[structure.is_column_scale_equivariant] = Problem.from_source(
                source, structure, engine=engine, feature_names=feature_names
            )
    return problems


def _make_problem_by_structure(
    problem_by_has_column_scales: dict[bool, Problem], structures: Sequence[Structure], has_noise: bool
) -> ProblemByStructure:
    """Return a problem per structure; with noise, its variance floor comes from robust variances without outliers."""
    problems = {
        structure: problem_by_has_column_scales[structure.is_column_scale_equivariant].with_structure(structure)
        for structure in structures
    }
    if not has_noise:
        return problems
    variances = {key: robust_variances(problem) for key, problem in problem_by_has_column_scales.items()}
    return {
        structure: problem.with_floor_relative_to(variances[structure.is_column_scale_equivariant])
        for structure, problem in problems.items()
    }


def _make_partition_sources(problem: Problem, max_components: int, has_noise: bool) -> _PartitionSources:
    """Return the rows to partition (all, and with noise those without outliers), and the initial weight of noise.

    With noise, rows without outliers are partitioned as well, if they are enough.
    """
    all_rows = PartitionSource(problem)
    if not has_noise:
        return _PartitionSources([all_rows], 0.0)
    is_outlier = outlier_mask(problem)
    rows, weights = problem.source.collect(None)
    outlier_fraction = weights[is_outlier].sum() / weights.sum()
    noise_weight = float(np.clip(outlier_fraction, MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT))
    kept_rows = rows[~is_outlier & (weights > 0)]
    are_enough = len(kept_rows) >= max(max_components, 2) and bool((np.ptp(kept_rows, axis=0) > 0).all())
    if not are_enough or not is_outlier.any():
        return _PartitionSources([all_rows], noise_weight)
    return _PartitionSources([all_rows, PartitionSource.without_rows(problem, is_outlier)], noise_weight)


def _make_screening_problems(
    problems: ProblemByStructure, problem_for_partitions: Problem, max_components: int, rng: np.random.Generator
) -> ScreeningProblems:
    """Return the problems of the first runs: on all rows if they are few, else on a sample drawn with ``rng``."""
    source = problem_for_partitions.source
    n_rows = max(N_SCREENING_ROWS, _N_ROWS_PER_FEATURE_AND_COMPONENT * source.n_features * max_components)
    known_components = _known_components(source)
    if problem_for_partitions.n_rows <= n_rows:
        return ScreeningProblems(problems, problem_for_partitions, known_components)
    if known_components is not None:
        labelled_sample = draw_labelled_sample(problem_for_partitions, n_rows, rng)
        return ScreeningProblems(
            {structure: restrict_to_sample(problem, labelled_sample) for structure, problem in problems.items()},
            restrict_to_sample(problem_for_partitions, labelled_sample),
            labelled_sample.known_components,
        )
    sample = draw_representative_sample(problem_for_partitions, n_rows, rng)
    return ScreeningProblems(
        {structure: problem.on_sample_of_rows(sample.rows, sample.weights) for structure, problem in problems.items()},
        problem_for_partitions.on_sample_of_rows(sample.rows, sample.weights),
    )
