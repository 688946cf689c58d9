"""The search over numbers of components and structures: which mixture explains the rows best?

Every structure begins from the same partitions, found once for each number of components: k-means
in the data's units and in standard deviations, and random centres. Each start runs for a few
passes, the best ones to convergence; where there are many rows, all but the last runs look at a
random part of them. A cell that cannot be fitted says why, and a fit with a
component on the floor, empty or of too few rows is listed as degenerate and never chosen, since
its likelihood says nothing about the data.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.arrays import column_names, parse_rows, parse_weights
from gaussmix.covariance.structure import ALL, Structure
from gaussmix.errors import DataError, GaussmixError, ParameterError, SelectionError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem, source_of
from gaussmix.selection.criteria import CRITERIA
from gaussmix.solvers.em import EM
from gaussmix.solvers.fit import Fit, finished
from gaussmix.solvers.restarts import polish
from gaussmix.solvers.run import Run
from gaussmix.solvers.start import from_labels, in_order
from gaussmix.solvers.start.seeding import partitions, some_rows
from gaussmix.solvers.stopping import RelativeGain
from gaussmix.types import ArrayLike, IntN

Progress = Callable[[int, int, str], None]
"""Called before each cell with the cells done, the cells in all, and the name of the next."""

STOPPING = RelativeGain(1e-8)
HEAT_ROWS = 10_000
"""Rows that the first heats of a search look at; the best run of each cell goes on with all of them."""


@dataclass(frozen=True, repr=False)
class Candidate:
    """One cell of the search: a structure and a number of components, fitted or with the reason why not."""

    structure: Structure
    n_components: int
    criteria: dict[str, float]
    n_parameters: int
    mixture: Mixture | None
    fit: Fit | None
    reason: str = ""

    @property
    def name(self) -> str:
        return f"{self.structure},{self.n_components}"

    def __repr__(self) -> str:
        values = ", ".join(f"{name.upper()} {value:.8g}" for name, value in self.criteria.items())
        return f"Candidate({self.name}: {' '.join(filter(None, [values, self.reason]))})"

    @property
    def is_eligible(self) -> bool:
        return self.fit is not None and not self.fit.is_degenerate


@dataclass(frozen=True, repr=False)
class Selection:
    """All candidates, best first: sound ones by the criterion, then degenerate ones, then failures."""

    criterion: str
    candidates: tuple[Candidate, ...]
    seconds: float

    def __repr__(self) -> str:
        first = "\n".join(f"  {candidate!r}" for candidate in self.candidates[:5])
        more = len(self.candidates) - 5
        rest = f"\n  ... and {more} more in .table()" if more > 0 else ""
        return f"Selection by {self.criterion.upper()}, best first:\n{first}{rest}"

    @property
    def best(self) -> Candidate:
        """The chosen candidate; a degenerate one only where there is no other."""
        return self.candidates[0]

    @property
    def runner_up(self) -> Candidate | None:
        """The second-best eligible candidate that is another density, not the same one by another name.

        With one component, or one column, several structures describe the same mixtures.
        """
        value = self.best.criteria[self.criterion]
        for candidate in self.candidates[1:]:
            same = candidate.is_eligible and abs(candidate.criteria[self.criterion] - value) < 1e-9 * abs(value)
            if candidate.is_eligible and not same:
                return candidate
        return None

    def table(self) -> list[dict[str, object]]:
        """One row per candidate, best first, ready for a data frame."""
        return [
            {
                "structure": str(c.structure),
                "n_components": c.n_components,
                **{name: c.criteria.get(name) for name in CRITERIA},
                "log_likelihood": None if c.fit is None else c.fit.log_likelihood,
                "n_parameters": c.n_parameters,
                "degenerate": c.fit is not None and c.fit.is_degenerate,
                "reason": c.reason,
            }
            for c in self.candidates
        ]


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
    cells: list[Candidate] = []
    problems = {shape: Problem.of(source, shape, feature_names=names) for shape in shapes}
    chosen = some_rows(source, HEAT_ROWS, rng)
    heats = {shape: _heats(problem, chosen) for shape, problem in problems.items()}
    common = _heats(Problem.of(source, Structure.parse("EII")), chosen)  # one scale: k-means in the data's units
    for count in counts:
        starts = _starts(common, count, n_starts, rng)
        for shape in shapes:
            if progress is not None:
                progress(len(cells), len(counts) * len(shapes), f"{shape}, {count} components")
            cells.append(_cell(problems[shape], heats[shape], count, starts))
    ranked = sorted(cells, key=lambda cell: _rank(cell, criterion))
    if ranked[0].fit is None:
        raise SelectionError(f"no candidate could be fitted; the first says: {ranked[0].reason}")
    return Selection(criterion, tuple(ranked), time.perf_counter() - began)


def _counts(n_components: int | Iterable[int]) -> list[int]:
    counts = [n_components] if isinstance(n_components, int) else [int(count) for count in n_components]
    if not counts or min(counts) < 1:
        raise ParameterError.value("n_components", n_components, "one or more whole numbers of at least 1")
    return sorted(set(counts))


def _heats(problem: Problem, chosen: IntN) -> Problem:
    return problem if len(chosen) == problem.source.n_rows else problem.only(chosen)


def _starts(problem: Problem, n_components: int, n_starts: int, rng: np.random.Generator) -> list[IntN] | str:
    """Partitions shared by all structures, or the reason why there are none."""
    n_rows = problem.source.n_rows
    if n_rows < n_components:
        return str(DataError.too_few_rows(n_rows, n_components))
    return partitions(problem, n_components, 1 if n_components == 1 else n_starts, rng)


def _cell(problem: Problem, heats: Problem, n_components: int, starts: list[IntN] | str) -> Candidate:
    structure, n_features = problem.family.structure, problem.source.n_features
    free = structure.n_mixture_parameters(n_components, n_features)
    if isinstance(starts, str):
        return Candidate(structure, n_components, {}, free, None, None, starts)
    try:
        mixture, fit, criteria = _fitted(problem, heats, starts, n_components, free)
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return Candidate(structure, n_components, {}, free, None, None, str(error))
    reason = " ".join(fit.notes) if fit.is_degenerate else ""
    return Candidate(structure, n_components, criteria, free, mixture, fit, reason)


def _fitted(
    problem: Problem, heats: Problem, starts: list[IntN], n_components: int, n_parameters: int
) -> tuple[Mixture, Fit, dict[str, float]]:
    began = time.perf_counter()
    mixtures = (from_labels(heats, labels, n_components) for labels in starts)
    winner = polish(EM(problem.family), mixtures, problem, STOPPING, prefer=_is_sound, heats=heats)
    winner = replace(winner, mixture=in_order(winner.mixture, problem))
    fit, _ = finished(winner, problem, time.perf_counter() - began)
    certainty = problem.log_certainty(winner.mixture.to_quadratics())
    criteria = {
        name: rule(fit.log_likelihood, n_parameters, problem.total_weight, certainty)
        for name, rule in CRITERIA.items()
    }
    return winner.mixture, fit, criteria


def _is_sound(run: Run) -> bool:
    """No component on the floor."""
    return not run.mixture.covariance.floored.any()


def _rank(cell: Candidate, criterion: str) -> tuple[int, float, int]:
    """Sort key: sound, too few rows, on the floor, failed; then the criterion; then the fewer parameters."""
    if cell.fit is None:
        return 3, 0.0, cell.n_parameters
    severity = 2 if cell.fit.is_on_floor else int(cell.fit.is_degenerate)
    # Structures that coincide differ by rounding alone; a relative grid lets the simpler name win.
    return severity, float(f"{cell.criteria[criterion]:.10g}"), cell.n_parameters
