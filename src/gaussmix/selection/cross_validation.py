"""Cross-validated log-likelihood of mixtures.

An unneeded component raises the log-likelihood of the training rows and lowers that of other rows. So the
log-likelihood of held-out rows needs no penalty on parameters (Smyth, "Model selection for probabilistic clustering
using cross-validated likelihood", Statistics and Computing 10, 2000).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import require_integer
from gaussmix.covariance.structure import Structure
from gaussmix.engines.base import AbstractEngine
from gaussmix.engines.resolver import resolve_engine
from gaussmix.errors import GaussmixError, ParameterError, SelectionError
from gaussmix.selection.candidates import Candidate
from gaussmix.selection.parallel_tasks import default_n_workers, iterate_results
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.search_problem import SearchProblem
from gaussmix.selection.validation import (
    parse_component_counts,
    parse_rows_of_positive_weight,
    parse_structures,
)
from gaussmix.solvers.initialization.completion import make_source_to_fit
from gaussmix.solvers.initialization.distinct_rows import lexicographic_order
from gaussmix.types import AnyArray, Array, ArrayLike, BoolN, IntN, N

_N_STARTS = 3  # two trees and k-means

CandidateKey = tuple[Structure, int]  # a structure and a number of components


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidatedCandidate:
    """One structure with one number of components, and the log-likelihood of the rows held out from its fits.

    Attributes
    ----------
    structure : Structure
    n_components : int
    mean_log_likelihood : float
        Weighted mean over all held-out rows (nats per row, data units); NaN if a fold cannot be fitted.
    standard_error : float
        Of the mean of the folds' means.
    fold_log_likelihoods : ndarray of shape (n_folds,)
        Mean log-likelihood of the rows of each fold.
    n_parameters : int
    n_degenerate_folds : int
        Folds whose fit has a floored variance or a component of too few rows.
    rejection_reason : str
        Why the candidate failed or how often it is degenerate; empty otherwise.
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
        """Structure and number of components, such as 'VVV,3'."""
        return f"{self.structure},{self.n_components}"

    @property
    def has_failed(self) -> bool:
        """Whether the mixture cannot be fitted or scored in a fold."""
        return bool(np.isnan(self.mean_log_likelihood))

    def __repr__(self) -> str:
        value = "" if self.has_failed else f"{self.mean_log_likelihood:.6g} ± {self.standard_error:.2g}"
        return f"CrossValidatedCandidate({self.name}: {' '.join(filter(None, [value, self.rejection_reason]))})"


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidationResult:
    """All candidates, best first: by held-out log-likelihood, then degenerate ones, then failures."""

    candidates: tuple[CrossValidatedCandidate, ...]
    n_folds: int

    @property
    def best(self) -> CrossValidatedCandidate:
        """The candidate with the highest held-out log-likelihood; degenerate only if all others are, too."""
        return self.candidates[0]

    def __repr__(self) -> str:
        first_lines = "".join(f"\n  {candidate!r}" for candidate in self.candidates[:5])
        n_more = len(self.candidates) - 5
        last_line = f"\n  ... and {n_more} more in .table()" if n_more > 0 else ""
        title = f"CrossValidationResult in {self.n_folds} folds, log-likelihood of a held-out row, best first:"
        return f"{title}{first_lines}{last_line}"

    def table(self) -> list[dict[str, object]]:
        """Return one dict per candidate, best first, with its held-out log-likelihood and standard error."""
        return [
            {
                "structure": str(candidate.structure),
                "n_components": candidate.n_components,
                "mean_log_likelihood": None if candidate.has_failed else candidate.mean_log_likelihood,
                "standard_error": None if candidate.has_failed else candidate.standard_error,
                "n_degenerate_folds": candidate.n_degenerate_folds,
                "rejection_reason": candidate.rejection_reason,
            }
            for candidate in self.candidates
        ]


def cross_validate_components(
    X: ArrayLike,
    n_components: int | Iterable[int] = range(1, 10),
    structures: str | Sequence[str] = ("VVV",),
    n_folds: int = 10,
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
    progress: bool | ProgressCallback | None = None,
    engine: str | AbstractEngine = "auto",
) -> CrossValidationResult:
    """Fit every structure and number of components to all folds but one, and score the rows of that fold.

    Each fold is held out once. Folds are random and differ in size by one row at most; the order of the rows does not
    change them. All candidates share the folds, so differences between them are more certain than their standard
    errors suggest. Columns that are linear functions of the others are left out, as in `select`.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of numbers; NaN is a missing cell.
    n_components : int or iterable of int, default=1..9
    structures : 'all', a name, or a sequence of names, default=('VVV',)
        mclust letters or scikit-learn's names. With one column, 'all' means EII and VII, which the others equal.
    n_folds : int, default=10
        At least 2, at most the number of rows.
    sample_weight : array-like of shape (n,), optional
        How often each row counts, in fits and in scores. A fold holds whole rows.
    random_state : int, Generator or None, default=0
    progress : bool or callable, optional
        True shows a progress bar on stderr (needs rich). A callable is called as
        ``progress(n_done, n_total, step_name)`` before each fit.
    engine : {'auto', 'numpy', 'compiled'} or engine object, default='auto'
        What computes the passes over the rows, as in `GaussianMixture`.

    Returns
    -------
    CrossValidationResult

    Raises
    ------
    DataError
        If the rows or the weights are invalid.
    ParameterError
        If a parameter is invalid.
    SelectionError
        If every candidate fails in a fold.

    References
    ----------
    Smyth, Statistics and Computing 10 (2000).
    """
    rows, weights = parse_rows_of_positive_weight(X, sample_weight, allow_missing=True)
    dependence = find_column_dependence(rows)
    if dependence is not None:
        rows = dependence.select_independent(rows)
    parsed_structures, counts = parse_structures(structures, rows.shape[1]), parse_component_counts(n_components)
    keys = [(structure, count) for count in counts for structure in parsed_structures]
    n_folds = require_integer("n_folds", n_folds, 2)
    if n_folds > len(rows):
        allowed = f"at most {len(rows)}, the number of rows with positive weight"
        raise ParameterError.invalid_value("n_folds", n_folds, allowed)
    rng = make_generator(random_state)
    fold_of_row = _assign_folds(rows, weights, n_folds, rng)
    with make_progress_callback(progress, "cross-validating") as callback:
        data = _CrossValidationData(rows, weights, keys, n_folds, callback, engine)
        scores = [_fit_and_score_fold(data, fold_of_row == fold, fold, rng) for fold in range(n_folds)]
    row_weights = np.ones(len(rows)) if weights is None else weights
    fold_weights = np.array([row_weights[fold_of_row == fold].sum() for fold in range(n_folds)])
    candidates = [
        _combine_fold_scores(key, fold_scores, fold_weights, rows.shape[1])
        for key, *fold_scores in zip(keys, *scores, strict=True)
    ]
    candidates.sort(key=_candidate_sort_key)
    if candidates[0].has_failed:
        raise SelectionError.no_fit_in_every_fold(candidates[0].rejection_reason)
    return CrossValidationResult(tuple(candidates), n_folds)


@dataclass(frozen=True)
class _CrossValidationData:
    """The rows with their weights (None for one each), the candidates, and who hears of the progress."""

    rows: AnyArray
    weights: N | None
    candidate_keys: list[CandidateKey]
    n_folds: int
    progress_callback: ProgressCallback
    engine: str | AbstractEngine


@dataclass(frozen=True)
class _FoldScore:
    """The mean log-likelihood of the held-out rows of one fold under one candidate."""

    mean_log_likelihood: float = np.nan
    is_degenerate: bool = False
    failure_reason: str = ""


def _assign_folds(rows: AnyArray, weights: N | None, n_folds: int, rng: np.random.Generator) -> IntN:
    """Return a random fold (n,) for each row, from 0; folds differ in size by one row at most.

    They are drawn in the sorted order of the rows, so the order of the rows does not matter.
    """
    sort_columns = rows if weights is None else np.column_stack([rows, weights])
    fold_of_row = np.empty(len(rows), dtype=np.int64)
    fold_of_row[lexicographic_order(sort_columns)] = rng.permutation(len(rows)) % n_folds
    return fold_of_row


def _fit_and_score_fold(
    data: _CrossValidationData, is_held_out: BoolN, fold: int, rng: np.random.Generator
) -> list[_FoldScore]:
    """Fit every candidate to the rows that are not held out; return its score on those that are, one per candidate."""
    weights = (None, None) if data.weights is None else (data.weights[~is_held_out], data.weights[is_held_out])
    structures = list(dict.fromkeys(structure for structure, _ in data.candidate_keys))
    source, max_components = make_source_to_fit(data.rows[~is_held_out], weights[0]), data.candidate_keys[-1][1]
    engine = resolve_engine(data.engine, int((~is_held_out).sum()))
    search_problem = SearchProblem.from_source(source, structures, max_components, _N_STARTS, engine, rng)
    scores, n_keys = list[_FoldScore](), len(data.candidate_keys)
    tasks = (search_problem.make_fit_task(structure, count) for structure, count in data.candidate_keys)
    for candidate in iterate_results(tasks, default_n_workers(len(data.rows))):
        step_name = f"{candidate.structure}, {candidate.n_components} components, fold {fold + 1}"
        data.progress_callback(fold * n_keys + len(scores), data.n_folds * n_keys, step_name)
        scores.append(_score_held_out_rows(candidate, data.rows[is_held_out], weights[1], fold))
    return scores


def _score_held_out_rows(
    candidate: Candidate, held_out_rows: AnyArray, held_out_weights: N | None, fold: int
) -> _FoldScore:
    """Return the mean log-likelihood of held-out rows under a candidate, or why it cannot be computed."""
    if candidate.mixture is None:
        return _FoldScore(
            failure_reason=f"Without the rows of fold {fold + 1} it cannot be fitted: {candidate.rejection_reason}"
        )
    try:
        log_densities = candidate.mixture.logpdf(held_out_rows)
    except GaussmixError as error:
        return _FoldScore(failure_reason=f"The rows of fold {fold + 1} cannot be scored: {error}")
    return _FoldScore(float(np.average(log_densities, weights=held_out_weights)), not candidate.is_eligible)


def _combine_fold_scores(
    candidate_key: CandidateKey, fold_scores: list[_FoldScore], fold_weights: N, n_features: int
) -> CrossValidatedCandidate:
    """Return a candidate with its mean score over all folds, the standard error, and the reason of a failure."""
    means = np.array([score.mean_log_likelihood for score in fold_scores])
    means.flags.writeable = False
    n_degenerate = sum(score.is_degenerate for score in fold_scores)
    failure_reason = next((score.failure_reason for score in fold_scores if score.failure_reason), "")
    degenerate_note = f"Degenerate in {n_degenerate} of {len(fold_scores)} folds." if n_degenerate else ""
    structure, n_components = candidate_key
    return CrossValidatedCandidate(
        structure,
        n_components,
        mean_log_likelihood=float(np.average(means, weights=fold_weights)),
        standard_error=float(means.std(ddof=1) / np.sqrt(len(means))),
        fold_log_likelihoods=means,
        n_parameters=structure.n_mixture_parameters(n_components, n_features),
        n_degenerate_folds=n_degenerate,
        rejection_reason=failure_reason or degenerate_note,
    )


def _candidate_sort_key(candidate: CrossValidatedCandidate) -> tuple[bool, bool, float, int]:
    """Return the key that sorts candidates best first: failed, degenerate, -held-out log-likelihood, n_parameters."""
    # Structures with equal densities differ by rounding only. Eight digits make them tie, so fewer parameters win.
    value = 0.0 if candidate.has_failed else -float(f"{candidate.mean_log_likelihood:.8g}")
    return candidate.has_failed, candidate.n_degenerate_folds > 0, value, candidate.n_parameters
