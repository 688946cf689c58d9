"""Tests of multivariate normality: Mardia's skewness and kurtosis, and the test of Henze and Zirkler.

Let m_ij = (x_i - mean)^T S^-1 (x_j - mean), where S is the covariance with divisor n, for n rows in D columns.

- Skewness: b1 = sum_ij m_ij^3 / n^2. It is zero for symmetric rows; n b1 / 6 is about chi-squared.
- Kurtosis: b2 = sum_i m_ii^2 / n. It is about D (D + 2) for Gaussian rows.
- HZ: n times the integrated squared distance between the characteristic functions of the rows and of the standard
  Gaussian. The weight is a Gaussian of standard deviation beta. HZ is about lognormal.

Mardia, "Measures of multivariate skewness and kurtosis with applications", Biometrika 57, 1970. Henze & Zirkler, "A
class of invariant consistent tests for multivariate normality", Comm. Stat. Theory Methods 19, 1990.

All three are invariant under affine maps of the rows. The p-values of skewness and kurtosis use moments for finite n
(Mardia, "Applications of some measures of multivariate skewness and kurtosis in testing normality and robustness
studies", Sankhya B 36, 1974). With 50 rows of 4 columns the asymptotic moments are half a standard deviation off.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import cholesky, solve_lower, weighted_outer_sum
from gaussmix.errors.text import format_count
from gaussmix.types import ND, NK, Array, N

MAX_TESTED_ROWS = 2_000  # per component; larger components are tested on a random sample
SIGNIFICANCE_LEVEL = 0.05

_BLOCK_ROWS = 512
# A smaller pivot of the correlation matrix means that the rows lie in a plane, up to rounding.
_MIN_CHOLESKY_PIVOT = 1e-7
_N_TESTS = 3


@dataclass(frozen=True)
class NormalityTestResult:
    """The three tests of the rows of one component.

    Attributes
    ----------
    component : int
    total_weight : float
        Of the tested rows.
    skewness, kurtosis, henze_zirkler : float
        The statistics b1, b2 and HZ; NaN if the rows cannot be tested.
    skewness_p_value, kurtosis_p_value, henze_zirkler_p_value : float
        NaN if the rows cannot be tested.
    skip_reason : str
        Why the rows cannot be tested; empty if they were.
    n_tested_components : int
        The number of components tested together, for the Bonferroni correction.
    """

    component: int
    total_weight: float
    skewness: float = np.nan
    skewness_p_value: float = np.nan
    kurtosis: float = np.nan
    kurtosis_p_value: float = np.nan
    henze_zirkler: float = np.nan
    henze_zirkler_p_value: float = np.nan
    skip_reason: str = ""
    n_tested_components: int = 1

    @property
    def bonferroni_p_value(self) -> float:
        """The component's smallest p-value times the number of tests and tested components, at most 1; NaN if untested.

        So among mixtures whose components are all Gaussian, at most one in twenty has a component that is rejected.
        """
        if not self.is_tested:
            return np.nan
        smallest = min(self.skewness_p_value, self.kurtosis_p_value, self.henze_zirkler_p_value)
        return min(1.0, _N_TESTS * self.n_tested_components * smallest)

    @property
    def is_tested(self) -> bool:
        """Whether there were enough rows, and not all in a plane."""
        return not self.skip_reason

    @property
    def is_plausibly_gaussian(self) -> bool:
        """Whether no test rejects normality at the 5 % level; False if not tested."""
        return self.is_tested and self.bonferroni_p_value >= SIGNIFICANCE_LEVEL


def run_component_normality_tests(
    responsibilities: NK, rows: ND, weights: N, rng: np.random.Generator
) -> tuple[NormalityTestResult, ...]:
    """Return normality tests of each component, on rows (n, D) drawn for it at random by responsibilities (n, K).

    If the mixture is right, rows drawn this way are exactly Gaussian within a component. Rows assigned to their most
    probable component are not, because the overlapping tails are cut off. Responsibilities as weights would count a
    row between components several times, and the tests would hardly ever reject.
    """
    upper_limits = np.cumsum(responsibilities, axis=1)
    uniform_draws = rng.random(len(responsibilities))[:, None]
    components = (upper_limits <= uniform_draws * upper_limits[:, -1:]).sum(axis=1)
    results = []
    for component in range(responsibilities.shape[1]):
        members = np.flatnonzero(components == component)
        if len(members) > MAX_TESTED_ROWS:
            members = np.sort(rng.choice(members, size=MAX_TESTED_ROWS, replace=False))
        results.append(run_normality_test(rows[members], weights[members], component))
    n_tested = sum(result.is_tested for result in results)
    return tuple(replace(result, n_tested_components=max(1, n_tested)) for result in results)


def run_normality_test(rows: ND, weights: N, component: int = 0) -> NormalityTestResult:
    """Return three tests of rows (n, D) for normality, or why they cannot be tested; weight 2 means two equal rows."""
    total_weight, n_features = float(weights.sum()), rows.shape[1]
    max_untestable = max(n_features + 1, 3)  # the kurtosis of three rows of one column is a constant
    if len(rows) <= max_untestable or total_weight <= max_untestable:
        reason = f"too few rows for {format_count(n_features, 'column')}"
        return NormalityTestResult(component, total_weight, skip_reason=reason)
    normalized_weights = weights / total_weight
    whitened_rows = _whiten(np.asarray(rows, dtype=np.float64), normalized_weights)
    if whitened_rows is None:
        reason = "the rows lie in a plane, or all at one value of a column"
        return NormalityTestResult(component, total_weight, skip_reason=reason)
    squared_beta = _henze_zirkler_squared_beta(total_weight, n_features)
    skewness, mean_pair_kernel = _mean_cube_and_kernel_over_pairs(whitened_rows, normalized_weights, squared_beta)
    squared_norms = np.square(whitened_rows).sum(axis=1)
    kurtosis = float(normalized_weights @ squared_norms**2)
    henze_zirkler = _henze_zirkler_statistic(
        squared_norms, normalized_weights, mean_pair_kernel, total_weight, n_features
    )
    return NormalityTestResult(
        component,
        total_weight,
        skewness,
        _skewness_p_value(skewness, total_weight, n_features),
        kurtosis,
        _kurtosis_p_value(kurtosis, total_weight, n_features),
        henze_zirkler,
        _henze_zirkler_p_value(henze_zirkler, total_weight, n_features),
    )


class _CubeAndKernelMeans(NamedTuple):
    """Means over all pairs of rows: of m_ij^3 (the skewness b1), and of exp(-beta^2 |z_i - z_j|^2 / 2)."""

    cubed_product: float
    kernel: float


def _whiten(rows: ND, normalized_weights: N) -> ND | None:
    """Return the rows (n, D) mapped to mean zero and identity covariance; None if a direction has no variance."""
    centered = rows - rows[0]
    centered = centered - normalized_weights @ centered
    ranges = np.abs(centered).max(axis=0)
    if not (ranges > 0).all():
        return None
    scaled = centered / ranges
    scaled = scaled / np.sqrt(normalized_weights @ scaled**2)
    factor = cholesky(weighted_outer_sum(scaled, normalized_weights))
    if factor is None or np.diagonal(factor).min() < _MIN_CHOLESKY_PIVOT:
        return None
    return np.ascontiguousarray(solve_lower(factor, scaled.T).T)


def _henze_zirkler_squared_beta(total_weight: float, n_features: int) -> float:
    """Return the square of Henze and Zirkler's smoothing parameter beta."""
    return float(0.5 * (0.25 * total_weight * (2 * n_features + 1)) ** (2.0 / (n_features + 4)))


def _mean_cube_and_kernel_over_pairs(
    whitened_rows: ND, normalized_weights: N, squared_beta: float
) -> _CubeAndKernelMeans:
    """Return the means over all pairs of whitened rows of their cubed product and of the Gaussian kernel."""
    squared_norms = np.square(whitened_rows).sum(axis=1)
    mean_cube = mean_kernel = 0.0
    for start in range(0, len(whitened_rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        products = whitened_rows[block] @ whitened_rows.T
        squared_distances = np.maximum(squared_norms[block, None] + squared_norms - 2.0 * products, 0.0)
        kernel = np.exp(-0.5 * squared_beta * squared_distances)
        mean_cube += float(normalized_weights[block] @ products**3 @ normalized_weights)
        mean_kernel += float(normalized_weights[block] @ kernel @ normalized_weights)
    return _CubeAndKernelMeans(mean_cube, mean_kernel)


def _skewness_p_value(skewness: float, total_weight: float, n_features: int) -> float:
    """Return the p-value of b1 from the chi-square distribution, with the exact mean for finite n."""
    from scipy import special

    degrees_of_freedom = n_features * (n_features + 1) * (n_features + 2) / 6
    n, d = total_weight + 1.0, n_features + 1.0
    mean_correction = d * n * (total_weight + 3.0) / (total_weight * (n * d - 6.0))
    return float(special.chdtrc(degrees_of_freedom, max(0.0, mean_correction * total_weight * skewness / 6.0)))


def _kurtosis_p_value(kurtosis: float, total_weight: float, n_features: int) -> float:
    """Return the two-sided p-value of b2 from the normal distribution with the exact mean and variance."""
    from scipy import special

    n = total_weight
    asymptotic_mean = n_features * (n_features + 2)
    mean = asymptotic_mean * (n - 1.0) / (n + 1.0)
    numerator = 8.0 * asymptotic_mean * (n - 3.0) * (n - n_features - 1.0) * (n - n_features + 1.0)
    variance = numerator / ((n + 1.0) ** 2 * (n + 3.0) * (n + 5.0))
    return float(2.0 * special.ndtr(-abs(kurtosis - mean) / np.sqrt(variance)))


def _henze_zirkler_statistic(
    squared_norms: Array, normalized_weights: N, mean_pair_kernel: float, total_weight: float, n_features: int
) -> float:
    """Return HZ from the squared norms (n,) of whitened rows and the mean kernel of their pairs."""
    squared_beta = _henze_zirkler_squared_beta(total_weight, n_features)
    exponent = -0.5 * n_features
    mean_kernel = float(normalized_weights @ np.exp(-0.5 * squared_beta / (1.0 + squared_beta) * squared_norms))
    cross_term = 2.0 * (1.0 + squared_beta) ** exponent * mean_kernel
    return float(total_weight * (mean_pair_kernel - cross_term + (1.0 + 2.0 * squared_beta) ** exponent))


def _henze_zirkler_p_value(statistic: float, total_weight: float, n_features: int) -> float:
    """Return the p-value from the lognormal distribution with the mean and variance of HZ."""
    from scipy import special

    b, d = _henze_zirkler_squared_beta(total_weight, n_features), float(n_features)
    a, w = 1.0 + 2.0 * b, (1.0 + b) * (1.0 + 3.0 * b)
    mean = 1.0 - a ** (-0.5 * d) * (1.0 + d * b / a + d * (d + 2.0) * b**2 / (2.0 * a**2))
    variance = (
        2.0 * (1.0 + 4.0 * b) ** (-0.5 * d)
        + 2.0 * a**-d * (1.0 + 2.0 * d * b**2 / a**2 + 3.0 * d * (d + 2.0) * b**4 / (4.0 * a**4))
        - 4.0 * w ** (-0.5 * d) * (1.0 + 3.0 * d * b**2 / (2.0 * w) + d * (d + 2.0) * b**4 / (2.0 * w**2))
    )
    log_variance = np.log1p(variance / mean**2)
    log_mean = np.log(mean) - 0.5 * log_variance
    log_statistic = np.log(max(statistic, np.finfo(float).tiny))
    return float(special.ndtr((log_mean - log_statistic) / np.sqrt(log_variance)))
