"""What many fits to the same rows share: a problem for each structure, the rows of first runs, and the starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix.covariance import DefaultPrior
from gaussmix.covariance.structure import Structure
from gaussmix.engines import AbstractEngine
from gaussmix.model.noise import Noise
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.model.problem import Problem
from gaussmix.selection import candidate_runs
from gaussmix.selection.candidate_runs import CandidateRun, CandidateSpec
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

N_SCREENING_ROWS = 2_000
"""The most rows that first runs look at; of more, a sample of so many, or of enough for all parameters."""

_N_ROWS_PER_FEATURE_AND_COMPONENT = 10  # and component: what a covariance needs of a sample

ProblemByStructure = dict[Structure, Problem]


@dataclass(frozen=True)
class ModelOptions:
    """A prior, and noise as users ask for it: None, True, False or a volume."""

    prior: DefaultPrior | None = None
    noise: object = None


DEFAULT_MODEL_OPTIONS = ModelOptions()


@dataclass(frozen=True)
class SearchProblem:
    """Rows to fit, a problem for each structure, and what all cells start from.

    ``named`` components have rows that are known to belong to them; ``noises`` are those of the starts.
    """

    problems: ProblemByStructure
    initial_moments: InitialMomentsCache
    labelled_components: tuple[int, ...] = ()
    prior: DefaultPrior | None = None
    initial_noises: dict[Structure, Noise] = field(default_factory=dict)

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
        known_components: IntN | None = None,
        model_options: ModelOptions = DEFAULT_MODEL_OPTIONS,
    ) -> "SearchProblem":
        """Structures of one frame share what is found in it; ``known`` are the source's hints (n,), if it has any."""
        located: dict[bool, Problem] = {}
        for structure in structures:
            if structure.is_column_scale_equivariant not in located:
                problem = Problem.from_source(source, structure, engine=engine, feature_names=feature_names)
                located[structure.is_column_scale_equivariant] = problem
        boxes = {per_column: make_noise_box(problem, model_options.noise) for per_column, problem in located.items()}
        problems = {
            structure: located[structure.is_column_scale_equivariant].with_structure(structure)
            for structure in structures
        }
        if any(box is not None for box in boxes.values()):
            near = {per_column: robust_variances(problem) for per_column, problem in located.items()}
            problems = {
                shape: problem.with_floor(near[shape.is_column_scale_equivariant])
                for shape, problem in problems.items()
            }
        common = located.get(False) or Problem.from_source(source, Structure.from_name("EII"), engine=engine)
        heats, rows, known_there = _make_screening_problems(problems, common, max_components, rng, known_components)
        grounds, share = _make_partition_sources(
            rows, max_components, has_noise=any(box is not None for box in boxes.values())
        )
        fills = ((structure, boxes[structure.is_column_scale_equivariant]) for structure in structures)
        noises = {structure: Noise(share, box) for structure, box in fills if box is not None}
        named = () if known_components is None else tuple(np.unique(known_components[known_components >= 0]).tolist())
        return cls(
            problems,
            InitialMomentsCache(grounds, heats, n_starts, rng, known_there),
            named,
            model_options.prior,
            noises,
        )

    def make_specs(self, structures: Sequence[Structure], component_counts: Sequence[int]) -> list[CandidateSpec]:
        """All cells of a table."""
        return [self.make_spec(structure, count) for count in component_counts for structure in structures]

    def make_spec(self, structure: Structure, n_components: int) -> CandidateSpec:
        """One cell's; its problem and that of its first runs are the same where all rows are looked at."""
        problem = self.problems[structure].with_prior(self.prior, n_components)
        heats = self.initial_moments.screening_problems[structure]
        heats = (
            problem
            if heats is self.problems[structure]
            else replace(heats, covariance_estimator=problem.covariance_estimator)
        )
        return CandidateSpec(problem, heats, n_components, self.labelled_components, self.initial_noises.get(structure))

    def fit_candidate(self, structure: Structure, n_components: int) -> CandidateRun:
        """The best of the starts' runs, run to convergence; or the reason why there is none."""
        cell = candidate_runs.run_candidate(
            self.make_spec(structure, n_components), self.initial_moments.get_moments(structure, n_components)
        )
        if cell.can_continue:
            return candidate_runs.continue_candidate(
                cell, candidate_runs.STOPPING_RULE.max_iter - candidate_runs.FIRST_MAX_ITER
            )
        return cell


def _make_partition_sources(
    problem: Problem, max_components: int, has_noise: bool
) -> tuple[list[PartitionSource], float]:
    """What partitions are made of, and the share of noise that a run begins with."""
    if not has_noise:
        return [PartitionSource(problem)], 0.0
    alone = outlier_mask(problem)
    framed, weights = problem.source.collect(None)
    share = float(np.clip(weights[alone].sum() / weights.sum(), MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT))
    rest = framed[~alone & (weights > 0)]
    enough = len(rest) >= max(max_components, 2) and bool((np.ptp(rest, axis=0) > 0).all())
    return [
        PartitionSource(problem),
        *([PartitionSource.from_kept_rows(problem, alone)] if enough and alone.any() else []),
    ], share


def _make_screening_problems(
    problems: ProblemByStructure,
    common_problem: Problem,
    max_components: int,
    rng: np.random.Generator,
    known_components: IntN | None,
) -> tuple[ProblemByStructure, Problem, IntN | None]:
    """Each problem on the rows of the first runs, these rows in one scale, that of k-means in the data's units.

    And which components of these rows are known.
    """
    source = common_problem.source
    enough = max(N_SCREENING_ROWS, _N_ROWS_PER_FEATURE_AND_COMPONENT * source.n_features * max_components)
    if common_problem.n_rows <= enough:
        return problems, common_problem, known_components
    if known_components is not None:
        some = draw_labelled_sample(common_problem, known_components, enough, rng)
        return (
            {shape: restrict_to_sample(problem, some) for shape, problem in problems.items()},
            restrict_to_sample(common_problem, some),
            some[2],
        )
    sample = draw_representative_sample(common_problem, enough, rng)
    heats = {shape: problem.on_rows(sample.rows, sample.weights) for shape, problem in problems.items()}
    return heats, common_problem.on_rows(sample.rows, sample.weights), None
