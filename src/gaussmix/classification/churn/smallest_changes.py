"""What would have to change so that a customer is less likely to leave: one column, or two if one is not enough."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gaussmix.classification.churn.cell_translation import CellTranslation
from gaussmix.classification.churn.coalitions import ChurnScorer, expit_array, repeat_row, select_cells
from gaussmix.classification.churn.column_levers import ColumnLever, cell_of, find_levers
from gaussmix.classification.churn.column_summary import ColumnSummary
from gaussmix.classification.churn.customer_rows import Cell
from gaussmix.classification.churn.typicality import compute_prominence
from gaussmix.classification.churn.wording import format_cell, format_condition, format_percent
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.types import BoolN, IntN, N

MAX_CHANGES = 3  # of one customer
_MAX_PAIRS = 20_000  # of values of two columns


@dataclass(frozen=True)
class CustomerChange:
    """Other values of one or two columns with which the classifier gives a probability below the threshold.

    Attributes
    ----------
    columns : tuple of str
        The columns that change, without those that follow because they are the same information.
    old, new : dict
        Cells before and after, by column, with those that follow.
    probability : float
        After the change.
    distance : float
        Sum over the columns of the difference of the ranks, or of 1 for another level.
    """

    columns: tuple[str, ...]
    old: dict[str, Cell]
    new: dict[str, Cell]
    probability: float
    distance: float

    @property
    def description(self) -> str:
        """The change and the probability after it: 'contract = Two year instead of Month-to-month: 18%'."""
        parts = [
            f"{format_condition(name, self.new[name])} instead of {format_cell(self.old[name])}"
            for name in self.columns
        ]
        return f"{' and '.join(parts)}: {format_percent(self.probability)}"


@dataclass(frozen=True, eq=False)
class ChangeSearch:
    """What a search for changes needs to know.

    Attributes
    ----------
    scorer : ChurnScorer
    segment_model : ClassModel
    segment_cells : InputCells
        The customers as the segment model reads them.
    summaries : mapping
        Summaries of the columns by name.
    min_prominence : float
        Changed rows must be at least as typical of their segment, or as typical as the customer is.
    fixed : collection of str
        Columns that cannot change.
    """

    scorer: ChurnScorer
    segment_model: ClassModel
    segment_cells: InputCells
    summaries: Mapping[str, ColumnSummary]
    min_prominence: float
    fixed: Collection[str]

    def find(self, cells: InputCells, row: int, threshold: float) -> tuple[CustomerChange, ...]:
        """Return up to three changes that bring the probability below the threshold, the smallest first.

        Values occur in the training table. Cells that determine each other must not contradict, and the changed row
        must not be rarer than all but a hundredth of the training rows.
        """
        schema = self.scorer.model.schema
        levers = find_levers(schema, self.scorer.columns, cells, row, self.summaries, self.fixed)
        found = self._search(cells, row, _single_moves(levers), threshold)
        if not found:
            found = self._search(cells, row, _pair_moves([lever.thin() for lever in levers]), threshold)
        return tuple(sorted(found, key=lambda change: (change.distance, change.probability))[:MAX_CHANGES])

    def _search(self, cells: InputCells, row: int, moves: Sequence["_Move"], threshold: float) -> list[CustomerChange]:
        """Return the smallest change of each move that works."""
        if not moves:
            return []
        stops = np.cumsum([len(move) for move in moves]).tolist()
        candidates = repeat_row(cells, row, stops[-1])
        for move, stop in zip(moves, stops, strict=True):
            move.apply(candidates, stop - len(move))
        probabilities = expit_array(self.scorer.log_odds(candidates))
        is_allowed = probabilities < threshold
        works = np.flatnonzero(is_allowed)
        is_allowed[works] = self._are_possible(select_cells(candidates, works), cells, row)
        found = []
        for move, stop in zip(moves, stops, strict=True):
            allowed = np.flatnonzero(is_allowed[stop - len(move) : stop])
            if len(allowed):
                own = probabilities[stop - len(move) : stop]
                best = int(allowed[np.lexsort((own[allowed], move.distances[allowed]))[0]])
                old, new = self._describe(move, cells, row, candidates, stop - len(move) + best)
                names = tuple(lever.name for lever in move.levers)
                found.append(CustomerChange(names, old, new, float(own[best]), float(move.distances[best])))
        return found

    def _are_possible(self, candidates: InputCells, cells: InputCells, row: int) -> BoolN:
        """Return which candidates (m,) have no new contradiction and are not too rare."""
        schema = self.scorer.model.schema
        original = repeat_row(cells, row, 1)
        is_new = schema.find_contradictions(candidates) & ~schema.find_contradictions(original)
        limit = min(self.min_prominence, float(self._prominence(original, cells, row)[0]))
        return np.asarray(~is_new.any(axis=1) & (self._prominence(candidates, cells, row) >= limit))

    def _prominence(self, changed: InputCells, cells: InputCells, row: int) -> N:
        """Return how typical changed copies (m,) of a row are of their segment."""
        schema = self.segment_model.schema
        translation = CellTranslation(self.scorer.model.schema, schema)
        translated = translation.translate(changed, cells, self.segment_cells, row)
        return compute_prominence(self.segment_model, schema.encode_cells(translated)).values

    def _describe(
        self, move: "_Move", cells: InputCells, row: int, candidates: InputCells, position: int
    ) -> tuple[dict[str, Cell], dict[str, Cell]]:
        """Return the cells of the changed columns before and after the change."""
        changed = {name for lever in move.levers for name in lever.columns}
        columns = [column for column in self.scorer.model.schema.readers if column.name in changed]
        old, new = (
            {column.name: cell_of(column, *source) for column in columns}
            for source in ((cells, row), (candidates, position))
        )
        return old, new


@dataclass(frozen=True, eq=False)
class _Move:
    """Changes of one or two levers to m candidates; ``choices`` are positions (m,) of the values of each lever."""

    levers: tuple[ColumnLever, ...]
    choices: tuple[IntN, ...]

    def __len__(self) -> int:
        return len(self.choices[0])

    @property
    def distances(self) -> N:
        """The size (m,) of each change."""
        return np.asarray(sum(lever.distances[choice] for lever, choice in zip(self.levers, self.choices, strict=True)))

    def apply(self, cells: InputCells, start: int) -> None:
        """Change consecutive rows from ``start`` on, in place."""
        rows = np.arange(start, start + len(self))
        for lever, choice in zip(self.levers, self.choices, strict=True):
            lever.apply(cells, rows, choice)


def _single_moves(levers: Sequence[ColumnLever]) -> list[_Move]:
    """Return the changes of one column each."""
    return [_Move((lever,), (np.arange(len(lever)),)) for lever in levers]


def _pair_moves(levers: Sequence[ColumnLever]) -> list[_Move]:
    """Return the changes of two columns, of pairs with few values first, up to a number of candidates."""
    moves, count = [], 0
    for first, second in sorted(combinations(levers, 2), key=lambda pair: len(pair[0]) * len(pair[1])):
        count += len(first) * len(second)
        if count > _MAX_PAIRS:
            break
        grid = np.indices((len(first), len(second))).reshape(2, -1)
        moves.append(_Move((first, second), (grid[0], grid[1])))
    return moves
