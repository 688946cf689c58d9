"""Lloyd's k-means: E-steps with hard assignment, and centers at the means of their rows.

With equal spherical covariances an E-step returns the mass and the mean of every cluster, and its log-likelihood is
minus half the inertia (Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 28, 1982; Bishop,
"Pattern Recognition and Machine Learning", 2006, section 9.3.2).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines.base import AssignmentKind, BestScores
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver, EStepRequest, SolverState
from gaussmix.solvers.loop import run_solver
from gaussmix.solvers.run_monitor import RunMonitor
from gaussmix.solvers.stopping import MovementRule
from gaussmix.types import KD, ND, IntN, N

# From centers (K, D) to the model whose scores are minus half the squared distances.
Metric = Callable[[KD], CentersModel]

LLOYD_MAX_ITER = 300
# Relative to the largest coordinate or the root mean squared distance; smaller movements are rounding.
_RELATIVE_ROUNDING = 4.0 * np.finfo(float).eps


@dataclass(frozen=True)
class _LloydState(SolverState[KD]):
    """Centers, and the moments of their rows while empty clusters wait for a row."""

    moments: Moments | None = None


@dataclass(frozen=True)
class Lloyd(AbstractSolver[KD, _LloydState]):
    """Lloyd's algorithm. Its model is the centers (K, D) in the frame, its objective minus half the inertia.

    Attributes
    ----------
    metric : callable, default=CentersModel.euclidean
        How distances are measured.
    relocate_empty : bool, default=False
        Whether clusters without a row move to the rows farthest from their centers; else their centers stay.
    """

    metric: Metric = CentersModel.euclidean
    relocate_empty: bool = False

    def init(self, start: KD, problem: Problem, max_iter: int) -> _LloydState:
        """Return the state of the initial centers."""
        return _LloydState(start)

    def request(self, state: _LloydState, problem: Problem) -> EStepRequest:
        """Ask for the mass and mean of the rows nearest to each center."""
        return EStepRequest(problem.session, self.metric(state.model), MomentKind.NONE, AssignmentKind.HARD)

    def step(self, state: _LloydState, expectation: Expectation) -> _LloydState:
        """Move the centers to the means; where clusters are empty, ask for rows to relocate them to."""
        moments, objective = expectation.moments, expectation.log_likelihood
        state = replace(state, objective=objective, moments=moments)
        if self.relocate_empty and (moments.mass == 0).any():
            return replace(state, is_iteration_complete=False, requests_e_step=False)
        return self._move(state, moments.mean)

    def advance(self, state: _LloydState, monitor: RunMonitor) -> _LloydState:
        """Relocate the empty clusters to the rows farthest from their centers."""
        assert state.moments is not None
        n_empty = int((state.moments.mass == 0).sum())
        model = self.metric(state.model)
        farthest = monitor.problem.session.reduce_best_scores(model, _FindFarthestRows(n_empty))
        return self._move(state, _relocate(state.moments, farthest.within_distance_of(n_empty)))

    def _move(self, state: _LloydState, centers: KD) -> _LloydState:
        """Return the state with other centers; a movement by rounding alone counts as zero."""
        assert state.moments is not None
        root = self.metric(state.model).to_quadratics().precision_root
        movement = float((root.whiten_each(centers - state.model) ** 2).sum())
        total_weight = float(state.moments.mass.sum())
        size = max(float(np.abs(centers).max()), np.sqrt(-2.0 * state.objective / total_weight))
        rounding = centers.size * (_RELATIVE_ROUNDING * size) ** 2
        return _LloydState(centers, state.objective, movement=0.0 if movement <= rounding else movement)

    def frame_to_data_shift(self, problem: Problem) -> float:
        """Return zero: the objective stays in the units of the frame."""
        return 0.0


def lloyd_centers(
    problem: Problem,
    initial_centers: KD,
    tolerance: float,
    metric: Metric = CentersModel.euclidean,
    max_iter: int = LLOYD_MAX_ITER,
) -> KD:
    """Return centers (K, D) in the frame after Lloyd's algorithm; an empty cluster keeps its center.

    It ends when the summed squared movement of the centers, in the metric, is at most ``tolerance``.
    """
    return run_solver(Lloyd(metric), initial_centers, problem, MovementRule(tolerance, max_iter)).model


@dataclass(frozen=True)
class _FarthestRows:
    """The distinct rows that are farthest from their nearest centers, farthest first; such values add.

    Attributes
    ----------
    n_kept : int
        The largest number of distinct rows.
    rows : ndarray of shape (m, D)
    squares : ndarray of shape (m,)
        Squared distances.
    labels : ndarray of int64 of shape (m,)
        Nearest centers.
    weights : ndarray of shape (m,)
        Total weight of each row's copies.
    n_copies : ndarray of int64 of shape (m,)
    """

    n_kept: int
    rows: ND
    squares: N
    labels: IntN
    weights: N
    n_copies: IntN

    def __add__(self, other: "_FarthestRows") -> "_FarthestRows":
        joined = (
            np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("rows", "squares", "labels", "weights", "n_copies")
        )
        return _FarthestRows(self.n_kept, *joined).merge_copies()

    def merge_copies(self) -> "_FarthestRows":
        """Return the farthest distinct rows, each with the weight of its copies."""
        if not len(self.rows):
            return self
        order = np.lexsort(self.rows.T[::-1])
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = np.any(self.rows[order[1:]] != self.rows[order[:-1]], axis=1)
        starts = np.flatnonzero(is_first)
        squares = np.maximum.reduceat(self.squares[order], starts)
        kept = np.argsort(-squares, kind="stable")[: self.n_kept]
        return _FarthestRows(
            self.n_kept,
            self.rows[order[starts[kept]]],
            squares[kept],
            self.labels[order[starts[kept]]],
            np.add.reduceat(self.weights[order], starts)[kept],
            np.add.reduceat(self.n_copies[order], starts)[kept],
        )

    def within_distance_of(self, rank: int) -> "_FarthestRows":
        """Return the rows that are at least as far as the row of a rank, counted from 1 with copies."""
        position = min(int(np.searchsorted(np.cumsum(self.n_copies), rank)), max(0, len(self.rows) - 1))
        kept = self.squares >= (self.squares[position] if len(self.rows) else 0.0)
        parts = (getattr(self, name)[kept] for name in ("rows", "squares", "labels", "weights", "n_copies"))
        return _FarthestRows(self.n_kept, *parts)


@dataclass(frozen=True)
class _FindFarthestRows:
    """The farthest rows of a batch."""

    n_kept: int

    def __call__(self, batch: Batch, best: BestScores) -> _FarthestRows:
        squares = -2.0 * best.best_scores
        weights = np.ones(batch.n_rows) if batch.weights is None else batch.weights
        kept = np.flatnonzero((squares > 0) & (weights > 0))
        rows, n_copies = batch.rows[kept], np.ones(len(kept), dtype=np.int64)
        return _FarthestRows(
            self.n_kept, rows, squares[kept], best.labels[kept], weights[kept], n_copies
        ).merge_copies()


def _relocate(moments: Moments, farthest: _FarthestRows) -> KD:
    """Return the means, where each empty cluster has taken a row, with all its copies, from its cluster."""
    centers, mass = moments.mean.copy(), moments.mass.copy()
    for cluster, row, label, weight in zip(
        np.flatnonzero(moments.mass == 0), farthest.rows, farthest.labels, farthest.weights, strict=False
    ):
        mass_left = mass[label] - weight
        if mass_left > _RELATIVE_ROUNDING * mass[label]:
            centers[label] += weight / mass_left * (centers[label] - row)
            mass[label] = mass_left
        centers[cluster] = row
    return centers
