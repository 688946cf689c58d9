"""What of the data is drawn: which columns, which rows, and in which power of ten."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core.input_arrays import parse_rows
from gaussmix.errors import DataError, ParameterError
from gaussmix.model import Mixture
from gaussmix.model.prediction import uncertainty
from gaussmix.plots import canvas
from gaussmix.types import ND, NK, AnyArray, Array, ArrayLike, IntN, N

MAX_ROWS = 5000
_MAX_RELATIVE_RANGE_FOR_DIFFERENCES = 1e-4  # scores that differ by less are written as differences
_N_PRESELECTED_COLUMNS = 40  # columns looked at closely when the most telling ones are wanted


def column_name(mixture: Mixture, column: int) -> str:
    """The name of a column, or 'column 0' where the mixture knows none."""
    return f"column {column}" if mixture.feature_names is None else str(mixture.feature_names[column])


def resolve_columns(mixture: Mixture, columns: Sequence[int | str]) -> list[int]:
    """Columns given by number or name, as numbers; negative ones count from the end.

    Raises
    ------
    DataError
        If there is no column of that name.
    ParameterError
        If a number is out of range, or a column is named twice.
    """
    known = [column_name(mixture, j) for j in range(mixture.n_features)]
    missing = [column for column in columns if isinstance(column, str) and column not in known]
    if missing:
        raise DataError.unknown_columns([str(name) for name in missing], known)
    numbers = [known.index(column) if isinstance(column, str) else int(column) for column in columns]
    wrapped = [j + mixture.n_features if j < 0 else j for j in numbers]
    inside = all(0 <= j < mixture.n_features for j in wrapped)
    if not wrapped or not inside or len(set(wrapped)) < len(wrapped):
        raise ParameterError.invalid_value(
            "columns", list(columns), f"distinct columns from 0 to {mixture.n_features - 1}"
        )
    return wrapped


def select_separating_columns(mixture: Mixture, X: ArrayLike, n_columns: int) -> list[int]:
    """The ``count`` columns that tell the components apart best, in the order of the data.

    Ranked by how much each column by itself says about the component of a row: the entropy of the
    weights minus the mean entropy of the responsibilities under the column's marginal.
    """
    if mixture.n_features <= n_columns:
        return list(range(mixture.n_features))
    cloud = PlotSample.from_rows(mixture, X, 1000)
    spread = _between_variance_fraction(mixture)
    preselected = np.sort(np.argsort(-spread, kind="stable")[: max(n_columns, _N_PRESELECTED_COLUMNS)])
    part = mixture.marginal(preselected.tolist())
    said = [
        -_mean_entropy(part.marginal([i]).predict_proba(cloud.rows[:, [j]])) for i, j in enumerate(preselected.tolist())
    ]
    best = np.argsort(-np.round(said, 9), kind="stable")[:n_columns]
    return sorted(int(j) for j in preselected[best])


def _between_variance_fraction(mixture: Mixture) -> Array:
    """The share of each column's variance that lies between the components, (D,)."""
    center, weights = mixture.centers, mixture.weights
    within = weights @ np.diagonal(mixture.covariance.matrices(), axis1=1, axis2=2)
    between = weights @ (center - weights @ center) ** 2
    return np.asarray(between / (between + within))


def _mean_entropy(responsibilities: NK) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(responsibilities > 0, responsibilities * np.log(responsibilities), 0.0)
    return float(-terms.sum(axis=1).mean())


@dataclass(frozen=True)
class PlotSample:
    """The rows that are drawn and their membership; ``n_rows`` counts all, ``doubts`` holds the uncertainty of all."""

    rows: ND
    responsibilities: NK
    all_uncertainties: N
    row_indices: IntN
    has_noise: bool = False

    @classmethod
    def from_rows(cls, mixture: Mixture, X: ArrayLike, max_rows: int = MAX_ROWS, random_state: int = 0) -> "PlotSample":
        """At most ``max_rows`` rows, drawn at random with a seed, each as likely as any other."""
        if max_rows < 1:
            raise ParameterError.invalid_value("max_rows", max_rows, "a whole number of at least 1")
        rows = parse_rows(X, mixture.n_features, mixture.feature_names)
        soft = mixture.predict_proba(rows)
        drawn = np.arange(len(rows))
        if len(rows) > max_rows:
            rng = np.random.default_rng(random_state)
            drawn = np.sort(rng.choice(len(rows), size=max_rows, replace=False))
        return cls(rows[drawn], soft[drawn], uncertainty(soft), drawn, mixture.noise is not None)

    @property
    def n_all_rows(self) -> int:
        return len(self.all_uncertainties)

    @cached_property
    def labels(self) -> IntN:
        """The most probable component of each drawn row."""
        return np.asarray(self.responsibilities.argmax(axis=1), dtype=np.int64)

    @property
    def subset_note(self) -> str | None:
        """Says so where not all rows are drawn."""
        if len(self.row_indices) == self.n_all_rows:
            return None
        return (
            f"{canvas.format_number(len(self.row_indices), 0)} of {canvas.format_count(self.n_all_rows, 'row')} drawn"
        )


@dataclass(frozen=True)
class AxisUnits:
    """What an axis is written in: value = (data - offset) / 10**exponent, so that its numbers stay short.

    The offset is 0 unless the axis lies over 1e4 of its lengths from zero, the exponent unless the
    numbers left have over six digits before or three zeros after the point.
    """

    offset: float
    exponent: int

    @classmethod
    def from_limits(cls, low: float, high: float) -> "AxisUnits":
        """For an axis from ``low`` to ``high``, in the data's units."""
        size, extent = max(abs(low), abs(high)), 0.5 * high - 0.5 * low
        offset = 0.0
        if 0.0 < extent < size / 1e4:
            middle = 0.5 * low + 0.5 * high
            offset = float(f"{middle:.{max(0, _decimal_exponent(size) - _decimal_exponent(extent) - 1)}e}")
        power = _decimal_exponent(max(abs(low - offset), abs(high - offset)))
        return cls(offset, power if power > 5 or power < -3 else 0)

    @classmethod
    def from_scores(cls, low: float, high: float, reference: float) -> "AxisUnits":
        """For scores from ``low`` to ``high``: differences from a ``reference`` where they are a small part of it."""
        offset = reference if high - low < _MAX_RELATIVE_RANGE_FOR_DIFFERENCES * abs(reference) else 0.0
        power = _decimal_exponent(max(abs(low - offset), abs(high - offset)))
        return cls(offset, power if power > 8 or power < -3 else 0)

    def to_axis_units(self, values: AnyArray) -> Array:
        """Values in the axis' units."""
        half = -self.exponent // 2
        return np.asarray((values - self.offset) * 10.0**half * 10.0 ** (-self.exponent - half))

    def format_label(self, name: str, separator: str = " ") -> str:
        """The name of the axis, with the units where they are not the data's."""
        if self.offset:
            name = f"{name} {'-' if self.offset > 0 else '+'} {abs(self.offset):.15g}".replace("e+", "e")
        return name if self.exponent == 0 else f"{name}{separator}(in units of 1e{self.exponent})"


def _decimal_exponent(value: float) -> int:
    return int(np.floor(np.log10(value))) if value > 0 else 0
