"""How many components, tested: the likelihood ratio of K and K + 1, against what it is where K is true.

The ratio does not follow a chi-square, since where K components are true, weight or place of one
more means nothing. So its distribution is found by drawing samples from the fitted K components and
fitting both to each (McLachlan, "On bootstrapping the likelihood ratio test statistic for
the number of components in a normal mixture", Applied Statistics 36, 1987). How K + 1 components
are sought, on the data and on samples, is a row of a table (``growing.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.input_arrays import column_names
from gaussmix.covariance.structure import Structure
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import DataError, ParameterError, SelectionError
from gaussmix.model.mixture import Mixture, change_frame
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.selection.extended_fits import SEARCH_STRATEGIES, ExtendedFit, SearchStrategy, fit_from_start
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.selection.validation import (
    make_generator,
    parse_fraction,
    parse_integer,
    parse_rows_and_weights,
)
from gaussmix.solvers.initialization.initial_mixture import initialize_from_labels
from gaussmix.types import Array, ArrayLike

_MAX_SAMPLES_PER_STATISTIC = 20  # samples drawn in place of one that has no sound fit


@dataclass(frozen=True, eq=False)
class BootstrapStep:
    """One test: are ``n_components`` enough, or is one more needed?

    ``statistic`` is twice the gain in log-likelihood (nats), ``bootstrap`` (B,) the same of the samples, ``mixture``
    the fitted null of ``n_components``, ``alternative`` the fit of one more.
    """

    n_components: int
    log_likelihood: float
    log_likelihood_alternative: float
    statistic: float
    p_value: float
    bootstrap_statistics: Array
    null_mixture: Mixture
    alternative_mixture: Mixture

    def __repr__(self) -> str:
        more = self.n_components + 1
        return f"{self.n_components} vs {more}: statistic {self.statistic:.6g}, p {self.p_value:.4g}"


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapTestResult:
    """The tests of 1 against 2 components, 2 against 3, and so on, and what they decide at ``level``.

    ``reason`` says why the tests ended; ``mixture`` is the fit of the decided number of components.
    """

    structure: Structure
    level: float
    steps: tuple[BootstrapStep, ...]
    n_components: int
    mixture: Mixture
    stop_reason: str

    def __repr__(self) -> str:
        lines = "".join(f"\n  {step!r}" for step in self.steps)
        count = f"{self.n_components} component{'' if self.n_components == 1 else 's'}"
        return f"BootstrapTestResult of {self.structure} at level {self.level:g}: {count}{lines}\n  {self.stop_reason}"

    def table(self) -> list[dict[str, object]]:
        """One row per test: numbers of components, log-likelihoods, statistic, p-value, samples, the decision."""
        return [
            {
                "n_components": step.n_components,
                "n_components_alternative": step.n_components + 1,
                "log_likelihood": step.log_likelihood,
                "log_likelihood_alternative": step.log_likelihood_alternative,
                "statistic": step.statistic,
                "p_value": step.p_value,
                "n_bootstrap": len(step.bootstrap_statistics),
                "rejected": step.p_value <= self.level,
            }
            for step in self.steps
        ]


def bootstrap_test(
    X: ArrayLike,
    structure: str = "VVV",
    max_components: int = 9,
    n_bootstrap: int = 999,
    level: float = 0.05,
    strategy: str = "hierarchical",
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> BootstrapTestResult:
    """Test one number of components after the other until one more does not explain the rows better.

    For K = 1, 2, ... the statistic is 2 (log L of K + 1 components - log L of K). Samples of as many rows are drawn
    from the fitted K components and both are fitted to each; p = (1 + samples whose statistic is at least as large) /
    (``n_bootstrap`` + 1). The first K with p above ``level`` is the answer. Fits that rest on the floor of the
    variance, or with a component of too few rows for a covariance, count neither here nor there.

    Parameters
    ----------
    X : array-like of shape (n, D)
        Rows of finite numbers.
    structure : str, default='VVV'
        mclust letters or one of scikit-learn's names.
    max_components : int, default=9
        The largest number that is tested against one more; at least 1.
    n_bootstrap : int, default=999
        Samples for each test; p cannot be less than 1 / (``n_bootstrap`` + 1). Each is fitted anew, so that 999 of
        some hundred rows take about a minute.
    level : float, default=0.05
        Between 0 and 1.
    strategy : {'hierarchical', 'thorough'}, default='hierarchical'
        How K + 1 components are sought. 'hierarchical', as mclust does: one start from a tree of the rows on the
        data, and from the data's fit on samples. 'thorough': from cut components and k-means, in the same way on data
        and samples, so that p is fair however high the maxima found; some four times the work, and it may find
        components that one start misses (on Old Faithful a third one, p = .002).
    sample_weight : array-like of shape (n,), optional
        How often each row counts; samples have as many rows as the weights add up to, rounded.
    random_state : int, Generator or None, default=0
    progress : bool or callable, optional
        True shows a bar on stderr (needs rich); a callable is called as ``progress(done, total, name)`` before each
        sample.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter cannot be used.
    SelectionError
        If one component already has no sound fit, or samples of a fit have none.

    References
    ----------
    McLachlan, Applied Statistics 36 (1987).
    """
    rows, weights = parse_rows_and_weights(X, sample_weight)
    shape = Structure.from_name(structure)
    if strategy not in SEARCH_STRATEGIES:
        raise ParameterError.invalid_choice("strategy", strategy, list(SEARCH_STRATEGIES))
    most = parse_integer("max_components", max_components, 1)
    draws, level = parse_integer("n_bootstrap", n_bootstrap, 1), parse_fraction("level", level)
    names = column_names(X)
    engine = AutomaticEngine(len(rows), draws)
    said = None if names is None else tuple(names)
    problem = Problem.from_source(make_memory_source(rows, weights), shape, engine=engine, feature_names=said)
    first = fit_from_start(problem, initialize_from_labels(problem, np.zeros(len(rows), dtype=np.int64), 1))
    if first is None:
        raise SelectionError(f"one component of {shape} has no sound fit: {_DEGENERATE_FIT_ADVICE}")
    with make_progress_callback(progress, "testing") as update:
        asked = _BootstrapOptions(problem, SEARCH_STRATEGIES[strategy], most, draws, level, update)
        return _run_tests(asked, first, make_generator(random_state))


_DEGENERATE_FIT_ADVICE = (
    "rows are too few, or equal in some direction; use more rows, fewer columns or a simpler structure"
)


@dataclass(frozen=True)
class _BootstrapOptions:
    problem: Problem
    strategy: SearchStrategy
    max_components: int
    n_bootstrap: int
    level: float
    progress_callback: ProgressCallback


def _run_tests(options: _BootstrapOptions, null_fit: ExtendedFit, rng: np.random.Generator) -> BootstrapTestResult:
    shape, steps = options.problem.covariance_estimator.structure, list[BootstrapStep]()
    reason = f"All of {options.max_components} tests were significant; raise max_components to go on."
    for count in range(1, options.max_components + 1):
        wider = _fit_alternative(options, null_fit, rng)
        if wider is None:
            reason = f"No sound fit of {count + 1} components was found, so more could not be tested."
            break
        steps.append(_run_step(options, null_fit, wider, rng))
        if steps[-1].p_value > options.level:
            reason = f"{count + 1} components do not explain the rows significantly better than {count}."
            if options.level * (options.n_bootstrap + 1) < 1.0:
                reason += f" With n_bootstrap={options.n_bootstrap} no p can be as low as {options.level:g}; raise it."
            break
        null_fit = wider
    return BootstrapTestResult(
        shape, options.level, tuple(steps), null_fit.mixture.n_components, null_fit.mixture, reason
    )


def _fit_alternative(options: _BootstrapOptions, null_fit: ExtendedFit, rng: np.random.Generator) -> ExtendedFit | None:
    """The data's fit of one component more; None where there is no sound one."""
    try:
        return options.strategy.fit_on_data(options.problem, null_fit.mixture, rng)
    except DataError:  # fewer distinct rows than components
        return None


def _run_step(
    options: _BootstrapOptions, null_fit: ExtendedFit, alternative_fit: ExtendedFit, rng: np.random.Generator
) -> BootstrapStep:
    count, total = null_fit.mixture.n_components, options.n_bootstrap
    statistic = max(0.0, 2.0 * (alternative_fit.log_likelihood - null_fit.log_likelihood))
    values = np.empty(total)
    for number, own in enumerate(_spawn_generators(rng, total)):
        options.progress_callback(number, total, f"{count} against {count + 1} components")
        values[number] = _bootstrap_statistic(options, null_fit.mixture, alternative_fit.mixture, own)
    p_value = (1 + int((values >= statistic).sum())) / (total + 1)
    values.flags.writeable = False
    found = (
        null_fit.log_likelihood,
        alternative_fit.log_likelihood,
        statistic,
        p_value,
        values,
        null_fit.mixture,
        alternative_fit.mixture,
    )
    return BootstrapStep(count, *found)


def _spawn_generators(rng: np.random.Generator, n_generators: int) -> list[np.random.Generator]:
    """One generator for each sample, so that the first ones are the same however many there are."""
    seed = int(rng.integers(2**63))
    return [np.random.default_rng([seed, number]) for number in range(n_generators)]


def _bootstrap_statistic(
    options: _BootstrapOptions, null_mixture: Mixture, alternative_mixture: Mixture, rng: np.random.Generator
) -> float:
    """Twice the gain of one component more on a sample of the null; another is drawn where a fit is not sound."""
    n_rows = max(1, round(options.problem.total_weight))
    for _ in range(_MAX_SAMPLES_PER_STATISTIC):
        drawn = make_memory_source(null_mixture.sample(n_rows, rng)[0])
        sample = Problem.from_source(
            drawn, options.problem.covariance_estimator.structure, engine=AutomaticEngine(n_rows, options.n_bootstrap)
        )
        frame = sample.source.frame
        narrow = fit_from_start(sample, change_frame(null_mixture, frame))
        wide = narrow and options.strategy.fit_on_sample(
            sample, narrow.mixture, change_frame(alternative_mixture, frame), rng
        )
        if narrow is not None and wide is not None:
            return max(0.0, 2.0 * (wide.log_likelihood - narrow.log_likelihood))
    raise SelectionError(
        f"{_MAX_SAMPLES_PER_STATISTIC} samples of {null_mixture.n_components} components had no sound fit "
        f"of one more: {_DEGENERATE_FIT_ADVICE}"
    )
