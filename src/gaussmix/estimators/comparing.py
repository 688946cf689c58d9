"""``compare``: optimisers and ways to assign, side by side on the user's rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.arrays import column_names, parse_classes, parse_rows, parse_weights
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import ParameterError
from gaussmix.estimators import _base
from gaussmix.model import Mixture, Problem
from gaussmix.model.problem import source_of
from gaussmix.selection import select
from gaussmix.selection.asked import require_rows, told
from gaussmix.selection.assignment import Assignment, Known, assigned
from gaussmix.selection.bar import Update
from gaussmix.selection.comparison import Comparison
from gaussmix.selection.measure import Measure
from gaussmix.selection.normality import normality_of_components
from gaussmix.selection.optimising import DEFAULT_SOLVERS, Optimised, named_solvers, side_by_side
from gaussmix.selection.verdict import in_words
from gaussmix.solvers import AbsoluteGain
from gaussmix.solvers.start import KMEANS_START, STARTS, automatic
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
    init_params: str = KMEANS_START,
    tol: float = 1e-8,
    max_iter: int = 1000,
    n_neighbors: int = 5,
    standardise: bool | None = None,
    random_state: int | np.random.Generator | None = 0,
    feature_names: Sequence[str] | None = None,
    progress: bool | Update | None = None,
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
    standardise : bool, optional
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
        ``optimisers``, ``assignment``, ``normality`` and ``words``; `gaussmix.plots.optimisers` and
        `gaussmix.plots.partitions` draw it.

    Raises
    ------
    DataError, ParameterError
        If the rows, the labels or a parameter cannot be used.
    SelectionError
        If no mixture could be fitted.
    """
    names, stopping = _checked(solvers, init_params, tol, max_iter, n_neighbors, standardise)
    rng, later = _base.twins(random_state)
    feature_names = column_names(X) if feature_names is None else feature_names
    asked = _asked(X, sample_weight, labels, feature_names)
    look = {"criterion": criterion, "n_starts": n_starts, "random_state": rng, "progress": progress}
    found = select(asked.rows, n_components, structures, sample_weight=asked.given, feature_names=feature_names, **look)  # type: ignore[arg-type]
    mixture = found.best.mixture
    assert mixture is not None  # select raises where not even the best could be fitted
    source = source_of(asked.rows, asked.given)
    problem = Problem.of(source, mixture.structure, engine=AutomaticEngine(len(asked.rows), len(names)))
    with told(progress, "comparing") as update:
        optimisers = _climbs(problem, mixture, names, stopping, init_params, later, update)
    known = _known(asked, later)
    measure = Measure.of(source, _is_standardised(mixture) if standardise is None else bool(standardise), problem)
    assignment = _assigned(mixture, asked, known, measure, n_neighbors, later)
    tests = normality_of_components(assignment.soft, assignment.rows, asked.weights, later)
    words = in_words(found, assignment, optimisers, tests, measure.shapes(mixture))
    return Comparison(found, optimisers, assignment, tests, words)


@dataclass(frozen=True)
class _Asked:
    """Rows of some weight, their weights as given (None for one each) and as numbers, and their known groups (n,)."""

    rows: AnyArray
    given: N | None
    weights: N
    names: tuple[str, ...] = ()
    classes: IntN | None = None


def _checked(
    solvers: str | Sequence[str],
    init_params: str,
    tol: float,
    max_iter: int,
    n_neighbors: int,
    standardise: bool | None,
) -> tuple[list[str], AbsoluteGain]:
    _base.require_choice("init_params", init_params, list(STARTS))
    _base.require_real("tol", tol)
    _base.require_integer("max_iter", max_iter, 1)
    _base.require_integer("n_neighbors", n_neighbors, 1)
    if standardise is not None and not isinstance(standardise, bool | np.bool_):
        raise ParameterError.value("standardise", standardise, "True, False or None")
    return named_solvers(solvers), AbsoluteGain(float(tol), int(max_iter))


def _asked(
    X: ArrayLike,
    sample_weight: ArrayLike | None,
    labels: ArrayLike | None,
    feature_names: Sequence[str] | None,
) -> _Asked:
    rows = parse_rows(X, feature_names=feature_names, keep_single=True)
    require_rows(rows)
    weights = parse_weights(sample_weight, len(rows))
    kept = np.ones(len(rows), dtype=bool) if weights is None else weights > 0
    counts = None if weights is None else weights[kept]
    asked = _Asked(rows[kept], counts, np.ones(len(rows)) if counts is None else counts)
    if labels is None:
        return asked
    names, classes = parse_classes(labels, len(rows), kept)
    return replace(asked, names=names, classes=classes[kept])


def _known(asked: _Asked, rng: np.random.Generator) -> Known | None:
    seed = int(rng.integers(2**31))
    return None if asked.classes is None else Known.of(asked.names, asked.classes, asked.rows, seed)


def _is_standardised(mixture: Mixture) -> bool:
    """Whether distances are to be taken in standard deviations: a round structure takes columns to be in one unit."""
    return mixture.structure.shape != "I"


def _climbs(
    problem: Problem,
    mixture: Mixture,
    names: Sequence[str],
    stopping: AbsoluteGain,
    init_params: str,
    rng: np.random.Generator,
    update: Update,
) -> tuple[Optimised, ...]:
    start = automatic(problem, init_params, mixture.n_components, rng)
    return side_by_side(problem, start, names, stopping, int(rng.integers(2**31)), update)


def _assigned(
    mixture: Mixture,
    asked: _Asked,
    known: Known | None,
    measure: Measure,
    n_neighbors: int,
    rng: np.random.Generator,
) -> Assignment:
    found = None
    if known is not None:
        from gaussmix.estimators._neighbours import votes  # scikit-learn's neighbours take a while to import

        found = votes(measure.rows, known, asked.weights, n_neighbors)
    return assigned(mixture, asked.rows, asked.weights, measure, known, found, rng)
