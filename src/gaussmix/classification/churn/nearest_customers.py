"""The typical customers of the fit who are most like a customer: one who stayed, and one who left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.column_distances import DistanceCoordinates, rank_values, to_coordinates
from gaussmix.classification.churn.column_levers import cell_of
from gaussmix.classification.churn.column_summary import ColumnSummary
from gaussmix.classification.churn.customer_rows import Cell
from gaussmix.classification.churn.reference_customers import ReferenceCustomers
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.types import BoolN, N

_MIN_RANK_DIFFERENCE = 0.1  # of a numeric column that is named as a difference


@dataclass(frozen=True)
class NearestCustomer:
    """A typical customer of the fit.

    Attributes
    ----------
    row : int
        Position in the table of the fit, from 0.
    cells : dict
        The customer's cells.
    distance : float
        Mean over the columns of the difference of the ranks, or of 1 for another level: from 0 to 1.
    differences : dict
        Cells of this customer in the columns in which the two differ.
    """

    row: int
    cells: dict[str, Cell]
    distance: float
    differences: dict[str, Cell]


@dataclass(frozen=True, eq=False)
class NearestSearch:
    """Reference customers, ready to be compared.

    Attributes
    ----------
    model : ClassModel
        Its columns are compared.
    references : ReferenceCustomers
    reference_cells : InputCells
    coordinates : DistanceCoordinates
        Of the references.
    summaries : mapping
        Summaries of the columns by name.
    """

    model: ClassModel
    references: ReferenceCustomers
    reference_cells: InputCells
    coordinates: DistanceCoordinates
    summaries: Mapping[str, ColumnSummary]

    @classmethod
    def prepare(
        cls, model: ClassModel, references: ReferenceCustomers, summaries: Mapping[str, ColumnSummary]
    ) -> "NearestSearch":
        """Return the search among some references."""
        cells = model.schema.read_cells(references.rows.to_table())
        coordinates = to_coordinates(model, model.schema.encode_cells(cells), summaries)
        return cls(model, references, cells, coordinates, summaries)

    def find(
        self, cells: InputCells, row: int, coordinates: DistanceCoordinates, columns: Sequence[InputColumn]
    ) -> tuple[NearestCustomer | None, NearestCustomer | None]:
        """Return the nearest customer who stayed and the nearest who left; None where there is none.

        ``columns`` are those whose differences are named, in this order.
        """
        distances, has_left = coordinates.distances_to(self.coordinates, row), self.references.has_left
        stayed, left = (self._find_among(cells, row, distances, has_left == outcome, columns) for outcome in (0, 1))
        return stayed, left

    def _find_among(
        self, cells: InputCells, row: int, distances: N, is_candidate: BoolN, columns: Sequence[InputColumn]
    ) -> NearestCustomer | None:
        """Return the nearest of some references; the more typical one of two at the same distance."""
        allowed = np.flatnonzero(is_candidate & np.isfinite(distances))
        if not len(allowed):
            return None
        best = int(allowed[np.argmin(distances[allowed])])
        differences = {
            column.name: cell_of(column, self.reference_cells, best)
            for column in columns
            if self._is_different(column, cells, row, best)
        }
        found = self.references.rows.select([best])
        return NearestCustomer(int(found.positions[0]), found.to_dicts()[0], float(distances[best]), differences)

    def _is_different(self, column: InputColumn, cells: InputCells, row: int, reference: int) -> bool:
        """Return whether two customers differ in a column that both have."""
        own, other = cell_of(column, cells, row), cell_of(column, self.reference_cells, reference)
        if own is None or other is None or own == other:
            return False
        if not column.is_numeric:
            return True
        first, second = rank_values(self.summaries.get(column.name), np.array([float(own), float(other)]))
        return bool(abs(first - second) >= _MIN_RANK_DIFFERENCE)
