"""The conjugate prior of means and covariances, for every structure.

    mean_k | Sigma_k ~ normal(location, Sigma_k / shrinkage),    Sigma_k ~ inverse Wishart(degrees_of_freedom, scale)

The most probable parameters are those of maximum likelihood after some scatter and some mass are added to each
component (Fraley & Raftery, "Bayesian regularization for normal mixture estimation and model-based clustering",
J. Classification 24, 2007, table 1). For axis-aligned and spherical structures the variances are inverse gamma instead.
A parameter that all components share counts its prior once. The weights have no prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.linalg import cholesky
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.core.symmetric_matrices import is_symmetric
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import ParameterError
from gaussmix.types import DD, KD, ArrayLike, D

# Number of components -> how often each of them counts the prior.
CountFunction = Callable[[int], float]


def _one_prior_count_per_component(n_components: int) -> float:
    """Return 1: each component counts the prior once."""
    return 1.0


def _one_prior_count_in_total(n_components: int) -> float:
    """Return 1 / K: all components together count the prior once."""
    return 1.0 / n_components


def _nearly_zero_prior_count(n_components: int) -> float:
    """Return 0.001: each component counts the mass of the prior almost not at all.

    mclust's VEV adds no mass. Without any, the covariance of a component without rows would have no bound.
    """
    return 1e-3


# (degrees of freedom, number of columns) -> mass.
MassFunction = Callable[[float, int], float]


def _mass_for_covariance_matrix(degrees_of_freedom: float, n_features: int) -> float:
    """Return the prior mass for a covariance matrix: degrees of freedom plus D + 1."""
    return degrees_of_freedom + n_features + 1.0


def _mass_for_column_variances(degrees_of_freedom: float, n_features: int) -> float:
    """Return the prior mass for one variance per column: degrees of freedom plus 2."""
    return degrees_of_freedom + 2.0


def _mass_for_single_variance(degrees_of_freedom: float, n_features: int) -> float:
    """Return the prior mass for one variance of all columns: degrees of freedom plus 2, over D."""
    return (degrees_of_freedom + 2.0) / n_features


# How often a component of each structure counts the mass, how often the scale, and the size of the mass. They are
# those of mclust's M-steps, if it has them. A location adds one to the mass, unless the mass is nearly zero. (mclust
# leaves out the scale for EII and the shrinkage for EEV.) For any counts the M-step maximises the likelihood times
# exp(-(mass log|Sigma_k| + tr(Sigma_k^-1 scale)) / 2), so that this product cannot decrease.
_PRIOR_COUNTS: dict[str, tuple[CountFunction, CountFunction, MassFunction]] = {
    "EII": (_one_prior_count_in_total, _one_prior_count_in_total, _mass_for_single_variance),
    "VII": (_one_prior_count_per_component, _one_prior_count_per_component, _mass_for_single_variance),
    "EEI": (_one_prior_count_in_total, _one_prior_count_in_total, _mass_for_column_variances),
    "VEI": (_one_prior_count_per_component, _one_prior_count_per_component, _mass_for_single_variance),
    "EVI": (_one_prior_count_in_total, _one_prior_count_per_component, _mass_for_column_variances),
    "VVI": (_one_prior_count_per_component, _one_prior_count_per_component, _mass_for_column_variances),
    "EEE": (_one_prior_count_in_total, _one_prior_count_in_total, _mass_for_covariance_matrix),
    "VEE": (_one_prior_count_per_component, _one_prior_count_per_component, _mass_for_covariance_matrix),
    "EVE": (_one_prior_count_in_total, _one_prior_count_per_component, _mass_for_covariance_matrix),
    "VVE": (_one_prior_count_per_component, _one_prior_count_per_component, _mass_for_covariance_matrix),
    "EEV": (_one_prior_count_in_total, _one_prior_count_per_component, _mass_for_covariance_matrix),
    "VEV": (_nearly_zero_prior_count, _one_prior_count_per_component, _mass_for_covariance_matrix),
    "EVV": (_one_prior_count_in_total, _one_prior_count_per_component, _mass_for_covariance_matrix),
    "VVV": (_one_prior_count_per_component, _one_prior_count_per_component, _mass_for_covariance_matrix),
    **dict.fromkeys(
        ("CCC", "CCU"), (_one_prior_count_in_total, _one_prior_count_in_total, _mass_for_covariance_matrix)
    ),
    **dict.fromkeys(
        ("CUC", "CUU", "UCC", "UCU", "UUC", "UUU"),
        (_one_prior_count_per_component, _one_prior_count_per_component, _mass_for_covariance_matrix),
    ),
}


def _prior_counts_key(structure: Structure, n_components: int) -> str:
    """Return the name under which ``_PRIOR_COUNTS`` lists a structure; for one component, an unshared structure."""
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
        """Return moments with means pulled to the location, and with the prior's scatter and mass added."""
        n_components = len(moments.mass)
        statistics = self.prior_statistics(structure, n_components)
        if self.shrinkage:
            pseudo_mass = np.full(n_components, self.shrinkage)
            no_scatter = np.zeros_like(moments.scatter)
            locations = np.broadcast_to(self.location, moments.mean.shape)
            shrunk = moments + Moments(pseudo_mass, locations, no_scatter, moments.kind)
        else:
            shrunk = moments
        scatter = np.broadcast_to(statistics.scatter, (n_components, *statistics.scatter.shape))
        prior_moments = Moments(np.ones(n_components), np.zeros(scatter.shape[:2]), scatter, MomentKind.FULL).to_kind(
            moments.kind
        )
        return Moments(
            moments.mass + statistics.mass, shrunk.mean, shrunk.scatter + prior_moments.scatter, moments.kind
        )

    def unnormalized_log_density(self, centers: KD, covariance: AbstractCovariance) -> float:
        """Return the log density of the prior at ``centers`` (K, D) and covariances, up to a constant."""
        statistics, roots = self.prior_statistics(covariance.structure, len(centers)), covariance.precision_root
        eye = np.eye(len(statistics.scatter))
        total = statistics.mass * float(covariance.log_determinants.sum())
        for k, center in enumerate(centers):
            total += float((roots.whiten(statistics.scatter, k) * roots.whiten(eye, k)).sum())  # tr(Sigma^-1 scatter)
            total += statistics.shrinkage * float((roots.whiten((center - statistics.location)[None], k) ** 2).sum())
        return -0.5 * total

    def prior_statistics(self, structure: Structure, n_components: int) -> PriorStatistics:
        """Return the shrinkage, mass, location and scatter that the prior adds to each of ``n_components``."""
        scatter = self._scale_fraction_per_component(structure, n_components) * self._structured_scale(structure)
        return PriorStatistics(
            self.shrinkage, self._added_mass_per_component(structure, n_components), self.location, scatter
        )

    def _added_mass_per_component(self, structure: Structure, n_components: int) -> float:
        """Return the mass that the prior adds to each component."""
        count, _, mass_function = _PRIOR_COUNTS[_prior_counts_key(structure, n_components)]
        mass = mass_function(self.degrees_of_freedom, len(self.location)) * count(n_components)
        return mass + (1.0 if self.shrinkage and count is not _nearly_zero_prior_count else 0.0)

    def _scale_fraction_per_component(self, structure: Structure, n_components: int) -> float:
        """Return the fraction of the scale that each component counts."""
        return _PRIOR_COUNTS[_prior_counts_key(structure, n_components)][1](n_components)

    def _structured_scale(self, structure: Structure) -> DD:
        """Return the scale (D, D): full, its diagonal if axis-aligned, or a multiple of the identity if spherical."""
        variances = np.diagonal(self.scale)
        if not structure.is_axis_aligned:
            return self.scale
        return np.diag(
            variances if not structure.is_spherical else np.full(len(variances), variances.mean() / len(variances))
        )


class CheckedPriorParameters(NamedTuple):
    """Location (D,), degrees of freedom and scale (D, D); None where the data give the default."""

    location: D | None
    degrees_of_freedom: float
    scale: DD | None


@dataclass(frozen=True, eq=False)
class DefaultPrior:
    """A conjugate prior on means and covariances, completed from the data like mclust's ``defaultPrior``.

    mean_k | Sigma_k ~ normal(location, Sigma_k / shrinkage), Sigma_k ~ inverse Wishart(degrees_of_freedom, scale). For
    axis-aligned structures the variances are inverse gamma. The fit finds the most probable parameters. Components with
    few rows keep a covariance near the scale, where maximum likelihood would let them collapse.

    Parameters
    ----------
    shrinkage : float, default=0.01
        Number of rows that the location counts for in each mean. 0 means no prior on the means.
    location : array-like of shape (D,), optional
        Prior mean of the means. Default: the mean of the data.
    degrees_of_freedom : float, optional
        Degrees of freedom, more than D - 1. Default: D + 2.
    scale : array-like of shape (D, D), optional
        In the units of the data, squared. Default: the covariance of the data over K^(2/D). For axis-aligned structures
        it is the mean variance of the columns, so rescaling a single column changes EEI, VEI, EVI and VVI, too.

    Raises
    ------
    ParameterError
        If a number is not allowed. By a fit, if a shape does not suit the number of columns.

    Notes
    -----
    Each structure counts the prior as in mclust's M-steps, with three exceptions. mclust leaves out the scale for EII,
    the shrinkage for EEV, and all mass for VEV (here nearly zero). mclust has no prior for VEE, EVE, VVE and EVV. Its
    EM converges to slightly different values for EEI, VEI and EVI, because some of its steps do not maximise.

    The prior suits data of few columns. An inverse Wishart with D + 2 degrees of freedom counts for 2 D + 3 rows. With
    fewer rows than columns it outweighs the data, and the default scale, the covariance of the data, is singular.

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

    def __post_init__(self) -> None:
        if not is_number_in(self.shrinkage, 0.0, np.inf, includes_low=True):
            raise ParameterError.invalid_value("shrinkage", self.shrinkage, "a finite number of at least 0")
        if self.degrees_of_freedom is not None and not is_number_in(self.degrees_of_freedom, 0.0, np.inf):
            allowed = "a finite number of more than D - 1"
            raise ParameterError.invalid_value("degrees_of_freedom", self.degrees_of_freedom, allowed)
        for name, values in (("location", self.location), ("scale", self.scale)):
            if values is not None:
                parse_finite_numbers(name, values)

    @classmethod
    def from_parameter(cls, prior: object) -> "DefaultPrior | None":
        """Return the prior of an estimator's parameter: None, 'default' or a DefaultPrior.

        Raises
        ------
        ParameterError
            For any other value.
        """
        if prior is None or isinstance(prior, cls):
            return prior
        if isinstance(prior, str) and prior == "default":
            return cls()
        raise ParameterError.invalid_value("prior", prior, "None, 'default' or a gaussmix.DefaultPrior")

    def checked_parameters(self, n_features: int) -> CheckedPriorParameters:
        """Return location, degrees of freedom and scale for ``n_features`` columns; None if the data give the default.

        Raises
        ------
        ParameterError
            If a number or a shape is not allowed.
        """
        degrees_of_freedom = n_features + 2.0 if self.degrees_of_freedom is None else self.degrees_of_freedom
        if not is_number_in(degrees_of_freedom, n_features - 1, np.inf):
            allowed = f"a finite number of more than {n_features - 1}"
            raise ParameterError.invalid_value("degrees_of_freedom", degrees_of_freedom, allowed)
        location = None if self.location is None else parse_finite_numbers("location", self.location, (n_features,))
        scale = None if self.scale is None else parse_finite_numbers("scale", self.scale, (n_features, n_features))
        if scale is not None and (not is_symmetric(scale) or cholesky(scale) is None):
            raise ParameterError.not_positive_definite("scale")
        return CheckedPriorParameters(location, float(degrees_of_freedom), scale)
