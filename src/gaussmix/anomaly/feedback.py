"""``Feedback``: rows that a person has judged, and how their verdicts move the scores of similar rows.

Two things move. Rows judged normal are normal rows with extreme scores: the tail of normal rows is at least as heavy as
they say. And the log tail of rows similar to a judged row is corrected, so that the judged row itself gets its verdict.
The correction is a radial basis function per judged row, of a width of a third of the usual distance between two rows
of a group: its squared Mahalanobis distance, under the mean covariance of the components, is a quarter of the columns.
A row that breaks relations of the training rows is similar to rows only that break the same relations.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.ensemble import Ensemble
from gaussmix.anomaly.row_order import number_distinct_rows
from gaussmix.core.linalg import cholesky, solve_lower, solve_vectors
from gaussmix.errors import AnomalyParameterError
from gaussmix.types import DD, ND, AnyArray, ArrayLike, BoolN, N

_MARGIN = 1.0  # nats from the limit to the score of a judged row whose verdict was different
_SQUARED_WIDTH = 0.25  # in Mahalanobis units per column; two rows of a group are 2 apart
_JITTER = 1e-12  # of the kernel matrix: verdicts on rows a millionth of a deviation apart are reconciled
_DISTANCE_OF_BROKEN_RELATION = 10.0  # in whitened coordinates: similarity is then exp(-200)
_MAX_DEVIATIONS = 1e6  # of a whitened column: among farther values rounding errors exceed the width
_LOWEST_LOG_TAIL = -1e6  # that is corrected: a lower one would round the correction away
_MIN_CORRECTION = 1e-9
_BLOCK_ROWS = 8192


@dataclass(frozen=True, eq=False)
class Feedback:
    """Judged rows and the corrections around them.

    Attributes
    ----------
    rows : ndarray of shape (m, D)
        Judged rows, in the data's units.
    is_anomaly : ndarray of bool of shape (m,)
        Their verdicts.
    centers : ndarray of shape (m, d + n_relations)
        The same rows, whitened: distances between them are Mahalanobis distances over the square root of d. A further
        coordinate for each relation tells rows that break it from the others.
    amplitudes : ndarray of shape (m,)
        Weight of the radial basis function of each row, in nats.
    bounds : ndarray of shape (2,)
        Smallest and largest correction of a judged row, or 0. No correction is beyond, also between two judged rows.
    root : ndarray of shape (d, d)
        Lower Cholesky factor of the mean covariance of the components times d, of standardised columns.
    normal_scores : ndarray
        Scores of the rows judged normal that break no relation, ascending.
    raise_beyond : float
        How much log tails are raised beyond the last of these scores, in nats.
    """

    rows: ND
    is_anomaly: BoolN
    centers: ND
    amplitudes: N
    bounds: N
    root: DD
    normal_scores: N
    raise_beyond: float = 0.0

    def raise_tails(self, log_tails: N, scores: N, n_calibration_rows: float) -> N:
        """Return log tails (n,), at least those that rows judged normal imply, for scores (n,).

        Beyond the highest of these rows all log tails are raised as much as there, so that no step follows it.
        """
        n_above = len(self.normal_scores) - np.searchsorted(self.normal_scores, scores, side="left")
        implied = np.log(np.maximum(n_above, 1) / (n_calibration_rows + 1.0))
        is_beyond = n_above == 0
        implied[is_beyond] = np.minimum(implied[is_beyond], log_tails[is_beyond] + self.raise_beyond)
        return np.maximum(log_tails, implied)

    def correct_tails(self, log_tails: N, standardized: ND, is_broken: AnyArray) -> N:
        """Return log tails (n,) of standardised rows (n, d), corrected where judged rows are similar."""
        corrections = self.corrections(standardized, is_broken)
        corrected = np.maximum(log_tails, _LOWEST_LOG_TAIL) + corrections
        return np.where(np.abs(corrections) > _MIN_CORRECTION, corrected, log_tails)

    def corrections(self, standardized: ND, is_broken: AnyArray) -> N:
        """Return what is added to the log tails (n,) of standardised rows (n, d) that break relations (n, ...)."""
        corrections = np.empty(len(standardized))
        for start in range(0, len(standardized), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            kernel = _kernel(_whiten(standardized[block], is_broken[block], self.root), self.centers)
            corrections[block] = kernel @ self.amplitudes
        return np.clip(corrections, *self.bounds)


class JudgedRows(NamedTuple):
    """Rows (m, D) in the data's units and their verdicts (m,)."""

    rows: ND
    is_anomaly: BoolN

    def require_consistent(self) -> "JudgedRows":
        """Return the rows; raise AnomalyParameterError if equal ones have different verdicts."""
        numbers = number_distinct_rows(self.rows)
        order = np.argsort(numbers, kind="stable")
        is_equal, verdicts = np.diff(numbers[order]) == 0, self.is_anomaly[order]
        conflicts = np.flatnonzero(is_equal & (verdicts[1:] != verdicts[:-1]))
        if len(conflicts):
            raise AnomalyParameterError.contradictory_verdicts(*sorted(order[conflicts[0] : conflicts[0] + 2].tolist()))
        return self

    def keep_last_verdicts(self) -> "JudgedRows":
        """Return the distinct rows, each with its last verdict."""
        newest_first = number_distinct_rows(self.rows)[::-1]
        last = np.sort(len(self.rows) - 1 - np.unique(newest_first, return_index=True)[1])
        return JudgedRows(self.rows[last], self.is_anomaly[last])


def make_feedback(
    judged: JudgedRows,
    standardized: ND,
    is_broken: AnyArray,
    scores: N,
    calibration: CalibrationScores,
    limit: float,
    root: DD,
) -> Feedback:
    """Return the feedback after which every judged row has its verdict.

    Parameters
    ----------
    judged : JudgedRows
        Distinct rows (m, D) and their verdicts.
    standardized : ndarray of shape (m, d)
        The same rows in standardised columns.
    is_broken : ndarray of bool of shape (m, n_relations)
        Which relations of the training rows they break.
    scores : ndarray of shape (m,)
        Their scores without feedback.
    calibration : CalibrationScores
    limit : float
        Log tail below which a row is an anomaly.
    root : ndarray of shape (d, d)
        The root of `mean_covariance_root`.
    """
    rows, is_anomaly = judged
    normal_scores = np.sort(scores[~is_anomaly & ~is_broken.any(axis=1)])
    centers = _whiten(standardized, is_broken, root)
    plain = Feedback(rows, is_anomaly, centers, np.zeros(len(rows)), np.zeros(2), root, normal_scores)
    if len(normal_scores):
        highest = calibration.tail(normal_scores[-1:])
        raised = plain.raise_tails(highest, normal_scores[-1:], calibration.total_weight)
        plain = replace(plain, raise_beyond=float((raised - highest)[0]))
    raised = np.maximum(plain.raise_tails(calibration.tail(scores), scores, calibration.total_weight), _LOWEST_LOG_TAIL)
    wanted = np.where(is_anomaly, np.minimum(raised, limit - _MARGIN), np.maximum(raised, limit + _MARGIN))
    corrections = wanted - raised
    kernel = _kernel(centers, centers) + _JITTER * np.eye(len(centers))
    bounds = np.array([corrections.min(initial=0.0), corrections.max(initial=0.0)])
    return replace(plain, amplitudes=solve_vectors(kernel, corrections), bounds=bounds)


def parse_verdicts(is_anomaly: ArrayLike, n_rows: int) -> BoolN:
    """Return one verdict for each row (n,); raise ParameterError unless there is one bool, or one for each row."""
    verdicts = np.asarray(is_anomaly)
    if verdicts.dtype != np.bool_ or verdicts.shape not in ((), (n_rows,)):
        raise AnomalyParameterError.invalid_verdicts(verdicts.shape, str(verdicts.dtype), n_rows)
    return np.broadcast_to(verdicts, (n_rows,)).copy()


def mean_covariance_root(ensemble: Ensemble) -> DD:
    """Return the lower Cholesky factor (d, d) of d times the mean covariance of all components of all members.

    Correlations are averaged, and of deviations the logarithm: components of outliers may be huge.
    """
    mixtures = [member.mixture for halves in ensemble.members for half in halves for member in half]
    weights = np.concatenate([mixture.weights for mixture in mixtures]) / len(mixtures)
    covariances = np.concatenate([mixture.covariances for mixture in mixtures])
    deviations = np.sqrt(np.einsum("kii->ki", covariances))
    correlations = np.einsum("k,kij->ij", weights, covariances / (deviations[:, :, None] * deviations[:, None, :]))
    scales = np.exp(weights @ np.log(deviations)) * np.sqrt(len(correlations))
    root = cholesky(correlations)
    return np.asarray(scales[:, None] * (np.eye(len(scales)) if root is None else root))


def _whiten(standardized: ND, is_broken: AnyArray, root: DD) -> ND:
    """Return rows (n, d) in coordinates where the mean covariance times d is the identity, and relations (n, ...)."""
    whitened = solve_lower(root, np.clip(standardized, -_MAX_DEVIATIONS, _MAX_DEVIATIONS).T).T
    return np.concatenate([whitened, _DISTANCE_OF_BROKEN_RELATION * is_broken], axis=1)


def _kernel(rows: ND, centers: ND) -> ND:
    """Return the radial basis functions (n, m) of whitened rows (n, d) around centers (m, d)."""
    return np.asarray(np.exp(-0.5 / _SQUARED_WIDTH * cdist(rows, centers, "sqeuclidean")))
