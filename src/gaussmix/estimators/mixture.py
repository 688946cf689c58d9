"""``GaussianMixture``: scikit-learn's interface, mclust's structures, row weights, a fit that explains itself."""

import time
from dataclasses import replace
from typing import Any, Self

import numpy as np

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.input_arrays import parse_labels
from gaussmix.core.label_prior import KnownComponents
from gaussmix.covariance import DefaultPrior, Structure
from gaussmix.errors import DataError
from gaussmix.estimators import _validation
from gaussmix.estimators._checks import validate_mixture_parameters
from gaussmix.estimators._given import InitParameters
from gaussmix.estimators._initialization import Initialization
from gaussmix.estimators._partial_fit import BaseOnlineMixture
from gaussmix.estimators._restarts import fit_best_run
from gaussmix.model import Constraints, Problem
from gaussmix.solvers import RunResult
from gaussmix.solvers.fit_record import evaluate_run
from gaussmix.solvers.initialization.noise_initialization import with_robust_floor
from gaussmix.solvers.online.online_em import OnlineState
from gaussmix.solvers.solver_table import EM_SOLVER_NAME
from gaussmix.sources import MemorySource
from gaussmix.types import AnyArray, ArrayLike, IntN, N


class GaussianMixture(BaseOnlineMixture):
    """Gaussian mixture fitted by maximum likelihood, with EM by default; a drop-in for scikit-learn's.

    Parameters
    ----------
    n_components : int, default=1
        Number of components K.
    covariance_type : str, default='full'
        'full', 'tied', 'diag', 'spherical', or mclust letters: EII, VII (spherical), EEI, VEI, EVI, VVI (diag), EEE
        (tied), VEE, EVE, VVE, EEV, VEV, EVV, VVV (full); E and V for one column. The scale of single columns matters to
        EII, VII, EVE, VVE, EEV and VEV, and to factor analysers of equal noise in all columns (``..C``), which it makes
        other models; to the others it does not, but for where a start leads (``init_params``), and with a prior to EEI,
        VEI, EVI and VVI, and to the volume of noise. For many columns, mixtures of factor analysers in McNicholas'
        letters: CCC, CCU, CUC, CUU, UCC, UCU, UUC, UUU. Each says whether loadings, noise, and the noise of the columns
        of one component are Constrained to be equal, or Unconstrained.
    n_factors : int or None, default=None
        Number of factors q of a mixture of factor analysers, whose covariances are loadings (D, q) times their
        transpose plus a diagonal of noise. The other structures leave it alone.
    tol : float, default=1e-3
        Stop when the mean log-likelihood per row changes by less, in nats.
    reg_covar : float or None, default=None
        None: no eigenvalue of a covariance falls below 1e-9 of the overall variance, imposed inside the M-step, so the
        likelihood never falls and the fit never fails; ``fit_`` tells where it was touched. A number: scikit-learn's
        ridge, added to every variance in the data's units squared, with its exceptions.
    prior : {None, 'default'} or DefaultPrior, default=None
        What is believed of means and covariances before the data: None finds the parameters of maximum likelihood,
        'default' the most probable ones under mclust's conjugate prior, which keeps small components away from
        degenerate covariances. Bounds then hold the prior's log density too. It is made for few columns: beside fewer
        rows than columns it outweighs the data.
    noise : bool or float, optional
        One more component of even density for rows that belong to no group, labelled -1 by `predict` and last in
        `predict_proba` (n, K + 1). True: spread over the volume of the data, the smaller of the boxes along the columns
        and along the principal components, as mclust does it. A number: over that volume, in the data's units. It
        counts as two parameters. `sample` draws it from the box of the data, scaled to the volume. The floor of the
        variance is then that of the rows that do not lie alone.
    constraints : Constraints, optional
        Parameters that are held fixed, or equal weights.
    max_iter : int, default=100
        Most passes of a run; 0 returns the start.
    n_init : int, default=1
        Runs from different starts; the one of highest likelihood is kept.
    init_params : str, default='kmeans'
        'kmeans', 'k-means++', 'random', 'random_from_data', 'hierarchical', 'hierarchical-EII', 'hierarchical-VII',
        'hierarchical-EEE' or 'hierarchical-VVV'. How a run starts; 'kmeans' takes the best of ten where there are at
        least 32 columns, and more than distinct rows for each component. It and 'k-means++' measure in the data's own
        units, as k-means does, so that factors of single columns can lead EM to another optimum; the others do not
        depend on them, and no start on an offset or on a factor that all columns share. A start does not depend on the
        order of the rows, and a row that is repeated is the same as one of that weight. Of more than 10 000 rows it
        looks at a sample, drawn by a hash of the rows' values: 250 rows per component, or 10 for each of its columns if
        that is more, at least 4000 (and all rows if they are not twice as many). On it 'kmeans' tries k-means, and
        k-means with three times as many centres whose groups are merged, and goes on with EM from the better one.
        Attributes tell of the passes over all rows, which follow. 'hierarchical' joins the two groups of rows whose
        joining costs the least likelihood, again and again (Fraley, SIAM J. Sci. Comput. 20, 1998), after the rows are
        brought to covariance one: it finds long thin groups that k-means cuts across, and draws nothing but a sample of
        2000 rows, or 10 per component if that is more, where there are more. Covariance one takes many more rows than
        columns: of 100 rows of 20 columns 'hierarchical-EII' makes more. The last four are mclust's trees by the
        likelihoods of these structures, on columns scaled as in its use="SVD"; where distances tie, mclust goes by the
        order of the rows.
    n_split_merge : int, default=0
        Most split-and-merge moves after the best run, if it converged: two components that overlap are joined and one
        that fits badly is cut in two (Ueda et al., Neural Computation 12, 2000). A move is made only if the likelihood
        then ends higher, with no component on the floor or of too few rows. It leaves poor optima, at the price of some
        tens of runs a move; three components are needed.
    solver : str, default='em'
        How the likelihood is maximised, EM by default; all stop by the same rule. Formulas: docs/optimisation.md.

        - 'em': Expectation-Maximisation. No step size, never lower.
        - 'squarem': two steps of EM tell how far to leap. Never lower; far fewer passes where components overlap.
        - 'anderson': a combination of the last steps of EM. Never lower, and mostly in still fewer passes.
        - 'auto': EM, which goes on as 'anderson' where that pays.
        - 'natural': natural gradient, ``s <- s + rate (s' - s)`` with s the sums of mass, mean and second moment that a
          mixture expects of a row and s' those that a pass finds; rate 1 is a step of EM.
        - 'lbfgs': SciPy's L-BFGS on the gradient, which is read off the same sums.
        - 'adam', 'sgd': gradients of ever larger parts of the rows. Repeated rows may end elsewhere than weighted.
        - 'cem': classification EM, which hands each row to one component: fast, biased; bounds are of its likelihood.
        - 'sem': stochastic EM for poor starts: it draws components at first, by the place of a row, so order counts.
        - 'annealing': EM with blunt probabilities at first, for poor starts. It forgets most of good ones, too, and may
          end lower than EM. While it is warm, its first 45 passes, ``lower_bound_`` is a free energy.
    learning_rate : float, optional
        Length of a step of 'adam' (0.05 if not given), 'sgd' (0.5), and of the first ones of 'natural' (1.1).
    batch_size : int, optional
        Rows of the first parts of 'adam' and 'sgd'; a sixteenth of all, but enough for each component, if not given.
    weights_init : array-like of shape (K,), optional
    means_init : array-like of shape (K, D), optional
        Starting means. Without the other two, rows go to the nearest mean first.
    precisions_init : array-like, optional
        Starting inverse covariances, in the shape of ``precisions_``.
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
    noise_weight_, noise_volume_ : float
        Share of the noise, 1 together with ``weights_``, and its volume in the data's units; else 0 and infinity.
    means_ : ndarray of shape (K, D)
        In the data's units. Components are numbered by increasing mean of the first column, ties by the next, unless
        labels, or a starting parameter until a move is made, are given, whose numbers they keep.
    covariances_, precisions_, precisions_cholesky_ : ndarray
        (K, D, D); (D, D) for tied; (K, D) for EEI, EVI and diag; (K,) for EII and spherical. Where they overflow in the
        data's units, reading them raises UnrepresentableError.
    converged_ : bool
        False after `partial_fit`, which has no end.
    n_iter_ : int
        Passes of the best run, or of the one that its last move began; after `partial_fit` the chunks seen.
    lower_bound_, lower_bounds_ : float and list of float
        Mean log-likelihood per row before the last (each) update, as in scikit-learn.
    model_ : Mixture
        The fitted distribution.
    fit_ : Fit
        How the fit ended, as a sentence, with trace, seconds, bound and component diagnostics.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, if the input had names

    Raises
    ------
    DataError, ParameterError
        From `fit`; both are ValueErrors, and their message is one sentence.

    See Also
    --------
    gaussmix.select : choose the number of components and the structure.

    References
    ----------
    Dempster, Laird & Rubin, JRSS B 39 (1977); Celeux & Govaert, Pattern Recognition 28 (1995); McNicholas & Murphy,
    Statistics and Computing 18 (2008).

    Examples
    --------
    >>> from gaussmix import GaussianMixture
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> mixture = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> mixture.means_.round(6).tolist()
    [[1.0, 2.0], [10.0, 2.0]]
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
        random_state: _validation.RandomStateLike = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.n_factors = n_factors
        self.tol = tol
        self.reg_covar = reg_covar
        self.prior, self.noise, self.constraints = prior, noise, constraints
        self.max_iter, self.n_init = max_iter, n_init
        self.init_params = init_params
        self.n_split_merge = n_split_merge
        self.solver, self.learning_rate, self.batch_size = solver, learning_rate, batch_size
        self.weights_init, self.means_init, self.precisions_init = weights_init, means_init, precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose, self.verbose_interval = verbose, verbose_interval

    def fit(
        self,
        X: ArrayLike,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        labels: ArrayLike | None = None,
    ) -> Self:
        """Fit to rows X (n, D); ``y`` is ignored.

        ``sample_weight`` (n,) counts each row as that many, in the start, the fit and the bounds. ``labels`` (n,)
        are components of rows, 0 to K - 1, known beforehand, and -1 where unknown: such a row belongs to its
        component in every pass, whose likelihood it enters with that component's weight and density alone.
        Components then have the numbers of the labels; those of no labelled row take the others by mean.
        """
        self._fit(X, sample_weight, labels)
        _validation.warn_unless_converged(self, stacklevel=3)
        return self

    def fit_predict(
        self,
        X: ArrayLike,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        labels: ArrayLike | None = None,
    ) -> IntN:
        """Fit, then give the most probable component of each row, (n,): what is known of it does not count here."""
        self._fit(X, sample_weight, labels)
        _validation.warn_unless_converged(self, stacklevel=3)
        return self.predict(X)  # of a row of weight zero, too, which a fit does not look at

    def _fit(
        self, X: ArrayLike, sample_weight: ArrayLike | None, labels: ArrayLike | None, tol: float | None = None
    ) -> Problem:
        structure, began = validate_mixture_parameters(self), time.perf_counter()
        rows = _validation.validate_rows(self, X, is_fitting=True)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        known = parse_labels(labels, len(rows), weights, int(self.n_components))
        if len(rows) < self.n_components:
            raise DataError.too_few_rows(len(rows), self.n_components)
        with limit_blas_threads(rows.shape[1]):
            return self._fit_rows(rows, weights, known, structure, began, float(self.tol) if tol is None else tol)

    def _fit_rows(
        self,
        rows: AnyArray,
        sample_weight: N | None,
        known_components: IntN | None,
        structure: Structure,
        start_time: float,
        tol: float,
    ) -> Problem:
        """Fit to checked rows."""
        problem = Problem.from_source(
            MemorySource.from_array(rows, sample_weight).with_label_prior(
                None if known_components is None else KnownComponents(known_components)
            ),
            structure,
            ridge=None if self.reg_covar is None else float(self.reg_covar),
            feature_names=_validation.get_feature_names(self),
        ).with_prior(DefaultPrior.from_parameter(self.prior), self.n_components)
        shape, starting = (self.n_components, rows.shape[1]), (self.weights_init, self.means_init, self.precisions_init)
        problem = with_robust_floor(problem) if self.noise else problem
        given = InitParameters.parse(structure, str(self.covariance_type), shape, *starting)
        beginning = Initialization.from_problem(
            problem, given, self.init_params, self.n_components, self.noise, self.constraints, known_components
        )
        winner = fit_best_run(self, problem, beginning, tol)
        winner = replace(winner, mixture=beginning.sort_components(winner, problem))
        self._set_fitted_attributes(winner, problem, rows.dtype, start_time)
        self._online_state = OnlineState.from_problem(problem, beginning.fixed)
        return problem

    def _set_fitted_attributes(
        self, best: RunResult, problem: Problem, dtype: np.dtype[Any], start_time: float
    ) -> None:
        """Set the fitted attributes."""
        fit, _ = evaluate_run(best, problem, time.perf_counter() - start_time)
        bounds = best.trace.log_likelihoods / problem.total_weight
        self.model_ = best.mixture
        self.fit_ = fit
        self.converged_ = fit.converged
        self.n_iter_ = len(best.trace)
        self.lower_bounds_ = bounds.tolist()
        self.lower_bound_ = float(bounds[-1]) if len(bounds) else -np.inf
        self._dtype = dtype
