"""``compare``: optimisers and ways to assign, side by side on the user's rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.comparison.assignment_comparison import AssignmentComparison, KnownLabels, compare_assignments
from gaussmix.comparison.distance_metric import DistanceMetric
from gaussmix.comparison.normality_tests import run_component_normality_tests
from gaussmix.comparison.result import Comparison
from gaussmix.comparison.solver_comparison import DEFAULT_SOLVERS, SolverResult, compare_solvers, parse_solver_names
from gaussmix.comparison.summary import write_summary
from gaussmix.core.input_arrays import column_names, parse_classes, parse_rows, parse_weights
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import ParameterError
from gaussmix.estimators import _validation
from gaussmix.model import Mixture, Problem
from gaussmix.model.problem import make_memory_source
from gaussmix.selection import select
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.validation import require_nonempty_rows
from gaussmix.solvers import MeanGainRule
from gaussmix.solvers.initialization import INIT_METHODS, KMEANS_METHOD, initialize
from gaussmix.types import AnyArray, ArrayLike, IntN, N


def compare(
    X: ArrayLike,
    labels: ArrayLike | None = None,
    n_components: int | Iterable[int] = range(1, 10),
    structures: str | Sequence[str] = "all",
    solvers: str | Sequence[str] = DEFAULT_SOLVERS,
    *,
    sample_weight: ArrayLike | None = None,
    criterion: str = "bic",
    n_starts: int = 1,
    init_params: str = KMEANS_METHOD,
    tol: float = 1e-8,
    max_iter: int = 1000,
    n_neighbors: int = 5,
    standardize: bool | None = None,
    random_state: int | np.random.Generator | None = 0,
    feature_names: Sequence[str] | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Comparison:
    """Compare ways to optimise a mixture, and ways to assign rows, on some data.

    A mixture is chosen by `select`. Every solver then climbs from one start of its structure and number of components.
    And the rows are assigned by the mixture, hard and soft, by k-means with as many groups, and, with labels, by
    k-nearest neighbours. Each component is tested for looking Gaussian, and a paragraph says when to prefer which.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of finite numbers.
    labels : array-like of shape (n,), optional
        Known groups of the rows, numbers or texts; None, NaN, an empty text or -1 where unknown. No mixture and no
        k-means sees them. What groups say of labels, and the neighbours' labels, come from four fifths of the rows and
        are judged on the others, in turn; of two ways one is called better where it is by two standard errors.
    n_components : int or iterable of int, default=1..9
    structures : 'all', a name, or a sequence of names
        What the mixture is chosen from, as in `select`.
    solvers : str or sequence of str
        Some of em, squarem, anderson, lbfgs, natural, adam, sgd, cem, sem, annealing and auto; the default are the
        first seven. The others do not climb the likelihood alone: cem (hard assignment) another one, sem and annealing
        noisy or blunted ones at first, and auto is one of the first three. Of all, the table has the log-likelihood
        of the returned parameters.
    sample_weight : array-like of shape (n,), optional
        How often each row counts; a row of weight 0 is absent.
    criterion : {'bic', 'icl', 'aic', 'aicc', 'sabic'}, default='bic'
    n_starts : int, default=1
        As in `select`.
    init_params : str, default='kmeans'
        The common start of the solvers, as in `GaussianMixture`.
    tol : float, default=1e-8
        A solver stops where a pass gains less, in nats per row.
    max_iter : int, default=1000
        The most passes of a solver.
    n_neighbors : int, default=5
    standardize : bool, optional
        Whether k-means and nearest neighbours measure in standard deviations of each column, so that units do not
        matter, or in the data's units. Default: in the data's units where the structure chosen is round (EII, VII),
        which takes all columns to be in one unit, else in standard deviations.
    random_state : int, Generator or None, default=0
    feature_names : sequence of str, optional
        Taken from a data frame's columns if not given.
    progress : bool or callable, optional
        As in `select`.

    Returns
    -------
    Comparison
        ``optimisers``, ``assignment``, ``normality`` and ``words``; `gaussmix.plots.convergence_plot` and
        `gaussmix.plots.partitions` draw it.

    Raises
    ------
    DataError, ParameterError
        If the rows, the labels or a parameter cannot be used.
    SelectionError
        If no mixture could be fitted.
    """
    names, stopping = _validate_options(solvers, init_params, tol, max_iter, n_neighbors, standardize)
    rng, later = _validation.spawn_generators(random_state)
    feature_names = column_names(X) if feature_names is None else feature_names
    asked = _parse_data(X, sample_weight, labels, feature_names)
    look = {"criterion": criterion, "n_starts": n_starts, "random_state": rng, "progress": progress}
    found = select(
        asked.rows,
        n_components,
        structures,
        sample_weight=asked.sample_weight,
        feature_names=feature_names,
        **look,  # type: ignore[arg-type]
    )
    mixture = found.best.mixture
    assert mixture is not None  # select raises where not even the best could be fitted
    source = make_memory_source(asked.rows, asked.sample_weight)
    problem = Problem.from_source(source, mixture.structure, engine=AutomaticEngine(len(asked.rows), len(names)))
    with make_progress_callback(progress, "comparing") as update:
        optimisers = _run_solvers(problem, mixture, names, stopping, init_params, later, update)
    known = _make_known_labels(asked, later)
    measure = DistanceMetric.from_source(
        source, _should_standardize(mixture) if standardize is None else bool(standardize), problem
    )
    assignment = _compare_assignments(mixture, asked, known, measure, n_neighbors, later)
    tests = run_component_normality_tests(assignment.responsibilities, assignment.rows, asked.row_weights, later)
    words = write_summary(found, assignment, optimisers, tests, measure.shape_ratios(mixture))
    return Comparison(found, optimisers, assignment, tests, words)


@dataclass(frozen=True)
class _ComparisonData:
    """Rows of some weight, their weights as given (None for one each) and as numbers, and their known groups (n,)."""

    rows: AnyArray
    sample_weight: N | None
    row_weights: N
    class_names: tuple[str, ...] = ()
    class_indices: IntN | None = None


def _validate_options(
    solvers: str | Sequence[str],
    init_params: str,
    tol: float,
    max_iter: int,
    n_neighbors: int,
    standardize: bool | None,
) -> tuple[list[str], MeanGainRule]:
    _validation.require_choice("init_params", init_params, list(INIT_METHODS))
    _validation.require_non_negative("tol", tol)
    _validation.require_integer("max_iter", max_iter, 1)
    _validation.require_integer("n_neighbors", n_neighbors, 1)
    if standardize is not None and not isinstance(standardize, bool | np.bool_):
        raise ParameterError.invalid_value("standardize", standardize, "True, False or None")
    return parse_solver_names(solvers), MeanGainRule(float(tol), int(max_iter))


def _parse_data(
    X: ArrayLike,
    sample_weight: ArrayLike | None,
    labels: ArrayLike | None,
    feature_names: Sequence[str] | None,
) -> _ComparisonData:
    rows = parse_rows(X, feature_names=feature_names, keep_float32=True)
    require_nonempty_rows(rows)
    weights = parse_weights(sample_weight, len(rows))
    kept = np.ones(len(rows), dtype=bool) if weights is None else weights > 0
    counts = None if weights is None else weights[kept]
    asked = _ComparisonData(rows[kept], counts, np.ones(len(rows)) if counts is None else counts)
    if labels is None:
        return asked
    names, classes = parse_classes(labels, len(rows), kept)
    return replace(asked, class_names=names, class_indices=classes[kept])


def _make_known_labels(data: _ComparisonData, rng: np.random.Generator) -> KnownLabels | None:
    seed = int(rng.integers(2**31))
    return (
        None
        if data.class_indices is None
        else KnownLabels.from_class_indices(data.class_names, data.class_indices, data.rows, seed)
    )


def _should_standardize(mixture: Mixture) -> bool:
    """Whether distances are to be taken in standard deviations: a round structure takes columns to be in one unit."""
    return not mixture.structure.is_spherical


def _run_solvers(
    problem: Problem,
    mixture: Mixture,
    solver_names: Sequence[str],
    stopping_rule: MeanGainRule,
    init_params: str,
    rng: np.random.Generator,
    progress_callback: ProgressCallback,
) -> tuple[SolverResult, ...]:
    start = initialize(problem, init_params, mixture.n_components, rng)
    return compare_solvers(problem, start, solver_names, stopping_rule, int(rng.integers(2**31)), progress_callback)


def _compare_assignments(
    mixture: Mixture,
    data: _ComparisonData,
    known_labels: KnownLabels | None,
    metric: DistanceMetric,
    n_neighbors: int,
    rng: np.random.Generator,
) -> AssignmentComparison:
    found = None
    if known_labels is not None:
        from gaussmix.comparison.neighbors import (
            neighbor_class_probabilities,
        )  # scikit-learn's neighbours take a while to import

        found = neighbor_class_probabilities(metric.scaled_rows, known_labels, data.row_weights, n_neighbors)
    return compare_assignments(mixture, data.rows, data.row_weights, metric, known_labels, found, rng)
