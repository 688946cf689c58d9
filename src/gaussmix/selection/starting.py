"""What the cells of a search begin from: partitions of the rows, found once for each number of components."""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.structure import Structure
from gaussmix.errors import DataError, LabelError
from gaussmix.model import posterior
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.selection.cells import TREES, Task
from gaussmix.solvers.start.given import moments_of_labels
from gaussmix.solvers.start.hierarchy import Tree, hierarchy
from gaussmix.solvers.start.known import followed, handed_out
from gaussmix.solvers.start.seeding import partitions
from gaussmix.types import BoolN, IntN

_RICHNESS = (MomentKind.FULL, MomentKind.DIAGONAL, MomentKind.TRACE)


@dataclass
class Ground:
    """The rows that partitions are made of: all of them, or those that do not lie alone where there may be noise."""

    rows: Problem
    kept: BoolN | None = None
    _trees: dict[str, Tree] = field(default_factory=dict)

    @classmethod
    def without(cls, problem: Problem, left_out: BoolN) -> "Ground":
        """Some of the rows left out of a problem."""
        framed, weights = problem.source.gather()
        rows = problem.source.frame.restore_points(framed[~left_out])
        return cls(problem.only(rows, weights[~left_out]), ~left_out)

    def partitions(self, n_components: int, n_starts: int, rng: np.random.Generator) -> list[IntN]:
        """Labels of all rows (n,); of those left out K, that of noise."""
        if n_components == 1:
            found = [np.zeros(self.rows.source.n_rows, dtype=np.int64)]
        else:
            trees = [self._tree(name).labels(n_components) for name in TREES[:n_starts]]
            found = [*trees, *partitions(self.rows, n_components, n_starts - len(trees), rng)]
        if self.kept is None:
            return found
        spread = [np.full(len(self.kept), n_components) for _ in found]
        for whole, labels in zip(spread, found, strict=True):
            whole[self.kept] = labels
        return spread

    def _tree(self, criterion: str) -> Tree:
        if criterion not in self._trees:
            self._trees[criterion] = hierarchy(self.rows, criterion)
        return self._trees[criterion]


@dataclass
class Starts:
    """Moments of shared partitions, made when a number of components is first asked for.

    ``grounds`` hold the rows in one scale, the first all of them; ``problems`` each structure's; those of one frame
    share their moments. ``known`` are components of these rows that are known, (n,), which partitions follow; None
    where none is.
    """

    grounds: list[Ground]
    problems: dict[Structure, Problem]
    n_starts: int
    rng: np.random.Generator
    known: IntN | None = None
    _partitions: dict[int, list[IntN] | str] = field(default_factory=dict)
    _moments: dict[tuple[int, bool], list[Moments]] = field(default_factory=dict)

    def moments(self, structure: Structure, n_components: int) -> list[Moments] | str:
        """Moments for a structure, as rich as all structures of its frame need; or the reason why there are none.

        Those of rows taken for noise are the last, after those of the components.
        """
        labellings = self._labellings(n_components)
        if isinstance(labellings, str):
            return labellings
        key = (n_components, structure.column_equivariant)
        if key not in self._moments:
            problem, kind = self.problems[structure], self._kind(structure.column_equivariant)
            self._moments[key] = [
                moments_of_labels(problem, labels, max(n_components, int(labels.max()) + 1), kind)
                for labels in labellings
            ]
        return self._moments[key]

    @staticmethod
    def shared_by(lender: Mixture, lent: Problem, task: Task) -> Moments:
        """Moments of the rows of a task's first runs as another cell's mixture shares them out."""
        shares = posterior.responsibilities(lender.to_quadratics(), lent.source, lent.engine)
        hints = np.log(np.maximum(shares, np.finfo(np.float64).tiny))
        return moments_of_labels(task.heats, hints, hints.shape[1], task.heats.family.kind.separate)

    def _kind(self, column_equivariant: bool) -> MomentKind:
        wanted = {
            problem.family.kind.separate
            for structure, problem in self.problems.items()
            if structure.column_equivariant == column_equivariant
        }
        return next(kind for kind in _RICHNESS if kind in wanted)

    def _labellings(self, n_components: int) -> list[IntN] | str:
        if n_components not in self._partitions:
            self._partitions[n_components] = self._divided(n_components)
        return self._partitions[n_components]

    def _divided(self, n_components: int) -> list[IntN] | str:
        common = self.grounds[0].rows
        if common.source.n_rows < n_components:
            return str(DataError.too_few_rows(common.source.n_rows, n_components))
        if self.known is not None and n_components <= self.known.max():
            return str(LabelError.too_few_components(n_components, int(self.known.max())))
        parts = [ground.partitions(n_components, self.n_starts, self.rng) for ground in self.grounds]
        found = [labels for alike in zip(*parts, strict=True) for labels in alike]  # trees before what may be drawn
        if self.known is None or n_components == 1:
            return found
        found = [followed(common.source, groups, self.known, n_components) for groups in found]
        return [*found, handed_out(common, self.known, found[0], n_components)]
