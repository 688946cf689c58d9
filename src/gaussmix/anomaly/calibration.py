"""``CalibrationScores``: scores of rows by fits that have not seen them, and the p-values that follow for new rows."""

from dataclasses import dataclass

import numpy as np

from gaussmix.anomaly.conformal import combine_masses, conformal_p_values, weigh_scores
from gaussmix.anomaly.ensemble import select_unseen_scores
from gaussmix.anomaly.tail import TailFunction
from gaussmix.core.input_arrays import parse_weights
from gaussmix.errors import AnomalyParameterError
from gaussmix.types import Array, ArrayLike, IntArray, N


@dataclass(frozen=True, eq=False)
class CalibrationScores:
    """Scores (m,) of calibration rows, and the tail function of normal rows.

    Attributes
    ----------
    scores : ndarray of shape (m,)
        Higher is more anomalous.
    weights : ndarray of shape (m,) or None
        How many times each row counts; None means once.
    halves : ndarray of int64 of shape (m, R)
        The half of each row in each repeat; -1 for rows that no fit has seen.
    is_clean : bool
        Whether all calibration rows are normal.
    compares_by_half : bool
        Whether p-values compare a new row with each calibration row by the fits that have not seen that row.
    """

    scores: N
    weights: N | None
    halves: IntArray
    is_clean: bool
    compares_by_half: bool
    tail: TailFunction

    @classmethod
    def from_scores(
        cls, scores: N, weights: N | None, halves: IntArray, is_clean: bool, compares_by_half: bool
    ) -> "CalibrationScores":
        """Return the calibration with the tail that suits clean or contaminated rows."""
        make_tail = TailFunction.from_clean_scores if is_clean else TailFunction.from_contaminated_scores
        return cls(scores, weights, halves, is_clean, compares_by_half, make_tail(scores, weights))

    @property
    def total_weight(self) -> float:
        """Number of calibration rows, or the sum of their weights."""
        return float(len(self.scores) if self.weights is None else self.weights.sum())

    def p_values_of_scores(self, scores: N) -> N:
        """Return the p-values (n,) of rows by their scores (n,): ranks among clean rows, else by the tail."""
        return conformal_p_values(self.scores, scores, self.weights) if self.is_clean else np.exp(self.tail(scores))

    def log_p_values(
        self, scores_by_half: Array, weights: N | None, density_ratios: N | None, rng: np.random.Generator | None
    ) -> N:
        """Return the log p-values (n,) of new rows with scores (n, R, 2).

        Parameters
        ----------
        scores_by_half : ndarray of shape (n, R, 2)
        weights : ndarray of shape (n,) or None
            Density ratios of the new rows.
        density_ratios : ndarray of shape (m,) or None
            Density ratios of the calibration rows.
        rng : numpy.random.Generator or None
            Randomises ties.
        """
        if not self.is_clean:
            return self.tail(scores_by_half.mean(axis=(1, 2)))
        own_weights = self.weights
        if density_ratios is not None:
            own_weights = density_ratios if self.weights is None else self.weights * density_ratios
        compare = self._p_values_by_half if self.compares_by_half else self._p_values_by_mean
        with np.errstate(divide="ignore"):  # a row of density ratio 0 may have a p-value of 0
            return np.asarray(np.log(compare(scores_by_half, own_weights, weights, rng)))

    def _p_values_by_mean(
        self, scores_by_half: Array, own_weights: N | None, weights: N | None, rng: np.random.Generator | None
    ) -> N:
        """Return p-values (n,) where new rows have the mean score of all fits."""
        return conformal_p_values(self.scores, scores_by_half.mean(axis=(1, 2)), own_weights, weights, rng)

    def _p_values_by_half(
        self, scores_by_half: Array, own_weights: N | None, weights: N | None, rng: np.random.Generator | None
    ) -> N:
        """Return p-values (n,) where calibration rows of the same halves are compared by the fits of the others."""
        patterns, members = np.unique(self.halves, axis=0, return_inverse=True)
        above, equal = np.zeros(len(scores_by_half)), np.zeros(len(scores_by_half))
        for index, pattern in enumerate(patterns):
            chosen = members.ravel() == index
            scores = select_unseen_scores(scores_by_half, np.broadcast_to(pattern, (len(above), len(pattern))))
            pattern_weights = None if own_weights is None else own_weights[chosen]
            mass = weigh_scores(self.scores[chosen], scores, pattern_weights)
            above, equal = above + mass[0], equal + mass[1]
        own = np.ones(len(above)) if weights is None else weights
        total = float(len(self.scores) if own_weights is None else own_weights.sum())
        return combine_masses((above, equal), own, total, rng)


def parse_density_ratios(
    calibration: CalibrationScores, new: ArrayLike | None, own: ArrayLike | None, n_rows: int
) -> tuple[N | None, N | None]:
    """Return the density ratios of new rows (n,) and of calibration rows (m,), both None if none are given.

    AnomalyParameterError is raised if only one is given, or the calibration rows are contaminated.
    """
    if new is None and own is None:
        return None, None
    if new is None or own is None:
        raise AnomalyParameterError.one_density_ratio("density_ratio" if new is None else "calibration_density_ratio")
    if not calibration.is_clean:
        raise AnomalyParameterError.density_ratio_of_contaminated_rows()
    ratios = parse_weights(new, n_rows, "density_ratio")
    return ratios, parse_weights(own, len(calibration.scores), "calibration_density_ratio")
