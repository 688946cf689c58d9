"""The definition of a pass, in plain NumPy: slow, obvious, and what every other engine must equal."""

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments, moments_of
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.engines.base import AbstractEngine, Assign, add_hints, share_out
from gaussmix.types import NK


class ReferenceEngine(AbstractEngine):
    """Component by component, centred rows, scatter about the new mean of each batch in a second reading."""

    def sweep(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        kind: MomentKind,
        assign: Assign = Assign.SOFT,
        total: Moments | None = None,
    ) -> Expectation:
        def of(batch: Batch) -> Expectation:
            shares, log_likelihood, entropy = share_out(self.score(quadratics, batch), batch, assign)
            moments = moments_of(batch.rows, shares, quadratics.center, kind)
            return Expectation(moments, log_likelihood, entropy, batch.n_rows, batch.n_rows * len(moments.mass))

        return reduce(of)

    def score(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        scores = np.empty((batch.n_rows, quadratics.n_components)) if out is None else out
        for k in range(quadratics.n_components):
            white = quadratics.root.whiten(batch.rows - quadratics.center[k], k)
            scores[:, k] = quadratics.offset[k] - 0.5 * (white**2).sum(axis=1)
        scores[:] = add_hints(scores, batch)
        return scores
