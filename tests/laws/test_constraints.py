"""Parameters held fixed: held they are, the rest is the best there is, and nonsense is refused in one sentence."""

import warnings

import numpy as np
import pytest
from scipy import optimize, stats

from gaussmix import Constraints, GaussianMixture, Mixture, ParameterError
from gaussmix.covariance import MCLUST_NAMES
from tests.contracts.problems import groups
from tests.exhaustive import parametrize_product
from tests.laws.test_noise import groups_with_noise

NAN = float("nan")
FREE = [NAN, NAN]


def fit(rows, n_components=3, constraints=None, **options):
    settings = {"random_state": 0, "tol": 1e-10, "max_iter": 3000, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GaussianMixture(n_components, constraints=constraints, **settings).fit(rows)


HELD = {
    "equal weights": Constraints(equal_weights=True),
    "one weight": Constraints(weights=[NAN, 0.2, NAN]),
    "all weights": Constraints(weights=[0.3, 0.2, 0.45]),
    "one mean": Constraints(means=[FREE, [1.0, 1.0], FREE]),
    "all": Constraints(weights=[NAN, 0.2, NAN], means=[[0.5, 0.0], FREE, FREE]),
}


@parametrize_product(
    {"structure": MCLUST_NAMES, "name": HELD, "noise": [False, True]},
    together=[("structure", "noise"), ("name", "noise")],
)
def test_likelihood_never_falls_and_held_is_held(structure, name, noise):
    constraints = HELD[name]
    if name == "all weights" and not noise:
        constraints = Constraints(weights=[0.3, 0.2, 0.5])
    for seed in range(2):
        rows = groups_with_noise(seed, 90)[0] if noise else groups(seed)
        found = fit(rows, 3, constraints, covariance_type=structure, noise=noise, max_iter=20, random_state=seed)
        values = found.fit_.trace.log_likelihoods
        assert np.diff(values).min(initial=0.0) >= -1e-9 * np.abs(values).max()
        assert found.weights_.sum() + found.noise_weight_ == pytest.approx(1.0, rel=1e-12)
        if constraints.equal_weights:
            np.testing.assert_allclose(found.weights_, found.weights_[0], rtol=1e-12)
        for given, ours in ((constraints.weights, found.weights_), (constraints.means, found.means_)):
            if given is not None:
                held = ~np.isnan(given)
                np.testing.assert_allclose(ours[held], np.asarray(given)[held], rtol=1e-12)


@pytest.mark.parametrize(
    ("structure", "given"),
    [("VVV", [[2.0, 0.5], [0.5, 1.0]]), ("VVI", [2.0, 0.5]), ("VII", 1.5)],
)
@pytest.mark.parametrize("noise", [False, True])
def test_one_covariance_held(structure, given, noise):
    rows = groups(3)
    found = fit(rows, 3, Constraints(covariances=[None, given, None]), covariance_type=structure, noise=noise)
    np.testing.assert_allclose(found.covariances_[1], given, rtol=1e-12)
    values = found.fit_.trace.log_likelihoods
    assert np.diff(values).min(initial=0.0) >= -1e-9 * np.abs(values).max()
    free = fit(rows, 3, covariance_type=structure, noise=noise)
    per_matrix = {"VVV": 3, "VVI": 2, "VII": 1}[structure]
    assert free.model_.n_parameters - found.model_.n_parameters == per_matrix


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_all_covariances_held(structure):
    rows = groups(4)
    shape = fit(rows, 3, covariance_type=structure, max_iter=3).covariances_
    found = fit(rows, 3, Constraints(covariances=shape), covariance_type=structure)
    np.testing.assert_allclose(found.covariances_, shape, rtol=1e-9, atol=1e-12)
    assert found.model_.n_parameters == 3 - 1 + 3 * 2
    values = found.fit_.trace.log_likelihoods
    assert np.diff(values).min(initial=0.0) >= -1e-9 * np.abs(values).max()


@pytest.mark.parametrize(
    ("constraints", "held"),
    [
        (Constraints(weights=[0.3, NAN], means=[[0.0], [NAN]]), (0.3, 0.0, None)),
        (Constraints(equal_weights=True, covariances=[None, 1.5]), (0.5, None, 1.5)),
        (Constraints(means=[[0.2], [NAN]], covariances=[NAN, 1.0]), (None, 0.2, 1.0)),
    ],
)
def test_the_rest_is_the_best_there_is(constraints, held):
    """SciPy, handed the free parameters, finds no better than our end."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0.0, 1.0, 70), rng.normal(4.0, 1.3, 50)])[:, None]
    found = fit(rows, 2, constraints, covariance_type="VII", tol=1e-14)

    def loss(free):
        numbers = iter(free)
        weight = 1.0 / (1.0 + np.exp(-next(numbers))) if held[0] is None else held[0]
        first = next(numbers) if held[1] is None else held[1]
        second, variance = next(numbers), np.exp(next(numbers))
        other = np.exp(next(numbers)) if held[2] is None else held[2]
        dense = weight * stats.norm.pdf(rows, first, variance**0.5)
        return -np.log(dense + (1.0 - weight) * stats.norm.pdf(rows, second, other**0.5)).sum()

    begin = [0.3] * (held[0] is None) + [0.1] * (held[1] is None) + [3.5, 0.1] + [0.1] * (held[2] is None)
    best = optimize.minimize(loss, begin, method="BFGS", options={"gtol": 1e-8})
    assert found.fit_.log_likelihood == pytest.approx(-best.fun, abs=1e-5)
    assert found.model_.n_parameters == len(begin)


@pytest.mark.parametrize("place", range(3))
def test_components_keep_their_numbers(place):
    """The held mean is that of the component it was given for, and the others find the other groups."""
    rows, _ = groups_with_noise(0, share=0.0)
    means = np.full((3, 2), NAN)
    means[place] = [6.0, 5.0]
    found = fit(rows, 3, Constraints(means=means))
    np.testing.assert_array_equal(found.means_[place], [6.0, 5.0])
    others = np.delete(found.means_, place, axis=0)
    np.testing.assert_allclose(others[np.argsort(others[:, 0])], [[0, 0], [7, -4]], atol=0.5)


def test_equal_weights_leave_the_order_of_means():
    found = fit(groups(1), 3, Constraints(equal_weights=True))
    assert (np.diff(found.means_[:, 0]) > 0).all()
    assert found.model_.n_parameters == fit(groups(1), 3).model_.n_parameters - 2


@pytest.mark.parametrize(
    ("constraints", "noise", "count"),
    [
        (Constraints(equal_weights=True), False, 2),
        (Constraints(equal_weights=True), True, 2),
        (Constraints(weights=[0.2, NAN, NAN]), False, 1),
        (Constraints(weights=[0.2, 0.2, NAN]), False, 2),
        (Constraints(weights=[0.2, 0.2, 0.6]), False, 2),
        (Constraints(weights=[0.2, 0.2, 0.5]), True, 3),
        (Constraints(means=[FREE, [0.0, 0.0], FREE]), False, 2),
    ],
)
def test_what_is_held_is_no_parameter(constraints, noise, count, tmp_path):
    rows = groups(2)
    free, found = (fit(rows, 3, held, noise=noise, max_iter=2) for held in (None, constraints))
    assert free.model_.n_parameters - found.model_.n_parameters == count
    log_likelihood = found.score_samples(rows).sum()
    assert found.bic(rows) == pytest.approx(found.model_.n_parameters * np.log(len(rows)) - 2 * log_likelihood)
    found.model_.save(tmp_path / "held.safetensors")
    assert Mixture.load(tmp_path / "held.safetensors").n_parameters == found.model_.n_parameters


def test_units_do_not_matter():
    rows = groups(2)
    base = fit(rows, 3, Constraints(means=[FREE, [1.0, 1.0], FREE], covariances=[np.eye(2), None, None]))
    held = Constraints(means=[FREE, [1e-120, 1e-120], FREE], covariances=[1e-240 * np.eye(2), None, None])
    scaled = fit(rows * 1e-120, 3, held)
    np.testing.assert_allclose(scaled.means_ * 1e120, base.means_, rtol=1e-5)


def test_nothing_held_changes_nothing():
    free, found = (fit(groups(0), 3, held) for held in (None, Constraints(weights=[NAN] * 3, means=[FREE] * 3)))
    np.testing.assert_array_equal(free.means_, found.means_)


def test_a_prior_goes_with_held_weights_and_covariances():
    held = Constraints(weights=[0.3, NAN, NAN], covariances=[None, None, np.eye(2)])
    values = fit(groups(0), 3, held, prior="default").fit_.trace.log_likelihoods
    assert np.diff(values).min(initial=0.0) >= -1e-9 * np.abs(values).max()


@pytest.mark.parametrize(
    ("constraints", "options", "said"),
    [
        ("equal", {}, "constraints must be None or gaussmix.Constraints"),
        (Constraints(weights=[0.5, 0.5]), {}, r"weights must have the shape \(3,\)"),
        (Constraints(weights=[-0.1, NAN, NAN]), {}, "above 0 and at most 1"),
        (Constraints(weights=[0.5, 0.5, NAN]), {}, "no weight is left"),
        (Constraints(weights=[0.5, 0.3, 0.1]), {}, "but they add up to 0.9"),
        (Constraints(weights=[0.5, 0.3, 0.2]), {"noise": True}, "no weight is left"),
        (Constraints(means=[[0.0, 0.0]]), {}, r"means must have the shape \(3, 2\)"),
        (Constraints(means=[[0.0, NAN], FREE, FREE]), {}, "the mean of component 0 is NaN in part"),
        (Constraints(means=[FREE, FREE, [0.0, 0.0]]), {"prior": "default"}, "together with a prior"),
        (Constraints(covariances=[np.eye(2)]), {}, "a list of 3, one for each component"),
        (Constraints(covariances=1.0), {}, "a list of 3, one for each component"),
        (Constraints(covariances=[None, np.eye(3), None]), {}, r"covariances\[1\] must have the shape \(2, 2\)"),
        (Constraints(covariances=[None, [1.0, NAN], None]), {}, "the covariance of component 1 is NaN in part"),
        (Constraints(covariances=[None, [[1, 2], [0, 1]], None]), {}, "component 1 must be symmetric"),
        (Constraints(covariances=[None, None, -np.eye(2)]), {}, "component 2 must be positive definite"),
        (Constraints(covariances=[1.0, None, None]), {"covariance_type": "EEE"}, "ties its covariances together"),
        (Constraints(covariances=[[1.0, 2.0], None, None]), {"covariance_type": "VII"}, "not of structure VII"),
    ],
)
def test_bad_constraints(constraints, options, said):
    with pytest.raises(ParameterError, match=said):
        GaussianMixture(3, constraints=constraints, **options).fit(groups(0))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"equal_weights": 1}, "equal_weights must be True or False"),
        ({"equal_weights": True, "weights": [0.5, NAN, NAN]}, "fixes all weights already"),
        ({"weights": ["a", "b", "c"]}, "weights must be numbers"),
        ({"weights": [np.inf, NAN, NAN]}, "weights contain infinity"),
        ({"means": "x"}, "means must be numbers"),
    ],
)
def test_bad_values_are_refused_when_the_constraints_are_made(parameters, said):
    with pytest.raises(ParameterError, match=said):
        Constraints(**parameters)
