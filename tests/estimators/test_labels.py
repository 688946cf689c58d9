"""Known components of rows, against independent oracles."""

import warnings

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix import Constraints, DataError, GaussianMixture, select
from tests.exhaustive import parametrize_product
from tests.laws.strategies import groups, hard_table

IRIS, SPECIES = load_iris(return_X_y=True)
SETTINGS = {"tol": 1e-9, "max_iter": 2000, "random_state": 0}


def hide_labels(labels, seed, share=0.1):
    """Labels with -1 for all but a share of the rows, at least one of each."""
    rng = np.random.default_rng(seed)
    kept = rng.random(len(labels)) < share
    kept[[rng.choice(np.flatnonzero(labels == k)) for k in np.unique(labels)]] = True
    return np.where(kept, labels, -1)


def fit(X, labels=None, n_components=3, sample_weight=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(n_components, **{**SETTINGS, **options})
        return mixture.fit(X, labels=labels, sample_weight=sample_weight)


def assert_same(one, other, tolerance=1e-9):
    for name in ("weights_", "means_", "covariances_"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("numbers", [[0, 1, 2], [2, 0, 1]])
def test_fully_labelled_rows_need_one_iteration(numbers):
    known = np.array(numbers)[SPECIES]
    found = fit(IRIS, known, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        oracle = QuadraticDiscriminantAnalysis(store_covariance=True).fit(IRIS, known)
    np.testing.assert_allclose(found.weights_, oracle.priors_, rtol=1e-13)
    np.testing.assert_allclose(found.means_, oracle.means_, rtol=1e-13)
    for k in range(3):
        np.testing.assert_allclose(found.covariances_[k], np.cov(IRIS[known == k].T, bias=True), atol=1e-13)
    np.testing.assert_array_equal(found.predict(IRIS), oracle.predict(IRIS))
    assert_same(fit(IRIS, known, max_iter=0), found, 1e-12)


def test_shared_covariance_of_known_rows_is_the_one_within_classes():
    found = fit(IRIS, SPECIES, covariance_type="tied", max_iter=1)
    within = IRIS - np.array([IRIS[k == SPECIES].mean(axis=0) for k in range(3)])[SPECIES]
    np.testing.assert_allclose(found.covariances_, within.T @ within / len(IRIS), atol=1e-13)


@pytest.mark.parametrize("unknown", [np.full(150, -1), np.full(150, -1.0), [-1] * 150])
def test_unknown_labels_change_nothing(unknown):
    plain, found = fit(IRIS), fit(IRIS, unknown)
    for name in ("weights_", "means_", "covariances_", "lower_bounds_"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(found, name))


# mclust 6.0.0 (R): MclustSSC(iris[, 1:4], class, G = 3, modelNames, control = emControl(tol = c(1e-12, 1e-12)))
# with the species of rows 1, 8, 15, ... known; log-likelihood, and mean of the first column and weight of each.
MCLUST = {
    "VVV": (-183.10721934, [5.006000000, 5.923329167, 6.561517076], [0.333333333, 0.312882848, 0.353783818]),
    "EEE": (-260.07003958, [5.006000000, 5.935603120, 6.579700812], [0.333333333, 0.328832946, 0.337833721]),
    "VVI": (-317.77232420, [5.006000000, 5.890427998, 6.643007003], [0.333333333, 0.337512297, 0.329154369]),
    "EII": (-414.81594844, [5.005999863, 5.882509368, 6.776679062], [0.333333896, 0.383728430, 0.282937674]),
    "VEV": (-188.48558314, [5.006000000, 5.922841910, 6.564257832], [0.333333333, 0.314156875, 0.352509792]),
}


@pytest.mark.parametrize("structure", MCLUST)
def test_mclust_finds_the_same(structure):
    X = IRIS.copy()
    X[34], X[37] = [4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]  # as in R, and as Fisher printed them
    known = np.full(150, -1)
    known[::7] = SPECIES[::7]
    found = fit(X, known, covariance_type=structure, tol=1e-10)
    log_likelihood, first, weights = MCLUST[structure]
    assert abs(found.fit_.log_likelihood - log_likelihood) < 1e-4
    np.testing.assert_allclose(found.means_[:, 0], first, atol=3e-3)
    np.testing.assert_allclose(found.weights_, weights, atol=3e-3)


@pytest.mark.parametrize("seed", range(3))
def test_likelihood_is_the_one_of_the_known_rows_components(seed):
    known = hide_labels(SPECIES, seed)
    found = fit(IRIS, known)
    scores = np.column_stack(
        [
            np.log(weight) + multivariate_normal(mean, covariance).logpdf(IRIS)
            for weight, mean, covariance in zip(found.weights_, found.means_, found.covariances_, strict=True)
        ]
    )
    expected = np.where(known >= 0, scores[np.arange(150), known], logsumexp(scores, axis=1)).sum()
    np.testing.assert_allclose(found.fit_.log_likelihood, expected, rtol=1e-10)


@parametrize_product({"structure": ["full", "tied", "diag", "spherical", "VEV", "VVE", "EEV"], "seed": range(3)})
def test_likelihood_never_falls(structure, seed):
    X = groups(seed, n_rows=120)
    known = hide_labels(
        np.argsort(np.argsort(X[:, 0])) * 3 // 120, seed, 0.2
    )  # of their own kind, not what EM would find
    bounds = fit(X, known, covariance_type=structure).lower_bounds_
    assert np.diff(bounds).min(initial=0.0) >= -1e-12 * abs(bounds[-1])


@parametrize_product({"structure": ["full", "tied"], "seed": range(4)})
def test_a_tenth_of_the_labels_identifies_the_groups(structure, seed):
    known = hide_labels((SPECIES + 1) % 3, seed)
    found, plain = (fit(IRIS, labels, covariance_type=structure) for labels in (known, None))
    assert adjusted_rand_score(SPECIES, found.predict(IRIS)) >= adjusted_rand_score(SPECIES, plain.predict(IRIS))
    assert np.mean(found.predict(IRIS) == (SPECIES + 1) % 3) > 0.95


@pytest.mark.parametrize("method", ["kmeans", "k-means++", "random", "random_from_data", "hierarchical"])
def test_every_start_follows_the_labels(method):
    known = hide_labels((SPECIES + 1) % 3, 0)
    assert np.mean(fit(IRIS, known, init_params=method).predict(IRIS) == (SPECIES + 1) % 3) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_neither_order_nor_units_of_rows_matter(seed):
    known = hide_labels(SPECIES, seed)
    order = np.random.default_rng(seed).permutation(150)
    first = fit(IRIS, known)
    assert_same(first, fit(IRIS[order], known[order]), 1e-7)
    np.testing.assert_allclose(fit(1e3 * IRIS + 1e5, known).means_, 1e3 * first.means_ + 1e5, rtol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_a_weight_of_two_is_the_row_twice(seed):
    known, rng = hide_labels(SPECIES, seed), np.random.default_rng(seed)
    counts = rng.integers(1, 4, size=150)
    weighted = fit(IRIS, known, sample_weight=counts)
    assert_same(weighted, fit(np.repeat(IRIS, counts, axis=0), np.repeat(known, counts)), 1e-7)
    absent = fit(np.vstack([IRIS, [[1e300] * 4]]), np.append(known, 0), sample_weight=np.append(counts, 0))
    assert_same(weighted, absent, 1e-7)


def test_components_without_labels_take_the_other_groups_by_mean():
    found = fit(IRIS, np.where(SPECIES == 0, 2, -1))
    np.testing.assert_allclose(found.means_[2], IRIS[SPECIES == 0].mean(axis=0), atol=1e-6)
    assert found.means_[0, 0] < found.means_[1, 0]


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_a_component_that_all_labels_leave_out_is_said_to_be_empty():
    found = fit(IRIS, SPECIES, n_components=4)
    assert np.isfinite(found.means_).all()
    assert found.weights_[3] == 0
    assert "Component 3 is empty" in str(found.fit_)


def test_random_labels_are_respected():
    known = np.random.default_rng(0).integers(3, size=150)
    found = fit(IRIS, known)
    np.testing.assert_allclose(found.means_, [IRIS[known == k].mean(axis=0) for k in range(3)], rtol=1e-12)


def test_beside_noise_unknown_rows_may_be_noise():
    X, member = IRIS[:, :2], SPECIES
    rng = np.random.default_rng(0)
    far = rng.uniform(X.min(axis=0) - 5, X.max(axis=0) + 5, size=(30, 2))
    rows, known = np.vstack([X, far]), np.append(hide_labels((member == 0).astype(int), 0, 0.3), np.full(30, -1))
    found = fit(rows, known, n_components=2, noise=True)
    assert np.mean(found.predict(X) == (member == 0)) > 0.9
    assert np.mean(found.predict(far) == -1) > 0.7
    forced = fit(rows, np.append(known[:150], np.zeros(30)), n_components=2, noise=True)
    assert forced.noise_weight_ < 0.5 * found.noise_weight_


def test_fixed_parameters_keep_the_numbers_of_the_labels():
    known, mean = hide_labels((SPECIES + 1) % 3, 0), IRIS[SPECIES == 0].mean(axis=0)
    held = Constraints(means=[[np.nan] * 4, mean, [np.nan] * 4])
    found = fit(IRIS, known, constraints=held)
    np.testing.assert_allclose(found.means_[1], mean, rtol=1e-12)
    assert np.mean(found.predict(IRIS) == (SPECIES + 1) % 3) > 0.95


def test_given_starts_keep_their_numbers():
    known = hide_labels((SPECIES + 1) % 3, 0)
    means = [IRIS[k == (SPECIES + 1) % 3].mean(axis=0) for k in range(3)]
    assert_same(fit(IRIS, known, means_init=means), fit(IRIS, known), 1e-4)
    assert_same(fit(IRIS, known, weights_init=[0.4, 0.3, 0.3]), fit(IRIS, known), 1e-4)


def test_a_warm_start_takes_the_numbers_of_new_labels():
    warm = GaussianMixture(3, warm_start=True, **SETTINGS).fit(IRIS)
    known = hide_labels((SPECIES + 1) % 3, 0)
    assert_same(warm.fit(IRIS, labels=known), fit(IRIS, known), 1e-4)


def test_compiled_passes_follow_labels_too():
    rng = np.random.default_rng(0)
    member = rng.integers(3, size=60_000)
    X = 2.5 * rng.normal(size=(3, 8))[member] + rng.normal(size=(60_000, 8))
    known = np.where(rng.random(60_000) < 0.02, 2 - member, -1)
    found = fit(X, known, tol=1e-5)
    assert np.mean(found.predict(X) == 2 - member) > 0.9


def test_predictions_ignore_labels():
    known = hide_labels(SPECIES, 0)
    mixture = GaussianMixture(3, random_state=0)
    found = mixture.fit_predict(IRIS, labels=known)
    np.testing.assert_array_equal(found, mixture.fit(IRIS, labels=known).predict(IRIS))


def test_labels_are_routed_as_metadata():
    known = hide_labels(SPECIES, 0, 0.3)
    with config_context(enable_metadata_routing=True):
        mixture = GaussianMixture(3, random_state=0).set_fit_request(labels=True)
        routed = make_pipeline(StandardScaler(), mixture).fit(IRIS, labels=known)
        folds = KFold(3, shuffle=True, random_state=0)  # in order, each would lack a species
        search = GridSearchCV(mixture, {"covariance_type": ["full", "tied"]}, cv=folds).fit(IRIS, labels=known)
    rows = StandardScaler().fit_transform(IRIS)
    direct = GaussianMixture(3, random_state=0).fit(rows, labels=known)
    np.testing.assert_array_equal(routed[-1].means_, direct.means_)
    assert np.mean(search.predict(IRIS) == SPECIES) > 0.9


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (SPECIES[:-1], r"labels must have the shape \(150,\), one per row, but have \(149,\)"),
        (SPECIES[:, None], r"labels must have the shape \(150,\)"),
        (SPECIES + 1, r"components from 0 to 2, or -1 for unknown components, but row 100 \(counted from 0\) has 3"),
        (SPECIES - 2, "row 0 .* has -2"),
        (SPECIES + 0.5, "row 0 .* has 0.5"),
        (np.where(SPECIES == 1, np.nan, SPECIES), "row 50 .* has nan"),
        (np.where(SPECIES == 1, np.inf, SPECIES), "row 50 .* has inf"),
        (["setosa", *SPECIES[1:].tolist()], "labels must be integers, one per row, .* or all text"),
        (["a", "b", "c", "d", *[""] * 146], "4 names, 'a', 'b', 'c', 'd', but there are 3 components; increase n_comp"),
        (["a", "b"], r"labels must have the shape \(150,\), one per row, but have \(2,\)"),
        ([None] * 150, "labels must be integers|has None"),
        (SPECIES == 1, "labels must be integers, .* bool"),
        (SPECIES + 0j, "labels must be integers, .* complex"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_predict"])
def test_bad_labels_are_refused(method, labels, said):
    with pytest.raises(DataError, match=said):
        getattr(GaussianMixture(3), method)(IRIS, labels=labels)


NAMES = np.array(["virginica", "setosa", "versicolor"], dtype=object)  # sorted: 1, 2, 0
UNKNOWN = [None, np.nan, "", -1]


@pytest.mark.parametrize("is_array", [False, True])
def test_names_are_components_in_sorted_order(is_array):
    known = np.arange(150) % 4 == 0
    names = [NAMES[label] if known[row] else UNKNOWN[row % 4 - 1] for row, label in enumerate(SPECIES)]
    numbers = np.where(known, np.array([2, 0, 1])[SPECIES], -1)
    labels = np.array(names, dtype=object) if is_array else names
    by_name, by_number = (GaussianMixture(3).fit(IRIS, labels=given) for given in (labels, numbers))
    np.testing.assert_array_equal(by_name.means_, by_number.means_)


def test_names_of_rows_that_do_not_count_are_unknown():
    weights = np.where(SPECIES == 0, 0.0, 1.0)
    texts = NAMES[SPECIES].astype(str)
    mixture = GaussianMixture(2).fit(IRIS, sample_weight=weights, labels=texts)
    assert mixture.predict(IRIS[SPECIES == 1][:3]).tolist() == [0] * 3
    found = select(IRIS, [2, 3], "VVV", labels=texts)
    assert found.best.mixture.predict(IRIS[SPECIES == 0][:3]).tolist() == [2] * 3


def test_a_component_of_no_weight_has_no_rows():
    with pytest.raises(DataError, match="component 2, whose initial weight is 0"):
        GaussianMixture(3, weights_init=[0.5, 0.5, 0.0]).fit(IRIS, labels=SPECIES)


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@parametrize_product({"structure": ["full", "tied", "diag", "spherical", "EEV", "VVE"], "seed": range(16)})
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_hard_data_sets_are_fitted_with_any_labels(seed, structure):
    X, n_components = hard_table(seed)
    if X.shape[1] == 1 and structure in ("EEV", "VVE"):
        structure = "VII"
    rng = np.random.default_rng(seed)
    known = np.where(rng.random(len(X)) < (0.2, 0.6, 1.0)[seed % 3], rng.integers(n_components, size=len(X)), -1)
    options = {"covariance_type": structure, "tol": 1e-6, "noise": bool(np.ptp(X, axis=0).min() > 0) and seed % 2 == 0}
    plain, found = (fit(X, known, n_components, n_split_merge=n_split_merge, **options) for n_split_merge in (0, 2))
    for each in (plain, found):
        assert np.isfinite(each.means_).all()
        assert np.isfinite(each.fit_.log_likelihood)
        bounds = np.array(each.lower_bounds_)
        assert np.diff(bounds).min(initial=0.0) >= -1e-9 * max(1.0, np.abs(bounds).max())
    rounding = 1e-9 * max(abs(plain.fit_.log_likelihood), len(X))
    assert found.fit_.log_likelihood >= plain.fit_.log_likelihood - rounding


def test_fully_labelled_rows_leave_no_noise():
    found = fit(IRIS, SPECIES, noise=True)
    assert found.noise_weight_ == 0.0
    np.testing.assert_allclose(found.means_, fit(IRIS, SPECIES).means_, rtol=1e-12)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_a_warm_start_goes_on_with_the_same_labels(seed: int) -> None:
    rows = np.random.default_rng(seed).standard_t(1.5, size=(100, 5))
    labels = np.full(100, -1)
    labels[:8] = np.repeat(np.arange(4), 2)
    mixture = GaussianMixture(4, covariance_type="EEV", random_state=0, max_iter=1000, tol=1e-6)
    reached = mixture.fit(rows, labels=labels).lower_bound_
    again = mixture.set_params(warm_start=True).fit(rows, labels=labels)
    assert again.lower_bounds_[0] >= reached - 1e-9 * abs(reached)
