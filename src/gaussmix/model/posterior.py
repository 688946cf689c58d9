"""What a row's scores say: density, soft and hard assignment, uncertainty; in blocks, for any source."""

from collections.abc import Callable

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.base import AbstractEngine, RowScores, log_sum_exp, tile_rows, tiles
from gaussmix.errors import DataError, UnrepresentableError
from gaussmix.sources.base import AbstractSource
from gaussmix.types import ND, NK, AnyArray, IntN, K, N


def _ranked(
    quadratics: Quadratics,
    source: AbstractSource,
    engine: AbstractEngine,
    output: AnyArray,
    answer: Callable[[RowScores], AnyArray],
) -> AnyArray:
    """Fill ``output`` (n,) with ``answer`` of every batch's ranked rows."""

    def fill(batch: Batch) -> int:
        with np.errstate(over="ignore", invalid="ignore"):
            ranked = engine.rank(quadratics, batch)
        _require_density(ranked.top, batch)
        output[batch.slice] = answer(ranked)
        return batch.n_rows

    source.reduce(fill)
    return output


def _require_density(top: N, batch: Batch) -> None:
    """DataError naming the first row whose highest score overflowed."""
    lost = ~np.isfinite(top)
    if lost.any():
        raise DataError.too_far(batch.first_row + int(np.argmax(lost)))


def log_density(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> N:
    """log sum_k exp(score) of each row, in the frame's units."""
    return _ranked(quadratics, source, engine, np.empty(source.n_rows), lambda ranked: ranked.log_density)


def raised(log_values: N) -> N:
    """e to the power of log densities; UnrepresentableError where that overflows."""
    with np.errstate(over="ignore"):
        values = np.exp(log_values)
    if np.isinf(values).any():
        raise UnrepresentableError.of("densities", "overflow")
    return np.asarray(values)


def responsibilities(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> NK:
    """Softmax of the scores of each row (n, K)."""
    output = np.empty((source.n_rows, quadratics.n_components))
    step = tile_rows(quadratics.n_components)

    def fill(batch: Batch) -> int:
        scores = output[batch.slice]
        with np.errstate(over="ignore", invalid="ignore"):
            engine.score(quadratics, batch, scores)
        _require_density(scores.max(axis=1), batch)
        for tile in tiles(batch.n_rows, step):
            powers = log_sum_exp(scores[tile])[1]
            np.divide(powers, powers.sum(axis=1)[:, None], out=scores[tile])
        return batch.n_rows

    source.reduce(fill)
    return output


def labels(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> IntN:
    """The component of the highest score of each row; the first of equals."""
    output = np.empty(source.n_rows, dtype=np.int64)
    return _ranked(quadratics, source, engine, output, lambda ranked: ranked.label)


def log_certainty(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> N:
    """log of the largest responsibility of each row, (n,)."""
    return _ranked(quadratics, source, engine, np.empty(source.n_rows), lambda ranked: ranked.top - ranked.log_density)


def uncertainty(soft: NK) -> N:
    """One minus the largest responsibility, summed from the others so that 1e-300 stays 1e-300."""
    rest = soft.copy()
    rest[np.arange(len(rest)), rest.argmax(axis=1)] = 0.0
    return np.asarray(rest.sum(axis=1))


def cumulative(rows: ND, weights: K, means: K, deviations: K) -> N:
    """sum_k w_k Phi((x - m_k) / s_k) for rows of one column."""
    from scipy import special

    return np.asarray(special.ndtr((rows - means) / deviations) @ weights)
