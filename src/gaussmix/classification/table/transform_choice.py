"""Choose the transforms of numeric columns by the likelihood of one Gaussian per class, all columns together.

A transform changes how a column depends on others: the logarithm of a total is linear in those of its factors. So all
columns start alike, without a transform, with log1p or with Yeo-Johnson, and the best start is improved column by
column. The criterion is the log-likelihood less half the logarithm of n for each lambda, as in BIC.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from gaussmix.classification.table.joint_likelihood import ClassGaussians, TransformedColumn
from gaussmix.transforms.transform_kinds import AbstractTransform, Log1p, YeoJohnson, fit_yeo_johnson
from gaussmix.types import ND, IntN, N

_KINDS = (None, Log1p.name, YeoJohnson.name)
_MAX_SWEEPS = 10
_MIN_GAIN = 1e-6  # of the log-likelihood per row
_LAMBDA_TOLERANCE = 1e-3
_MIN_COMPLETE_ROWS_PER_PARAMETER = 5.0


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A transform of one column and the column under it."""

    transform: AbstractTransform | None
    column: TransformedColumn

    @property
    def n_parameters(self) -> int:
        """Number of its estimated parameters."""
        return 0 if self.transform is None else self.transform.n_parameters


def choose_transforms(rows: ND, target_codes: IntN, weights: N) -> list[AbstractTransform | None]:
    """Return a transform, or None, for each column of rows (n, D), NaN where missing, of classes (n,)."""
    if not rows.shape[1]:
        return []
    search = _TransformSearch(_select_rows(rows, target_codes, weights))
    starts = [search.start(kind) for kind in _KINDS]
    best = max(starts, key=search.criterion)
    return [candidate.transform for candidate in search.improve(best)]


def _select_rows(rows: ND, target_codes: IntN, weights: N) -> ClassGaussians:
    """Return the rows without gaps if there are enough of each class for a covariance, else all rows."""
    is_complete = ~np.isnan(rows).any(axis=1)
    minimum = _MIN_COMPLETE_ROWS_PER_PARAMETER * (rows.shape[1] + 1)
    counts = [np.count_nonzero(target_codes[is_complete] == code) for code in np.unique(target_codes)]
    if not is_complete.all() and min(counts) >= minimum:
        rows, target_codes, weights = rows[is_complete], target_codes[is_complete], weights[is_complete]
    return ClassGaussians.from_rows(rows, target_codes, weights)


@dataclass(frozen=True, eq=False)
class _TransformSearch:
    """Coordinate ascent over the transforms of the columns."""

    data: ClassGaussians

    def criterion(self, candidates: Sequence[_Candidate]) -> float:
        """Return the log-likelihood less the penalty for estimated parameters."""
        n_parameters = sum(candidate.n_parameters for candidate in candidates)
        penalty = 0.5 * np.log(max(len(self.data.weights), 2)) * n_parameters
        return float(self.data.log_likelihood([candidate.column for candidate in candidates]) - penalty)

    def start(self, kind: str | None) -> list[_Candidate]:
        """Return the candidates of one kind for all columns; none for columns that it does not allow."""
        return [self._make_start(j, kind) for j in range(self.data.rows.shape[1])]

    def improve(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Change one column at a time to its best transform until the criterion no longer rises."""
        best = self.criterion(candidates)
        for _ in range(_MAX_SWEEPS):
            before = best
            for j in range(len(candidates)):
                for kind in _KINDS:
                    changed = [*candidates[:j], self._fit(candidates, j, kind), *candidates[j + 1 :]]
                    value = self.criterion(changed)
                    if value > best + _MIN_GAIN * len(self.data.weights):
                        best, candidates = value, changed
            if best == before:
                break
        return candidates

    def _make_start(self, j: int, kind: str | None) -> _Candidate:
        """Return the transform of a kind that is best for column j alone."""
        values = self.data.rows[:, j]
        is_present = ~np.isnan(values)
        if kind == Log1p.name and self._allows_log(j):
            return self._candidate(j, Log1p())
        if kind == YeoJohnson.name and is_present.any():
            order = np.lexsort((self.data.weights[is_present], values[is_present]))
            return self._candidate(j, fit_yeo_johnson(values[is_present][order], self.data.weights[is_present][order]))
        return self._candidate(j, None)

    def _fit(self, candidates: list[_Candidate], j: int, kind: str | None) -> _Candidate:
        """Return the transform of a kind that is best for column j beside the transforms of the others."""
        if kind != YeoJohnson.name:
            return self._make_start(j, kind)

        def loss(power: float) -> float:
            changed = [*candidates[:j], self._candidate(j, YeoJohnson(power)), *candidates[j + 1 :]]
            value = self.criterion(changed)
            return -value if np.isfinite(value) else np.finfo(np.float64).max

        result = minimize_scalar(loss, bounds=(0.0, 2.0), method="bounded", options={"xatol": _LAMBDA_TOLERANCE})
        return self._candidate(j, YeoJohnson(float(result.x)))

    def _allows_log(self, j: int) -> bool:
        """Return whether every value of column j is in the domain of log1p."""
        return bool(np.nanmin(self.data.rows[:, j], initial=np.inf) > Log1p.minimum)

    def _candidate(self, j: int, transform: AbstractTransform | None) -> _Candidate:
        """Return column j under a transform."""
        return _Candidate(transform, self.data.transform_column(j, transform, 1.0))
