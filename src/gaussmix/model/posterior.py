"""What a row's scores say: density, soft and hard assignment, uncertainty; in blocks, for any source."""

from collections.abc import Callable

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.base import AbstractEngine, log_sum_exp
from gaussmix.errors import DataError, UnrepresentableError
from gaussmix.sources.base import AbstractSource
from gaussmix.types import ND, NK, AnyArray, IntN, K, N


def _per_row(
    quadratics: Quadratics,
    source: AbstractSource,
    engine: AbstractEngine,
    output: AnyArray,
    answer: Callable[[NK], AnyArray],
) -> AnyArray:
    """Fill ``output`` with ``answer(scores)`` of every batch."""

    def fill(batch: Batch) -> int:
        with np.errstate(over="ignore", invalid="ignore"):
            scores = engine.score(quadratics, batch)
        lost = ~np.isfinite(scores.max(axis=1))
        if lost.any():
            raise DataError.too_far(batch.first_row + int(np.argmax(lost)))
        output[batch.slice] = answer(scores)
        return batch.n_rows

    source.reduce(fill)
    return output


def log_density(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> N:
    """log sum_k exp(score) of each row, in the frame's units."""
    output = np.empty(source.n_rows)
    return _per_row(quadratics, source, engine, output, lambda scores: log_sum_exp(scores)[0])


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

    def softmax(scores: NK) -> NK:
        powers = log_sum_exp(scores)[1]
        return np.asarray(powers / powers.sum(axis=1)[:, None])

    return _per_row(quadratics, source, engine, output, softmax)


def labels(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> IntN:
    """The component of the highest score of each row; the first of equals."""
    output = np.empty(source.n_rows, dtype=np.int64)
    return _per_row(quadratics, source, engine, output, lambda scores: scores.argmax(axis=1))


def log_certainty(quadratics: Quadratics, source: AbstractSource, engine: AbstractEngine) -> N:
    """log of the largest responsibility of each row, (n,)."""
    output = np.empty(source.n_rows)
    return _per_row(quadratics, source, engine, output, lambda scores: scores.max(axis=1) - log_sum_exp(scores)[0])


def uncertainty(soft: NK) -> N:
    """One minus the largest responsibility, summed from the others so that 1e-300 stays 1e-300."""
    rest = soft.copy()
    rest[np.arange(len(rest)), rest.argmax(axis=1)] = 0.0
    return np.asarray(rest.sum(axis=1))


def cumulative(rows: ND, weights: K, means: K, deviations: K) -> N:
    """sum_k w_k Phi((x - m_k) / s_k) for rows of one column."""
    from scipy import special

    return np.asarray(special.ndtr((rows - means) / deviations) @ weights)
