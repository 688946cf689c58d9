"""``LinearRelation``: one column that is a linear function of other columns, as numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.types import ND, BoolN, D, IntD, N

ROUNDING_ERRORS = 64.0 * float(np.finfo(np.float64).eps)  # of a sum of columns, relative to its largest term
_MAX_TERMS_SHOWN = 8


@dataclass(frozen=True, eq=False)
class LinearRelation:
    """A relation ``column = intercept + sum of coefficient times predictor``; without predictors a constant.

    Attributes
    ----------
    column : int
        Position of the dependent column.
    predictors : ndarray of int64 of shape (p,)
        Positions of the other columns, ascending.
    coefficients : ndarray of shape (p,)
        In units of the dependent column per unit of each predictor.
    intercept : float
        In units of the dependent column.
    tolerance : float
        Largest difference from the relation that rounding explains, in units of the dependent column.
    """

    column: int
    predictors: IntD
    coefficients: D
    intercept: float
    tolerance: float

    def predict(self, rows: ND) -> N:
        """Return the dependent column (n,) that rows (n, D) imply."""
        return np.asarray(self.intercept + rows[:, self.predictors] @ self.coefficients)

    def broken_rows(self, rows: ND) -> BoolN:
        """Return which rows (n, D) differ from the relation by more than its tolerance and rounding errors."""
        values, terms = rows[:, self.column], np.abs(rows[:, self.predictors]) @ np.abs(self.coefficients)
        rounding = ROUNDING_ERRORS * (np.abs(values) + terms + abs(self.intercept))
        return np.asarray(np.abs(values - self.predict(rows)) > self.tolerance + rounding)

    def describe(self, names: Sequence[str]) -> str:
        """Return the relation in words, such as 'total = day + night'; ``names`` (D,) are those of the columns.

        If one column is the sum of all others, the text is solved for it.
        """
        if not len(self.predictors):
            return f"{names[self.column]} is constant ({self.intercept:.10g})"
        solved = self._solve_for_total()
        terms = [_format_term(value, names[j]) for j, value in zip(solved.predictors, solved.coefficients, strict=True)]
        if solved.intercept:
            terms.insert(0, f"{'-' if solved.intercept < 0 else '+'} {abs(solved.intercept):.6g}")
        hidden = f" + ... ({len(terms)} terms)" if len(terms) > _MAX_TERMS_SHOWN else ""
        text = " ".join(terms[:_MAX_TERMS_SHOWN]).removeprefix("+ ")
        return f"{names[solved.column]} = {'-' + text[2:] if text.startswith('- ') else text}{hidden}"

    def _solve_for_total(self) -> "LinearRelation":
        """Return the same relation, solved for the one predictor that is the sum of all other columns, if there is one.

        Without an intercept, c = t - a - b so becomes t = a + b + c.
        """
        is_positive = self.coefficients == 1.0
        if (
            self.intercept
            or is_positive.sum() != 1
            or len(is_positive) < 2
            or (self.coefficients[~is_positive] != -1).any()
        ):
            return self
        total = int(self.predictors[is_positive][0])
        parts = np.sort(np.append(self.predictors[~is_positive], self.column))
        return LinearRelation(total, parts, np.ones(len(parts)), 0.0, self.tolerance)


def _format_term(coefficient: float, name: str) -> str:
    """Return a signed term of a sum: '+ night', '- 2 day'."""
    size = abs(coefficient)
    return f"{'-' if coefficient < 0 else '+'} {'' if size == 1.0 else f'{size:.6g} '}{name}"
