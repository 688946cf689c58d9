"""``BayesianGaussianMixture``: mixtures of Gaussians fitted by variational Bayes, with scikit-learn's interface."""

from typing import Self

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.quadratics import ScoringModel
from gaussmix.engines import AbstractEngine, resolve_engine
from gaussmix.errors import DataError
from gaussmix.estimators import _validation
from gaussmix.estimators._base_mixture import BaseMixture
from gaussmix.estimators._bayesian_prior import (
    PriorParameters,
    covariance_prior_in_data_units,
    validate_bayesian_parameters,
)
from gaussmix.estimators._restarts import fit_best_variational_run
from gaussmix.estimators._verbose import start_stopwatch, warn_unless_converged
from gaussmix.model import Problem
from gaussmix.model.variational import VariationalPosterior
from gaussmix.solvers import RunResult
from gaussmix.solvers.initialization.completion import make_source_to_fit
from gaussmix.solvers.variational import VariationalFit, make_variational_fit_after_e_step
from gaussmix.types import AnyArray, Array, ArrayLike, D, IntN, K


class BayesianGaussianMixture(BaseMixture):
    """Gaussian mixture fitted by variational Bayes; a drop-in for scikit-learn's.

    Weights, means and precisions have priors, and the fit is a distribution over them. Components that few rows
    support lose their weight, so that ``n_components`` is an upper bound.

    Parameters
    ----------
    n_components : int, default=1
        Largest number of components K.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}, default='full'
        Structure of the precisions: free, one for all components, diagonal, or a multiple of the identity.
    tol : float, default=1e-3
        Stop when the lower bound of all rows together gains less than ``tol``, in nats.
    reg_covar : float, default=1e-6
        Ridge that is added to the variances of each component, in the data's units squared.
    max_iter : int, default=100
        Largest number of iterations of a run. 0 returns the start.
    n_init : int, default=1
        Number of runs from different starts. The run with the highest lower bound is kept.
    init_params : str, default='kmeans'
        Start of a run: one iteration with the starting mixture of `GaussianMixture` of this name.
    weight_concentration_prior_type : {'dirichlet_process', 'dirichlet_distribution'}, default='dirichlet_process'
        Prior of the weights. A Dirichlet process expects the first components to be the largest.
    weight_concentration_prior : float or None, default=None
        Concentration of that prior; smaller values leave fewer components. None: 1 / K.
    mean_precision_prior : float or None, default=None
        Number of rows that the prior of a mean counts as. None: 1.
    mean_prior : array-like of shape (D,), optional
        Mean of the prior of the means, in the data's units. None: the mean of the rows.
    degrees_of_freedom_prior : float or None, default=None
        Degrees of freedom of the Wishart prior of the precisions, above D - 1. None: D.
    covariance_prior : float or array-like, optional
        Inverse scale of the Wishart prior, in the data's units squared: (D, D) for full and tied, (D,) for diag,
        a number for spherical. None: the covariance of the rows, its diagonal, or the mean of the diagonal.
    engine : {'auto', 'numpy', 'compiled'} or engine object, default='auto'
        What computes the passes over the rows. 'auto': compiled code; NumPy where there is none.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the starts and of `sample`.
    warm_start : bool, default=False
        Start from the last fit.
    verbose : int, default=0
        1 prints runs and iterations, 2 also seconds and gains.
    verbose_interval : int, default=10
        Number of iterations between two prints.

    Attributes
    ----------
    weights_ : ndarray of shape (K,)
        Expected weights, scaled to sum to 1.
    means_ : ndarray of shape (K, D)
        Expected means, in the data's units.
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Inverse expected precisions, and expected precisions: (K, D, D); (D, D) for tied; (K, D) for diag;
        (K,) for spherical.
    weight_concentration_prior_, mean_precision_prior_, degrees_of_freedom_prior_ : float
        The prior in use.
    mean_prior_ : ndarray of shape (D,)
        The prior's mean in use, in the data's units.
    covariance_prior_ : ndarray or float
        The prior's inverse scale in use, in the data's units squared.
    weight_concentration_ : ndarray of shape (K,), or a pair of them for a Dirichlet process
        Parameters of the posterior of the weights.
    mean_precision_ : ndarray of shape (K,)
        Number of rows that the posterior of each mean counts as.
    degrees_of_freedom_ : ndarray of shape (K,), or a float for tied
        Degrees of freedom of the posterior of each precision.
    converged_ : bool
        Whether the gain fell below ``tol``.
    n_iter_ : int
        Number of iterations of the best run.
    lower_bound_, lower_bounds_ : float and list of float
        Lower bound of all rows together after the last and after each iteration, without constants as in
        scikit-learn.
    model_ : Mixture
        Mixture with the expected weights, the expected means and the inverse expected precisions. The estimator
        itself scores by expected log densities, as scikit-learn does.
    fit_ : VariationalFit
        Record of the fit. ``fit_.lower_bound`` is the evidence lower bound with all constants.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column names, if X has names.

    Raises
    ------
    DataError, ParameterError, CollapseError
        From `fit`. All are ValueErrors. CollapseError: a covariance is singular, which needs ``reg_covar=0``.

    See Also
    --------
    GaussianMixture : Maximum likelihood, or most probable parameters with a prior.

    References
    ----------
    Attias, NIPS 12 (2000); Bishop, Pattern Recognition and Machine Learning (2006), section 10.2; Blei & Jordan,
    Bayesian Analysis 1 (2006).

    Examples
    --------
    >>> from gaussmix import BayesianGaussianMixture
    >>> X = [[1, 2], [1, 4], [1, 0], [4, 2], [12, 4], [10, 7]]
    >>> mixture = BayesianGaussianMixture(n_components=2, random_state=0).fit(X)
    >>> mixture.predict([[0, 0], [9, 3]]).tolist()
    [0, 1]
    """

    _posterior: VariationalPosterior
    _prior_parameters: PriorParameters

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        weight_concentration_prior_type: str = "dirichlet_process",
        weight_concentration_prior: float | None = None,
        mean_precision_prior: float | None = None,
        mean_prior: ArrayLike | None = None,
        degrees_of_freedom_prior: float | None = None,
        covariance_prior: ArrayLike | None = None,
        engine: str | AbstractEngine = "auto",
        random_state: _validation.RandomStateLike = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weight_concentration_prior_type = weight_concentration_prior_type
        self.weight_concentration_prior = weight_concentration_prior
        self.mean_precision_prior = mean_precision_prior
        self.mean_prior = mean_prior
        self.degrees_of_freedom_prior = degrees_of_freedom_prior
        self.covariance_prior = covariance_prior
        self.engine, self.random_state = engine, random_state
        self.warm_start = warm_start
        self.verbose, self.verbose_interval = verbose, verbose_interval

    # -- posterior ---------------------------------------------------------------------------------

    @property
    def weight_concentration_(self) -> AnyArray | tuple[AnyArray, AnyArray]:
        """Parameters of the posterior of the weights: (K,) of the Dirichlet, or two arrays (K,) of the Betas."""
        concentration = self._posterior.weight_concentration.astype(self._dtype)
        return concentration if concentration.ndim == 1 else (concentration[0], concentration[1])

    @property
    def mean_precision_(self) -> AnyArray:
        """Number of rows that the posterior of each mean counts as, shape (K,)."""
        return self._posterior.mean_precision.astype(self._dtype)

    @property
    def degrees_of_freedom_(self) -> AnyArray | float:
        """Degrees of freedom of the Wishart posteriors, shape (K,); one number for tied."""
        degrees: K = self._posterior.degrees_of_freedom
        return float(degrees[0]) if self.model_.structure.is_pooled else degrees.astype(self._dtype)

    def _scoring_model(self) -> ScoringModel:
        """Return the posterior, whose expected log densities score rows."""
        return self._posterior

    # -- prior in use; each value may overflow in the data's units, so it is computed when it is read ----

    @property
    def weight_concentration_prior_(self) -> float:
        """Concentration of the prior of the weights."""
        return self._prior_parameters.concentration

    @property
    def mean_precision_prior_(self) -> float:
        """Number of rows that the prior of a mean counts as."""
        return self._prior_parameters.mean_precision

    @property
    def mean_prior_(self) -> D:
        """Mean of the prior of the means, in the data's units, shape (D,)."""
        if self._prior_parameters.mean is not None:
            return self._prior_parameters.mean
        prior = self._posterior.prior
        mean: D = prior.frame.restore_means(prior.center[None])[0]
        return mean

    @property
    def degrees_of_freedom_prior_(self) -> float:
        """Degrees of freedom of the Wishart prior."""
        return self._prior_parameters.degrees_of_freedom

    @property
    def covariance_prior_(self) -> Array | float:
        """Inverse scale of the Wishart prior, in the data's units squared: (D, D), (D,) if diagonal, or a float."""
        if self._prior_parameters.covariance is not None:
            return self._prior_parameters.covariance
        return covariance_prior_in_data_units(self._posterior.prior)

    # -- fitting -----------------------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit this estimator to rows by variational EM, and return it.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Rows of numbers, at least ``n_components``; NaN is a missing cell, see `GaussianMixture.fit`.
        y : object, optional
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Number of times that each row counts, in the default prior, the start, the fit and the bounds.

        Returns
        -------
        self
        """
        elapsed_seconds = start_stopwatch()
        structure = validate_bayesian_parameters(self)
        rows = _validation.validate_rows(self, X, is_fitting=True, allow_missing=True)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        if len(rows) < self.n_components:
            raise DataError.too_few_rows(len(rows), self.n_components)
        parameters = PriorParameters.from_estimator(self, structure, rows.shape[1])
        with limit_blas_threads(rows.shape[1]):
            source, names = make_source_to_fit(rows, weights), _validation.get_feature_names(self)
            engine = resolve_engine(self.engine, len(rows))
            problem = Problem.from_source(source, structure, engine=engine, feature_names=names)
            best = fit_best_variational_run(self, problem, parameters.make_prior(problem, float(self.reg_covar)))
            self._set_fitted_attributes(best, make_variational_fit_after_e_step(best, problem, elapsed_seconds()))
        self._prior_parameters, self._dtype = parameters, rows.dtype
        warn_unless_converged(self)
        return self

    def fit_predict(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> IntN:
        """Fit the mixture, and return the most probable component of each row, shape (n,)."""
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def _set_fitted_attributes(self, best: RunResult[VariationalPosterior], fit: VariationalFit) -> None:
        """Set the fitted attributes from the best run and its evaluation."""
        self._posterior = best.model
        self.model_ = best.model.mixture
        self.fit_ = fit
        self.converged_ = fit.has_converged
        self.n_iter_ = len(best.trace)
        self.lower_bounds_: list[float] = best.trace.log_likelihoods.tolist()
        self.lower_bound_ = best.last_objective
