"""``AnomalyGroups``: anomalies that deviate in the same way are one group, so that a user reads stories and not rows.

A row is described by the columns that deviate and by how many standard deviations, with sign; all other columns are
zero. Of a row that matches no normal group all columns deviate that are unusual there. Rows are similar if these
vectors point in the same direction (cosine), however large the deviation is and whichever normal group the row belongs
to. Average linkage joins groups as long as their mean similarity allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.anomaly.direction_clustering import cluster_directions
from gaussmix.anomaly.explanation import NORMAL_LEVEL, Explanations, explain_rows
from gaussmix.anomaly.number_text import format_sd
from gaussmix.anomaly.score_reasons import LogTail
from gaussmix.anomaly.value_grids import ValueGrids
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.model import Mixture
from gaussmix.types import ND, AnyArray, Array, ArrayLike, IntN

MIN_SIMILARITY = 0.5
_MAX_DEVIATING_COLUMNS = 10
_MAX_NAMED_COLUMNS = 3
_MIN_FRACTION_OF_ROWS = 0.5  # in which a column deviates to one side, for the group to be named after it
_MIN_MARGINAL_Z = 2.0  # of a row that matches no normal group: smaller deviations are zero
_RELATION_DEVIATIONS = 1e12  # standard deviations that a broken relation stands for: more than any column
_MAX_SHOWN_GROUPS = 20


@dataclass(frozen=True)
class AnomalyGroup:
    """Anomalies that deviate in the same way.

    Attributes
    ----------
    rows : ndarray of int of shape (size,)
        Positions among the rows that were grouped, the most typical row first.
    columns : tuple of str
        The columns that set the group apart, the largest deviation first; at most three, and none of rows of which no
        column alone is unusual.
    deviations : ndarray of shape (len(columns),)
        Median number of standard deviations from the expected value, with sign; 0 for a broken relation.
    fractions : ndarray of shape (len(columns),)
        Fraction of the rows in which the column deviates to this side.
    description : str
        What the rows have in common, without their positions.
    """

    rows: IntN
    columns: tuple[str, ...]
    deviations: Array
    fractions: Array
    description: str

    @property
    def sentence(self) -> str:
        """The description with the position of the typical row."""
        place = f" (row {self.typical_row})" if self.size == 1 else f"; row {self.typical_row} is typical"
        return f"{self.description}{place}."

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def typical_row(self) -> int:
        """The row whose deviations are most like those of the whole group."""
        return int(self.rows[0])


@dataclass(frozen=True)
class AnomalyGroups:
    """Groups of n anomalies, the largest first.

    Attributes
    ----------
    labels : ndarray of int of shape (n,)
        The group of each row.
    groups : tuple of AnomalyGroup
    explanations : Explanations
        Of the n rows.
    """

    labels: IntN
    groups: tuple[AnomalyGroup, ...]
    explanations: Explanations = field(repr=False)

    def __len__(self) -> int:
        return len(self.groups)

    def to_table(self) -> dict[str, AnyArray]:
        """Return columns by name, one entry per group, to be written to a file."""
        return {
            "anomaly_group": np.arange(len(self.groups)),
            "size": np.array([group.size for group in self.groups]),
            "typical_row": np.array([group.typical_row for group in self.groups]),
            "columns": np.array([", ".join(group.columns) for group in self.groups], dtype=object),
            "sentence": np.array([group.sentence for group in self.groups], dtype=object),
        }

    def __str__(self) -> str:
        shown = [f"{number}: {group.sentence}" for number, group in enumerate(self.groups[:_MAX_SHOWN_GROUPS])]
        n_hidden = len(self.groups) - len(shown)
        hidden = [f"... and {format_count(n_hidden, 'group')} more"] if n_hidden else []
        n_rows = len(self.labels)
        head = f"{n_rows} {'anomaly' if n_rows == 1 else 'anomalies'} in {format_count(len(self.groups), 'group')}."
        return "\n".join([head, *shown, *hidden])


def group_anomalies(
    mixture: Mixture,
    rows: ArrayLike,
    names: Sequence[str] | None = None,
    min_similarity: float = MIN_SIMILARITY,
    level: float = NORMAL_LEVEL,
    log_tail: LogTail | None = None,
    grids: ValueGrids | None = None,
) -> AnomalyGroups:
    """Group anomalies by the columns that deviate, and by the side to which they do.

    Parameters
    ----------
    mixture : Mixture
        The normal groups.
    rows : array-like of shape (n, D)
        The anomalies, in the data's units.
    names : sequence of str, optional
        Names of the columns; by default those of the mixture, or of a data frame.
    min_similarity : float, default=0.5
        Mean cosine of the deviations of two groups from which on they are one; between 0 and 1. More similarity gives
        more groups.
    level : float, default=0.01
        The columns of a row that do not deviate have at least this tail probability.
    log_tail, grids : callable and ValueGrids, optional
        See `explain_rows`.

    Raises
    ------
    DataError
        If there are no rows, or they do not have the columns of the mixture.
    ParameterError
        If a parameter is not allowed.
    """
    if not is_number_in(min_similarity, 0.0, 1.0):
        raise ParameterError.invalid_value("min_similarity", min_similarity, "between 0 and 1, both excluded")
    explanations = explain_rows(mixture, rows, names, True, level, _MAX_DEVIATING_COLUMNS, log_tail, grids)
    vectors = _deviation_vectors(explanations)
    ranks = np.argsort(np.lexsort(np.hstack([explanations.values, vectors]).T))
    found = cluster_directions(_compress(vectors), min_similarity)
    first_ranks = np.full(found.max() + 1, len(found))
    np.minimum.at(first_ranks, found, ranks)
    order = np.lexsort((first_ranks, -np.bincount(found)))
    labels = np.argsort(order)[found]
    groups = tuple(
        _summarize_group(explanations, vectors, ranks, np.flatnonzero(labels == i)) for i in range(len(order))
    )
    return AnomalyGroups(labels, groups, explanations)


def _deviation_vectors(explanations: Explanations) -> ND:
    """Return the deviations (n, d + n_relations) of each row in standard deviations, zero in ordinary columns.

    Two columns that do not go together both have their conditional z, whichever of them deviates a little more. Of a
    row that matches no normal group the search for few columns has failed, so that chance would choose among them.
    """
    n_rows, n_features = explanations.values.shape
    vectors = np.zeros((n_rows, n_features))
    index, positions = np.nonzero(explanations.deviating_columns >= 0)
    vectors[index, explanations.deviating_columns[index, positions]] = explanations.deviating_z[index, positions]
    with_pair = np.flatnonzero(explanations.pair_columns[:, 0] >= 0)[:, None]
    pairs = explanations.pair_columns[with_pair[:, 0]]
    vectors[with_pair, pairs] = explanations.conditional_z[with_pair, pairs]
    without_group = explanations.matches_no_group
    marginal_z = explanations.marginal_z[without_group]
    vectors[without_group] = np.where(np.abs(marginal_z) >= _MIN_MARGINAL_Z, marginal_z, 0.0)
    return np.hstack([vectors, _RELATION_DEVIATIONS * explanations.relation_signs])


def _compress(vectors: ND) -> ND:
    """Return signed logarithms of deviations, so that one huge deviation does not hide the others.

    They are rounded, so that no tie between equal rows depends on rounding errors.
    """
    return np.round(np.sign(vectors) * np.log1p(np.abs(vectors)), 9)


def _summarize_group(explanations: Explanations, vectors: ND, ranks: IntN, members: IntN) -> AnomalyGroup:
    """Return one group: its rows by similarity to its mean direction, its columns, and its sentence."""
    own, n_features = vectors[members], explanations.values.shape[1]
    scaled = _compress(own)
    units = scaled / np.maximum(np.sqrt(np.square(scaled).sum(axis=1)), 1e-300)[:, None]
    mean = units.mean(axis=0)
    similarities = np.round(units @ mean, 9)  # rounding errors do not decide between equal rows
    rows = members[np.lexsort((ranks[members], -similarities))]
    fractions = (np.sign(own) == np.sign(mean)).mean(axis=0) * (mean != 0)
    order = np.argsort(-np.abs(mean), kind="stable")
    chosen = [int(j) for j in order if fractions[j] >= _MIN_FRACTION_OF_ROWS][:_MAX_NAMED_COLUMNS]
    chosen = chosen or [int(order[0])]
    relations = [j for j in chosen if j >= n_features]
    columns = relations or chosen
    if not own.any():
        verb, them = ("lies", "it") if len(rows) == 1 else ("lie", "them")
        where = f"{verb} where few normal rows are; no column alone sets {them} apart"
        description = f"{format_count(len(rows), 'row')} {where}"
        return AnomalyGroup(rows, (), np.zeros(0), np.zeros(0), description)
    names = [*explanations.names, *explanations.relations]
    deviations = np.array([0.0 if j >= n_features else _median_where_signed(own[:, j], mean[j]) for j in columns])
    description = _describe_anomaly_group(explanations, rows, [names[j] for j in columns], deviations, bool(relations))
    return AnomalyGroup(rows, tuple(names[j] for j in columns), deviations, fractions[columns], description)


def _median_where_signed(values: Array, side: float) -> float:
    """Return the median of the values on one side of zero."""
    return float(np.median(values[np.sign(values) == np.sign(side)])) if side != 0 else 0.0


def _describe_anomaly_group(
    explanations: Explanations, rows: IntN, columns: list[str], deviations: Array, breaks_relation: bool
) -> str:
    """Return '41 rows: a is typically 4.2 sd above its expected value'."""
    count = format_count(len(rows), "row")
    if breaks_relation:
        verb = "breaks" if len(rows) == 1 else "break"
        return f"{count} {verb} what every training row keeps: {'; '.join(columns)}"
    typically = "" if len(rows) == 1 else "typically "
    sides = [
        f"{name} {f'is {typically}' if i == 0 else ''}{format_sd(z)} {'above' if z > 0 else 'below'}"
        for i, (name, z) in enumerate(zip(columns, deviations, strict=True))
    ]
    expectation = "its expected value" if len(columns) == 1 else "their expected values"
    pair = _common_pair(explanations, rows)
    together = f"{join_with_and([explanations.names[j] for j in pair])} do not go together: " if pair else ""
    return f"{count}: {together}{join_with_and(sides)} {expectation}"


def _common_pair(explanations: Explanations, rows: IntN) -> list[int]:
    """Return the two columns that do not go together in most of the rows; an empty list if there are none."""
    pairs, counts = np.unique(np.sort(explanations.pair_columns[rows], axis=1), axis=0, return_counts=True)
    best = int(np.argmax(counts))
    return pairs[best].tolist() if pairs[best, 0] >= 0 and counts[best] > 0.5 * len(rows) else []
