"""How far a row must be from the others in a column whose variance a few far rows determine, to be one of them."""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.model.robust_scales import weighted_medians
from gaussmix.sources import AbstractSource
from gaussmix.types import ND, BoolN, D, IntD

_FAR_DEVIATIONS = 10.0  # of the other rows, from their median
_MAX_ROWS = 20_000  # distinct rows that give the median


@dataclass(frozen=True)
class FarRowLimits:
    """Medians (c,) and largest distances from them (c,) of the rows that are not far, in ``columns`` (c,).

    ``n_far_values`` is the number of distinct far rows in these columns.
    """

    columns: IntD
    medians: D
    max_distances: D
    n_far_values: int = 0

    @classmethod
    def from_source(cls, source: AbstractSource, columns: list[int], variances: D) -> "FarRowLimits":
        """Return the limits in ``columns``, given the variances (D,) of the rows that are not far.

        Far rows have a small part of the weight, so that the median lies among the others. The center of the frame is
        rounded, and may be farther from them than their deviation.
        """
        rows, weights = source.with_label_prior(None).collect(_MAX_ROWS)
        medians = weighted_medians(rows[:, columns], weights)
        limits = cls(np.array(columns), medians, _FAR_DEVIATIONS * np.sqrt(variances[columns]))
        far_values = rows[limits.are_far(rows) & (weights > 0)][:, columns]
        return replace(limits, n_far_values=len(np.unique(far_values, axis=0)))

    def max_far_components(self, n_components: int) -> int:
        """Return how many of the components may hold far rows: one for each value if these are few, else one.

        So sentinels and single slips have a component each, and rows that differ a little share one.
        """
        return max(1, self.n_far_values if self.n_far_values <= n_components // 2 else 1)

    def are_far(self, points: ND) -> BoolN:
        """Return which points (n, D) are far in at least one of the columns, (n,)."""
        return np.asarray((np.abs(points[:, self.columns] - self.medians) > self.max_distances).any(axis=1))
