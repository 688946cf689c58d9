"""Initial partitions of tables with far rows: the other rows are partitioned by themselves, so that no group is lost.

A few far rows that have nearly all of the variance attract the centers of k-means and the last merges of a tree, while
the groups of all other rows share one center. Here far rows get groups of their own, and the other rows all others.
"""

import numpy as np

from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization.init_methods import initial_partitions
from gaussmix.types import IntN


def partition_near_and_far_rows(problem: Problem, n_components: int, rng: np.random.Generator) -> IntN | None:
    """Return a partition, labels (n,), in which far rows have groups of their own; None without far rows.

    Far rows of few distinct values, such as two sentinels, have a group for each, but no more than half of the groups.
    Others have one group.
    """
    limits = problem.far_row_limits
    if limits is None or n_components < 2:
        return None
    framed_rows, weights = problem.source.collect(None)
    is_far = limits.are_far(framed_rows)
    if not weights[is_far].any() or not weights[~is_far].any():
        return None
    n_far_groups = limits.max_far_components(n_components)
    rows, labels = problem.source.frame.restore_means(framed_rows), np.empty(len(framed_rows), dtype=np.int64)
    for is_part, first_label, n_groups in (
        (~is_far, 0, n_components - n_far_groups),
        (is_far, n_components - n_far_groups, n_far_groups),
    ):
        part = problem.on_sample_of_rows(rows[is_part], weights[is_part])
        labels[is_part] = first_label + initial_partitions(part, n_groups, 1, rng)[0]
    return labels
