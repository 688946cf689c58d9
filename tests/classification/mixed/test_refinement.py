"""The refinement: its gradient, its limits, and what each of its options does."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from gaussmix.classification.families.class_fits import ClassFits
from gaussmix.classification.families.members import MixtureSpec
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_prior import PriorStrength
from gaussmix.classification.mixed.parametrization import MixedParametrization
from gaussmix.classification.mixed.refinement import RefinementObjective, RefinementOptions, refine
from tests.classification.mixed.random_mixtures import Cells, make_cells, make_layout, make_mixture


def _make_objective(
    mixture: MixedMixture, cells: Cells, options: RefinementOptions, weights: bool = True
) -> RefinementObjective:
    rows = (cells if weights else cells._replace(weights=np.ones(len(cells.weights)))).to_rows(mixture.layout)
    return RefinementObjective(MixedParametrization(mixture), rows, cells.classes[rows.order], options)


def _differentiate(objective: RefinementObjective, point: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Return the gradient by central differences of fourth order."""
    gradient = np.empty(len(point))
    for i in range(len(point)):
        direction = np.zeros(len(point))
        direction[i] = step
        values = [objective.evaluate(point + factor * direction).value for factor in (-2, -1, 1, 2)]
        gradient[i] = (values[0] - 8.0 * values[1] + 8.0 * values[2] - values[3]) / (12.0 * step)
    return gradient


@pytest.mark.parametrize("has_class_components", [True, False], ids=["class components", "shared components"])
@pytest.mark.parametrize("has_floors", [True, False], ids=["floors", "no floors"])
@pytest.mark.parametrize("n_block", [0, 1, 3])
@pytest.mark.parametrize(("n_classes", "n_components"), [(2, 2), (3, 5)])
def test_the_gradient_equals_finite_differences_with_categories_gaps_and_weights(
    n_block: int, n_classes: int, n_components: int, has_class_components: bool, has_floors: bool
) -> None:
    layout = make_layout(n_block)
    mixture = make_mixture(layout, n_components, n_classes, 7, has_class_components)
    cells = make_cells(layout, 40, 7, n_classes)
    objective = _make_objective(mixture, cells, RefinementOptions(0.02, 0.7, has_floors=has_floors))
    rng = np.random.default_rng(8)
    for scale in (0.0, 0.3):
        point = scale * rng.normal(size=objective.n_parameters)
        gradient = objective.evaluate(point).gradient
        expected = _differentiate(objective, point)
        floor = 1e-3 * np.abs(expected).max()
        assert (np.abs(gradient - expected) <= 1e-6 * (np.abs(expected) + floor)).all()


def test_the_objective_is_the_conditional_likelihood_with_a_share_of_the_joint_one() -> None:
    layout = make_layout(2)
    mixture, cells = make_mixture(layout, 3, 3, 1), make_cells(layout, 30, 1, 3)
    class_scores = mixture.compute_class_scores(cells.to_rows(layout))
    rows = cells.to_rows(layout)
    log_joint = class_scores[cells.classes[rows.order], np.arange(30)]
    log_marginal = logsumexp(class_scores, axis=0)
    for share in (0.0, 0.3, 1.0):
        objective = _make_objective(mixture, cells, RefinementOptions(share, 2.0, has_floors=False))
        point = np.zeros(objective.n_parameters)
        expected = rows.apply_weights(log_joint - log_marginal + share * log_marginal).sum()
        assert objective.evaluate(point).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("has_class_components", [True, False])
def test_zero_is_the_origin_and_numbers_are_relative_to_it(has_class_components: bool) -> None:
    layout = make_layout(2)
    origin = make_mixture(layout, 4, 2, 3, has_class_components)
    parametrization = MixedParametrization(origin)
    same = parametrization.to_mixture(np.zeros(parametrization.n_parameters))
    for name in ("log_weights", "class_log_probabilities", "means", "variances", "covariances"):
        np.testing.assert_allclose(getattr(same, name), getattr(origin, name), rtol=1e-12, atol=1e-12)
    shifted = parametrization.to_mixture(0.1 * np.ones(parametrization.n_parameters))
    independent = layout.independent_columns
    deviations = (shifted.means - origin.means)[:, independent] / np.sqrt(origin.variances)
    np.testing.assert_allclose(deviations, 0.1, rtol=1e-10)
    np.testing.assert_allclose(shifted.variances / origin.variances, np.exp(0.2), rtol=1e-10)
    np.testing.assert_allclose(shifted.log_weights, origin.log_weights, atol=1e-12)  # equal logits change nothing
    roots = np.linalg.cholesky(origin.covariances)
    moves = np.linalg.solve(roots, (shifted.block_means - origin.block_means)[..., None])
    np.testing.assert_allclose(moves, 0.1, rtol=1e-9)


def test_components_of_a_class_have_no_class_probabilities_to_refine() -> None:
    layout = make_layout(2)
    own = MixedParametrization(make_mixture(layout, 4, 2, 0)).n_parameters
    shared = MixedParametrization(make_mixture(layout, 4, 2, 0, False)).n_parameters
    assert shared == own + 4 * 2
    refined = MixedParametrization(make_mixture(layout, 4, 2, 0)).to_mixture(np.ones(own))
    assert refined.has_class_components


def test_moments_of_the_classes_are_where_the_joint_likelihood_is_flat() -> None:
    layout = make_layout(2)
    cells = make_cells(layout, 80, 2, missing=0.0)
    training = TrainingRows(layout, cells.numeric, cells.codes, cells.classes, 2, cells.weights)
    fits = ClassFits(training, PriorStrength(0.0, 0.0, 0.0))
    mixture = fits.fit_generative(MixtureSpec((1, 1), ("VVV", "VVV")), 0)
    objective = _make_objective(mixture, cells, RefinementOptions(1.0, 0.0, has_floors=False))
    gradient = objective.evaluate(np.zeros(objective.n_parameters)).gradient
    assert np.abs(gradient).max() < 1e-8 * cells.weights.sum()


def _fit_classes(layout: FeatureLayout, cells: Cells) -> MixedMixture:
    training = TrainingRows(layout, cells.numeric, cells.codes, cells.classes, 2, cells.weights)
    return ClassFits(training).fit_generative(MixtureSpec((1, 1), ("VVV", "VVV")), 0)


@pytest.mark.parametrize("n_block", [0, 2], ids=["categories alone", "categories and a block"])
def test_one_component_per_class_is_logistic_regression_in_the_limit(n_block: int) -> None:
    layout = make_layout(n_block, n_independent=0, n_levels=(3, 4))
    cells = make_cells(layout, 400, 4, missing=0.0)
    first, second = cells.codes.T
    second = np.where(np.arange(400) % 4 > 0, first, second)  # columns that agree mislead independent tables
    classes = (np.random.default_rng(4).normal(size=400) < first - 1.0).astype(np.int64)
    cells = cells._replace(codes=np.column_stack([first, second]), classes=classes)
    mixture = _fit_classes(layout, cells)
    objective = _make_objective(mixture, cells, RefinementOptions(0.0, 0.0, has_floors=False))
    start = np.zeros(objective.n_parameters)
    result = minimize(
        lambda point: tuple(-each for each in objective.evaluate(point)),
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 3000, "maxfun": 6000, "ftol": 1e-14, "gtol": 1e-7},
    )
    left, right = np.triu_indices(n_block)
    products = cells.numeric[:, left] * cells.numeric[:, right]
    indicators = OneHotEncoder(drop="first", sparse_output=False).fit_transform(cells.codes)
    regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000)
    design = np.hstack([indicators, cells.numeric, products])
    regression.fit(design, cells.classes, sample_weight=cells.weights)
    log_probabilities = regression.predict_log_proba(design)[np.arange(400), cells.classes]
    assert result.fun == pytest.approx(-cells.weights @ log_probabilities, rel=1e-6)
    assert -objective.evaluate(start).value > result.fun * 1.002  # the mixture of EM is worse


def _conditional_loss(mixture: MixedMixture, cells: Cells) -> float:
    rows = cells.to_rows(mixture.layout)
    scores = mixture.compute_class_scores(rows)
    own = scores[cells.classes[rows.order], np.arange(len(cells.classes))]
    return float(np.average(logsumexp(scores, axis=0) - own, weights=rows.weights))


@pytest.mark.parametrize("seed", range(3))
def test_refinement_lowers_the_conditional_loss_and_less_so_with_a_penalty(seed: int) -> None:
    layout = make_layout(2)
    cells = make_cells(layout, 200, seed)
    mixture = _fit_classes(layout, cells)
    losses = []
    for penalty in (0.0, 2.0, 100.0, 1e9):
        rows = cells.to_rows(layout)
        refined = refine(mixture, rows, cells.classes, RefinementOptions(0.0, penalty, 200, has_floors=False)).mixture
        losses.append(_conditional_loss(refined, cells))
    assert losses == sorted(losses)
    assert losses[0] < losses[2] < losses[3]
    assert losses[3] == pytest.approx(_conditional_loss(mixture, cells), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_floors_are_the_fractions_of_rows_without_a_reason(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout = make_layout(0, n_independent=1, n_levels=())
    classes = rng.integers(0, 2, 4000)
    numeric = rng.normal(6.0 * classes, 1.0)[:, None]
    has_no_reason = rng.random(4000) < 0.1
    observed = np.where(has_no_reason, (rng.random(4000) < 0.25).astype(np.int64), classes)
    cells = Cells(numeric, np.empty((4000, 0), dtype=np.int64), np.ones(4000), observed)
    mixture = _fit_classes(layout, cells)
    result = refine(mixture, cells.to_rows(layout), observed, RefinementOptions(0.0, 0.01, 500))
    np.testing.assert_allclose(result.floors, [0.075, 0.025], atol=0.012)
    plain = refine(mixture, cells.to_rows(layout), observed, RefinementOptions(0.0, 0.01, 500, has_floors=False))
    assert not plain.floors.any()
    truth = cells._replace(classes=classes)
    assert _conditional_loss(result.mixture, truth) < 0.2 * _conditional_loss(plain.mixture, truth)


def test_a_weight_of_the_density_keeps_the_density_higher() -> None:
    layout = make_layout(2)
    cells = make_cells(layout, 200, 1)
    mixture, rows = _fit_classes(layout, cells), cells.to_rows(layout)
    densities = []
    for share in (0.0, 0.1, 1.0):
        refined = refine(mixture, rows, cells.classes, RefinementOptions(share, 0.0, 100)).mixture
        densities.append(float(rows.apply_weights(logsumexp(refined.compute_class_scores(rows), axis=0)).sum()))
    assert densities == sorted(densities)
    assert densities[0] < densities[2] - 1.0


def test_max_iter_limits_the_iterations_which_are_told() -> None:
    layout = make_layout(2)
    cells = make_cells(layout, 200, 1)
    mixture, rows = _fit_classes(layout, cells), cells.to_rows(layout)
    short, long = (refine(mixture, rows, cells.classes, RefinementOptions(0.0, 0.0, n)) for n in (3, 500))
    assert short.n_iter == 3
    assert 3 < long.n_iter < 500
    assert _conditional_loss(long.mixture, cells) < _conditional_loss(short.mixture, cells)


def test_separated_classes_without_penalty_stay_finite() -> None:
    layout = make_layout(2, n_independent=1, n_levels=(2,))
    cells = make_cells(layout, 30, 0, missing=0.0)
    cells = cells._replace(numeric=cells.numeric + 50.0 * cells.classes[:, None], codes=cells.classes[:, None])
    mixture = _fit_classes(layout, cells)
    with np.errstate(all="raise", under="ignore"):
        refined = refine(mixture, cells.to_rows(layout), cells.classes, RefinementOptions(1.0, 0.0, 1000)).mixture
    for name in ("log_weights", "means", "variances", "covariances"):
        assert np.isfinite(getattr(refined, name)).all()
    assert (np.linalg.eigvalsh(refined.covariances) > 0).all()


def test_units_of_the_columns_change_the_gradient_by_rounding_only() -> None:
    layout = make_layout(2)
    mixture, cells = make_mixture(layout, 2, 2, 0), make_cells(layout, 50, 0)
    units = np.array([1e-3, 40.0, 1e5, 0.7])
    independent, block = units[layout.independent_columns], units[layout.block_columns]
    scaled = replace(
        mixture,
        means=mixture.means * units,
        variances=mixture.variances * independent**2,
        covariances=mixture.covariances * block[:, None] * block,
    )
    options = RefinementOptions(0.0, 1.0)
    first = _make_objective(mixture, cells, options)
    second = _make_objective(scaled, cells._replace(numeric=cells.numeric * units), options)
    point = 0.2 * np.random.default_rng(0).normal(size=first.n_parameters)
    np.testing.assert_allclose(second.evaluate(point).gradient, first.evaluate(point).gradient, rtol=1e-8, atol=1e-8)
