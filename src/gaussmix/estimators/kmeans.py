"""``KMeans``: scikit-learn's interface to hard assignment, the limit of a mixture of equal round covariances."""

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.frame import Frame
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import DataError, UnrepresentableError
from gaussmix.estimators import _validation
from gaussmix.estimators._kmeans_initialization import (
    iterate_initial_centers,
    validate_centers,
    validate_kmeans_parameters,
)
from gaussmix.model import prediction
from gaussmix.model.problem import fit_frame
from gaussmix.solvers.em.lloyd import LloydResult, assign_to_nearest, run_lloyd
from gaussmix.sources import MemorySource
from gaussmix.types import KD, NK, AnyArray, ArrayLike, IntN, N

_RELATIVE_INERTIA_TIE = 1e-12  # runs whose inertia is as equal as this found the same clusters, and the first is kept


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """k-means: every row to the nearest of K centres, which are the means of their rows; a drop-in for scikit-learn's.

    It is what a mixture comes to when all components have one covariance, ``e`` times the identity, and equal weights,
    and ``e`` goes to zero: the nearest component then takes all of a row, a step of EM becomes a pass of Lloyd's, and
    the expected log-likelihood becomes minus the inertia over ``2 e`` (Bishop, section 9.3.2). So k-means takes groups
    to be round, of one size and about equally many rows, in the units the columns are in.

    Prefer a mixture (`GaussianMixture`) where groups are long, of different sizes or overlap; where you want the
    probability of each group for each row, or of the row itself; where columns are in different units; or where the
    number of groups is to be chosen by BIC. k-means is faster, and does well on round groups that lie apart, or where a
    few representative rows are all that is needed.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of centres K.
    init : {'k-means++', 'random'}, array-like of shape (K, D) or callable, default='k-means++'
        'k-means++' draws rows far from one another, greedily (of ``2 + log K`` candidates the best), 'random' any rows;
        both depend neither on the order of the rows nor on whether a row is repeated or weighted. A callable is
        given the rows, K and ``random_state``, a numpy RandomState, and returns centres.
    n_init : 'auto' or int, default='auto'
        Runs from different starts; the one of least inertia is kept. 'auto' is 10 for 'random' or a callable,
        else 1. A start that is given as an array is run once.
    max_iter : int, default=300
        Most passes of a run.
    tol : float, default=1e-4
        Centres rest where the squares of their movements add up to this share of the mean variance of the columns; in
        any case where no row changes its centre.
    verbose : int, default=0
        1 prints the inertia of every pass, and how a run ended.
    random_state : int, RandomState, Generator or None, default=None
        Seeds the starts. One int gives one answer.
    copy_x : bool, default=True
        Changes nothing, and is there for scikit-learn's users: rows are never written to, nor copied.
    algorithm : {'lloyd', 'elkan'}, default='lloyd'
        Both are Lloyd's passes here, whose answers are the same; 'elkan' is there for scikit-learn's users.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (K, D)
        In the data's units and type; may be assigned. `predict` and `transform` use the centres as the fit has found
        them, which lose nothing where the data lie far from zero.
    labels_ : ndarray of int32 of shape (n,)
        The nearest centre of each row, the first of equals.
    inertia_ : float
        Squared distances of the rows to their centres, weighted and added up, in the data's units squared.
    n_iter_ : int
        Passes of the run that is kept.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, if the input had names

    Raises
    ------
    DataError, ParameterError
        From `fit`; both are ValueErrors, and their message is one sentence.

    See Also
    --------
    gaussmix.GaussianMixture : soft assignment, and covariances of any shape.

    Notes
    -----
    Differs from scikit-learn's in this: the variance that ``tol`` is a share of counts row weights; an emptied cluster
    takes the farthest row with all its copies; and starts draw other numbers from the same seed.

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
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    @property
    def cluster_centers_(self) -> AnyArray:
        check_is_fitted(self, "_centers")
        return self._frame.restore_means(self._centers).astype(self._dtype)

    @cluster_centers_.setter
    def cluster_centers_(self, centers: ArrayLike) -> None:
        """Other centres for `predict` and `transform`, as some assign them to scikit-learn's."""
        check_is_fitted(self, "_centers")
        self._centers = validate_centers("cluster_centers_", centers, self._frame, self._centers.shape)

    @property
    def inertia_(self) -> float:
        check_is_fitted(self, "_centers")
        with np.errstate(over="ignore", under="ignore"):
            inertia = float(np.ldexp(self._inertia, -2 * int(self._frame.total_exponent[0])))
        if not np.isfinite(inertia):
            raise UnrepresentableError.from_quantity("the squared distances of inertia_", "overflow")
        return inertia

    @property
    def _n_features_out(self) -> int:
        """What scikit-learn names the columns of `transform` by."""
        return len(self._centers)

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the centres of rows X (n, D); ``y`` is ignored, ``sample_weight`` (n,) counts each row as that many."""
        validate_kmeans_parameters(self)
        rows = _validation.validate_rows(self, X, is_fitting=True, min_rows=1)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        if len(rows) < self.n_clusters:
            raise DataError.too_few_rows_for_clusters(len(rows), int(self.n_clusters))
        with limit_blas_threads(rows.shape[1]):
            self._fit_rows(rows, weights)
        return self

    def _fit_rows(self, rows: AnyArray, sample_weight: N | None) -> None:
        """Every start to its end; the run of least inertia is kept."""
        engine = AutomaticEngine(len(rows))
        # The rows are looked at by the engine that passes with all centres will need.
        looking = AutomaticEngine(len(rows), int(self.n_clusters))
        source, total, _ = fit_frame(MemorySource.from_array(rows, sample_weight), looking, scale_per_column=False)
        self._frame, self._dtype = source.frame, rows.dtype
        tolerance = float(self.tol) * float((total.scatter[0] / total.mass[0]).mean())
        printer = _validation.InertiaPrinter(int(self.verbose), -2 * int(self._frame.total_exponent[0]))
        plain, least = MemorySource.from_array(rows, frame=self._frame), np.inf
        best: tuple[LloydResult, IntN] | None = None
        for start in iterate_initial_centers(self, source, engine, rows):
            printer.print_start()
            found = run_lloyd(source, start, engine, tolerance, int(self.max_iter), printer.progress_callback)
            printer.print_end(found.n_iter, found.has_converged)
            labels, squares = assign_to_nearest(found.centers, plain, engine)
            inertia = float(
                squares.sum()
                if sample_weight is None
                else sample_weight[sample_weight > 0] @ squares[sample_weight > 0]
            )
            if best is None or inertia < least * (1.0 - _RELATIVE_INERTIA_TIE):
                best, least = (found, labels), inertia
        if best is not None:
            self._set_fitted_attributes(*best, inertia=least)

    def _set_fitted_attributes(self, clusters: LloydResult, labels: IntN, inertia: float) -> None:
        """Set the fitted attributes, and warn where there are fewer rows that differ than centres."""
        self._centers = clusters.centers
        self.labels_ = labels.astype(np.int32)
        self._inertia = inertia
        self.n_iter_ = clusters.n_iter
        n_distinct = np.count_nonzero(np.bincount(labels))
        if n_distinct < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({self.n_clusters}). "
                "Possibly due to duplicate points in X.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _prepare_rows(self, X: ArrayLike) -> tuple[MemorySource, AutomaticEngine]:
        """New rows, and who asks them."""
        check_is_fitted(self, "_centers")
        rows = _validation.validate_rows(self, X, is_fitting=False)
        return MemorySource.from_array(rows, frame=self._frame), AutomaticEngine(len(rows))

    def fit_predict(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> AnyArray:
        """Fit, then give the nearest centre of each row, (n,)."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X: ArrayLike) -> AnyArray:
        """The nearest centre of each row, (n,), the first of equals."""
        source, engine = self._prepare_rows(X)
        return prediction.hard_labels(CentersModel.euclidean(self._centers), source, engine).astype(np.int32)

    def transform(self, X: ArrayLike) -> AnyArray:
        """Distance of each row to each centre, (n, K), in the data's units."""
        source, engine = self._prepare_rows(X)
        return _compute_distances(self._centers, source, engine).astype(source.rows.dtype, copy=False)

    def fit_transform(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> AnyArray:
        """Fit, then give the distance of each row to each centre, (n, K)."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the inertia of rows X (n, D), weighted by ``sample_weight``; ``y`` is ignored."""
        source, engine = self._prepare_rows(X)
        weights = _validation.validate_sample_weight(sample_weight, source.rows)
        squares = _restore_distances(np.sqrt(assign_to_nearest(self._centers, source, engine)[1]), self._frame) ** 2
        return -float(squares.sum() if weights is None else weights @ squares)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _restore_distances(distances: AnyArray, frame: Frame) -> AnyArray:
    """Distances of a frame that has one scale for all columns in the data's units."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(distances, -int(frame.total_exponent[0])))


def _compute_distances(centers: KD, source: MemorySource, engine: AutomaticEngine) -> NK:
    """Distances (n, K) in the data's units, block by block."""
    scores = prediction.scores(CentersModel.euclidean(centers), source, engine)
    np.multiply(scores, -2.0, out=scores)
    return _restore_distances(np.sqrt(scores, out=scores), source.frame)
