"""Whether rows look Gaussian: Mardia's skewness and kurtosis, and the test of Henze and Zirkler.

With m_ij = (x_i - mean)^T S^-1 (x_j - mean), S the covariance with 1 / n, of n rows in D columns:

    skewness  b1 = sum_ij m_ij^3 / n^2      zero for symmetric rows; n b1 / 6 is about chi-squared
    kurtosis  b2 = sum_i m_ii^2 / n         about D (D + 2) for Gaussian ones
    HZ        n times the integrated squared distance between the characteristic functions of the rows and of the
              standard Gaussian, weighted by a Gaussian of deviation beta; about lognormal

(Mardia, "Measures of multivariate skewness and kurtosis with applications", Biometrika 57, 1970; Henze & Zirkler, "A
class of invariant consistent tests for multivariate normality", Comm. Stat. Theory Methods 19, 1990.) All three stay
the same under affine maps of the rows. Skewness is scaled, and kurtosis centred and scaled, by the moments for finite n
(Mardia, "Applications of some measures of multivariate skewness and kurtosis in testing normality and robustness
studies", Sankhya B 36, 1974): those for endless rows are half a deviation off at 50 rows of 4 columns.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.linalg import cholesky, solve_lower, weighted_outer_sum
from gaussmix.errors.text import format_count
from gaussmix.types import ND, NK, Array, N

MAX_TESTED_ROWS = 2_000
"""Rows of a component that are looked at; of more a random sample."""

SIGNIFICANCE_LEVEL = 0.05
"""Below this the rows of a component do not look Gaussian."""

_BLOCK_ROWS = 512
_MIN_CHOLESKY_PIVOT = 1e-7  # pivots that lie further apart are those of rows in a plane, but for rounding
_N_TESTS = 3


@dataclass(frozen=True)
class NormalityTestResult:
    """Three tests of the rows of one component.

    ``n_rows`` were looked at (their weight). The statistics are b1, b2 and HZ as above, the p-values those of
    Gaussian rows; NaN where rows are too few or lie in a plane, and ``reason`` says which. ``n_components`` were tested
    together.
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
        """The smallest of the three p-values, times three and the components tested, at most 1 (Bonferroni).

        So of mixtures whose components all are Gaussian at most one in twenty has one that does not look so.
        """
        if not self.is_tested:
            return np.nan
        least = min(self.skewness_p_value, self.kurtosis_p_value, self.henze_zirkler_p_value)
        return min(1.0, _N_TESTS * self.n_tested_components * least)

    @property
    def is_tested(self) -> bool:
        return not self.skip_reason

    @property
    def is_plausibly_gaussian(self) -> bool:
        """Whether nothing speaks against it at the level of 5 %; False where nothing could be tested."""
        return self.is_tested and self.bonferroni_p_value >= SIGNIFICANCE_LEVEL


def run_component_normality_tests(
    responsibilities: NK, rows: ND, weights: N, rng: np.random.Generator
) -> tuple[NormalityTestResult, ...]:
    """The tests for each component, on rows drawn for it with their probabilities ``soft`` (n, K).

    Rows (n, D) of a mixture whose components are drawn so are exactly Gaussian within each of them. Those that are
    assigned to the most probable one are not, since overlapping tails are cut off; and with probabilities for weights a
    row in between would count as several halves, and the tests would hardly ever reject.
    """
    edges = np.cumsum(responsibilities, axis=1)
    drawn = (edges <= rng.random(len(responsibilities))[:, None] * edges[:, -1:]).sum(axis=1)
    found = []
    for component in range(responsibilities.shape[1]):
        own = np.flatnonzero(drawn == component)
        if len(own) > MAX_TESTED_ROWS:
            own = np.sort(rng.choice(own, size=MAX_TESTED_ROWS, replace=False))
        found.append(run_normality_test(rows[own], weights[own], component))
    n_tested = sum(one.is_tested for one in found)
    return tuple(replace(one, n_tested_components=max(1, n_tested)) for one in found)


def run_normality_test(rows: ND, weights: N, component: int = 0) -> NormalityTestResult:
    """The tests for some rows (n, D); one of weight 2 counts as two equal rows."""
    count, n_features = float(weights.sum()), rows.shape[1]
    fewest = max(n_features + 1, 3)  # kurtosis of three rows of one column is the same for all
    if len(rows) <= fewest or count <= fewest:
        return NormalityTestResult(
            component, count, skip_reason=f"too few rows for {format_count(n_features, 'column')}"
        )
    whitened = _whiten(np.asarray(rows, dtype=np.float64), weights / count)
    if whitened is None:
        return NormalityTestResult(
            component, count, skip_reason="the rows lie in a plane, or all at one value of a column"
        )
    shares = weights / count
    cubes, bells = _pairwise_means(whitened, shares, _squared_beta(count, n_features))
    squares = np.square(whitened).sum(axis=1)
    kurtosis = float(shares @ squares**2)
    distance = _henze_zirkler_statistic(squares, shares, bells, count, n_features)
    return NormalityTestResult(
        component,
        count,
        cubes,
        _skewness_p_value(cubes, count, n_features),
        kurtosis,
        _kurtosis_p_value(kurtosis, count, n_features),
        distance,
        _henze_zirkler_p_value(distance, count, n_features),
    )


def _whiten(rows: ND, normalized_weights: N) -> ND | None:
    """Rows of mean zero and covariance one; None where a direction has no variance."""
    centred = rows - rows[0]
    centred = centred - normalized_weights @ centred
    sizes = np.abs(centred).max(axis=0)
    if not (sizes > 0).all():
        return None
    scaled = centred / sizes
    scaled = scaled / np.sqrt(normalized_weights @ scaled**2)
    factor = cholesky(weighted_outer_sum(scaled, normalized_weights))
    if factor is None or np.diagonal(factor).min() < _MIN_CHOLESKY_PIVOT:
        return None
    return np.ascontiguousarray(solve_lower(factor, scaled.T).T)


def _squared_beta(total_weight: float, n_features: int) -> float:
    """The square of Henze and Zirkler's beta."""
    return float(0.5 * (0.25 * total_weight * (2 * n_features + 1)) ** (2.0 / (n_features + 4)))


def _pairwise_means(whitened_rows: ND, normalized_weights: N, squared_beta: float) -> tuple[float, float]:
    """Means over all pairs of rows of m_ij^3 and of exp(-beta^2 |z_i - z_j|^2 / 2), some rows at a time."""
    squares = np.square(whitened_rows).sum(axis=1)
    cubes = bells = 0.0
    for start in range(0, len(whitened_rows), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        products = whitened_rows[part] @ whitened_rows.T
        distances = np.maximum(squares[part, None] + squares - 2.0 * products, 0.0)
        cubes += float(normalized_weights[part] @ products**3 @ normalized_weights)
        bells += float(normalized_weights[part] @ np.exp(-0.5 * squared_beta * distances) @ normalized_weights)
    return cubes, bells


def _skewness_p_value(skewness: float, total_weight: float, n_features: int) -> float:
    from scipy import special

    degrees = n_features * (n_features + 1) * (n_features + 2) / 6
    rows, columns = total_weight + 1.0, n_features + 1.0
    small = (
        columns * rows * (total_weight + 3.0) / (total_weight * (rows * columns - 6.0))
    )  # makes the mean right for finite n
    return float(special.chdtrc(degrees, max(0.0, small * total_weight * skewness / 6.0)))


def _kurtosis_p_value(kurtosis: float, total_weight: float, n_features: int) -> float:
    from scipy import special

    expected = n_features * (n_features + 2)
    mean = expected * (total_weight - 1.0) / (total_weight + 1.0)
    spread = (
        8.0 * expected * (total_weight - 3.0) * (total_weight - n_features - 1.0) * (total_weight - n_features + 1.0)
    )
    variance = spread / ((total_weight + 1.0) ** 2 * (total_weight + 3.0) * (total_weight + 5.0))
    return float(2.0 * special.ndtr(-abs(kurtosis - mean) / np.sqrt(variance)))


def _henze_zirkler_statistic(
    squared_norms: Array, normalized_weights: N, mean_pair_kernel: float, total_weight: float, n_features: int
) -> float:
    smoothing = _squared_beta(total_weight, n_features)
    half = -0.5 * n_features
    single = float(normalized_weights @ np.exp(-0.5 * smoothing / (1.0 + smoothing) * squared_norms))
    return float(
        total_weight * (mean_pair_kernel - 2.0 * (1.0 + smoothing) ** half * single + (1.0 + 2.0 * smoothing) ** half)
    )


def _henze_zirkler_p_value(statistic: float, total_weight: float, n_features: int) -> float:
    """From the lognormal distribution of the same mean and variance."""
    from scipy import special

    b, d = _squared_beta(total_weight, n_features), float(n_features)
    a, w = 1.0 + 2.0 * b, (1.0 + b) * (1.0 + 3.0 * b)
    mean = 1.0 - a ** (-0.5 * d) * (1.0 + d * b / a + d * (d + 2.0) * b**2 / (2.0 * a**2))
    variance = (
        2.0 * (1.0 + 4.0 * b) ** (-0.5 * d)
        + 2.0 * a**-d * (1.0 + 2.0 * d * b**2 / a**2 + 3.0 * d * (d + 2.0) * b**4 / (4.0 * a**4))
        - 4.0 * w ** (-0.5 * d) * (1.0 + 3.0 * d * b**2 / (2.0 * w) + d * (d + 2.0) * b**4 / (2.0 * w**2))
    )
    spread = np.log1p(variance / mean**2)
    middle = np.log(mean) - 0.5 * spread
    return float(special.ndtr((middle - np.log(max(statistic, np.finfo(float).tiny))) / np.sqrt(spread)))
