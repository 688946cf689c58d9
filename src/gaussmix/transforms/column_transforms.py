"""``ColumnTransforms``: a transform, or none, for each column of a table.

Rows pass through `forward` before a fit and before a prediction. Log densities then get `log_abs_det_jacobian`, so that
they are densities in the data's units, and medians and samples pass through `inverse`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gaussmix.core.scalar_checks import is_integer
from gaussmix.errors import ColumnNameError, ParameterError, TransformError
from gaussmix.transforms.transform_kinds import FIT_FUNCTIONS, TRANSFORM_CLASSES, TRANSFORM_NAMES, AbstractTransform
from gaussmix.types import ND, AnyArray, D, IntD, N

# None, a name for all columns, or a mapping from names or positions of columns to names.
_ALLOWED_TEXT = f"None, {', '.join(map(repr, TRANSFORM_NAMES))}, or a mapping from columns to these"

TransformLike = str | Mapping[Any, str | None] | None


@dataclass(frozen=True)
class ColumnTransforms:
    """A transform for each of D columns; None leaves a column as it is.

    Attributes
    ----------
    transforms : tuple of AbstractTransform or None
    """

    transforms: tuple[AbstractTransform | None, ...]

    @property
    def n_parameters(self) -> int:
        """Number of estimated parameters that an information criterion counts: one for each lambda."""
        return sum(transform.n_parameters for transform in self.transforms if transform is not None)

    @property
    def names(self) -> tuple[str | None, ...]:
        """Name of each column's transform, or None."""
        return tuple(None if transform is None else transform.name for transform in self.transforms)

    def forward(self, rows: AnyArray, feature_names: Sequence[str] | None = None) -> ND:
        """Return transformed rows (n, D) in the float type of the rows; raise TransformError outside the domain.

        Missing cells, NaN, stay missing.
        """
        is_outside = self.is_outside_domain(rows)
        if is_outside.any():
            row = int(np.argmax(is_outside))
            raise self._outside_domain_error(row, np.asarray(rows[row], dtype=np.float64), feature_names)
        with np.errstate(over="ignore"):
            transformed = self._map_columns(rows, lambda transform, values: transform.forward(values))
        has_overflown = np.isinf(transformed)
        if has_overflown.any():
            row, column = (int(i) for i in np.argwhere(has_overflown)[0])
            raise TransformError.overflow(str(self.names[column]), row, _format_column(column, feature_names))
        return transformed.astype(np.float32) if rows.dtype == np.float32 else transformed

    def forward_inside_domain(self, rows: AnyArray) -> ND:
        """Return transformed rows (n, D); values outside the domain become those of zero."""
        is_outside = self.is_outside_domain(rows)
        return self.forward(np.where(is_outside[:, None], 0.0, rows) if is_outside.any() else rows)

    def inverse(self, rows: AnyArray) -> ND:
        """Return rows (n, D) in the data's units from transformed rows."""
        return self._map_columns(rows, lambda transform, values: transform.inverse(values))

    def log_abs_det_jacobian(self, rows: AnyArray, columns: IntD | None = None) -> N:
        """Return the log of the determinant of the Jacobian of `forward` at each row (n, D) in the data's units, (n,).

        It is minus infinity outside the domain, where the density is 0. With positions of ``columns`` (d,) it is the
        Jacobian of these columns alone. Missing cells, NaN, count nothing.
        """
        is_outside = self.is_outside_domain(rows)
        total = np.zeros(len(rows))
        for j in range(len(self.transforms)) if columns is None else columns:
            transform, column = self.transforms[j], np.asarray(rows[:, j], dtype=np.float64)
            if transform is not None:
                inside = np.where(is_outside, 0.0, column) if is_outside.any() else column
                total += _log_derivative_of_present(transform, inside)
        return np.where(is_outside, -np.inf, total)

    def total_log_derivatives(self, rows: AnyArray, weights: N | None) -> D:
        """Return the sum of the log derivative of each column's transform over weighted rows (n, D), shape (D,)."""
        totals = np.zeros(len(self.transforms))
        for j, transform in enumerate(self.transforms):
            if transform is not None:
                values = _log_derivative_of_present(transform, np.asarray(rows[:, j], dtype=np.float64))
                totals[j] = values.sum() if weights is None else weights @ values
        return totals

    def format_names(self, names: Sequence[str]) -> list[str]:
        """Return the names (D,) of the transformed columns, such as 'log1p(income)'."""
        pairs = zip(names, self.transforms, strict=True)
        return [name if transform is None else f"{transform.name}({name})" for name, transform in pairs]

    def is_outside_domain(self, rows: AnyArray) -> AnyArray:
        """Return which rows (n,) have a value that its transform does not allow."""
        is_outside = np.zeros(len(rows), dtype=bool)
        for column, transform in zip(np.asarray(rows).T, self.transforms, strict=True):
            if transform is not None and np.isfinite(transform.minimum):
                is_outside |= column <= transform.minimum
        return is_outside

    def describe(self, feature_names: Sequence[str]) -> list[str]:
        """Return texts such as 'income (yeo-johnson, lambda 0.25)', one for each column that has a transform."""
        pairs = zip(feature_names, self.transforms, strict=True)
        return [f"{name} ({transform.description})" for name, transform in pairs if transform is not None]

    def to_json(self) -> str:
        """Return names and parameters as JSON, with all digits."""
        values = [None if each is None else {"name": each.name, **asdict(each)} for each in self.transforms]
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str, n_features: int) -> "ColumnTransforms":
        """Return the transforms from the JSON of `to_json`; raise KeyError, TypeError or ValueError if invalid."""
        values = json.loads(text)
        if len(values) != n_features:
            raise ValueError("the number of transforms is not that of the columns")
        return cls(tuple(None if value is None else _transform_from_json(value) for value in values))

    def _map_columns(self, rows: AnyArray, function: Callable[[AbstractTransform, N], N]) -> ND:
        """Return the rows with ``function(transform, column)`` in place of each column that has a transform."""
        mapped = np.array(rows, dtype=np.float64, order="C")
        for j, transform in enumerate(self.transforms):
            if transform is not None:
                mapped[:, j] = function(transform, mapped[:, j])
        return mapped

    def _outside_domain_error(self, row: int, values: N, feature_names: Sequence[str] | None) -> TransformError:
        """Return the error about the first value of a row that its transform does not allow."""
        for j, transform in enumerate(self.transforms):
            if transform is not None and values[j] <= transform.minimum:
                break
        assert transform is not None
        name = _format_column(j, feature_names)
        return TransformError.outside_domain(transform.name, transform.minimum, float(values[j]), row, name)


def select_transforms(transforms: ColumnTransforms | None, positions: IntD) -> ColumnTransforms | None:
    """Return the transforms of some columns; None if they have none."""
    if transforms is None:
        return None
    chosen = tuple(transforms.transforms[j] for j in positions)
    return ColumnTransforms(chosen) if any(transform is not None for transform in chosen) else None


def fit_column_transforms(
    transform: TransformLike,
    rows: AnyArray,
    weights: N | None = None,
    feature_names: Sequence[str] | None = None,
) -> ColumnTransforms | None:
    """Estimate the transforms of the columns of rows (n, D) with weights (n,); None if no column has one.

    Parameters
    ----------
    transform : None, str or mapping
        A name for all columns, or a mapping from names or positions of columns to names or None.
    rows : ndarray of shape (n, D)
    weights : ndarray of shape (n,), optional
    feature_names : sequence of str, optional

    Raises
    ------
    ParameterError, DataError
        If a transform or a column does not exist.
    TransformError
        If a value is outside the domain of its transform.
    """
    names = parse_transform_names(transform, rows.shape[1], feature_names)
    if not any(names):
        return None
    row_weights = np.ones(len(rows)) if weights is None else weights
    transforms = [
        None if name is None else FIT_FUNCTIONS[name](*_sort_values(column, row_weights))
        for name, column in zip(names, rows.T, strict=True)
    ]
    return ColumnTransforms(tuple(transforms))


def _log_derivative_of_present(transform: AbstractTransform, column: N) -> N:
    """Return the log derivative of a transform at the values of a column (n,), and 0 where one is missing."""
    return np.where(np.isnan(column), 0.0, transform.log_derivative(column))


def _sort_values(column: AnyArray, row_weights: N) -> tuple[N, N]:
    """Return the present values (m,) of positive weight and their weights, sorted.

    So sums do not depend on the order of the rows.
    """
    is_present = (row_weights > 0) & ~np.isnan(column)
    values, weights = np.asarray(column[is_present], dtype=np.float64), row_weights[is_present]
    order = np.lexsort((weights, values))
    return values[order], weights[order]


def _format_column(column: int, feature_names: Sequence[str] | None) -> str:
    """Return the quoted name of a column, or its number if columns have no names."""
    return str(column) if feature_names is None else repr(str(feature_names[column]))


def parse_transform_names(
    transform: TransformLike, n_features: int, feature_names: Sequence[str] | None
) -> list[str | None]:
    """Return the name of each column's transform, or None; raise an error if one is unknown."""
    if transform is None or isinstance(transform, str):
        return [_require_transform_name(transform)] * n_features
    if not isinstance(transform, Mapping):
        raise ParameterError.invalid_value("column_transform", transform, _ALLOWED_TEXT)
    names: list[str | None] = [None] * n_features
    for column, name in transform.items():
        names[_find_column(column, n_features, feature_names)] = _require_transform_name(name)
    return names


def _require_transform_name(name: object) -> str | None:
    """Return the name of a transform or None; raise ParameterError for anything else."""
    if name is None or (isinstance(name, str) and name in TRANSFORM_NAMES):
        return name
    raise ParameterError.invalid_value("column_transform", name, _ALLOWED_TEXT)


def _find_column(column: object, n_features: int, feature_names: Sequence[str] | None) -> int:
    """Return the position of a column given by name or position; raise an error if there is none."""
    names = [] if feature_names is None else list(feature_names)
    if isinstance(column, str) and column in names:
        return names.index(column)
    if is_integer(column, 0) and int(column) < n_features:  # type: ignore[call-overload]
        return int(column)  # type: ignore[call-overload, no-any-return]
    if isinstance(column, str):
        if feature_names is None:
            raise ColumnNameError.columns_without_names(column, n_features)
        raise ColumnNameError.unknown_columns([column], names)
    allowed = f"a name or a position up to {n_features - 1}"
    raise ParameterError.invalid_value("a column of column_transform", column, allowed)


def _transform_from_json(value: dict[str, Any]) -> AbstractTransform:
    """Return a transform from its name and parameters; raise an error if they are invalid."""
    parameters = {name: float(number) for name, number in value.items() if name != "name"}
    transform = TRANSFORM_CLASSES[value["name"]](**parameters)
    if not transform.is_valid:
        raise ValueError("a parameter of a transform is not allowed")
    return transform
