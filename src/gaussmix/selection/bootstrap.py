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

from gaussmix.core.arrays import column_names
from gaussmix.covariance.structure import Structure
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import DataError, ParameterError, SelectionError
from gaussmix.model.mixture import Mixture, reframed
from gaussmix.model.problem import Problem, source_of
from gaussmix.selection.asked import generator_of, rows_and_weights, share, told, whole_number
from gaussmix.selection.bar import Update
from gaussmix.selection.growing import SEARCHES, Grown, Search, refitted
from gaussmix.solvers.start.given import from_labels
from gaussmix.types import Array, ArrayLike

_MOST_TRIES = 20  # samples drawn in place of one that has no sound fit


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
    bootstrap: Array
    mixture: Mixture
    alternative: Mixture

    def __repr__(self) -> str:
        more = self.n_components + 1
        return f"{self.n_components} vs {more}: statistic {self.statistic:.6g}, p {self.p_value:.4g}"


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapTest:
    """The tests of 1 against 2 components, 2 against 3, and so on, and what they decide at ``level``.

    ``reason`` says why the tests ended; ``mixture`` is the fit of the decided number of components.
    """

    structure: Structure
    level: float
    steps: tuple[BootstrapStep, ...]
    n_components: int
    mixture: Mixture
    reason: str

    def __repr__(self) -> str:
        lines = "".join(f"\n  {step!r}" for step in self.steps)
        count = f"{self.n_components} component{'' if self.n_components == 1 else 's'}"
        return f"BootstrapTest of {self.structure} at level {self.level:g}: {count}{lines}\n  {self.reason}"

    def table(self) -> list[dict[str, object]]:
        """One row per test: numbers of components, log-likelihoods, statistic, p-value, samples, the decision."""
        return [
            {
                "n_components": step.n_components,
                "alternative": step.n_components + 1,
                "log_likelihood": step.log_likelihood,
                "log_likelihood_alternative": step.log_likelihood_alternative,
                "statistic": step.statistic,
                "p_value": step.p_value,
                "n_bootstrap": len(step.bootstrap),
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
    search: str = "hierarchical",
    sample_weight: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> BootstrapTest:
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
    search : {'hierarchical', 'thorough'}, default='hierarchical'
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
    rows, weights = rows_and_weights(X, sample_weight)
    shape = Structure.parse(structure)
    if search not in SEARCHES:
        raise ParameterError.choice("search", search, list(SEARCHES))
    most = whole_number("max_components", max_components, 1)
    draws, level = whole_number("n_bootstrap", n_bootstrap, 1), share("level", level)
    names = column_names(X)
    engine = AutomaticEngine(len(rows), draws)
    said = None if names is None else tuple(names)
    problem = Problem.of(source_of(rows, weights), shape, engine=engine, feature_names=said)
    first = refitted(problem, from_labels(problem, np.zeros(len(rows), dtype=np.int64), 1))
    if first is None:
        raise SelectionError(f"one component of {shape} has no sound fit: {_UNSOUND}")
    with told(progress, "testing") as update:
        asked = _Question(problem, SEARCHES[search], most, draws, level, update)
        return _tested(asked, first, generator_of(random_state))


_UNSOUND = "rows are too few, or equal in some direction; use more rows, fewer columns or a simpler structure"


@dataclass(frozen=True)
class _Question:
    problem: Problem
    search: Search
    max_components: int
    n_bootstrap: int
    level: float
    told: Update


def _tested(asked: _Question, null: Grown, rng: np.random.Generator) -> BootstrapTest:
    shape, steps = asked.problem.family.structure, list[BootstrapStep]()
    reason = f"All of {asked.max_components} tests were significant; raise max_components to go on."
    for count in range(1, asked.max_components + 1):
        wider = _wider(asked, null, rng)
        if wider is None:
            reason = f"No sound fit of {count + 1} components was found, so more could not be tested."
            break
        steps.append(_step(asked, null, wider, rng))
        if steps[-1].p_value > asked.level:
            reason = f"{count + 1} components do not explain the rows significantly better than {count}."
            if asked.level * (asked.n_bootstrap + 1) < 1.0:
                reason += f" With n_bootstrap={asked.n_bootstrap} no p can be as low as {asked.level:g}; raise it."
            break
        null = wider
    return BootstrapTest(shape, asked.level, tuple(steps), null.mixture.n_components, null.mixture, reason)


def _wider(asked: _Question, null: Grown, rng: np.random.Generator) -> Grown | None:
    """The data's fit of one component more; None where there is no sound one."""
    try:
        return asked.search.on_data(asked.problem, null.mixture, rng)
    except DataError:  # fewer distinct rows than components
        return None


def _step(asked: _Question, null: Grown, wider: Grown, rng: np.random.Generator) -> BootstrapStep:
    count, total = null.mixture.n_components, asked.n_bootstrap
    statistic = max(0.0, 2.0 * (wider.log_likelihood - null.log_likelihood))
    values = np.empty(total)
    for number, own in enumerate(_generators(rng, total)):
        asked.told(number, total, f"{count} against {count + 1} components")
        values[number] = _statistic_of_sample(asked, null.mixture, wider.mixture, own)
    p_value = (1 + int((values >= statistic).sum())) / (total + 1)
    values.flags.writeable = False
    found = (null.log_likelihood, wider.log_likelihood, statistic, p_value, values, null.mixture, wider.mixture)
    return BootstrapStep(count, *found)


def _generators(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """One generator for each sample, so that the first ones are the same however many there are."""
    seed = int(rng.integers(2**63))
    return [np.random.default_rng([seed, number]) for number in range(count)]


def _statistic_of_sample(asked: _Question, null: Mixture, found: Mixture, rng: np.random.Generator) -> float:
    """Twice the gain of one component more on a sample of the null; another is drawn where a fit is not sound."""
    n_rows = max(1, round(asked.problem.total_weight))
    for _ in range(_MOST_TRIES):
        drawn = source_of(null.sample(n_rows, rng)[0])
        sample = Problem.of(drawn, asked.problem.family.structure, engine=AutomaticEngine(n_rows, asked.n_bootstrap))
        frame = sample.source.frame
        narrow = refitted(sample, reframed(null, frame))
        wide = narrow and asked.search.on_sample(sample, narrow.mixture, reframed(found, frame), rng)
        if narrow is not None and wide is not None:
            return max(0.0, 2.0 * (wide.log_likelihood - narrow.log_likelihood))
    raise SelectionError(
        f"{_MOST_TRIES} samples of {null.n_components} components had no sound fit of one more: {_UNSOUND}"
    )
