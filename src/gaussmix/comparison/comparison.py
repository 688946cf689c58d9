"""``compare``: compare solvers, and ways to assign rows to groups, on one data set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.comparison.assignment_comparison import KnownLabels, compare_assignment_methods
from gaussmix.comparison.distance_metric import ScaledEuclideanMetric
from gaussmix.comparison.normality_tests import run_component_normality_tests
from gaussmix.comparison.result import Comparison
from gaussmix.comparison.solver_comparison import (
    CHOSEN_GROUPS_START,
    DEFAULT_SOLVERS,
    compare_solvers,
    leads_to_degenerate_fit,
    parse_solver_names,
)
from gaussmix.comparison.summary import compose_summary
from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.core.input_arrays import column_names, parse_rows, parse_weights
from gaussmix.core.input_labels import parse_class_names_and_indices
from gaussmix.core.scalar_checks import is_bool, require_integer
from gaussmix.engines.base import AbstractEngine
from gaussmix.engines.resolver import resolve_engine
from gaussmix.errors import ParameterError
from gaussmix.estimators import _validation
from gaussmix.model import Mixture, Problem
from gaussmix.model.column_dependence import describe_dependence
from gaussmix.model.problem import make_memory_source
from gaussmix.selection import Selection, select
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.validation import require_rows_and_columns
from gaussmix.solvers import MeanGainRule
from gaussmix.solvers.initialization import INIT_METHODS, KMEANS_METHOD, initialize, initialize_from_labels
from gaussmix.types import AnyArray, ArrayLike, IntN, N


def compare(
    X: ArrayLike,
    labels: ArrayLike | None = None,
    n_components: int | Iterable[int] | None = None,
    structures: str | Sequence[str] = "all",
    solvers: str | Sequence[str] = DEFAULT_SOLVERS,
    *,
    sample_weight: ArrayLike | None = None,
    criterion: str = "bic",
    n_starts: int = 1,
    init_params: str = KMEANS_METHOD,
    tol: float = 1e-8,
    max_iter: int = 500,
    n_neighbors: int = 5,
    standardize: bool | None = None,
    random_state: int | np.random.Generator | None = 0,
    feature_names: Sequence[str] | None = None,
    progress: bool | ProgressCallback | None = None,
    engine: str | AbstractEngine = "auto",
) -> Comparison:
    """Compare solvers, and ways to assign rows to groups, on one data set.

    `select` chooses a mixture. Every solver then fits a mixture of its structure and size from one common start. The
    mixture (hard and soft), k-means with as many groups and, given labels, k-nearest neighbours assign the rows. Each
    component is tested for normality. A paragraph summarizes the results and gives advice.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of finite numbers.
    labels : array-like of shape (n,), optional
        Known classes of the rows, numbers or texts; None, NaN, an empty text or -1 mean unknown. Neither the mixture
        nor k-means uses them. The neighbours, and the classes of groups, are learned from four fifths of the labels
        and judged on the rest, in five folds. A method counts as better if it is so by two standard errors.
    n_components : int or iterable of int, optional
        By default as in `select`: 1 to 9, and further while the best candidate has the largest number.
    structures : 'all', a name, or a sequence of names
        The candidates of `select`.
    solvers : str or sequence of str
        Any of em, squarem, anderson, lbfgs, natural, adam, sgd, cem, sem, annealing and auto; the default are the
        first seven. cem maximizes the likelihood of hard assignments. sem and annealing begin with a noisy or a
        smoothed likelihood. auto is one of the first three. The table shows the log-likelihood of the returned
        parameters for all of them.
    sample_weight : array-like of shape (n,), optional
        How often each row counts; rows of weight 0 are ignored.
    criterion : {'bic', 'icl', 'aic', 'aicc', 'sabic'}, default='bic'
    n_starts : int, default=1
        As in `select`.
    init_params : str, default='kmeans'
        The common start of the solvers, as in `GaussianMixture`. If EM from there ends in a degenerate fit, they start
        from the groups of the chosen mixture.
    tol : float, default=1e-8
        A solver stops when an iteration gains less than this (nats per row).
    max_iter : int, default=500
        The maximum number of iterations of a solver.
    n_neighbors : int, default=5
    standardize : bool, optional
        Whether k-means and nearest neighbours measure in standard deviations of each column, so that units do not
        matter; else in the data's units. By default True, unless the chosen structure is spherical (EII, VII): then
        all columns share one unit.
    random_state : int, Generator or None, default=0
    feature_names : sequence of str, optional
        By default the column names of a data frame.
    progress : bool or callable, optional
        As in `select`.
    engine : {'auto', 'numpy', 'compiled'} or engine object, default='auto'
        What computes the passes over the rows, as in `GaussianMixture`.

    Returns
    -------
    Comparison
        With ``solver_results``, ``assignments``, ``normality_tests`` and ``summary``. `gaussmix.plots` draws it.

    Raises
    ------
    DataError
        If the rows, the weights or the labels are invalid.
    ParameterError
        If a parameter is invalid.
    SelectionError
        If no mixture can be fitted.
    """
    options = _parse_options(solvers, init_params, tol, max_iter, n_neighbors, standardize, engine)
    selection_rng, rng = _validation.make_two_independent_generators(random_state)
    feature_names = column_names(X) if feature_names is None else feature_names
    data = _parse_data_of_positive_weight(X, sample_weight, labels, feature_names)
    selection = select(
        data.rows,
        n_components,
        structures,
        criterion,
        data.sample_weight,
        n_starts,
        random_state=selection_rng,
        feature_names=data.independent_names(feature_names),
        progress=progress,
        engine=engine,
    )
    with make_progress_callback(progress, "comparing") as callback:
        comparison = _compare_with_best_mixture(selection, data, options, rng, callback)
    sentences = [*describe_dependence(data.dependence, feature_names), comparison.summary]
    return replace(comparison, summary=" ".join(sentences))


@dataclass(frozen=True)
class _ComparisonData:
    """The rows of positive weight, their weights, and their known classes.

    ``sample_weight`` (n,) is None for one each; ``row_weights`` (n,) are always numbers. With a ``dependence`` the rows
    have the independent columns only.
    """

    rows: AnyArray
    sample_weight: N | None
    row_weights: N
    class_names: tuple[str, ...] = ()
    class_indices: IntN | None = None
    dependence: ColumnDependence | None = None

    def independent_names(self, feature_names: Sequence[str] | None) -> Sequence[str] | None:
        """Return those of the names of all columns that belong to the rows."""
        return feature_names if self.dependence is None else self.dependence.select_names(feature_names)


@dataclass(frozen=True)
class _ComparisonOptions:
    """The validated parameters of `compare` for everything after the selection."""

    solver_names: list[str]
    stopping_rule: MeanGainRule
    init_params: str
    n_neighbors: int
    standardize: bool | None
    engine: str | AbstractEngine

    def should_standardize(self, mixture: Mixture) -> bool:
        """Return whether distances are in standard deviations; by default True unless the structure is spherical."""
        return not mixture.structure.is_spherical if self.standardize is None else self.standardize


def _compare_with_best_mixture(
    selection: Selection,
    data: _ComparisonData,
    options: _ComparisonOptions,
    rng: np.random.Generator,
    progress_callback: ProgressCallback,
) -> Comparison:
    """Compare solvers, ways to assign rows, and normality of components for the best mixture of a selection."""
    mixture = selection.best.mixture
    assert mixture is not None  # select raises SelectionError if no candidate has a mixture
    source = make_memory_source(data.rows, data.sample_weight)
    engine = resolve_engine(options.engine, len(data.rows))
    problem = Problem.from_source(source, mixture.structure, engine=engine)
    start, start_name = _make_common_start(problem, mixture, data.rows, options, rng)
    solver_results = compare_solvers(
        problem, start, options.solver_names, options.stopping_rule, int(rng.integers(2**31)), progress_callback
    )
    known_labels = _make_known_labels(data, int(rng.integers(2**31)))
    metric = ScaledEuclideanMetric.from_source(source, options.should_standardize(mixture), engine)
    assignments = compare_assignment_methods(
        mixture, data.rows, data.row_weights, metric, known_labels, options.n_neighbors, rng
    )
    tests = run_component_normality_tests(assignments.responsibilities, data.rows, data.row_weights, rng)
    ratios = metric.axis_size_and_weight_ratios(mixture)
    summary = compose_summary(selection, assignments, solver_results, start_name, tests, ratios)
    return Comparison(selection, solver_results, start_name, assignments, tests, summary)


def _make_common_start(
    problem: Problem, mixture: Mixture, rows: AnyArray, options: _ComparisonOptions, rng: np.random.Generator
) -> tuple[Mixture, str]:
    """Return the start of all solvers and its name, which is that of ``init_params`` or `CHOSEN_GROUPS_START`.

    A start from which EM ends in a degenerate fit compares nothing. Then the solvers start from the groups of the
    chosen mixture, if EM from there does not end so.
    """
    start = initialize(problem, options.init_params, mixture.n_components, rng)
    if leads_to_degenerate_fit(problem, start, options.stopping_rule):
        from_groups = initialize_from_labels(problem, mixture.predict(rows), mixture.n_components)
        if not leads_to_degenerate_fit(problem, from_groups, options.stopping_rule):
            return from_groups, CHOSEN_GROUPS_START
    return start, options.init_params


def _parse_options(
    solvers: str | Sequence[str],
    init_params: str,
    tol: float,
    max_iter: int,
    n_neighbors: int,
    standardize: bool | None,
    engine: str | AbstractEngine,
) -> _ComparisonOptions:
    """Return the validated options; raise ParameterError for an invalid one."""
    _validation.require_choice("init_params", init_params, list(INIT_METHODS))
    _validation.require_non_negative("tol", tol)
    require_integer("max_iter", max_iter, 1)
    require_integer("n_neighbors", n_neighbors, 1)
    if standardize is not None and not is_bool(standardize):
        raise ParameterError.invalid_value("standardize", standardize, "True, False or None")
    return _ComparisonOptions(
        parse_solver_names(solvers),
        MeanGainRule(float(tol), int(max_iter)),
        init_params,
        n_neighbors,
        None if standardize is None else bool(standardize),
        engine,
    )


def _parse_data_of_positive_weight(
    X: ArrayLike,
    sample_weight: ArrayLike | None,
    labels: ArrayLike | None,
    feature_names: Sequence[str] | None,
) -> _ComparisonData:
    """Return the validated rows, weights and labels, without the rows of weight zero; raise DataError if invalid."""
    rows = parse_rows(X, feature_names=feature_names, keep_float32=True)
    require_rows_and_columns(rows)
    weights = parse_weights(sample_weight, len(rows))
    has_weight = np.ones(len(rows), dtype=bool) if weights is None else weights > 0
    positive_weights = None if weights is None else weights[has_weight]
    row_weights = np.ones(len(rows)) if positive_weights is None else positive_weights
    rows = rows[has_weight]
    dependence = find_column_dependence(rows)
    rows = rows if dependence is None else dependence.select_independent(rows)
    data = _ComparisonData(rows, positive_weights, row_weights, dependence=dependence)
    if labels is None:
        return data
    class_names, class_indices = parse_class_names_and_indices(labels, len(has_weight), has_weight)
    return replace(data, class_names=class_names, class_indices=class_indices[has_weight])


def _make_known_labels(data: _ComparisonData, seed: int) -> KnownLabels | None:
    """Return the known labels with random stratified folds; None without labels."""
    if data.class_indices is None:
        return None
    return KnownLabels.with_stratified_folds(data.class_names, data.class_indices, data.rows, seed)
