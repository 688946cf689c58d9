"""Mixtures of linearly dependent columns: the columns that score rows, and marginals of any independent columns."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.frame import Frame, frame_from_mean_and_deviation
from gaussmix.core.linalg import left_singular_vectors
from gaussmix.core.linear_relation import LinearRelation
from gaussmix.core.user_warnings import warn_user
from gaussmix.covariance import Structure, covariance_from_matrices
from gaussmix.errors import DataWarning, DependenceError
from gaussmix.model.mixture_parameters import M, MixtureParameters
from gaussmix.model.noise import Box
from gaussmix.transforms import ColumnTransforms, select_transforms
from gaussmix.types import DD, AnyArray, IntD

_MIN_RELATIVE_SINGULAR_VALUE = 1e-9  # of loadings of independent columns


def select_independent_columns(mixture: MixtureParameters, rows: AnyArray) -> AnyArray:
    """Return the columns of transformed rows (n, D) that a mixture scores: all without a dependence.

    DataWarning is issued if a row breaks a relation of the columns.
    """
    dependence = mixture.dependence
    if dependence is None:
        return rows
    messages = describe_broken_relations(mixture, rows)
    if messages:
        warn_user(messages, DataWarning)
    return dependence.select_independent(rows)


def describe_broken_relations(mixture: MixtureParameters, rows: AnyArray) -> str:
    """Return a sentence on the transformed rows (n, D) that break a relation of the columns; empty if none does."""
    dependence = mixture.dependence
    if dependence is None:
        return ""
    values = np.asarray(rows, dtype=np.float64)
    is_broken = dependence.broken_rows(values)
    if not is_broken.any():
        return ""
    names = _transformed_column_names(dependence, mixture.feature_names, mixture.transforms)
    texts = [relation.describe(names) for relation in dependence.broken_relations(values)]
    return str(DataWarning.broken_relations(texts, int(is_broken.sum()), len(values), int(np.argmax(is_broken))))


def describe_relations(mixture: MixtureParameters) -> list[str]:
    """Return each linear relation among the transformed columns in words; an empty list without a dependence."""
    dependence = mixture.dependence
    if dependence is None:
        return []
    return dependence.describe(_transformed_column_names(dependence, mixture.feature_names, mixture.transforms))


def _transformed_column_names(
    dependence: ColumnDependence, feature_names: Sequence[str] | None, transforms: ColumnTransforms | None
) -> list[str]:
    """Return the names (D,) of the columns that the relations are about, such as 'log1p(income)'."""
    names = dependence.column_names(feature_names)
    return names if transforms is None else transforms.format_names(names)


def describe_dependence(
    dependence: ColumnDependence | None,
    feature_names: Sequence[str] | None,
    transforms: ColumnTransforms | None = None,
) -> list[str]:
    """Return sentences on the columns that a fit left out, and why; an empty list without a dependence.

    With ``transforms`` the relations are those of the transformed columns.
    """
    if dependence is None:
        return []
    names = _transformed_column_names(dependence, feature_names, transforms)
    sentences = [_describe_left_out_column(relation, names, feature_names) for relation in dependence.relations]
    return [*sentences, "Densities are those of the independent columns."]


def _describe_left_out_column(
    relation: LinearRelation, names: Sequence[str], feature_names: Sequence[str] | None
) -> str:
    """Return a sentence on a dependent column; ``names`` (D,) are those of all columns, transformed."""
    column = str(relation.column) if feature_names is None else repr(str(feature_names[relation.column]))
    if not len(relation.predictors):
        return f"Column {column} is constant: it separates no groups, and the mixture is fitted without it."
    return f"Columns are linearly dependent, {relation.describe(names)}: the mixture is fitted without column {column}."


def require_independent_columns(mixture: MixtureParameters, operation: str) -> None:
    """Raise DependenceError if a mixture has dependent columns, for an operation that needs a regular covariance."""
    if mixture.dependence is not None:
        raise DependenceError.dependent_columns(operation, describe_relations(mixture))


def attach_dependence(mixture: M, dependence: ColumnDependence | None, names: tuple[str, ...] | None) -> M:
    """Return a mixture of the independent columns as that of all columns, whose names are ``names`` (D,)."""
    return mixture if dependence is None else replace(mixture, feature_names=names, dependence=dependence)


def marginal_of_dependent_columns(mixture: M, dependence: ColumnDependence, positions: IntD) -> M:
    """Return the marginal of some columns, dependent ones included; its noise is uniform over their ranges.

    Raises
    ------
    DependenceError
        If these columns are linearly dependent.
    """
    names = dependence.column_names(mixture.feature_names)
    frame, loadings = _make_marginal_frame(mixture, positions), dependence.loadings[positions]
    with np.errstate(over="ignore", under="ignore"):
        in_frames = np.ldexp(loadings, frame.total_exponent[:, None] - mixture.frame.total_exponent)
    singular_values = left_singular_vectors(in_frames).singular_values
    if (
        len(singular_values) < len(positions)
        or singular_values[-1] <= _MIN_RELATIVE_SINGULAR_VALUE * singular_values[0]
    ):
        raise DependenceError.dependent_columns(
            f"the marginal of {', '.join(names[j] for j in positions)}", describe_relations(mixture)
        )
    matrices = in_frames @ mixture.covariance.matrices() @ in_frames.T
    covariance = covariance_from_matrices(
        Structure.from_name("VVV"), 0.5 * (matrices + np.swapaxes(matrices, 1, 2)), *matrices.shape[:2]
    )
    return replace(
        mixture,
        centers=frame.transform_rows(mixture.means[:, positions]),
        covariance=covariance,
        frame=frame,
        feature_names=None if mixture.feature_names is None else tuple(names[j] for j in positions),
        noise=None
        if mixture.noise is None
        else replace(mixture.noise, box=_marginal_box(mixture, frame, in_frames, positions)),
        n_fixed_parameters=0,
        dependence=None,
        transforms=select_transforms(mixture.transforms, positions),
    )


def _make_marginal_frame(mixture: MixtureParameters, positions: IntD) -> Frame:
    """Return a frame near the mean and the deviation of some columns."""
    means = mixture.means[:, positions]
    weights = mixture.weights / mixture.weights.sum()
    return frame_from_mean_and_deviation(
        Frame.identity(len(positions)), weights @ means, weights @ mixture.standard_deviations[:, positions], True
    )


def _marginal_box(mixture: MixtureParameters, frame: Frame, loadings: DD, positions: IntD) -> Box:
    """Return the ranges of some columns over the box of the noise, in ``frame``; loadings map between the frames."""
    assert mixture.noise is not None
    assert mixture.dependence is not None
    box = mixture.noise.box
    middle = mixture.frame.restore_means((0.5 * box.minimum + 0.5 * box.maximum)[None])
    center = frame.transform_rows(mixture.dependence.expand_rows(middle)[:, positions])[0]
    half = np.abs(loadings) @ (0.5 * box.maximum - 0.5 * box.minimum)
    return Box(center - half, center + half)
