"""Passes over rows that lack cells: pattern by pattern, each by the engine's own pass over the observed columns.

The statistics of a pattern's observed columns become those of all columns: missing cells are expected given the
observed ones, and their conditional covariance is added. All sums are about the centers of the model.
"""

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.missing_patterns import MissingPatterns, SupportsMissingCells
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.pattern_pass import CenteredSums, PatternedRows
from gaussmix.core.quadratics import Quadratics, ScoringModel
from gaussmix.core.reduce import T
from gaussmix.core.statistics import Statistics
from gaussmix.engines.base import AbstractSession, AssignmentKind, BestScoreFunction, ScoreFunction
from gaussmix.engines.pattern_runner import AbstractPatternRunner, SupportsPatternPasses
from gaussmix.engines.pattern_sums import PatternGroup, add_lifted_sums, center_sums, iterate_pattern_groups
from gaussmix.engines.score_tiles import BestScores
from gaussmix.types import KD, NK, IntN

if TYPE_CHECKING:
    from gaussmix.engines.base import BatchEngine

# A runner passes over patterns of at most so many rows together, of rows of at most so many columns.
_MAX_ROWS_TOGETHER, _MAX_COLUMNS_TOGETHER = 1024, 64


@dataclass(frozen=True)
class _FixedQuadratics:
    """A model that is no more than its quadratics."""

    quadratics: Quadratics

    def to_quadratics(self) -> Quadratics:
        """Return the quadratics."""
        return self.quadratics

    def marginal(self, columns: Any) -> ScoringModel:
        """Raise NotImplementedError: nobody asks for a part of a part."""
        raise NotImplementedError


class PatternSession(AbstractSession):
    """An engine bound to a source whose rows lack cells.

    A runner of the engine passes over all patterns of few rows together. Each other pattern is a pass of its own.
    """

    def __init__(self, engine: "BatchEngine", source: SupportsMissingCells) -> None:
        self._engine, self._source = engine, source
        self._sessions: dict[int, AbstractSession] = {}
        runner = engine.pattern_runner if isinstance(engine, SupportsPatternPasses) else None
        self._shares = _share_patterns(source.patterns, runner)
        self._patterned_rows: dict[int, PatternedRows] = {}

    def e_step(
        self,
        model: ScoringModel,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        """Return the expected statistics, log-likelihood and entropy of all rows, given their observed cells."""
        quadratics, kind = model.to_quadratics(), moment_kind.per_component
        if not _has_precision(quadratics):  # such a model predicts no missing cell
            return self._engine.bind(self._source.completion).e_step(model, moment_kind, assignment, total_moments)
        parts = self._sum_patterns_together(quadratics, kind, assignment)
        own = self._own_patterns(bool(parts))
        groups = iterate_pattern_groups(quadratics, self._source.patterns.is_observed, own)
        parts += [self._sum_group(quadratics.center, group, kind, assignment) for group in groups]
        parts += [
            center_sums(self._session(pattern).e_step(model, kind, assignment), quadratics.center)
            for pattern in self._complete_patterns(own)
        ]
        total = functools.reduce(operator.add, parts)
        moments = Moments.from_centered_sums(total.mass, quadratics.center, total.first, total.second, kind)
        totals = total.log_likelihood, total.entropy, total.total_log_max_responsibility
        return Expectation(Statistics(moments.to_kind(moment_kind)), *totals, total.n_rows, total.n_distances)

    def reduce_scores(self, model: ScoringModel, function: ScoreFunction[T]) -> T:
        """Return the sum of function(batch, scores) over all batches; the batches hold completed rows."""
        task: Callable[[Batch], T] = _TaskOfScores(self._compute_scores(model), function)
        return self._source.completion.reduce(task)

    def reduce_best_scores(self, model: ScoringModel, function: BestScoreFunction[T]) -> T:
        """Return the sum of function(batch, best scores) over all batches; the batches hold completed rows."""
        needs_log_densities = getattr(function, "needs_log_densities", True)
        return self.reduce_scores(
            model, lambda batch, scores: function(batch, BestScores.from_scores(scores, needs_log_densities))
        )

    def _session(self, pattern: int) -> AbstractSession:
        """Return the engine bound to the rows of a pattern; bound once."""
        if pattern not in self._sessions:
            self._sessions[pattern] = self._engine.bind(self._source.take_observed(pattern))
        return self._sessions[pattern]

    def _compute_scores(self, model: ScoringModel) -> NK:
        """Return the scores (n, K) of all rows."""
        quadratics, patterns = model.to_quadratics(), self._source.patterns
        scores = np.empty((len(patterns.pattern_of_row), quadratics.n_components))
        has_written = self._write_scores_together(quadratics, scores)
        own = self._own_patterns(has_written)
        for group in iterate_pattern_groups(quadratics, patterns.is_observed, own):
            for i, pattern in enumerate(group.patterns.tolist()):
                part = _FixedQuadratics(group.marginal.quadratics_of_pattern(i))
                writer = _WriteScores(scores, patterns.rows_of_patterns[pattern])
                self._session(pattern).reduce_scores(part, writer)
        for pattern in self._complete_patterns(own):
            self._session(pattern).reduce_scores(model, _WriteScores(scores, patterns.rows_of_patterns[pattern]))
        return scores

    def _sum_patterns_together(
        self, quadratics: Quadratics, kind: MomentKind, assignment: AssignmentKind
    ) -> list[CenteredSums]:
        """Return the sums of the patterns that a runner passes over together, in a list; an empty one without them."""
        rows = self._rows_together(quadratics)
        if rows is None:
            return []
        assert self._shares.runner is not None
        is_hard, adds_products = assignment is AssignmentKind.HARD, kind is not MomentKind.NONE
        sums = self._shares.runner.sum_rows(rows, quadratics, is_hard, adds_products)
        if sums is None:
            return []
        full = Moments(sums.mass, sums.first, sums.second, MomentKind.FULL)
        return [replace(sums, second=full.to_kind(kind).scatter)]

    def _write_scores_together(self, quadratics: Quadratics, scores: NK) -> bool:
        """Write the scores of the rows that a runner passes over together; return whether it did."""
        rows = self._rows_together(quadratics)
        if rows is None:
            return False
        assert self._shares.runner is not None
        of_runner = self._shares.runner.compute_scores(rows, quadratics)
        if of_runner is not None:
            scores[self._shares.positions] = of_runner
        return of_runner is not None

    def _rows_together(self, quadratics: Quadratics) -> PatternedRows | None:
        """Return the rows that a runner passes over together, the same object each time; None if there are none."""
        if not len(self._shares.positions):
            return None
        key = quadratics.n_components
        if key not in self._patterned_rows:
            self._patterned_rows[key] = _collect_patterned_rows(self._source, self._shares.positions, key)
        return self._patterned_rows[key]

    def _own_patterns(self, has_run_together: bool) -> IntN:
        """Return the patterns that get a pass of their own."""
        return self._shares.own if has_run_together else np.arange(self._source.patterns.n_patterns)

    def _complete_patterns(self, patterns: IntN) -> list[int]:
        """Return those of some patterns that lack no cell: one or none."""
        is_complete = self._source.patterns.is_observed[patterns].all(axis=1)
        return [int(pattern) for pattern in patterns[is_complete]]

    def _sum_group(self, center: KD, group: PatternGroup, kind: MomentKind, assignment: AssignmentKind) -> CenteredSums:
        """Return the sums of the rows of a group of patterns, with expected values for their missing cells."""
        marginal = group.marginal
        # Where columns depend on one another, missing cells need all products of the observed ones.
        is_lifted = marginal.prediction is not None and kind is not MomentKind.NONE
        observed_kind = MomentKind.FULL if is_lifted else kind
        sums = []
        for i, pattern in enumerate(group.patterns.tolist()):
            part = marginal.quadratics_of_pattern(i)
            expectation = self._session(pattern).e_step(_FixedQuadratics(part), observed_kind, assignment)
            sums.append(center_sums(expectation, part.center))
        return add_lifted_sums(marginal, sums, observed_kind, kind)


@dataclass(frozen=True)
class _WriteScores:
    """A function of a batch of one pattern that writes its scores into those of all rows."""

    scores: NK
    positions: IntN

    def __call__(self, batch: Batch, scores: NK) -> int:
        self.scores[self.positions[batch.row_slice]] = scores
        return 0


@dataclass(frozen=True)
class _TaskOfScores:
    """A task that applies a function to each batch and a copy of its scores."""

    scores: NK
    function: ScoreFunction[Any]

    def __call__(self, batch: Batch) -> Any:
        buffer = getattr(self.function, "buffer", None)
        out = None if buffer is None else buffer(batch.first_row, batch.n_rows)
        scores = self.scores[batch.row_slice]
        if out is None:
            return self.function(batch, scores.copy())
        out[...] = scores
        return self.function(batch, out)


class _Shares(NamedTuple):
    """The runner that passes over some patterns together, positions of their rows, and the other patterns."""

    runner: AbstractPatternRunner | None
    positions: IntN
    own: IntN


def _share_patterns(patterns: MissingPatterns, runner: AbstractPatternRunner | None) -> _Shares:
    """Return the rows of patterns that are better passed over together: few columns, and few rows each."""
    if runner is None or patterns.is_observed.shape[1] > _MAX_COLUMNS_TOGETHER:
        return _Shares(None, np.empty(0, dtype=np.int64), np.arange(patterns.n_patterns))
    is_small = np.bincount(patterns.pattern_of_row, minlength=patterns.n_patterns) <= _MAX_ROWS_TOGETHER
    return _Shares(runner, np.flatnonzero(is_small[patterns.pattern_of_row]), np.flatnonzero(~is_small))


def _collect_patterned_rows(source: SupportsMissingCells, positions: IntN, n_components: int) -> PatternedRows:
    """Return the rows at some positions, in the frame, with the log prior of their components."""
    part = source.take_rows(positions)
    batches: list[Batch] = part.completion.reduce(lambda batch: [batch])
    of_batches = [batch.weights for batch in batches if batch.weights is not None]
    weights = np.concatenate(of_batches) if of_batches else None
    priors = [prior for batch in batches if (prior := batch.label_log_prior(n_components)) is not None]
    log_prior = np.concatenate(priors) if priors else None
    return PatternedRows(np.concatenate([batch.rows for batch in batches]), weights, log_prior, part.patterns)


def _has_precision(quadratics: Quadratics) -> bool:
    """Return whether a component has a root that is not zero."""
    ones = np.ones((1, quadratics.n_features))
    return any(quadratics.precision_root.whiten(ones, k).any() for k in range(quadratics.n_components))
