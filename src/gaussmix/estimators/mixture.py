"""``GaussianMixture``: mixtures of Gaussians fitted by maximum likelihood, with scikit-learn's interface."""

from dataclasses import replace
from typing import Self

import numpy as np

from gaussmix.core.blas import limit_blas_threads
from gaussmix.covariance import DefaultPrior
from gaussmix.engines import AbstractEngine
from gaussmix.estimators import _validation
from gaussmix.estimators._initialization import Initialization
from gaussmix.estimators._partial_fit import BaseOnlineMixture
from gaussmix.estimators._restarts import (
    FitData,
    fit_best_run,
    has_parameters_of_all_columns,
    make_problem_and_initialization,
    validate_fit_data,
)
from gaussmix.estimators._verbose import warn_of_degeneracy_or_columns, warn_unless_converged
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.column_dependence import attach_dependence, describe_dependence
from gaussmix.solvers import RunResult
from gaussmix.solvers.fit_record import make_fit_after_e_step
from gaussmix.solvers.online.online_em import OnlineState
from gaussmix.solvers.solver_table import EM_SOLVER_NAME
from gaussmix.transforms import TransformLike
from gaussmix.types import ArrayLike, IntN


class GaussianMixture(BaseOnlineMixture):
    """Gaussian mixture fitted by maximum likelihood; a drop-in for scikit-learn's.

    The user guide, docs/parameters.md, explains each parameter at length.

    Parameters
    ----------
    n_components : int, default=1
        Number of components K.
    covariance_type : str, default='full'
        What the component covariances have in common: 'full', 'tied', 'diag' or 'spherical', one of mclust's
        structures such as 'VVE', or a mixture of factor analysers such as 'UUU' (with ``n_factors``).
    n_factors : int or None, default=None
        Number of factors q of a mixture of factor analysers. Other structures ignore it.
    tol : float, default=1e-3
        EM stops when the mean log-likelihood per row gains less than ``tol``, in nats.
    reg_covar : float or None, default=None
        None keeps every eigenvalue of a covariance above 1e-9 of the overall variance, inside the M-step.
        A number is scikit-learn's ridge: it is added to every variance, in the data's units squared.
    prior : {None, 'default'} or DefaultPrior, default=None
        Conjugate prior of means and covariances. None: maximum likelihood. 'default': mclust's prior,
        which keeps small components away from degenerate covariances.
    noise : bool or float, default=None
        Add a noise component of uniform density for rows that belong to no group. True: over the volume of
        the data. A number: over that volume, in the data's units. `predict` labels noise -1.
    constraints : Constraints or None, default=None
        Weights, means or covariances that stay fixed, or equal weights.
    column_transform : {None, 'log1p', 'yeo-johnson', 'standardize'} or mapping, default=None
        Transform of all columns, or a mapping from columns (names or positions) to transforms. Means, covariances,
        noise volume and starting parameters are then those of the transformed columns; rows, samples, scores and
        criteria stay in the data's units. Each estimated lambda of Yeo-Johnson counts as a parameter.
    max_iter : int, default=100
        Largest number of iterations of a run. 0 returns the starting parameters.
    n_init : int, default=1
        Number of runs from different starts. The run with the highest log-likelihood is kept.
    init_params : str, default='kmeans'
        How a run starts: 'kmeans', 'k-means++', 'random', 'random_from_data', 'hierarchical', or mclust's
        'hierarchical-EII', 'hierarchical-VII', 'hierarchical-EEE' or 'hierarchical-VVV'.
    n_split_merge : int, default=0
        Largest number of split-and-merge moves after the best run. A move is kept only if it raises the
        log-likelihood. It leaves poor optima at the cost of some tens of runs.
    solver : str, default='em'
        'em', 'squarem', 'anderson', 'auto', 'natural', 'lbfgs', 'adam', 'sgd', 'cem', 'sem' or 'annealing'.
        'anderson' often needs far fewer iterations than 'em'. See docs/optimisation.md.
    learning_rate : float or None, default=None
        Step length of the solvers 'adam' (0.05 by default), 'sgd' (0.5) and 'natural' (1.1 at first).
    batch_size : int or None, default=None
        Rows in the first batches of 'adam' and 'sgd'. None: a sixteenth of all rows, with a minimum per component.
    weights_init : array-like of shape (K,), optional
        Starting weights.
    means_init : array-like of shape (K, D), optional
        Starting means. Missing weights and precisions come from the rows nearest to each mean.
    precisions_init : array-like, optional
        Starting inverse covariances, in the shape of ``precisions_``.
    engine : {'auto', 'numpy', 'compiled'} or engine object, default='auto'
        What computes the passes over the rows. 'auto': compiled code; NumPy where there is none.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the starts, of stochastic solvers and of `sample`.
    warm_start : bool, default=False
        Start from the last fit. A component that has lost its rows may take half of another one.
    verbose : int, default=0
        1 prints runs and iterations, 2 also seconds and gains.
    verbose_interval : int, default=10
        Number of iterations between two prints.

    Attributes
    ----------
    weights_ : ndarray of shape (K,)
        Component weights. With noise, they sum to 1 together with ``noise_weight_``.
    means_ : ndarray of shape (K, D)
        Component means, in the data's units or those of ``column_transform``. Components are sorted by the mean of
        the first column, unless labels, constraints or starting parameters number them.
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Shape (K, D, D); (D, D) for tied; (K, D) for EEI, EVI and diag; (K,) for EII and spherical.
        UnrepresentableError is raised if a value overflows in the data's units.
    noise_weight_, noise_volume_ : float
        Weight of the noise, and its volume in the data's units; 0 and infinity without noise.
    converged_ : bool
        Whether the gain fell below ``tol``. False after `partial_fit`.
    n_iter_ : int
        Number of iterations of the best run; after `partial_fit` the number of chunks.
    lower_bound_, lower_bounds_ : float and list of float
        Mean log-likelihood per row before the last update, and before each one. With a prior its log density, up to
        a constant, is added to the log-likelihood; after `partial_fit` it is not.
    model_ : Mixture
        The fitted distribution, which also offers marginals, conditionals and files.
    fit_ : Fit
        Record of the fit: outcome in words, trace, seconds, diagnostics of each component.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column names, if X has names.

    Raises
    ------
    DataError, ParameterError
        From `fit`. Both are ValueErrors.

    Warns
    -----
    DataWarning
        From `fit`, once, if no Gaussian describes some columns; ``fit_.notes`` name them and the next step. If the fit
        is degenerate, DegenerateFitWarning names these columns instead.
    ConvergenceWarning
        From `fit`, if the run ended by ``max_iter``.
    DegenerateFitWarning
        From `fit`, if a component is empty, at the variance floor, or has fewer rows than its covariance needs.

    See Also
    --------
    gaussmix.select : Choose the number of components and the structure.

    References
    ----------
    Dempster, Laird & Rubin, JRSS B 39 (1977); Celeux & Govaert, Pattern Recognition 28 (1995); McNicholas & Murphy,
    Statistics and Computing 18 (2008).

    Examples
    --------
    >>> from gaussmix import GaussianMixture
    >>> X = [[0, 2], [1, 4], [2, 3], [9, 2], [10, 4], [11, 3]]
    >>> mixture = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> mixture.means_.round(6).tolist()
    [[1.0, 3.0], [10.0, 3.0]]
    >>> mixture.predict([[0, 0], [12, 3]]).tolist()
    [0, 1]
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        n_factors: int | None = None,
        tol: float = 1e-3,
        reg_covar: float | None = None,
        prior: str | DefaultPrior | None = None,
        noise: bool | float | None = None,
        constraints: Constraints | None = None,
        column_transform: TransformLike = None,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        n_split_merge: int = 0,
        solver: str = EM_SOLVER_NAME,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        engine: str | AbstractEngine = "auto",
        random_state: _validation.RandomStateLike = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type, self.n_factors = covariance_type, n_factors
        self.tol, self.reg_covar = tol, reg_covar
        self.prior, self.noise, self.constraints = prior, noise, constraints
        self.column_transform = column_transform
        self.max_iter, self.n_init = max_iter, n_init
        self.init_params, self.n_split_merge = init_params, n_split_merge
        self.solver, self.learning_rate, self.batch_size = solver, learning_rate, batch_size
        self.weights_init, self.means_init, self.precisions_init = weights_init, means_init, precisions_init
        self.engine, self.random_state = engine, random_state
        self.warm_start = warm_start
        self.verbose, self.verbose_interval = verbose, verbose_interval

    def fit(
        self,
        X: ArrayLike,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        labels: ArrayLike | None = None,
    ) -> Self:
        """Fit this estimator to rows by maximum likelihood, and return it.

        Cells may be missing: the fit then maximises the likelihood of the observed cells, by exact EM. It assumes that
        cells are missing at random, that is, that observed cells may decide whether a cell is missing, but not its own
        value. `predict_proba` and `score_samples` use the observed cells of a row.

        Constant columns and linear functions of other columns are left out, as ``fit_.notes`` says. Densities are
        those of the other columns; means, covariances and samples have all columns.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Rows of numbers, at least ``n_components``, and at least two; NaN is a missing cell. A row without any cell
            has weight zero.
        y : object, optional
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Number of times that each row counts, in the start, the fit and the bounds.
        labels : array-like of shape (n,), optional
            Known component of each row, 0 to K - 1, and -1 if unknown. A labelled row belongs to its component
            in every iteration. Components keep the numbers of their labels. Labels may be text instead: the
            distinct texts, sorted, are components 0, 1, ..., and None, NaN and '' mean unknown.

        Returns
        -------
        self
        """
        data = validate_fit_data(self, X, sample_weight, labels)
        if not has_parameters_of_all_columns(self):
            data = data.restrict_to_independent_columns()
        with limit_blas_threads(data.rows.shape[1]):
            problem, initialization = make_problem_and_initialization(self, data)
            best = fit_best_run(self, problem, initialization, float(self.tol))
            self._set_fitted_attributes(best, problem, initialization, data)
        warn_unless_converged(self)
        warn_of_degeneracy_or_columns(self, data.column_notes)
        return self

    def fit_predict(
        self,
        X: ArrayLike,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        labels: ArrayLike | None = None,
    ) -> IntN:
        """Fit the mixture, and return the most probable component of each row, shape (n,).

        The parameters are those of `fit`. The prediction ignores ``labels``.
        """
        self.fit(X, sample_weight=sample_weight, labels=labels)
        return self.predict(X)  # unlike the fit, it also covers rows of weight 0

    def _fit_first_chunk(self, X: ArrayLike, sample_weight: ArrayLike | None, max_tol: float) -> None:
        """Fit to the first chunk X of `partial_fit`, with tolerance at most ``max_tol``; set the fitted attributes."""
        data = validate_fit_data(self, X, sample_weight, None, allow_missing=False)
        with limit_blas_threads(data.rows.shape[1]):
            problem, initialization = make_problem_and_initialization(self, data)
            best = fit_best_run(self, problem, initialization, min(float(self.tol), max_tol))
            self._set_fitted_attributes(best, problem, initialization, data)

    def _set_fitted_attributes(
        self, best: RunResult[Mixture], problem: Problem, initialization: Initialization, data: FitData
    ) -> None:
        """Sort the components of the best run, evaluate it, and set the fitted attributes."""
        best = initialization.sort_free_components_by_mean(best, problem)
        fit, _ = make_fit_after_e_step(best, problem, data.elapsed_seconds())
        fit = fit.with_transforms(data.transformed, problem.total_weight)
        lower_bounds = fit.trace.log_likelihoods / problem.total_weight
        names = _validation.get_feature_names(self)
        self.model_ = attach_dependence(fit.mixture, data.dependence, names)
        dependence_notes = describe_dependence(data.dependence, names, self.model_.transforms)
        self.fit_ = replace(fit, mixture=self.model_, notes=(*dependence_notes, *fit.notes, *data.column_notes))
        self.converged_ = fit.has_converged
        self.n_iter_ = len(best.trace)
        self.lower_bounds_ = lower_bounds.tolist()
        self.lower_bound_ = float(lower_bounds[-1]) if len(lower_bounds) else -np.inf
        self._dtype = data.rows.dtype
        self._online_state = OnlineState.from_problem(problem, initialization.fixed)
