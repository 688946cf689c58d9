"""``MixtureParameters``: weights, means and covariances, in working coordinates and in the data's units."""

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.frame import Frame
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance import AbstractCovariance, Structure, contract_covariances, rescale_columns
from gaussmix.errors import ParameterError
from gaussmix.errors.text import format_count
from gaussmix.model.noise import N_NOISE_PARAMETERS, Noise, append_noise_weight
from gaussmix.transforms import ColumnTransforms, select_transforms
from gaussmix.types import KD, KDD, ND, AnyArray, Array, IntD, K

M = TypeVar("M", bound="MixtureParameters")


@dataclass(frozen=True, eq=False)
class MixtureParameters:
    """The parameters of a mixture of K Gaussians in D dimensions, with or without a noise component; immutable.

    Attributes
    ----------
    weights : ndarray of shape (K,)
        Weights of the Gaussians. With the weight of the noise component they add up to 1.
    centers : ndarray of shape (K, D)
        Means in the working coordinates of ``frame``.
    covariance : AbstractCovariance
        Covariances in the working coordinates of ``frame``.
    frame : Frame
        The map from the data's units to working coordinates, in which data far from zero or in tiny units
        keep their precision.
    feature_names : tuple of str, optional
    noise : Noise, optional
        A component of constant density.
    n_fixed_parameters : int, default=0
        Number of parameters that a fit kept fixed.
    dependence : ColumnDependence, optional
        Linear relations among the columns. The D columns of ``centers``, ``covariance``, ``frame`` and ``noise`` are
        then the independent ones, and so are densities. Means, covariances and samples in the data's units have all
        columns.
    transforms : ColumnTransforms, optional
        Transforms of all columns, dependent ones included. All other parameters, and the relations of a
        ``dependence``, are those of the transformed columns. Rows that are scored or sampled are in the data's units,
        and so are densities.
    """

    weights: K
    centers: KD
    covariance: AbstractCovariance
    frame: Frame
    feature_names: tuple[str, ...] | None = None
    noise: Noise | None = None
    n_fixed_parameters: int = 0
    dependence: ColumnDependence | None = None
    transforms: ColumnTransforms | None = None

    @property
    def structure(self) -> Structure:
        """Covariance structure."""
        return self.covariance.structure

    @property
    def n_components(self) -> int:
        """Number of Gaussians K."""
        return len(self.weights)

    @property
    def n_features(self) -> int:
        """Number of columns, dependent ones included."""
        return self.n_independent_features if self.dependence is None else self.dependence.n_features

    @property
    def n_independent_features(self) -> int:
        """Number of columns D that no relation gives; all columns without a dependence."""
        return int(self.centers.shape[1])

    @property
    def independent_part(self: M) -> M:
        """The mixture of the independent columns alone; the mixture itself without a dependence."""
        if self.dependence is None:
            return self
        names = self.dependence.select_names(self.feature_names)
        return replace(self, feature_names=names, dependence=None, transforms=self.independent_transforms)

    @property
    def independent_columns(self) -> IntD:
        """Positions (d,) of the independent columns; all columns without a dependence."""
        return np.arange(self.n_features) if self.dependence is None else self.dependence.independent

    @property
    def independent_transforms(self) -> ColumnTransforms | None:
        """The transforms of the independent columns, which densities and numbers of parameters depend on."""
        return select_transforms(self.transforms, self.independent_columns)

    @property
    def n_parameters(self) -> int:
        """Number of free parameters: K - 1 weights, K D means, covariances, transforms, and two of the noise."""
        count = (
            self.structure.n_mixture_parameters(self.n_components, self.n_independent_features)
            - self.n_fixed_parameters
        )
        independent_transforms = self.independent_transforms
        count += 0 if independent_transforms is None else independent_transforms.n_parameters
        return count if self.noise is None else count + N_NOISE_PARAMETERS

    @property
    def means(self) -> KD:
        """Means (K, D) in the data's units, or those of the transformed columns."""
        return self._expand_columns(self.frame.restore_means(self.centers))

    @property
    def medians(self) -> KD:
        """Median of each column within each component (K, D), in the data's units: the means without transforms."""
        return self.restore_points(self.centers)

    def transform_rows(self, rows: AnyArray) -> AnyArray:
        """Return rows (n, D) in the data's units after the transforms of the columns.

        TransformError is raised if a value is outside the domain of its transform, or overflows.
        """
        return rows if self.transforms is None else self.transforms.forward(rows, self.feature_names)

    def restore_points(self, points: ND) -> ND:
        """Return points (n, D) in the data's units from the working coordinates of ``frame``."""
        restored = self._expand_columns(self.frame.restore_means(points))
        return restored if self.transforms is None else self.transforms.inverse(restored)

    def _expand_columns(self, rows: ND) -> ND:
        """Return all columns (n, D) of rows (n, d) of the independent ones."""
        return rows if self.dependence is None else self.dependence.expand_rows(rows)

    @property
    def half_widths(self) -> KD:
        """Half the distance of the quantiles one standard deviation below and above the median (K, D), in data units.

        They are the standard deviations of columns without a transform.
        """
        deviations = self.standard_deviations
        if self.transforms is None:
            return deviations
        low, high = (self.transforms.inverse(self.means + sign * deviations) for sign in (-1.0, 1.0))
        is_transformed = np.array([name is not None for name in self.transforms.names])
        return np.where(is_transformed, 0.5 * (high - low), deviations)

    @property
    def covariances(self) -> KDD:
        """Covariance matrices (K, D, D) in squared units of the data; an overflow raises UnrepresentableError.

        With dependent columns they are singular.
        """
        covariances = self.frame.restore_covariances(self.covariance.matrices())
        return covariances if self.dependence is None else self.dependence.expand_covariances(covariances)

    @property
    def standard_deviations(self) -> KD:
        """Standard deviation of each column within each component (K, D), in the data's units.

        They are representable even where variances overflow or underflow.
        """
        matrices = self.covariance.matrices()
        in_frame = np.sqrt(np.diagonal(matrices, axis1=1, axis2=2))
        with np.errstate(under="ignore"):
            deviations = np.asarray(np.ldexp(in_frame, -self.frame.total_exponent))
        if self.dependence is None:
            return deviations
        correlations = matrices / (in_frame[:, :, None] * in_frame[:, None, :])
        return self.dependence.expand_standard_deviations(deviations, correlations)

    @property
    def precisions(self) -> KDD:
        """Inverse covariance matrices (K, D, D) in inverse squared units of the data; zero at dependent columns."""
        precisions = self.frame.restore_precisions(self.covariance.precisions())
        return precisions if self.dependence is None else self.dependence.pad_with_zeros(precisions, (1, 2))

    @property
    def sklearn_covariances(self) -> Array:
        """The covariances in squared units of the data, in the shape of scikit-learn's ``covariances_``.

        With dependent columns, axis-aligned structures give the variance of every column, and spherical ones that of
        the independent columns.
        """
        if self.structure.is_spherical:
            return contract_covariances(self.structure, self.independent_part.covariances)
        return contract_covariances(self.structure, self.covariances)

    def __repr__(self) -> str:
        sizes = [format_count(self.n_components, "component"), format_count(self.n_features, "feature")]
        noise = [] if self.noise is None else ["noise"]
        return f"{type(self).__name__}({', '.join([*sizes, self.structure.name_with_alias_or_n_factors, *noise])})"

    def to_quadratics(self) -> Quadratics:
        """Return the quadratics that score rows: offset log weight - (D log 2 pi + log |S|) / 2, the noise last.

        They are one object at every call, so that an engine prepares a pass for them once.
        """
        quadratics: Quadratics | None = self.__dict__.get("_quadratics")
        if quadratics is None:
            quadratics = self.__dict__["_quadratics"] = self._compute_quadratics()
        return quadratics

    def __getstate__(self) -> dict[str, object]:
        """Return the state without the quadratics, which are computed again where they are needed."""
        return {name: value for name, value in self.__dict__.items() if name != "_quadratics"}

    def _compute_quadratics(self) -> Quadratics:
        """Return the quadratics, computed anew."""
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.weights)
        constant = self.n_independent_features * math.log(2.0 * math.pi) + self.covariance.log_determinants
        quadratics = Quadratics(log_weights - 0.5 * constant, self.centers, self.covariance.precision_root)
        return quadratics if self.noise is None else self.noise.append_to_quadratics(quadratics)


def require_same_columns(operation: str, first: MixtureParameters, second: MixtureParameters) -> None:
    """Raise a ParameterError unless two mixtures have the same number of columns and, if both have names, the same.

    ``operation`` names what needs the same columns: 'product'.
    """
    if second.n_features != first.n_features:
        raise ParameterError.wrong_n_features(operation, second.n_features, first.n_features)
    if None not in (first.feature_names, second.feature_names) and first.feature_names != second.feature_names:
        raise ParameterError.different_columns(operation, first.feature_names or (), second.feature_names or ())


def change_frame(mixture: M, frame: Frame) -> M:
    """Return the same distribution in the coordinates of another frame; exact if the frames are equal."""
    old_frame = mixture.frame
    parts = ("shrink_exponent", "center", "scale_exponent")
    if all(np.array_equal(getattr(old_frame, part), getattr(frame, part)) for part in parts):
        return mixture
    centers = frame.transform_rows(old_frame.restore_means(mixture.centers))
    covariance = rescale_columns(mixture.covariance, frame.total_exponent - old_frame.total_exponent)
    noise = (
        None if mixture.noise is None else replace(mixture.noise, box=mixture.noise.box.change_frame(old_frame, frame))
    )
    return replace(mixture, centers=centers, covariance=covariance, frame=frame, noise=noise)


def expected_moments_per_unit_weight(mixture: MixtureParameters, kind: MomentKind) -> Moments:
    """Return the moments of rows distributed as a mixture; masses are its weights, the noise last if there is any.

    After an EM step without prior and ridge, these are the moments from which the step was computed.
    """
    weights, centers = append_noise_weight(mixture.weights, mixture.noise), mixture.centers
    covariances = mixture.covariance.matrices()
    if mixture.noise is not None:
        centers = np.vstack([centers, mixture.noise.box.center])
        covariances = np.concatenate([covariances, np.zeros_like(covariances[:1])])
    full = Moments(weights, centers, weights[:, None, None] * covariances, MomentKind.FULL)
    return full.to_kind(kind)
