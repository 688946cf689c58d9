"""``ChurnDrift``: do the customers of a new table differ from those of the fit, column by column and in their score?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.churn.column_summary import (
    CategoricalSummary,
    ColumnSummary,
    NumericSummary,
    summarize_columns,
)
from gaussmix.classification.churn.drift_tests import ColumnComparison, compare_levels, compare_numbers, stability_terms
from gaussmix.classification.churn.wording import format_condition, format_number, format_percent
from gaussmix.classification.table.category_cells import read_category_cells
from gaussmix.classification.table.cell_values import CellValue
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.table_columns import AbstractTableColumn
from gaussmix.classification.table.table_schema import InputCells, TableSchema
from gaussmix.errors.text import join_with_and
from gaussmix.types import N

MODERATE, LARGE = 0.1, 0.25  # population stability index
FALSE_ALARM_RATE = 0.05  # default
SCORE = "churn probability"
_SCORE_DECIMALS = 3  # of a probability, in the test of the score
_MAX_UNKNOWN = 3  # values that a sentence names


@dataclass(frozen=True)
class DriftedColumn:
    """How a column differs.

    Attributes
    ----------
    name : str
        'churn probability' for the score.
    distance, p_value, stability_index : float
        See `ColumnComparison`.
    adjusted_p_value : float
        Times the number of comparisons, at most 1 (Bonferroni).
    description : str
        What happened, in words.
    """

    name: str
    distance: float
    p_value: float
    stability_index: float
    adjusted_p_value: float
    description: str

    @property
    def size(self) -> str:
        """'small', 'moderate' or 'large', by the stability index."""
        index = self.stability_index
        return "large" if index >= LARGE else "moderate" if index >= MODERATE else "small"


@dataclass(frozen=True, repr=False)
class ChurnDrift:
    """The comparison of a new table with that of the fit; ``print`` shows its sentences.

    Attributes
    ----------
    columns : tuple of DriftedColumn
        All columns, the largest stability index first; the score is the last one.
    n_rows : int
        Of the new table.
    false_alarm_rate : float
        Columns of a smaller adjusted p-value count as different.
    mean_probability, training_mean_probability : float
        Mean churn probability of the new and of the training customers.
    """

    columns: tuple[DriftedColumn, ...]
    n_rows: int
    false_alarm_rate: float
    mean_probability: float
    training_mean_probability: float

    @property
    def drifted_columns(self) -> tuple[DriftedColumn, ...]:
        """The columns that differ by more than chance explains."""
        return tuple(column for column in self.columns if column.adjusted_p_value <= self.false_alarm_rate)

    @property
    def has_drift(self) -> bool:
        """Whether a column or the score differs."""
        return bool(self.drifted_columns)

    def table(self) -> list[dict[str, object]]:
        """Return one dict per column: distance, p-values, stability index, its size and a description."""
        names = ("name", "distance", "p_value", "adjusted_p_value", "stability_index", "size", "description")
        return [{name: getattr(column, name) for name in names} for column in self.columns]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in sentences."""
        n_columns, drifted = len(self.columns), self.drifted_columns
        test = (
            f"(Kolmogorov-Smirnov and chi-square tests of {n_columns} distributions at once, false-alarm rate "
            f"{self.false_alarm_rate:.3g})"
        )
        means = (
            f"The mean churn probability is {format_percent(self.mean_probability)}; in training it was "
            f"{format_percent(self.training_mean_probability)}."
        )
        if not drifted:
            nothing = f"No column of {self.n_rows:,} rows differs from training by more than chance explains {test}."
            return (nothing, means)
        head = f"{len(drifted)} of {n_columns} distributions differ from training by more than chance explains {test}."
        listed = [f"- {each.description} ({each.size} change, PSI {each.stability_index:.2f})" for each in drifted]
        return (head, *listed, means)

    def __repr__(self) -> str:
        """Return the sentences, one per line."""
        return "\n".join(self.sentences)


@dataclass(frozen=True, eq=False, repr=False)
class TrainingDistribution:
    """What a model keeps of its training table to find drift.

    Attributes
    ----------
    summaries : tuple of ColumnSummary
        In the order of ``schema.readers``.
    score : NumericSummary
        Of the churn probabilities of the customers, rounded to a tenth of a percentage point.
    mean_probability : float
        Of these. The fit has seen the customers. Fits that have not are less sure of themselves: to them, even
        customers of the same kind would look different.
    """

    summaries: tuple[ColumnSummary, ...]
    score: NumericSummary
    mean_probability: float

    def __repr__(self) -> str:
        """Return the number of columns and the mean probability."""
        mean = format_percent(self.mean_probability)
        return f"Distributions of {len(self.summaries)} columns of the fit; mean churn probability {mean}."


def summarize_training(schema: TableSchema, cells: InputCells, probabilities: N, weights: N) -> TrainingDistribution:
    """Return the distributions of training customers, from their cells and churn probabilities (n,)."""
    score = NumericSummary.from_values(SCORE, _round_scores(probabilities), weights)
    mean = float(np.average(probabilities, weights=weights))
    return TrainingDistribution(summarize_columns(schema, cells, weights), score, mean)


def _round_scores(probabilities: N) -> N:
    """Return probabilities (n,) without differences that nobody acts on, such as those above a floor."""
    return np.round(probabilities, _SCORE_DECIMALS)


def find_churn_drift(
    schema: TableSchema, training: TrainingDistribution, X: Any, probabilities: N, false_alarm_rate: float
) -> ChurnDrift:
    """Return the drift of a table with churn probabilities (n,) from the training table."""
    table, columns = schema.find_columns(X)
    n_compared = len(columns) + 1
    compared = [
        _compare(summary, reader, column, n_compared)
        for summary, reader, column in zip(training.summaries, schema.readers, columns, strict=True)
    ]
    score_text = (
        f"the {SCORE} has the median {format_percent(float(np.median(probabilities)))} instead of "
        f"{format_percent(training.score.median)}"
    )
    score = _make_column(SCORE, compare_numbers(training.score, _round_scores(probabilities)), n_compared, score_text)
    ordered = sorted(compared, key=lambda column: -column.stability_index)
    return ChurnDrift(
        (*ordered, score), table.n_rows, false_alarm_rate, float(probabilities.mean()), training.mean_probability
    )


def _make_column(name: str, found: ColumnComparison, n_compared: int, description: str) -> DriftedColumn:
    """Return a compared column with the p-value for all comparisons."""
    adjusted = min(1.0, n_compared * found.p_value)
    return DriftedColumn(name, found.distance, found.p_value, found.stability_index, adjusted, description)


def _compare(
    summary: ColumnSummary, reader: InputColumn, column: AbstractTableColumn, n_compared: int
) -> DriftedColumn:
    """Return how a column of a table differs from its summary."""
    if isinstance(summary, NumericSummary):
        values = reader.read_numbers(column)
        found = compare_numbers(summary, values)
        return _make_column(summary.name, found, n_compared, _describe_numbers(summary, values, found))
    known = reader.read_codes(column)
    is_unknown = (known.codes < 0) & (read_category_cells(column).codes >= 0)
    counts = np.bincount(known.codes[known.codes >= 0], minlength=len(summary.values)).astype(np.float64)
    n_unknown = float(np.count_nonzero(is_unknown))
    n_missing = len(known.codes) - float(counts.sum()) - n_unknown
    found = compare_levels(summary, counts, n_missing, n_unknown)
    description = _describe_levels(summary, np.r_[counts, n_missing, n_unknown], known.unknown_values)
    return _make_column(summary.name, found, n_compared, description)


def _describe_numbers(summary: NumericSummary, values: N, found: ColumnComparison) -> str:
    """Return what happened to a column of numbers (n,): to its missing cells, or to its median."""
    is_missing = np.isnan(values)
    old, new = summary.n_missing / (summary.n_present + summary.n_missing), float(is_missing.mean())
    if abs(new - old) > found.distance or is_missing.all():
        return f"{summary.name} is missing in {format_percent(new)} instead of {format_percent(old)} of the rows"
    median = float(np.median(values[~is_missing]))
    if format_number(median) == format_number(summary.median):
        return f"{summary.name} is distributed differently around the same median {format_number(median)}"
    return f"{summary.name} has the median {format_number(median)} instead of {format_number(summary.median)}"


def _describe_levels(summary: CategoricalSummary, counts: N, unknown: tuple[CellValue, ...]) -> str:
    """Return what happened to a categorical column: to the level, missing or unknown values that add most to the PSI.

    ``counts`` (L + 2,) are those of the known values, of missing cells and of unknown values.
    """
    old_counts = np.r_[summary.counts, summary.n_missing, 0.0]
    position = int(stability_terms(old_counts, counts).argmax())
    old, new = (float(each[position] / each.sum()) for each in (old_counts, counts))
    new_percent, old_percent = format_percent(new), format_percent(old)
    if position > len(summary.values):
        named = join_with_and([repr(value) for value in unknown[:_MAX_UNKNOWN]])
        return f"{summary.name}: {new_percent} of the rows hold values that the fit did not have, such as {named}"
    change = f"in {new_percent} instead of {old_percent} of the rows"
    if position == len(summary.values):
        return f"{summary.name} is missing {change}"
    return f"{format_condition(summary.name, summary.values[position])} {change}"
