"""Marginal mixtures of some columns, also of dependent ones, and conditional mixtures given some columns."""

from dataclasses import replace

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.frame import Frame, frame_from_mean_and_deviation
from gaussmix.core.linalg import left_singular_vectors
from gaussmix.covariance import Structure, covariance_from_matrices
from gaussmix.errors import DependenceError
from gaussmix.model.column_dependence import describe_relations
from gaussmix.model.gaussian_algebra import condition_gaussians
from gaussmix.model.mixture_parameters import M, MixtureParameters
from gaussmix.model.noise import Box, Noise
from gaussmix.transforms import select_transforms
from gaussmix.types import DD, ND, IntD, K

_MIN_RELATIVE_SINGULAR_VALUE = 1e-9  # of loadings of independent columns


def marginal_of_columns(mixture: M, positions: IntD) -> M:
    """Return the marginal of the columns at some positions, dependent ones included.

    Raises
    ------
    DependenceError
        If these columns are linearly dependent.
    """
    if mixture.dependence is not None:
        return _marginal_of_dependent_columns(mixture, mixture.dependence, positions)
    matrices = mixture.covariance.matrices()[:, positions[:, None], positions]
    noise = mixture.noise
    return replace(
        mixture,
        centers=mixture.centers[:, positions],
        # A block of a structured covariance need not have the structure. VVV allows any.
        covariance=covariance_from_matrices(Structure.from_name("VVV"), matrices, *matrices.shape[:2]),
        frame=mixture.frame.select_columns(positions),
        feature_names=_select_names(mixture.feature_names, positions),
        noise=None if noise is None else replace(noise, box=noise.box.select_columns(positions)),
        n_fixed_parameters=0,
        transforms=select_transforms(mixture.transforms, positions),
    )


def conditional_of_other_columns(mixture: M, known: IntD, point: ND, probabilities: K) -> M:
    """Return the conditional mixture of the other columns of a mixture without dependent columns.

    Parameters
    ----------
    mixture : MixtureParameters
    known : ndarray of shape (d,)
        Positions of the known columns.
    point : ndarray of shape (1, d)
        Their values in the data's units.
    probabilities : ndarray of shape (K,) or (K + 1,)
        Probabilities of the components, the noise last, given these values.
    """
    transforms, frame, noise = select_transforms(mixture.transforms, known), mixture.frame, mixture.noise
    transformed = point if transforms is None else transforms.forward(point)
    in_frame = frame.select_columns(known).transform_rows(transformed)[0]
    centers, covariance = condition_gaussians(mixture.centers, mixture.covariance, known, in_frame)
    others = np.setdiff1d(np.arange(mixture.n_features), known)
    return replace(
        mixture,
        weights=probabilities[: mixture.n_components],
        centers=centers,
        covariance=covariance,
        frame=frame.select_columns(others),
        feature_names=_select_names(mixture.feature_names, others),
        noise=None if noise is None else Noise(float(probabilities[-1]), noise.box.select_columns(others)),
        n_fixed_parameters=0,
        transforms=select_transforms(mixture.transforms, others),
    )


def _select_names(feature_names: tuple[str, ...] | None, positions: IntD) -> tuple[str, ...] | None:
    """Return the names of the columns at some positions; None without names."""
    return None if feature_names is None else tuple(feature_names[j] for j in positions)


def _marginal_of_dependent_columns(mixture: M, dependence: ColumnDependence, positions: IntD) -> M:
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
        feature_names=_select_names(mixture.feature_names, positions),
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
