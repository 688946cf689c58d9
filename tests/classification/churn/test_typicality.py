"""Typicality: zero on average for any pattern of missing cells, highest at the center, entropies as in SciPy."""

import numpy as np
import pytest
from scipy.stats import entropy, multivariate_normal, norm

from gaussmix.classification.churn.typicality import compute_prominence, compute_typicality
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.table import EncodedRows

MEANS = np.array([[0.0, 1.0, -1.0], [2.0, 0.0, 3.0]])
COVARIANCES = np.array([[[1.0, 0.6], [0.6, 0.8]], [[0.5, -0.2], [-0.2, 2.0]]])
VARIANCES = np.array([[0.3], [1.5]])
TABLE = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])


@pytest.fixture(scope="module")
def two_segments():
    """Two components of three numbers, of which the first two correlate, and a category of three levels."""
    layout = FeatureLayout(3, (0, 1), (3,))
    with np.errstate(divide="ignore"):
        own = np.log(np.eye(2))
    mixture = MixedMixture(layout, np.log([0.4, 0.6]), own, MEANS, VARIANCES, COVARIANCES, (np.log(TABLE),))
    return ClassModel(None, np.array([0]), layout, (mixture,))


def draw(component, n, rng):
    block = rng.multivariate_normal(MEANS[component, :2], COVARIANCES[component], n)
    third = rng.normal(MEANS[component, 2], np.sqrt(VARIANCES[component, 0]), n)
    return EncodedRows(np.column_stack([block, third]), rng.choice(3, (n, 1), p=TABLE[component]))


def oracle(component, row, code):
    """Log density plus entropy of the cells that are present, by SciPy."""
    total, block = 0.0, np.flatnonzero(~np.isnan(row[:2]))
    if len(block):
        marginal = multivariate_normal(MEANS[component, block], COVARIANCES[component][np.ix_(block, block)])
        total += marginal.logpdf(row[block]) + marginal.entropy()
    if not np.isnan(row[2]):
        marginal = norm(MEANS[component, 2], np.sqrt(VARIANCES[component, 0]))
        total += marginal.logpdf(row[2]) + marginal.entropy()
    if code >= 0:
        total += np.log(TABLE[component, code]) + entropy(TABLE[component])
    return total


def remove(rows, pattern):
    """Return rows without the cells in which the pattern is False: three numbers and the category."""
    numeric = np.where(pattern[:3], rows.numeric, np.nan)
    return EncodedRows(numeric, rows.codes if pattern[3] else np.full_like(rows.codes, -1))


PATTERNS = [np.array(p, dtype=bool) for p in np.ndindex(2, 2, 2, 2)]


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_typicality_is_log_density_plus_entropy(two_segments, pattern):
    rows = remove(draw(0, 6, np.random.default_rng(1)), pattern)
    found = compute_typicality(two_segments, rows)
    for i in range(6):
        for component in range(2):
            expected = oracle(component, rows.numeric[i], rows.codes[i, 0])
            assert found[i, component] == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_the_mean_over_a_component_is_zero_for_every_pattern(two_segments):
    rng = np.random.default_rng(2)
    for component in range(2):
        rows = draw(component, 20_000, rng)
        for pattern in PATTERNS:
            mean = compute_typicality(two_segments, remove(rows, pattern))[:, component].mean()
            assert abs(mean) < 0.05


def test_the_order_of_rows_with_several_patterns_is_kept(two_segments):
    rows = draw(0, 40, np.random.default_rng(3))
    rows.numeric[np.random.default_rng(4).random((40, 3)) < 0.4] = np.nan
    together = compute_typicality(two_segments, rows)
    for i in range(40):
        np.testing.assert_allclose(compute_typicality(two_segments, rows.select_rows([i]))[0], together[i], rtol=1e-12)


def test_prominent_rows_are_at_the_center_of_their_component(two_segments):
    rows = draw(1, 500, np.random.default_rng(5))
    center = EncodedRows(MEANS[1:], np.array([[2]]))
    found, at_center = compute_prominence(two_segments, rows), compute_prominence(two_segments, center)
    assert at_center.components[0] == 1
    assert (found.values <= at_center.values[0]).all()
    memberships = np.exp(two_segments.log_probabilities(rows))
    np.testing.assert_array_equal(found.components, memberships.argmax(axis=1))
    own = compute_typicality(two_segments, rows)[np.arange(500), found.components]
    np.testing.assert_allclose(found.values, own + np.log(memberships.max(axis=1)), atol=1e-12)
