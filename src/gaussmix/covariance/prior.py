"""What may be believed of means and covariances before the data: a conjugate prior, for every structure.

    mean_k | Sigma_k ~ normal(location, Sigma_k / shrinkage),    Sigma_k ~ inverse Wishart(degrees, scale)

The most probable parameters are then those that maximum likelihood would find had each component seen
some more scatter, and divided it by some more mass (Fraley & Raftery, "Bayesian regularization for
normal mixture estimation and model-based clustering", J. Classification 24, 2007, table 1). Where
variances are held along the axes, or one for all of them, each is inverse gamma instead; where a part is shared
by all components, it counts once. Weights have none.
"""

import numbers
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.linalg import cholesky
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import DataError, ParameterError
from gaussmix.types import DD, KD, Array, ArrayLike, D

CountFunction = Callable[[int], float]
"""How often each of so many components counts the prior."""


def _count_per_component(n_components: int) -> float:
    return 1.0


def _count_once(n_components: int) -> float:
    return 1.0 / n_components


def _count_nearly_zero(n_components: int) -> float:
    """mclust's VEV adds no mass; without any, the covariance of a component without rows has no bound."""
    return 1e-3


MassFunction = Callable[[float, int], float]
"""Mass from the degrees of freedom and the number of columns."""


def _matrix_mass(degrees_of_freedom: float, n_features: int) -> float:
    return degrees_of_freedom + n_features + 1.0


def _column_variances_mass(degrees_of_freedom: float, n_features: int) -> float:
    return degrees_of_freedom + 2.0


def _single_variance_mass(degrees_of_freedom: float, n_features: int) -> float:
    return (degrees_of_freedom + 2.0) / n_features


_PRIOR_COUNTS: dict[str, tuple[CountFunction, CountFunction, MassFunction]] = {
    "EII": (_count_once, _count_once, _single_variance_mass),
    "VII": (_count_per_component, _count_per_component, _single_variance_mass),
    "EEI": (_count_once, _count_once, _column_variances_mass),
    "VEI": (_count_per_component, _count_per_component, _single_variance_mass),
    "EVI": (_count_once, _count_per_component, _column_variances_mass),
    "VVI": (_count_per_component, _count_per_component, _column_variances_mass),
    "EEE": (_count_once, _count_once, _matrix_mass),
    "VEE": (_count_per_component, _count_per_component, _matrix_mass),
    "EVE": (_count_once, _count_per_component, _matrix_mass),
    "VVE": (_count_per_component, _count_per_component, _matrix_mass),
    "EEV": (_count_once, _count_per_component, _matrix_mass),
    "VEV": (_count_nearly_zero, _count_per_component, _matrix_mass),
    "EVV": (_count_once, _count_per_component, _matrix_mass),
    "VVV": (_count_per_component, _count_per_component, _matrix_mass),
    **dict.fromkeys(("CCC", "CCU"), (_count_once, _count_once, _matrix_mass)),
    **dict.fromkeys(
        ("CUC", "CUU", "UCC", "UCU", "UUC", "UUU"), (_count_per_component, _count_per_component, _matrix_mass)
    ),
}
"""Who counts the mass, who the scale, and the size of the mass: as found in mclust's M-steps where it has them.

A location adds one more, but where mass hardly counts. (mclust's EII leaves the scale out, its EEV the
shrinkage; here both count.) Whatever the counts are, the step
maximises the likelihood times exp(-(mass log|Sigma_k| + tr(Sigma_k^-1 scale)) / 2), so that product never falls.
"""


def _prior_counts_key(structure: Structure, n_components: int) -> str:
    """The row of a structure; of one component, that of the form alone, since nothing is shared."""
    if n_components > 1:
        return str(structure)
    if not structure.is_axis_aligned:
        return "VVV"
    return "VII" if structure.is_spherical else "VVI"


@dataclass(frozen=True)
class NormalInverseWishart:
    """The prior in the coordinates of a frame: ``location`` (D,), ``scale`` (D, D)."""

    shrinkage: float
    location: D
    degrees_of_freedom: float
    scale: DD

    def add_to_moments(self, moments: Moments, structure: Structure) -> Moments:
        """Means drawn towards the location, the scatter about them, and the mass that this is to be divided by."""
        n_components = len(moments.mass)
        own = self.prior_statistics(structure, n_components)
        if self.shrinkage:
            weight = np.full(n_components, self.shrinkage)
            nothing = np.zeros_like(moments.scatter)
            located = np.broadcast_to(self.location, moments.mean.shape)
            pulled = moments + Moments(weight, located, nothing, moments.kind)
        else:
            pulled = moments
        each = np.broadcast_to(own.scatter, (n_components, *own.scatter.shape))
        gained = Moments(np.ones(n_components), np.zeros(each.shape[:2]), each, MomentKind.FULL).to_kind(moments.kind)
        return Moments(moments.mass + own.mass, pulled.mean, pulled.scatter + gained.scatter, moments.kind)

    def log_density(self, centers: KD, covariance: AbstractCovariance) -> float:
        """Logarithm of the prior's density at centres (K, D) and covariances, up to a constant."""
        own, roots = self.prior_statistics(covariance.structure, len(centers)), covariance.precision_root
        eye = np.eye(len(own.scatter))
        total = own.mass * float(covariance.log_determinants.sum())
        for k, center in enumerate(centers):
            total += float((roots.whiten(own.scatter, k) * roots.whiten(eye, k)).sum())  # tr(Sigma^-1 scatter)
            total += own.shrinkage * float((roots.whiten((center - own.location)[None], k) ** 2).sum())
        return -0.5 * total

    def prior_statistics(self, structure: Structure, n_components: int) -> PriorStatistics:
        """What every component of a structure gains, in numbers."""
        part = self._scale_fraction(structure, n_components) * self._structured_scale(structure)
        return PriorStatistics(self.shrinkage, self._added_mass(structure, n_components), self.location, part)

    def _added_mass(self, structure: Structure, n_components: int) -> float:
        """What each component's denominator gains."""
        counted, _, size = _PRIOR_COUNTS[_prior_counts_key(structure, n_components)]
        own = size(self.degrees_of_freedom, len(self.location)) * counted(n_components)
        return own + (1.0 if self.shrinkage and counted is not _count_nearly_zero else 0.0)

    def _scale_fraction(self, structure: Structure, n_components: int) -> float:
        """The part of the scale that falls to each component."""
        return _PRIOR_COUNTS[_prior_counts_key(structure, n_components)][1](n_components)

    def _structured_scale(self, structure: Structure) -> DD:
        """The scale in the form of the structure: a matrix, variances, or their sum of one for all columns."""
        variances = np.diagonal(self.scale)
        if not structure.is_axis_aligned:
            return self.scale
        return np.diag(
            variances if not structure.is_spherical else np.full(len(variances), variances.mean() / len(variances))
        )


@dataclass(frozen=True, eq=False)
class DefaultPrior:
    """A prior that takes what is not given from the data, as mclust's ``defaultPrior`` does.

    mean_k | Sigma_k ~ normal(location, Sigma_k / shrinkage), Sigma_k ~ inverse Wishart(degrees_of_freedom, scale);
    variances along the axes are inverse gamma. The fit finds the most probable parameters: components of few rows
    keep a covariance near to the scale, where maximum likelihood would let them collapse. How often a
    structure counts the prior is as in mclust's M-steps, but that EII there leaves the scale out, EEV the shrinkage,
    and VEV adds no mass at all (here, hardly any); mclust has none for VEE, EVE, VVE and EVV. Its EM ends a little
    elsewhere for EEI, VEI and EVI, since not every step there maximises.

    It is made for few columns. An inverse Wishart of D + 2 degrees counts for 2 D + 3 rows, so that with fewer rows
    than columns it outweighs the data, whose covariance, which it takes for scale, is singular then.

    Parameters
    ----------
    shrinkage : float, default=0.01
        Rows that the location counts for in each mean; 0 leaves means alone.
    location : array-like of shape (D,), optional
        Where means are drawn to; the data's mean if not given.
    degrees_of_freedom : float, optional
        Degrees of freedom, more than D - 1; D + 2 if not given.
    scale : array-like of shape (D, D), optional
        In the data's units squared. The covariance of the data over K^(2/D) if not given; for structures along
        the axes the mean of its variances in every column, so that the scale of single columns matters to EEI,
        VEI, EVI and VVI, too.

    References
    ----------
    Fraley & Raftery, J. Classification 24 (2007).

    Examples
    --------
    >>> from gaussmix import DefaultPrior, GaussianMixture
    >>> mixture = GaussianMixture(2, prior=DefaultPrior(shrinkage=0)).fit([[1.0], [1.2], [5.0], [5.3]])
    >>> mixture.means_.round(2).tolist()
    [[1.1], [5.15]]
    """

    shrinkage: float = 0.01
    location: ArrayLike | None = None
    degrees_of_freedom: float | None = None
    scale: ArrayLike | None = None

    @classmethod
    def from_parameter(cls, prior: object) -> "DefaultPrior | None":
        """A prior as users ask for it: None, 'default' or one of these; ParameterError for anything else."""
        if prior is None or isinstance(prior, cls):
            return prior
        if isinstance(prior, str) and prior == "default":
            return cls()
        raise ParameterError.invalid_value("prior", prior, "None, 'default' or a gaussmix.DefaultPrior")

    def checked_parameters(self, n_features: int) -> tuple[D | None, float, DD | None]:
        """Location, degrees and scale, checked for so many columns; None where the data shall say.

        Raises
        ------
        ParameterError
            If a number or a shape is not allowed; the message says which.
        """
        if not (_is_real_number(self.shrinkage) and 0.0 <= self.shrinkage < np.inf):
            raise ParameterError.invalid_value("shrinkage", self.shrinkage, "a finite number of at least 0")
        degrees_of_freedom = n_features + 2.0 if self.degrees_of_freedom is None else self.degrees_of_freedom
        if not (_is_real_number(degrees_of_freedom) and n_features - 1 < degrees_of_freedom < np.inf):
            allowed = f"a finite number of more than {n_features - 1}"
            raise ParameterError.invalid_value("degrees_of_freedom", degrees_of_freedom, allowed)
        location = None if self.location is None else _parse_array("location", self.location, (n_features,))
        scale = None if self.scale is None else _parse_array("scale", self.scale, (n_features, n_features))
        if scale is not None and (not np.allclose(scale, scale.T) or cholesky(scale) is None):
            raise ParameterError.not_positive_definite("scale")
        return location, float(degrees_of_freedom), scale


def _is_real_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _parse_array(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError.invalid_value(name, value, "an array of numbers") from None
    if array.shape != shape:
        raise ParameterError.wrong_shape(name, array.shape, shape)
    if not np.isfinite(array).all():
        raise DataError.not_finite_parameter(name)
    return array
