"""The socket for engines: an engine opens a session on a source, which computes E-steps and scores of its rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics, ScoringModel
from gaussmix.core.reduce import SupportsReduce, T
from gaussmix.core.statistics import count_levels
from gaussmix.engines.score_tiles import iterate_tiles, log_sum_exp_with_shifted_terms, rows_per_tile
from gaussmix.errors import CompiledCodeError
from gaussmix.types import NK, AnyArray, Array, IntN, N

T_co = TypeVar("T_co", covariant=True)


class AssignmentKind(Enum):
    """How a row is assigned: by its responsibilities, or wholly to its best component."""

    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class BestScores:
    """The best component of each row.

    Attributes
    ----------
    labels : ndarray of int64 of shape (n,)
        The component of the highest score; the first of equals.
    best_scores : ndarray of shape (n,)
        Its score.
    log_densities : ndarray of shape (n,)
        ``log sum_k exp(score)``.
    """

    labels: IntN
    best_scores: N
    log_densities: N

    @classmethod
    def from_scores(cls, scores: NK) -> "BestScores":
        """Return the best component, its score and the log density of each row, from all scores (n, K)."""
        labels = scores.argmax(axis=1)
        return cls(labels, scores.max(axis=1), log_sum_exp_with_shifted_terms(scores).log_sums)


class ScoreFunction(Protocol[T_co]):
    """A picklable function of a batch and its scores (n, K), whose values add."""

    def __call__(self, batch: Batch, scores: NK, /) -> T_co: ...


class BestScoreFunction(Protocol[T_co]):
    """A picklable function of a batch and its best scores, whose values add."""

    def __call__(self, batch: Batch, best: BestScores, /) -> T_co: ...


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

    def best_scores(self, quadratics: Quadratics, batch: Batch) -> BestScores:
        """Return the best component, its score and the log density of each row."""
        parts = [
            BestScores.from_scores(self.compute_scores(quadratics, batch.sub_batch(tile.start, tile.stop)))
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

    def fall_back_or_raise(self, error: CompiledCodeError) -> "BatchEngine":
        """Return another engine to use after a CompiledCodeError; raise the error if there is none, as by default."""
        raise error

    def bind(self, source: SupportsReduce) -> "BatchSession":
        """Return a session, which computes passes over the rows of a source."""
        return BatchSession(self, source)


@dataclass(frozen=True)
class _ScoreTask(Generic[T]):
    """A task that applies a function to a batch and its scores, in the function's own buffer if it has one."""

    engine: BatchEngine
    quadratics: Quadratics
    function: ScoreFunction[T]

    def __call__(self, batch: Batch) -> T:
        make_buffer: Callable[[int, int], AnyArray | None] | None = getattr(self.function, "buffer", None)
        out = None if make_buffer is None else make_buffer(batch.first_row, batch.n_rows)
        return self.function(batch, self.engine.compute_scores(self.quadratics, batch, out))


@dataclass(frozen=True)
class _BestScoreTask(Generic[T]):
    """A task that applies a function to a batch and its best scores."""

    engine: BatchEngine
    quadratics: Quadratics
    function: BestScoreFunction[T]

    def __call__(self, batch: Batch) -> T:
        return self.function(batch, self.engine.best_scores(self.quadratics, batch))


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
        engine = self.engine.select_engine(quadratics)
        while True:
            try:
                task = engine.make_e_step(quadratics, moment_kind, assignment, total_moments)
                while True:
                    outcome = task.finish(self.source.reduce(task))
                    if isinstance(outcome, Expectation):
                        return outcome
                    task = outcome
            except CompiledCodeError as error:
                engine = self.engine.fall_back_or_raise(error)

    def reduce_scores(self, model: ScoringModel, function: ScoreFunction[T]) -> T:
        """Return the sum of function(batch, scores) over all batches."""
        return self._reduce(model, lambda engine, quadratics: _ScoreTask(engine, quadratics, function))

    def reduce_best_scores(self, model: ScoringModel, function: BestScoreFunction[T]) -> T:
        """Return the sum of function(batch, best scores) over all batches."""
        return self._reduce(model, lambda engine, quadratics: _BestScoreTask(engine, quadratics, function))

    def _reduce(self, model: ScoringModel, make_task: Callable[[BatchEngine, Quadratics], Callable[[Batch], T]]) -> T:
        """Return the sum of a task over all batches, with the engine to fall back on if code cannot be compiled."""
        quadratics = model.to_quadratics()
        try:
            return self.source.reduce(make_task(self.engine.select_engine(quadratics), quadratics))
        except CompiledCodeError as error:
            return self.source.reduce(make_task(self.engine.fall_back_or_raise(error), quadratics))


def add_category_and_label_log_probabilities(scores: NK, quadratics: Quadratics, batch: Batch) -> NK:
    """Return scores (n, K) plus the log probabilities of each row's categories and label prior."""
    if quadratics.tables and batch.codes is not None:
        for table, codes in zip(quadratics.tables, batch.codes.T, strict=True):
            scores = scores + np.where(codes >= 0, table[:, codes], 0.0).T
    log_prior = batch.label_log_prior(scores.shape[1])
    return scores if log_prior is None else scores + log_prior


class WeightedResponsibilities(NamedTuple):
    """Responsibilities times the weight of the row (n, K), and three sums with the weights over the rows.

    The sums are log-likelihood, entropy, and the log of the largest responsibility.
    """

    responsibilities: NK
    log_likelihood: float
    entropy: float
    total_log_max_responsibility: float


def compute_weighted_responsibilities(scores: NK, batch: Batch, assignment: AssignmentKind) -> WeightedResponsibilities:
    """Return responsibilities (n, K) times the rows' weights, and weighted sums over the rows of a batch."""
    if assignment is AssignmentKind.HARD:
        log_density, entropy, log_max = scores.max(axis=1), np.zeros(len(scores)), np.zeros(len(scores))
        responsibilities = np.zeros_like(scores)
        responsibilities[np.arange(len(scores)), scores.argmax(axis=1)] = 1.0
    else:
        log_density, terms = log_sum_exp_with_shifted_terms(scores)
        sums = terms.sum(axis=1)
        log_max = -np.log(np.where(sums > 0, sums, 1.0))  # a row infinitely far from all components has no terms
        responsibilities = terms / sums[:, None]
        logs = np.log(np.where(responsibilities > 0, responsibilities, 1.0))
        entropy = -(responsibilities * logs).sum(axis=1)
    if batch.weights is None:
        totals = float(log_density.sum()), float(entropy.sum()), float(log_max.sum())
        return WeightedResponsibilities(responsibilities, *totals)
    has_weight = batch.weights > 0  # a row of weight zero may have any density
    log_likelihood = float(batch.weights[has_weight] @ log_density[has_weight])
    responsibilities = responsibilities * batch.weights[:, None]
    totals = log_likelihood, float(batch.weights @ entropy), float(batch.weights[has_weight] @ log_max[has_weight])
    return WeightedResponsibilities(responsibilities, *totals)


def sum_responsibilities_by_level(quadratics: Quadratics, batch: Batch, responsibilities: NK) -> tuple[Array, ...]:
    """Return for each categorical column the summed responsibilities per component and level, (K, n_levels)."""
    if not quadratics.tables or batch.codes is None:
        return ()
    return tuple(
        count_levels(codes, responsibilities, table.shape[1])
        for table, codes in zip(quadratics.tables, batch.codes.T, strict=True)
    )
