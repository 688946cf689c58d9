"""``CustomerReasons``: the columns that make customers more or less likely to leave, in numbers and words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.coalitions import ChurnScorer
from gaussmix.classification.churn.column_levers import cell_of
from gaussmix.classification.churn.contributions import Contributions
from gaussmix.classification.churn.customer_rows import Cell
from gaussmix.classification.churn.wording import format_condition, format_percent
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.table.encoded_columns import CategoricalColumn, NumericColumn
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.types import BoolND, BoolNK, N

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

    def importance(self) -> list[dict[str, object]]:
        """Return one dict per column: the mean size of its contributions, the largest first."""
        sizes = np.abs(self.contributions.values).mean(axis=0)
        order = np.argsort(-sizes, kind="stable")
        return [{"column": self.contributions.columns[j], "mean_log_odds": float(sizes[j])} for j in order]

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
    known = _find_information(scorer, cells)
    leaders = _order_of_sources(scorer.model, contributions.columns)
    probabilities = np.exp(-np.logaddexp(0.0, -contributions.log_odds))
    reasons = tuple(
        _reasons_of_row(scorer, cells, row, values, information, leaders)
        for row, (values, information) in enumerate(zip(contributions.values, known, strict=True))
    )
    return CustomerReasons(probabilities, reasons, contributions)


def _find_information(scorer: ChurnScorer, cells: InputCells) -> BoolNK:
    """Return which encoded columns (n, R, D + C) each column of a row says something about."""
    n_columns, model = len(scorer.columns), scorer.model
    single = scorer.mask_cells(cells, np.arange(cells.n_rows), np.eye(n_columns) > 0)
    used = model.select_used_cells(model.schema.encode_cells(single))
    is_present: BoolND = np.hstack([~np.isnan(used.numeric), used.codes >= 0])
    return is_present.reshape(cells.n_rows, n_columns, is_present.shape[1])


def _order_of_sources(model: ClassModel, columns: Sequence[str]) -> list[int]:
    """Return the positions of columns, those first that are named first among equal information."""
    encoded: list[NumericColumn | CategoricalColumn] = [*model.schema.numeric, *model.schema.categorical]
    named = {column.name for column in encoded}
    rank = {name: min((c.sources.index(name) for c in encoded if name in c.sources), default=0) for name in columns}
    return sorted(range(len(columns)), key=lambda j: (columns[j] not in named, rank[columns[j]], j))


def _reasons_of_row(
    scorer: ChurnScorer, cells: InputCells, row: int, values: N, information: BoolND, leaders: Sequence[int]
) -> tuple[ChurnReason, ...]:
    """Return the reasons of one row from the contributions (R,) and the information (R, D + C) of its columns."""
    groups: dict[bytes, list[int]] = {}
    for j in leaders:
        if information[j].any():
            groups.setdefault(information[j].tobytes(), []).append(j)
    reasons = [
        ChurnReason(
            tuple(scorer.columns[j].name for j in group),
            cell_of(scorer.columns[group[0]], cells, row),
            float(values[group].sum()),
        )
        for group in groups.values()
    ]
    return tuple(sorted(reasons, key=lambda reason: -abs(reason.log_odds)))
