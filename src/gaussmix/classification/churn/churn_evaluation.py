"""``ChurnEvaluation``: how good churn probabilities are on customers that the classifier has not seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.churn.wording import format_percent
from gaussmix.classification.evaluation.gain import GainTable, tabulate_gain
from gaussmix.classification.evaluation.group_comparison import GroupComparison, compare_groups
from gaussmix.classification.evaluation.measures import ClassificationMeasures, measure_outcomes
from gaussmix.classification.evaluation.outcomes import BinaryOutcomes, require_both_classes
from gaussmix.classification.evaluation.reliability import ReliabilityTable, tabulate_reliability
from gaussmix.classification.table.category_cells import read_category_cells
from gaussmix.classification.table.input_table import read_input_table
from gaussmix.errors import ChurnDataError
from gaussmix.types import AnyArray, BoolN, IntN, N

HELD_OUT = "customers of the fit, each by fits that have not seen it"
GIVEN = "customers that were passed"
SEEN = "customers of the fit by the fit that has seen them, which is too optimistic"
_TOP_FRACTION = 0.2


@dataclass(frozen=True, eq=False)
class ObservedCustomers:
    """Customers with outcomes and probabilities.

    Attributes
    ----------
    rows : ndarray of int64 of shape (m,)
        Positions in their table.
    n_table_rows : int
        Rows of this table.
    has_left : ndarray of bool of shape (m,)
    probabilities : ndarray of shape (m,)
    weights : ndarray of shape (m,)
    source : str
        Which customers they are, for sentences.
    """

    rows: IntN
    n_table_rows: int
    has_left: BoolN
    probabilities: N
    weights: N
    source: str


@dataclass(frozen=True, eq=False, repr=False)
class ChurnEvaluation:
    """The result of `ChurnModel.evaluate`; ``print`` shows its sentences.

    Attributes
    ----------
    measures : ClassificationMeasures
    reliability : ReliabilityTable
    gain : GainTable
    groups : GroupComparison or None
        Comparison of the groups of a column, if one was named.
    customers : ObservedCustomers
        Whose outcomes and probabilities were compared.
    """

    measures: ClassificationMeasures
    reliability: ReliabilityTable
    gain: GainTable
    groups: GroupComparison | None
    customers: ObservedCustomers

    def table(self) -> list[dict[str, object]]:
        """Return one dict per measure: its name, value and standard error."""
        return self.measures.table()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the measures mean."""
        measures, gain = self.measures, float(self.gain.gain_at(_TOP_FRACTION))
        rate = min(gain * measures.rate / _TOP_FRACTION, 1.0)
        error, by_chance = 100.0 * measures.calibration_error, 100.0 * measures.calibration_error_by_chance
        sentences = [
            f"Evaluated on {measures.n_rows:,} {self.customers.source}; {format_percent(measures.rate)} left.",
            f"A customer who left has a higher probability than one who stayed in {format_percent(measures.auc)} of "
            f"pairs (AUC {measures.auc:.4f} ± {measures.auc_standard_error:.4f}).",
            f"Of the fifth of customers with the highest probability {format_percent(rate)} left, "
            f"{gain / _TOP_FRACTION:.1f} times the rate of all; {format_percent(gain)} of those who left are among "
            "them.",
            f"Probabilities differ from observed rates by {error:.2g} percentage points on average; right ones would "
            f"by {by_chance:.2g}.",
        ]
        return (*sentences, *(() if self.groups is None else self.groups.sentences))

    def __repr__(self) -> str:
        """Return the sentences, one per line."""
        return "\n".join(self.sentences)


def evaluate_customers(
    customers: ObservedCustomers, groups: "CustomerGroups | None", threshold: float
) -> ChurnEvaluation:
    """Return the evaluation of customers, with a comparison of groups on request."""
    is_counted = customers.weights > 0
    outcomes = BinaryOutcomes(customers.has_left, customers.probabilities, customers.weights).select_rows(is_counted)
    require_both_classes(outcomes)
    comparison = None
    if groups is not None:
        comparison = compare_groups(
            customers.has_left,
            customers.probabilities,
            groups.names[customers.rows],
            customers.weights,
            threshold=threshold,
            name=groups.column,
            positive_name="customers who left",
        )
    return ChurnEvaluation(
        measure_outcomes(outcomes), tabulate_reliability(outcomes), tabulate_gain(outcomes), comparison, customers
    )


@dataclass(frozen=True, eq=False)
class CustomerGroups:
    """The group (n,) of each row of a table, and the name of the column that says it."""

    column: str
    names: AnyArray


def read_groups(by: Any, X: Any, n_rows: int) -> CustomerGroups:
    """Return groups from the name of a column of X, or from one value for each of ``n_rows`` rows."""
    if isinstance(by, str):
        if X is None:
            raise ChurnDataError.name_without_table(by)
        return _read_column(by, X)
    names = np.array(by, dtype=object)
    if names.shape != (n_rows,):
        raise ChurnDataError.wrong_n_groups(len(names) if names.ndim else 1, n_rows)
    return CustomerGroups(str(getattr(by, "name", None) or "group"), names)


def _read_column(name: str, X: Any) -> CustomerGroups:
    """Return the groups that a column of a table says."""
    table = read_input_table(X)
    column = next((each for each in table.columns if each.name == name), None)
    if column is None:
        raise ChurnDataError.unknown_column(name, table.names)
    cells = read_category_cells(column)
    values = np.empty(len(cells.values) + 1, dtype=object)
    values[:] = [*cells.values, None]
    return CustomerGroups(name, values[cells.codes])
