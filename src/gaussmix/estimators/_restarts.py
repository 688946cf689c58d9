"""The runs of a fit from ``n_init`` starts, or from a warm start, and the best of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.core.input_labels import parse_labels
from gaussmix.core.label_prior import KnownComponents
from gaussmix.covariance import DefaultPrior, Structure
from gaussmix.diagnostics import describe_diagnoses, diagnose_parsed_columns, keep_unmended_diagnoses
from gaussmix.engines import resolve_engine
from gaussmix.errors import DataError
from gaussmix.estimators import _validation
from gaussmix.estimators._initialization import Initialization, InitParameters
from gaussmix.estimators._verbose import ProgressPrinter, start_stopwatch
from gaussmix.model import Mixture, Problem
from gaussmix.model.mixture_parameters import change_frame
from gaussmix.model.variational import VariationalPosterior, VariationalPrior
from gaussmix.solvers import EM, MeanGainRule, MixtureSolver, RunResult, best_run, run_solver, split_merge
from gaussmix.solvers.em.lost_components import restart_lost_components
from gaussmix.solvers.initialization import initialize, sort_components_by_mean
from gaussmix.solvers.initialization.completion import make_source_to_fit
from gaussmix.solvers.initialization.noise_initialization import with_robust_floor
from gaussmix.solvers.solver_table import SOLVERS, SolverOptions
from gaussmix.solvers.stopping import TotalGainRule
from gaussmix.solvers.variational import VariationalEM, posterior_from_mixture
from gaussmix.transforms import TransformedRows
from gaussmix.types import AnyArray, ArrayLike, IntN, N


@dataclass(frozen=True)
class FitData:
    """Validated rows (n, D) of a fit, their weights and known components, the structure, and a stopwatch.

    Rows are those of ``transformed``: transformed, and with a ``dependence`` the independent columns only. NaN is a
    missing cell.
    ``column_notes`` are texts on columns that no Gaussian describes.
    """

    transformed: TransformedRows
    sample_weight: N | None
    known_components: IntN | None
    structure: Structure
    elapsed_seconds: Callable[[], float]
    column_notes: tuple[str, ...]
    dependence: ColumnDependence | None = None

    @property
    def rows(self) -> AnyArray:
        """The transformed rows (n, d) of the columns to fit."""
        return self.transformed.rows

    def restrict_to_independent_columns(self) -> "FitData":
        """Return the data without columns that are linear functions of the others; itself if there are none."""
        dependence = find_column_dependence(self.rows, self.sample_weight)
        if dependence is None:
            return self
        return replace(self, transformed=self.transformed.keep_columns(dependence.independent), dependence=dependence)


class WarmStart(NamedTuple):
    """The mixture that a warm start continues from, and the log-likelihood that it had on all rows together."""

    mixture: Mixture
    total_log_likelihood: float


class VariationalWarmStart(NamedTuple):
    """The posterior that a warm start continues from, and the lower bound that it had on all rows together."""

    posterior: VariationalPosterior
    total_lower_bound: float


def validate_fit_data(
    estimator: Any,
    X: ArrayLike,
    sample_weight: ArrayLike | None,
    labels: ArrayLike | None,
    allow_missing: bool = True,
) -> FitData:
    """Return the rows, weights and labels of a fit after checks of them and the parameters; start a stopwatch."""
    elapsed_seconds = start_stopwatch()
    structure = _validation.validate_mixture_parameters(estimator)
    rows = _validation.validate_rows(estimator, X, is_fitting=True, allow_missing=allow_missing)
    weights = _validation.validate_sample_weight(sample_weight, rows)
    known = parse_labels(labels, len(rows), weights, int(estimator.n_components))
    if len(rows) < estimator.n_components:
        raise DataError.too_few_rows(len(rows), estimator.n_components)
    names = _validation.get_feature_names(estimator)
    transformed = TransformedRows.from_rows(estimator.column_transform, rows, weights, names)
    diagnoses = diagnose_parsed_columns(rows, weights, names)
    if transformed.transforms is not None:
        diagnoses = keep_unmended_diagnoses(diagnoses, transformed.rows, weights)
    notes = describe_diagnoses(diagnoses, has_noise=bool(estimator.noise))
    return FitData(transformed, weights, known, structure, elapsed_seconds, notes)


def has_parameters_of_all_columns(estimator: Any) -> bool:
    """Return whether a GaussianMixture has parameters that need a covariance of all columns, also of dependent ones.

    These are a ridge, which makes it regular, and precisions, constraints or prior parameters of the user.
    """
    prior = estimator.prior
    has_prior_parameters = isinstance(prior, DefaultPrior) and (prior.location is not None or prior.scale is not None)
    given = (estimator.reg_covar, estimator.precisions_init, estimator.constraints)
    return has_prior_parameters or any(value is not None for value in given)


def make_problem_and_initialization(estimator: Any, data: FitData) -> tuple[Problem, Initialization]:
    """Return the problem of a GaussianMixture, in a frame of its own, and the initialization of its runs."""
    known = data.known_components
    label_prior = None if known is None else KnownComponents(known)
    source = make_source_to_fit(data.rows, data.sample_weight).with_label_prior(label_prior)
    ridge = None if estimator.reg_covar is None else float(estimator.reg_covar)
    names = _validation.get_feature_names(estimator)
    n_features = data.rows.shape[1]
    if data.dependence is not None:
        names, n_features = data.dependence.select_names(names), data.dependence.n_features
    engine = resolve_engine(estimator.engine, len(data.rows))
    problem = Problem.from_source(source, data.structure, ridge, engine, names)
    problem = problem.with_prior(DefaultPrior.from_parameter(estimator.prior), estimator.n_components)
    if estimator.noise:
        problem = with_robust_floor(problem)
    shape = (estimator.n_components, n_features)
    starting_values = (estimator.weights_init, estimator.means_init, estimator.precisions_init)
    parameters = InitParameters.parse(data.structure, str(estimator.covariance_type), shape, *starting_values)
    initialization = Initialization.from_problem(
        problem,
        parameters if data.dependence is None else parameters.select_columns(data.dependence.independent),
        estimator.init_params,
        estimator.n_components,
        estimator.noise,
        estimator.constraints,
        known,
    )
    return problem, initialization


def fit_best_run(
    estimator: Any, problem: Problem, initialization: Initialization, tol_per_row: float
) -> RunResult[Mixture]:
    """Run the solver from every start, and return the best run after split-and-merge moves; print progress."""
    warm_start = _make_warm_start_if_possible(estimator, problem, initialization)
    is_single_start = warm_start is not None or initialization.parameters.has_all
    rng = _validation.make_estimator_generator(estimator.random_state)
    stopping = MeanGainRule(tol_per_row, int(estimator.max_iter))
    printer = ProgressPrinter(int(estimator.verbose), int(estimator.verbose_interval), problem.total_weight)
    em = initialization.make_em(problem)
    # The starts are drawn before the solver draws, so that every solver has the same starts.
    starts = [
        warm_start or (initialization.make_start(problem.of_completed_rows, rng), -np.inf)
        for _ in range(1 if is_single_start else estimator.n_init)
    ]
    solver = _make_solver(estimator, em, rng)
    runs = []
    for index, (start, log_likelihood) in enumerate(starts):
        printer.print_start_and_reset_clock(index)
        runs.append(run_solver(solver, start, problem, stopping, printer.make_progress_callback(), log_likelihood))
        printer.print_end(runs[-1].outcome.name == "CONVERGED", runs[-1].last_objective)
    n_moves = int(estimator.n_split_merge)
    return split_merge(em, best_run(runs), problem, stopping, n_moves, initialization.sorted_labelled_components)


def _make_solver(estimator: Any, em: EM, rng: np.random.Generator) -> MixtureSolver:
    """Return the solver by the constructor's parameters; a stochastic solver gets a seed from ``rng``."""
    spec = SOLVERS[estimator.solver]
    seed = int(rng.integers(2**62)) if spec.is_stochastic else 0
    learning_rate = None if estimator.learning_rate is None else float(estimator.learning_rate)
    batch_size = None if estimator.batch_size is None else int(estimator.batch_size)
    return spec.factory(em, SolverOptions(seed, learning_rate, batch_size))


def _make_warm_start_if_possible(estimator: Any, problem: Problem, initialization: Initialization) -> WarmStart | None:
    """Return the last mixture in the frame of the problem, and its total log-likelihood, or None.

    It is None without ``warm_start``, before the first fit, and after a change of structure, components or columns.
    It is None with transformed columns, too: another fit may transform them otherwise.
    """
    last = getattr(estimator, "model_", None)
    if (
        not estimator.warm_start
        or last is None
        or last.transforms is not None
        or estimator.column_transform is not None
    ):
        return None
    last = last.independent_part
    shape = (estimator.n_components, problem.source.n_features)
    if (last.structure, last.centers.shape) != (problem.covariance_estimator.structure, shape):
        return None
    start = initialization.make_warm_start(change_frame(last, problem.source.frame), problem)
    restarted = restart_lost_components(initialization.make_em(problem), start, problem)
    if restarted is not start:
        return WarmStart(restarted, -np.inf)
    return WarmStart(start, estimator.lower_bound_ * problem.total_weight)


def fit_best_variational_run(
    estimator: Any, problem: Problem, prior: VariationalPrior
) -> RunResult[VariationalPosterior]:
    """Run variational EM from every start of a BayesianGaussianMixture; print progress; return the best run."""
    warm_start = _make_variational_warm_start_if_possible(estimator, problem, prior)
    rng = _validation.make_estimator_generator(estimator.random_state)
    stopping = TotalGainRule(float(estimator.tol), int(estimator.max_iter))
    # A total weight of 1: scikit-learn prints the lower bound of all rows together.
    printer = ProgressPrinter(int(estimator.verbose), int(estimator.verbose_interval), 1.0)
    runs = []
    for index in range(1 if warm_start is not None else int(estimator.n_init)):
        printer.print_start_and_reset_clock(index)
        start, bound = warm_start or (
            _make_initial_posterior(estimator, problem.of_completed_rows, prior, rng),
            -np.inf,
        )
        runs.append(run_solver(VariationalEM(), start, problem, stopping, printer.make_progress_callback(), bound))
        printer.print_end(runs[-1].outcome.name == "CONVERGED", runs[-1].last_objective)
    return best_run(runs)


def _make_initial_posterior(
    estimator: Any, problem: Problem, prior: VariationalPrior, rng: np.random.Generator
) -> VariationalPosterior:
    """Return the posterior of the parameters given one E-step of the starting mixture of ``init_params``."""
    start = initialize(problem, estimator.init_params, int(estimator.n_components), rng)
    return posterior_from_mixture(sort_components_by_mean(start, problem), problem, prior)


def _make_variational_warm_start_if_possible(
    estimator: Any, problem: Problem, prior: VariationalPrior
) -> VariationalWarmStart | None:
    """Return the last posterior in the frame of the problem under the new prior, and its lower bound, or None.

    It is None without ``warm_start``, before the first fit, and after a change of structure, weight prior or shape.
    """
    last: VariationalPosterior | None = getattr(estimator, "_posterior", None)
    if not estimator.warm_start or last is None:
        return None
    is_same_structure = last.prior.structure == prior.structure
    is_same_weight_prior = type(last.prior.weight_prior) is type(prior.weight_prior)
    shape = (int(estimator.n_components), problem.source.n_features)
    if not is_same_structure or not is_same_weight_prior or last.mixture.centers.shape != shape:
        return None
    mixture = change_frame(last.mixture, problem.source.frame)
    return VariationalWarmStart(replace(last, prior=prior, mixture=mixture), float(estimator.lower_bound_))
