"""Bootstrap likelihood ratio test of the number of components: K against K + 1.

The likelihood ratio statistic has no chi-square distribution, because the weight or the parameters of component K + 1
are not identified when K components are true. The test therefore draws samples from the fitted K components and fits
both models to each sample. ``extended_fits.py`` holds the ways to fit K + 1 components.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.core.input_arrays import column_names, has_missing_cells
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import require_integer
from gaussmix.covariance.structure import Structure
from gaussmix.engines.base import AbstractEngine
from gaussmix.engines.resolver import resolve_engine
from gaussmix.errors import DataError, ParameterError, SelectionError
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.selection.bootstrap_result import BootstrapStep, BootstrapTestResult
from gaussmix.selection.extended_fits import SEARCH_STRATEGIES, NondegenerateFit, SearchStrategy, fit_from_start
from gaussmix.selection.parallel_tasks import default_n_workers, iterate_results
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.validation import parse_fraction_in_open_interval, parse_rows_of_positive_weight
from gaussmix.solvers.initialization.completion import make_source_to_fit
from gaussmix.solvers.initialization.initial_mixture import initialize_from_labels
from gaussmix.types import ArrayLike, BoolND

# Samples drawn for one bootstrap statistic before the test gives up on finding a nondegenerate fit.
_MAX_SAMPLES_PER_STATISTIC = 20
_MIN_MISSED_STATISTIC = 0.5  # by which a thorough search must exceed a statistic to be mentioned


def bootstrap_test(
    X: ArrayLike,
    structure: str = "VVV",
    max_components: int = 9,
    n_bootstrap: int = 999,
    level: float = 0.05,
    strategy: str = "hierarchical",
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
    progress: bool | ProgressCallback | None = None,
    engine: str | AbstractEngine = "auto",
) -> BootstrapTestResult:
    """Test 1, 2, ... components against one more until one more is not significant.

    The statistic is 2 (log L of K + 1 components - log L of K). Samples of as many rows are drawn from the fitted K
    components, and both models are fitted to each. The p-value is (1 + number of samples with at least as large a
    statistic) / (``n_bootstrap`` + 1). The first K with a p-value above ``level`` is the result. Degenerate fits,
    with a floored variance or a component of too few rows, do not count.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of numbers; NaN is a missing cell. Samples of the bootstrap then have the gaps of random rows.
    structure : str, default='VVV'
        mclust letters or one of scikit-learn's names.
    max_components : int, default=9
        The largest number of components to test against one more; at least 1.
    n_bootstrap : int, default=999
        Samples per test; no p-value is below 1 / (``n_bootstrap`` + 1). Each sample needs two fits: 999 samples of
        some hundred rows take about a minute.
    level : float, default=0.05
        The level of significance, above 0 and below 1.
    strategy : {'hierarchical', 'thorough'}, default='hierarchical'
        How K + 1 components are fitted. 'hierarchical' is mclust's way: one start from a tree of the rows on the
        data, and from the data's fit on samples. 'thorough' starts from split components and k-means, equally on
        data and samples. Its p-values stay fair however high the maxima are, at about four times the work. It may
        find components that one start misses (on Old Faithful a third one, p = .002).
    sample_weight : array-like of shape (n,), optional
        How often each row counts. Samples have as many rows as the weights add up to, rounded.
    random_state : int, Generator or None, default=0
    progress : bool or callable, optional
        True shows a progress bar on stderr (needs rich). A callable is called as
        ``progress(n_done, n_total, step_name)`` before each sample.
    engine : {'auto', 'numpy', 'compiled'} or engine object, default='auto'
        What computes the passes over the rows, as in `GaussianMixture`.

    Returns
    -------
    BootstrapTestResult

    Raises
    ------
    DataError
        If the rows or the weights are invalid.
    ParameterError
        If a parameter is invalid.
    SelectionError
        If one component, or every sample of a fit, has only degenerate fits.

    References
    ----------
    McLachlan, "On bootstrapping the likelihood ratio test statistic for the number of components in a normal
    mixture", Applied Statistics 36 (1987).
    """
    rows, weights = parse_rows_of_positive_weight(X, sample_weight, allow_missing=True)
    parsed_structure = Structure.from_name(structure)
    if strategy not in SEARCH_STRATEGIES:
        raise ParameterError.invalid_choice("strategy", strategy, list(SEARCH_STRATEGIES))
    max_components = require_integer("max_components", max_components, 1)
    n_bootstrap, level = require_integer("n_bootstrap", n_bootstrap, 1), parse_fraction_in_open_interval("level", level)
    listed_names = column_names(X)
    names = None if listed_names is None else tuple(listed_names)
    dependence = find_column_dependence(rows)
    if dependence is not None:
        rows = dependence.select_independent(rows)
    problem = Problem.from_source(
        make_source_to_fit(rows, weights),
        parsed_structure,
        engine=resolve_engine(engine, len(rows)),
        feature_names=names if dependence is None else dependence.select_names(names),
    )
    is_missing = np.isnan(rows) if has_missing_cells(rows) else None
    first_fit = fit_from_start(problem, initialize_from_labels(problem, np.zeros(len(rows), dtype=np.int64), 1))
    if first_fit is None:
        raise SelectionError.degenerate_single_component(str(parsed_structure))
    with make_progress_callback(progress, "testing") as callback:
        options = _BootstrapOptions(
            problem, is_missing, SEARCH_STRATEGIES[strategy], max_components, n_bootstrap, level, callback
        )
        result = _run_tests_until_not_significant(options, first_fit, make_generator(random_state))
    return result.with_all_columns(dependence, names)


@dataclass(frozen=True)
class _BootstrapOptions:
    """The problem to fit and the parsed parameters of `bootstrap_test`.

    ``is_missing`` (n, D) says which cells are missing; None if none is.
    """

    problem: Problem
    is_missing: BoolND | None
    strategy: SearchStrategy
    max_components: int
    n_bootstrap: int
    level: float
    progress_callback: ProgressCallback

    @property
    def structure(self) -> Structure:
        """The covariance structure of every fit."""
        return self.problem.covariance_estimator.structure


def _run_tests_until_not_significant(
    options: _BootstrapOptions, one_component_fit: NondegenerateFit, rng: np.random.Generator
) -> BootstrapTestResult:
    """Test K components against K + 1 for K = 1, 2, ... until a test is not significant."""
    null_fit, steps = one_component_fit, list[BootstrapStep]()
    stop_reason = f"All of {options.max_components} tests were significant; raise max_components to go on."
    for n_components in range(1, options.max_components + 1):
        alternative_fit = _fit_k_plus_1_to_data(options, null_fit, rng)
        if alternative_fit is None:
            stop_reason = f"{n_components + 1} components have only degenerate fits, so the tests end here."
            break
        steps.append(_test_against_k_plus_1(options, null_fit, alternative_fit, rng))
        if steps[-1].p_value > options.level:
            stop_reason = _format_not_significant_reason(options, n_components)
            stop_reason += _format_missed_maximum(options, null_fit, steps[-1].statistic, rng)
            break
        null_fit = alternative_fit
    mixture = null_fit.mixture
    return BootstrapTestResult(
        options.structure, options.level, tuple(steps), mixture.n_components, mixture, stop_reason
    )


def _format_not_significant_reason(options: _BootstrapOptions, n_components: int) -> str:
    """Return the reason to stop after a test of ``n_components`` against one more that is not significant."""
    reason = f"{n_components + 1} components do not explain the rows significantly better than {n_components}."
    if options.level * (options.n_bootstrap + 1) >= 1.0:
        return reason
    return f"{reason} With n_bootstrap={options.n_bootstrap} no p can be as low as {options.level:g}; raise it."


def _format_missed_maximum(
    options: _BootstrapOptions, null_fit: NondegenerateFit, statistic: float, rng: np.random.Generator
) -> str:
    """Return a sentence on a much higher maximum that a thorough search of the data finds; empty if there is none."""
    thorough = _fit_k_plus_1_to_data(replace(options, strategy=SEARCH_STRATEGIES["thorough"]), null_fit, rng)
    if thorough is None:
        return ""
    reachable = 2.0 * (thorough.log_likelihood - null_fit.log_likelihood)
    if reachable <= statistic + _MIN_MISSED_STATISTIC:
        return ""
    return (
        f" A thorough search of the data reaches a statistic of {reachable:.4g} instead of {statistic:.4g}; "
        "strategy='thorough' tests it."
    )


def _fit_k_plus_1_to_data(
    options: _BootstrapOptions, null_fit: NondegenerateFit, rng: np.random.Generator
) -> NondegenerateFit | None:
    """Return a fit to the data of one component more than ``null_fit`` has; None if every fit is degenerate."""
    try:
        return options.strategy.fit_on_data(options.problem, null_fit.mixture, rng)
    except DataError:  # fewer distinct rows than components
        return None


def _test_against_k_plus_1(
    options: _BootstrapOptions, null_fit: NondegenerateFit, alternative_fit: NondegenerateFit, rng: np.random.Generator
) -> BootstrapStep:
    """Return the bootstrap test of a fit against the fit of one component more, with its p-value."""
    n_components, n_bootstrap = null_fit.mixture.n_components, options.n_bootstrap
    statistic = max(0.0, 2.0 * (alternative_fit.log_likelihood - null_fit.log_likelihood))
    bootstrap_statistics = np.empty(n_bootstrap)
    tasks = [
        partial(_draw_bootstrap_statistic, options, null_fit.mixture, alternative_fit.mixture, sample_rng)
        for sample_rng in _spawn_generators(rng, n_bootstrap)
    ]
    for number, value in enumerate(iterate_results(tasks, default_n_workers(options.problem.n_rows))):
        options.progress_callback(number, n_bootstrap, f"{n_components} against {n_components + 1} components")
        bootstrap_statistics[number] = value
    bootstrap_statistics.flags.writeable = False
    return BootstrapStep(
        n_components,
        null_fit.log_likelihood,
        alternative_fit.log_likelihood,
        statistic,
        (1 + int((bootstrap_statistics >= statistic).sum())) / (n_bootstrap + 1),
        bootstrap_statistics,
        null_fit.mixture,
        alternative_fit.mixture,
    )


def _spawn_generators(rng: np.random.Generator, n_generators: int) -> list[np.random.Generator]:
    """Draw a seed from ``rng`` and return generators from it; the first ones do not depend on ``n_generators``."""
    seed = int(rng.integers(2**63))
    return [np.random.default_rng([seed, number]) for number in range(n_generators)]


def _draw_bootstrap_statistic(
    options: _BootstrapOptions, null_mixture: Mixture, alternative_mixture: Mixture, rng: np.random.Generator
) -> float:
    """Draw a sample of the null mixture, fit both models to it, and return the likelihood ratio statistic.

    Draw another sample if a fit is degenerate; raise SelectionError after too many.
    """
    n_rows = max(1, round(options.problem.total_weight))
    for _ in range(_MAX_SAMPLES_PER_STATISTIC):
        # Samples are like the data, also in their gaps, so that frame and variance floor of the data suit them.
        rows = null_mixture.sample(n_rows, rng)[0]
        if options.is_missing is not None:
            rows[options.is_missing[rng.integers(len(options.is_missing), size=n_rows)]] = np.nan
        problem = options.problem.on_source(make_source_to_fit(rows, None))
        null_fit = fit_from_start(problem, null_mixture)
        if null_fit is not None:
            alternative_fit = options.strategy.fit_on_sample(problem, null_fit.mixture, alternative_mixture, rng)
            if alternative_fit is not None:
                return max(0.0, 2.0 * (alternative_fit.log_likelihood - null_fit.log_likelihood))
    raise SelectionError.degenerate_bootstrap_fits(_MAX_SAMPLES_PER_STATISTIC, null_mixture.n_components)
