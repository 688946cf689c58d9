"""How well a mixture foretells rows it has not seen: cross-validated log-likelihood.

A component too many fits the rows at hand better and others worse, so that the log-likelihood of
rows held out needs no price on parameters (Smyth, "Model selection for probabilistic clustering using
cross-validated likelihood", Statistics and Computing 10, 2000).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.covariance.structure import Structure
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import GaussmixError, ParameterError, SelectionError
from gaussmix.model.problem import source_of
from gaussmix.selection.asked import counts, generator_of, rows_and_weights, shapes, told, whole_number
from gaussmix.selection.bar import Update
from gaussmix.selection.cells import Cell
from gaussmix.selection.training import Training
from gaussmix.solvers.start.distinct import sorted_order
from gaussmix.types import AnyArray, Array, ArrayLike, BoolK, IntN, N

_N_STARTS = 3  # two trees and k-means


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidated:
    """A structure and a number of components, and how well its fits foretold the rows held out.

    ``mean`` is the log-likelihood of a held-out row (nats, data units), weighted, over all rows; ``standard_error``
    that of the folds' means, ``folds`` (n_folds,). Where a fold could not be fitted all are NaN and ``reason`` says
    why. ``n_degenerate`` counts folds whose fit rests on the floor of the variance or has a component of too few rows.
    """

    structure: Structure
    n_components: int
    mean: float
    standard_error: float
    folds: Array
    n_parameters: int
    n_degenerate: int = 0
    reason: str = ""

    @property
    def name(self) -> str:
        return f"{self.structure},{self.n_components}"

    def __repr__(self) -> str:
        value = "" if np.isnan(self.mean) else f"{self.mean:.6g} ± {self.standard_error:.2g}"
        return f"CrossValidated({self.name}: {' '.join(filter(None, [value, self.reason]))})"


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation:
    """All cells, best first: sound ones by held-out log-likelihood, then degenerate ones, then failures."""

    cells: tuple[CrossValidated, ...]
    n_folds: int

    @property
    def best(self) -> CrossValidated:
        """The cell that foretells best; a degenerate one only where there is no other."""
        return self.cells[0]

    def __repr__(self) -> str:
        first = "".join(f"\n  {cell!r}" for cell in self.cells[:5])
        more = len(self.cells) - 5
        rest = f"\n  ... and {more} more in .table()" if more > 0 else ""
        return f"CrossValidation in {self.n_folds} folds, log-likelihood of a held-out row, best first:{first}{rest}"

    def table(self) -> list[dict[str, object]]:
        """One row per cell, best first."""
        return [
            {
                "structure": str(cell.structure),
                "n_components": cell.n_components,
                "mean_log_likelihood": None if np.isnan(cell.mean) else cell.mean,
                "standard_error": None if np.isnan(cell.mean) else cell.standard_error,
                "n_degenerate": cell.n_degenerate,
                "reason": cell.reason,
            }
            for cell in self.cells
        ]


def cross_validate(
    X: ArrayLike,
    n_components: int | Iterable[int] = range(1, 10),
    structures: str | Sequence[str] = ("VVV",),
    n_folds: int = 10,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> CrossValidation:
    """Fit every cell to all folds but one, and score the one left out; each fold in turn.

    Folds are drawn at random, of sizes that differ by one row at most; the order of the rows does not matter to them.
    All cells see the same folds, so their differences are more certain than their standard errors.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of finite numbers.
    n_components : int or iterable of int, default=1..9
    structures : 'all', a name, or a sequence of names, default=('VVV',)
        mclust letters or scikit-learn's names. 'all' of one column are EII and VII, with which the others coincide.
    n_folds : int, default=10
        At least 2, at most as many as there are rows.
    sample_weight : array-like of shape (n,), optional
        How often each row counts, in fits and in scores. A row is held out as a whole.
    random_state : int, Generator or None, default=0
    progress : bool or callable, optional
        True shows a bar on stderr (needs rich); a callable is called as ``progress(done, total, name)`` before each
        fit.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter cannot be used.
    SelectionError
        If every cell failed in a fold.

    References
    ----------
    Smyth, Statistics and Computing 10 (2000).
    """
    rows, weights = rows_and_weights(X, sample_weight)
    named, numbers = shapes(structures, rows.shape[1]), counts(n_components)
    asked = [(structure, count) for count in numbers for structure in named]
    n_folds = whole_number("n_folds", n_folds, 2)
    if n_folds > len(rows):
        raise ParameterError.value("n_folds", n_folds, f"at most {len(rows)}, the number of rows that count")
    rng = generator_of(random_state)
    held_out = _folds(rows, weights, n_folds, rng)
    with told(progress, "cross-validating") as update:
        data = _Data(rows, weights, asked, update)
        scores = [_scored(data, held_out == fold, fold, n_folds, rng) for fold in range(n_folds)]
    counted = np.ones(len(rows)) if weights is None else weights
    mass = np.array([counted[held_out == fold].sum() for fold in range(n_folds)])
    cells = [_summed(cell, parts, mass, rows.shape[1]) for cell, *parts in zip(asked, *scores, strict=True)]
    cells.sort(key=_rank)
    if np.isnan(cells[0].mean):
        raise SelectionError(f"no candidate could be fitted in every fold; the first says: {cells[0].reason}")
    return CrossValidation(tuple(cells), n_folds)


@dataclass(frozen=True)
class _Data:
    rows: AnyArray
    weights: N | None
    cells: list[tuple[Structure, int]]
    told: Update


@dataclass(frozen=True)
class _Score:
    """A cell's mean log-likelihood of a row of one fold."""

    mean: float = np.nan
    is_degenerate: bool = False
    reason: str = ""


def _folds(rows: AnyArray, weights: N | None, n_folds: int, rng: np.random.Generator) -> IntN:
    """The fold (n,) of each row, drawn in sorted order, so that the order given does not matter."""
    keys = rows if weights is None else np.column_stack([rows, weights])
    fold_of = np.empty(len(rows), dtype=np.int64)
    fold_of[sorted_order(keys)] = rng.permutation(len(rows)) % n_folds
    return fold_of


def _scored(data: _Data, out: BoolK, fold: int, n_folds: int, rng: np.random.Generator) -> list[_Score]:
    """Every cell fitted to the rows that are not held out, and scored on those that are."""
    own = (None, None) if data.weights is None else (data.weights[~out], data.weights[out])
    structures = list(dict.fromkeys(structure for structure, _ in data.cells))
    source, most = source_of(data.rows[~out], own[0]), data.cells[-1][1]
    engine = AutomaticEngine(source.n_rows, len(structures) * most)
    training = Training.of(source, structures, most, _N_STARTS, engine, rng)
    found, total = [], n_folds * len(data.cells)
    for place, (structure, count) in enumerate(data.cells):
        name = f"{structure}, {count} components, fold {fold + 1}"
        data.told(fold * len(data.cells) + place, total, name)
        found.append(_score(training.fitted(structure, count), data.rows[out], own[1], fold))
    return found


def _score(cell: Cell, rows: AnyArray, weights: N | None, fold: int) -> _Score:
    candidate = cell.candidate
    if candidate.mixture is None:
        return _Score(reason=f"Without the rows of fold {fold + 1} it cannot be fitted: {candidate.reason}")
    try:
        values = candidate.mixture.log_density(rows)
    except GaussmixError as error:
        return _Score(reason=f"The rows of fold {fold + 1} cannot be scored: {error}")
    return _Score(float(np.average(values, weights=weights)), not candidate.is_eligible)


def _summed(cell: tuple[Structure, int], parts: list[_Score], mass: N, n_features: int) -> CrossValidated:
    """One cell's scores of all folds put together."""
    means = np.array([part.mean for part in parts])
    means.flags.writeable = False
    n_degenerate = sum(part.is_degenerate for part in parts)
    failed = next((part.reason for part in parts if part.reason), "")
    said = f"Degenerate in {n_degenerate} of {len(parts)} folds." if n_degenerate else ""
    error = float(means.std(ddof=1) / np.sqrt(len(means)))
    free = cell[0].n_mixture_parameters(cell[1], n_features)
    mean = float(np.average(means, weights=mass))
    return CrossValidated(*cell, mean, error, means, free, n_degenerate, failed or said)


def _rank(cell: CrossValidated) -> tuple[bool, bool, float, int]:
    """Sort key: sound, degenerate, failed; then held-out log-likelihood; then the fewer parameters."""
    # Structures that coincide differ by rounding alone; a relative grid lets the simpler name win.
    value = 0.0 if np.isnan(cell.mean) else -float(f"{cell.mean:.8g}")
    return np.isnan(cell.mean), cell.n_degenerate > 0, value, cell.n_parameters
