"""Compute the log-likelihood of fitted parameters in NumPy, in the same way for every library.

The likelihood that a library reports may belong to the parameters before the last update, to float32 or to a part of
the rows. So every library returns its parameters and this module scores them.
"""

from pathlib import Path

import numpy as np

MAX_SCORED_ROWS = 50_000  # the rows have a random order, so the first ones are a random sample


def full_covariances(structure: str, covariances: np.ndarray, n_components: int, n_features: int) -> np.ndarray:
    """Convert covariances from scikit-learn's shape for the structure to (K, d, d)."""
    covariances = np.asarray(covariances, dtype=np.float64)
    if structure == "full":
        return covariances.reshape(n_components, n_features, n_features)
    if structure == "tied":
        return np.broadcast_to(covariances.reshape(n_features, n_features), (n_components, n_features, n_features))
    return covariances.reshape(n_components, -1)[:, :, None] * np.eye(n_features)


def write_parameters(file: Path, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> None:
    """Write weights (K,), means (K, d) and covariances (K, d, d) to a binary file of float64."""
    np.concatenate([np.ravel(part).astype(np.float64) for part in (weights, means, covariances)]).tofile(file)


def read_parameters(file: Path, n_features: int, n_components: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the weights, means and covariances that `write_parameters` wrote."""
    weights, means, covariances = np.split(np.fromfile(file), [n_components, n_components + n_components * n_features])
    return weights, means.reshape(n_components, n_features), covariances.reshape(n_components, n_features, n_features)


def mean_log_likelihood(
    rows: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray, block_size: int = 10_000
) -> float:
    """Return the mean log-likelihood of the first rows, or NaN if a covariance is not positive definite."""
    rows = rows[:MAX_SCORED_ROWS]
    try:
        inverses = np.linalg.inv(np.linalg.cholesky(covariances))
    except np.linalg.LinAlgError:
        return float("nan")
    with np.errstate(divide="ignore"):
        offsets = np.log(weights) + np.log(np.diagonal(inverses, axis1=1, axis2=2)).sum(axis=1)
    total = 0.0
    for start in range(0, len(rows), block_size):
        part = rows[start : start + block_size]
        scores = np.empty((len(part), len(weights)))
        for k, inverse in enumerate(inverses):
            scores[:, k] = offsets[k] - 0.5 * np.square((part - means[k]) @ inverse.T).sum(axis=1)
        largest = scores.max(axis=1, keepdims=True)
        total += float((largest[:, 0] + np.log(np.exp(scores - largest).sum(axis=1))).sum())
    return total / len(rows) - 0.5 * rows.shape[1] * float(np.log(2.0 * np.pi))
