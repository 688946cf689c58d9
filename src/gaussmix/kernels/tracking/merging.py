"""Merge the components of each group that are close to a heavier one, without Python in between.

It does what `model/component_reduction.py` does in NumPy.
"""

import math

from gaussmix.kernels.codegen.decorators import entry_point, kernel

_RELATIVE_PIVOT = 1e-13  # smaller pivots are rounding errors of a direction without variance


@entry_point
def merge_in_groups(
    weights,
    means,
    covariances,
    group_starts,
    max_squared_distance,
    max_components,
    factors,
    difference,
    is_merged,
    kept,
):
    """Merge components in place; write the positions of those that are left to ``kept``, and return their number.

    Within a group, components stand in descending order of weight. The heaviest takes all components within the
    squared Mahalanobis distance of their own covariance, then the next one that is left, and so on.
    """
    n_kept = 0
    for group in range(group_starts.shape[0] - 1):
        start, stop = group_starts[group], group_starts[group + 1]
        for i in range(start, stop):
            is_merged[i] = False
        n_in_group = 0
        for head in range(start, stop):
            if is_merged[head] or n_in_group >= max_components:
                continue
            _merge_into_head(
                weights,
                means,
                covariances,
                head,
                stop,
                max_squared_distance,
                factors,
                difference,
                is_merged,
                kept,
                n_kept + 1,
            )
            kept[n_kept] = head
            n_kept += 1
            n_in_group += 1
    return n_kept


@kernel
def _merge_into_head(
    weights, means, covariances, head, stop, max_squared_distance, factors, difference, is_merged, members, first
):
    """Merge all later components of the group that are close to ``head`` into it, keeping mean and covariance.

    Their positions go to ``members``, from ``first`` on.
    """
    n_states = means.shape[1]
    total, end = weights[head], first
    for i in range(head + 1, stop):
        if not is_merged[i] and _is_close(means, covariances, head, i, max_squared_distance, factors, difference):
            is_merged[i] = True
            total += weights[i]
            members[end] = i
            end += 1
    if total == weights[head]:
        return
    for a in range(n_states):
        shift = 0.0
        for m in range(first, end):
            shift += weights[members[m]] * (means[members[m], a] - means[head, a])
        difference[a] = shift / total
    _sum_covariances(weights, means, covariances, head, total, difference, members, first, end)
    for a in range(n_states):
        means[head, a] += difference[a]
    weights[head] = total


@kernel
def _sum_covariances(weights, means, covariances, head, total, shift, members, first, end):
    """Write the covariance of the merged component to ``head``; ``shift`` is the change of its mean."""
    n_states = means.shape[1]
    for a in range(n_states):
        for b in range(a + 1):
            value = weights[head] * (covariances[head, a, b] + shift[a] * shift[b])
            for m in range(first, end):
                i = members[m]
                one = means[i, a] - means[head, a] - shift[a]
                other = means[i, b] - means[head, b] - shift[b]
                value += weights[i] * (covariances[i, a, b] + one * other)
            covariances[head, a, b] = covariances[head, b, a] = value / total


@kernel
def _is_close(means, covariances, head, i, max_squared_distance, factors, difference):
    """Return whether the mean of ``head`` is within a Mahalanobis distance of component i; keep its Cholesky factor."""
    n_states = means.shape[1]
    if not factors[i, 0, 0] > 0.0:
        _factorize(covariances, i, factors)
    square = 0.0
    for a in range(n_states):
        value = means[head, a] - means[i, a]
        for b in range(a):
            value -= factors[i, a, b] * difference[b]
        difference[a] = value / factors[i, a, a]
        square += difference[a] * difference[a]
        if not square <= max_squared_distance:  # most pairs are far apart in the first column
            return False
    return True


@kernel
def _factorize(covariances, i, factors):
    """Write the lower Cholesky factor of a covariance, with small pivots raised."""
    n_states = covariances.shape[1]
    for a in range(n_states):
        for b in range(a + 1):
            value = covariances[i, a, b]
            for c in range(b):
                value -= factors[i, a, c] * factors[i, b, c]
            if a == b:
                factors[i, a, a] = math.sqrt(max(value, _RELATIVE_PIVOT * covariances[i, a, a], 1e-300))
            else:
                factors[i, a, b] = value / factors[i, b, b]
