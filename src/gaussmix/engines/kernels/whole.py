"""Whole runs over few rows: what compiled code is given, and what is made of the arrays it leaves."""

from functools import lru_cache

import numpy as np

from gaussmix.core.tournament import rounds
from gaussmix.core.whole import Belief, WholeEnd, WholeRun
from gaussmix.engines.kernels.compiled.values import Whole
from gaussmix.engines.kernels.entries import whole_run
from gaussmix.engines.kernels.words import words_of
from gaussmix.types import Array, IntD

_CONVERGED, _ENDS = 0, 4
_VOLUME, _FORM = {"E": 0, "V": 1}, {"I": 0, "E": 1, "V": 2}
_NONE, _NO_NUMBERS = np.empty(0), np.empty(0, dtype=np.int64)


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
    share = float(fit.noise[0]) if len(fit.noise) else 0.0
    parts = (fit.weight, share, fit.center, fit.values, fit.axes, fit.factor)
    return WholeEnd(*parts, fit.trace[:n_passes], end == _CONVERGED)


def _arrays(run: WholeRun) -> Whole:
    """Copies of what is written to, and room to work in."""
    n_components, n = run.centers.shape
    belief, location, believed = _believed(run.belief)
    cube = (n_components, n, n)
    return Whole(
        rows=run.rows,
        weights=_NONE if run.weights is None else run.weights,
        known=_NO_NUMBERS if run.known is None else run.known,
        weight=_own(run.shares),
        noise=_NONE if run.noise is None else np.array([*run.noise, 0.0]),
        center=_own(run.centers),
        values=_own(run.values),
        axes=_own(run.axes),
        factor=_room(*cube),
        root=_room(*cube),
        covariance=_own(run.matrices),
        log_determinant=_room(n_components),
        mass=_room(n_components),
        first=_room(n_components, n),
        scatter=_room(*cube),
        belief=belief,
        location=location,
        believed=believed,
        next_values=_room(n_components, n),
        next_axes=_room(*cube),
        next_factor=_room(*cube),
        next_root=_room(*cube),
        pairs=_pairs(n),
        floor=_own(run.floor),
        trace=_room(run.passes),
        offset=_room(n_components),
        numbers=_room(n_components),
        line=_room(n),
        apart=_room(n_components, n),
        squares=_room(n_components, n),
        square=_room(n, n),
        along=_room(*cube),
    )


def _room(*shape: int) -> Array:
    return np.zeros(shape)


def _own(values: Array) -> Array:
    """A copy that compiled code may write to."""
    return np.array(values, dtype=np.float64, order="C")


def _believed(belief: Belief | None) -> tuple[Array, Array, Array]:
    if belief is None:
        return _NONE, _NONE, np.empty((0, 0))
    return np.array([belief.shrinkage, belief.mass]), _own(belief.location), _own(belief.scatter)


@lru_cache(maxsize=64)
def _pairs(n: int) -> IntD:
    """Pairs of axes in the order in which `rounds` has them."""
    found = [pair for i, j in rounds(n) for pair in zip(i.tolist(), j.tolist(), strict=True)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)
