"""``Gaussian``: one normal distribution in one or many dimensions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.core.parameter_arrays import parse_covariances, parse_finite_numbers, parse_numbers
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import require_integer
from gaussmix.covariance import Structure
from gaussmix.covariance.representations import FullCovariance, full_from_factors
from gaussmix.errors import DataError, ParameterError, UnrepresentableError
from gaussmix.model.density import AbstractDensity
from gaussmix.model.gaussian_algebra import condition_gaussians, mahalanobis_radius, multiply_all_gaussian_pairs
from gaussmix.model.validation import parse_columns, parse_known_values, require_instance
from gaussmix.types import DD, ND, ArrayLike, D, N


@dataclass(frozen=True, eq=False)
class Gaussian(AbstractDensity):
    """A normal distribution in one or many dimensions.

    Parameters
    ----------
    mean : array-like of shape (D,) or a number
        The mean in the data's units.
    covariance : array-like of shape (D, D) or a number
        A symmetric positive definite matrix in squared units of the data; in one dimension the variance.

    Raises
    ------
    ParameterError
        If the shapes do not fit or the covariance is not positive definite.

    Examples
    --------
    >>> from gaussmix import Gaussian
    >>> gaussian = Gaussian(mean=[0.0, 0.0], covariance=[[2.0, 1.0], [1.0, 2.0]])
    >>> round(float(gaussian.pdf([[0.0, 0.0]])[0]), 4)
    0.0919
    """

    mean: D
    covariance: DD
    _cholesky: DD = field(init=False, repr=False)

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        center = np.array(parse_numbers("mean", mean), ndmin=1)  # a copy, because the array becomes read-only
        matrix = np.array(parse_covariances(covariance, "covariance"), ndmin=2)
        expected = (len(center), len(center))
        if center.ndim != 1 or not np.isfinite(center).all():
            raise ParameterError.invalid_value("mean", mean, "a vector of finite numbers")
        if matrix.shape != expected:
            raise ParameterError.wrong_shape("covariance", matrix.shape, expected)
        factor = linalg.cholesky(matrix)
        if factor is None:
            raise ParameterError.not_positive_definite("covariance")
        for array in (center, matrix):
            array.flags.writeable = False
        object.__setattr__(self, "mean", center)
        object.__setattr__(self, "covariance", matrix)
        object.__setattr__(self, "_cholesky", factor)

    @classmethod
    def from_data(cls, X: ArrayLike, weights: ArrayLike | None = None) -> "Gaussian":
        """Fit a Gaussian by maximum likelihood: sample mean, and sample covariance with divisor n.

        Parameters
        ----------
        X : array-like of shape (n, D) or (n,)
        weights : array-like of shape (n,), optional
            How often each row counts; default 1.

        Raises
        ------
        DataError
            If X contains anything but finite numbers.
        ParameterError
            If the columns are linearly dependent, or there are fewer than D + 1 rows.
        """
        rows = parse_rows(X)
        if not len(rows):
            raise DataError.no_rows()
        counts = parse_weights(weights, len(rows), "weights")
        if counts is not None:
            rows, counts = rows[counts > 0], counts[counts > 0]
        fractions = np.full(len(rows), 1.0 / len(rows)) if counts is None else counts / counts.sum()
        differences = rows - rows[0]
        shift = fractions @ differences
        centered = differences - shift
        gaussian = cls(rows[0] + shift, (centered * fractions[:, None]).T @ centered)
        conditional_fractions = np.diagonal(gaussian._cholesky) ** 2 / np.diagonal(gaussian.covariance)
        if conditional_fractions.min() < 10 * gaussian.n_features * np.finfo(np.float64).eps:
            raise ParameterError.not_positive_definite("covariance of these rows")
        return gaussian

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return len(self.mean)

    def __repr__(self) -> str:
        return f"Gaussian(mean={self.mean.tolist()}, covariance={self.covariance.tolist()})"

    def mahalanobis(self, X: ArrayLike) -> N:
        """Return the Mahalanobis distance of each row of X (n, D) from the mean, shape (n,)."""
        rows = parse_rows(X, self.n_features)
        whitened = linalg.solve_lower(self._cholesky, (rows - self.mean).T)
        return np.asarray(np.sqrt((whitened**2).sum(axis=0)))

    def logpdf(self, X: ArrayLike) -> N:
        """Return the natural logarithm of the density at each row of X (n, D), shape (n,)."""
        constant = self.n_features * math.log(2 * math.pi) + linalg.log_determinant_from_factor(self._cholesky)
        return np.asarray(-0.5 * (constant + self.mahalanobis(X) ** 2))

    def cdf(self, X: ArrayLike) -> N:
        """Return the probability that every column is at most the value in each row of X (n, D), shape (n,).

        Exact in one dimension. In more dimensions SciPy's quasi-Monte Carlo integration has an error of about
        1e-5 (Genz, Journal of Computational and Graphical Statistics 1, 1992); its seed is fixed.
        """
        from scipy import stats

        rows = parse_rows(X, self.n_features)
        if not len(rows):
            raise DataError.no_rows()
        if self.n_features == 1:
            return np.asarray(stats.norm.cdf(rows[:, 0], self.mean[0], math.sqrt(self.covariance[0, 0])))
        distribution = stats.multivariate_normal(self.mean, self.covariance, allow_singular=False, seed=0)
        return np.atleast_1d(np.asarray(distribution.cdf(rows)))

    def sample(self, n_samples: int, random_state: int | np.random.Generator | None = None) -> ND:
        """Draw random rows, (n_samples, D).

        Raises
        ------
        ParameterError
            If ``n_samples`` is no whole number of at least 0, or ``random_state`` is no seed.
        """
        shape = (require_integer("n_samples", n_samples, 0), self.n_features)
        standard_normal = make_generator(random_state).standard_normal(shape)
        return np.asarray(self.mean + standard_normal @ self._cholesky.T)

    def marginal(self, columns: Sequence[int]) -> "Gaussian":
        """Return the marginal distribution of some columns, in the order of their positions ``columns``."""
        positions = parse_columns(columns, self.n_features)
        return Gaussian(self.mean[positions], self.covariance[np.ix_(positions, positions)])

    def conditional(self, known_columns: Sequence[int], values: ArrayLike) -> "Gaussian":
        """Return the conditional distribution of the other columns, given ``values`` of the known columns.

        Parameters
        ----------
        known_columns : sequence of int
            Positions of the known columns.
        values : array-like of shape (len(known_columns),)
            Their values, in the same order.

        Raises
        ------
        ParameterError
            If a position does not exist, all columns are known, or the values are not one finite number for each.
        """
        known = parse_columns(known_columns, self.n_features, name="known_columns")
        point = parse_known_values(values, len(known))
        means, covariance = condition_gaussians(self.mean[None], self._covariance_stack, known, point)
        return Gaussian(means[0], covariance.matrices()[0])

    def product(self, other: "Gaussian") -> "GaussianProduct":
        """Return the normalized product of the two densities, and the natural log of the integral of their product.

        The precision is the sum of the precisions. The integral of the product is the density of one mean
        under a Gaussian about the other mean whose covariance is the sum of the covariances.

        Raises
        ------
        ParameterError
            If the Gaussians have different numbers of columns.
        UnrepresentableError
            If they lie so far apart, about 1e150 standard deviations, that the integral has no logarithm.
        """
        require_instance("other", other, Gaussian, "a Gaussian")
        if other.n_features != self.n_features:
            raise ParameterError.wrong_n_features("product", other.n_features, self.n_features)
        means, covariance, log_integrals = multiply_all_gaussian_pairs(
            self.mean[None], self._covariance_stack, other.mean[None], other._covariance_stack
        )
        if not np.isfinite(log_integrals[0]):
            raise UnrepresentableError.product_underflows()
        return GaussianProduct(Gaussian(means[0], covariance.matrices()[0]), float(log_integrals[0]))

    @property
    def _covariance_stack(self) -> FullCovariance:
        """The covariance as a covariance object of one component."""
        return full_from_factors(Structure.from_name("VVV"), self._cholesky[None])

    def affine_transform(self, matrix: ArrayLike, shift: ArrayLike = 0.0) -> "Gaussian":
        """Return the Gaussian of ``matrix @ x + shift``, with mean A m + b and covariance A S A^T.

        Parameters
        ----------
        matrix : array-like of shape (m, D) or (D,)
            At most D rows, linearly independent.
        shift : array-like of shape (m,) or a number, default=0.0

        Raises
        ------
        ParameterError
            If a shape does not fit, a number is not finite, or the rows of the matrix are linearly dependent.
        """
        linear, offset = np.atleast_2d(parse_finite_numbers("matrix", matrix)), parse_finite_numbers("shift", shift)
        if linear.ndim != 2 or linear.shape[1] != self.n_features:
            raise ParameterError.wrong_shape("matrix", linear.shape, (linear.shape[0], self.n_features))
        if offset.shape not in ((), (1,), (len(linear),)):
            raise ParameterError.wrong_shape("shift", offset.shape, (len(linear),))
        image = linear @ self._cholesky
        return Gaussian(linear @ self.mean + offset, image @ image.T)

    def interval(self, probability: float = 0.95) -> tuple[float, float]:
        """Return the ends (low, high) of the central interval of a probability; raise ParameterError unless D = 1."""
        if self.n_features != 1:
            raise ParameterError.wrong_n_features("interval", self.n_features, 1)
        half_width = mahalanobis_radius(probability, 1) * math.sqrt(self.covariance[0, 0])
        return float(self.mean[0] - half_width), float(self.mean[0] + half_width)

    def ellipse(self, probability: float = 0.95, n_points: int = 100) -> ND:
        """Return the outline (n_points, 2) of the ellipse of a given probability; raise ParameterError unless D = 2."""
        if self.n_features != 2:
            raise ParameterError.wrong_n_features("ellipse", self.n_features, 2)
        angles = np.linspace(0.0, 2.0 * math.pi, n_points)
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        return np.asarray(self.mean + mahalanobis_radius(probability, 2) * circle @ self._cholesky.T)


class GaussianProduct(NamedTuple):
    """The normalized product of two Gaussian densities, and the natural log of the integral of their product."""

    gaussian: Gaussian
    log_integral: float
