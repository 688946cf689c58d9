"""What a row's scores say: density, soft and hard assignment, uncertainty; in blocks, for any source."""

from collections.abc import Callable

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.base import AbstractEngine, BestScores, iterate_tiles, log_sum_exp_with_terms, rows_per_tile
from gaussmix.errors import DataError, UnrepresentableError
from gaussmix.sources.base import AbstractSource
from gaussmix.types import ND, NK, AnyArray, IntN, K, N


def _fill_from_best_scores(
    quadratics: Quadratics,
    source: AbstractSource,
    engine: AbstractEngine,
    output: AnyArray,
    extract: Callable[[BestScores], AnyArray],
) -> AnyArray:
    """Fill ``output`` (n,) with ``answer`` of every batch's ranked rows."""

    def fill(batch: Batch) -> int:
        with np.errstate(over="ignore", invalid="ignore"):
            ranked = engine.best_scores(quadratics, batch)
        _check_scores_finite(ranked.best_scores, batch)
        output[batch.row_slice] = extract(ranked)
        return batch.n_rows

    source.reduce(fill)
    return output


def _check_scores_finite(max_scores: N, batch: Batch) -> None:
    """DataError naming the first row whose highest score overflowed."""
    lost = ~np.isfinite(max_scores)
    if lost.any():
        raise DataError.row_too_far(batch.first_row + int(np.argmax(lost)))


def frame_logpdf(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> N:
    """log sum_k exp(score) of each row, in the frame's units."""
    return _fill_from_best_scores(
        quadratics, source, engine, np.empty(source.n_rows), lambda ranked: ranked.log_densities
    )


def exp_with_overflow_check(log_values: N) -> N:
    """e to the power of log densities; UnrepresentableError where that overflows."""
    with np.errstate(over="ignore"):
        values = np.exp(log_values)
    if np.isinf(values).any():
        raise UnrepresentableError.from_quantity("densities", "overflow")
    return np.asarray(values)


def responsibilities(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> NK:
    """Softmax of the scores of each row (n, K)."""
    output = np.empty((source.n_rows, quadratics.n_components))
    step = rows_per_tile(quadratics.n_components)

    def fill(batch: Batch) -> int:
        scores = output[batch.row_slice]
        with np.errstate(over="ignore", invalid="ignore"):
            engine.compute_scores(quadratics, batch, scores)
        _check_scores_finite(scores.max(axis=1), batch)
        for tile in iterate_tiles(batch.n_rows, step):
            powers = log_sum_exp_with_terms(scores[tile])[1]
            np.divide(powers, powers.sum(axis=1)[:, None], out=scores[tile])
        return batch.n_rows

    source.reduce(fill)
    return output


def hard_labels(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> IntN:
    """The component of the highest score of each row; the first of equals."""
    output = np.empty(source.n_rows, dtype=np.int64)
    return _fill_from_best_scores(quadratics, source, engine, output, lambda ranked: ranked.labels)


def log_max_responsibility(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> N:
    """log of the largest responsibility of each row, (n,)."""
    return _fill_from_best_scores(
        quadratics, source, engine, np.empty(source.n_rows), lambda ranked: ranked.best_scores - ranked.log_densities
    )


def uncertainty(responsibilities: NK) -> N:
    """One minus the largest responsibility, summed from the others so that 1e-300 stays 1e-300."""
    rest = responsibilities.copy()
    rest[np.arange(len(rest)), rest.argmax(axis=1)] = 0.0
    return np.asarray(rest.sum(axis=1))


def univariate_cdf(rows: ND, weights: K, means: K, standard_deviations: K) -> N:
    """sum_k w_k Phi((x - m_k) / s_k) for rows of one column."""
    from scipy import special

    return np.asarray(special.ndtr((rows - means) / standard_deviations) @ weights)
