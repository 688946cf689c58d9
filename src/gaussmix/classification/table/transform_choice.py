"""Choose the transforms of numeric columns by the likelihood of one Gaussian per class, all columns together.

A transform changes how a column depends on others: the logarithm of a total is linear in those of its factors. So the
columns of a block that correlate start alike, without a transform, with log1p or with Yeo-Johnson, and the best start
is improved column by column. Columns of different blocks hardly correlate, and gaps in one block leave the rows of the
others complete.

The criterion is the log-likelihood less a penalty for each transform, which has a unit, and for each lambda: half the
logarithm of n, as in BIC, and a hundredth per row, since people have to understand the transform.

log1p and Yeo-Johnson depend on what counts as 1. Three multiples of small and of typical values are tried, so that the
choice does not depend on the units of the data.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from gaussmix.classification.table.joint_likelihood import ClassGaussians, TransformedColumn
from gaussmix.classification.table.rank_statistics import find_correlated_blocks, select_complete_rows
from gaussmix.transforms.transform_kinds import AbstractTransform, Log1p, YeoJohnson
from gaussmix.types import KDD, ND, BoolN, IntD, IntN, N

_UNITS = ((0.05, 1.0 / 16.0), (0.05, 1.0), (0.5, 1.0))  # quantile of the sizes of values that are not 0, and a factor
_LAMBDA_RANGE = (0.0, 2.0)
_LAMBDA_TOLERANCE = 1e-3
_MAX_SWEEPS = 10
_MIN_GAIN = 0.01  # of the log-likelihood per row; less is not worth a transform
_MIN_IMPROVEMENT = 1e-4  # of the criterion per row in one step
_MIN_ROWS_PER_COLUMN = 5  # of each class without a gap
_MIN_COMPLETE_FRACTION = 0.25  # of the rows
_MAX_ROWS, _MIN_ROWS, _MAX_CELLS = 10_000, 2_000, 200_000  # that choose, in a table of few and of many columns


class ScaledTransform(NamedTuple):
    """A transform, or None, of the values of a column in a unit."""

    transform: AbstractTransform | None = None
    unit: float = 1.0


@dataclass(frozen=True, eq=False)
class _State:
    """Transforms of all D columns and what follows from them.

    Attributes
    ----------
    data : ClassGaussians
    transforms : tuple of ScaledTransform
    columns : tuple of TransformedColumn
    correlations : ndarray of shape (C, D, D)
        Of the transformed columns in each class.
    """

    data: ClassGaussians
    transforms: tuple[ScaledTransform, ...]
    columns: tuple[TransformedColumn, ...]
    correlations: KDD

    @classmethod
    def start(cls, data: ClassGaussians, transforms: Sequence[ScaledTransform]) -> "_State":
        """Return the state of some transforms."""
        columns = tuple(data.transform_column(j, *scaled) for j, scaled in enumerate(transforms))
        standardized = np.column_stack([column.standardized for column in columns])
        correlations = np.stack([data.correlate(standardized, j) for j in range(data.n_columns)], axis=1)
        return cls(data, tuple(transforms), columns, correlations)

    def change(self, j: int, scaled: ScaledTransform) -> "_State":
        """Return the state with another transform of column j."""
        column = self.data.transform_column(j, *scaled)
        columns = (*self.columns[:j], column, *self.columns[j + 1 :])
        correlations = self.correlations.copy()
        if np.isfinite(column.log_likelihood):
            standardized = np.column_stack([each.standardized for each in columns])
            correlations[:, j] = correlations[:, :, j] = self.data.correlate(standardized, j)
        return _State(self.data, (*self.transforms[:j], scaled, *self.transforms[j + 1 :]), columns, correlations)

    @cached_property
    def criterion(self) -> float:
        """The log-likelihood, less a penalty for each transform and each lambda."""
        total = sum(column.log_likelihood for column in self.columns)
        if not np.isfinite(total):
            return -np.inf
        used = [each.transform for each in self.transforms if each.transform is not None]
        n_rows, n_choices = self.data.n_rows, len(used) + sum(each.n_parameters for each in used)
        penalty = n_choices * (_MIN_GAIN * n_rows + 0.5 * np.log(n_rows))
        return float(total + self.data.dependence_term(self.correlations) - penalty)


def choose_transforms(rows: ND, target_codes: IntN, weights: N) -> list[ScaledTransform]:
    """Return a transform for each column of rows (n, D), NaN where missing, of classes (n,) and weights (n,)."""
    chosen = [ScaledTransform()] * rows.shape[1]
    max_rows = min(max(_MIN_ROWS, _MAX_CELLS // max(rows.shape[1], 1)), _MAX_ROWS)
    for block in _split_blocks(rows, target_codes, weights):
        is_selected = select_complete_rows(rows[:, block], max_rows)
        data = ClassGaussians.from_rows(rows[is_selected][:, block], target_codes[is_selected], weights[is_selected])
        for j, scaled in zip(block, _choose_jointly(data), strict=True):
            chosen[j] = scaled
    return chosen


def _split_blocks(rows: ND, target_codes: IntN, weights: N) -> Iterator[IntD]:
    """Yield the positions of the columns of each block.

    Columns with the most gaps leave a block, one by one, until a quarter of the rows and enough of each class have no
    gap in it. They are blocks of their own.
    """
    is_missing = np.isnan(rows)
    for columns in find_correlated_blocks(rows, weights):
        block = columns
        while len(block) > 1 and not _has_enough_rows(
            np.asarray(is_missing[:, block].any(axis=1)), target_codes, weights, len(block)
        ):
            worst = int((weights @ is_missing[:, block]).argmax())
            yield block[[worst]]
            block = np.delete(block, worst)
        yield block


def _has_enough_rows(has_gap: BoolN, target_codes: IntN, weights: N, n_columns: int) -> bool:
    """Return whether enough rows have no gap, in all and in each class."""
    is_complete = ~has_gap
    n_classes = int(target_codes.max()) + 1
    counts = np.bincount(target_codes[is_complete], weights[is_complete], n_classes)[np.unique(target_codes)]
    is_large = counts.sum() >= _MIN_COMPLETE_FRACTION * weights.sum()
    return bool(is_large and counts.min() >= _MIN_ROWS_PER_COLUMN * (n_columns + 1))


def _choose_jointly(data: ClassGaussians) -> tuple[ScaledTransform, ...]:
    """Return the transforms of the columns of one block."""
    state = max(_list_starts(data), key=lambda each: each.criterion)
    for _ in range(_MAX_SWEEPS if data.n_columns > 1 else 0):  # one column alone starts with its best transform
        before = state
        for j in range(data.n_columns):
            state = _improve_column(state, j)
        if state is before:
            break
    return state.transforms


def _list_starts(data: ClassGaussians) -> Iterator[_State]:
    """Yield the states in which all columns are transformed alike: not at all, by log1p in each unit, by Yeo-Johnson.

    Columns whose values log1p does not allow are not transformed.
    """
    columns = range(data.n_columns)
    yield _State.start(data, [ScaledTransform()] * data.n_columns)
    for position in range(len(_UNITS)):
        yield _State.start(data, [_fit_log(data, j, position) for j in columns])
    yield _State.start(data, [_fit_power_alone(data, j) for j in columns])


def _improve_column(state: _State, j: int) -> _State:
    """Return the state with the transform of column j that raises the criterion most; the same state if none does."""
    best, minimum = state, state.criterion + _MIN_IMPROVEMENT * state.data.n_rows
    candidates = [ScaledTransform()]
    for position, unit in enumerate(_list_units(state.data, j)):
        candidates += [
            _fit_log(state.data, j, position),
            _fit_power(unit, lambda each: state.change(j, each).criterion),
        ]
    for scaled in candidates:
        changed = state.change(j, scaled)
        if changed.criterion > max(best.criterion, minimum):
            best = changed
    return best


def _list_units(data: ClassGaussians, j: int) -> list[float]:
    """Return the units that are tried for column j, ascending; none if all of its values are 0."""
    counted = np.flatnonzero(data.rows[:, j] != 0)
    if not len(counted):
        return []
    sizes = np.abs(data.rows[counted, j])
    order = np.argsort(sizes, kind="stable")
    totals = np.cumsum(data.weights[counted][order])
    positions = np.searchsorted(totals, [probability * totals[-1] for probability, _ in _UNITS], side="right")
    return [factor * float(sizes[order][p]) for p, (_, factor) in zip(positions, _UNITS, strict=True)]


def _fit_log(data: ClassGaussians, j: int, position: int) -> ScaledTransform:
    """Return log1p of column j in one of its units; no transform if a value is outside of the domain."""
    units = _list_units(data, j)
    is_allowed = bool(units) and float(data.rows[:, j].min()) / units[position] > Log1p.minimum
    return ScaledTransform(Log1p(), units[position]) if is_allowed else ScaledTransform()


def _fit_power_alone(data: ClassGaussians, j: int) -> ScaledTransform:
    """Return the Yeo-Johnson transform that is best for column j alone, in the best of the units."""

    def criterion(scaled: ScaledTransform) -> float:
        return data.transform_column(j, *scaled).log_likelihood

    candidates = (_fit_power(unit, criterion) for unit in _list_units(data, j))
    return max(candidates, key=criterion, default=ScaledTransform())


def _fit_power(unit: float, criterion: Callable[[ScaledTransform], float]) -> ScaledTransform:
    """Return the Yeo-Johnson transform whose lambda from 0 to 2 is best in a unit."""

    def loss(power: float) -> float:
        value = criterion(ScaledTransform(YeoJohnson(power), unit))
        return -value if np.isfinite(value) else float(np.finfo(np.float64).max)

    result = minimize_scalar(loss, bounds=_LAMBDA_RANGE, method="bounded", options={"xatol": _LAMBDA_TOLERANCE})
    return ScaledTransform(YeoJohnson(float(result.x)), unit)
