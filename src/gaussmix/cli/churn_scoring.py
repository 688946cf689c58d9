"""Score the customers of a file with a saved churn model, and compare them with those of its fit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gaussmix.classification.churn.churn_evaluation import ChurnEvaluation
from gaussmix.classification.churn.churn_model import ChurnModel
from gaussmix.classification.churn.coalitions import empty_cells, expit_array
from gaussmix.classification.churn.drift import FALSE_ALARM_RATE, ChurnDrift, find_churn_drift
from gaussmix.classification.churn.wording import format_percent
from gaussmix.classification.evaluation.prior_shift import PriorEstimate
from gaussmix.classification.table import TableSchema
from gaussmix.cli import console
from gaussmix.cli.churn_input import find_missing, load_cells, load_values
from gaussmix.cli.churn_options import ContactOptions
from gaussmix.cli.churn_training import make_terms
from gaussmix.cli.column_selection import require_columns
from gaussmix.cli.identifier_columns import split_identifiers
from gaussmix.cli.table_reader import Table
from gaussmix.errors import CustomerTableError
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.report.churn_scores import ScoredCustomers, score_customers
from gaussmix.report.churn_validation import ContactTerms
from gaussmix.types import AnyArray, N

_MIN_ROWS_PER_CLASS = 2  # measures need two of each class


@dataclass(frozen=True, eq=False)
class ScoredFile:
    """The customers of a file with their scores.

    Attributes
    ----------
    table : Table
    scores : ScoredCustomers
    drift : ChurnDrift
        From the customers of the fit.
    evaluation : ChurnEvaluation or None
        How good the probabilities are, if the file has the outcomes.
    rate_estimate : PriorEstimate or None
        The churn rate that the customers themselves suggest, if it was asked for.
    new_rate : float or None
        The churn rate that the probabilities are corrected for.
    training_rate : float
        The churn rate of the training customers.
    has_fixed_columns : bool
        Whether the model knows columns that cannot change.
    """

    table: Table
    scores: ScoredCustomers
    drift: ChurnDrift
    evaluation: ChurnEvaluation | None
    rate_estimate: PriorEstimate | None
    new_rate: float | None
    training_rate: float
    has_fixed_columns: bool


def score_table(
    model: ChurnModel, table: Table, new_rate: str | float | None, contact: ContactOptions | None, max_explained: int
) -> ScoredFile:
    """Return the scores of the customers of a table; notes are printed.

    Raises
    ------
    FileError, ArchiveError, DataError
        If a file cannot be used.
    """
    terms = _read_terms(contact, table)
    cells = _load_inputs(model.classifier_.schema_, table.path, table)
    with console.progress_bar("scoring the customers"):
        with console.print_data_warnings():
            probabilities = own_probabilities = model.churn_probability(cells)
        with console.hide_data_warnings():
            estimate = model.estimate_rate(cells) if new_rate == "estimate" else None
            rate = float(estimate.prior[model.state_.positive]) if estimate is not None else new_rate
            if rate is not None:
                probabilities = model.churn_probability(cells, new_rate=rate)
            drift = _find_drift(model, cells, own_probabilities)
            outcomes = _find_outcomes(model, table)
            evaluation = None if outcomes is None else model.evaluate(cells, outcomes)
            scores = score_customers(
                model,
                cells,
                np.asarray(probabilities),
                new_rate=None if rate is None else float(rate),
                candidates=None if outcomes is None else np.flatnonzero(outcomes != model.positive_),
                terms=terms,
                identifiers=split_identifiers(table, None, None).identifiers,
                max_explained=max_explained,
            )
    console.print_notes(_describe_empty_rows(model, cells, own_probabilities))
    return ScoredFile(
        table,
        scores,
        drift,
        evaluation,
        estimate,
        None if rate is None else float(rate),
        float(model.state_.training_prior[model.state_.positive]),
        bool(model.fixed_columns),
    )


def _find_drift(model: ChurnModel, cells: dict[str, AnyArray], probabilities: N) -> ChurnDrift:
    """Return the drift of customers (n,) whose probabilities are known, as `ChurnModel.drift` computes them again."""
    return find_churn_drift(model.classifier_.schema_, model.state_.training, cells, probabilities, FALSE_ALARM_RATE)


def _read_terms(contact: ContactOptions | None, table: Table) -> ContactTerms | None:
    """Return what contacts cost and bring, with the values of a column of the table if one is named."""
    if contact is None or contact.value_column is None:
        return make_terms(contact, None)
    require_columns(table, [contact.value_column])
    return make_terms(contact, load_values(table.columns[table.column_names.index(contact.value_column)]))


def _load_inputs(schema: TableSchema, file: Path, table: Table) -> dict[str, AnyArray]:
    """Return the cells (n,) of the columns of the fit; notes are printed.

    Raises
    ------
    CustomerTableError
        If a column is missing, or was numeric in the fit and holds text that is no number.
    """
    missing = [reader.name for reader in schema.readers if reader.name not in table.column_names]
    if missing:
        raise CustomerTableError.missing_inputs(file, missing)
    numeric = {reader.name for reader in schema.readers if reader.is_numeric}
    for column in table.columns:
        if column.name in numeric and column.non_numeric_reason:
            raise CustomerTableError.text_for_numbers(file, column.name, column.non_numeric_reason)
    used = set(schema.input_columns)
    cells, notes = load_cells(table, [column for column in table.columns if column.name in used], tuple(used))
    console.print_notes(notes)
    return cells


def _describe_empty_rows(model: ChurnModel, cells: dict[str, AnyArray], probabilities: N) -> list[str]:
    """Return a sentence on customers of whom the model knows nothing; [] if there are none."""
    scorer = model.state_.scorer
    nothing = empty_cells(model.state_.model.schema.readers, 1)
    unknown = float(expit_array(scorer.log_odds(nothing))[0])
    rows = np.flatnonzero(np.isclose(probabilities, unknown, rtol=1e-9))  # few rows, whose cells are looked at
    is_empty = np.all([find_missing(cells[column.name][rows]) for column in scorer.columns], axis=0)
    n_empty = int(np.count_nonzero(is_empty)) if scorer.columns else len(rows)
    if not n_empty:
        return []
    return [
        f"{n_empty:,} of {len(probabilities):,} customers have no cell that the model uses; they get the probability "
        f"of an unknown customer, {format_percent(unknown)}."
    ]


def _find_outcomes(model: ChurnModel, table: Table) -> AnyArray | None:
    """Return the outcomes (n,) if the file has them for all customers, in the words of the fit, of each class two.

    If it has some, a note says why they are not used.
    """
    name = model.target_name_
    if name is None or name not in table.column_names:
        return None
    values = table.columns[table.column_names.index(name)].load_cells()
    given = [] if values is None else values[~find_missing(values)].tolist()
    if values is None or not given:
        return None
    reason = _find_obstacle(model, given, len(values))
    if reason is None:
        return values
    console.print_notes([f"{name!r} {reason}: the outcomes are not used."])
    return None


def _find_obstacle(model: ChurnModel, given: list[Any], n_rows: int) -> str | None:
    """Return why the outcomes that are given for some of n rows cannot be used; None if they can."""
    classes = model.classes_.tolist()
    other = next((value for value in given if value not in classes), None)
    if other is not None:
        shown = f"{other:g}" if isinstance(other, float) else repr(other)
        return f"holds {shown}, which is none of the fit's {join_with_and([repr(label) for label in classes])}"
    if len(given) < n_rows:
        return f"has no value in {format_count(n_rows - len(given), 'data row')}"
    n_left = given.count(model.positive_)
    if not _MIN_ROWS_PER_CLASS <= n_left <= n_rows - _MIN_ROWS_PER_CLASS:
        return f"says of {n_left:,} of {n_rows:,} customers that they left, and both kinds need {_MIN_ROWS_PER_CLASS}"
    return None
