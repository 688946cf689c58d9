"""Toy plugs that implement only what the sockets name: a source in another process, a logging engine, a mixed model."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from multiprocessing import get_context
from operator import add
from typing import Any

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.precision_roots import DensePrecisionRoot
from gaussmix.core.quadratics import Quadratics, ScoringModel
from gaussmix.core.reduce import SupportsReduce
from gaussmix.core.statistics import Statistics
from gaussmix.engines.base import AbstractEngine, AbstractSession, AssignmentKind
from gaussmix.sources.base import AbstractSource, CollectedRows
from gaussmix.sources.collecting import collect_all_or_distinct_rows
from gaussmix.types import KD, KDD, ND, Array, IntNC, K

CHUNK_ROWS = 1000


@dataclass(frozen=True)
class ChunkStream:
    """Rows that nobody holds at once: drawn chunk by chunk from a seed, as many as come."""

    rows: ND
    weights: Array | None = None
    codes: IntNC | None = None

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self.rows), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            weights = None if self.weights is None else self.weights[part]
            codes = None if self.codes is None else self.codes[part]
            yield Batch(self.rows[part], weights, first_row=start, codes=codes)


@cache
def executor() -> ProcessPoolExecutor:
    """One other process, started from scratch, for the whole session."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def add_up(stream: ChunkStream, task: Callable[[Batch], Any]) -> Any:
    """What a task comes to over a stream, in whichever process this runs."""
    return reduce(add, map(task, stream))


@dataclass(frozen=True)
class StreamSource(AbstractSource):
    """Rows behind a generator in another process, of unknown length: only tasks go there and only sums come back."""

    stream: ChunkStream

    @property
    def n_features(self) -> int:
        return int(self.stream.rows.shape[1])

    def reduce(self, task: Callable[[Batch], Any]) -> Any:
        return executor().submit(add_up, self.stream, task).result(60.0)

    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> CollectedRows:
        return collect_all_or_distinct_rows(self, max_distinct_rows, hash_key)


@dataclass(frozen=True)
class LoggingEngine(AbstractEngine):
    """An engine that writes down what it is asked and lets another one answer."""

    delegate: AbstractEngine
    log: list[str] = field(default_factory=list)
    name = "logging"

    def bind(self, source: SupportsReduce) -> "LoggingSession":
        self.log.append("bind")
        return LoggingSession(self.delegate.bind(source), self.log)


@dataclass(frozen=True)
class LoggingSession(AbstractSession):
    delegate: AbstractSession
    log: list[str]

    def e_step(
        self,
        model: ScoringModel,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        self.log.append("e_step")
        return self.delegate.e_step(model, moment_kind, assignment, total_moments)

    def reduce_scores(self, model: ScoringModel, function: Any) -> Any:
        self.log.append("reduce_scores")
        return self.delegate.reduce_scores(model, function)

    def reduce_best_scores(self, model: ScoringModel, function: Any) -> Any:
        self.log.append("reduce_best_scores")
        return self.delegate.reduce_best_scores(model, function)


@dataclass(frozen=True)
class MixedModel:
    """Components of Gaussian columns and independent categorical columns."""

    weights: K
    means: KD
    covariances: KDD
    probabilities: tuple[Array, ...]

    def to_quadratics(self) -> Quadratics:
        roots = np.array([np.linalg.inv(np.linalg.cholesky(matrix)).T for matrix in self.covariances])
        log_determinants = np.linalg.slogdet(self.covariances)[1]
        constant = self.means.shape[1] * math.log(2.0 * math.pi) + log_determinants
        tables = tuple(np.log(table) for table in self.probabilities)
        return Quadratics(np.log(self.weights) - 0.5 * constant, self.means, DensePrecisionRoot(roots), tables)

    def marginal(self, columns: Sequence[int]) -> "MixedModel":
        kept = np.asarray(columns)
        return replace(self, means=self.means[:, kept], covariances=self.covariances[:, kept[:, None], kept])

    def m_step(self, statistics: Statistics) -> "MixedModel":
        moments = statistics.moments
        probabilities = tuple(counts / counts.sum(axis=1, keepdims=True) for counts in statistics.counts)
        covariances = moments.scatter / moments.mass[:, None, None]
        return MixedModel(moments.mass / moments.mass.sum(), moments.mean, covariances, probabilities)
