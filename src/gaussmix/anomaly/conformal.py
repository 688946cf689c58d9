"""Conformal p-values, and the selection of anomalies that controls the false discovery rate.

A calibration score is that of a normal row which the score function has not seen. The p-value of a new row is the
fraction of calibration scores, its own included, that are at least as high. If the new row is normal, too, all these
scores are exchangeable, and the p-value is at most a with probability at most a, whatever the distribution.
"""

import numpy as np

from gaussmix.types import BoolN, N


def conformal_p_values(
    calibration_scores: N,
    scores: N,
    calibration_weights: N | None = None,
    weights: N | None = None,
    rng: np.random.Generator | None = None,
) -> N:
    """Return the conformal p-value of each score, shape (n,); a higher score is more anomalous.

    Parameters
    ----------
    calibration_scores : ndarray of shape (m,)
        Scores of normal rows that the score function has not seen.
    scores : ndarray of shape (n,)
        Scores of the rows to judge.
    calibration_weights : ndarray of shape (m,), optional
        How many times each calibration row counts. With ``weights``: the ratio of the density of new rows to that of
        calibration rows, which corrects for a shift of covariates. By default 1.
    weights : ndarray of shape (n,), optional
        The same weights of the rows to judge. By default 1.
    rng : numpy.random.Generator, optional
        Randomises ties, so that p-values of normal rows are exactly uniform. By default ties count in full, and
        p-values are discrete and slightly larger.

    References
    ----------
    Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), chapter 2; Bates, Candès, Lei, Romano &
    Sesia, Annals of Statistics 51 (2023); with weights Tibshirani et al., NeurIPS 2019, eq. 8.
    """
    own = np.ones(len(scores)) if weights is None else weights
    total = float(len(calibration_scores) if calibration_weights is None else calibration_weights.sum())
    mass = weigh_scores(calibration_scores, scores, calibration_weights)
    return combine_masses(mass, own, total, rng)


def weigh_scores(calibration_scores: N, scores: N, calibration_weights: N | None = None) -> tuple[N, N]:
    """Return the weight of the calibration scores above each score (n,), and of those equal to it (n,)."""
    order = np.argsort(calibration_scores, kind="stable")
    ordered = calibration_scores[order]
    sorted_weights = np.ones(len(order)) if calibration_weights is None else calibration_weights[order]
    weight_at_least = np.append(np.cumsum(sorted_weights[::-1])[::-1], 0.0)
    above = weight_at_least[np.searchsorted(ordered, scores, side="right")]
    at_least = weight_at_least[np.searchsorted(ordered, scores, side="left")]
    return above, at_least - above


def combine_masses(mass: tuple[N, N], own: N, total: float, rng: np.random.Generator | None) -> N:
    """Return p-values from the weights above and equal (n,), those of the rows themselves (n,) and the total weight."""
    above, equal = mass
    counted_ties = 1.0 if rng is None else rng.uniform(size=len(own))
    return np.asarray((above + counted_ties * (equal + own)) / (total + own))


def select_by_fdr(p_values: N, fdr: float, weights: N | None = None) -> BoolN:
    """Return which rows the procedure of Benjamini and Hochberg selects at a false discovery rate, shape (n,).

    With conformal p-values of one calibration set the expected fraction of normal rows among those selected is at most
    ``fdr``: the p-values depend positively on each other (Bates et al. 2023, theorem 2).

    Parameters
    ----------
    p_values : ndarray of shape (n,)
    fdr : float
        Nominal false discovery rate, between 0 and 1.
    weights : ndarray of shape (n,), optional
        How many times each row counts.

    References
    ----------
    Benjamini & Hochberg, JRSS B 57 (1995).
    """
    return np.asarray(p_values <= find_p_value_limit(p_values, fdr, weights))


def find_p_value_limit(p_values: N, fdr: float, weights: N | None = None) -> float:
    """Return the largest p-value that Benjamini and Hochberg select; -1 if they select none."""
    order = np.argsort(p_values, kind="stable")
    counts = np.arange(1, len(order) + 1) if weights is None else np.cumsum(weights[order])
    ordered = p_values[order]
    selected = np.flatnonzero(ordered * counts[-1] <= fdr * counts) if len(order) else order
    return float(ordered[selected[-1]]) if len(selected) else -1.0
