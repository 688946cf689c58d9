"""``KMeans``: hard assignment to the nearest of K centres, with scikit-learn's interface."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.frame import Frame
from gaussmix.core.outcome import Outcome
from gaussmix.core.user_warnings import warn_user
from gaussmix.covariance import Structure
from gaussmix.engines import AbstractEngine, resolve_engine
from gaussmix.errors import DataError, UnrepresentableError
from gaussmix.estimators import _validation
from gaussmix.estimators._kmeans_distances import (
    compute_distances_in_data_units,
    distances_in_data_units,
    find_nearest_centers,
    require_finite_distances,
    sum_inertia,
)
from gaussmix.estimators._kmeans_initialization import (
    iterate_initial_centers_in_frame,
    parse_and_transform_assigned_centers,
    validate_kmeans_parameters,
)
from gaussmix.estimators._verbose import InertiaPrinter
from gaussmix.model.problem import Problem
from gaussmix.solvers import RunResult, run_solver
from gaussmix.solvers.em.lloyd import Lloyd
from gaussmix.solvers.stopping import MovementRule
from gaussmix.sources import MemorySource
from gaussmix.types import KD, AnyArray, ArrayLike, IntN, N

# Runs whose inertia differs by less than this, relatively, found the same clusters; the first is kept.
_RELATIVE_INERTIA_TIE = 1e-12


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """k-means clustering: each row belongs to the nearest of K centres; a drop-in for scikit-learn's.

    k-means is the limit of a mixture with equal weights and one covariance, ``e`` times the identity, as ``e`` goes
    to zero (Bishop, section 9.3.2). It therefore assumes round groups of about one size, in the units of the columns.

    Prefer a mixture (`GaussianMixture`) for long groups, groups of different sizes or overlapping groups; for
    probabilities; for columns in different units; or to choose the number of groups by BIC. k-means is faster.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of centres K.
    init : {'k-means++', 'random'}, array-like of shape (K, D) or callable, default='k-means++'
        Initial centres. 'k-means++' draws distant rows, four for each centre, and merges their groups by Ward's
        criterion; of many rows it searches a sample. 'random' draws any rows. Neither depends on the order of the
        rows. A callable gets the rows, K and ``random_state``, a RandomState, and returns centres.
    n_init : 'auto' or int, default='auto'
        Number of runs from different starts. The run with the smallest inertia is kept. 'auto': 10 for 'random'
        or a callable, else 1. An array of centres is run once.
    max_iter : int, default=300
        Largest number of iterations of a run.
    tol : float, default=1e-4
        Stop when the summed squared movement of the centres is at most ``tol`` times the mean column variance, or
        when no row changes its centre.
    verbose : int, default=0
        1 prints the inertia of every iteration, and why a run has converged, in scikit-learn's words.
    engine : {'auto', 'numpy', 'compiled'} or engine object, default='auto'
        What computes the passes over the rows. 'auto': compiled code; NumPy where there is none.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the starts.
    copy_x : bool, default=True
        No effect: rows are never changed. For compatibility with scikit-learn.
    algorithm : {'lloyd', 'elkan'}, default='lloyd'
        No effect: both give Lloyd's answer. For compatibility with scikit-learn. 'elkan' with one cluster warns.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (K, D)
        Centres in the data's units and dtype. May be assigned.
    labels_ : ndarray of int32 of shape (n,)
        Index of the nearest centre of each row; the first one of a tie.
    inertia_ : float
        Weighted sum of the squared distances of rows to their centres, in the data's units squared.
    n_iter_ : int
        Number of iterations of the best run.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column names, if X has names.

    Raises
    ------
    DataError, ParameterError
        From `fit`. Both are ValueErrors.

    See Also
    --------
    gaussmix.GaussianMixture : Soft assignment, and covariances of any shape.

    Notes
    -----
    Differences from scikit-learn: sparse rows are refused; the variance in ``tol`` counts row weights; an empty cluster
    takes the farthest row with all its copies; and a seed gives other starts.

    References
    ----------
    Lloyd, IEEE Trans. Information Theory 28 (1982); Arthur & Vassilvitskii, SODA (2007); Bishop, "Pattern Recognition
    and Machine Learning" (2006).

    Examples
    --------
    >>> from gaussmix import KMeans
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> clusters = KMeans(n_clusters=2, init=[[0, 0], [9, 9]]).fit(X)
    >>> clusters.cluster_centers_.tolist()
    [[1.0, 2.0], [10.0, 2.0]]
    >>> clusters.predict([[0, 0], [12, 3]]).tolist()
    [0, 1]
    """

    _centers: KD
    _inertia: float
    _frame: Frame
    _dtype: np.dtype[Any]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | ArrayLike | Callable[..., ArrayLike] = "k-means++",
        n_init: str | int = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        engine: str | AbstractEngine = "auto",
        random_state: _validation.RandomStateLike = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.engine, self.random_state = engine, random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    @property
    def cluster_centers_(self) -> AnyArray:
        """Centres (K, D) in the data's units.

        `predict` and `transform` use the unrounded centres; a row that equals a centre shown here is at distance 0.
        """
        _validation.require_fitted(self, "_centers")
        return self._frame.restore_means(self._centers).astype(self._dtype)

    @cluster_centers_.setter
    def cluster_centers_(self, centers: ArrayLike) -> None:
        """Replace the centres (K, D) for `predict` and `transform`."""
        _validation.require_fitted(self, "_centers")
        self._centers = parse_and_transform_assigned_centers(centers, self._frame, self._centers.shape)

    @property
    def inertia_(self) -> float:
        """Weighted sum of squared distances to the nearest centre; an overflow raises UnrepresentableError."""
        _validation.require_fitted(self, "_centers")
        with np.errstate(over="ignore", under="ignore"):
            inertia = float(np.ldexp(self._inertia, -2 * int(self._frame.total_exponent[0])))
        if not np.isfinite(inertia):
            raise UnrepresentableError.from_quantity("the squared distances of inertia_", "overflow")
        return inertia

    @property
    def _n_features_out(self) -> int:
        """Number of columns of `transform`, for scikit-learn's get_feature_names_out."""
        return len(self._centers)

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the centres of rows.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Rows of finite numbers, at least ``n_clusters``. Sparse rows raise DataError.
        y : object, optional
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Number of times that each row counts.

        Returns
        -------
        self
        """
        validate_kmeans_parameters(self)
        rows = _validation.validate_rows(self, X, is_fitting=True, min_fit_rows=1)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        if len(rows) < self.n_clusters:
            raise DataError.too_few_rows_for_clusters(len(rows), int(self.n_clusters))
        with limit_blas_threads(rows.shape[1]):
            self._fit_rows(rows, weights)
        return self

    def _fit_rows(self, rows: AnyArray, sample_weight: N | None) -> None:
        """Run Lloyd's algorithm from every start; set the fitted attributes from the run of smallest inertia."""
        engine = resolve_engine(self.engine, len(rows))
        source = MemorySource.from_array(rows, sample_weight)
        problem = Problem.from_source(source, Structure.from_name("EII"), engine=engine)
        self._frame, self._dtype = problem.source.frame, rows.dtype
        stopping = MovementRule(float(self.tol) * float(problem.overall_variances.mean()), int(self.max_iter))
        printer = InertiaPrinter(int(self.verbose), -2 * int(self._frame.total_exponent[0]), stopping.tolerance)
        all_rows, best_inertia = MemorySource.from_array(rows, frame=self._frame), np.inf
        best: tuple[RunResult[KD], IntN] | None = None
        for centers in iterate_initial_centers_in_frame(self, problem, rows):
            printer.print_start()
            result = run_solver(Lloyd(relocate_empty=True), centers, problem, stopping, printer.progress_callback)
            printer.print_if_converged(len(result.trace), result.outcome is Outcome.CONVERGED, result.movement)
            nearest = result.nearest_centers or find_nearest_centers(result.model, all_rows, engine)
            inertia = sum_inertia(nearest.squared_distances, sample_weight)
            if best is None or inertia < best_inertia * (1.0 - _RELATIVE_INERTIA_TIE):
                best, best_inertia = (result, nearest.labels), inertia
        if best is not None:
            self._set_fitted_attributes(*best, inertia_in_frame=best_inertia)

    def _set_fitted_attributes(self, best: RunResult[KD], labels: IntN, inertia_in_frame: float) -> None:
        """Set the fitted attributes, and warn if fewer than ``n_clusters`` clusters have rows."""
        self._centers = best.model
        self.labels_ = labels.astype(np.int32)
        self._inertia = inertia_in_frame
        self.n_iter_ = len(best.trace)
        n_distinct = np.count_nonzero(np.bincount(labels))
        if n_distinct < self.n_clusters:
            warn_user(
                f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({self.n_clusters}). "
                "Possibly due to duplicate points in X.",
                ConvergenceWarning,
            )

    def _prepare_source_and_engine(self, X: ArrayLike) -> tuple[MemorySource, AbstractEngine]:
        """Return rows X (n, D) as a source in the frame of the fit, and the engine for that many rows."""
        _validation.require_fitted(self, "_centers")
        rows = _validation.validate_rows(self, X, is_fitting=False)
        return MemorySource.from_array(rows, frame=self._frame), resolve_engine(self.engine, len(rows))

    def fit_predict(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> AnyArray:
        """Fit, and return the index of the nearest centre of each row, shape (n,)."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X: ArrayLike) -> AnyArray:
        """Return the index of the nearest centre of each row, shape (n,); the first one of a tie."""
        source, engine = self._prepare_source_and_engine(X)
        nearest = find_nearest_centers(self._centers, source, engine)
        require_finite_distances(nearest)
        return nearest.labels.astype(np.int32)

    def transform(self, X: ArrayLike) -> AnyArray:
        """Return the distance of each row to each centre, shape (n, K), in the data's units."""
        source, engine = self._prepare_source_and_engine(X)
        distances = compute_distances_in_data_units(self._centers, self.cluster_centers_, source, engine)
        return distances.astype(source.rows.dtype, copy=False)

    def fit_transform(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> AnyArray:
        """Fit, and return the distance of each row to each centre, shape (n, K)."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Return minus the inertia of rows X (n, D), weighted by ``sample_weight``; ``y`` is ignored."""
        source, engine = self._prepare_source_and_engine(X)
        weights = _validation.validate_sample_weight(sample_weight, source.rows)
        nearest = find_nearest_centers(self._centers, source, engine)
        distances = distances_in_data_units(np.sqrt(nearest.squared_distances), self._frame)
        squared_distances = np.multiply(distances, distances, out=distances)
        return -float(squared_distances.sum() if weights is None else weights @ squared_distances)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags; `transform` preserves float64 and float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
