"""Fits of many structures and numbers of components to the same rows, each from the same starts to its end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.covariance.structure import Structure
from gaussmix.engines import AutomaticEngine
from gaussmix.model.problem import Problem, source_of
from gaussmix.selection import cells
from gaussmix.selection.cells import Cell, Task
from gaussmix.selection.starting import Starts
from gaussmix.solvers.start.sample import representative
from gaussmix.types import AnyArray, N

_N_STARTS = 3  # two trees and k-means
_FIRST_ROWS = 2_000  # the most that starts and first runs look at; of more, a sample
_ROWS_PER_COLUMN = 10  # and component: what a covariance needs of a sample


@dataclass(frozen=True)
class Training:
    """Rows to fit, a problem for each structure, and what all cells start from."""

    problems: dict[Structure, Problem]
    starts: Starts

    @classmethod
    def of(
        cls,
        rows: AnyArray,
        weights: N | None,
        structures: Sequence[Structure],
        most_components: int,
        rng: np.random.Generator,
    ) -> "Training":
        source = source_of(rows, weights)
        engine = AutomaticEngine(source.n_rows, len(structures) * most_components)
        common = Problem.of(source, Structure.parse("EII"), engine=engine)
        located = {False: common}
        if any(structure.column_equivariant for structure in structures):
            located[True] = Problem.of(source, Structure.parse("VVV"), engine=engine)
        problems = {structure: located[structure.column_equivariant].recast(structure) for structure in structures}
        few = max(_FIRST_ROWS, _ROWS_PER_COLUMN * source.n_features * most_components)
        if source.n_rows <= few:
            return cls(problems, Starts(common, problems, _N_STARTS, rng))
        sample = representative(common, few, rng)
        heats = {structure: problem.only(sample.rows, sample.weights) for structure, problem in problems.items()}
        return cls(problems, Starts(common.only(sample.rows, sample.weights), heats, _N_STARTS, rng))

    def fitted(self, structure: Structure, n_components: int) -> Cell:
        """The best of the starts' runs, run to convergence; or the reason why there is none."""
        task = Task(self.problems[structure], self.starts.problems[structure], n_components)
        cell = cells.begun(task, self.starts.moments(structure, n_components))
        if cell.is_running:
            return cells.carried_on(cell, cells.STOPPING.max_passes - cells.LEAD_PASSES)
        return cell
