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

from gaussmix.core.input_arrays import column_names, parse_labels, parse_rows, parse_weights
from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.threads import available_n_threads, threads
from gaussmix.covariance import DefaultPrior
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import ParameterError, SelectionError
from gaussmix.model.problem import make_memory_source
from gaussmix.selection import candidate_runs
from gaussmix.selection.candidate_runs import CandidateRun, CandidateSpec
from gaussmix.selection.candidates import Selection, candidate_sort_key
from gaussmix.selection.criteria import CRITERIA
from gaussmix.selection.initial_moments import InitialMomentsCache
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.search_problem import ModelOptions, SearchProblem
from gaussmix.selection.validation import (
    is_integer,
    make_generator,
    parse_component_counts,
    parse_integer,
    parse_structures,
    require_nonempty_rows,
)
from gaussmix.types import ArrayLike

_N_ALWAYS_CONTINUED = 1
_MAX_CRITERION_DIFFERENCE = 10.0  # what a criterion may lie above the best: more is very strong evidence
_MAX_RETRIED_CANDIDATES, _MAX_NEIGHBOURS = 5, 3
_MAX_ROWS_FOR_PARALLEL_CANDIDATES = 100_000


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
    progress: bool | ProgressCallback | None = None,
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
    rows = parse_rows(X, feature_names=feature_names, keep_float32=True)
    require_nonempty_rows(rows)
    weights = parse_weights(sample_weight, len(rows))
    known = parse_labels(labels, len(rows), weights)
    source = make_memory_source(rows, weights).with_label_prior(None if known is None else KnownComponents(known))
    numbers = parse_component_counts(n_components)
    chosen = parse_structures(structures, rows.shape[1], "structure", "'all', a structure, or one or more of them")
    if criterion not in CRITERIA:
        raise ParameterError.invalid_choice("criterion", criterion, list(CRITERIA))
    parse_integer("n_starts", n_starts, 1)
    n_workers = _effective_n_jobs(n_jobs, source.n_rows)
    rng, began = make_generator(random_state), time.perf_counter()
    engine = AutomaticEngine(source.n_rows, len(numbers) * len(chosen) * n_starts)
    assumed = ModelOptions(DefaultPrior.from_parameter(prior), noise)
    names, most = _validate_feature_names(feature_names, rows.shape[1]), numbers[-1]
    training = SearchProblem.from_source(source, chosen, most, n_starts, engine, rng, names, known, assumed)
    tasks = training.make_specs(chosen, numbers)
    with make_progress_callback(progress, "fitting") as update:
        fitted = _run_until_decided(
            _run_candidates(tasks, training.initial_moments, n_workers, update), criterion, update
        )
        fitted = _run_until_decided(
            _retry_from_neighbours(fitted, training.initial_moments, criterion, update), criterion, update
        )
    ranked = sorted(
        (candidate_runs.mark_if_pruned(cell) for cell in fitted),
        key=lambda candidate: candidate_sort_key(candidate, criterion),
    )
    if ranked[0].fit is None:
        raise SelectionError(f"no candidate could be fitted; the first says: {ranked[0].rejection_reason}")
    return Selection(criterion, tuple(ranked), time.perf_counter() - began)


def _effective_n_jobs(n_jobs: int | None, n_rows: int) -> int:
    """Cells side by side: many rows are better shared out within each pass."""
    if n_jobs is None and n_rows > _MAX_ROWS_FOR_PARALLEL_CANDIDATES:
        return 1
    if n_jobs is None or n_jobs == -1:
        return available_n_threads()
    if not is_integer(n_jobs, 1):
        raise ParameterError.invalid_value(
            "n_jobs", n_jobs, "a whole number of at least 1, -1 for all processors, or None"
        )
    return n_jobs


def _run_candidates(
    specs: list[CandidateSpec],
    initial_moments: InitialMomentsCache,
    n_workers: int,
    progress_callback: ProgressCallback,
) -> list[CandidateRun]:
    """Every cell's first run, some side by side; what each begins from is made here, one after the other."""
    n_workers = min(n_workers, len(specs))
    fitted: list[CandidateRun] = []
    with ThreadPoolExecutor(n_workers) as pool, threads(1 if n_workers > 1 else None):
        moments = (
            initial_moments.get_moments(task.screening_problem.covariance_estimator.structure, task.n_components)
            for task in specs
        )
        work = (partial(candidate_runs.run_candidate, task, begin) for task, begin in zip(specs, moments, strict=True))
        results: Iterable[Callable[[], CandidateRun]] = work
        if n_workers > 1:
            results = [pool.submit(copy_context().run, each).result for each in work]
        try:
            for task, result in zip(specs, results, strict=True):
                progress_callback(len(fitted), len(specs), task.name)
                fitted.append(result())
        except BaseException:  # an interrupt waits for the cells that have begun, and for no other
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return fitted


def _validate_feature_names(feature_names: Sequence[str] | None, n_features: int) -> tuple[str, ...] | None:
    if feature_names is not None and len(feature_names) != n_features:
        raise ParameterError.wrong_shape("feature_names", (len(feature_names),), (n_features,))
    return None if feature_names is None else tuple(feature_names)


def _run_until_decided(
    runs: list[CandidateRun], criterion: str, progress_callback: ProgressCallback
) -> list[CandidateRun]:
    """Runs that have used up their passes are given more while they may still win; best first."""
    passes = 2 * candidate_runs.FIRST_MAX_ITER
    while True:
        runs = sorted(runs, key=lambda cell: candidate_sort_key(cell.candidate, criterion))
        goal = runs[0].candidate.criteria.get(criterion, -np.inf) + _MAX_CRITERION_DIFFERENCE
        goes_on = [
            cell.can_continue and (place < _N_ALWAYS_CONTINUED or cell.can_reach(goal, criterion))
            for place, cell in enumerate(runs)
        ]
        if not any(goes_on):
            return runs
        for place in np.flatnonzero(goes_on):
            progress_callback(len(runs), len(runs), f"{runs[place].candidate.name} again")
            runs[place] = candidate_runs.continue_candidate(runs[place], passes)
        passes *= 2


def _retry_from_neighbours(
    runs: list[CandidateRun],
    initial_moments: InitialMomentsCache,
    criterion: str,
    progress_callback: ProgressCallback,
) -> list[CandidateRun]:
    """The best cells, each begun again at what the best others of as many components have found."""
    goal = runs[0].candidate.criteria.get(criterion, -np.inf) + _MAX_CRITERION_DIFFERENCE
    near = [cell for cell in runs if cell.candidate.is_eligible and cell.candidate.criteria[criterion] <= goal]
    for place, cell in enumerate(near[:_MAX_RETRIED_CANDIDATES]):
        count = cell.candidate.n_components
        lenders = [other for other in runs if other.candidate.n_components == count and other is not cell]
        sound = [(other.candidate.mixture, other.spec) for other in lenders if other.candidate.is_eligible][
            :_MAX_NEIGHBOURS
        ]
        found = [
            initial_moments.moments_from_mixture(mixture, task.screening_problem, cell.spec)
            for mixture, task in sound
            if mixture is not None
        ]
        if count == 1 or not found:
            continue
        progress_callback(len(runs), len(runs), f"{cell.candidate.name} from others")
        runs[place] = candidate_runs.retry_candidate(cell, found)
    return runs
