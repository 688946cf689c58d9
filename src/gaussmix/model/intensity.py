"""``Intensity``: a mixture times a positive mass, whose weights need not add up to 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.model.column_dependence import require_independent_columns
from gaussmix.model.gaussian_algebra import concatenate_covariances
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture_parameters import change_frame, require_same_columns
from gaussmix.model.noise import Noise, add_noise_densities
from gaussmix.model.prediction import exp_raising_on_overflow
from gaussmix.model.validation import require_instance
from gaussmix.types import ArrayLike, K, N

_ALLOWED_OTHER = "an Intensity; make one with Intensity(mixture)"


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

    Raises
    ------
    ParameterError
        If ``mixture`` is no Mixture, or ``log_mass`` no finite number.

    Examples
    --------
    >>> from gaussmix import Intensity
    >>> intensity = Intensity.from_parameters([1.0, 2.0], means=[[0.0], [4.0]], covariances=[[[1.0]], [[1.0]]])
    >>> round(intensity.mass, 12)
    3.0
    >>> (intensity + intensity.scale(0.5)).mixture.n_components
    4
    """

    mixture: Mixture
    log_mass: float = 0.0

    def __post_init__(self) -> None:
        require_instance("mixture", self.mixture, Mixture, "a Mixture")
        if not is_number_in(self.log_mass, -np.inf, np.inf):
            raise ParameterError.invalid_value("log_mass", self.log_mass, "a finite number")

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
        masses = parse_finite_numbers("weights", weights)
        total = float(masses.sum())
        if not (masses >= 0).all() or not 0.0 < total < np.inf:
            raise ParameterError.invalid_value("weights", masses.tolist(), "numbers of at least 0, not all 0")
        mixture = Mixture.from_parameters(masses / total, means, covariances, structure, feature_names)
        return cls(mixture, math.log(total))

    @property
    def mass(self) -> float:
        """The integral; infinite if it overflows.

        With noise, it counts the noise within its box, although the intensity is the same outside of it.
        """
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
        """Return the intensity at each row of X (n, D), shape (n,), per unit of volume of the data.

        Raises
        ------
        UnrepresentableError
            If a value overflows; use ``log_evaluate`` instead.
        """
        return exp_raising_on_overflow(self.log_evaluate(X), "log_evaluate")

    def scale(self, factor: float) -> "Intensity":
        """Return the intensity times a positive factor.

        Raises
        ------
        ParameterError
            If the factor is not positive and finite.
        """
        if not is_number_in(factor, 0.0, np.inf):
            raise ParameterError.invalid_value("factor", factor, "a finite number above 0")
        return replace(self, log_mass=self.log_mass + math.log(factor))

    def product(self, other: "Intensity") -> "Intensity":
        """Return the pointwise product of two intensities, with a component for each pair of components.

        Raises
        ------
        ParameterError
            If ``other`` is no Intensity, or has other columns.
        """
        require_instance("other", other, Intensity, _ALLOWED_OTHER)
        mixture, log_integral = self.mixture.product(other.mixture)
        return Intensity(mixture, self.log_mass + other.log_mass + log_integral)

    def __add__(self, other: "Intensity") -> "Intensity":
        """Return the sum of two intensities, with the components of both.

        Raises
        ------
        ParameterError
            If ``other`` is no Intensity, or has other columns or other transforms of them.
        DependenceError
            If a mixture has linearly dependent columns.
        """
        require_instance("other", other, Intensity, _ALLOWED_OTHER)
        require_same_columns("the sum of intensities", self.mixture, other.mixture)
        for part in (self, other):
            require_independent_columns(part.mixture, "the sum of intensities")
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

    def __radd__(self, other: object) -> "Intensity":
        """Return this intensity for 0 + intensity, with which the built-in ``sum`` begins."""
        if isinstance(other, int) and other == 0:
            return self
        raise ParameterError.wrong_type("other", other, _ALLOWED_OTHER)
