"""Sentences on the missing cells of the rows of a fit: how many, and which parameters rest on few observed ones."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.missing_patterns import MissingPatterns, SupportsMissingCells
from gaussmix.engines.score_tiles import Responsibilities
from gaussmix.errors.text import format_columns, join_with_and
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.types import KD, BoolKD, D

_MAX_COLUMNS_NAMED = 4
_MIN_OBSERVED_ROWS, _MIN_OBSERVED_FRACTION = 10.0, 0.5  # of a component in a column; with less a note says so


def compose_missing_cell_notes(problem: Problem, mixture: Mixture) -> list[str]:
    """Return sentences on the missing cells of the rows; none if no cell is missing."""
    source = problem.source
    if not isinstance(source, SupportsMissingCells):
        return []
    fractions = source.patterns.missing_fractions
    notes = [
        f"{_format_percent(float(fractions.mean()))} of the cells are missing: {_list_columns(problem, fractions)}. "
        "The fit uses the observed cells. It is exact if cells are missing at random, that is, if observed cells may "
        "decide whether a cell is missing, but not its own value."
    ]
    observed = _observed_masses(problem, mixture)
    has_few = (observed < _MIN_OBSERVED_ROWS) & (observed < _MIN_OBSERVED_FRACTION * observed.max(axis=1)[:, None])
    return notes + _describe_few_observed(problem, has_few)


def _list_columns(problem: Problem, fractions: D) -> str:
    """Return the columns with most missing cells, with their fractions (D,)."""
    order = np.argsort(-fractions, kind="stable")
    names = [f"column {j}" if problem.feature_names is None else repr(problem.feature_names[j]) for j in order]
    percents = [_format_percent(float(fractions[j])) for j in order]
    texts = [f"{name} {percent}" for name, percent, j in zip(names, percents, order, strict=True) if fractions[j] > 0]
    return join_with_and(texts, _MAX_COLUMNS_NAMED)


def _describe_few_observed(problem: Problem, has_few: BoolKD) -> list[str]:
    """Return a sentence for each component that has few observed cells in some columns (K, D)."""
    named = ((k, np.flatnonzero(columns).tolist()) for k, columns in enumerate(has_few) if columns.any())
    return [
        f"Component {k} has few observed cells in {format_columns(columns, problem.feature_names)}: its parameters "
        "there rest on other columns."
        for k, columns in named
    ]


@dataclass(frozen=True)
class _SumOfObserved:
    """A function of responsibilities that adds them up over the rows in which each column is observed."""

    patterns: MissingPatterns
    n_components: int

    def __call__(self, batch: Batch, result: Responsibilities) -> KD:
        is_observed = self.patterns.is_observed[self.patterns.pattern_of_row[batch.row_slice]]
        weighted = result.responsibilities[:, : self.n_components]
        if batch.weights is not None:
            weighted = weighted * batch.weights[:, None]
        return np.asarray(weighted.T @ is_observed)


def _observed_masses(problem: Problem, mixture: Mixture) -> KD:
    """Return the responsibility of each component for the rows in which each column is observed, (K, D)."""
    assert isinstance(problem.source, SupportsMissingCells)
    function = _SumOfObserved(problem.source.patterns, mixture.n_components)
    return problem.session.reduce_responsibilities(mixture, function)


def _format_percent(fraction: float) -> str:
    """Return a fraction as '4.2 %', or '<0.1 %' if it is tiny."""
    return f"{100.0 * fraction:.1f} %" if fraction >= 0.0005 else "<0.1 %"
