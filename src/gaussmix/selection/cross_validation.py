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
from gaussmix.model.problem import make_memory_source
from gaussmix.selection.candidate_runs import CandidateRun
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.search_problem import SearchProblem
from gaussmix.selection.validation import (
    make_generator,
    parse_component_counts,
    parse_integer,
    parse_rows_and_weights,
    parse_structures,
)
from gaussmix.solvers.initialization.distinct_rows import lexicographic_order
from gaussmix.types import AnyArray, Array, ArrayLike, BoolK, IntN, N

_N_STARTS = 3  # two trees and k-means


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidatedCandidate:
    """A structure and a number of components, and how well its fits foretold the rows held out.

    ``mean`` is the log-likelihood of a held-out row (nats, data units), weighted, over all rows; ``standard_error``
    that of the folds' means, ``folds`` (n_folds,). Where a fold could not be fitted all are NaN and ``reason`` says
    why. ``n_degenerate`` counts folds whose fit rests on the floor of the variance or has a component of too few rows.
    """

    structure: Structure
    n_components: int
    mean_log_likelihood: float
    standard_error: float
    fold_log_likelihoods: Array
    n_parameters: int
    n_degenerate_folds: int = 0
    rejection_reason: str = ""

    @property
    def name(self) -> str:
        return f"{self.structure},{self.n_components}"

    def __repr__(self) -> str:
        value = (
            "" if np.isnan(self.mean_log_likelihood) else f"{self.mean_log_likelihood:.6g} ± {self.standard_error:.2g}"
        )
        return f"CrossValidatedCandidate({self.name}: {' '.join(filter(None, [value, self.rejection_reason]))})"


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidationResult:
    """All cells, best first: sound ones by held-out log-likelihood, then degenerate ones, then failures."""

    candidates: tuple[CrossValidatedCandidate, ...]
    n_folds: int

    @property
    def best(self) -> CrossValidatedCandidate:
        """The cell that foretells best; a degenerate one only where there is no other."""
        return self.candidates[0]

    def __repr__(self) -> str:
        first = "".join(f"\n  {cell!r}" for cell in self.candidates[:5])
        more = len(self.candidates) - 5
        rest = f"\n  ... and {more} more in .table()" if more > 0 else ""
        return (
            f"CrossValidationResult in {self.n_folds} folds, log-likelihood of a held-out row, best first:{first}{rest}"
        )

    def table(self) -> list[dict[str, object]]:
        """One row per cell, best first."""
        return [
            {
                "structure": str(cell.structure),
                "n_components": cell.n_components,
                "mean_log_likelihood": None if np.isnan(cell.mean_log_likelihood) else cell.mean_log_likelihood,
                "standard_error": None if np.isnan(cell.mean_log_likelihood) else cell.standard_error,
                "n_degenerate_folds": cell.n_degenerate_folds,
                "rejection_reason": cell.rejection_reason,
            }
            for cell in self.candidates
        ]


def cross_validate_components(
    X: ArrayLike,
    n_components: int | Iterable[int] = range(1, 10),
    structures: str | Sequence[str] = ("VVV",),
    n_folds: int = 10,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> CrossValidationResult:
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
    rows, weights = parse_rows_and_weights(X, sample_weight)
    named, numbers = parse_structures(structures, rows.shape[1]), parse_component_counts(n_components)
    asked = [(structure, count) for count in numbers for structure in named]
    n_folds = parse_integer("n_folds", n_folds, 2)
    if n_folds > len(rows):
        raise ParameterError.invalid_value("n_folds", n_folds, f"at most {len(rows)}, the number of rows that count")
    rng = make_generator(random_state)
    held_out = _assign_folds(rows, weights, n_folds, rng)
    with make_progress_callback(progress, "cross-validating") as update:
        data = _CrossValidationData(rows, weights, asked, update)
        scores = [_score_fold(data, held_out == fold, fold, n_folds, rng) for fold in range(n_folds)]
    counted = np.ones(len(rows)) if weights is None else weights
    mass = np.array([counted[held_out == fold].sum() for fold in range(n_folds)])
    cells = [
        _combine_fold_scores(cell, parts, mass, rows.shape[1]) for cell, *parts in zip(asked, *scores, strict=True)
    ]
    cells.sort(key=_candidate_sort_key)
    if np.isnan(cells[0].mean_log_likelihood):
        raise SelectionError(f"no candidate could be fitted in every fold; the first says: {cells[0].rejection_reason}")
    return CrossValidationResult(tuple(cells), n_folds)


@dataclass(frozen=True)
class _CrossValidationData:
    rows: AnyArray
    weights: N | None
    candidate_keys: list[tuple[Structure, int]]
    progress_callback: ProgressCallback


@dataclass(frozen=True)
class _FoldScore:
    """A cell's mean log-likelihood of a row of one fold."""

    mean_log_likelihood: float = np.nan
    is_degenerate: bool = False
    failure_reason: str = ""


def _assign_folds(rows: AnyArray, weights: N | None, n_folds: int, rng: np.random.Generator) -> IntN:
    """The fold (n,) of each row, drawn in sorted order, so that the order given does not matter."""
    keys = rows if weights is None else np.column_stack([rows, weights])
    fold_of = np.empty(len(rows), dtype=np.int64)
    fold_of[lexicographic_order(keys)] = rng.permutation(len(rows)) % n_folds
    return fold_of


def _score_fold(
    data: _CrossValidationData, is_held_out: BoolK, fold: int, n_folds: int, rng: np.random.Generator
) -> list[_FoldScore]:
    """Every cell fitted to the rows that are not held out, and scored on those that are."""
    own = (None, None) if data.weights is None else (data.weights[~is_held_out], data.weights[is_held_out])
    structures = list(dict.fromkeys(structure for structure, _ in data.candidate_keys))
    source, most = make_memory_source(data.rows[~is_held_out], own[0]), data.candidate_keys[-1][1]
    engine = AutomaticEngine(source.n_rows, len(structures) * most)
    training = SearchProblem.from_source(source, structures, most, _N_STARTS, engine, rng)
    found, total = [], n_folds * len(data.candidate_keys)
    for place, (structure, count) in enumerate(data.candidate_keys):
        name = f"{structure}, {count} components, fold {fold + 1}"
        data.progress_callback(fold * len(data.candidate_keys) + place, total, name)
        found.append(_score_candidate(training.fit_candidate(structure, count), data.rows[is_held_out], own[1], fold))
    return found


def _score_candidate(
    candidate_run: CandidateRun, held_out_rows: AnyArray, held_out_weights: N | None, fold: int
) -> _FoldScore:
    candidate = candidate_run.candidate
    if candidate.mixture is None:
        return _FoldScore(
            failure_reason=f"Without the rows of fold {fold + 1} it cannot be fitted: {candidate.rejection_reason}"
        )
    try:
        values = candidate.mixture.logpdf(held_out_rows)
    except GaussmixError as error:
        return _FoldScore(failure_reason=f"The rows of fold {fold + 1} cannot be scored: {error}")
    return _FoldScore(float(np.average(values, weights=held_out_weights)), not candidate.is_eligible)


def _combine_fold_scores(
    candidate_key: tuple[Structure, int], fold_scores: list[_FoldScore], fold_weights: N, n_features: int
) -> CrossValidatedCandidate:
    """One cell's scores of all folds put together."""
    means = np.array([part.mean_log_likelihood for part in fold_scores])
    means.flags.writeable = False
    n_degenerate = sum(part.is_degenerate for part in fold_scores)
    failed = next((part.failure_reason for part in fold_scores if part.failure_reason), "")
    said = f"Degenerate in {n_degenerate} of {len(fold_scores)} folds." if n_degenerate else ""
    error = float(means.std(ddof=1) / np.sqrt(len(means)))
    free = candidate_key[0].n_mixture_parameters(candidate_key[1], n_features)
    mean = float(np.average(means, weights=fold_weights))
    return CrossValidatedCandidate(*candidate_key, mean, error, means, free, n_degenerate, failed or said)


def _candidate_sort_key(candidate: CrossValidatedCandidate) -> tuple[bool, bool, float, int]:
    """Sort key: sound, degenerate, failed; then held-out log-likelihood; then the fewer parameters."""
    # Structures that coincide differ by rounding alone; a relative grid lets the simpler name win.
    value = 0.0 if np.isnan(candidate.mean_log_likelihood) else -float(f"{candidate.mean_log_likelihood:.8g}")
    return np.isnan(candidate.mean_log_likelihood), candidate.n_degenerate_folds > 0, value, candidate.n_parameters
