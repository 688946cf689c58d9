"""Initial partitions of tables with far rows: the other rows are partitioned by themselves, so that no group is lost.

A few far rows that have nearly all of the variance attract the centers of k-means and the last merges of a tree, while
the groups of all other rows share one center. Here far rows get groups of their own, and the other rows all others.
"""

import numpy as np

from gaussmix.model.problem import Problem
from gaussmix.model.robust_scales import weighted_medians
from gaussmix.solvers.initialization.init_methods import initial_partitions
from gaussmix.types import BoolN, IntN

_FAR_DEVIATIONS = 10.0  # of the other rows, from their median


def far_row_mask(problem: Problem) -> BoolN:
    """Return which rows (n,) of a problem are far from the others in a column whose variance they determine.

    Far rows have a small part of the weight, so that the median lies among the others. The center of the frame is
    rounded, and may be farther from them than their deviation.
    """
    rows, weights = problem.source.collect(None)
    columns = problem.far_row_columns
    limits = _FAR_DEVIATIONS * np.sqrt(problem.column_variances[columns])
    values = rows[:, columns]
    return np.asarray((np.abs(values - weighted_medians(values, weights)) > limits).any(axis=1))


def partition_near_and_far_rows(problem: Problem, n_components: int, rng: np.random.Generator) -> IntN | None:
    """Return a partition, labels (n,), in which far rows have groups of their own; None without far rows.

    Far rows of few distinct values, such as two sentinels, have a group for each, but no more than half of the groups.
    Others have one group.
    """
    if not problem.far_row_columns or n_components < 2:
        return None
    is_far = far_row_mask(problem)
    framed_rows, weights = problem.source.collect(None)
    if not weights[is_far].any() or not weights[~is_far].any():
        return None
    n_values = len(np.unique(framed_rows[is_far][:, problem.far_row_columns], axis=0))
    n_far_groups = n_values if n_values <= n_components // 2 else 1
    rows, labels = problem.source.frame.restore_means(framed_rows), np.empty(len(framed_rows), dtype=np.int64)
    for is_part, first_label, n_groups in (
        (~is_far, 0, n_components - n_far_groups),
        (is_far, n_components - n_far_groups, n_far_groups),
    ):
        part = problem.on_sample_of_rows(rows[is_part], weights[is_part])
        labels[is_part] = first_label + initial_partitions(part, n_groups, 1, rng)[0]
    return labels
