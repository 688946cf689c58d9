"""Elementary symmetric functions on the log scale: sums over all choices of detections that belong to objects.

The product of a_i + b_i t over detections i has coefficients that sum over all choices of k detections the product of
b_i of those and a_i of the others. With a_i = 1 they are the elementary symmetric functions of b. All terms are
positive, so that no digits are lost.
"""

import numpy as np

from gaussmix.types import Array, K, N


def log_sum(log_values: Array, axis: int) -> Array:
    """Return the log of the sum of exp(log_values) along an axis; minus infinity if all terms are."""
    top = log_values.max(axis=axis, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(log_values - shift).sum(axis=axis)) + np.squeeze(shift, axis))


def log_partial_products(log_constants: N, log_slopes: N, degree: int) -> Array:
    """Return logs of the coefficients of the products of the first 0, 1, ..., n factors, (n + 1, degree + 1).

    The last row is that of all factors.

    Parameters
    ----------
    log_constants, log_slopes : arrays of shape (n,)
        Logs of a_i and b_i; minus infinity is allowed.
    degree : int
        Later coefficients are left out.
    """
    products = np.full((len(log_constants) + 1, degree + 1), -np.inf)
    products[0, 0] = 0.0
    for i in range(len(log_constants)):
        last = min(i + 1, degree)  # later coefficients are 0
        products[i + 1, : last + 1] = log_constants[i] + products[i, : last + 1]
        products[i + 1, 1 : last + 1] = np.logaddexp(products[i + 1, 1 : last + 1], log_slopes[i] + products[i, :last])
    return products


def log_leave_one_out(partial_products: Array, log_constants: N, log_slopes: N, log_weights: K) -> N:
    """Return logs of the weighted sum of the coefficients of the product without factor i, for each i, (n,).

    A product without one factor is that of the factors before and of those after it. Weights of coefficients pass
    backwards through the factors after it, so that n products without one factor cost as much as two of all.

    Parameters
    ----------
    partial_products : array of shape (n + 1, degree + 1)
        Those of `log_partial_products`.
    log_constants, log_slopes : arrays of shape (n,)
        Logs of a_i and b_i.
    log_weights : array of shape (degree + 1,)
        Logs of the weights of the coefficients; later coefficients have the weight 0.
    """
    prefixes = partial_products[:-1]
    weights = np.empty_like(prefixes)
    current = log_weights
    for i in range(len(log_constants) - 1, -1, -1):
        weights[i] = current
        current = log_constants[i] + current
        current[:-1] = np.logaddexp(current[:-1], log_slopes[i] + weights[i, 1:])
    return log_sum(prefixes + weights, axis=1)
