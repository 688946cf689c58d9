"""The definition of a pass, in plain NumPy: slow, obvious, and what every other engine must equal."""

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments, compute_moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.engines.base import AbstractEngine, AssignmentKind, add_label_prior, compute_responsibilities
from gaussmix.types import NK


class ReferenceEngine(AbstractEngine):
    """Component by component, centred rows, scatter about the new mean of each batch in a second reading."""

    def e_step(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        def of(batch: Batch) -> Expectation:
            shares, log_likelihood, entropy = compute_responsibilities(
                self.compute_scores(quadratics, batch), batch, assignment
            )
            moments = compute_moments(batch.rows, shares, quadratics.center, moment_kind)
            return Expectation(moments, log_likelihood, entropy, batch.n_rows, batch.n_rows * len(moments.mass))

        return reduce(of)

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        scores = np.empty((batch.n_rows, quadratics.n_components)) if out is None else out
        for k in range(quadratics.n_components):
            white = quadratics.precision_root.whiten(batch.rows - quadratics.center[k], k)
            scores[:, k] = quadratics.offset[k] - 0.5 * (white**2).sum(axis=1)
        scores[:] = add_label_prior(scores, batch)
        return scores
