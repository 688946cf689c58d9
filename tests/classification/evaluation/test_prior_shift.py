"""A changed prior is found in simulations, is EM's fixed point, and gives Bayes' probabilities."""

import numpy as np
import pytest
from scipy import optimize, stats

from gaussmix.classification import adjust_probabilities, compute_measures, estimate_prior
from gaussmix.errors import OutcomeError, ParameterError, PriorError, WeightError

TRAINING_PRIOR = np.array([0.5, 0.3, 0.2])


def draw_rows(seed, prior, n_rows=500, separation=1.5, training_prior=TRAINING_PRIOR):
    """Return classes (n,) drawn with a new prior, and probabilities (n, K) that are right for the training prior."""
    rng = np.random.default_rng(seed)
    n_classes = len(prior)
    classes = rng.choice(n_classes, n_rows, p=prior)
    centers = separation * np.eye(n_classes)
    rows = centers[classes] + rng.normal(size=(n_rows, n_classes))
    joint = training_prior * np.exp(-0.5 * ((rows[:, None] - centers) ** 2).sum(axis=2))
    return classes, joint / joint.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("prior", [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.34, 0.33, 0.33]])
def test_the_estimate_is_the_fixed_point_of_em_and_the_maximum(seed, prior):
    _, p = draw_rows(seed, prior)
    found = estimate_prior(p, TRAINING_PRIOR)
    posteriors = adjust_probabilities(p, TRAINING_PRIOR, found)
    np.testing.assert_allclose(posteriors.mean(axis=0), found.prior, atol=1e-10)
    assert found.prior.sum() == pytest.approx(1.0, abs=1e-12)

    def negative_log_likelihood(log_odds):
        candidate = np.exp(np.append(log_odds, 0.0))
        return -np.log(p @ (candidate / candidate.sum() / TRAINING_PRIOR)).sum()

    best = optimize.minimize(negative_log_likelihood, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8})
    maximum = np.exp(np.append(best.x, 0.0))
    np.testing.assert_allclose(found.prior, maximum / maximum.sum(), atol=1e-5)
    gain = negative_log_likelihood(np.log(TRAINING_PRIOR[:2] / TRAINING_PRIOR[2])) - best.fun
    assert found.p_value_unchanged == pytest.approx(stats.chi2.sf(2.0 * gain, 2), abs=1e-5)


@pytest.mark.parametrize(("prior", "separation"), [([0.8, 0.2], 2.0), ([0.3, 0.7], 1.0), ([0.1, 0.2, 0.7], 2.0)])
def test_intervals_cover_the_prior_in_simulations(prior, separation):
    training = np.full(len(prior), 1.0 / len(prior))
    z = []
    for seed in range(200):
        _, p = draw_rows(seed, prior, 400, separation, training)
        found = estimate_prior(p, training)
        z.append((found.prior - prior) / found.standard_errors)
    assert np.abs(np.mean(z, axis=0)).max() < 0.25
    assert 0.90 <= np.mean(np.abs(z) < 1.96) <= 0.985


def test_the_test_of_an_unchanged_prior_has_its_level_and_finds_changes():
    unchanged = [estimate_prior(draw_rows(seed, TRAINING_PRIOR)[1], TRAINING_PRIOR) for seed in range(200)]
    assert 0.04 <= np.mean([found.p_value_unchanged < 0.1 for found in unchanged]) <= 0.16
    assert estimate_prior(draw_rows(0, [0.2, 0.3, 0.5])[1], TRAINING_PRIOR).p_value_unchanged < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_adjusted_probabilities_are_better_and_calibrated(seed):
    classes, p = draw_rows(seed, [0.9, 0.1], 3000, 1.5, np.array([0.5, 0.5]))
    y, before = classes == 1, p[:, 1]
    after = adjust_probabilities(before, 0.5, estimate_prior(before, 0.5))
    first, second = compute_measures(y, before), compute_measures(y, after)
    assert second.log_loss < first.log_loss - 0.05
    assert second.calibration_error < 0.2 * first.calibration_error
    assert second.auc == pytest.approx(first.auc)
    np.testing.assert_allclose(after, draw_right_probabilities(before, 0.1), atol=0.02)


def draw_right_probabilities(p, prior):
    """Return Bayes' probabilities for a prior of the positive class, from those for one half."""
    return prior * p / (prior * p + (1.0 - prior) * (1.0 - p))


def test_one_column_is_two_classes():
    _, p = draw_rows(0, [0.7, 0.3], 300, 1.5, np.array([0.6, 0.4]))
    column, table = estimate_prior(p[:, 1], 0.4), estimate_prior(p, [0.6, 0.4])
    np.testing.assert_allclose(column.prior, table.prior, atol=1e-12)
    np.testing.assert_allclose(column.standard_errors, table.standard_errors, rtol=1e-9)
    np.testing.assert_allclose(column.standard_errors[0], column.standard_errors[1], rtol=1e-12)
    adjusted = adjust_probabilities(p[:, 1], 0.4, 0.2)
    assert adjusted.shape == (300,)
    np.testing.assert_allclose(adjusted, adjust_probabilities(p, [0.6, 0.4], [0.8, 0.2])[:, 1], atol=1e-14)


def test_adjustments_are_undone_by_the_reverse_and_compose():
    _, p = draw_rows(1, TRAINING_PRIOR)
    there = adjust_probabilities(p, TRAINING_PRIOR, [0.2, 0.2, 0.6])
    np.testing.assert_allclose(adjust_probabilities(there, [0.2, 0.2, 0.6], TRAINING_PRIOR), p, atol=1e-13)
    np.testing.assert_allclose(adjust_probabilities(p, TRAINING_PRIOR, TRAINING_PRIOR), p, atol=1e-15)
    assert (adjust_probabilities(p, TRAINING_PRIOR, [0.5, 0.5, 0.0])[:, 2] == 0.0).all()


def test_order_and_scale_of_weights_do_not_matter_and_weights_do():
    _, p = draw_rows(2, [0.2, 0.3, 0.5])
    rng = np.random.default_rng(99)
    weights, order = rng.uniform(0.1, 2.0, 500), rng.permutation(500)
    found = estimate_prior(p, TRAINING_PRIOR, weights)
    for other in (
        estimate_prior(p[order], TRAINING_PRIOR, weights[order]),
        estimate_prior(p, TRAINING_PRIOR, 1e40 * weights),
        estimate_prior(np.vstack([p, p[:9]]), TRAINING_PRIOR, np.append(weights, np.zeros(9))),
    ):
        np.testing.assert_allclose(other.prior, found.prior, atol=1e-9)
        np.testing.assert_allclose(other.standard_errors, found.standard_errors, rtol=1e-7)
    unweighted = estimate_prior(p, TRAINING_PRIOR)
    assert np.abs(unweighted.prior - found.prior).max() > 1e-3
    assert np.abs(unweighted.prior - found.prior).max() < 0.1
    assert (found.standard_errors > unweighted.standard_errors).all(), "uneven weights hold less information"


def test_overlap_is_measured_in_labelled_rows_and_noted():
    clear, blurred = (
        estimate_prior(draw_rows(3, [0.7, 0.3], 500, s, np.array([0.5, 0.5]))[1], 0.5) for s in (6.0, 0.3)
    )
    assert clear.equivalent_labels == pytest.approx([500.0, 500.0], rel=0.02)
    assert clear.notes == ()
    assert blurred.equivalent_labels.max() < 25
    assert "The classes overlap too much" in blurred.notes[0]
    assert f"{blurred.equivalent_labels[0]:.3g} labelled rows" in str(blurred)
    assert f"Prior class 0 {clear.prior[0]:.4f} ± {clear.standard_errors[0]:.4f}, class 1 " in str(clear)


def test_sentences_name_the_classes():
    p = draw_rows(3, [0.7, 0.3], 500, 0.3, np.array([0.5, 0.5]))[1]
    found = estimate_prior(p, 0.5, class_names=["no", "yes"])
    np.testing.assert_array_equal(found.prior, estimate_prior(p, 0.5).prior)
    assert "that of class 'no' is worth" in found.notes[0] or "that of class 'yes' is worth" in found.notes[0]
    assert str(found).startswith("Prior class 'no' ")
    _, p = draw_rows(4, [0.5, 0.5, 0.0], 400, 4.0)
    assert "No row needs class 'c': the estimate is 0" in str(estimate_prior(p, TRAINING_PRIOR, class_names="abc"))
    with pytest.raises(ParameterError, match=r"class_names.*\(3,\).*\(2,\)|class_names.*\(2,\).*\(3,\)"):
        estimate_prior(p, TRAINING_PRIOR, class_names=["no", "yes"])


def test_a_class_without_rows_is_estimated_as_zero():
    _, p = draw_rows(4, [0.5, 0.5, 0.0], 400, 4.0)
    found = estimate_prior(p, TRAINING_PRIOR)
    assert found.prior[2] < 1e-9
    assert np.isfinite(found.standard_errors).all()
    assert any("No row needs class 2: the estimate is 0" in note for note in found.notes)
    np.testing.assert_allclose(adjust_probabilities(p, TRAINING_PRIOR, found).mean(axis=0), found.prior, atol=1e-9)


def test_classes_that_no_row_distinguishes_have_no_estimate():
    for p in (np.full(50, 0.3), np.full(50, 0.3) + 1e-15 * np.arange(50)):
        with pytest.raises(PriorError, match="do not distinguish two of the classes"):
            estimate_prior(p, 0.3)
    _, p = draw_rows(5, [0.6, 0.4], 60, 1.5, np.array([0.5, 0.5]))
    with pytest.raises(PriorError, match="do not distinguish"):
        estimate_prior(np.column_stack([p[:, 0], 0.5 * p[:, 1], 0.5 * p[:, 1]]), [0.5, 0.25, 0.25])


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([0.5, 0.5], "training_prior must be one number for each of 3 classes"),
        (0.5, r"training_prior must be one number for each of 3 classes, but has the shape \(\)"),
        ([0.5, 0.5, 0.0], "training_prior must be numbers above 0 that add up to 1, but is 0.5, 0.5, 0"),
        ([0.5, 0.3, 0.3], "add up to 1"),
        ([0.5, np.nan, 0.5], "add up to 1"),
        (["a", "b", "c"], "training_prior must be one number for each class, but has the type list"),
    ],
)
def test_wrong_priors_are_refused(prior, message):
    _, p = draw_rows(0, TRAINING_PRIOR, 20)
    for function in (estimate_prior, lambda p, prior: adjust_probabilities(p, prior, TRAINING_PRIOR)):
        with pytest.raises(PriorError, match=message):
            function(p, prior)


def test_wrong_probabilities_and_weights_are_refused():
    with pytest.raises(OutcomeError, match=r"those of row 1 add up to 0\.9"):
        estimate_prior([[0.5, 0.5], [0.5, 0.4]], 0.5)
    with pytest.raises(OutcomeError, match=r"p of row 0 is 1\.5"):
        estimate_prior([[1.5, -0.5]], 0.5)
    with pytest.raises(OutcomeError, match=r"shape \(n, K\), but has the shape \(1, 1, 2\)"):
        adjust_probabilities([[[0.5, 0.5]]], 0.5, 0.5)
    with pytest.raises(PriorError, match="at least two classes"):
        estimate_prior([[1.0], [1.0]], 0.5)
    with pytest.raises(OutcomeError, match="no row"):
        estimate_prior(np.empty((0, 2)), 0.5)
    with pytest.raises(WeightError, match="sample_weight"):
        estimate_prior([0.1, 0.9], 0.5, [1.0])
    with pytest.raises(PriorError, match="new_prior must be numbers at least 0"):
        adjust_probabilities([0.1, 0.9], 0.5, -0.5)
    with pytest.raises(PriorError, match="row 1 has a positive probability only for classes whose new prior is 0"):
        adjust_probabilities([0.5, 1.0], 0.5, 0.0)
    assert issubclass(PriorError, ParameterError)


def test_random_problems_converge_in_few_iterations():
    """Classes without rows, two rows only, and probabilities of 0 and 1 among them."""
    n_estimates = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        n_classes, n_rows = rng.integers(2, 6), int(rng.choice([2, 20, 200]))
        p = rng.dirichlet(np.full(n_classes, 10.0 ** rng.uniform(-2.0, 1.5)), n_rows)
        prior = rng.dirichlet(np.full(n_classes, 3.0))
        try:
            found = estimate_prior(p, prior)
        except PriorError:
            continue
        n_estimates += 1
        assert found.n_iter < 200
        np.testing.assert_allclose(adjust_probabilities(p, prior, found).mean(axis=0), found.prior, atol=1e-10)
        assert np.isfinite(found.standard_errors).all()
    assert n_estimates > 100


def test_rows_of_tiny_weight_and_certain_classes_have_an_estimate():
    found = estimate_prior([1.0, 0.0, 0.0], 0.3, [1e-30, 1.0, 1.0])
    assert found.prior == pytest.approx([1.0, 0.0], abs=1e-12)
    assert np.isfinite(found.standard_errors).all()
