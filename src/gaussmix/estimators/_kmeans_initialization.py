"""Parameters of k-means and the initial centres of its runs."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.parameter_arrays import parse_numbers
from gaussmix.core.scalar_checks import is_bool, require_integer
from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import ParameterError, StartingValueError
from gaussmix.estimators import _validation
from gaussmix.model import Problem
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.kmeans import iterate_starts_from_merged_groups
from gaussmix.sources import AbstractSource
from gaussmix.types import KD, AnyArray

# Runs with n_init='auto' and init='random' or a callable, as in scikit-learn.
_N_INIT_FOR_RANDOM_STARTS = 10


def validate_kmeans_parameters(estimator: Any) -> None:
    """Raise ParameterError for an invalid parameter of a KMeans; an array of initial centres is not checked."""
    require_integer("n_clusters", estimator.n_clusters, 1)
    require_integer("max_iter", estimator.max_iter, 1)
    _validation.require_verbose(estimator.verbose)
    _validation.require_non_negative("tol", estimator.tol)
    _validation.require_choice("algorithm", estimator.algorithm, ["lloyd", "elkan"])
    if not is_bool(estimator.copy_x):
        raise ParameterError.invalid_value("copy_x", estimator.copy_x, "True or False")
    if isinstance(estimator.init, str):
        _validation.require_choice("init", estimator.init, ["k-means++", "random"])
    if not (isinstance(estimator.n_init, str) and estimator.n_init == "auto"):
        require_integer("n_init", estimator.n_init, 1)
    if estimator.algorithm == "elkan" and estimator.n_clusters == 1:
        warn_user("algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.", RuntimeWarning)


def iterate_initial_centers_in_frame(estimator: Any, problem: Problem, rows_in_data_units: AnyArray) -> Iterator[KD]:
    """Yield the initial centres (K, D) of each run, in the frame of the problem; a callable ``init`` gets the rows."""
    source = problem.source
    init, n_clusters = estimator.init, int(estimator.n_clusters)
    if not (callable(init) or isinstance(init, str)):
        if estimator.n_init not in ("auto", 1):
            warn_user(
                "Explicit initial center position passed: performing only one init in KMeans instead of "
                f"n_init={estimator.n_init}.",
                RuntimeWarning,
            )
        yield _parse_and_transform_init_centers(init, source, n_clusters)
        return
    rng = _validation.make_estimator_generator(estimator.random_state)
    if callable(init):
        for _ in range(_n_kmeans_runs(estimator)):
            state = _validation.make_random_state(rng)
            yield _parse_and_transform_init_centers(
                init(rows_in_data_units, n_clusters, random_state=state), source, n_clusters
            )
        return
    if init == "random":
        distinct_rows = DistinctRows.from_source(source)
        for _ in range(_n_kmeans_runs(estimator)):
            yield distinct_rows.draw_weighted_rows(n_clusters, rng)
    else:
        yield from iterate_starts_from_merged_groups(problem, n_clusters, _n_kmeans_runs(estimator), rng)


def _n_kmeans_runs(estimator: Any) -> int:
    """Return a KMeans estimator's number of runs, ``n_init``; for 'auto', 1 with k-means++ and 10 otherwise."""
    if estimator.n_init != "auto":
        return int(estimator.n_init)
    return 1 if isinstance(estimator.init, str) and estimator.init != "random" else _N_INIT_FOR_RANDOM_STARTS


def _parse_and_transform_init_centers(centers: object, source: AbstractSource, n_clusters: int) -> KD:
    """Return the checked centres (K, D) of ``init`` in the frame of the source."""
    allowed = "'k-means++', 'random', an array of centres or a callable that returns one"
    array = parse_numbers("init", centers, allowed)
    if array.shape != (n_clusters, source.n_features):
        raise StartingValueError.wrong_center_shape(array.shape, n_clusters, source.n_features)
    return _require_finite_centers("init", array, source.frame)


def parse_and_transform_assigned_centers(centers: object, frame: Frame, expected_shape: tuple[int, ...]) -> KD:
    """Return the checked centres (K, D) that a user assigns to ``cluster_centers_``, in the frame."""
    array = parse_numbers("cluster_centers_", centers, "an array of centres")
    if array.shape != expected_shape:
        raise ParameterError.wrong_shape("cluster_centers_", array.shape, expected_shape)
    return _require_finite_centers("cluster_centers_", array, frame)


def _require_finite_centers(parameter_name: str, centers: KD, frame: Frame) -> KD:
    """Return finite centres (K, D) in the frame; raise ParameterError if one is NaN or infinite."""
    if not np.isfinite(centers).all():
        raise ParameterError.not_finite(f"the centres of {parameter_name}")
    return frame.transform_rows(centers)
