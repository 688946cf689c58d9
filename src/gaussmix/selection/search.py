"""The search over numbers of components and structures: which mixture explains the rows best?

Every structure begins from the same partitions, found once for each number of components: k-means
in the data's units and in standard deviations, and random centres. Each start runs for a few
passes, the best ones for more, the winner to convergence. A cell that cannot be fitted says why, and
a fit with a component on the floor, empty or of too few rows is listed as degenerate and never
chosen, since its likelihood says nothing about the data.

Where there are more than ``HEAT_ROWS`` rows, a sample of so many stands for them until one run of
each cell is left, and that run makes ``LEAD_PASSES`` passes over all rows. From there on a cell is
given twice as many passes again and again, until it has converged or can hardly win: until a hundred
more passes that gained as much as its last one would leave it more than 10 (very strong evidence)
behind the best. Passes gain less and less, so that is more than it can hope for. The best two cells
always run to convergence. Every criterion in the table belongs to all rows; that of a cell left
behind is a little too high, and its outcome says so.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.arrays import column_names, parse_rows, parse_weights
from gaussmix.core.outcome import Outcome
from gaussmix.covariance.structure import ALL, Structure
from gaussmix.errors import DataError, GaussmixError, ParameterError, SelectionError
from gaussmix.model.problem import Problem, source_of
from gaussmix.selection.candidates import Candidate, Selection, rank
from gaussmix.selection.criteria import CRITERIA
from gaussmix.solvers.em import EM
from gaussmix.solvers.fit import finished
from gaussmix.solvers.restarts import continued, halved, polish
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.start import from_labels, in_order
from gaussmix.solvers.start.sample import representative
from gaussmix.solvers.start.seeding import partitions
from gaussmix.solvers.stopping import RelativeGain
from gaussmix.sources.base import AbstractSource
from gaussmix.types import ArrayLike, IntN

Progress = Callable[[int, int, str], None]
"""Called before each cell with the cells done, the cells in all, and the name of the next."""

STOPPING = RelativeGain(1e-8)
HEAT_ROWS = 10_000
"""The most rows that all runs of a search look at; of more, a sample of so many."""
LEAD_PASSES = 20
_ROUNDS_ON_SAMPLE = ((10, 3), (20, 1))
_SURE_OF_THE_END = 2
_FUTURE_PASSES = 100
_NEAR = 10.0  # what a criterion may lie above the best: more is very strong evidence


def select(
    X: ArrayLike,
    n_components: int | Iterable[int] = range(1, 10),
    structures: str | Sequence[str] = "all",
    criterion: str = "bic",
    sample_weight: ArrayLike | None = None,
    n_starts: int = 8,
    random_state: int | np.random.Generator | None = 0,
    feature_names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Selection:
    """Fit every structure with every number of components and rank them.

    Of more than 10 000 rows, starts and first runs look at a sample of so many, and only candidates
    that may still win run to convergence on all of them; the outcome of the others says so. Every
    criterion belongs to all rows.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of finite numbers.
    n_components : int or iterable of int, default=1..9
    structures : 'all', a name, or a sequence of names
        mclust letters or scikit-learn's names.
    criterion : {'bic', 'icl', 'aic'}, default='bic'
        What to rank by; lower is better.
    sample_weight : array-like of shape (n,), optional
    n_starts : int, default=8
        Partitions tried for each number of components.
    random_state : int, Generator or None, default=0
    feature_names : sequence of str, optional
        Taken from a data frame's columns if not given.
    progress : callable, optional
        Called as ``progress(done, total, name)`` before each cell.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter cannot be used.
    SelectionError
        If no cell could be fitted.
    """
    feature_names = column_names(X) if feature_names is None else feature_names
    rows = parse_rows(X, feature_names=feature_names, keep_single=True)
    if not len(rows):
        raise DataError.no_rows()
    source = source_of(rows, parse_weights(sample_weight, len(rows)))
    counts = _counts(n_components)
    chosen_names = [structures] if isinstance(structures, str) and structures != "all" else structures
    shapes = [Structure.parse(name) for name in (ALL if structures == "all" else chosen_names)]
    if criterion not in CRITERIA:
        raise ParameterError.choice("criterion", criterion, list(CRITERIA))
    names = None if feature_names is None else tuple(feature_names)
    rng = np.random.default_rng(random_state)
    began = time.perf_counter()
    problems = _problems(source, shapes, names)
    heats, common = _heats(problems, source, rng)
    cells: list[_Cell] = []
    for count in counts:
        starts = _starts(common, count, n_starts, rng)
        for shape in shapes:
            if progress is not None:
                progress(len(cells), len(counts) * len(shapes), f"{shape}, {count} components")
            cells.append(_begun(problems[shape], heats[shape], count, starts))
    ranked = sorted(_decided(cells, criterion, progress), key=lambda candidate: rank(candidate, criterion))
    if ranked[0].fit is None:
        raise SelectionError(f"no candidate could be fitted; the first says: {ranked[0].reason}")
    return Selection(criterion, tuple(ranked), time.perf_counter() - began)


def _counts(n_components: int | Iterable[int]) -> list[int]:
    counts = [n_components] if isinstance(n_components, int) else [int(count) for count in n_components]
    if not counts or min(counts) < 1:
        raise ParameterError.value("n_components", n_components, "one or more whole numbers of at least 1")
    return sorted(set(counts))


Problems = dict[Structure, Problem]


def _problems(source: AbstractSource, shapes: list[Structure], names: tuple[str, ...] | None) -> Problems:
    """One problem per structure; those that share a frame share what was found in it."""
    located: dict[bool, Problem] = {}
    for shape in shapes:
        if shape.column_equivariant not in located:
            located[shape.column_equivariant] = Problem.of(source, shape, feature_names=names)
    return {shape: located[shape.column_equivariant].recast(shape) for shape in shapes}


def _heats(problems: Problems, source: AbstractSource, rng: np.random.Generator) -> tuple[Problems, Problem]:
    """Each problem on the rows of the first runs, and these rows in one scale, that of k-means in the data's units."""
    same_scale = [problem for shape, problem in problems.items() if not shape.column_equivariant]
    common = same_scale[0] if same_scale else Problem.of(source, Structure.parse("EII"))
    if source.n_rows <= HEAT_ROWS:
        return problems, common
    sample = representative(common, HEAT_ROWS, rng)
    heats = {shape: problem.only(sample.rows, sample.weights) for shape, problem in problems.items()}
    return heats, common.only(sample.rows, sample.weights)


def _starts(problem: Problem, n_components: int, n_starts: int, rng: np.random.Generator) -> list[IntN] | str:
    """Partitions shared by all structures, or the reason why there are none."""
    n_rows = problem.source.n_rows
    if n_rows < n_components:
        return str(DataError.too_few_rows(n_rows, n_components))
    return partitions(problem, n_components, 1 if n_components == 1 else n_starts, rng)


@dataclass(frozen=True)
class _Cell:
    """A candidate with the run that it comes from; without one it could not be fitted."""

    candidate: Candidate
    problem: Problem
    run: Run | None = None

    @property
    def is_running(self) -> bool:
        """Whether its run used up the passes given so far."""
        if self.run is None or self.run.outcome is not Outcome.PASSES_USED_UP:
            return False
        return len(self.run.trace) < STOPPING.max_passes

    def may_reach(self, goal: float, criterion: str) -> bool:
        """Whether it could come down to a value of the criterion if many more passes gained as much as the last."""
        if self.run is None or not self.candidate.is_eligible:
            return False
        last_gain = float(np.diff(self.run.trace.log_likelihood[-2:]).sum())
        return self.candidate.criteria[criterion] - 2.0 * _FUTURE_PASSES * last_gain <= goal


def _begun(problem: Problem, heats: Problem, n_components: int, starts: list[IntN] | str) -> _Cell:
    """The best of the short runs, to convergence where all rows are few, else for the first passes over all."""
    if isinstance(starts, str):
        return _failed(problem, n_components, starts)
    solver, began = EM(problem.family), time.perf_counter()
    try:
        mixtures = (from_labels(heats, labels, n_components) for labels in starts)
        if heats is problem:
            winner = polish(solver, mixtures, problem, STOPPING, prefer=_is_sound)
        else:
            short = halved(solver, mixtures, heats, STOPPING, _is_sound, _ROUNDS_ON_SAMPLE)
            winner = run(solver, short.mixture, problem, STOPPING, max_passes=LEAD_PASSES)
        return _evaluated(winner, problem, time.perf_counter() - began)
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _failed(problem, n_components, str(error))


def _decided(cells: list[_Cell], criterion: str, progress: Progress | None) -> list[Candidate]:
    """Runs that have used up their passes are given more while they may still win."""
    passes = LEAD_PASSES
    while True:
        cells = sorted(cells, key=lambda cell: rank(cell.candidate, criterion))
        goal = cells[0].candidate.criteria.get(criterion, -np.inf) + _NEAR
        goes_on = [
            cell.is_running and (place < _SURE_OF_THE_END or cell.may_reach(goal, criterion))
            for place, cell in enumerate(cells)
        ]
        if not any(goes_on):
            return [_left_behind(cell) if cell.is_running else cell.candidate for cell in cells]
        for place in np.flatnonzero(goes_on):
            if progress is not None:
                progress(len(cells), len(cells), f"{cells[place].candidate.name} again")
            cells[place] = _carried_on(cells[place], passes)
        passes *= 2


def _carried_on(cell: _Cell, passes: int) -> _Cell:
    if cell.run is None or cell.candidate.fit is None:
        return cell
    began = time.perf_counter() - cell.candidate.fit.seconds
    try:
        longer = continued(EM(cell.problem.family), cell.run, cell.problem, STOPPING, passes)
        return _evaluated(longer, cell.problem, time.perf_counter() - began)
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _failed(cell.problem, cell.candidate.n_components, str(error))


def _left_behind(cell: _Cell) -> Candidate:
    fit = cell.candidate.fit
    return cell.candidate if fit is None else replace(cell.candidate, fit=replace(fit, outcome=Outcome.LEFT_BEHIND))


def _evaluated(winner: Run, problem: Problem, seconds: float) -> _Cell:
    mixture = in_order(winner.mixture, problem)
    fit, _ = finished(replace(winner, mixture=mixture), problem, seconds)
    certainty = problem.log_certainty(mixture.to_quadratics())
    free = mixture.n_parameters
    criteria = {
        name: rule(fit.log_likelihood, free, problem.total_weight, certainty) for name, rule in CRITERIA.items()
    }
    reason = " ".join(fit.notes) if fit.is_degenerate else ""
    candidate = Candidate(problem.family.structure, mixture.n_components, criteria, free, mixture, fit, reason)
    return _Cell(candidate, problem, winner)


def _failed(problem: Problem, n_components: int, reason: str) -> _Cell:
    structure = problem.family.structure
    free = structure.n_mixture_parameters(n_components, problem.source.n_features)
    return _Cell(Candidate(structure, n_components, {}, free, None, None, reason), problem)


def _is_sound(candidate: Run) -> bool:
    """No component on the floor."""
    return not candidate.mixture.covariance.floored.any()
