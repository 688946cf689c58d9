"""Initial partitions of tables with far rows: the other rows are partitioned by themselves, so that no group is lost.

A few far rows that have nearly all of the variance attract the centers of k-means and the last merges of a tree, while
the groups of all other rows share one center. Here far rows get one or two groups, and the other rows all others.
"""

import numpy as np

from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization.init_methods import initial_partitions
from gaussmix.types import BoolN, IntN

_FAR_DEVIATIONS = 10.0  # of the other rows, whose mean is the center of the frame
_MAX_FAR_GROUPS = 2


def far_row_mask(problem: Problem) -> BoolN:
    """Return which rows (n,) of a problem are far from the others in a column whose variance they determine."""
    rows, _ = problem.source.collect(None)
    columns = problem.far_row_columns
    limits = _FAR_DEVIATIONS * np.sqrt(problem.column_variances[columns])
    return np.asarray((np.abs(rows[:, columns]) > limits).any(axis=1))


def partition_near_and_far_rows(problem: Problem, n_components: int, rng: np.random.Generator) -> list[IntN]:
    """Return partitions, labels (n,) each, in which far rows have one or two groups of their own; none without them."""
    if not problem.far_row_columns or n_components < 2:
        return []
    is_far = far_row_mask(problem)
    framed_rows, weights = problem.source.collect(None)
    if not weights[is_far].any() or not weights[~is_far].any():
        return []
    rows = problem.source.frame.restore_means(framed_rows)
    partitions = []
    for n_far_groups in range(1, min(_MAX_FAR_GROUPS, n_components - 1) + 1):
        labels = np.empty(len(rows), dtype=np.int64)
        for is_part, first_label, n_groups in (
            (~is_far, 0, n_components - n_far_groups),
            (is_far, n_components - n_far_groups, n_far_groups),
        ):
            part = problem.on_sample_of_rows(rows[is_part], weights[is_part])
            labels[is_part] = first_label + initial_partitions(part, n_groups, 1, rng)[0]
        partitions.append(labels)
    return partitions
