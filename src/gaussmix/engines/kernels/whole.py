"""Whole runs over few rows: what compiled code is given, and what is made of the arrays it leaves."""

from functools import lru_cache

import numpy as np

from gaussmix.core.tournament import rounds
from gaussmix.core.whole import WholeEnd, WholeRun
from gaussmix.engines.kernels.compiled.values import Whole
from gaussmix.engines.kernels.entries import whole_run
from gaussmix.engines.kernels.words import words_of
from gaussmix.types import Array, IntD

_CONVERGED, _ENDS = 0, 4
_VOLUME, _FORM = {"E": 0, "V": 1}, {"I": 0, "E": 1, "V": 2}
_NONE = np.empty(0)


def carried_out(run: WholeRun) -> WholeEnd:
    """As far as compiled code goes: to the end, or to where something is unusual."""
    volume, shape, orientation = list(run.letters)
    fit = _arrays(run)
    found = whole_run(
        words_of(fit),
        _VOLUME[volume],
        _FORM[shape],
        _FORM[orientation],
        float(run.tolerance),
        run.is_relative,
        float(run.last),
        run.passes,
    )
    n_passes, end = divmod(found, _ENDS)
    return WholeEnd(fit.weight, fit.center, fit.values, fit.axes, fit.factor, fit.trace[:n_passes], end == _CONVERGED)


def _arrays(run: WholeRun) -> Whole:
    """Copies of what is written to, and room to work in."""
    n_components, n = run.centers.shape

    def room(*shape: int) -> Array:
        return np.zeros(shape)

    def own(values: Array) -> Array:
        return np.array(values, dtype=np.float64, order="C")

    cube = (n_components, n, n)
    return Whole(
        rows=run.rows,
        weights=_NONE if run.weights is None else run.weights,
        weight=own(run.shares),
        center=own(run.centers),
        values=own(run.values),
        axes=own(run.axes),
        factor=room(*cube),
        root=room(*cube),
        covariance=own(run.matrices),
        log_determinant=room(n_components),
        mass=room(n_components),
        first=room(n_components, n),
        scatter=room(*cube),
        next_values=room(n_components, n),
        next_axes=room(*cube),
        next_factor=room(*cube),
        next_root=room(*cube),
        pairs=_pairs(n),
        floor=own(run.floor),
        trace=room(run.passes),
        offset=room(n_components),
        numbers=room(n_components),
        line=room(n),
        apart=room(n_components, n),
        squares=room(n_components, n),
        square=room(n, n),
        along=room(*cube),
    )


@lru_cache(maxsize=64)
def _pairs(n: int) -> IntD:
    """Pairs of axes in the order in which `rounds` has them."""
    found = [pair for i, j in rounds(n) for pair in zip(i.tolist(), j.tolist(), strict=True)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)
