"""Profiles of segments: what their customers have in each column, beside all customers, and what sets them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from gaussmix.classification.churn.column_bins import BinnedColumn, bin_columns, relative_entropy, weighted_quantiles
from gaussmix.classification.churn.wording import format_condition, format_number, format_percent
from gaussmix.classification.evaluation.rate_intervals import effective_count
from gaussmix.classification.table.cell_values import CellValue
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.table_schema import InputCells, TableSchema
from gaussmix.types import NK, Array, N

_QUARTILES = np.array([0.25, 0.5, 0.75])
_MAX_NAMED_COLUMNS = 4
_MIN_NAMED_GAIN = 0.05  # nats beyond what the named columns imply
_SIGNIFICANCE = 0.001  # of a gain


@dataclass(frozen=True)
class NumericProfile:
    """A numeric column in a segment, in the data's units; NaN if no customer has a value.

    Attributes
    ----------
    column : str
    information_gain : float
        Relative entropy of the column in the segment from that of all customers, in nats, by deciles.
    median, low_quartile, high_quartile : float
    overall_median : float
        Of all customers.
    """

    column: str
    information_gain: float
    median: float
    low_quartile: float
    high_quartile: float
    overall_median: float

    @property
    def description(self) -> str:
        """The column in words: 'tenure 3 (median; all customers 29)'."""
        return (
            f"{self.column} {format_number(self.median)} (median; all customers {format_number(self.overall_median)})"
        )

    def to_row(self) -> dict[str, object]:
        """Return the profile as a row of a table."""
        names = ("column", "information_gain", "median", "low_quartile", "high_quartile", "overall_median")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class CategoricalProfile:
    """A categorical column in a segment.

    Attributes
    ----------
    column : str
    information_gain : float
        Relative entropy of the column in the segment from that of all customers, in nats.
    levels : tuple of str, bool, int or float
        The known values; rare numbers are one level with their neighbours, such as '7 or more'.
    fractions, overall_fractions : tuple of float
        Of each level in the segment and among all customers, where the cell is present.
    """

    column: str
    information_gain: float
    levels: tuple[CellValue, ...]
    fractions: tuple[float, ...]
    overall_fractions: tuple[float, ...]

    @property
    def typical_level(self) -> int:
        """Position of the level whose fraction differs most from that of all customers; of two, the more frequent."""
        differences = np.subtract(self.fractions, self.overall_fractions)
        return int(np.argmax(differences if len(differences) == 2 else np.abs(differences)))

    @property
    def description(self) -> str:
        """The column in words: 'contract = Month-to-month (99% instead of 55%)'."""
        level = self.typical_level
        fraction, overall = self.fractions[level], self.overall_fractions[level]
        seldom = "seldom " if fraction < overall else ""
        condition = format_condition(self.column, self.levels[level])
        return f"{seldom}{condition} ({format_percent(fraction)} instead of {format_percent(overall)})"

    def to_row(self) -> dict[str, object]:
        """Return the profile as a row of a table: the level that differs most, and its fractions."""
        level = self.typical_level
        return {
            "column": self.column,
            "information_gain": self.information_gain,
            "level": self.levels[level],
            "fraction": self.fractions[level],
            "overall_fraction": self.overall_fractions[level],
        }


ColumnProfile = NumericProfile | CategoricalProfile


@dataclass(frozen=True, repr=False)
class SegmentProfile:
    """All columns of a segment, those of the highest information gain first, and the few that describe it.

    Attributes
    ----------
    columns : tuple of NumericProfile or CategoricalProfile
    named_columns : tuple of str
        Chosen one after the other: each differs most from customers who are like the segment in those before it.
    """

    columns: tuple[ColumnProfile, ...]
    named_columns: tuple[str, ...]

    @property
    def description(self) -> str:
        """The named columns in words."""
        by_name = {profile.column: profile for profile in self.columns}
        return ", ".join(by_name[name].description for name in self.named_columns) or "like all customers"

    def __repr__(self) -> str:
        """Return the named columns in words."""
        return self.description


def profile_segments(schema: TableSchema, cells: InputCells, memberships: NK, weights: N) -> tuple[SegmentProfile, ...]:
    """Return the profile of each segment from the memberships (n, K) and the weights (n,) of the rows of a table."""
    binned = bin_columns(schema, cells, weights)
    return tuple(_profile_segment(schema, cells, binned, weights * column, weights) for column in memberships.T)


def _profile_segment(
    schema: TableSchema, cells: InputCells, binned: Sequence[BinnedColumn], parts: N, weights: N
) -> SegmentProfile:
    """Return the profile of a segment of which rows count in part (n,)."""
    gains = [_information_gain(column, parts, weights) for column in binned]
    profiles: list[ColumnProfile] = [
        _profile_numbers(reader.name, cells.numbers[reader.name], gain, parts, weights)
        if reader.is_numeric
        else _profile_levels(reader, column, gain, parts, weights)
        for reader, column, gain in zip(schema.readers, binned, gains, strict=True)
    ]
    names = _name_columns(schema, binned, gains, parts, weights)
    return SegmentProfile(tuple(sorted(profiles, key=lambda profile: -profile.information_gain)), tuple(names))


def _profile_numbers(name: str, values: N, gain: float, parts: N, weights: N) -> NumericProfile:
    """Return the profile of a column of numbers (n,)."""
    is_present = ~np.isnan(values)
    (low, median, high), (_, overall_median, _) = (
        weighted_quantiles(values[is_present], each[is_present], _QUARTILES).tolist() for each in (parts, weights)
    )
    return NumericProfile(name, gain, median, low, high, overall_median)


def _profile_levels(reader: InputColumn, column: BinnedColumn, gain: float, parts: N, weights: N) -> CategoricalProfile:
    """Return the profile of a categorical column."""
    fractions, overall = (tuple(_normalize(column.count(each)[:-1]).tolist()) for each in (parts, weights))
    return CategoricalProfile(reader.name, gain, reader.levels, fractions, overall)


def _normalize(counts: Array) -> Array:
    """Return counts (B,) as fractions; zeros if there are none."""
    total = counts.sum()
    return np.asarray(counts / total if total > 0 else np.zeros_like(counts))


def _information_gain(column: BinnedColumn, parts: N, reference: N) -> float:
    """Return the relative entropy of present cells, times the fraction of cells of the segment that are present."""
    counts, reference_counts = column.count(parts), column.count(reference)
    total = counts.sum()
    fraction = counts[:-1].sum() / total if total > 0 else 0.0
    return float(fraction * relative_entropy(counts[:-1], reference_counts[:-1]))


def _name_columns(
    schema: TableSchema, binned: Sequence[BinnedColumn], gains: Sequence[float], parts: N, weights: N
) -> list[str]:
    """Return the names of the columns that describe a segment, those of the highest information gain first.

    After each choice all customers are reweighted so that the chosen column is distributed as in the segment (raking;
    Deming & Stephan, Annals of Mathematical Statistics 11, 1940). A column that follows from those before it has no
    gain left and is passed over. If fewer than four are left, numbers that follow are named, too: what customers pay is
    worth a word even if their contract says it. Gains must be significant by the likelihood-ratio test.
    """
    order = np.argsort(-np.asarray(gains), kind="stable").tolist()
    limits = [_min_gain(column, effective_count(parts)) for column in binned]
    named: list[int] = []
    reference = weights.copy()
    for position in order:
        gain = _information_gain(binned[position], parts, reference)
        if gain >= limits[position] and len(named) < _MAX_NAMED_COLUMNS:
            named.append(position)
            reference = _rake(reference, binned[position], parts)
    for position in order:
        is_informative = schema.readers[position].is_numeric and gains[position] >= limits[position]
        if is_informative and len(named) < _MAX_NAMED_COLUMNS and not _repeats(schema, position, named):
            named.append(position)
    return [schema.readers[position].name for position in named]


def _min_gain(column: BinnedColumn, count: float) -> float:
    """Return the gain in nats above which a column of ``count`` customers is named."""
    return max(_MIN_NAMED_GAIN, float(chdtri(max(column.n_bins - 1, 1), _SIGNIFICANCE)) / (2.0 * count))


def _repeats(schema: TableSchema, position: int, named: Sequence[int]) -> bool:
    """Return whether a numeric column is named already, or is the same number as a named one in other units."""
    encoded = [set(schema.columns_of(schema.readers[j].name).numeric) for j in (position, *named)]
    return position in named or any(encoded[0] & other for other in encoded[1:])


def _rake(reference: N, column: BinnedColumn, parts: N) -> N:
    """Return row weights (n,) with which a column is distributed as in the segment."""
    wanted, present = column.count(parts), column.count(reference)
    factors = np.divide(wanted, present, out=np.zeros_like(wanted), where=present > 0)
    return np.asarray(reference * factors[column.bins])
