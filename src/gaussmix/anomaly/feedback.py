"""``Feedback``: rows that a person has judged, and how their verdicts move the scores of similar rows.

Two things move. Rows judged normal are normal rows with extreme scores: the tail of normal rows is at least as heavy as
they say. And the log tail of rows similar to a judged row is corrected, so that the judged row itself gets its verdict.
The correction is a radial basis function per judged row, of a width of a third of the usual distance between two rows
of a group: its squared Mahalanobis distance, under the mean covariance of the components, is a quarter of the columns.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from gaussmix.anomaly.ensemble import Ensemble
from gaussmix.core.linalg import cholesky, solve_lower, solve_vectors
from gaussmix.errors import AnomalyParameterError
from gaussmix.types import DD, ND, ArrayLike, BoolN, N

_MARGIN = 1.0  # nats from the limit to the score of a judged row whose verdict was different
_SQUARED_WIDTH = 0.25  # in Mahalanobis units per column; two rows of a group are 2 apart
_JITTER = 1e-9  # of the kernel matrix: equal rows with different verdicts get the mean of both corrections
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
    centers : ndarray of shape (m, d)
        The same rows, whitened: distances between them are Mahalanobis distances over the square root of d.
    amplitudes : ndarray of shape (m,)
        Weight of the radial basis function of each row, in nats.
    root : ndarray of shape (d, d)
        Lower Cholesky factor of the mean covariance of the components times d, of standardised columns.
    normal_scores : ndarray
        Scores of the rows judged normal, ascending.
    """

    rows: ND
    is_anomaly: BoolN
    centers: ND
    amplitudes: N
    root: DD
    normal_scores: N

    def raise_tails(self, log_tails: N, scores: N, n_calibration_rows: float) -> N:
        """Return log tails (n,), at least those that rows judged normal imply, for scores (n,)."""
        n_above = len(self.normal_scores) - np.searchsorted(self.normal_scores, scores, side="left")
        with np.errstate(divide="ignore"):
            return np.maximum(log_tails, np.log(n_above / (n_calibration_rows + 1.0)))

    def corrections(self, standardized: ND) -> N:
        """Return what is added to the log tail (n,) of standardised rows (n, d)."""
        corrections = np.empty(len(standardized))
        for start in range(0, len(standardized), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            kernel = _kernel(_whiten(standardized[block], self.root), self.centers)
            corrections[block] = kernel @ self.amplitudes
        return corrections


def make_feedback(
    rows: ND, is_anomaly: BoolN, standardized: ND, scores: N, log_tails: N, limit: float, root: DD, n_rows: float
) -> Feedback:
    """Return the feedback after which every judged row has its verdict, unless equal rows have different ones.

    Parameters
    ----------
    rows : ndarray of shape (m, D)
        Judged rows, in the data's units.
    is_anomaly : ndarray of bool of shape (m,)
        Their verdicts.
    standardized : ndarray of shape (m, d)
        The same rows in standardised columns.
    scores, log_tails : ndarray of shape (m,)
        Their scores and log tails without feedback.
    limit : float
        Log tail below which a row is an anomaly.
    root : ndarray of shape (d, d)
        The root of `mean_covariance_root`.
    n_rows : float
        Number of calibration rows.
    """
    normal_scores = np.sort(scores[~is_anomaly])
    centers = _whiten(standardized, root)
    plain = Feedback(rows, is_anomaly, centers, np.zeros(len(rows)), root, normal_scores)
    raised = plain.raise_tails(log_tails, scores, n_rows)
    wanted = np.where(is_anomaly, np.minimum(raised, limit - _MARGIN), np.maximum(raised, limit + _MARGIN))
    kernel = _kernel(centers, centers) + _JITTER * np.eye(len(centers))
    amplitudes = solve_vectors(kernel, wanted - raised)
    return Feedback(rows, is_anomaly, centers, amplitudes, root, normal_scores)


def parse_verdicts(is_anomaly: ArrayLike, n_rows: int) -> BoolN:
    """Return one verdict for each row (n,); raise ParameterError unless there is one bool, or one for each row."""
    verdicts = np.asarray(is_anomaly)
    if verdicts.dtype != np.bool_ or verdicts.shape not in ((), (n_rows,)):
        raise AnomalyParameterError.invalid_verdicts(verdicts.shape, str(verdicts.dtype), n_rows)
    return np.broadcast_to(verdicts, (n_rows,)).copy()


def mean_covariance_root(ensemble: Ensemble) -> DD:
    """Return the lower Cholesky factor (d, d) of d times the mean covariance of all components of all members."""
    members = [member for halves in ensemble.members for half in halves for member in half]
    covariances = [
        np.einsum("k,kij->ij", mixture.weights, mixture.covariances) for mixture in (m.mixture for m in members)
    ]
    mean = np.mean(covariances, axis=0)
    root = cholesky(mean * len(mean))
    return np.sqrt(np.diag(np.diag(mean) * len(mean))) if root is None else root


def _whiten(standardized: ND, root: DD) -> ND:
    """Return rows (n, d) in coordinates where the mean covariance times d is the identity."""
    return np.asarray(solve_lower(root, standardized.T).T)


def _kernel(rows: ND, centers: ND) -> ND:
    """Return the radial basis functions (n, m) of whitened rows (n, d) around centers (m, d)."""
    return np.asarray(np.exp(-0.5 / _SQUARED_WIDTH * cdist(rows, centers, "sqeuclidean")))
