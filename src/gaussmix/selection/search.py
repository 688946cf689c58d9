"""The search over numbers of components and structures: which mixture explains the rows best?

Every structure begins from the same partitions: trees of the rows made once and cut into each
number of groups (``solvers/start/hierarchy.py``) and, where more starts are asked for, k-means in the
data's units, in standard deviations, and random centres. A cell that cannot be fitted says why, and
a fit with a component on the floor, empty or of too few rows is listed as degenerate and never
chosen, since its likelihood says nothing about the data. At the end the best cells also try the
partitions of one another: what one structure has found, another may have missed.

Where there are more than 2 000 rows (``training.HEAT_ROWS``), a sample stands for them until one run of
each cell is left, and that run makes a few passes over all rows. From there on a cell is given twice as
many passes again and again, until it has converged or can hardly win: until a hundred more passes that
gained as much as its last one would leave it more than 10 (very strong evidence) behind the best. Passes
gain less and less, so that is more than it can hope for. The best cell always runs to convergence. Every
criterion in the table belongs to all rows; that of a cell left behind is a little too high, and its
outcome says so.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

import numpy as np

from gaussmix.core.arrays import column_names, parse_labels, parse_rows, parse_weights
from gaussmix.core.threads import thread_count, threads
from gaussmix.covariance import DefaultPrior
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import ParameterError, SelectionError
from gaussmix.model.problem import source_of
from gaussmix.selection import cells
from gaussmix.selection.asked import counts, generator_of, is_whole, require_rows, shapes, told, whole_number
from gaussmix.selection.bar import Update
from gaussmix.selection.candidates import Selection, rank
from gaussmix.selection.cells import Cell, Task
from gaussmix.selection.criteria import CRITERIA
from gaussmix.selection.starting import Starts
from gaussmix.selection.training import Assumed, Training
from gaussmix.types import ArrayLike

Progress = Update
"""Called before each cell with the cells done, the cells in all, and the name of the next."""

_SURE_OF_THE_END = 1
_NEAR = 10.0  # what a criterion may lie above the best: more is very strong evidence
_BORROWERS, _LENDERS = 5, 3
_MANY_ROWS = 100_000


def select(
    X: ArrayLike,
    n_components: int | Iterable[int] = range(1, 10),
    structures: str | Sequence[str] = "all",
    criterion: str = "bic",
    sample_weight: ArrayLike | None = None,
    n_starts: int = 1,
    n_jobs: int | None = None,
    random_state: int | np.random.Generator | None = 0,
    feature_names: Sequence[str] | None = None,
    progress: bool | Progress | None = None,
    labels: ArrayLike | None = None,
    prior: str | DefaultPrior | None = None,
    noise: bool | float | None = None,
) -> Selection:
    """Fit every structure with every number of components and rank them.

    Of more than 2 000 rows, starts and first runs look at a sample, and only candidates
    that may still win run to convergence on all of them; the outcome of the others says so. Every
    criterion belongs to all rows.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of finite numbers.
    n_components : int or iterable of int, default=1..9
    structures : 'all', a name, or a sequence of names
        mclust letters or scikit-learn's names. 'all' of one column are EII and VII, with which the others coincide.
        The scale of single columns matters to EII, VII, EVE, VVE, EEV and VEV; with a prior to EEI, VEI, EVI and VVI,
        too, and to the volume of noise.
    criterion : {'bic', 'icl', 'aic', 'aicc', 'sabic'}, default='bic'
        What to rank by; lower is better.
    sample_weight : array-like of shape (n,), optional
    n_starts : int, default=1
        Partitions that every candidate begins from: that of model-based hierarchical clustering as in mclust; if
        there are more, that of a tree which no linear map matters to, then k-means and random ones in turn. Eight
        find nearly all that there is to be found.
    n_jobs : int, optional
        Cells fitted side by side; -1 as many as there are processors for this process, which is also the default up
        to 100 000 rows. Of more, all processors work on one cell after the other. The result does not depend on it.
    random_state : int, Generator or None, default=0
    feature_names : sequence of str, optional
        Taken from a data frame's columns if not given.
    progress : bool or callable, optional
        True shows a bar on stderr (needs rich); a callable is called as ``progress(done, total, name)`` before
        each cell.
    labels : array-like of shape (n,), optional
        Components of rows that are known beforehand, from 0, and -1 where unknown, as in `GaussianMixture.fit`.
        Components have the numbers of the labels, and a candidate with too few of them says so.
    prior : {None, 'default'} or DefaultPrior, default=None
        What is believed of means and covariances, as in `GaussianMixture`; criteria hold the log-likelihood of the
        most probable parameters, without the prior's density, as mclust's do.
    noise : bool or float, optional
        One more component of even density in every candidate, over the data's volume (True) or a given one, as in
        `GaussianMixture`; it counts as two parameters. Candidates begin from partitions of all rows, and from as many
        of those rows that do not lie alone.

    Returns
    -------
    Selection
        All candidates, best first; ``best.mixture`` is the chosen `Mixture`.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter cannot be used.
    SelectionError
        If no cell could be fitted.
    """
    feature_names = column_names(X) if feature_names is None else feature_names
    rows = parse_rows(X, feature_names=feature_names, keep_single=True)
    require_rows(rows)
    weights = parse_weights(sample_weight, len(rows))
    known = parse_labels(labels, len(rows), weights)
    source = source_of(rows, weights).hinted(known)
    numbers = counts(n_components)
    chosen = shapes(structures, rows.shape[1], "structure", "'all', a structure, or one or more of them")
    if criterion not in CRITERIA:
        raise ParameterError.choice("criterion", criterion, list(CRITERIA))
    whole_number("n_starts", n_starts, 1)
    n_workers = _workers(n_jobs, source.n_rows)
    rng, began = generator_of(random_state), time.perf_counter()
    engine = AutomaticEngine(source.n_rows, len(numbers) * len(chosen) * n_starts)
    assumed = Assumed(DefaultPrior.parse(prior), noise)
    names, most = _names(feature_names, rows.shape[1]), numbers[-1]
    training = Training.of(source, chosen, most, n_starts, engine, rng, names, known, assumed)
    tasks = training.tasks(chosen, numbers)
    with told(progress, "fitting") as update:
        fitted = _decided(_begun(tasks, training.starts, n_workers, update), criterion, update)
        fitted = _decided(_lent(fitted, training.starts, criterion, update), criterion, update)
    ranked = sorted((cells.left_behind(cell) for cell in fitted), key=lambda candidate: rank(candidate, criterion))
    if ranked[0].fit is None:
        raise SelectionError(f"no candidate could be fitted; the first says: {ranked[0].reason}")
    return Selection(criterion, tuple(ranked), time.perf_counter() - began)


def _workers(n_jobs: int | None, n_rows: int) -> int:
    """Cells side by side: many rows are better shared out within each pass."""
    if n_jobs is None and n_rows > _MANY_ROWS:
        return 1
    if n_jobs is None or n_jobs == -1:
        return thread_count()
    if not is_whole(n_jobs, 1):
        raise ParameterError.value("n_jobs", n_jobs, "a whole number of at least 1, -1 for all processors, or None")
    return n_jobs


def _begun(tasks: list[Task], starts: Starts, n_workers: int, update: Progress) -> list[Cell]:
    """Every cell's first run, some side by side; what each begins from is made here, one after the other."""
    n_workers = min(n_workers, len(tasks))
    fitted: list[Cell] = []
    with ThreadPoolExecutor(n_workers) as pool, threads(1 if n_workers > 1 else None):
        moments = (starts.moments(task.heats.family.structure, task.n_components) for task in tasks)
        work = (partial(cells.begun, task, begin) for task, begin in zip(tasks, moments, strict=True))
        results: Iterable[Callable[[], Cell]] = work
        if n_workers > 1:
            results = [pool.submit(copy_context().run, each).result for each in work]
        try:
            for task, result in zip(tasks, results, strict=True):
                update(len(fitted), len(tasks), task.name)
                fitted.append(result())
        except BaseException:  # an interrupt waits for the cells that have begun, and for no other
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return fitted


def _names(names: Sequence[str] | None, n_features: int) -> tuple[str, ...] | None:
    if names is not None and len(names) != n_features:
        raise ParameterError.shape("feature_names", (len(names),), (n_features,))
    return None if names is None else tuple(names)


def _decided(fitted: list[Cell], criterion: str, update: Progress) -> list[Cell]:
    """Runs that have used up their passes are given more while they may still win; best first."""
    passes = 2 * cells.LEAD_PASSES
    while True:
        fitted = sorted(fitted, key=lambda cell: rank(cell.candidate, criterion))
        goal = fitted[0].candidate.criteria.get(criterion, -np.inf) + _NEAR
        goes_on = [
            cell.is_running and (place < _SURE_OF_THE_END or cell.may_reach(goal, criterion))
            for place, cell in enumerate(fitted)
        ]
        if not any(goes_on):
            return fitted
        for place in np.flatnonzero(goes_on):
            update(len(fitted), len(fitted), f"{fitted[place].candidate.name} again")
            fitted[place] = cells.carried_on(fitted[place], passes)
        passes *= 2


def _lent(fitted: list[Cell], starts: Starts, criterion: str, update: Progress) -> list[Cell]:
    """The best cells, each begun again at what the best others of as many components have found."""
    goal = fitted[0].candidate.criteria.get(criterion, -np.inf) + _NEAR
    near = [cell for cell in fitted if cell.candidate.is_eligible and cell.candidate.criteria[criterion] <= goal]
    for place, cell in enumerate(near[:_BORROWERS]):
        count = cell.candidate.n_components
        lenders = [other for other in fitted if other.candidate.n_components == count and other is not cell]
        sound = [(other.candidate.mixture, other.task) for other in lenders if other.candidate.is_eligible][:_LENDERS]
        found = [starts.shared_by(mixture, task.heats, cell.task) for mixture, task in sound if mixture is not None]
        if count == 1 or not found:
            continue
        update(len(fitted), len(fitted), f"{cell.candidate.name} from others")
        fitted[place] = cells.improved(cell, found)
    return fitted
