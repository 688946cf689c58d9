"""The reference engine: the definition of a pass in plain NumPy, slow and simple. Every engine must equal it."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments, compute_moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.statistics import Statistics
from gaussmix.engines.base import (
    AbstractEStep,
    AssignmentKind,
    BatchEngine,
)
from gaussmix.engines.responsibilities import (
    add_category_and_label_log_probabilities,
    compute_weighted_responsibilities,
    sum_responsibilities_by_level,
)
from gaussmix.types import NK


@dataclass(frozen=True)
class ReferenceEStep(AbstractEStep[Expectation]):
    """One E-step; the scatter of each batch is about the new means of that batch."""

    quadratics: Quadratics
    moment_kind: MomentKind
    assignment: AssignmentKind

    def __call__(self, batch: Batch) -> Expectation:
        """Return the expectation of a batch."""
        scores = _compute_scores(self.quadratics, batch)
        weighted = compute_weighted_responsibilities(scores, batch, self.assignment)
        responsibilities = weighted.responsibilities
        moments = compute_moments(batch.rows, responsibilities, self.quadratics.center, self.moment_kind)
        statistics = Statistics(moments, sum_responsibilities_by_level(self.quadratics, batch, responsibilities))
        totals = weighted.log_likelihood, weighted.entropy, weighted.total_log_max_responsibility
        return Expectation(statistics, *totals, batch.n_rows, scores.size)

    def finish(self, total: Expectation) -> Expectation:
        """Return the sum over all batches unchanged: it is the expectation of all rows."""
        return total


class ReferenceEngine(BatchEngine):
    """An engine that computes component by component, with centred rows."""

    name = "reference"

    def make_e_step(
        self,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> ReferenceEStep:
        """Return the E-step; it does not use the total moments."""
        return ReferenceEStep(quadratics, moment_kind, assignment)

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        """Return the scores (n, K) of a batch, in ``out`` if given."""
        scores = _compute_scores(quadratics, batch)
        if out is None:
            return scores
        out[...] = scores
        return out


def _compute_scores(quadratics: Quadratics, batch: Batch) -> NK:
    """Return the scores (n, K) of a batch, one component after another."""
    scores = np.empty((batch.n_rows, quadratics.n_components))
    for k in range(quadratics.n_components):
        white = quadratics.precision_root.whiten(batch.rows - quadratics.center[k], k)
        scores[:, k] = quadratics.offset[k] - 0.5 * (white**2).sum(axis=1)
    return add_category_and_label_log_probabilities(scores, quadratics, batch)
