"""Select the columns, rows and axis units of a plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core.input_arrays import parse_rows
from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import ColumnNameError, ParameterError
from gaussmix.model import Mixture
from gaussmix.model.prediction import uncertainty
from gaussmix.plots import canvas
from gaussmix.types import ND, NK, AnyArray, Array, ArrayLike, D, IntN, N

MAX_ROWS = 5000
_MAX_RELATIVE_RANGE_FOR_DIFFERENCES = 1e-4  # below this relative range an axis shows differences of scores
_N_SEPARATION_ROWS = 1000  # rows from which `select_separating_columns` computes entropies
_UNCERTAIN_ABOVE = 0.2  # uncertainty of the rows that a sample represents beside the components
_MAX_RESERVED_FRACTION = 0.1  # of a sample, for rows of small components and uncertain rows
_N_PRESELECTED_COLUMNS = 40  # columns whose entropy `select_separating_columns` computes


def column_name(mixture: Mixture, column: int) -> str:
    """Return the name of a column, or 'column 0' if the mixture has no feature names."""
    return f"column {column}" if mixture.feature_names is None else str(mixture.feature_names[column])


def resolve_columns(mixture: Mixture, columns: Sequence[int | str]) -> list[int]:
    """Return the numbers, from 0, of columns that are given by number or name; raise an error if one does not exist.

    Negative numbers count from the end.

    Raises
    ------
    ColumnNameError
        If no column has a given name.
    ParameterError
        If a number is out of range, a column occurs twice, or ``columns`` is empty.
    """
    names = [column_name(mixture, j) for j in range(mixture.n_features)]
    missing = [column for column in columns if isinstance(column, str) and column not in names]
    if missing:
        raise ColumnNameError.unknown_columns([str(name) for name in missing], names)
    numbers = [names.index(column) if isinstance(column, str) else int(column) for column in columns]
    indices = [j + mixture.n_features if j < 0 else j for j in numbers]
    are_in_range = all(0 <= j < mixture.n_features for j in indices)
    if not indices or not are_in_range or len(set(indices)) < len(indices):
        raise ParameterError.invalid_value(
            "columns", list(columns), f"distinct columns from 0 to {mixture.n_features - 1}"
        )
    return indices


def select_separating_columns(mixture: Mixture, X: ArrayLike, n_selected_columns: int) -> list[int]:
    """Return the numbers of the columns that separate the components best, in the order of the data.

    The score of a column is the mutual information between the component and that column alone: the entropy of the
    weights minus the mean entropy of the responsibilities under the column's marginal. Columns that are linear
    functions of the others are never selected.
    """
    if mixture.dependence is not None:
        rows = mixture.dependence.select_independent(
            parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
        )
        selected = select_separating_columns(mixture.independent_part, rows, n_selected_columns)
        return [int(j) for j in mixture.dependence.independent[selected]]
    if mixture.n_features <= n_selected_columns:
        return list(range(mixture.n_features))
    all_rows = parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
    rows = all_rows[sample_row_indices(len(all_rows), _N_SEPARATION_ROWS, 0)]
    fractions = _between_component_variance_fractions(mixture)
    preselected = np.sort(np.argsort(-fractions, kind="stable")[: max(n_selected_columns, _N_PRESELECTED_COLUMNS)])
    marginal = mixture.marginal(preselected.tolist())
    information = [
        -_mean_entropy(marginal.marginal([i]).predict_proba(rows[:, [j]])) for i, j in enumerate(preselected.tolist())
    ]
    best = np.argsort(-np.round(information, 9), kind="stable")[:n_selected_columns]
    return sorted(int(j) for j in preselected[best])


def _between_component_variance_fractions(mixture: Mixture) -> D:
    """Return the fraction (D,) of each column's variance that lies between the components."""
    centers, weights = mixture.centers, mixture.weights
    within = weights @ np.diagonal(mixture.covariance.matrices(), axis1=1, axis2=2)
    between = weights @ (centers - weights @ centers) ** 2
    return np.asarray(between / (between + within))


def _mean_entropy(responsibilities: NK) -> float:
    """Return the mean over the rows of the entropy of their responsibilities (n, K)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(responsibilities > 0, responsibilities * np.log(responsibilities), 0.0)
    return float(-terms.sum(axis=1).mean())


def sample_row_indices(n_rows: int, max_rows: int, random_state: int) -> IntN:
    """Return the ascending positions (m,) of all rows, or of ``max_rows`` random ones if there are more."""
    require_integer("max_rows", max_rows, 1)
    if n_rows <= max_rows:
        return np.arange(n_rows)
    rng = np.random.default_rng(random_state)
    return np.sort(rng.choice(n_rows, size=max_rows, replace=False))


def sample_stratified_row_indices(responsibilities: NK, max_rows: int, random_state: int) -> IntN:
    """Return the ascending positions (m,) of all rows, or of ``max_rows`` random ones that represent every component.

    At most a tenth of them is reserved in equal parts for the rows of each component and for the uncertain rows, so
    that small groups have some; the others are drawn at random.
    """
    n_rows, n_components = len(responsibilities), responsibilities.shape[1]
    require_integer("max_rows", max_rows, 1)
    if n_rows <= max_rows:
        return np.arange(n_rows)
    keys = np.random.default_rng(random_state).random(len(responsibilities))
    labels = responsibilities.argmax(axis=1)
    strata = [labels == k for k in range(n_components)]
    strata.append(responsibilities.max(axis=1) < 1.0 - _UNCERTAIN_ABOVE)
    n_reserved = max(1, int(_MAX_RESERVED_FRACTION * max_rows) // len(strata))
    is_reserved = np.zeros(n_rows, dtype=bool)
    for is_inside in strata:
        members = np.flatnonzero(is_inside)
        is_reserved[members[np.argsort(keys[members], kind="stable")[:n_reserved]]] = True
    first = np.argpartition(np.where(is_reserved, keys - 1.0, keys), max_rows - 1)[:max_rows]
    return np.sort(first)


@dataclass(frozen=True)
class PlotSample:
    """The rows (m, D) of a plot, a random subset of all rows, with their responsibilities (m, K).

    ``row_indices`` (m,) are their positions among all rows; ``all_uncertainties`` (n,) belong to all rows.
    """

    rows: ND
    responsibilities: NK
    all_uncertainties: N
    row_indices: IntN
    has_noise: bool = False

    @classmethod
    def from_rows(cls, mixture: Mixture, X: ArrayLike, max_rows: int = MAX_ROWS, random_state: int = 0) -> "PlotSample":
        """Return at most ``max_rows`` random rows of ``X`` in order, their responsibilities, and all uncertainties."""
        rows = parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
        responsibilities = mixture.predict_proba(rows)
        indices = sample_stratified_row_indices(responsibilities, max_rows, random_state)
        uncertainties = uncertainty(responsibilities)
        return cls(rows[indices], responsibilities[indices], uncertainties, indices, mixture.noise is not None)

    @property
    def n_all_rows(self) -> int:
        """Number of all rows, drawn or not."""
        return len(self.all_uncertainties)

    @cached_property
    def labels(self) -> IntN:
        """Most probable component of each drawn row, (m,); the noise component is the last one, not -1."""
        return np.asarray(self.responsibilities.argmax(axis=1), dtype=np.int64)

    @property
    def subset_note(self) -> str | None:
        """Text such as '20 of 200 rows drawn', or None if all rows are drawn."""
        if len(self.row_indices) == self.n_all_rows:
            return None
        n_drawn = canvas.format_number(len(self.row_indices), 0)
        return f"{n_drawn} of {canvas.format_count(self.n_all_rows, 'row')} drawn"


@dataclass(frozen=True)
class AxisUnits:
    """Offset and power of ten that keep the tick labels of an axis short.

    Axis value = (data - offset) / 10**exponent. The offset is 0 unless the axis lies more than 1e4 of its lengths
    from zero. The exponent is 0 unless the values have more than six digits or three zeros after the decimal point.
    """

    offset: float
    exponent: int

    @classmethod
    def from_limits(cls, low: float, high: float) -> "AxisUnits":
        """Return the units of an axis whose ends are ``low`` and ``high`` in the data's units."""
        size, extent = max(abs(low), abs(high)), 0.5 * high - 0.5 * low
        offset = 0.0
        if 0.0 < extent < size / 1e4:
            middle = 0.5 * low + 0.5 * high
            offset = float(f"{middle:.{max(0, _decimal_exponent(size) - _decimal_exponent(extent) - 1)}e}")
        power = _decimal_exponent(max(abs(low - offset), abs(high - offset)))
        return cls(offset, power if power > 5 or power < -3 else 0)

    @classmethod
    def from_scores(cls, low: float, high: float, reference_score: float) -> "AxisUnits":
        """Return the units of an axis of scores, with offset ``reference_score`` if the axis is relatively short."""
        offset = reference_score if high - low < _MAX_RELATIVE_RANGE_FOR_DIFFERENCES * abs(reference_score) else 0.0
        power = _decimal_exponent(max(abs(low - offset), abs(high - offset)))
        return cls(offset, power if power > 8 or power < -3 else 0)

    def to_axis_units(self, values: AnyArray) -> Array:
        """Return values in the units of the axis: without the offset, divided by the power of ten."""
        half = -self.exponent // 2
        return np.asarray((values - self.offset) * 10.0**half * 10.0 ** (-self.exponent - half))

    def format_label(self, name: str, separator: str = " ") -> str:
        """Return the axis label: the name, with the units if they differ from the data's."""
        if self.offset:
            name = f"{name} {'-' if self.offset > 0 else '+'} {abs(self.offset):.15g}".replace("e+", "e")
        return name if self.exponent == 0 else f"{name}{separator}(in units of 1e{self.exponent})"


def _decimal_exponent(value: float) -> int:
    """Return the exponent of the leading decimal digit of a positive value, such as 3 for 2500; 0 for 0."""
    return int(np.floor(np.log10(value))) if value > 0 else 0
