"""Explain customers: contributions, reasons, segments, similar customers and changes of each."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.churn_state import ChurnState
from gaussmix.classification.churn.column_distances import DistanceCoordinates, to_coordinates
from gaussmix.classification.churn.contributions import Contributions, compute_contributions
from gaussmix.classification.churn.explanation import ChurnExplanation, ColumnContribution, CustomerExplanation
from gaussmix.classification.churn.reasons import CustomerReasons, collect_reasons
from gaussmix.classification.churn.smallest_changes import ChangeSearch
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.types import NK

N_PAIRS = 64  # of orders of the columns, for each customer


def explain_customers(
    state: ChurnState, cells: InputCells, threshold: float, fixed: Collection[str]
) -> ChurnExplanation:
    """Return the explanation of each row of cells; ``fixed`` columns are not changed."""
    encoded = state.model.schema.encode_cells(cells)
    contributions = compute_contributions(state.scorer, cells, N_PAIRS)
    explainer = _Explainer(
        state,
        contributions,
        collect_reasons(state.scorer, cells, contributions),
        np.exp(state.segment_model.log_probabilities(encoded)),
        to_coordinates(state.model, encoded, state.summaries),
        ChangeSearch(state.scorer, state.segment_model, state.summaries, state.min_prominence, fixed),
    )
    return ChurnExplanation(tuple(explainer.explain(cells, row, threshold) for row in range(cells.n_rows)))


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
            self.contributions.base,
            float(self.contributions.log_odds[row]),
            self._list_contributions(row),
            self.reasons.reasons[row],
            segment + 1,
            float(self.memberships[row, segment]),
            self.state.segments[segment].churn_rate.rate,
            stayed,
            left,
            threshold,
            changes,
        )

    def _list_contributions(self, row: int) -> tuple[ColumnContribution, ...]:
        """Return the contributions of the columns of one row."""
        found = self.contributions
        rows = zip(found.columns, found.values[row].tolist(), found.standard_errors[row].tolist(), strict=True)
        return tuple(ColumnContribution(*each) for each in rows)
