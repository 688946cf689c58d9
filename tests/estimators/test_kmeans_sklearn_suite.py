"""scikit-learn's own tests of its KMeans, run against ours.

The module is imported with our class in the place of theirs. Left out: tests of private functions and attributes, each
with the test of ours that says the same; tests of other public functions and of MiniBatchKMeans; and all cases with
sparse rows, which our class refuses.
"""

from typing import Any

import numpy as np
import pytest
import sklearn.cluster

from gaussmix import KMeans
from tests.estimators.sklearn_suites import import_with_own_classes

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("single_blas_thread")]

LEFT_OUT = {
    # of private functions
    "test_relocate_empty_clusters",
    "test_euclidean_distance",
    "test_inertia",
    "test_is_same_clustering",
    # of the private attribute _n_init; below
    "test_kmeans_init_auto_with_initial_centroids",
    "test_n_init_auto",
    # of the private method _init_centroids; below
    "test_sample_weight_init",
    "test_sample_weight_zero",
    # of rows that are sparse in every case
    "test_dense_sparse",
    "test_predict_dense_sparse",
    # of other functions
    "test_k_means_function",
    "test_kmeans_plusplus_wrong_params",
    "test_kmeans_plusplus_output",
    "test_kmeans_plusplus_norms",
    "test_kmeans_plusplus_dataorder",
}
OTHER_CLASS = "test_minibatch_"


def _uses_sparse_rows(value: Any) -> bool:
    """Return whether a parameter of a case is a sparse matrix or array, or its class."""
    return hasattr(value, "toarray")


def _without_cases_of_sparse_rows(test: Any) -> Any:
    """Return a test of scikit-learn with only those of its parameters that are not sparse, and not MiniBatchKMeans."""
    marks = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            kept = [i for i, value in enumerate(values) if not _is_left_out(value)]
            ids = mark.kwargs.get("ids")
            kwargs = dict(mark.kwargs) if ids is None else {**mark.kwargs, "ids": [ids[i] for i in kept]}
            mark = getattr(pytest.mark, mark.name)(names, [values[i] for i in kept], **kwargs).mark
        marks.append(mark)
    test.pytestmark = marks
    return test


def _is_left_out(value: Any) -> bool:
    entries = value if isinstance(value, tuple) else (value,)
    return any(_uses_sparse_rows(entry) or entry is sklearn.cluster.MiniBatchKMeans for entry in entries)


_MODULE = import_with_own_classes("sklearn.cluster.tests.test_k_means", sklearn.cluster, KMeans)
_THEIRS = {name: test for name, test in vars(_MODULE).items() if name.startswith("test_")}
for _name, _test in _THEIRS.items():
    if _name not in LEFT_OUT and not _name.startswith(OTHER_CLASS):
        globals()[_name] = _without_cases_of_sparse_rows(_test)


def test_it_is_our_class_that_is_tested():
    assert _MODULE.KMeans is KMeans


def test_what_is_left_out_exists_and_nothing_else_is_missing():
    assert set(_THEIRS) >= LEFT_OUT
    assert {name for name in set(_THEIRS) - LEFT_OUT if not name.startswith(OTHER_CLASS)} <= set(globals())


# -- what is left of the tests of private attributes ---------------------------------------------------

ROWS = np.random.default_rng(0).normal(size=(100, 4))


@pytest.mark.parametrize(
    ("init", "n_runs"), [("k-means++", 1), ("random", 10), (ROWS[:5], 1), (lambda rows, K, random_state: rows[:K], 10)]
)
def test_automatic_number_of_runs(init, n_runs, capsys):
    KMeans(5, init=init, n_init="auto", verbose=1, random_state=0).fit(ROWS)
    assert capsys.readouterr().out.count("Initialization complete") == n_runs


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("seed", [0, 7, 42])
def test_initial_centers_follow_the_weights(init, seed):
    weights = np.random.default_rng(seed).uniform(size=len(ROWS))
    weights[::2] = 0.0
    fits = [
        KMeans(50, init=init, n_init=1, max_iter=1, random_state=seed).fit(ROWS, sample_weight=each)
        for each in (weights, None)
    ]
    assert not np.allclose(*(fit.cluster_centers_ for fit in fits))
    # As many centers as rows of positive weight: every center is one of those rows.
    np.testing.assert_allclose(np.sort(fits[0].cluster_centers_, axis=0), np.sort(ROWS[1::2], axis=0), rtol=1e-12)


@pytest.mark.parametrize("container", ["csr_matrix", "csr_array", "csc_matrix", "coo_array"])
def test_sparse_rows_are_refused_in_one_sentence(container):
    sparse = getattr(pytest.importorskip("scipy.sparse"), container)(ROWS)
    fitted = KMeans(3, random_state=0).fit(ROWS)
    calls = (
        KMeans(3).fit,
        KMeans(3).fit_predict,
        KMeans(3).fit_transform,
        fitted.predict,
        fitted.transform,
        fitted.score,
    )
    for call in calls:
        with pytest.raises(ValueError, match=r"^sparse data are not supported; pass X\.toarray\(\)"):
            call(sparse)
