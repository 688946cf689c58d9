"""EM of mixtures of numbers and categories: its moments, its closed forms, and that it never goes down."""

import numpy as np
import pytest

from gaussmix.classification.families.class_fits import prior_at, standard_prior, start_at
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_em import hard_responsibilities, run_em
from gaussmix.classification.mixed.mixed_m_step import (
    MIN_VARIANCE,
    MixedMStep,
    expect_block_moments,
    make_block_estimator,
)
from gaussmix.classification.mixed.mixed_prior import PriorStrength
from tests.classification.mixed.random_mixtures import make_cells, make_layout, make_mixture

NO_PRIOR = PriorStrength(0.0, 0.0, 0.0)


def _make_m_step(
    layout: FeatureLayout, n_components: int, strength: PriorStrength, structure: str = "VVV"
) -> MixedMStep:
    prior = standard_prior(layout, strength).select_components([0] * n_components)
    return MixedMStep(prior, make_block_estimator(structure, len(layout.block)))


@pytest.mark.parametrize("n_block", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_expected_moments_of_rows_with_gaps_equal_a_sum_row_by_row(n_block: int, seed: int) -> None:
    layout = make_layout(n_block)
    mixture, cells = make_mixture(layout, 2, 2, seed), make_cells(layout, 60, seed, missing=0.4)
    rows = cells.to_rows(layout)
    responsibilities = np.random.default_rng(seed).dirichlet([1.0, 1.0], 60).T
    moments = expect_block_moments(mixture, rows.accumulate(responsibilities[:, rows.order]))
    for k in range(2):
        mean, covariance = mixture.block_means[k], mixture.covariances[k]
        mass, first, second = 0.0, np.zeros(n_block), np.zeros((n_block, n_block))
        for numbers, weight in zip(
            cells.numeric[:, layout.block_columns], cells.weights * responsibilities[k], strict=True
        ):
            seen, gap = np.flatnonzero(~np.isnan(numbers)), np.flatnonzero(np.isnan(numbers))
            slope = covariance[np.ix_(gap, seen)] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
            expected, spread = numbers.copy(), np.zeros((n_block, n_block))
            expected[gap] = mean[gap] + slope @ (numbers[seen] - mean[seen])
            spread[np.ix_(gap, gap)] = covariance[np.ix_(gap, gap)] - slope @ covariance[np.ix_(seen, gap)]
            mass += weight
            first += weight * expected
            second += weight * (np.outer(expected, expected) + spread)
        assert moments.mass[k] == pytest.approx(mass, rel=1e-12)
        np.testing.assert_allclose(moments.mean[k], first / mass, rtol=1e-10, atol=1e-12)
        scatter = second - np.outer(first, first) / mass
        np.testing.assert_allclose(moments.scatter[k], scatter, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_block", [0, 1, 3])
def test_one_component_without_prior_and_gaps_is_the_weighted_sample(n_block: int) -> None:
    layout = make_layout(n_block)
    cells = make_cells(layout, 80, 0, missing=0.0)
    rows, m_step = cells.to_rows(layout), _make_m_step(layout, 1, NO_PRIOR)
    mixture = run_em(start_at(m_step.prior, layout), rows, m_step, np.ones((1, 80))).mixture
    covariance = np.atleast_2d(np.cov(cells.numeric.T, aweights=cells.weights, ddof=0))
    np.testing.assert_allclose(mixture.means[0], np.average(cells.numeric, axis=0, weights=cells.weights), rtol=1e-10)
    np.testing.assert_allclose(mixture.variances[0], np.diag(covariance)[layout.independent_columns], rtol=1e-10)
    block = layout.block_columns
    np.testing.assert_allclose(mixture.covariances[0], covariance[np.ix_(block, block)], rtol=1e-10)
    for table, column, n_levels in zip(mixture.tables, cells.codes.T, layout.n_levels, strict=True):
        frequencies = np.bincount(column, cells.weights, n_levels) / cells.weights.sum()
        np.testing.assert_allclose(np.exp(table[0]), frequencies, rtol=1e-10)


@pytest.mark.parametrize("has_allowed", [False, True])
@pytest.mark.parametrize("strength", [NO_PRIOR, PriorStrength(), PriorStrength(20.0, 5.0, 3.0)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_em_never_lowers_the_log_posterior_density(seed: int, strength: PriorStrength, has_allowed: bool) -> None:
    layout = make_layout(2 + seed % 2)
    cells = make_cells(layout, 120, seed)
    rows, m_step = cells.to_rows(layout), _make_m_step(layout, 3, strength)
    labels = np.random.default_rng(seed).integers(0, 3, 120)
    allowed = None
    if has_allowed:
        allowed = make_mixture(layout, 3, 2, seed, False).class_log_probabilities[:, cells.classes[rows.order]]
    start = make_mixture(layout, 3, 2, seed, False)
    result = run_em(start, rows, m_step, hard_responsibilities(labels, 3), allowed, tol=-np.inf, max_iter=60)
    assert len(result.trace) == 60
    assert np.diff(result.trace).min() >= -1e-11
    assert result.trace[-1] - result.trace[0] > 1e-3


def test_em_stops_by_its_tolerance_and_tells_the_log_likelihood() -> None:
    layout = make_layout(2)
    cells = make_cells(layout, 100, 0)
    rows, m_step = cells.to_rows(layout), _make_m_step(layout, 2, PriorStrength())
    responsibilities = hard_responsibilities(np.arange(100) % 2, 2)
    loose, tight = (
        run_em(start_at(m_step.prior, layout), rows, m_step, responsibilities, tol=tol) for tol in (1e-2, 1e-7)
    )
    assert len(loose.trace) < len(tight.trace)
    gains = np.diff(tight.trace)
    assert gains[-1] < 1e-7 <= gains[:-1].min()
    scores = tight.mixture.compute_class_scores(rows)
    assert tight.log_likelihood == pytest.approx((rows.apply_weights(scores[0])).sum(), rel=1e-12)


def test_the_m_step_is_the_maximum_of_the_expected_log_posterior_density() -> None:
    layout = make_layout(2)
    cells = make_cells(layout, 60, 5, missing=0.0)
    rows, strength = cells.to_rows(layout), PriorStrength(1.0, 5.0, 3.0)
    prior = prior_at(make_mixture(layout, 1, 1, 5), strength, 2)
    m_step = MixedMStep(prior, make_block_estimator("VVV", 2))
    responsibilities = np.random.default_rng(5).dirichlet([1.0, 1.0], 60).T
    best = m_step(start_at(prior, layout), rows.accumulate(responsibilities))

    def objective(mixture: object) -> float:
        scores = mixture.compute_scores(rows)  # type: ignore[attr-defined]
        return float((rows.apply_weights(responsibilities) * scores).sum()) + prior.log_density(mixture)  # type: ignore[arg-type]

    rng = np.random.default_rng(6)
    top = objective(best)
    for _ in range(50):
        other = make_mixture(layout, 2, 1, int(rng.integers(1000)))
        step = 10.0 ** rng.uniform(-4, 0)
        tables = [(1 - step) * np.exp(a) + step * np.exp(b) for a, b in zip(best.tables, other.tables, strict=True)]
        moved = best.__class__(
            layout,
            np.log((1 - step) * np.exp(best.log_weights) + step * np.exp(other.log_weights)),
            best.class_log_probabilities,
            best.means + step * (other.means - best.means),
            best.variances * np.exp(step * rng.normal(size=best.variances.shape)),
            best.covariances + step * other.covariances,
            tuple(np.log(table) for table in tables),
        )
        assert objective(moved) < top


def test_an_empty_component_falls_back_to_its_prior_and_stays_finite() -> None:
    layout = make_layout(2)
    rows, m_step = make_cells(layout, 40, 0).to_rows(layout), _make_m_step(layout, 2, PriorStrength())
    mixture = m_step(start_at(m_step.prior, layout), rows.accumulate(np.array([np.ones(40), np.zeros(40)])))
    np.testing.assert_allclose(mixture.means[1], 0.0, atol=1e-12)
    np.testing.assert_allclose(mixture.variances[1], 1.0, rtol=1e-12)
    np.testing.assert_allclose(mixture.covariances[1], np.eye(2), rtol=1e-12, atol=1e-15)
    assert np.isfinite(mixture.log_weights).all()
    assert np.exp(mixture.log_weights[1]) < 1e-9


def test_columns_of_equal_values_have_the_smallest_variance_without_prior() -> None:
    layout = make_layout(2)
    cells = make_cells(layout, 30, 0, missing=0.0)
    rows = cells._replace(numeric=np.ones_like(cells.numeric)).to_rows(layout)
    m_step = _make_m_step(layout, 1, NO_PRIOR)
    mixture = m_step(start_at(m_step.prior, layout), rows.accumulate(np.ones((1, 30))))
    assert mixture.variances.min() == MIN_VARIANCE
    assert np.linalg.eigvalsh(mixture.covariances[0]).min() == pytest.approx(MIN_VARIANCE, rel=1e-6)


@pytest.mark.parametrize("structure", ["VVV", "EEE", "VVI", "EII"])
def test_the_block_keeps_its_structure(structure: str) -> None:
    layout = make_layout(3)
    cells = make_cells(layout, 90, 1)
    rows, m_step = cells.to_rows(layout), _make_m_step(layout, 2, PriorStrength(), structure)
    start = start_at(m_step.prior, layout)
    first, second = run_em(start, rows, m_step, hard_responsibilities(np.arange(90) % 2, 2)).mixture.covariances
    assert np.allclose(first, second) == structure.startswith("E")
    assert np.allclose(first, np.diag(np.diag(first))) == structure.endswith("I")
    assert np.allclose(first, first[0, 0] * np.eye(3)) == (structure == "EII")


def test_each_strength_of_the_prior_pulls_its_own_parameters() -> None:
    layout = make_layout(2)
    rows = make_cells(layout, 40, 2, missing=0.0).to_rows(layout)
    sums = rows.accumulate(np.ones((1, 40)))

    def fit(strength: PriorStrength) -> object:
        m_step = _make_m_step(layout, 1, strength)
        return m_step(start_at(m_step.prior, layout), sums)

    free = fit(NO_PRIOR)
    for strength, name, target in (
        (PriorStrength(1e9, 0.0, 0.0), "means", 0.0),
        (PriorStrength(0.0, 1e9, 0.0), "variances", 1.0),
    ):
        pulled = fit(strength)
        np.testing.assert_allclose(getattr(pulled, name), target, atol=1e-6)
        assert not np.allclose(getattr(free, name), target, atol=1e-2)
    pulled = fit(PriorStrength(0.0, 0.0, 1e9))
    np.testing.assert_allclose(np.exp(pulled.tables[0]), 1.0 / 3.0, rtol=1e-6)  # type: ignore[attr-defined]
    np.testing.assert_allclose(pulled.means, free.means)  # type: ignore[attr-defined]


@pytest.mark.parametrize("n_block", [1, 2, 8])
def test_a_block_of_more_columns_needs_more_pseudo_observations(n_block: int) -> None:
    layout = make_layout(n_block, n_independent=0, n_levels=())
    strength = PriorStrength()
    rows = make_cells(layout, 3, 0, missing=0.0)._replace(codes=np.empty((3, 0), dtype=np.int64)).to_rows(layout)
    m_step = _make_m_step(layout, 1, strength)
    covariance = m_step(start_at(m_step.prior, layout), rows.accumulate(np.ones((1, 3)))).covariances[0]
    assert strength.of_block(n_block) == pytest.approx(2 * n_block + 3)
    unseen = np.linalg.eigvalsh(covariance)[0]  # in a direction that the rows hardly span
    if n_block > 3:
        assert unseen == pytest.approx((2 * n_block + 3) / (2 * n_block + 3 + rows.total_weight), rel=0.05)
    assert NO_PRIOR.of_block(n_block) == 0.0
