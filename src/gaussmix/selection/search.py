"""Model search: fit every structure with every number of components, and rank the mixtures by a criterion.

All structures start from the same partitions. They come from trees of the rows, which are made once and cut into each
number of groups. More starts come from k-means (in the data's units, in standard deviations) and random centers. A
failed candidate says why. A degenerate one (with a floored, empty or too small component) is listed but never chosen,
because its likelihood says nothing about the data. Finally the best candidates also start from the responsibilities
of other structures with as many components, because one structure may find what another misses. The neighbours of
the very best start from it with two components merged, or one split.

Candidates run in rounds. In each round those that may still win get twice as many iterations as before, until they
have converged. A candidate can hardly win if a hundred more iterations with the gain of the last one would leave it
more than 10 (very strong evidence) above the best criterion. Gains mostly decrease, so this overestimates what it can
reach. The best candidate always runs to convergence, and so do all with at most 300 rows. With more than 2 000 rows
(``search_problem.N_SCREENING_ROWS``) first runs use a sample. All criteria are those of all rows; the criterion of a
pruned candidate is slightly too high, and its outcome says that it is pruned.
"""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.core.input_arrays import column_names, parse_rows, parse_weights, require_observed_columns
from gaussmix.core.input_labels import parse_labels
from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import is_integer, require_integer
from gaussmix.core.threads import available_n_threads
from gaussmix.core.user_warnings import warn_user
from gaussmix.covariance.prior import DefaultPrior
from gaussmix.diagnostics import ColumnDiagnosis, diagnose_parsed_columns, keep_unmended_diagnoses
from gaussmix.engines.base import AbstractEngine
from gaussmix.engines.resolver import resolve_engine
from gaussmix.errors import DataWarning, DegenerateFitWarning, ParameterError, SelectionError
from gaussmix.selection.automatic_transform import AUTOMATIC_TRANSFORM, choose_transforms
from gaussmix.selection.candidates import Candidate, Selection, candidate_sort_key
from gaussmix.selection.criteria import CRITERIA
from gaussmix.selection.parallel_tasks import default_n_workers
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.search_problem import ModelOptions, SearchProblem
from gaussmix.selection.search_schedule import SearchPlan, run_search
from gaussmix.selection.validation import (
    parse_component_counts,
    parse_structures,
    require_rows_and_columns,
)
from gaussmix.solvers.initialization.completion import make_source_to_fit
from gaussmix.sources.base import AbstractSource
from gaussmix.transforms import TransformedRows, TransformLike
from gaussmix.types import ArrayLike

_DEFAULT_COUNTS = range(1, 10)


def select(
    X: ArrayLike,
    n_components: int | Iterable[int] | None = None,
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
    engine: str | AbstractEngine = "auto",
    transform: TransformLike = None,
) -> Selection:
    """Fit every structure with every number of components, and rank the mixtures by a criterion.

    Constant columns and linear functions of other columns are left out, as ``best.fit.notes`` says.

    With more than 300 rows, only candidates that may still win run to convergence; the outcome of the others says that
    they are pruned. With more than 2 000 rows, starts and first runs use a sample. All criteria are those of all rows.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of numbers; NaN is a missing cell, see `GaussianMixture.fit`.
    n_components : int or iterable of int, optional
        By default 1 to 9, and further up to 30 while the best candidate has the largest number. Candidates of more
        than one parameter per three rows are then left out.
    structures : 'all', a name, or a sequence of names
        mclust letters or scikit-learn's names. With one column, 'all' means EII and VII, which the others equal.
        Rescaling one column changes EII, VII, EVE, VVE, EEV and VEV; with a prior also EEI, VEI, EVI and VVI. It
        also changes the volume of noise.
    criterion : {'bic', 'icl', 'aic', 'aicc', 'sabic'}, default='bic'
        The criterion of the ranking; lower is better.
    sample_weight : array-like of shape (n,), optional
        How often each row counts.
    n_starts : int, default=1
        Partitions that every candidate starts from: first model-based hierarchical clustering as in mclust, then a
        tree that is invariant under linear maps, then k-means and random centers in turn. Eight starts find nearly
        all maxima that more starts find. The commands use 4, which takes longer and finds better fits.
    n_jobs : int, optional
        Candidates fitted in parallel; -1 means as many as this process has processors. This is the default up to
        100 000 rows. With more rows, all processors fit one candidate after the other. Results do not depend on it.
    random_state : int, Generator or None, default=0
    feature_names : sequence of str, optional
        By default the column names of a data frame.
    progress : bool or callable, optional
        True shows a progress bar on stderr (needs rich). A callable is called as
        ``progress(n_done, n_total, step_name)`` before each candidate.
    labels : array-like of shape (n,), optional
        Known components of rows, from 0, and -1 for unknown, or text, as in `GaussianMixture.fit`. Components keep
        these numbers. A candidate with too few components fails and says so.
    prior : {None, 'default'} or DefaultPrior, default=None
        The prior of means and covariances, as in `GaussianMixture`. As in mclust, criteria use the log-likelihood at
        the posterior mode, without the density of the prior.
    noise : bool or float, optional
        Adds a uniform noise component to every candidate, over the data's volume (True) or a given volume, as in
        `GaussianMixture`. It counts as two parameters. Candidates start from partitions of all rows, and from as many
        partitions of the rows without outliers.
    engine : {'auto', 'numpy', 'compiled'} or engine object, default='auto'
        What computes the passes over the rows, as in `GaussianMixture`.
    transform : {None, 'log1p', 'yeo-johnson', 'standardize', 'auto'} or mapping, default=None
        Transform of all columns, or a mapping from columns to transforms, as in `GaussianMixture`. Criteria are
        those of the data's units, so that searches with different transforms can be compared. 'auto': Yeo-Johnson
        for each skewed or heavy-tailed column that has a lower BIC with it, on its own.

    Returns
    -------
    Selection
        All candidates, best first; ``best.mixture`` is the chosen `Mixture`.

    Raises
    ------
    DataError
        If the rows, the weights or the labels are invalid.
    ParameterError
        If a parameter is invalid.
    SelectionError
        If no candidate can be fitted.

    Warns
    -----
    DataWarning
        Once, if no Gaussian describes some columns; ``Selection.column_notes`` name them and the next step.
    DegenerateFitWarning
        Once, instead, if every candidate is degenerate.
    """
    start_time = time.perf_counter()
    feature_names = column_names(X) if feature_names is None else feature_names
    data = _parse_search_data(X, sample_weight, labels, feature_names, prior, transform)
    source, n_rows = data.source, data.n_rows
    counts = parse_component_counts(_DEFAULT_COUNTS if n_components is None else n_components)
    allowed_text = "'all', a structure, or one or more of them"
    parsed_structures = parse_structures(structures, source.n_features, "structures", allowed_text)
    if criterion not in CRITERIA:
        raise ParameterError.invalid_choice("criterion", criterion, list(CRITERIA))
    require_integer("n_starts", n_starts, 1)
    n_workers, rng = _effective_n_jobs(n_jobs, n_rows), make_generator(random_state)
    engine = resolve_engine(engine, n_rows)
    options = ModelOptions(DefaultPrior.from_parameter(prior), noise)
    search_problem = SearchProblem.from_source(
        source, parsed_structures, counts[-1], n_starts, engine, rng, data.independent_names, options
    )
    plan = SearchPlan(search_problem, parsed_structures, counts, may_go_on=n_components is None)
    with make_progress_callback(progress, "fitting") as callback:
        candidates = data.restore_all_columns(run_search(plan, criterion, n_workers, callback))
    selection = _make_selection(candidates, criterion, start_time, data.column_diagnoses)
    _warn_of_doubtful_choice(selection)
    return selection


def _warn_of_doubtful_choice(selection: Selection) -> None:
    """Issue one warning if every candidate is degenerate, or if no Gaussian describes some columns."""
    best = selection.best
    if best.fit is not None and not best.is_eligible:
        warn_user(DegenerateFitWarning.every_candidate(best.name, best.fit.degeneracy, selection.column_notes))
    elif selection.column_notes:
        warn_user(DataWarning.columns_without_gaussian_shape(selection.column_notes))


class _SearchData(NamedTuple):
    """The rows to fit, as a source and transformed, and what leads from their columns back to all columns.

    These are the total weight, the names of all columns, the dependence of those left out, and the columns that no
    Gaussian describes.
    """

    source: AbstractSource
    transformed: TransformedRows
    total_weight: float
    feature_names: tuple[str, ...] | None
    dependence: ColumnDependence | None
    column_diagnoses: tuple[ColumnDiagnosis, ...]

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.transformed.rows)

    @property
    def independent_names(self) -> tuple[str, ...] | None:
        """The names of the columns to fit; None without names."""
        return self.feature_names if self.dependence is None else self.dependence.select_names(self.feature_names)

    def restore_all_columns(self, candidates: list[Candidate]) -> list[Candidate]:
        """Return the candidates with mixtures of all columns in the data's units, and notes on those left out."""
        return [
            candidate.with_transforms(self.transformed, self.total_weight).with_all_columns(
                self.dependence, self.feature_names
            )
            for candidate in candidates
        ]


def _parse_search_data(
    X: ArrayLike,
    sample_weight: ArrayLike | None,
    labels: ArrayLike | None,
    feature_names: Sequence[str] | None,
    prior: str | DefaultPrior | None,
    transform: TransformLike,
) -> _SearchData:
    """Return the validated, transformed rows, weights and labels as a source, without dependent columns.

    Prior parameters of the user are those of all columns, so that no column is left out.
    """
    rows = parse_rows(X, feature_names=feature_names, keep_float32=True, allow_missing=True)
    require_rows_and_columns(rows)
    require_observed_columns(rows, feature_names)
    names = _require_one_name_per_feature(feature_names, rows.shape[1])
    weights = parse_weights(sample_weight, len(rows))
    known_components = parse_labels(labels, len(rows), weights)
    label_prior = None if known_components is None else KnownComponents(known_components)
    diagnoses = diagnose_parsed_columns(rows, weights, names)
    if transform == AUTOMATIC_TRANSFORM:
        transform = choose_transforms(rows, weights, diagnoses)
    transformed = TransformedRows.from_rows(transform, rows, weights, names)
    diagnoses = keep_unmended_diagnoses(diagnoses, transformed.rows, weights)
    has_prior_parameters = isinstance(prior, DefaultPrior) and (prior.location is not None or prior.scale is not None)
    dependence = None if has_prior_parameters else find_column_dependence(transformed.rows, weights)
    if dependence is not None:
        transformed = transformed.keep_columns(dependence.independent)
    source = make_source_to_fit(transformed.rows, weights).with_label_prior(label_prior)
    total_weight = float(len(rows) if weights is None else weights.sum())
    return _SearchData(source, transformed, total_weight, names, dependence, diagnoses)


def _require_one_name_per_feature(feature_names: Sequence[str] | None, n_features: int) -> tuple[str, ...] | None:
    """Return the names as a tuple; raise ParameterError if their number is wrong."""
    if feature_names is not None and len(feature_names) != n_features:
        raise ParameterError.wrong_shape("feature_names", (len(feature_names),), (n_features,))
    return None if feature_names is None else tuple(feature_names)


def _effective_n_jobs(n_jobs: int | None, n_rows: int) -> int:
    """Return the number of candidates to fit in parallel; raise ParameterError if ``n_jobs`` is invalid."""
    if n_jobs is None:
        return default_n_workers(n_rows)
    if n_jobs == -1:
        return available_n_threads()
    if not is_integer(n_jobs, 1):
        allowed = "a whole number of at least 1, -1 for all processors, or None"
        raise ParameterError.invalid_value("n_jobs", n_jobs, allowed)
    return n_jobs


def _make_selection(
    candidates: list[Candidate], criterion: str, start_time: float, column_diagnoses: tuple[ColumnDiagnosis, ...]
) -> Selection:
    """Return the `Selection` of all candidates, best first; raise SelectionError if all failed.

    ``start_time`` is the value of ``time.perf_counter`` at the start of the search.
    """
    candidates = sorted(candidates, key=lambda candidate: candidate_sort_key(candidate, criterion))
    if candidates[0].fit is None:
        raise SelectionError.no_fit(candidates[0].rejection_reason)
    return Selection(criterion, tuple(candidates), time.perf_counter() - start_time, column_diagnoses)
