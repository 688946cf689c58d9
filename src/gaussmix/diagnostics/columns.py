"""``diagnose_columns``: find the columns that no Gaussian describes, say why, and what can be done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.input_arrays import column_names, has_missing_cells, parse_rows, parse_weights
from gaussmix.diagnostics.column_screen import find_columns_by_range_and_few_rows, find_columns_to_diagnose
from gaussmix.diagnostics.row_sample import SampledRows, sample_rows_by_hash
from gaussmix.diagnostics.rules import RULES, Evidence
from gaussmix.diagnostics.sorted_column import SortedColumn, copy_columns, merge_equal_values
from gaussmix.errors import ParameterError
from gaussmix.errors.text import join_with_and
from gaussmix.types import AnyArray, ArrayLike, IntD, N

MIN_ROWS = 30  # fewer rows say little of the shape of a column
_MAX_COLUMNS_WITH_EVIDENCE = 4  # in one sentence


@dataclass(frozen=True)
class ColumnDiagnosis:
    """Why no Gaussian describes a column, and what can be done.

    Attributes
    ----------
    column : int
        Position of the column, from 0.
    name : str
        Its name, or 'column 0', 'column 1', ... if columns have no names.
    kind : str
        'discrete', 'saturated', 'point mass', 'coarse steps', 'skewed', 'left-skewed' or 'heavy tails'.
    evidence : dict of str to float
        The numbers behind the diagnosis.
    evidence_text : str
        The same as text: '2 distinct values from 0 to 1'.
    advice : str
        The next step, as a sentence.
    """

    column: int
    name: str
    kind: str
    evidence: Evidence
    evidence_text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name}, {self.kind}: {self.evidence_text}. {self.advice}"


def diagnose_columns(
    X: ArrayLike, sample_weight: ArrayLike | None = None, feature_names: Sequence[str] | None = None
) -> tuple[ColumnDiagnosis, ...]:
    """Return a diagnosis of each column that no Gaussian describes, in the order of the columns.

    The diagnosis does not depend on the order of the rows. Constant columns and fewer than 30 rows have none.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of finite numbers. Of many rows, some thousands are examined: all, if rows are often repeated.
    sample_weight : array-like of shape (n,), optional
        How often each row counts.
    feature_names : sequence of str, optional
        By default the column names of a data frame.

    Returns
    -------
    tuple of ColumnDiagnosis

    Raises
    ------
    DataError
        If the rows or the weights are invalid.
    ParameterError
        If there is not one name per column.

    Examples
    --------
    >>> from gaussmix import diagnose_columns
    >>> for diagnosis in diagnose_columns([[height, height % 2] for height in range(100)]):
    ...     print(diagnosis.name, diagnosis.kind, diagnosis.evidence_text)
    column 1 discrete 2 distinct values from 0 to 1
    """
    names = column_names(X) if feature_names is None else feature_names
    rows = parse_rows(X, feature_names=names, keep_float32=True)
    if names is not None and len(names) != rows.shape[1]:
        raise ParameterError.wrong_shape("feature_names", (len(names),), (rows.shape[1],))
    return diagnose_parsed_columns(rows, parse_weights(sample_weight, len(rows)), names)


def diagnose_parsed_columns(
    rows: AnyArray, weights: N | None, feature_names: Sequence[str] | None
) -> tuple[ColumnDiagnosis, ...]:
    """Return what `diagnose_columns` returns, for rows (n, D) and weights (n,) that are known to be valid.

    The diagnosis of a column with missing cells, NaN, is that of its other cells.
    """
    if has_missing_cells(rows):
        return _diagnose_columns_with_gaps(rows, weights, feature_names)
    may_match = np.ones(rows.shape[1], dtype=bool) if weights is not None else find_columns_by_range_and_few_rows(rows)
    if not may_match.any():
        return ()
    sample = sample_rows_by_hash(rows, weights)
    total_weight = float(len(sample.rows) if sample.weights is None else sample.weights.sum())
    if total_weight < MIN_ROWS:
        return ()
    names = [f"column {j}" for j in range(rows.shape[1])] if feature_names is None else feature_names
    diagnoses = (
        _diagnose_column(j, str(names[j]), column, total_weight)
        for j, column in _iterate_columns_to_diagnose(sample, np.flatnonzero(may_match))
    )
    return tuple(diagnosis for diagnosis in diagnoses if diagnosis is not None)


def _diagnose_columns_with_gaps(
    rows: AnyArray, weights: N | None, feature_names: Sequence[str] | None
) -> tuple[ColumnDiagnosis, ...]:
    """Return the diagnoses of the present cells of each column of rows (n, D) with NaN."""
    diagnoses = []
    for j, column in enumerate(rows.T):
        is_present = ~np.isnan(column)
        if not is_present.any():
            continue
        name = f"column {j}" if feature_names is None else str(feature_names[j])
        present_weights = None if weights is None else weights[is_present]
        found = diagnose_parsed_columns(column[is_present, None], present_weights, [name])
        diagnoses += [replace(diagnosis, column=j) for diagnosis in found]
    return tuple(diagnoses)


def _iterate_columns_to_diagnose(sample: SampledRows, positions: IntD) -> Iterator[tuple[int, SortedColumn]]:
    """Yield position and sorted values of each of the columns at ``positions`` that a rule may match."""
    is_part = len(positions) < sample.rows.shape[1]
    columns, weights = copy_columns(sample.rows[:, positions] if is_part else sample.rows), sample.weights
    if weights is None:
        columns.sort(axis=1)
        for i in np.flatnonzero(find_columns_to_diagnose(columns)).tolist():
            yield int(positions[i]), merge_equal_values(columns[i], None)
        return
    for j, values in zip(positions.tolist(), columns, strict=True):
        order = np.argsort(values, kind="stable")
        yield j, merge_equal_values(values[order], weights[order])


def keep_unmended_diagnoses(
    diagnoses: tuple[ColumnDiagnosis, ...], transformed_rows: AnyArray, weights: N | None
) -> tuple[ColumnDiagnosis, ...]:
    """Return those diagnoses of rows (n, D) whose columns still have a diagnosis in transformed rows (n, D)."""
    remaining = {each.column for each in diagnose_parsed_columns(transformed_rows, weights, None)} if diagnoses else ()
    return tuple(diagnosis for diagnosis in diagnoses if diagnosis.column in remaining)


def describe_diagnoses(
    diagnoses: Sequence[ColumnDiagnosis], has_noise: bool = False, advice: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return a text for each kind of diagnosis, in the order of the rules, that names its columns and the next step.

    Kinds that a noise component describes are left out if the mixture ``has_noise``. With ``advice``, a next step by
    kind, all other kinds are left out.
    """
    steps = {rule.kind: rule.advice for rule in RULES} if advice is None else advice
    texts = []
    for rule in RULES:
        same_kind = [diagnosis for diagnosis in diagnoses if diagnosis.kind == rule.kind]
        if same_kind and rule.kind in steps and not (has_noise and rule.is_described_by_noise):
            texts.append(f"No Gaussian describes {rule.subject}: {_name_columns(same_kind)}. {steps[rule.kind]}")
    return tuple(texts)


def _name_columns(diagnoses: Sequence[ColumnDiagnosis]) -> str:
    """Return the names of the columns, with their evidence if they are few."""
    if len(diagnoses) > _MAX_COLUMNS_WITH_EVIDENCE:
        return join_with_and([diagnosis.name for diagnosis in diagnoses])
    return join_with_and([f"{diagnosis.name} ({diagnosis.evidence_text})" for diagnosis in diagnoses])


def _diagnose_column(position: int, name: str, column: SortedColumn, total_weight: float) -> ColumnDiagnosis | None:
    """Return the diagnosis by the first rule that matches a column; None for a constant one or if none matches."""
    if column.n_distinct < 2:
        return None
    for rule in RULES:
        evidence = rule.find(column, total_weight)
        if evidence is not None:
            return ColumnDiagnosis(position, name, rule.kind, evidence, rule.format_evidence(evidence), rule.advice)
    return None
