"""What many fits to the same rows share: a problem for each structure, the rows of first runs, and the starts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.covariance.structure import Structure
from gaussmix.engines import AbstractEngine
from gaussmix.model.problem import Problem
from gaussmix.selection import cells
from gaussmix.selection.cells import Cell, Task
from gaussmix.selection.known import labelled_sample, sampled
from gaussmix.selection.starting import Starts
from gaussmix.solvers.start.sample import representative
from gaussmix.sources.base import AbstractSource
from gaussmix.types import IntN

HEAT_ROWS = 2_000
"""The most rows that first runs look at; of more, a sample of so many, or of enough for all parameters."""

_ROWS_PER_COLUMN = 10  # and component: what a covariance needs of a sample

Problems = dict[Structure, Problem]


@dataclass(frozen=True)
class Training:
    """Rows to fit, a problem for each structure, and what all cells start from."""

    problems: Problems
    starts: Starts

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
    ) -> "Training":
        """Structures of one frame share what is found in it; ``known`` are the source's hints (n,), if it has any."""
        located: dict[bool, Problem] = {}
        for structure in structures:
            if structure.column_equivariant not in located:
                problem = Problem.of(source, structure, engine=engine, feature_names=feature_names)
                located[structure.column_equivariant] = problem
        problems = {structure: located[structure.column_equivariant].recast(structure) for structure in structures}
        common = located.get(False) or Problem.of(source, Structure.parse("EII"), engine=engine)
        heats, rows, known_there = _heats(problems, common, most_components, rng, known)
        return cls(problems, Starts(rows, heats, n_starts, rng, known_there))

    def task(self, structure: Structure, n_components: int, named: tuple[int, ...] = ()) -> Task:
        """One cell's."""
        return Task(self.problems[structure], self.starts.problems[structure], n_components, named)

    def fitted(self, structure: Structure, n_components: int) -> Cell:
        """The best of the starts' runs, run to convergence; or the reason why there is none."""
        cell = cells.begun(self.task(structure, n_components), self.starts.moments(structure, n_components))
        if cell.is_running:
            return cells.carried_on(cell, cells.STOPPING.max_passes - cells.LEAD_PASSES)
        return cell


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
