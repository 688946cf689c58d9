"""k-means: scikit-learn as oracle, invariances, and every parameter."""

import re
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans as Oracle
from sklearn.cluster import kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from gaussmix import GaussianMixture, KMeans, ParameterError
from gaussmix.core.threads import threads
from gaussmix.errors import RowTooFarError, UnrepresentableError
from tests.estimators.conftest import draw_overlapping_rows
from tests.exhaustive import parametrize_product

pytestmark = pytest.mark.usefixtures("single_blas_thread")

X = draw_overlapping_rows(5, n=200)
SHAPES = [(60, 2, 30, 1.0), (400, 1, 5, 2.0), (500, 2, 3, 3.0), (300, 20, 10, 0.0), (1500, 8, 16, 0.7)]


def draw_rows_and_centers(n, d, K, spread, seed):
    rng = np.random.default_rng(seed)
    rows = spread * rng.normal(size=(K, d))[rng.integers(K, size=n)] + rng.normal(size=(n, d))
    return rows, rows[rng.choice(n, K, replace=False)]


@parametrize_product({"n, d, K, spread": SHAPES, "seed": range(20)})
def test_as_scikit_learn_from_the_same_centres(n, d, K, spread, seed):
    rows, start = draw_rows_and_centers(n, d, K, spread, seed)
    if seed % 4 == 3:
        start[0] += 50.0  # a cluster that has no row at first
    tol = 1e-4 if seed % 2 else 0.0
    ours, theirs = KMeans(K, init=start, tol=tol).fit(rows), Oracle(K, init=start, n_init=1, tol=tol).fit(rows)
    assert ours.inertia_ <= 1.001 * theirs.inertia_
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-10)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-10)
    np.testing.assert_allclose(ours.transform(rows), theirs.transform(rows), atol=1e-6)
    assert ours.score(rows) == pytest.approx(theirs.score(rows), rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_weights_as_scikit_learn(seed):
    rows, start = draw_rows_and_centers(500, 3, 4, 2.0, seed)
    weights = np.random.default_rng(seed).integers(0, 4, len(rows)).astype(float)
    ours = KMeans(4, init=start, tol=0).fit(rows, sample_weight=weights)
    theirs = Oracle(4, init=start, n_init=1, tol=0).fit(rows, sample_weight=weights)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-10)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.score(rows, sample_weight=weights) == pytest.approx(-ours.inertia_, rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_from_its_own_start_not_worse_than_scikit_learn_by_much(seed):
    rows, _ = draw_rows_and_centers(2000, 4, 5, 6.0, seed)
    ours, theirs = (each(5, random_state=seed, n_init=5).fit(rows) for each in (KMeans, Oracle))
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)


def test_each_answer_follows_from_the_centres():
    found = KMeans(3, random_state=0).fit(X)
    squares = ((X[:, None] - found.cluster_centers_) ** 2).sum(axis=2)
    np.testing.assert_array_equal(found.labels_, squares.argmin(axis=1))
    np.testing.assert_array_equal(found.predict(X), found.labels_)
    np.testing.assert_array_equal(KMeans(3, random_state=0).fit_predict(X), found.labels_)
    np.testing.assert_allclose(found.transform(X), np.sqrt(squares), atol=1e-12)
    np.testing.assert_allclose(KMeans(3, random_state=0).fit_transform(X), np.sqrt(squares), atol=1e-12)
    assert found.inertia_ == pytest.approx(squares.min(axis=1).sum(), rel=1e-12)
    assert found.labels_.dtype == np.int32
    for k, center in enumerate(found.cluster_centers_):
        np.testing.assert_allclose(X[found.labels_ == k].mean(axis=0), center, atol=1e-2)
    assert list(found.get_feature_names_out()) == ["kmeans0", "kmeans1", "kmeans2"]


def test_is_the_limit_of_a_mixture_of_equal_round_covariances():
    rows, start = draw_rows_and_centers(300, 2, 3, 8.0, 1)
    found = KMeans(3, init=start, tol=0).fit(rows)
    narrow = np.full(3, 1e6)  # precisions: e is 1e-6
    given = {"weights_init": np.full(3, 1 / 3), "means_init": found.cluster_centers_, "precisions_init": narrow}
    mixture = GaussianMixture(3, covariance_type="spherical", max_iter=1, tol=0, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(rows)
    np.testing.assert_array_equal(mixture.predict(rows), found.labels_)
    np.testing.assert_allclose(mixture.means_, found.cluster_centers_, atol=1e-12)
    constant = len(rows) * (np.log(1 / 3) - np.log(2 * np.pi * 1e-6))
    assert mixture.lower_bound_ * len(rows) == pytest.approx(constant - found.inertia_ / 2e-6, rel=1e-9)


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("seed", range(5))
def test_row_order_changes_nothing(init, seed):
    order = np.random.default_rng(seed).permutation(len(X))
    one, other = (KMeans(4, init=init, random_state=seed).fit(rows) for rows in (X, X[order]))
    np.testing.assert_allclose(other.cluster_centers_, one.cluster_centers_, atol=1e-10)
    np.testing.assert_array_equal(other.labels_, one.labels_[order])


@pytest.mark.parametrize("seed", range(5))
def test_a_repeated_row_is_one_of_that_weight(seed):
    counts = np.random.default_rng(seed).integers(0, 4, len(X))
    start = X[:6] + 40.0 * (np.arange(6) == 2)[:, None]  # with a cluster that has to be filled
    for given in ({"init": start}, {"random_state": seed}):
        one = KMeans(6, **given).fit(X, sample_weight=counts)
        other = KMeans(6, **given).fit(np.repeat(X, counts, axis=0))
        np.testing.assert_allclose(one.cluster_centers_, other.cluster_centers_, atol=1e-10)
        np.testing.assert_array_equal(np.repeat(one.labels_, counts), other.labels_)
        assert one.inertia_ == pytest.approx(other.inertia_, rel=1e-12)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 1e8), (2.0**-500, 0.0), (2.0**400, 2.0**424), (1e-3, -7e4)])
def test_units_and_offsets_change_nothing(scale, offset):
    rows = np.round(X, 6) * 2.0**10 // 1 / 2.0**10  # so that an offset of 1e8 does not round them
    plain = KMeans(4, random_state=1).fit(rows)
    moved = KMeans(4, random_state=1).fit(rows * scale + offset)
    np.testing.assert_array_equal(moved.labels_, plain.labels_)
    np.testing.assert_array_equal(moved.predict(rows * scale + offset), plain.labels_)
    np.testing.assert_allclose((moved.cluster_centers_ - offset) / scale, plain.cluster_centers_, atol=1e-7)
    np.testing.assert_allclose(moved.transform(rows * scale + offset) / scale, plain.transform(rows), rtol=1e-6)
    assert moved.n_iter_ == plain.n_iter_


def test_an_offset_of_1e8_costs_no_digit():
    rows = np.round(X * 2.0**10) / 2.0**10
    plain, moved = (KMeans(4, init=rows[:4] + offset).fit(rows + offset) for offset in (0.0, 1e8))
    assert moved.inertia_ == pytest.approx(plain.inertia_, rel=1e-13)
    np.testing.assert_allclose(moved.transform(rows + 1e8), plain.transform(rows), rtol=1e-13)


def test_single_precision_is_read_as_the_numbers_it_holds():
    rows = X.astype(np.float32)
    single, double = (KMeans(3, random_state=0).fit(each) for each in (rows, rows.astype(float)))
    np.testing.assert_array_equal(single.labels_, double.labels_)
    assert single.inertia_ == double.inertia_
    assert single.cluster_centers_.dtype == single.transform(rows).dtype == np.float32


# -- empty clusters and few rows -------------------------------------------------------------------


def test_an_empty_cluster_takes_the_row_farthest_from_its_centre():
    rows = np.array([[0.0], [1.0], [2.0], [9.0]])
    found = KMeans(2, init=[[1.0], [500.0]], max_iter=1).fit(rows)
    assert found.cluster_centers_.tolist() == [[1.0], [9.0]]
    found = KMeans(3, init=[[0.5], [500.0], [600.0]], max_iter=1).fit(rows)
    assert found.cluster_centers_.tolist() == [[0.5], [9.0], [2.0]]


def test_more_clusters_than_rows_that_differ():
    rows = np.repeat([[0.0, 1.0], [5.0, 5.0]], 10, axis=0)
    sentence = r"Number of distinct clusters \(2\) found smaller than n_clusters \(3\)"
    with pytest.warns(ConvergenceWarning, match=sentence):
        found = KMeans(3, random_state=0).fit(rows)
    assert found.inertia_ == 0.0
    assert len(set(found.labels_)) == 2
    assert found.n_iter_ <= 2


def test_one_row_and_constant_columns():
    assert KMeans(1).fit([[3.0, 4.0]]).cluster_centers_.tolist() == [[3.0, 4.0]]
    found = KMeans(2, random_state=0).fit([[7.0, 1.0], [7.0, 2.0], [7.0, 9.0]])
    assert sorted(found.cluster_centers_.tolist()) == [[7.0, 1.5], [7.0, 9.0]]


def test_a_row_of_weight_zero_is_absent_and_still_labelled():
    rows = np.vstack([X, [[1e6, 1e6, 1e6]]])
    weights = np.r_[np.ones(len(X)), 0.0]
    one = KMeans(3, random_state=0).fit(X)
    other = KMeans(3, random_state=0).fit(rows, sample_weight=weights)
    np.testing.assert_array_equal(other.cluster_centers_, one.cluster_centers_)
    assert other.inertia_ == pytest.approx(one.inertia_, rel=1e-14)
    np.testing.assert_array_equal(other.labels_, other.predict(rows))


# -- parameters --------------------------------------------------------------------------------------


def test_n_init_keeps_the_run_of_least_inertia():
    rows, _ = draw_rows_and_centers(400, 2, 12, 5.0, 0)
    inertia = [KMeans(12, init="random", n_init=count, random_state=3).fit(rows).inertia_ for count in (1, 10)]
    assert inertia[1] < inertia[0]
    assert KMeans(12, init="random", random_state=3).fit(rows).inertia_ == inertia[1]  # 'auto' is 10
    once, auto = (KMeans(12, n_init=count, random_state=3).fit(rows) for count in (1, "auto"))
    np.testing.assert_array_equal(once.cluster_centers_, auto.cluster_centers_)


def test_max_iter_tol_and_random_state_change_the_fit():
    rows, start = draw_rows_and_centers(500, 2, 6, 1.0, 2)
    assert KMeans(6, init=start, max_iter=3).fit(rows).n_iter_ == 3
    assert KMeans(6, init=start, tol=10.0).fit(rows).n_iter_ < KMeans(6, init=start, tol=0).fit(rows).n_iter_
    one, same, other = (KMeans(6, random_state=seed).fit(rows).cluster_centers_ for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_callable_start_is_given_rows_number_and_random_state():
    def start(rows, n_clusters, random_state):
        assert isinstance(random_state, np.random.RandomState)
        return kmeans_plusplus(rows, n_clusters, random_state=random_state)[0]

    one, same, other = (KMeans(5, init=start, n_init=1, random_state=seed).fit(X) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.cluster_centers_, same.cluster_centers_)
    assert not np.array_equal(one.cluster_centers_, other.cluster_centers_)
    calls = []
    KMeans(2, init=lambda rows, n, random_state: calls.append(1) or rows[:n]).fit(X)
    assert len(calls) == 10


def test_parameters_that_are_there_for_scikit_learns_users():
    rows = X.copy()
    plain = KMeans(3, random_state=0).fit(rows)
    for given in ({"algorithm": "elkan"}, {"copy_x": False}):
        np.testing.assert_array_equal(KMeans(3, random_state=0, **given).fit(rows).labels_, plain.labels_)
    np.testing.assert_array_equal(rows, X)
    assert KMeans().get_params() == {**Oracle().get_params(), "engine": "auto"}
    assert clone(KMeans(3, init=X[:3])).init is not None


def test_verbose_prints_the_inertia_of_every_pass(capsys):
    found = KMeans(3, random_state=0, verbose=1).fit(X * 1024.0)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + found.n_iter_
    values = [float(line.removesuffix(".").split("inertia ")[1]) for line in lines[1:-1]]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(found.inertia_, rel=1e-2)
    KMeans(3, random_state=0).fit(X)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n_clusters": 0}, "n_clusters must be a whole number of at least 1, but is 0"),
        ({"n_clusters": 2.0}, "n_clusters must be a whole number of at least 1, but is 2.0"),
        ({"n_clusters": 1000}, "n_samples=600 should be >= n_clusters=1000; ask for fewer"),
        ({"init": "best"}, "init must be one of k-means\\+\\+, random, but is 'best'"),
        ({"init": [[1.0, 2.0]]}, r"initial centers \(1, 2\) does not match the number of clusters 8; .* \(8, 3\)"),
        ({"init": np.ones((8, 2))}, r"initial centers \(8, 2\) does not match the number of features of the data 3"),
        ({"init": np.ones(8)}, r"initial centers \(8,\) does not match .*; pass an array of shape \(8, 3\) as init"),
        ({"init": np.full((8, 3), np.nan)}, "NaN or infinity in the centres of init"),
        ({"init": object()}, "init must be 'k-means\\+\\+', 'random', an array of centres or a callable"),
        ({"init": lambda rows, n, random_state: rows[:1]}, r"initial centers \(1, 3\) does not match .* clusters 8"),
        ({"n_init": 0}, "n_init must be a whole number of at least 1, but is 0"),
        ({"n_init": "many"}, "n_init must be a whole number of at least 1, but is 'many'"),
        ({"max_iter": 0}, "max_iter must be a whole number of at least 1"),
        ({"tol": -1.0}, "tol must be a finite number of at least 0"),
        ({"verbose": -1}, "verbose must be a whole number of at least 0"),
        ({"random_state": "a"}, "random_state must be a whole number"),
        ({"copy_x": 3}, "copy_x must be True or False, but is 3"),
        ({"algorithm": "full"}, "algorithm must be one of lloyd, elkan, but is 'full'"),
    ],
)
def test_invalid_parameters_give_one_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        KMeans(**given).fit(X)
    assert "\n" not in str(caught.value)


def test_initial_centers_are_run_once_with_a_warning():
    with pytest.warns(RuntimeWarning, match="performing only one init in KMeans instead of n_init=3"):
        KMeans(2, init=X[:2], n_init=3).fit(X)


def test_rows_and_weights_that_cannot_be_used():
    found = KMeans(2, random_state=0).fit(X)
    bad = X.copy()
    bad[4, 1] = np.nan
    for call in (KMeans(2).fit, found.predict, found.transform, found.score):
        with pytest.raises(ValueError, match="X contains NaN in row 4, column 1"):
            call(bad)
    with pytest.raises(ValueError, match=r"sample_weight must be finite and not negative, but is -1\.0 in row 0"):
        KMeans(2).fit(X, sample_weight=np.r_[-1.0, np.ones(len(X) - 1)])
    with pytest.raises(ValueError, match=r"2 features.*expecting 3 features"):
        found.predict(X[:, :2])
    for call in (KMeans().predict, KMeans().transform, KMeans().score):
        with pytest.raises(NotFittedError):
            call(X)


def test_compiled_passes_find_the_same():
    rows, start = draw_rows_and_centers(40_000, 8, 16, 1.0, 0)  # enough work for compiled code
    start[0] += 50.0
    ours, theirs = (each(16, init=start + 1e8, n_init=1, max_iter=40).fit(rows + 1e8) for each in (KMeans, Oracle))
    assert ours.inertia_ <= 1.001 * theirs.inertia_
    plain = KMeans(16, init=start, max_iter=40).fit(rows)
    assert plain.inertia_ == pytest.approx(Oracle(16, init=start, n_init=1, max_iter=40).fit(rows).inertia_, rel=1e-10)
    np.testing.assert_array_equal(plain.predict(rows), plain.labels_)


# -- what a user of scikit-learn does with it ----------------------------------------------------------


def test_one_center_converges_at_the_mean():
    rows = np.random.default_rng(0).normal(size=(100, 2)) + 1e3
    assert KMeans(1, tol=0.0, random_state=0).fit(rows).n_iter_ <= 3


def test_other_centres_may_be_assigned():
    rows = X[:, :2]
    clusters = KMeans(2, random_state=0).fit(rows)
    clusters.cluster_centers_ = [[0.0, 0.0], [5.0, 5.0]]
    np.testing.assert_allclose(clusters.cluster_centers_, [[0.0, 0.0], [5.0, 5.0]], atol=1e-12)
    assert clusters.predict([[4.0, 4.0], [1.0, 0.0]]).tolist() == [1, 0]
    with pytest.raises(ParameterError, match="cluster_centers_"):
        clusters.cluster_centers_ = [[0.0, 0.0]]
    with pytest.raises(NotFittedError):
        KMeans(2).cluster_centers_ = [[0.0, 0.0], [5.0, 5.0]]


def test_an_overflowing_inertia_raises_an_error():
    rows = 1e300 * np.random.default_rng(0).normal(size=(50, 2))
    clusters = KMeans(3, random_state=0).fit(rows)
    assert np.isfinite(clusters.cluster_centers_).all()
    with pytest.raises(UnrepresentableError, match="inertia_ overflow double precision"):
        _ = clusters.inertia_


@pytest.mark.parametrize("tol", [0.0, 1e-2])
@pytest.mark.parametrize("scale", [1.0, 2.0**30])
def test_verbose_prints_what_scikit_learn_prints(tol, scale, capsys):
    rows, start = draw_rows_and_centers(500, 2, 6, 1.0, 2)
    printed = []
    for estimator in (KMeans, Oracle):
        estimator(6, init=scale * start, n_init=1, tol=tol, verbose=1).fit(scale * rows)
        printed.append(capsys.readouterr().out.splitlines())
    number = re.compile(r"\d+\.?\d*(?:e[+-]?\d+)?")
    for ours, theirs in zip(*printed, strict=True):
        assert number.sub("#", ours) == number.sub("#", theirs)
        values = [[float(value.rstrip(".")) for value in number.findall(line)] for line in (ours, theirs)]
        np.testing.assert_allclose(*values, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e-3, 7.0), (1e5, 1e6), (1.0, 1e8)])
@pytest.mark.parametrize("seed", range(3))
def test_a_centre_is_at_distance_zero_of_itself(dtype, scale, offset, seed):
    rows, _ = draw_rows_and_centers(300, 3, 4, 3.0, seed)
    rows = (rows * scale + offset).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # float32 rounds rows far away to few values
        found = KMeans(4, random_state=seed).fit(rows, sample_weight=np.random.default_rng(seed).uniform(size=300))
    distances = found.transform(found.cluster_centers_)
    np.testing.assert_array_equal(distances.diagonal(), 0.0)
    clone_of_centers = [[float(value) for value in center] for center in found.cluster_centers_]
    np.testing.assert_array_equal(found.transform(clone_of_centers).diagonal(), 0.0)


def test_elkan_with_one_cluster_warns_as_scikit_learn_does():
    for estimator in (KMeans, Oracle):
        with pytest.warns(RuntimeWarning, match="algorithm='elkan' doesn't make sense for a single cluster") as caught:
            estimator(1, algorithm="elkan").fit(X)
        assert caught[0].filename == __file__ or estimator is Oracle


@pytest.mark.parametrize("weight_kind", ["none", "positive", "some zero"])
@pytest.mark.parametrize("engine", ["numpy", "compiled", "auto"])
def test_labels_and_inertia_are_those_of_prediction(engine, weight_kind):
    for seed, (n, d, K) in enumerate([(60, 1, 3), (500, 3, 7), (3000, 10, 5)]):
        rows, _ = draw_rows_and_centers(n, d, K, 1.0, seed)
        rng = np.random.default_rng(seed)
        weights = {"none": None, "positive": rng.uniform(0.5, 2.0, n), "some zero": rng.integers(0, 3, n) * 1.0}
        sample_weight = weights[weight_kind]
        found = KMeans(K, engine=engine, random_state=seed).fit(rows, sample_weight=sample_weight)
        np.testing.assert_array_equal(found.labels_, found.predict(rows))
        assert found.inertia_ == pytest.approx(-found.score(rows, sample_weight=sample_weight), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_predictions_do_not_depend_on_the_engine_and_not_by_a_bit_on_the_number_of_threads(dtype):
    rows, start = draw_rows_and_centers(21_000, 3, 7, 2.0, 0)
    rows = rows.astype(dtype)
    found = KMeans(7, init=start, random_state=0).fit(rows)
    methods = (found.predict, found.transform, found.score)
    with threads(1):
        expected = [method(rows) for method in methods]
    for n_threads in (2, 3):
        with threads(n_threads):
            for method, value in zip(methods, expected, strict=True):
                np.testing.assert_array_equal(method(rows), value)
    with threads(1):
        found.engine = "numpy"
        np.testing.assert_array_equal(found.predict(rows), expected[0])
        np.testing.assert_allclose(found.transform(rows), expected[1], rtol=1e-6 if dtype is np.float32 else 1e-11)
        assert found.score(rows) == pytest.approx(expected[2], rel=1e-12)


def test_prediction_names_the_row_whose_distances_overflow():
    found = KMeans(3, random_state=0).fit(X)
    for engine in ("numpy", "compiled", "auto"):
        found.engine = engine
        with pytest.raises(RowTooFarError, match="row 5"):
            found.predict(np.vstack([X[:5], [[1e300, 0.0, 0.0]], X[:5]]))
