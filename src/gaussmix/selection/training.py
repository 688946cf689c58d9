"""What many fits to the same rows share: a problem for each structure, the rows of first runs, and the starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix.covariance import DefaultPrior
from gaussmix.covariance.structure import Structure
from gaussmix.engines import AbstractEngine
from gaussmix.model.noise import Noise
from gaussmix.model.problem import Problem
from gaussmix.model.volume import box_of
from gaussmix.selection import cells
from gaussmix.selection.cells import Cell, Task
from gaussmix.selection.known import labelled_sample, sampled
from gaussmix.selection.starting import Ground, Starts
from gaussmix.solvers.start.noise import LEAST_SHARE, MOST_SHARE, lonely, near_variances
from gaussmix.solvers.start.sample import representative
from gaussmix.sources.base import AbstractSource
from gaussmix.types import IntN

HEAT_ROWS = 2_000
"""The most rows that first runs look at; of more, a sample of so many, or of enough for all parameters."""

_ROWS_PER_COLUMN = 10  # and component: what a covariance needs of a sample

Problems = dict[Structure, Problem]


@dataclass(frozen=True)
class Assumed:
    """A prior, and noise as users ask for it: None, True, False or a volume."""

    prior: DefaultPrior | None = None
    noise: object = None


NOTHING_ASSUMED = Assumed()


@dataclass(frozen=True)
class Training:
    """Rows to fit, a problem for each structure, and what all cells start from.

    ``named`` components have rows that are known to belong to them; ``noises`` are those of the starts.
    """

    problems: Problems
    starts: Starts
    named: tuple[int, ...] = ()
    prior: DefaultPrior | None = None
    noises: dict[Structure, Noise] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        source: AbstractSource,
        structures: Sequence[Structure],
        most_components: int,
        n_starts: int,
        engine: AbstractEngine,
        rng: np.random.Generator,
        feature_names: tuple[str, ...] | None = None,
        known: IntN | None = None,
        assumed: Assumed = NOTHING_ASSUMED,
    ) -> "Training":
        """Structures of one frame share what is found in it; ``known`` are the source's hints (n,), if it has any."""
        located: dict[bool, Problem] = {}
        for structure in structures:
            if structure.column_equivariant not in located:
                problem = Problem.of(source, structure, engine=engine, feature_names=feature_names)
                located[structure.column_equivariant] = problem
        boxes = {per_column: box_of(problem, assumed.noise) for per_column, problem in located.items()}
        problems = {structure: located[structure.column_equivariant].recast(structure) for structure in structures}
        if any(box is not None for box in boxes.values()):
            near = {per_column: near_variances(problem) for per_column, problem in located.items()}
            problems = {shape: problem.above(near[shape.column_equivariant]) for shape, problem in problems.items()}
        common = located.get(False) or Problem.of(source, Structure.parse("EII"), engine=engine)
        heats, rows, known_there = _heats(problems, common, most_components, rng, known)
        grounds, share = _grounds(rows, most_components, noisy=any(box is not None for box in boxes.values()))
        fills = ((structure, boxes[structure.column_equivariant]) for structure in structures)
        noises = {structure: Noise(share, box) for structure, box in fills if box is not None}
        named = () if known is None else tuple(np.unique(known[known >= 0]).tolist())
        return cls(problems, Starts(grounds, heats, n_starts, rng, known_there), named, assumed.prior, noises)

    def tasks(self, structures: Sequence[Structure], counts: Sequence[int]) -> list[Task]:
        """All cells of a table."""
        return [self.task(structure, count) for count in counts for structure in structures]

    def task(self, structure: Structure, n_components: int) -> Task:
        """One cell's; its problem and that of its first runs are the same where all rows are looked at."""
        problem = self.problems[structure].believing(self.prior, n_components)
        heats = self.starts.problems[structure]
        heats = problem if heats is self.problems[structure] else replace(heats, family=problem.family)
        return Task(problem, heats, n_components, self.named, self.noises.get(structure))

    def fitted(self, structure: Structure, n_components: int) -> Cell:
        """The best of the starts' runs, run to convergence; or the reason why there is none."""
        cell = cells.begun(self.task(structure, n_components), self.starts.moments(structure, n_components))
        if cell.is_running:
            return cells.carried_on(cell, cells.STOPPING.max_passes - cells.LEAD_PASSES)
        return cell


def _grounds(rows: Problem, most_components: int, noisy: bool) -> tuple[list[Ground], float]:
    """What partitions are made of, and the share of noise that a run begins with."""
    if not noisy:
        return [Ground(rows)], 0.0
    alone = lonely(rows)
    framed, weights = rows.source.gather()
    share = float(np.clip(weights[alone].sum() / weights.sum(), LEAST_SHARE, MOST_SHARE))
    rest = framed[~alone & (weights > 0)]
    enough = len(rest) >= max(most_components, 2) and bool((np.ptp(rest, axis=0) > 0).all())
    return [Ground(rows), *([Ground.without(rows, alone)] if enough and alone.any() else [])], share


def _heats(
    problems: Problems, common: Problem, most_components: int, rng: np.random.Generator, known: IntN | None
) -> tuple[Problems, Problem, IntN | None]:
    """Each problem on the rows of the first runs, these rows in one scale, that of k-means in the data's units.

    And which components of these rows are known.
    """
    source = common.source
    enough = max(HEAT_ROWS, _ROWS_PER_COLUMN * source.n_features * most_components)
    if source.n_rows <= enough:
        return problems, common, known
    if known is not None:
        some = labelled_sample(common, known, enough, rng)
        return {shape: sampled(problem, some) for shape, problem in problems.items()}, sampled(common, some), some[2]
    sample = representative(common, enough, rng)
    heats = {shape: problem.only(sample.rows, sample.weights) for shape, problem in problems.items()}
    return heats, common.only(sample.rows, sample.weights), None
