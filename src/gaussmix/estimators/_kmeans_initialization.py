"""What k-means is asked for and where its runs start: parameters checked, centres drawn or handed over."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines import AbstractEngine
from gaussmix.errors import DataError, ParameterError
from gaussmix.estimators import _validation
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.init_methods import kmeans_plusplus
from gaussmix.sources import AbstractSource
from gaussmix.types import KD, AnyArray

_N_INIT_FOR_RANDOM_STARTS = 10  # runs from starts that nothing spreads out, as in scikit-learn


def validate_kmeans_parameters(estimator: Any) -> None:
    """One sentence for each parameter that cannot be used; centres are checked beside the rows."""
    _validation.require_integer("n_clusters", estimator.n_clusters, 1)
    _validation.require_integer("max_iter", estimator.max_iter, 1)
    if not isinstance(estimator.verbose, bool):
        _validation.require_integer("verbose", estimator.verbose, 0)
    _validation.require_non_negative("tol", estimator.tol)
    _validation.require_choice("algorithm", estimator.algorithm, ["lloyd", "elkan"])
    if not isinstance(estimator.copy_x, bool | np.bool_):
        raise ParameterError.invalid_value("copy_x", estimator.copy_x, "True or False")
    if isinstance(estimator.init, str):
        _validation.require_choice("init", estimator.init, ["k-means++", "random"])
    if not (isinstance(estimator.n_init, str) and estimator.n_init == "auto"):
        _validation.require_integer("n_init", estimator.n_init, 1)


def iterate_initial_centers(
    estimator: Any, source: AbstractSource, engine: AbstractEngine, rows: AnyArray
) -> Iterator[KD]:
    """The centres (K, D), in the frame, from which runs start."""
    init, n_clusters = estimator.init, int(estimator.n_clusters)
    drawn = callable(init) or isinstance(init, str)
    if not drawn and estimator.n_init not in ("auto", 1):
        warnings.warn(
            "Explicit initial center position passed: performing only one init in KMeans instead of "
            f"n_init={estimator.n_init}.",
            RuntimeWarning,
            stacklevel=4,
        )
    several = _N_INIT_FOR_RANDOM_STARTS if callable(init) or (isinstance(init, str) and init == "random") else 1
    count = several if estimator.n_init == "auto" else int(estimator.n_init)
    generator = _validation.make_generator(estimator.random_state) if drawn else None
    distinct = DistinctRows.from_source(source) if isinstance(init, str) else None
    for _ in range(count if drawn else 1):
        if generator is None:
            yield _validate_init(init, source, n_clusters)
        elif distinct is None:
            state = _validation.make_random_state(generator)
            yield _validate_init(init(rows, n_clusters, random_state=state), source, n_clusters)
        elif init == "random":
            yield distinct.sample_rows(n_clusters, generator)
        else:
            yield kmeans_plusplus(distinct, n_clusters, engine, generator, CentersModel.euclidean)


def _validate_init(centers: object, source: AbstractSource, n_clusters: int) -> KD:
    """Centres that somebody hands over to start from, checked, in the frame."""
    return validate_centers("init", centers, source.frame, (n_clusters, source.n_features))


def validate_centers(name: str, centers: object, frame: Frame, shape: tuple[int, ...]) -> KD:
    """Centres that somebody hands over, checked, in the frame."""
    try:
        found = np.asarray(centers, dtype=np.float64)
    except (TypeError, ValueError):
        drawn = "'k-means++', 'random', " if name == "init" else ""
        raise ParameterError.invalid_value(
            name, centers, f"{drawn}an array of centres or a callable that gives one"
        ) from None
    if found.shape != shape:
        raise ParameterError.wrong_shape(name, found.shape, shape)
    if not np.isfinite(found).all():
        raise DataError.not_finite_parameter(f"the centres of {name}")
    return frame.transform_rows(found)
