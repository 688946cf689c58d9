"""The socket for engines: an engine opens a session on a source, which computes E-steps and scores of its rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.missing_patterns import SupportsMissingCells
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics, ScoringModel
from gaussmix.core.reduce import SupportsReduce, T
from gaussmix.engines.score_tiles import BestScores, Responsibilities, iterate_tiles, rows_per_tile
from gaussmix.types import NK, AnyArray

T_co = TypeVar("T_co", covariant=True)


class AssignmentKind(Enum):
    """How a row is assigned: by its responsibilities, or wholly to its best component."""

    SOFT = "soft"
    HARD = "hard"


class ScoreFunction(Protocol[T_co]):
    """A picklable function of a batch and its scores (n, K), whose values add."""

    def __call__(self, batch: Batch, scores: NK, /) -> T_co: ...


class BestScoreFunction(Protocol[T_co]):
    """A picklable function of a batch and its best scores, whose values add.

    It gets no log densities if it has an attribute ``needs_log_densities`` that is False.
    """

    def __call__(self, batch: Batch, best: BestScores, /) -> T_co: ...


class ResponsibilityFunction(Protocol[T_co]):
    """A picklable function of a batch and its responsibilities, whose values add."""

    def __call__(self, batch: Batch, result: Responsibilities, /) -> T_co: ...


class AbstractSession(ABC):
    """An engine bound to one source; a device may keep the rows between passes."""

    @abstractmethod
    def e_step(
        self,
        model: ScoringModel,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        """Return the statistics under the model's responsibilities, with log-likelihood and entropy, of all rows.

        Parameters
        ----------
        model : ScoringModel
            Mixture, posterior or centers that score the rows.
        moment_kind : MomentKind
            The scatter to accumulate.
        assignment : AssignmentKind, default=AssignmentKind.SOFT
            Responsibilities, or each row wholly to its best component.
        total_moments : Moments, optional
            Pooled full moments of all rows as one group; an engine may derive pooled scatter from them.
        """

    @abstractmethod
    def reduce_scores(self, model: ScoringModel, function: ScoreFunction[T]) -> T:
        """Return the sum of function(batch, scores) over all batches; scores (n, K) include the label prior."""

    @abstractmethod
    def reduce_best_scores(self, model: ScoringModel, function: BestScoreFunction[T]) -> T:
        """Return the sum of function(batch, best_scores) over all batches."""

    def reduce_responsibilities(self, model: ScoringModel, function: ResponsibilityFunction[T]) -> T:
        """Return the sum of function(batch, responsibilities) over all batches; by default from the scores."""
        return self.reduce_scores(model, _FunctionOfSoftmax(function))


class AbstractEngine(ABC):
    """Arithmetic for passes over rows."""

    name: ClassVar[str]

    @abstractmethod
    def bind(self, source: SupportsReduce) -> AbstractSession:
        """Return a session, which computes passes over the rows of a source."""


class AbstractEStep(ABC, Generic[T]):
    """One E-step over all rows as a picklable task: a function of a batch, whose values add, and its conclusion."""

    @abstractmethod
    def __call__(self, batch: Batch) -> T:
        """Return the sums of a batch, which add with ``+``."""

    @abstractmethod
    def finish(self, total: T) -> "Expectation | AbstractEStep[T]":
        """Return the expectation, given the sums of all rows, or another E-step that must be computed instead."""


class BatchEngine(AbstractEngine):
    """An engine that computes batch by batch, in whichever process the batches are."""

    @abstractmethod
    def make_e_step(
        self,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> AbstractEStep[Any]:
        """Return the task of one E-step, for all batches of a source."""

    @abstractmethod
    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        """Return offset_k - |R_k^T (x_n - center_k)|^2 / 2 plus tables and label prior, (n, K), in ``out`` if given."""

    def compute_responsibilities(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> Responsibilities:
        """Return best scores and responsibilities (n, K) of a batch, the latter in ``out`` if given."""
        return Responsibilities.from_scores_in_place(self.compute_scores(quadratics, batch, out))

    def best_scores(self, quadratics: Quadratics, batch: Batch, needs_log_densities: bool = True) -> BestScores:
        """Return the best component, its score and the log density of each row."""
        parts = [
            BestScores.from_scores(
                self.compute_scores(quadratics, batch.sub_batch(tile.start, tile.stop)), needs_log_densities
            )
            for tile in iterate_tiles(batch.n_rows, rows_per_tile(quadratics.n_components))
        ]
        if len(parts) == 1:
            return parts[0]
        return BestScores(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.best_scores for part in parts]),
            np.concatenate([part.log_densities for part in parts]),
        )

    def select_engine(self, quadratics: Quadratics) -> "BatchEngine":
        """Return the engine that computes for these quadratics: this one, unless it delegates."""
        return self

    def bind(self, source: SupportsReduce) -> AbstractSession:
        """Return a session, which computes passes over the rows of a source, whose rows may lack cells."""
        if isinstance(source, SupportsMissingCells):
            from gaussmix.engines.pattern_session import PatternSession

            return PatternSession(self, source)
        return BatchSession(self, source)


@dataclass(frozen=True)
class _ScoreTask(Generic[T]):
    """A task that applies a function to a batch and its scores, in the function's own buffer if it has one."""

    engine: BatchEngine
    quadratics: Quadratics
    function: ScoreFunction[T]

    def __call__(self, batch: Batch) -> T:
        return self.function(batch, self.engine.compute_scores(self.quadratics, batch, _get_buffer(self, batch)))


@dataclass(frozen=True)
class _FunctionOfSoftmax(Generic[T]):
    """A function of scores that replaces them by their softmax and applies a function of responsibilities."""

    function: ResponsibilityFunction[T]

    @property
    def buffer(self) -> Any:
        """The method of the function that returns an array for the scores; None if it has none."""
        return getattr(self.function, "buffer", None)

    def __call__(self, batch: Batch, scores: NK) -> T:
        return self.function(batch, Responsibilities.from_scores_in_place(scores))


@dataclass(frozen=True)
class _ResponsibilityTask(Generic[T]):
    """A task that applies a function to a batch and its responsibilities, in the function's buffer if it has one."""

    engine: BatchEngine
    quadratics: Quadratics
    function: ResponsibilityFunction[T]

    def __call__(self, batch: Batch) -> T:
        out = _get_buffer(self, batch)
        return self.function(batch, self.engine.compute_responsibilities(self.quadratics, batch, out))


def _get_buffer(task: "_ScoreTask[Any] | _ResponsibilityTask[Any]", batch: Batch) -> AnyArray | None:
    """Return the array in which the function of a task wants the results of a batch; None if it has none."""
    make_buffer: Callable[[int, int], AnyArray | None] | None = getattr(task.function, "buffer", None)
    return None if make_buffer is None else make_buffer(batch.first_row, batch.n_rows)


@dataclass(frozen=True)
class _BestScoreTask(Generic[T]):
    """A task that applies a function to a batch and its best scores."""

    engine: BatchEngine
    quadratics: Quadratics
    function: BestScoreFunction[T]

    def __call__(self, batch: Batch) -> T:
        needs_log_densities = getattr(self.function, "needs_log_densities", True)
        return self.function(batch, self.engine.best_scores(self.quadratics, batch, needs_log_densities))


@dataclass(frozen=True)
class BatchSession(AbstractSession):
    """A session that sends tasks to the batches of the source."""

    engine: BatchEngine
    source: SupportsReduce

    def e_step(
        self,
        model: ScoringModel,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        """Return the statistics, log-likelihood and entropy of all rows."""
        quadratics = model.to_quadratics()
        task = self.engine.select_engine(quadratics).make_e_step(quadratics, moment_kind, assignment, total_moments)
        while True:
            outcome = task.finish(self.source.reduce(task))
            if isinstance(outcome, Expectation):
                return outcome
            task = outcome

    def reduce_scores(self, model: ScoringModel, function: ScoreFunction[T]) -> T:
        """Return the sum of function(batch, scores) over all batches."""
        return self._reduce(model, lambda engine, quadratics: _ScoreTask(engine, quadratics, function))

    def reduce_best_scores(self, model: ScoringModel, function: BestScoreFunction[T]) -> T:
        """Return the sum of function(batch, best scores) over all batches."""
        return self._reduce(model, lambda engine, quadratics: _BestScoreTask(engine, quadratics, function))

    def reduce_responsibilities(self, model: ScoringModel, function: ResponsibilityFunction[T]) -> T:
        """Return the sum of function(batch, responsibilities) over all batches."""
        return self._reduce(model, lambda engine, quadratics: _ResponsibilityTask(engine, quadratics, function))

    def _reduce(self, model: ScoringModel, make_task: Callable[[BatchEngine, Quadratics], Callable[[Batch], T]]) -> T:
        """Return the sum of a task over all batches."""
        quadratics = model.to_quadratics()
        return self.source.reduce(make_task(self.engine.select_engine(quadratics), quadratics))
