"""``Intensity``: a mixture times a positive mass, whose weights need not add up to 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.model.gaussian_algebra import concatenate_covariances
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture_parameters import change_frame
from gaussmix.model.noise import Noise, add_noise_densities
from gaussmix.model.prediction import exp_raising_on_overflow
from gaussmix.types import ArrayLike, K, N


@dataclass(frozen=True, eq=False)
class Intensity:
    """A non-negative function: the density of a mixture times a mass, its integral.

    Products of densities and densities of points per unit of volume (as in multi-target tracking) have this form.
    The mass is stored as a logarithm, so that it neither overflows nor underflows.

    Parameters
    ----------
    mixture : Mixture
        The function divided by its integral.
    log_mass : float, default=0.0
        Natural logarithm of the integral.

    Examples
    --------
    >>> from gaussmix.model import Intensity
    >>> intensity = Intensity.from_parameters([1.0, 2.0], means=[[0.0], [4.0]], covariances=[[[1.0]], [[1.0]]])
    >>> round(intensity.mass, 12)
    3.0
    >>> (intensity + intensity.scale(0.5)).mixture.n_components
    4
    """

    mixture: Mixture
    log_mass: float = 0.0

    @classmethod
    def from_parameters(
        cls,
        weights: ArrayLike,
        means: ArrayLike,
        covariances: ArrayLike,
        structure: str = "VVV",
        feature_names: Sequence[str] | None = None,
    ) -> "Intensity":
        """Make an intensity from weights that are not negative and have a positive sum.

        The other parameters are those of `Mixture.from_parameters`.

        Raises
        ------
        ParameterError
            If a shape, a weight or a covariance is not allowed.
        """
        masses = np.asarray(weights, dtype=np.float64)
        total = float(masses.sum())
        if not (masses >= 0).all() or not 0.0 < total < np.inf:
            raise ParameterError.invalid_value("weights", masses.tolist(), "numbers of at least 0, not all 0")
        mixture = Mixture.from_parameters(masses / total, means, covariances, structure, feature_names)
        return cls(mixture, math.log(total))

    @property
    def mass(self) -> float:
        """The integral; infinite if it overflows."""
        with np.errstate(over="ignore"):
            return float(np.exp(self.log_mass))

    @property
    def weights(self) -> K:
        """The mass of each Gaussian (K,)."""
        return np.asarray(self.mass * self.mixture.weights)

    def log_evaluate(self, X: ArrayLike) -> N:
        """Return the natural logarithm of the intensity at each row of X (n, D), shape (n,)."""
        return self.mixture.logpdf(X) + self.log_mass

    def evaluate(self, X: ArrayLike) -> N:
        """Return the intensity at each row of X (n, D), shape (n,), per unit of volume of the data."""
        return exp_raising_on_overflow(self.log_evaluate(X))

    def scale(self, factor: float) -> "Intensity":
        """Return the intensity times a positive factor.

        Raises
        ------
        ParameterError
            If the factor is not positive and finite.
        """
        if not 0.0 < factor < np.inf:
            raise ParameterError.invalid_value("factor", factor, "a finite number above 0")
        return replace(self, log_mass=self.log_mass + math.log(factor))

    def product(self, other: "Intensity") -> "Intensity":
        """Return the pointwise product of two intensities, with a component for each pair of components."""
        mixture, log_integral = self.mixture.product(other.mixture)
        return Intensity(mixture, self.log_mass + other.log_mass + log_integral)

    def __add__(self, other: "Intensity") -> "Intensity":
        """Return the sum of two intensities, with the components of both.

        Raises
        ------
        ParameterError
            If the columns of the mixtures have different transforms.
        """
        if self.mixture.transforms != other.mixture.transforms:
            names = [part.mixture.transforms and part.mixture.transforms.names for part in (self, other)]
            raise ParameterError.invalid_value("transforms", names, "equal in both intensities of a sum")
        first, second = self.mixture, change_frame(other.mixture, self.mixture.frame)
        log_mass = float(np.logaddexp(self.log_mass, other.log_mass))
        fractions = math.exp(self.log_mass - log_mass), math.exp(other.log_mass - log_mass)
        noises = [
            None if part.noise is None else Noise(fraction * part.noise.weight, part.noise.box)
            for part, fraction in zip((first, second), fractions, strict=True)
        ]
        mixture = replace(
            first,
            weights=np.concatenate([fractions[0] * first.weights, fractions[1] * second.weights]),
            centers=np.vstack([first.centers, second.centers]),
            covariance=concatenate_covariances([first.covariance, second.covariance]),
            noise=add_noise_densities(*noises),
            n_fixed_parameters=0,
        )
        return Intensity(mixture, log_mass)
