"""Lloyd's k-means: E-steps with hard assignment, and centers at the means of their rows.

With equal spherical covariances an E-step returns the mass and the mean of every cluster, and its log-likelihood is
minus half the inertia (Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 28, 1982; Bishop,
"Pattern Recognition and Machine Learning", 2006, section 9.3.2).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.kmeans_run import LloydRunInput
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines.base import AssignmentKind
from gaussmix.engines.kmeans_runner import SupportsKMeansRuns
from gaussmix.engines.score_tiles import BestScores
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver, EStepRequest, LastModelAndObjectives, SolverState
from gaussmix.solvers.loop import run_solver
from gaussmix.solvers.run_monitor import RunMonitor
from gaussmix.solvers.stopping import MovementRule, StoppingRule
from gaussmix.types import KD, ND, IntN, N

# From centers (K, D) to the model whose scores are minus half the squared distances.
Metric = Callable[[KD], CentersModel]

LLOYD_MAX_ITER = 300
# Relative to the largest coordinate or the root mean squared distance; smaller movements are rounding.
RELATIVE_ROUNDING = 4.0 * np.finfo(float).eps

# Largest number of values, rows times columns, that a run in one call copies. Passes over more share threads.
_MAX_FUSED_VALUES = 1_000_000


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
        """Return the state of the initial centers (K, D)."""
        return _LloydState(start)

    def run_fused(
        self, start: KD, problem: Problem, stopping: StoppingRule, previous_objective_in_frame: float, max_iter: int
    ) -> LastModelAndObjectives[KD] | None:
        """Run the first iterations in compiled code; return the last centers and all objectives, None if impossible."""
        engine = problem.engine
        if not isinstance(stopping, MovementRule) or self.metric != CentersModel.euclidean or max_iter == 0:
            return None
        if not isinstance(engine, SupportsKMeansRuns) or problem.source.label_prior is not None:
            return None
        if problem.n_rows * problem.source.n_features > _MAX_FUSED_VALUES:
            return None
        inputs = problem.rows_and_known_labels_for_fused_run
        if inputs is None:  # rows lack cells
            return None
        weights = inputs.row_weights
        run = LloydRunInput(
            inputs.rows,
            weights,
            start,
            stopping.tolerance,
            RELATIVE_ROUNDING**2,
            self.relocate_empty,
            max_iter,
            finds_nearest_centers=weights is None or bool(weights.all()),  # rows of weight 0 are zeros here
        )
        result = engine.kmeans_runner.run_lloyd(run)
        if result is None or not len(result.objectives):
            return None
        return LastModelAndObjectives(
            result.centers, result.objectives, result.has_converged, nearest_centers=result.nearest_centers
        )

    def request(self, state: _LloydState, problem: Problem) -> EStepRequest:
        """Return the request for the mass and mean of the rows nearest to each center."""
        return EStepRequest(problem.session, self.metric(state.model), MomentKind.NONE, AssignmentKind.HARD)

    def step(self, state: _LloydState, expectation: Expectation) -> _LloydState:
        """Return the state with the centers at the means; incomplete where empty clusters are yet to be relocated."""
        moments, objective = expectation.moments, expectation.log_likelihood
        if self.relocate_empty and (moments.mass == 0).any():
            return _LloydState(
                state.model, objective, is_iteration_complete=False, requests_e_step=False, moments=moments
            )
        return self._state_with_centers(_LloydState(state.model, objective, moments=moments), moments.mean)

    def advance_without_e_step(self, state: _LloydState, monitor: RunMonitor) -> _LloydState:
        """Return the state with empty clusters relocated to the rows farthest from their centers, by one more pass."""
        assert state.moments is not None
        n_empty = int((state.moments.mass == 0).sum())
        model = self.metric(state.model)
        farthest = monitor.problem.session.reduce_best_scores(model, _FindFarthestRows(n_empty))
        return self._state_with_centers(
            state, _relocate_empty_clusters(state.moments, farthest.keep_at_least_as_far_as(n_empty))
        )

    def _state_with_centers(self, state: _LloydState, centers: KD) -> _LloydState:
        """Return the complete iteration with these centers and their movement; one by rounding alone counts as zero."""
        assert state.moments is not None
        root = self.metric(state.model).to_quadratics().precision_root
        movement = float((root.whiten_each(centers - state.model) ** 2).sum())
        total_weight = float(state.moments.mass.sum())
        size = max(float(np.abs(centers).max()), np.sqrt(-2.0 * state.objective / total_weight))
        rounding = centers.size * (RELATIVE_ROUNDING * size) ** 2
        return _LloydState(centers, state.objective, movement=0.0 if movement <= rounding else movement)

    def objective_shift_to_data_units(self, problem: Problem) -> float:
        """Return zero: the objective stays in the units of the frame."""
        return 0.0


def lloyd_centers(
    problem: Problem,
    initial_centers: KD,
    squared_movement_tolerance: float,
    metric: Metric = CentersModel.euclidean,
    max_iter: int = LLOYD_MAX_ITER,
) -> KD:
    """Return centers (K, D) in the frame after Lloyd's algorithm; an empty cluster keeps its center.

    It ends when the summed squared movement of the centers, in the metric, is at most ``squared_movement_tolerance``.
    """
    return run_solver(Lloyd(metric), initial_centers, problem, MovementRule(squared_movement_tolerance, max_iter)).model


@dataclass(frozen=True)
class _FarthestRows:
    """The distinct rows that are farthest from their nearest centers, farthest first; such values add.

    Attributes
    ----------
    max_kept_rows : int
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

    max_kept_rows: int
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
        return _FarthestRows(self.max_kept_rows, *joined).merge_copies_and_keep_farthest()

    def merge_copies_and_keep_farthest(self) -> "_FarthestRows":
        """Return the ``max_kept_rows`` farthest distinct rows, each with the total weight and number of its copies."""
        if not len(self.rows):
            return self
        order = np.lexsort(self.rows.T[::-1])
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = np.any(self.rows[order[1:]] != self.rows[order[:-1]], axis=1)
        starts = np.flatnonzero(is_first)
        squares = np.maximum.reduceat(self.squares[order], starts)
        kept = np.argsort(-squares, kind="stable")[: self.max_kept_rows]
        return _FarthestRows(
            self.max_kept_rows,
            self.rows[order[starts[kept]]],
            squares[kept],
            self.labels[order[starts[kept]]],
            np.add.reduceat(self.weights[order], starts)[kept],
            np.add.reduceat(self.n_copies[order], starts)[kept],
        )

    def keep_at_least_as_far_as(self, rank_counting_copies: int) -> "_FarthestRows":
        """Return the rows at least as far from their centers as the row of this rank, from 1, each copy counted."""
        position = min(int(np.searchsorted(np.cumsum(self.n_copies), rank_counting_copies)), max(0, len(self.rows) - 1))
        kept = self.squares >= (self.squares[position] if len(self.rows) else 0.0)
        parts = (getattr(self, name)[kept] for name in ("rows", "squares", "labels", "weights", "n_copies"))
        return _FarthestRows(self.max_kept_rows, *parts)


@dataclass(frozen=True)
class _FindFarthestRows:
    """A function from a batch to its farthest distinct rows, at most ``max_kept_rows``."""

    max_kept_rows: int

    def __call__(self, batch: Batch, best: BestScores) -> _FarthestRows:
        squares = -2.0 * best.best_scores
        weights = np.ones(batch.n_rows) if batch.weights is None else batch.weights
        kept = np.flatnonzero((squares > 0) & (weights > 0))
        rows, n_copies = batch.rows[kept], np.ones(len(kept), dtype=np.int64)
        return _FarthestRows(
            self.max_kept_rows, rows, squares[kept], best.labels[kept], weights[kept], n_copies
        ).merge_copies_and_keep_farthest()


def _relocate_empty_clusters(moments: Moments, farthest: _FarthestRows) -> KD:
    """Return the means (K, D), where each empty cluster has taken a row, with all its copies, from its cluster."""
    centers, mass = moments.mean.copy(), moments.mass.copy()
    for cluster, row, label, weight in zip(
        np.flatnonzero(moments.mass == 0), farthest.rows, farthest.labels, farthest.weights, strict=False
    ):
        mass_left = mass[label] - weight
        if mass_left > RELATIVE_ROUNDING * mass[label]:
            centers[label] += weight / mass_left * (centers[label] - row)
            mass[label] = mass_left
        centers[cluster] = row
    return centers
