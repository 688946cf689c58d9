"""``Explanations``: why rows are anomalies, or why they are not, as numbers and as one sentence per row."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.anomaly.column_pairs import find_pairs
from gaussmix.anomaly.deviating_columns import DeviatingColumns, find_deviating_columns
from gaussmix.anomaly.deviations import Deviations, chi_square_tails, measure_deviations
from gaussmix.anomaly.explanation_sentences import RowFacts, compose_sentence
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.anomaly.score_reasons import LogTail, ScoreReasons, find_score_reasons
from gaussmix.anomaly.smallest_change import SmallestChanges
from gaussmix.anomaly.value_grids import ValueGrids
from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import ParameterError
from gaussmix.errors.text import format_count
from gaussmix.model import Mixture
from gaussmix.types import ND, AnyArray, Array, ArrayLike, BoolN, IntArray, IntN, N

NORMAL_LEVEL = 0.01  # a distance that fewer rows of the group exceed is not ordinary
MAX_DEVIATING_COLUMNS = 5
_MAX_SHOWN_ROWS = 20
_TABLE_COLUMNS = {
    "contribution": "contributions",
    "conditional_z": "conditional_z",
    "marginal_z": "marginal_z",
    "expected_value": "expected_values",
    "expected_deviation": "expected_deviations",
}


@dataclass(frozen=True)
class Explanations:
    """Why each of n rows is an anomaly, or normal, in d linearly independent columns.

    Values are in the data's units. ``print`` shows the sentences of the anomalies.

    Attributes
    ----------
    names : tuple of str
        Names (d,) of the linearly independent columns, in the order of all arrays.
    is_anomaly : ndarray of bool of shape (n,)
    groups : ndarray of int of shape (n,)
        The group each row is compared with.
    reason_groups : ndarray of int of shape (n,)
        The group whose expectation the sentence names: another one only where the score, not the group, gives reasons.
    distances, squared_distances : ndarray of shape (n,)
        Mahalanobis distance from this group.
    tail_probabilities : ndarray of shape (n,)
        Probability that a row of the group is farther out (chi-square with d degrees of freedom).
    values : ndarray of shape (n, d)
    contributions : ndarray of shape (n, d)
        They add up to the squared distances; some may be negative.
    conditional_z : ndarray of shape (n, d)
        How many standard deviations each value lies from what the group has, given all other columns.
    marginal_z : ndarray of shape (n, d)
        The same, not given other columns.
    expected_values, expected_deviations : ndarray of shape (n, d)
        Mean and standard deviation of each column, given all other columns; of a transformed column the median.
    deviating_columns : ndarray of int of shape (n, m)
        Positions of the fewest columns without which the row is normal, the one that deviates most first; -1 fills up.
    deviating_z : ndarray of shape (n, m)
        How many standard deviations each of them lies from what the columns that do not deviate let expect.
    pair_columns : ndarray of int of shape (n, 2)
        Two columns that are ordinary alone and not together; -1 where there is no such pair.
    matches_no_group : ndarray of bool of shape (n,)
        Whether more than m columns would have to change.
    relations : tuple of str
        Linear relations that every training row keeps, in words.
    relation_signs : ndarray of int of shape (n, len(relations))
        1 or -1 if the row breaks the relation, because the column that it gives is too large or too small; else 0.
    sentences : tuple of str
    changes : SmallestChanges or None
        The smallest change that makes each row normal, if a detector was asked.
    """

    names: tuple[str, ...]
    is_anomaly: BoolN
    groups: IntN
    reason_groups: IntN
    squared_distances: N
    tail_probabilities: N
    values: ND = field(repr=False)
    contributions: ND = field(repr=False)
    conditional_z: ND = field(repr=False)
    marginal_z: ND = field(repr=False)
    expected_values: ND = field(repr=False)
    expected_deviations: ND = field(repr=False)
    deviating_columns: IntArray = field(repr=False)
    deviating_z: Array = field(repr=False)
    pair_columns: IntArray = field(repr=False)
    matches_no_group: BoolN = field(repr=False)
    relations: tuple[str, ...] = field(repr=False)
    relation_signs: IntArray = field(repr=False)
    sentences: tuple[str, ...] = field(repr=False)
    changes: SmallestChanges | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def distances(self) -> N:
        """Mahalanobis distances, (n,)."""
        return np.asarray(np.sqrt(self.squared_distances))

    @property
    def first_columns(self) -> IntN:
        """The column that each sentence names first, (n,); of a normal row the column that fits least."""
        fits_least = np.abs(self.conditional_z).argmax(axis=1)
        return np.where(self.deviating_columns[:, 0] >= 0, self.deviating_columns[:, 0], fits_least)

    def to_table(self) -> dict[str, AnyArray]:
        """Return columns (n,) by name, to be written to a file: those of the row, then five for each column."""
        names = np.array(self.names, dtype=object)
        table: dict[str, AnyArray] = {
            "is_anomaly": self.is_anomaly,
            "group": self.groups,
            "distance": self.distances,
            "tail_probability": self.tail_probabilities,
            "first_column": names[self.first_columns],
            "deviating_columns": np.array(
                [", ".join(names[row[row >= 0]]) for row in self.deviating_columns], dtype=object
            ),
            "sentence": np.array(self.sentences, dtype=object),
        }
        if self.changes is not None:
            table["smallest_change"] = np.array(self.changes.sentences, dtype=object)
        for prefix, attribute in _TABLE_COLUMNS.items():
            table |= {f"{prefix}_{name}": getattr(self, attribute)[:, j] for j, name in enumerate(self.names)}
        return table

    def __str__(self) -> str:
        rows = np.flatnonzero(self.is_anomaly)
        lines = [f"row {i}: {self.sentences[i]}" for i in rows[:_MAX_SHOWN_ROWS]]
        hidden = [f"... and {format_count(len(rows) - len(lines), 'row')} more"] if len(rows) > len(lines) else []
        verb = "is an anomaly" if len(rows) == 1 else "are anomalies"
        return "\n".join([f"{len(rows)} of {format_count(len(self), 'row')} {verb}.", *lines, *hidden])


def explain_rows(
    mixture: Mixture,
    rows: ArrayLike,
    names: Sequence[str] | None = None,
    is_anomaly: ArrayLike | None = None,
    level: float = NORMAL_LEVEL,
    max_columns: int = MAX_DEVIATING_COLUMNS,
    log_tail: LogTail | None = None,
    grids: ValueGrids | None = None,
) -> Explanations:
    """Explain rows by the groups of a mixture: the nearest group, what each column contributes, and a sentence.

    Parameters
    ----------
    mixture : Mixture
        The normal groups.
    rows : array-like of shape (n, D)
        In the data's units.
    names : sequence of str, optional
        Names of the columns; by default those of the mixture, or of a data frame.
    is_anomaly : bool or array-like of bool of shape (n,), optional
        Which rows a detector calls anomalies; one bool is for all rows. By default those whose tail probability is
        below ``level``. A row that breaks a linear relation of the training rows is always one.
    level : float, default=0.01
        The columns of a row that do not deviate have at least this tail probability.
    max_columns : int, default=5
        A row of which more columns deviate matches no group.
    log_tail : callable, optional
        Takes rows (m, D) and returns the log probability (m,) that a normal row is as unusual, such as
        `AnomalyDetector.score_samples`. It says which columns make a row unusual that is an anomaly and ordinary in
        its group.
    grids : ValueGrids, optional
        Which values the columns can have; sentences name the nearest of few values.

    Raises
    ------
    DataError
        If there are no rows, or they do not have the columns of the mixture.
    RowTooFarError
        If a squared distance overflows: a group is more than 1e50 times narrower than the whole mixture.
    ParameterError
        If a parameter is not allowed.
    """
    if not is_number_in(level, 0.0, 1.0):
        raise ParameterError.invalid_value("level", level, "between 0 and 1, both excluded")
    max_columns = require_integer("max_columns", max_columns, 1)
    measured = MeasuredRows.from_rows(mixture, rows, names, grids)
    deviations = measure_deviations(measured.mixture, measured.points)
    tails = chi_square_tails(deviations.squared_distances, measured.points.shape[1])
    is_flagged = parse_is_anomaly(is_anomaly, len(tails)) if is_anomaly is not None else tails < level
    has_strange_values = is_flagged & (~measured.breaks_relation | (tails < level))
    ordinary = np.flatnonzero(has_strange_values & (tails >= level))
    found, reasons = find_deviating_columns(deviations, has_strange_values, level, max_columns), ScoreReasons.none()
    if log_tail is not None and len(ordinary):
        reasons = find_score_reasons(measured, found, ordinary, log_tail)
    return _assemble(measured, deviations, tails, is_flagged, found, reasons, level)


def parse_is_anomaly(is_anomaly: ArrayLike, n_rows: int) -> BoolN:
    """Return one bool per row; raise ParameterError for other arrays, such as the +1 and -1 of a prediction."""
    marks = np.asarray(is_anomaly)
    if marks.dtype != np.bool_:
        raise ParameterError.invalid_value("is_anomaly", marks.dtype.name, "an array of True and False")
    if marks.ndim == 0:
        return np.full(n_rows, bool(marks))
    if marks.shape != (n_rows,):
        raise ParameterError.wrong_shape("is_anomaly", marks.shape, (n_rows,))
    return marks


def _assemble(
    measured: MeasuredRows,
    deviations: Deviations,
    tails: N,
    is_flagged: BoolN,
    found: DeviatingColumns,
    reasons: ScoreReasons,
    level: float,
) -> Explanations:
    """Return the explanations from what was measured; reasons of the score replace columns that were ``found``."""
    reasons.replace_deviations(found, deviations, measured)
    pairs = find_pairs(deviations, found)
    pairs[reasons.replaced_rows] = -1
    means = deviations.conditional_means
    expected_deviations = measured.half_widths(means, deviations.shapes.conditional_deviations[deviations.groups])
    facts = RowFacts.collect(measured, deviations, found, pairs, tails, level, reasons)
    return Explanations(
        names=measured.independent_names,
        is_anomaly=is_flagged | measured.breaks_relation,
        groups=deviations.groups,
        reason_groups=reasons.replace_groups(deviations.groups),
        squared_distances=deviations.squared_distances,
        tail_probabilities=tails,
        values=measured.independent_values,
        contributions=deviations.contributions,
        conditional_z=deviations.conditional_z,
        marginal_z=deviations.marginal_z,
        expected_values=measured.to_data_units(means),
        expected_deviations=expected_deviations,
        deviating_columns=found.columns,
        deviating_z=found.z,
        pair_columns=pairs,
        matches_no_group=~found.is_rest_normal,
        relations=measured.relation_names,
        relation_signs=measured.relation_signs,
        sentences=tuple(compose_sentence(facts, i) for i in range(len(tails))),
    )
