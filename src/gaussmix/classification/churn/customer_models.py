"""``CustomerModels``: each customer of a table is explained by the model that gives its probability."""

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from gaussmix.classification.churn.churn_state import ChurnState
from gaussmix.classification.churn.contributions import Contributions
from gaussmix.classification.churn.customer_explanations import explain_customers, explain_reasons
from gaussmix.classification.churn.explanation import CustomerExplanation
from gaussmix.classification.churn.reasons import ChurnReason, CustomerReasons
from gaussmix.classification.validation.labelled_table import select_table_rows
from gaussmix.classification.validation.out_of_fold import FittedFold
from gaussmix.errors import DataWarning
from gaussmix.types import NK, IntN, N

_FOLD_POSITIVE = 1  # folds are fitted to False and True

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class CustomerModels:
    """The model of all customers, and those of folds that have not seen the customers whom they explain.

    Attributes
    ----------
    states : tuple of ChurnState
        The first is that of the model of all customers. Segments are the same in all of them.
    numbers : ndarray of int64 of shape (n,)
        Position of the state of each customer.
    """

    states: tuple[ChurnState, ...]
    numbers: IntN

    @classmethod
    def from_folds(cls, state: ChurnState, folds: Sequence[FittedFold], n_rows: int) -> "CustomerModels":
        """Return the models of n customers: those that a fold has held out get its classifier."""
        numbers = np.zeros(n_rows, dtype=np.int64)
        for number, fold in enumerate(folds, start=1):
            numbers[fold.rows] = number
        return cls((state, *(state.with_model(fold.classifier.model_, _FOLD_POSITIVE) for fold in folds)), numbers)

    def explain_reasons(self, X: Any, rows: IntN) -> CustomerReasons:
        """Return the reasons of some customers (m,), in the order of ``rows``."""
        parts = self._explain_parts(rows, lambda state, at: explain_reasons(state, select_table_rows(X, rows[at])))
        return _join_reasons(parts, len(rows))

    def explain(self, X: Any, rows: IntN, thresholds: N, fixed: Collection[str]) -> tuple[CustomerExplanation, ...]:
        """Return the explanations of some customers (m,), whose changes bring the probability below thresholds (m,)."""
        parts = self._explain_parts(
            rows, lambda state, at: explain_customers(state, select_table_rows(X, rows[at]), thresholds[at], fixed)
        )
        found = {at: one for positions, part in parts for at, one in zip(positions.tolist(), part, strict=True)}
        return tuple(replace(found[at], row=row) for at, row in enumerate(rows.tolist()))

    def _explain_parts(self, rows: IntN, explain: Callable[[ChurnState, IntN], T]) -> list[tuple[IntN, T]]:
        """Return what a function finds for the customers of each model, with their positions among ``rows``."""
        numbers, parts = self.numbers[rows], []
        with warnings.catch_warnings():
            if len(self.states) > 1:
                warnings.simplefilter("ignore", DataWarning)  # a fold does not know all categories of the table
            for number in np.unique(numbers).tolist():
                positions = np.flatnonzero(numbers == number)
                parts.append((positions, explain(self.states[number], positions)))
        return parts


def _join_reasons(parts: Sequence[tuple[IntN, CustomerReasons]], n_rows: int) -> CustomerReasons:
    """Return the reasons of n customers from those of each model; a column that a model does not use adds nothing."""
    columns = tuple(dict.fromkeys(name for _, part in parts for name in part.contributions.columns))
    position = {name: j for j, name in enumerate(columns)}
    probabilities, base, log_odds = np.empty(n_rows), np.empty(n_rows), np.empty(n_rows)
    values, errors = np.zeros((n_rows, len(columns))), np.zeros((n_rows, len(columns)))
    reasons: dict[int, tuple[ChurnReason, ...]] = {}
    for rows, part in parts:
        found = part.contributions
        probabilities[rows], base[rows], log_odds[rows] = part.probabilities, found.base, found.log_odds
        _copy_columns(values, rows, [position[name] for name in found.columns], found.values)
        _copy_columns(errors, rows, [position[name] for name in found.columns], found.standard_errors)
        reasons |= dict(zip(rows.tolist(), part.reasons, strict=True))
    contributions = Contributions(columns, values, errors, base, log_odds)
    return CustomerReasons(probabilities, tuple(reasons[row] for row in range(n_rows)), contributions)


def _copy_columns(target: NK, rows: IntN, columns: Sequence[int], values: NK) -> None:
    """Set some rows and columns of a matrix to values, in place."""
    target[np.ix_(rows, np.array(columns, dtype=np.int64))] = values
