"""The definition of a pass, in plain NumPy: slow, obvious, and what every other engine must equal."""

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, moments_of
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.base import AbstractEngine, Assign, add_hints, share_out
from gaussmix.types import NK


class ReferenceEngine(AbstractEngine):
    """Component by component, centred rows, scatter about the new mean in a second pass."""

    def score(self, quadratics: Quadratics, batch: Batch) -> NK:
        scores = np.empty((batch.n_rows, quadratics.n_components))
        for k in range(quadratics.n_components):
            white = quadratics.root.whiten(batch.rows - quadratics.center[k], k)
            scores[:, k] = quadratics.offset[k] - 0.5 * (white**2).sum(axis=1)
        return add_hints(scores, batch)

    def expect(
        self, quadratics: Quadratics, batch: Batch, kind: MomentKind, assign: Assign = Assign.SOFT
    ) -> Expectation:
        shares, log_likelihood, entropy = share_out(self.score(quadratics, batch), batch, assign)
        moments = moments_of(batch.rows, shares, quadratics.center, kind)
        return Expectation(moments, log_likelihood, entropy, batch.n_rows)
