"""What a classifier says of a customer of whom only some cells are known: the worth of a coalition of columns.

Missing cells are left out of the densities, so the log-odds given any set of cells are exact for the model.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.types import NK, Array, BoolNK, IntN, N

_MAX_ROWS = 50_000  # coalitions that are scored at one time


@dataclass(frozen=True, eq=False)
class ChurnScorer:
    """Log-odds of leaving, from cells of a table.

    Attributes
    ----------
    model : ClassModel
    positive : int
        Position of the class that means churn.
    """

    model: ClassModel
    positive: int

    def log_odds(self, cells: InputCells) -> N:
        """Return the log-odds (n,) of the positive class."""
        encoded = self.model.schema.encode_cells(cells)
        return log_odds(self.model.log_probabilities(encoded), self.positive)

    @cached_property
    def columns(self) -> tuple[InputColumn, ...]:
        """The columns of the table that the classifier learns from, in their order."""
        model, schema = self.model, self.model.schema
        used_numbers = np.setdiff1d(np.arange(len(schema.numeric)), model.unused_numbers).tolist()
        sources = {name for j in used_numbers for name in schema.numeric[j].sources}
        sources |= {name for c in model.categories.tolist() for name in schema.categorical[c].sources}
        return tuple(reader for reader in schema.readers if reader.name in sources)

    def coalition_log_odds(self, cells: InputCells, coalitions: BoolNK) -> NK:
        """Return the log-odds (n, m) of each row when only the cells of each coalition (m, R) of columns are known."""
        n_rows, n_coalitions = cells.n_rows, len(coalitions)
        values = np.empty((n_rows, n_coalitions))
        step = max(1, _MAX_ROWS // n_coalitions)
        for start in range(0, n_rows, step):
            rows = np.arange(start, min(start + step, n_rows))
            masked = self.mask_cells(cells, rows, coalitions)
            values[rows] = self.log_odds(masked).reshape(len(rows), n_coalitions)
        return values

    def mask_cells(self, cells: InputCells, rows: IntN, coalitions: BoolNK) -> InputCells:
        """Return the cells of each row (n',) in each coalition (m, R), n' x m rows; all other cells are missing."""
        masked = empty_cells(self.model.schema.readers, len(rows) * len(coalitions))
        for position, column in enumerate(self.columns):
            is_known = coalitions[:, position]
            if column.is_numeric:
                numbers = np.where(is_known, cells.numbers[column.name][rows, None], np.nan)
                masked.numbers[column.name] = numbers.ravel()
            else:
                masked.codes[column.name] = np.where(is_known, cells.codes[column.name][rows, None], -1).ravel()
        return masked


def log_odds(log_probabilities: NK, positive: int) -> N:
    """Return the log-odds (n,) of one class against all others."""
    others = logsumexp(np.delete(log_probabilities, positive, axis=1), axis=1)
    return np.asarray(log_probabilities[:, positive] - others)


def empty_cells(readers: tuple[InputColumn, ...], n_rows: int) -> InputCells:
    """Return rows of which every cell is missing."""
    numbers = {reader.name: np.full(n_rows, np.nan) for reader in readers if reader.is_numeric}
    codes = {reader.name: np.full(n_rows, -1, dtype=np.int64) for reader in readers if not reader.is_numeric}
    return InputCells(numbers, codes, n_rows)


def repeat_row(cells: InputCells, row: int, n_copies: int) -> InputCells:
    """Return copies of one row, whose cells can be changed."""
    numbers = {name: np.repeat(values[row], n_copies) for name, values in cells.numbers.items()}
    return InputCells(numbers, {name: np.repeat(codes[row], n_copies) for name, codes in cells.codes.items()}, n_copies)


def select_cells(cells: InputCells, rows: IntN) -> InputCells:
    """Return some rows of cells."""
    numbers = {name: values[rows] for name, values in cells.numbers.items()}
    return InputCells(numbers, {name: codes[rows] for name, codes in cells.codes.items()}, len(rows))


def expit_array(log_odds_values: Array) -> Array:
    """Return probabilities of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds_values)))
