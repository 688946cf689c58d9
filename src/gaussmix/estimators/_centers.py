"""What k-means is asked for and where its runs start: parameters checked, centres drawn or handed over."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.engines import AbstractEngine
from gaussmix.errors import DataError, ParameterError
from gaussmix.estimators import _base
from gaussmix.solvers.start.distinct import DistinctRows
from gaussmix.solvers.start.seeding import euclidean, plus_plus
from gaussmix.sources import AbstractSource
from gaussmix.types import KD, AnyArray

_SEVERAL = 10  # runs from starts that nothing spreads out, as in scikit-learn


def check_clustering(estimator: Any) -> None:
    """One sentence for each parameter that cannot be used; centres are checked beside the rows."""
    _base.require_integer("n_clusters", estimator.n_clusters, 1)
    _base.require_integer("max_iter", estimator.max_iter, 1)
    if not isinstance(estimator.verbose, bool):
        _base.require_integer("verbose", estimator.verbose, 0)
    _base.require_real("tol", estimator.tol)
    _base.require_choice("algorithm", estimator.algorithm, ["lloyd", "elkan"])
    if not isinstance(estimator.copy_x, bool | np.bool_):
        raise ParameterError.value("copy_x", estimator.copy_x, "True or False")
    if isinstance(estimator.init, str):
        _base.require_choice("init", estimator.init, ["k-means++", "random"])
    if not (isinstance(estimator.n_init, str) and estimator.n_init == "auto"):
        _base.require_integer("n_init", estimator.n_init, 1)


def starting_centers(
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
    several = _SEVERAL if callable(init) or (isinstance(init, str) and init == "random") else 1
    count = several if estimator.n_init == "auto" else int(estimator.n_init)
    generator = _base.generator(estimator.random_state) if drawn else None
    distinct = DistinctRows.of(source) if isinstance(init, str) else None
    for _ in range(count if drawn else 1):
        if generator is None:
            yield _given(init, source, n_clusters)
        elif distinct is None:
            state = _base.legacy_state(generator)
            yield _given(init(rows, n_clusters, random_state=state), source, n_clusters)
        elif init == "random":
            yield distinct.choose(n_clusters, generator)
        else:
            yield plus_plus(distinct, n_clusters, engine, generator, euclidean)


def _given(centers: object, source: AbstractSource, n_clusters: int) -> KD:
    """Centres that somebody hands over to start from, checked, in the frame."""
    return checked_centers("init", centers, source.frame, (n_clusters, source.n_features))


def checked_centers(name: str, centers: object, frame: Frame, shape: tuple[int, ...]) -> KD:
    """Centres that somebody hands over, checked, in the frame."""
    try:
        found = np.asarray(centers, dtype=np.float64)
    except (TypeError, ValueError):
        drawn = "'k-means++', 'random', " if name == "init" else ""
        raise ParameterError.value(name, centers, f"{drawn}an array of centres or a callable that gives one") from None
    if found.shape != shape:
        raise ParameterError.shape(name, found.shape, shape)
    if not np.isfinite(found).all():
        raise DataError.not_finite_parameter(f"the centres of {name}")
    return frame.apply(found)
