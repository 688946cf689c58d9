"""Results per row that scores give: density, soft and hard assignment, uncertainty; for any source, into any sink."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.input_arrays import parse_rows
from gaussmix.core.quadratics import ScoringModel
from gaussmix.engines import AutomaticEngine
from gaussmix.engines.base import AbstractEngine, AbstractSession
from gaussmix.engines.score_tiles import BestScores, Responsibilities
from gaussmix.errors import DataError, RowTooFarError, UnrepresentableError
from gaussmix.model.column_dependence import select_independent_columns
from gaussmix.model.mixture_parameters import M
from gaussmix.sources import IncompleteSource, MemorySource, make_scoring_source
from gaussmix.sources.base import AbstractSource
from gaussmix.sources.sinks import AbstractSink, ArraySink, UnstoredBlocks
from gaussmix.types import ND, NK, AnyArray, ArrayLike, IntN, K, N


@dataclass(frozen=True)
class _WriteBestScores:
    """A task that writes what ``extract`` takes from the best scores of each batch to a sink."""

    extract: Callable[[BestScores], AnyArray]
    sink: AbstractSink
    needs_log_densities: bool = True

    def __call__(self, batch: Batch, best: BestScores) -> UnstoredBlocks:
        _require_finite_scores(best.best_scores, batch)
        return self.sink.write(batch.first_row, self.extract(best))


@dataclass(frozen=True)
class _WriteResponsibilities:
    """A task that writes the responsibilities of each batch to a sink."""

    sink: AbstractSink

    def buffer(self, first_row: int, n_rows: int) -> AnyArray | None:
        """Return the part of the sink for these rows, in which to compute them; None if there is none."""
        return self.sink.buffer(first_row, n_rows) if isinstance(self.sink, ArraySink) else None

    def __call__(self, batch: Batch, result: Responsibilities) -> UnstoredBlocks:
        _require_finite_scores(result.best_scores, batch)
        return self.sink.write(batch.first_row, result.responsibilities)


@dataclass(frozen=True)
class _WriteScores:
    """A task that writes the scores of each batch to a sink."""

    sink: ArraySink

    def buffer(self, first_row: int, n_rows: int) -> AnyArray | None:
        """Return the part of the sink for these rows, in which to compute scores; None if there is none."""
        return self.sink.buffer(first_row, n_rows)

    def __call__(self, batch: Batch, scores: NK) -> UnstoredBlocks:
        return self.sink.write(batch.first_row, scores)


class _BlocksPair(tuple[UnstoredBlocks, UnstoredBlocks]):
    """What two sinks could not store; pairs add part by part."""

    def __add__(self, other: tuple[UnstoredBlocks, UnstoredBlocks]) -> "_BlocksPair":  # type: ignore[override]
        return _BlocksPair((self[0] + other[0], self[1] + other[1]))


@dataclass(frozen=True)
class _WriteLabelsAndScores:
    """A task that writes the best component and its score, for each row of a batch, to a sink each."""

    labels: ArraySink
    scores: ArraySink
    needs_log_densities: ClassVar[bool] = False

    def __call__(self, batch: Batch, best: BestScores) -> _BlocksPair:
        first = batch.first_row
        return _BlocksPair((self.labels.write(first, best.labels), self.scores.write(first, best.best_scores)))


def _require_finite_scores(max_scores: N, batch: Batch) -> None:
    """Raise a RowTooFarError about the first row whose highest score is not finite, if there is one."""
    if math.isfinite(max_scores.sum()):  # one cheap sum decides in nearly all cases
        return
    lost = ~np.isfinite(max_scores)
    if lost.any():
        raise RowTooFarError.from_row(batch.first_row + int(np.argmax(lost)))


def _take_labels(best: BestScores) -> IntN:
    """Return the best component of each row, (n,)."""
    return best.labels


def _take_log_densities(best: BestScores) -> N:
    """Return the log density of each row, (n,)."""
    return best.log_densities


def _take_log_max_responsibility(best: BestScores) -> N:
    """Return the log of the largest responsibility of each row, (n,)."""
    return best.best_scores - best.log_densities


def _extract_from_best_scores(
    model: ScoringModel,
    session: AbstractSession,
    sink: AbstractSink,
    extract: Callable[[BestScores], AnyArray],
    needs_log_densities: bool = True,
) -> AnyArray:
    """Return what ``extract`` takes from the best scores, for all rows, as the sink stores it."""
    task = _WriteBestScores(extract, sink, needs_log_densities)
    with np.errstate(over="ignore", invalid="ignore"):
        result: AnyArray = sink.finish(session.reduce_best_scores(model, task))
    return result


def parse_and_transform_rows(mixture: M, X: ArrayLike, allow_missing: bool = False) -> ND:
    """Return the rows (n, D) of X in the coordinates of the transformed columns; NaN is a missing cell, if allowed."""
    rows = parse_rows(X, mixture.n_features, mixture.feature_names, keep_float32=True, allow_missing=allow_missing)
    return mixture.transform_rows(rows)


def make_scoring_arguments(mixture: M, X: ArrayLike) -> tuple[M, MemorySource | IncompleteSource, AutomaticEngine]:
    """Return the mixture, the rows as a source in its frame, and an engine; raise DataError if there are no rows.

    NaN is a missing cell.
    """
    rows = parse_and_transform_rows(mixture, X, allow_missing=True)
    if not len(rows):
        raise DataError.no_rows()
    rows = select_independent_columns(mixture, rows)
    return mixture, make_scoring_source(rows, mixture.frame), AutomaticEngine(len(rows))


def logpdf_in_frame_units(
    model: ScoringModel, source: AbstractSource, engine: AbstractEngine, sink: AbstractSink | None = None
) -> N:
    """Return the log densities (n,) of the rows of a source, per volume in the frame; raise DataError on overflow.

    With a ``sink``, return what it makes of them; by default it is an array.
    """
    sink = ArraySink(source.n_rows) if sink is None else sink
    return _extract_from_best_scores(model, engine.bind(source), sink, _take_log_densities)


def hard_labels(
    model: ScoringModel, source: AbstractSource, engine: AbstractEngine, sink: AbstractSink | None = None
) -> IntN:
    """Return the component (n,) of the highest score of each row of a source; the first of equals.

    With a ``sink``, return what it makes of them; by default it is an array.
    """
    sink = ArraySink(source.n_rows, dtype=np.int64) if sink is None else sink
    return _extract_from_best_scores(model, engine.bind(source), sink, _take_labels, needs_log_densities=False)


class LabelsAndBestScores(NamedTuple):
    """The component of the highest score of each row (n,), and that score (n,)."""

    labels: IntN
    best_scores: N


def labels_and_best_scores(model: ScoringModel, source: AbstractSource, engine: AbstractEngine) -> LabelsAndBestScores:
    """Return the component of the highest score of each row of a source, (n,), and that score, (n,)."""
    sinks = ArraySink(source.n_rows, dtype=np.int64), ArraySink(source.n_rows)
    labels, scores = engine.bind(source).reduce_best_scores(model, _WriteLabelsAndScores(*sinks))
    return LabelsAndBestScores(sinks[0].finish(labels), sinks[1].finish(scores))


def component_scores(model: ScoringModel, source: AbstractSource, engine: AbstractEngine) -> NK:
    """Return scores (n, K) of all rows of a source: log(weight density) for mixtures, -distance^2 / 2 for centers."""
    sink = ArraySink(source.n_rows, (model.to_quadratics().n_components,))
    result: NK = sink.finish(engine.bind(source).reduce_scores(model, _WriteScores(sink)))
    return result


def log_max_responsibility(model: ScoringModel, source: AbstractSource, engine: AbstractEngine) -> N:
    """Return the log of the largest responsibility (n,) of each row of a source."""
    return _extract_from_best_scores(model, engine.bind(source), ArraySink(source.n_rows), _take_log_max_responsibility)


def responsibilities(
    model: ScoringModel, source: AbstractSource, engine: AbstractEngine, sink: AbstractSink | None = None
) -> NK:
    """Return the component probabilities (n, K) of the rows of a source; raise DataError if a row is too far away.

    With a ``sink``, return what it makes of them; by default it is an array.
    """
    sink = ArraySink(source.n_rows, (model.to_quadratics().n_components,)) if sink is None else sink
    with np.errstate(over="ignore", invalid="ignore"):
        result: NK = sink.finish(engine.bind(source).reduce_responsibilities(model, _WriteResponsibilities(sink)))
    return result


def exp_raising_on_overflow(log_values: N, logarithm: str) -> N:
    """Return exp(log densities), (n,); raise an UnrepresentableError if one overflows.

    ``logarithm`` is the method to use instead, by name.
    """
    with np.errstate(over="ignore"):
        values = np.exp(log_values)
    if np.isinf(values).any():
        raise UnrepresentableError.density_overflows(logarithm)
    return np.asarray(values)


def uncertainty(responsibilities: NK) -> N:
    """Return one minus the largest responsibility of each row, (n,), precise also where it is tiny."""
    rest = responsibilities.copy()
    rest[np.arange(len(rest)), rest.argmax(axis=1)] = 0.0
    return np.asarray(rest.sum(axis=1))


def univariate_mixture_cdf(rows: ND, weights: K, means: K, standard_deviations: K) -> N:
    """Return sum_k w_k Phi((x - m_k) / s_k), (n,), for rows (n, 1)."""
    from scipy import special

    return np.asarray(special.ndtr((rows - means) / standard_deviations) @ weights)
