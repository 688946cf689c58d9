"""``partial_fit``: NumPy as oracle, comparison with the full fit, and invariances."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import clone

from gaussmix import Constraints, GaussianMixture
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.solvers.online.online_em import AVERAGING_EXPONENT, FORGETTING_EXPONENT
from tests.exhaustive import keep_first

PARAMETERS = ("weights_", "means_", "covariances_")


def draw_rows_and_means(seed, n, d=2, K=3, spread=3.0):
    rng = np.random.default_rng(seed)
    means = spread * rng.normal(size=(K, d))
    factors = np.eye(d) + rng.normal(size=(K, d, d)) / np.sqrt(d)
    which = rng.integers(K, size=n)
    return np.einsum("nij,nj->ni", factors[which], rng.normal(size=(n, d))) + means[which], means


def split_rows(rows, size):
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def fit_chunks(mixture, parts, weights=None):
    for number, part in enumerate(parts):
        mixture.partial_fit(part, sample_weight=None if weights is None else weights[number])
    return mixture


def assert_same(one, other, tolerance=1e-9):
    for name in PARAMETERS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=tolerance, atol=tolerance)


# -- the definition ----------------------------------------------------------------------------------


def reference_online_em(parts, weights, means, covariances, shares):
    """Online EM by its definition: first a step on the first chunk alone, then sums that forget, and their average."""
    sums, mean, total = None, None, 0.0
    for rows, counts in zip(parts, weights, strict=True):
        normals = zip(means, covariances, strict=True)
        densities = np.array([multivariate_normal(m, c).pdf(rows) for m, c in normals]).T * shares
        soft = counts[:, None] * densities / densities.sum(axis=1)[:, None] / counts.sum()
        products = np.einsum("nk,ni,nj->kij", soft, rows, rows)
        fresh = (soft.sum(axis=0), soft.T @ rows, products)
        before, total = total, total + counts.sum()
        g, h = (1.0 - (before / total) ** power for power in (10, 3))
        sums = fresh if sums is None else tuple((1 - g) * old + g * new for old, new in zip(sums, fresh, strict=True))
        mean = sums if mean is None else tuple((1 - h) * old + h * new for old, new in zip(mean, sums, strict=True))
        shares, means, covariances = parameters_from_sums(*sums)
    return parameters_from_sums(*mean)


def parameters_from_sums(shares, first, second):
    means = first / shares[:, None]
    return shares, means, second / shares[:, None, None] - means[:, :, None] * means[:, None, :]


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_definition(seed):
    assert (FORGETTING_EXPONENT, AVERAGING_EXPONENT) == (10.0, 3.0)
    rows, means = draw_rows_and_means(seed, 700)
    sizes = np.cumsum([200, 37, 300])
    parts = np.split(rows, sizes)
    counts = np.split(np.random.default_rng(seed).integers(0, 4, len(rows)).astype(float), sizes)
    start = {"weights_init": np.full(3, 1 / 3), "means_init": means, "precisions_init": np.tile(np.eye(2), (3, 1, 1))}
    found = fit_chunks(GaussianMixture(3, max_iter=1, **start), parts, counts)
    shares, centers, covariances = reference_online_em(
        parts, counts, means, np.tile(np.eye(2), (3, 1, 1)), np.full(3, 1 / 3)
    )
    np.testing.assert_allclose(found.weights_, shares, rtol=1e-9)
    np.testing.assert_allclose(found.means_, centers, rtol=1e-9)
    np.testing.assert_allclose(found.covariances_, covariances, rtol=1e-7)


@pytest.mark.parametrize("seed", keep_first(range(20), 3))
def test_ends_near_the_fit_to_all_rows(seed):
    rows, means = draw_rows_and_means(seed, 100_000)
    start = {"weights_init": np.full(3, 1 / 3), "means_init": means, "precisions_init": np.tile(np.eye(2), (3, 1, 1))}
    whole = GaussianMixture(3, tol=1e-4, max_iter=1000, **start).fit(rows)
    found = fit_chunks(GaussianMixture(3, **start), split_rows(rows, 1000))
    assert found.score(rows) > whole.score(rows) - 0.01


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_every_structure_gains_from_more_rows(structure):
    rows, _ = draw_rows_and_means(3, 4000, d=3)
    fresh, _ = draw_rows_and_means(3, 8000, d=3)
    first = GaussianMixture(3, covariance_type=structure, random_state=0).partial_fit(rows[:60])
    before = first.score(fresh)
    assert fit_chunks(first, split_rows(rows[60:], 400)).score(fresh) > before
    whole = GaussianMixture(3, covariance_type=structure, random_state=0).fit(rows)
    assert first.model_.structure == whole.model_.structure


def test_factor_analysers_can_be_fitted_online():
    rows, _ = draw_rows_and_means(1, 2000, d=6)
    whole = GaussianMixture(2, covariance_type="UUU", n_factors=2, random_state=0).fit(rows)
    found = fit_chunks(GaussianMixture(2, covariance_type="UUU", n_factors=2, random_state=0), split_rows(rows, 200))
    assert found.score(rows) > whole.score(rows) - 0.2


# -- where it begins, and what it leaves -------------------------------------------------------------


def test_the_first_chunk_is_fitted_as_fit_does_it():
    rows, _ = draw_rows_and_means(0, 500)
    given = {"n_init": 2, "init_params": "k-means++", "random_state": 4, "n_split_merge": 1}
    given |= {"tol": 1e-6, "max_iter": 500}
    whole, first = GaussianMixture(3, **given).fit(rows), GaussianMixture(3, **given).partial_fit(rows)
    assert_same(first, whole, 0.0)
    assert first.lower_bound_ == whole.lower_bound_
    assert (first.converged_, first.n_iter_, first.lower_bounds_) == (False, 1, [whole.lower_bound_])


def test_partial_fit_continues_a_fit_and_fit_restarts():
    rows, _ = draw_rows_and_means(0, 900)
    parts = split_rows(rows, 300)
    online_alone = fit_chunks(GaussianMixture(3, random_state=0), parts)
    after_fit = fit_chunks(GaussianMixture(3, random_state=0, tol=1e-6).fit(parts[0]), parts[1:])
    assert_same(after_fit, online_alone, 0.0)
    assert after_fit.n_iter_ == online_alone.n_iter_ == 3
    again, fresh = online_alone.fit(rows), GaussianMixture(3, random_state=0).fit(rows)
    assert_same(again, fresh, 0.0)
    assert again.converged_
    assert str(again.fit_).partition(" in ")[0] == str(fresh.fit_).partition(" in ")[0]


def test_bounds_are_those_of_each_chunk_before_its_step():
    rows, _ = draw_rows_and_means(2, 800)
    mixture = GaussianMixture(3, random_state=0).partial_fit(rows[:400])
    expected = mixture.score(rows[400:])  # of the second chunk; from then on another mixture leads
    mixture.partial_fit(rows[400:])
    assert mixture.lower_bound_ == mixture.lower_bounds_[-1] == pytest.approx(expected, rel=1e-12)
    assert mixture.fit_.mean_log_likelihood == mixture.lower_bound_
    assert mixture.fit_.log_likelihood == pytest.approx(400 * expected, rel=1e-12)
    assert len(mixture.fit_.trace) == len(mixture.lower_bounds_) == 2
    assert mixture.fit_.masses.sum() == pytest.approx(800)
    assert not mixture.fit_.has_converged
    sentence = str(mixture.fit_)
    assert sentence.startswith("Fitted online, chunk by chunk: more rows may follow.")
    assert "learned from 2 chunks of total weight 800." in sentence


def test_a_pickle_continues_identically():
    rows, _ = draw_rows_and_means(1, 900)
    mixture = GaussianMixture(3, random_state=0, noise=True, prior="default").partial_fit(rows[:500])
    mixture.partial_fit(rows[500:700])
    copy = pickle.loads(pickle.dumps(mixture))
    assert_same(mixture.partial_fit(rows[700:]), copy.partial_fit(rows[700:]), 0.0)
    assert not hasattr(clone(mixture), "_online_state")


def test_it_never_warns_that_it_did_not_converge():
    rows, _ = draw_rows_and_means(1, 900)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_chunks(GaussianMixture(3, max_iter=1, random_state=0), split_rows(rows, 300))


# -- laws ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_row_order_within_a_chunk_and_weights_for_copies(seed):
    rows, _ = draw_rows_and_means(seed, 600)
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 3, len(rows))
    parts, weights = split_rows(rows, 200), split_rows(counts, 200)
    plain = fit_chunks(GaussianMixture(3, random_state=0), parts, weights)
    copies = [np.repeat(part, weight, axis=0) for part, weight in zip(parts, weights, strict=True)]
    assert_same(fit_chunks(GaussianMixture(3, random_state=0), copies), plain, 1e-8)
    assert_same(fit_chunks(GaussianMixture(3, random_state=0), [rng.permutation(part) for part in copies]), plain, 1e-8)
    scaled = fit_chunks(GaussianMixture(3, random_state=0), parts, [7.0 * weight for weight in weights])
    assert_same(scaled, plain, 1e-8)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 1e8), (2.0**-30, 0.0), (2.0**20, -(2.0**40))])
def test_units_and_offsets_change_nothing(scale, offset):
    rows = np.round(draw_rows_and_means(5, 900)[0] * 2.0**10) / 2.0**10
    plain = fit_chunks(GaussianMixture(3, random_state=0), split_rows(rows, 300))
    moved = fit_chunks(GaussianMixture(3, random_state=0), split_rows(rows * scale + offset, 300))
    np.testing.assert_allclose(moved.weights_, plain.weights_, rtol=1e-10)
    np.testing.assert_allclose(moved.covariances_ / scale**2, plain.covariances_, rtol=1e-9)
    np.testing.assert_allclose((moved.means_ - offset) / scale, plain.means_, atol=1e-7)


@pytest.mark.parametrize("offset", [1e3, 1e8, -1e12])
def test_chunks_far_from_the_first_one(offset):
    first, second = (
        np.round(draw_rows_and_means(0, 400, K=1)[0], 3),
        np.round(draw_rows_and_means(1, 400, K=1)[0], 3) + offset,
    )
    found = fit_chunks(GaussianMixture(1), [first, second])
    g = (1.0 - 0.5**10) * (1.0 - 0.5**3)
    means = first.mean(axis=0), second.mean(axis=0)
    apart = (means[1] - means[0])[:, None]
    inner = (1 - g) * np.cov(first.T, bias=True) + g * np.cov(second.T, bias=True)
    np.testing.assert_allclose(found.means_[0], (1 - g) * means[0] + g * means[1], rtol=1e-12)
    np.testing.assert_allclose(found.covariances_[0], inner + g * (1 - g) * apart @ apart.T, rtol=1e-8)
    for _ in range(200):  # and the first place is forgotten
        found.partial_fit(second)
    np.testing.assert_allclose(found.means_[0], means[1], rtol=1e-6)


def test_the_first_chunk_may_be_one_value_only():
    rows, _ = draw_rows_and_means(0, 600)
    found = fit_chunks(GaussianMixture(1), [np.ones((10, 2)), *split_rows(rows, 100)])
    np.testing.assert_allclose(found.means_[0], rows.mean(axis=0), atol=0.5)
    assert not found.fit_.has_floored_component


def test_the_floor_depends_on_all_chunks():
    rows = np.concatenate([draw_rows_and_means(0, 300)[0], np.zeros((300, 2))])
    near = fit_chunks(GaussianMixture(2, random_state=0), [rows[:300], rows[300:]])
    wide = fit_chunks(GaussianMixture(2, random_state=0), [rows[:300], 1e4 + rows[300:]])
    assert wide._online_state.regularizer.min_variances[0] > 1e4 * near._online_state.regularizer.min_variances[0]


def test_a_group_that_the_first_chunk_lacks_is_found_in_most_cases():
    """Two of three groups at first: the end is near that of EM on all rows."""
    centers = np.array([[0.0, 0.0], [6.0, 0.0], [3.0, 5.0]])
    n_found = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        first = rng.normal(size=(600, 2)) + centers[rng.integers(2, size=600)]
        rows = rng.normal(size=(60_000, 2)) + centers[rng.integers(3, size=60_000)]
        found = fit_chunks(GaussianMixture(3, random_state=seed), [first, *split_rows(rows, 600)])
        whole = GaussianMixture(3, random_state=seed, tol=1e-5, max_iter=1000).fit(rows)
        n_found += found.score(rows) > whole.score(rows) - 0.05
    assert n_found >= 4


# -- parameters ----------------------------------------------------------------------------------------


def test_noise_prior_constraints_ridge_and_single_precision():
    rows, _ = draw_rows_and_means(7, 1200)
    rng = np.random.default_rng(0)
    rows[rng.choice(1200, 80, replace=False)] = rng.uniform(-30, 30, (80, 2))
    parts = split_rows(rows, 300)
    plain = fit_chunks(GaussianMixture(3, random_state=0), parts)
    noisy = fit_chunks(GaussianMixture(3, random_state=0, noise=True), parts)
    assert noisy.noise_weight_ == pytest.approx(80 / 1200, abs=0.03)
    assert noisy.weights_.sum() + noisy.noise_weight_ == pytest.approx(1.0)
    assert noisy.predict_proba(rows).shape == (1200, 4)
    believed = fit_chunks(GaussianMixture(3, random_state=0, prior="default"), parts)
    assert not np.allclose(believed.covariances_, plain.covariances_, rtol=1e-6)
    ridged = fit_chunks(GaussianMixture(3, random_state=0, reg_covar=5.0), parts)
    assert (np.linalg.eigvalsh(ridged.covariances_) > 4.99).all()
    held = fit_chunks(GaussianMixture(3, random_state=0, constraints=Constraints(equal_weights=True)), parts)
    np.testing.assert_allclose(held.weights_, 1 / 3, rtol=1e-12)
    single = fit_chunks(GaussianMixture(3, random_state=0), [part.astype(np.float32) for part in parts])
    assert single.means_.dtype == np.float32
    np.testing.assert_allclose(single.means_, plain.means_, rtol=1e-3)


def test_components_keep_their_numbers():
    rng = np.random.default_rng(0)
    low, high = rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 10.0
    mixture = GaussianMixture(2, random_state=0).partial_fit(np.r_[low, high])
    for step in range(300):  # the lower group walks past the other
        rows = np.r_[low + 0.1 * step * np.eye(2)[0], high]
        mixture.partial_fit(rows, sample_weight=np.full(120, 1.02**step))
    assert mixture.means_[0, 0] > mixture.means_[1, 0] + 10.0


# -- what cannot be used ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"n_components": 2}, "n_components is 2, but the mixture .* was fitted with 3; restore it"),
        ({"covariance_type": "tied"}, "covariance_type is 'EEE', but the mixture .* with 'VVV'"),
        ({"noise": True}, "noise is True, but the mixture .* with False"),
    ],
)
def test_changed_parameters_are_refused(changed, sentence):
    rows, _ = draw_rows_and_means(0, 300)
    mixture = GaussianMixture(3, random_state=0).partial_fit(rows)
    with pytest.raises(ValueError, match=sentence):
        mixture.set_params(**changed).partial_fit(rows)


def test_invalid_chunks_change_nothing():
    pd = pytest.importorskip("pandas")
    rows, _ = draw_rows_and_means(0, 300)
    with pytest.raises(ValueError, match="Expected n_samples >= n_components"):
        GaussianMixture(3).partial_fit(rows[:2])
    mixture = GaussianMixture(3, random_state=0).partial_fit(rows)
    mixture.score_samples(rows)  # from here on the mixture keeps what it computes once
    before = pickle.dumps((mixture.model_, mixture._online_state))
    bad, far = rows.copy(), rows.copy()
    bad[4, 1], far[7, 0] = np.nan, 1e200
    for part, sentence in [
        (bad, "X contains NaN in row 4, column 1"),
        (far, r"row 7 \(counted from 0\) lies so far"),
        (rows[:, :1], "1 features.*expecting 2 features"),
        (rows[:0], "0 sample"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            mixture.partial_fit(part)
    with pytest.raises(ValueError, match="sample_weight is zero in every row"):
        mixture.partial_fit(rows, sample_weight=np.zeros(300))
    assert pickle.dumps((mixture.model_, mixture._online_state)) == before
    mixture.partial_fit(rows[:1])  # one row is a chunk
    named = GaussianMixture(3, random_state=0).partial_fit(pd.DataFrame(rows, columns=["a", "b"]))
    with pytest.raises(ValueError, match="feature names"):
        named.partial_fit(pd.DataFrame(rows, columns=["a", "c"]))
