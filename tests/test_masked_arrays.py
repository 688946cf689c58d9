"""Masked arrays: an entry behind the mask is never read; without masked entries they are plain arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gaussmix import (
    BayesianGaussianMixture,
    Constraints,
    Gaussian,
    GaussianMixture,
    Intensity,
    KMeans,
    Mixture,
    bootstrap_test,
    compare,
    cross_validate_components,
    select,
)
from gaussmix.report import describe_mixture

RNG = np.random.default_rng(0)
X = np.round(RNG.normal(size=(60, 2)), 3)
X[30:] += 8.0
MIXTURE = GaussianMixture(2, random_state=0).fit(X)
KMEANS = KMeans(2, random_state=0).fit(X)
BAYES = BayesianGaussianMixture(n_components=2, random_state=0).fit(X)
MODEL = MIXTURE.model_
GAUSSIAN = Gaussian.from_data(X)
FAST: dict[str, Any] = {"structures": "EII", "n_components": 1}

FITS: dict[str, Callable[..., Any]] = {
    "GaussianMixture": lambda rows, **given: GaussianMixture(2, random_state=0).fit(rows, **given).means_,
    "KMeans": lambda rows, **given: KMeans(2, random_state=0).fit(rows, **given).cluster_centers_,
    "BayesianGaussianMixture": lambda rows: BayesianGaussianMixture(n_components=2, random_state=0).fit(rows).means_,
    "select": lambda rows, **given: select(rows, **FAST, **given).best.mixture.means,
    "cross_validate_components": lambda rows, **given: cross_validate_components(rows, **FAST, **given).best.name,
    "bootstrap_test": lambda rows, **given: bootstrap_test(rows, "EII", 1, n_bootstrap=1, **given).table(),
    "compare": lambda rows, **given: compare(rows, **FAST, solvers="em", **given).mixture.means,
}
WEIGHTED = {name: fit for name, fit in FITS.items() if name != "BayesianGaussianMixture"}
UNWEIGHTED: dict[str, Callable[..., Any]] = {
    "partial_fit": lambda rows: GaussianMixture(2, random_state=0).partial_fit(rows).means_,
    "Gaussian.from_data": lambda rows: Gaussian.from_data(rows).mean,
    "KMeans.fit_predict": KMeans(2, random_state=0).fit_predict,
    "describe_mixture": lambda rows: describe_mixture(MODEL, rows),
    **{f"GaussianMixture.{name}": getattr(MIXTURE, name) for name in ("predict", "predict_proba", "score", "bic")},
    **{f"BayesianGaussianMixture.{name}": getattr(BAYES, name) for name in ("predict", "score_samples")},
    **{f"KMeans.{name}": getattr(KMEANS, name) for name in ("predict", "transform", "score")},
    **{f"Mixture.{name}": getattr(MODEL, name) for name in ("predict", "logpdf", "pdf")},
    **{f"Gaussian.{name}": getattr(GAUSSIAN, name) for name in ("logpdf", "mahalanobis")},
}


def masked(values: Any, dtype: Any = float) -> Any:
    """Return a masked array whose fourth entry is masked, with a value behind the mask that would do harm."""
    array = np.ma.array(np.array(values), dtype=dtype)
    array[3] = -9999
    array[3] = np.ma.masked
    return array


# What has a meaning for rows that lack cells.
ALLOW_MISSING = {
    "GaussianMixture",
    "BayesianGaussianMixture",
    "select",
    "cross_validate_components",
    "bootstrap_test",
    "describe_mixture",
    *(name for name in UNWEIGHTED if name.startswith(("GaussianMixture.", "BayesianGaussianMixture.", "Mixture."))),
}


@pytest.mark.parametrize("name", sorted({*FITS, *UNWEIGHTED} - ALLOW_MISSING))
@pytest.mark.parametrize("form", ["float64", "float32", "int32", "list of rows"])
def test_masked_rows_are_refused(name: str, form: str) -> None:
    rows = list(masked(X)) if form == "list of rows" else masked(X, form)
    with pytest.raises(ValueError, match="X contains NaN in row 3, column 0"):
        {**FITS, **UNWEIGHTED}[name](rows)


@pytest.mark.parametrize("name", sorted(ALLOW_MISSING))
@pytest.mark.parametrize("form", ["float64", "float32", "list of rows"])
def test_masked_cells_are_missing_cells(name: str, form: str) -> None:
    rows = masked(X, "float32" if form == "float32" else "float64")
    with_nan = np.ma.filled(rows.astype("float32" if form == "float32" else "float64"), np.nan)
    call = {**FITS, **UNWEIGHTED}[name]
    np.testing.assert_array_equal(call(list(rows) if form == "list of rows" else rows), call(with_nan))


@pytest.mark.parametrize("name", [*FITS, *UNWEIGHTED])
def test_without_a_masked_entry_they_are_plain_arrays(name: str) -> None:
    call = {**FITS, **UNWEIGHTED}[name]
    np.testing.assert_array_equal(call(np.ma.array(X)), call(X))


@pytest.mark.parametrize("name", WEIGHTED)
def test_masked_weights_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="sample_weight must be finite and not negative, but is nan in row 3"):
        WEIGHTED[name](X, sample_weight=masked(np.ones(len(X))))


@pytest.mark.parametrize("values", [masked(np.zeros(60), int), [0.0, 0.0, 0.0, np.ma.masked, *np.zeros(56)]])
def test_masked_component_labels_are_refused(values: Any) -> None:
    for fit in (GaussianMixture(2).fit, lambda rows, labels: select(rows, **FAST, labels=labels)):
        with pytest.raises(ValueError, match=r"row 3 \(counted from 0\) has nan"):
            fit(X, labels=values)


def test_a_masked_class_is_unknown() -> None:
    labels = np.where(np.arange(60) < 30, "a", "b").astype(object)
    classes = np.ma.array(labels, mask=np.arange(60) % 2 == 0)
    plain = np.where(np.arange(60) % 2 == 0, None, labels)
    found = [compare(X, each, **FAST, solvers="em").assignments.known_component_labels for each in (classes, plain)]
    np.testing.assert_array_equal(*found)
    assert (np.asarray(found[0]) < 0).sum() == 30


PAIR = np.ma.array([[0.0, -9999.0], [8.0, 8.0]], mask=[[False, True], [False, False]])


@pytest.mark.parametrize(
    "make",
    [
        lambda: KMeans(2, init=PAIR).fit(X),
        lambda: setattr(KMeans(2, random_state=0).fit(X), "cluster_centers_", PAIR),
        lambda: GaussianMixture(2, means_init=PAIR).fit(X),
        lambda: GaussianMixture(2, weights_init=PAIR[0]).fit(X),
        lambda: GaussianMixture(2, covariance_type="tied", precisions_init=PAIR).fit(X),
        lambda: BayesianGaussianMixture(mean_prior=PAIR[0]).fit(X),
        lambda: Gaussian(PAIR[0], np.eye(2)),
        lambda: Gaussian([0.0, 0.0], PAIR),
        lambda: Mixture.from_parameters([0.5, 0.5], PAIR, [np.eye(2)] * 2),
        lambda: Mixture.from_parameters(PAIR[0], X[:2], [np.eye(2)] * 2),
        lambda: Mixture.from_parameters([0.5, 0.5], X[:2], PAIR, "EEE"),
        lambda: Intensity.from_parameters(PAIR[0], X[:2], [np.eye(2)] * 2),
        lambda: GaussianMixture(2, constraints=Constraints(means=PAIR)).fit(X),
    ],
)
def test_masked_parameters_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"NaN|nan|finite|at least 0|positive.definite"):
        make()
