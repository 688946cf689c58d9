"""``Gaussian``: what one bell is.

A distribution lists the outcomes and how probable they are. The Gaussian lists them by two
things, a centre and how far and in which direction rows scatter about it; its density falls off
with half the squared Mahalanobis distance from the centre.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.input_arrays import parse_covariances, parse_rows, parse_weights
from gaussmix.errors import DataError, ParameterError
from gaussmix.model import gaussian_algebra as algebra
from gaussmix.model import prediction
from gaussmix.types import DD, ND, ArrayLike, D, N


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A normal distribution in one or many dimensions.

    Parameters
    ----------
    mean : array-like of shape (D,) or a number
        The centre, in the data's units.
    covariance : array-like of shape (D, D) or a number
        Symmetric positive definite, in the data's units squared; in one dimension the variance.

    Raises
    ------
    ParameterError
        If the shapes do not fit or the covariance is not positive definite.

    Examples
    --------
    >>> from gaussmix import Gaussian
    >>> bell = Gaussian(mean=[0.0, 0.0], covariance=[[2.0, 1.0], [1.0, 2.0]])
    >>> round(float(bell.density([[0.0, 0.0]])[0]), 4)
    0.0919
    """

    mean: D
    covariance: DD
    _cholesky: DD = field(init=False, repr=False)

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        center = np.array(mean, dtype=np.float64, ndmin=1)  # copies: what is frozen below is not the caller's
        matrix = np.array(parse_covariances(covariance), ndmin=2)
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
        """The Gaussian of greatest likelihood: sample mean, and sample covariance with divisor n.

        Parameters
        ----------
        X : array-like of shape (n, D) or (n,)
        weights : array-like of shape (n,), optional
            How often each row counts.

        Raises
        ------
        DataError
            If the rows hold anything but finite numbers.
        ParameterError
            If the columns are linearly dependent, or there are no more rows than columns.
        """
        rows = parse_rows(X)
        if not len(rows):
            raise DataError.no_rows()
        counts = parse_weights(weights, len(rows))
        if counts is not None:
            rows, counts = rows[counts > 0], counts[counts > 0]
        share = np.full(len(rows), 1.0 / len(rows)) if counts is None else counts / counts.sum()
        about = rows - rows[0]
        shift = share @ about
        centred = about - shift
        bell = cls(rows[0] + shift, (centred * share[:, None]).T @ centred)
        left_over = np.diagonal(bell._cholesky) ** 2 / np.diagonal(bell.covariance)
        if left_over.min() < 10 * bell.n_features * np.finfo(np.float64).eps:
            raise ParameterError.not_positive_definite("covariance of these rows")
        return bell

    @property
    def n_features(self) -> int:
        return len(self.mean)

    def __repr__(self) -> str:
        return f"Gaussian(mean={self.mean.tolist()}, covariance={self.covariance.tolist()})"

    def mahalanobis(self, X: ArrayLike) -> N:
        """Distance of each row (n, D) from the mean in units of the spread in its direction, (n,)."""
        rows = parse_rows(X, self.n_features)
        white = linalg.solve_lower(self._cholesky, (rows - self.mean).T)
        return np.asarray(np.sqrt((white**2).sum(axis=0)))

    def logpdf(self, X: ArrayLike) -> N:
        """Natural logarithm of the density at each row (n, D), shape (n,)."""
        constant = self.n_features * math.log(2 * math.pi) + linalg.log_determinant(self._cholesky)
        return np.asarray(-0.5 * (constant + self.mahalanobis(X) ** 2))

    def pdf(self, X: ArrayLike) -> N:
        """Density at each row (n, D), shape (n,), per unit of volume of the data."""
        return prediction.exp_with_overflow_check(self.logpdf(X))

    def cdf(self, X: ArrayLike) -> N:
        """Probability that every column lies at or below the row's value, shape (n,).

        Exact in one dimension; by SciPy's quasi-Monte-Carlo integration in more (Genz, Journal of
        Computational and Graphical Statistics 1, 1992), to about 1e-5, with a fixed seed.
        """
        from scipy import stats

        rows = parse_rows(X, self.n_features)
        if self.n_features == 1:
            return np.asarray(stats.norm.cdf(rows[:, 0], self.mean[0], math.sqrt(self.covariance[0, 0])))
        bell = stats.multivariate_normal(self.mean, self.covariance, allow_singular=False, seed=0)
        return np.atleast_1d(np.asarray(bell.cdf(rows)))

    def sample(self, n_samples: int, random_state: int | np.random.Generator | None = None) -> ND:
        """``n`` rows (n, D) drawn from the distribution."""
        if n_samples < 0:
            raise ParameterError.invalid_value("n_samples", n_samples, "zero or more")
        noise = np.random.default_rng(random_state).standard_normal((n_samples, self.n_features))
        return np.asarray(self.mean + noise @ self._cholesky.T)

    def marginal(self, columns: Sequence[int]) -> "Gaussian":
        """The distribution of some of the columns, whatever the others are."""
        kept = algebra.parse_columns(columns, self.n_features)
        return Gaussian(self.mean[kept], self.covariance[np.ix_(kept, kept)])

    def conditional(self, known_columns: Sequence[int], values: ArrayLike) -> "Gaussian":
        """The distribution of the other columns once the ``given`` ones are known to have ``values``.

        With known part 1 and open part 2: mean_2 + S_21 S_11^-1 (x_1 - mean_1) and
        S_22 - S_21 S_11^-1 S_12 (Bishop, Pattern Recognition and Machine Learning, eq. 2.81-2.82).
        """
        known = algebra.parse_columns(known_columns, self.n_features)
        point = parse_rows(np.reshape(values, (1, -1)), len(known))[0]
        mean, covariance = algebra.conditional_mean_and_covariance(self.mean, self.covariance, known, point)
        return Gaussian(mean, covariance)

    def affine_transform(self, matrix: ArrayLike, shift: ArrayLike = 0.0) -> "Gaussian":
        """The distribution of ``matrix @ x + shift``: mean A m + b, covariance A S A^T."""
        linear = np.atleast_2d(np.asarray(matrix, dtype=np.float64))
        if linear.shape[1] != self.n_features:
            raise ParameterError.wrong_shape("matrix", linear.shape, (linear.shape[0], self.n_features))
        image = linear @ self._cholesky
        offset = np.broadcast_to(np.asarray(shift, dtype=np.float64), (linear.shape[0],))
        return Gaussian(linear @ self.mean + offset, image @ image.T)

    def interval(self, probability: float = 0.95) -> tuple[float, float]:
        """The central interval that holds a share of the distribution; one dimension only."""
        if self.n_features != 1:
            raise ParameterError.wrong_n_features("interval", self.n_features, 1)
        half = algebra.mahalanobis_radius(probability, 1) * math.sqrt(self.covariance[0, 0])
        return float(self.mean[0] - half), float(self.mean[0] + half)

    def ellipse(self, probability: float = 0.95, n_points: int = 100) -> ND:
        """Outline (n_points, 2) of the ellipse of equal density holding a share; two dimensions only."""
        if self.n_features != 2:
            raise ParameterError.wrong_n_features("ellipse", self.n_features, 2)
        angles = np.linspace(0.0, 2.0 * math.pi, n_points)
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        return np.asarray(self.mean + algebra.mahalanobis_radius(probability, 2) * circle @ self._cholesky.T)
