"""Runs of EM for rows of one class within a structure: the first iterations, whether it may still win, and the rest.

Most of the structures are far from winning after a few iterations, and EM of rows with missing cells converges slowly.
As in a search of complete rows, a run stops if a hundred more iterations with the gain of the last one would leave
its criterion above the best.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.classification.families.class_fits import start_at
from gaussmix.classification.families.members import MixtureSpec
from gaussmix.classification.families.structure_search import (
    EM_MAX_ITER,
    EM_TOLERANCE,
    StructureCandidate,
    make_candidate,
    make_structured_m_step,
)
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.log_probabilities import compute_responsibilities
from gaussmix.classification.mixed.mixed_em import EMResult, hard_responsibilities, run_em
from gaussmix.classification.mixed.mixed_m_step import MixedMStep
from gaussmix.classification.mixed.mixed_prior import MixedPrior
from gaussmix.types import IntN

_FIRST_ITER = 20
_ITER_AHEAD = 100


@dataclass(frozen=True, eq=False)
class StructuredRun:
    """EM of some rows within a structure.

    Attributes
    ----------
    rows : TrainingRows
        Rows of a single class.
    m_step : MixedMStep
    structure : str
    result : EMResult
    is_complete : bool
        Whether EM has run to convergence.
    n_iter_before : int
        Iterations before those of ``result``.
    """

    rows: TrainingRows
    m_step: MixedMStep
    structure: str
    result: EMResult
    is_complete: bool = False
    n_iter_before: int = 0

    @classmethod
    def from_partition(
        cls, rows: TrainingRows, prior: MixedPrior, structure: str, partition: IntN, max_iter: int = _FIRST_ITER
    ) -> "StructuredRun":
        """Run EM from a partition (n,) of the sorted rows, for as many components as the prior has."""
        m_step = make_structured_m_step(prior, structure, rows)
        responsibilities = hard_responsibilities(partition, len(prior.means))
        start = start_at(prior, rows.layout)
        result = run_em(start, rows.mixed_rows, m_step, responsibilities, tol=EM_TOLERANCE, max_iter=max_iter)
        return cls(rows, m_step, structure, result)

    @cached_property
    def candidate(self) -> StructureCandidate:
        """The candidate of the mixture so far; a component of fewer rows than columns, plus one, is degenerate.

        The variance of two rows of which one column is present can vanish in structures that need no more rows.
        """
        mixture = self.result.mixture
        candidate = make_candidate(MixtureSpec((mixture.n_components,), (self.structure,)), self.result, self.rows)
        smallest = float(np.exp(mixture.log_weights.min())) * self.rows.mixed_rows.total_weight
        is_too_small = mixture.n_components > 1 and smallest < self.rows.layout.n_numeric + 1
        return replace(candidate, is_degenerate=candidate.is_degenerate or is_too_small)

    @property
    def n_iter(self) -> int:
        """Number of iterations."""
        return self.n_iter_before + len(self.result.trace)

    def can_reach(self, criterion: float) -> bool:
        """Return whether more iterations may bring BIC down to a value: not if EM has converged or is degenerate."""
        trace = self.result.trace
        if self.is_complete or self.candidate.is_degenerate or trace[-1] - trace[-2] < EM_TOLERANCE:
            return False
        possible_gain = _ITER_AHEAD * (trace[-1] - trace[-2]) * self.rows.mixed_rows.total_weight
        return self.candidate.bic - 2.0 * possible_gain <= criterion

    def converge(self) -> "StructuredRun":
        """Return the run after convergence."""
        features, mixture = self.rows.mixed_rows, self.result.mixture
        responsibilities = compute_responsibilities(mixture.compute_scores(features)).values
        result = run_em(
            mixture,
            features,
            self.m_step,
            responsibilities,
            tol=EM_TOLERANCE,
            max_iter=EM_MAX_ITER,
            covariance=self.result.covariance,
        )
        return replace(self, result=result, is_complete=True, n_iter_before=self.n_iter)


def converge_contenders(runs: Sequence[StructuredRun], criterion: float) -> list[StructuredRun]:
    """Return the runs, of which those that may have the lowest BIC, also below ``criterion``, have converged.

    A run may become degenerate on its way; others that could not reach its BIC then are contenders.
    """
    decided = list(runs)
    while True:
        lowest = min(criterion, lowest_criterion(decided))
        contenders = [k for k, run in enumerate(decided) if run.can_reach(lowest)]
        if not contenders:
            return decided
        for k in contenders:
            decided[k] = decided[k].converge()


def lowest_criterion(runs: Sequence[StructuredRun]) -> float:
    """Return the lowest BIC of the runs that are not degenerate; infinity without any."""
    return min((run.candidate.bic for run in runs if not run.candidate.is_degenerate), default=math.inf)
