"""Explain customers: contributions, reasons, segments, similar customers and changes of each."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.churn.churn_state import ChurnState
from gaussmix.classification.churn.column_distances import DistanceCoordinates, to_coordinates
from gaussmix.classification.churn.contributions import Contributions, compute_contributions
from gaussmix.classification.churn.explanation import ColumnContribution, CustomerExplanation
from gaussmix.classification.churn.reasons import CustomerReasons, collect_reasons
from gaussmix.classification.churn.smallest_changes import ChangeSearch
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.types import NK, N

_N_PAIRS = 64  # of orders of the columns, for each customer
_N_TABLE_PAIRS = 8  # for the reasons of a whole table


def explain_reasons(state: ChurnState, X: Any) -> CustomerReasons:
    """Return the reasons of each row of a table, from fewer orders of the columns than `explain_customers` draws."""
    cells = state.model.schema.read_cells(X)
    return collect_reasons(state.scorer, cells, compute_contributions(state.scorer, cells, _N_TABLE_PAIRS))


def explain_customers(
    state: ChurnState, X: Any, thresholds: N, fixed: Collection[str]
) -> tuple[CustomerExplanation, ...]:
    """Return the explanation of each row of a table.

    Parameters
    ----------
    state : ChurnState
        Its classifier may read the table by another schema than its segments.
    X : table of n customers
    thresholds : ndarray of shape (n,)
        Changes bring the probability below these.
    fixed : collection of str
        Columns that are not changed.
    """
    schema, segment_schema = state.model.schema, state.segment_model.schema
    cells = schema.read_cells(X)
    segment_cells = cells if segment_schema is schema else segment_schema.read_cells(X)
    contributions = compute_contributions(state.scorer, cells, _N_PAIRS)
    explainer = _Explainer(
        state,
        contributions,
        collect_reasons(state.scorer, cells, contributions),
        np.exp(state.segment_model.log_probabilities(segment_schema.encode_cells(segment_cells))),
        to_coordinates(state.model, schema.encode_cells(cells), state.summaries),
        ChangeSearch(state.scorer, state.segment_model, segment_cells, state.summaries, state.min_prominence, fixed),
    )
    return tuple(explainer.explain(cells, row, threshold) for row, threshold in enumerate(thresholds.tolist()))


@dataclass(frozen=True, eq=False)
class _Explainer:
    """What is known of all rows, from which the explanation of each follows."""

    state: ChurnState
    contributions: Contributions
    reasons: CustomerReasons
    memberships: NK
    coordinates: DistanceCoordinates
    changes: ChangeSearch

    def explain(self, cells: InputCells, row: int, threshold: float) -> CustomerExplanation:
        """Return the explanation of one row."""
        segment = int(self.memberships[row].argmax())
        # Similar customers are compared in the columns that matter most for this one.
        by_name = {column.name: column for column in self.state.scorer.columns}
        columns = [by_name[reason.columns[0]] for reason in self.reasons.reasons[row]]
        stayed, left = self.state.nearest.find(cells, row, self.coordinates, columns)
        probability = float(self.reasons.probabilities[row])
        changes = () if probability < threshold else self.changes.find(cells, row, threshold)
        return CustomerExplanation(
            row,
            probability,
            float(self.contributions.base[row]),
            float(self.contributions.log_odds[row]),
            self._list_contributions(row),
            self.reasons.reasons[row],
            segment + 1,
            float(self.memberships[row, segment]),
            self.state.segments[segment].churn_rate.rate,
            stayed,
            left,
            threshold,
            self.state.segments.churn_rate,
            changes,
        )

    def _list_contributions(self, row: int) -> tuple[ColumnContribution, ...]:
        """Return the contributions of the columns of one row."""
        found = self.contributions
        rows = zip(found.columns, found.values[row].tolist(), found.standard_errors[row].tolist(), strict=True)
        return tuple(ColumnContribution(*each) for each in rows)
