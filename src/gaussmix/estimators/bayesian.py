"""``BayesianGaussianMixture``: scikit-learn's interface to variational Bayes, with row weights and the true bound."""

import time
from typing import Self

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.quadratics import ScoringModel
from gaussmix.covariance import Structure
from gaussmix.errors import DataError
from gaussmix.estimators import _validation
from gaussmix.estimators._base_mixture import BaseMixture
from gaussmix.estimators._bayesian_prior import PriorParameters, restore_covariance_prior, validate_bayesian_parameters
from gaussmix.estimators._learning import fit_best_variational_run
from gaussmix.model import Problem, prediction
from gaussmix.model.variational import VariationalPosterior
from gaussmix.solvers.variational import VariationalFit, VariationalRunResult, evaluate_variational_run
from gaussmix.sources import MemorySource
from gaussmix.types import AnyArray, Array, ArrayLike, D, IntN, K, N


class BayesianGaussianMixture(BaseMixture):
    """Gaussian mixture fitted by variational Bayes; a drop-in for scikit-learn's.

    Parameters and weights have priors, and the fit is a distribution over them: with few rows a component stays near
    its prior, and components that no row needs lose their weight, so that ``n_components`` is an upper bound.

    Parameters
    ----------
    n_components : int, default=1
        Largest number of components K.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}, default='full'
        What the posteriors of the precisions have in common: nothing; all of it; or a scale along the
        columns, or one number for all columns, each component its own. The prior is the same model for all.
    tol : float, default=1e-3
        Stop when the bound of all rows together changes by less, in nats.
    reg_covar : float, default=1e-6
        Added to the variances of the rows of each component, in the data's units squared.
    max_iter : int, default=100
        Most passes of a run; 0 returns the start.
    n_init : int, default=1
        Runs from different starts; the one of highest bound is kept.
    init_params : str, default='kmeans'
        How a run starts: with one pass of the mixture that `GaussianMixture` starts from under this name.
    weight_concentration_prior_type : {'dirichlet_process', 'dirichlet_distribution'}, default='dirichlet_process'
        A process believes the first components to be the largest, and so a start numbers them; with a
        distribution they are numbered as in `GaussianMixture`.
    weight_concentration_prior : float or None, default=None
        The smaller, the fewer components are used; None is 1 / K.
    mean_precision_prior : float or None, default=None
        As many rows as the prior of a mean is worth; None is 1.
    mean_prior : array-like of shape (D,), optional
        Where means are believed to be, in the data's units; None is the mean of the rows.
    degrees_of_freedom_prior : float or None, default=None
        Of the Wishart prior of the precisions, more than D - 1; None is D.
    covariance_prior : float or array-like, optional
        The inverse of the Wishart prior's scale, in the data's units squared: (D, D) for full and
        tied, (D,) for diag, a number for spherical. None is the covariance of the rows, their
        variances, or the mean of these.
    random_state : int, RandomState, Generator or None, default=None
        Seeds the starts and `sample`. One int gives one answer.
    warm_start : bool, default=False
        Go on from the last fit.
    verbose : int, default=0
        1 prints starts and passes, 2 also times and gains.
    verbose_interval : int, default=10

    Attributes
    ----------
    weights_ : ndarray of shape (K,)
        Expected weights, made to add up to 1.
    means_ : ndarray of shape (K, D)
        Expected means, in the data's units.
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Inverses of the expected precisions, and these: (K, D, D); (D, D) for tied; (K, D) for diag; (K,) for spherical.
    weight_concentration_prior_, mean_precision_prior_, degrees_of_freedom_prior_ : float
    mean_prior_ : ndarray of shape (D,)
    covariance_prior_ : ndarray or float
        The prior in use, in the data's units.
    weight_concentration_ : ndarray of shape (K,), or a pair of them for a process
        Parameters of the Dirichlet posterior, or of the Beta posteriors of the shares.
    mean_precision_ : ndarray of shape (K,)
    degrees_of_freedom_ : ndarray of shape (K,), or a float for tied
    converged_ : bool
    n_iter_ : int
        Passes of the best run.
    lower_bound_, lower_bounds_ : float and list of float
        The bound of all rows together after the last (each) pass without its constants, as in scikit-learn.
    model_ : Mixture
        Expected weights, means and inverses of expected precisions as a mixture. The estimator's own scores
        are expected log densities, as in scikit-learn, which also know how sure the parameters are.
    fit_ : VariationalFit
        How the fit ended, as a sentence; ``fit_.bound`` is the evidence lower bound with all its constants.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, if the input had names

    Raises
    ------
    DataError, ParameterError, CollapseError
        From `fit`; all are ValueErrors, and their message is one sentence. The last if a covariance
        is singular, which takes ``reg_covar=0`` and rows whose covariance is.

    See Also
    --------
    GaussianMixture : parameters of maximum likelihood, or most probable ones.

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
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose, self.verbose_interval = verbose, verbose_interval

    # -- what was learned --------------------------------------------------------------------------

    @property
    def weight_concentration_(self) -> AnyArray | tuple[AnyArray, AnyArray]:
        learned = self._posterior.weight_concentration.astype(self._dtype)
        return learned if learned.ndim == 1 else (learned[0], learned[1])

    @property
    def mean_precision_(self) -> AnyArray:
        return self._posterior.mean_precision.astype(self._dtype)

    @property
    def degrees_of_freedom_(self) -> AnyArray | float:
        degrees: K = self._posterior.degrees_of_freedom
        return float(degrees[0]) if self.model_.structure.is_pooled else degrees.astype(self._dtype)

    # -- the prior in use; what is not asked for need not be representable in the data's units ------

    @property
    def weight_concentration_prior_(self) -> float:
        return self._prior_parameters.concentration

    @property
    def mean_precision_prior_(self) -> float:
        return self._prior_parameters.mean_precision

    @property
    def mean_prior_(self) -> D:
        prior = self._posterior.prior
        return (
            prior.frame.restore_means(prior.center[None])[0]
            if self._prior_parameters.mean is None
            else self._prior_parameters.mean
        )

    @property
    def degrees_of_freedom_prior_(self) -> float:
        return self._prior_parameters.degrees_of_freedom

    @property
    def covariance_prior_(self) -> Array | float:
        return (
            restore_covariance_prior(self._posterior.prior)
            if self._prior_parameters.covariance is None
            else self._prior_parameters.covariance
        )

    def _scoring_model(self) -> ScoringModel:
        return self._posterior

    # -- fitting -----------------------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to rows X (n, D); ``y`` is ignored.

        ``sample_weight`` (n,) counts each row as that many, in the prior that is taken from the rows, the start, the
        fit and the bounds.
        """
        self._fit(X, sample_weight)
        return self

    def fit_predict(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> IntN:
        """Fit, then give the most probable component of each row, (n,)."""
        problem = self._fit(X, sample_weight)
        return prediction.hard_labels(self._posterior, problem.source, problem.engine)

    def _fit(self, X: ArrayLike, sample_weight: ArrayLike | None) -> Problem:
        began = time.perf_counter()
        structure = validate_bayesian_parameters(self)
        rows = _validation.validate_rows(self, X, is_fitting=True)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        if len(rows) < self.n_components:
            raise DataError.too_few_rows(len(rows), self.n_components)
        given = PriorParameters.from_estimator(self, structure, rows.shape[1])
        with limit_blas_threads(rows.shape[1]):
            problem = self._make_problem(rows, weights, structure)
            prior = given.make_prior(problem, float(self.reg_covar))
            winner = fit_best_variational_run(self, problem, prior)
            self._set_fitted_attributes(winner, evaluate_variational_run(winner, problem, time.perf_counter() - began))
        self._prior_parameters, self._dtype = given, rows.dtype
        _validation.warn_unless_converged(self, stacklevel=4)
        return problem

    def _make_problem(self, rows: AnyArray, sample_weight: N | None, structure: Structure) -> Problem:
        return Problem.from_source(
            MemorySource.from_array(rows, sample_weight), structure, feature_names=_validation.get_feature_names(self)
        )

    def _set_fitted_attributes(self, best: VariationalRunResult, fit: VariationalFit) -> None:
        """Set the attributes that tell how the fit went."""
        self._posterior = best.posterior
        self.model_ = best.posterior.mixture
        self.fit_ = fit
        self.converged_ = fit.converged
        self.n_iter_ = len(best.trace)
        self.lower_bounds_: list[float] = best.trace.log_likelihoods.tolist()
        self.lower_bound_ = best.last_bound
