"""``CustomerReasons``: the columns that make customers more or less likely to leave, in numbers and words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.coalitions import ChurnScorer
from gaussmix.classification.churn.column_importance import ColumnImportance, rank_columns
from gaussmix.classification.churn.column_levers import list_cells
from gaussmix.classification.churn.contributions import Contributions
from gaussmix.classification.churn.customer_rows import Cell
from gaussmix.classification.churn.wording import format_condition, format_percent
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.table.encoded_columns import CategoricalColumn, NumericColumn
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.types import IntNC, N

MIN_NAMED_LOG_ODDS = 0.05  # of a reason in words
_MAX_LOG_ODDS = 13.8  # of a factor in words: a million
_MAX_CUSTOMERS = 5  # that are printed


@dataclass(frozen=True)
class ChurnReason:
    """What the value of a column adds to the log-odds of leaving.

    Attributes
    ----------
    columns : tuple of str
        The column, and others whose values are the same information in this row.
    value : str, bool, int or float
        Of the first of them.
    log_odds : float
        Sum of the contributions of these columns.
    """

    columns: tuple[str, ...]
    value: Cell
    log_odds: float

    @property
    def condition(self) -> str:
        """The value of the column: 'contract = Month-to-month'."""
        return format_condition(self.columns[0], self.value)

    @property
    def description(self) -> str:
        """The value and its effect: 'contract = Month-to-month (odds x 1.5)'."""
        factor = np.exp(np.clip(self.log_odds, -_MAX_LOG_ODDS, _MAX_LOG_ODDS))
        return f"{self.condition} (odds x {float(f'{factor:.2g}'):g})"


@dataclass(frozen=True, eq=False, repr=False)
class CustomerReasons:
    """The reasons of n customers, strongest first.

    Attributes
    ----------
    probabilities : ndarray of shape (n,)
        Probability of leaving.
    reasons : tuple of tuple of ChurnReason
        For each customer.
    contributions : Contributions
        Of every column, in numbers.
    """

    probabilities: N
    reasons: tuple[tuple[ChurnReason, ...], ...]
    contributions: Contributions

    def main_texts(self, n_reasons: int = 3, is_raising: bool = True) -> list[str]:
        """Return the strongest reasons to leave of each customer as one text; those to stay on request."""
        return [_join_reasons(reasons, n_reasons, is_raising) for reasons in self.reasons]

    def table(self, n_reasons: int = 3) -> list[dict[str, object]]:
        """Return one dict per customer: probability, and the strongest reasons to leave and to stay as text."""
        rows = zip(
            self.probabilities.tolist(), self.main_texts(n_reasons), self.main_texts(n_reasons, False), strict=True
        )
        return [{"probability": p, "reasons_to_leave": leave, "reasons_to_stay": stay} for p, leave, stay in rows]

    def columns_outside(self, scorer: ChurnScorer) -> tuple[str, ...]:
        """Return the columns that reasons name, and that a classifier does not use."""
        used = {column.name for column in scorer.columns}
        named = {
            name
            for reasons in self.reasons
            for reason in reasons
            for name in reason.columns[:1]
            if abs(reason.log_odds) >= MIN_NAMED_LOG_ODDS
        }
        return tuple(name for name in self.contributions.columns if name in named - used)

    def importance(self) -> list[dict[str, object]]:
        """Return one dict per factor, the largest first: its first column, all of them, and the mean size of reasons.

        Columns that never tell different things, such as an amount and the minutes it is charged for, are one factor.
        """
        return [{"column": columns[0], "columns": columns, "mean_log_odds": size} for columns, size in self.factors()]

    def factors(self) -> list[ColumnImportance]:
        """Return the factors of `importance` as values."""
        rows = [[(reason.columns, reason.log_odds) for reason in reasons] for reasons in self.reasons]
        return rank_columns(rows, self.contributions.columns)

    def __repr__(self) -> str:
        """Return the main reasons of the first five customers, and how many more customers there are."""
        n_more = len(self.probabilities) - _MAX_CUSTOMERS
        lines = [
            f"Row {row}: {format_percent(float(self.probabilities[row]))}. "
            f"Raised by {_join_reasons(reasons) or 'nothing'}. "
            f"Lowered by {_join_reasons(reasons, is_raising=False) or 'nothing'}."
            for row, reasons in enumerate(self.reasons[:_MAX_CUSTOMERS])
        ]
        return "\n".join([*lines, *([f"{n_more:,} more customers: see table()."] if n_more > 0 else [])])


def _join_reasons(reasons: Sequence[ChurnReason], n_reasons: int = 3, is_raising: bool = True) -> str:
    """Return the strongest reasons of a customer to leave, or to stay, as one text."""
    sign = 1.0 if is_raising else -1.0
    chosen = [reason for reason in reasons if sign * reason.log_odds >= MIN_NAMED_LOG_ODDS]
    return "; ".join(reason.description for reason in chosen[:n_reasons])


def collect_reasons(scorer: ChurnScorer, cells: InputCells, contributions: Contributions) -> CustomerReasons:
    """Return the reasons of each row; columns of the same information are one reason."""
    order = _order_of_sources(scorer.model, contributions.columns)
    names = [scorer.columns[j].name for j in order]
    values = [list_cells(scorer.columns[j], cells) for j in order]
    sizes, known = contributions.values[:, order].tolist(), _number_information(scorer, cells)[:, order].tolist()
    probabilities = np.exp(-np.logaddexp(0.0, -contributions.log_odds))
    reasons = tuple(
        _reasons_of_row(names, [column[row] for column in values], *parts)
        for row, parts in enumerate(zip(sizes, known, strict=True))
    )
    return CustomerReasons(probabilities, reasons, contributions)


def _number_information(scorer: ChurnScorer, cells: InputCells) -> IntNC:
    """Return a number (n, R) of what each column of a row says something about: 0 for nothing, else equal for equal.

    A column says something about some of the encoded columns.
    """
    n_columns, model = len(scorer.columns), scorer.model
    single = scorer.mask_cells(cells, np.arange(cells.n_rows), np.eye(n_columns) > 0)
    used = model.select_used_cells(model.schema.encode_cells(single))
    nothing = np.zeros((1, used.numeric.shape[1] + used.codes.shape[1]), dtype=np.bool_)
    is_present = np.vstack([nothing, np.hstack([~np.isnan(used.numeric), used.codes >= 0])])
    packed = np.packbits(is_present, axis=1) if is_present.shape[1] else np.zeros((len(is_present), 1), dtype=np.uint8)
    numbers = np.unique(packed, axis=0, return_inverse=True)[1].ravel()  # nothing is the smallest
    return np.asarray(numbers[1:].reshape(cells.n_rows, n_columns), dtype=np.int64)


def _order_of_sources(model: ClassModel, columns: Sequence[str]) -> list[int]:
    """Return the positions of columns, those first that are named first among equal information."""
    encoded: list[NumericColumn | CategoricalColumn] = [*model.schema.numeric, *model.schema.categorical]
    named = {column.name for column in encoded}
    rank = {name: min((c.sources.index(name) for c in encoded if name in c.sources), default=0) for name in columns}
    return sorted(range(len(columns)), key=lambda j: (columns[j] not in named, rank[columns[j]], j))


def _reasons_of_row(
    names: Sequence[str], cells: Sequence[Cell], log_odds: Sequence[float], information: Sequence[int]
) -> tuple[ChurnReason, ...]:
    """Return the reasons of one row from what its columns (R,) contain, add and tell, those that lead first."""
    groups: dict[int, list[int]] = {}
    for j, number in enumerate(information):
        if number:
            groups.setdefault(number, []).append(j)
    reasons = [
        ChurnReason(tuple([names[j] for j in group]), cells[group[0]], sum(log_odds[j] for j in group))
        for group in groups.values()
    ]
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.log_odds)))
