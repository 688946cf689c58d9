"""Parameters of k-means and the initial centres of its runs."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.quadratics import CentersModel
from gaussmix.core.scalar_checks import is_bool
from gaussmix.engines import AbstractEngine
from gaussmix.errors import DataError, ParameterError
from gaussmix.estimators import _validation
from gaussmix.estimators._verbose import warn_user
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.kmeans import kmeans_plusplus
from gaussmix.sources import AbstractSource
from gaussmix.types import KD, AnyArray

# Runs with n_init='auto' and init='random' or a callable, as in scikit-learn.
_N_INIT_FOR_RANDOM_STARTS = 10


def validate_kmeans_parameters(estimator: Any) -> None:
    """Check the parameters of a KMeans, except an array of initial centres."""
    _validation.require_integer("n_clusters", estimator.n_clusters, 1)
    _validation.require_integer("max_iter", estimator.max_iter, 1)
    if not isinstance(estimator.verbose, bool):
        _validation.require_integer("verbose", estimator.verbose, 0)
    _validation.require_non_negative("tol", estimator.tol)
    _validation.require_choice("algorithm", estimator.algorithm, ["lloyd", "elkan"])
    if not is_bool(estimator.copy_x):
        raise ParameterError.invalid_value("copy_x", estimator.copy_x, "True or False")
    if isinstance(estimator.init, str):
        _validation.require_choice("init", estimator.init, ["k-means++", "random"])
    if not (isinstance(estimator.n_init, str) and estimator.n_init == "auto"):
        _validation.require_integer("n_init", estimator.n_init, 1)


def iterate_initial_centers(
    estimator: Any, source: AbstractSource, engine: AbstractEngine, rows: AnyArray
) -> Iterator[KD]:
    """Yield the initial centres (K, D) of each run, in the frame of the source."""
    init, n_clusters = estimator.init, int(estimator.n_clusters)
    if not (callable(init) or isinstance(init, str)):
        if estimator.n_init not in ("auto", 1):
            warn_user(
                "Explicit initial center position passed: performing only one init in KMeans instead of "
                f"n_init={estimator.n_init}.",
                RuntimeWarning,
            )
        yield _validate_init(init, source, n_clusters)
        return
    rng = _validation.make_generator(estimator.random_state)
    if callable(init):
        for _ in range(_number_of_runs(estimator)):
            state = _validation.make_random_state(rng)
            yield _validate_init(init(rows, n_clusters, random_state=state), source, n_clusters)
        return
    distinct_rows = DistinctRows.from_source(source)
    for _ in range(_number_of_runs(estimator)):
        if init == "random":
            yield distinct_rows.sample_rows(n_clusters, rng)
        else:
            yield kmeans_plusplus(distinct_rows, n_clusters, engine, rng, CentersModel.euclidean)


def _number_of_runs(estimator: Any) -> int:
    if estimator.n_init != "auto":
        return int(estimator.n_init)
    return 1 if isinstance(estimator.init, str) and estimator.init != "random" else _N_INIT_FOR_RANDOM_STARTS


def _validate_init(centers: object, source: AbstractSource, n_clusters: int) -> KD:
    return validate_centers("init", centers, source.frame, (n_clusters, source.n_features))


def validate_centers(name: str, centers: object, frame: Frame, shape: tuple[int, ...]) -> KD:
    """Return the user's centres (K, D) in the frame, after checks of type, shape and finiteness."""
    try:
        array = np.asarray(centers, dtype=np.float64)
    except (TypeError, ValueError):
        methods = "'k-means++', 'random', " if name == "init" else ""
        allowed = f"{methods}an array of centres or a callable that returns one"
        raise ParameterError.invalid_value(name, centers, allowed) from None
    if array.shape != shape:
        raise ParameterError.wrong_shape(name, array.shape, shape)
    if not np.isfinite(array).all():
        raise DataError.not_finite_parameter(f"the centres of {name}")
    return frame.transform_rows(array)
