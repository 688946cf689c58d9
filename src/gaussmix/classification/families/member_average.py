"""Class probabilities as the average over mixtures that were refined from several starts."""

from collections.abc import Sequence

import numpy as np

from gaussmix.classification.mixed.log_probabilities import log_sum_exp
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.types import NK, YN, N


def average_log_probabilities(members: Sequence[MixedMixture], rows: MixedRows) -> NK:
    """Return the log of the mean class probabilities (n, Y) of rows in their original order."""
    by_member = [_normalize_classes(member.compute_class_scores(rows)) for member in members]
    return np.ascontiguousarray(rows.to_original_order(_log_mean(by_member)).T)


def average_log_densities(members: Sequence[MixedMixture], rows: MixedRows) -> N:
    """Return the log of the mean density (n,) of rows in their original order."""
    return rows.to_original_order(_log_mean([log_sum_exp(member.compute_class_scores(rows)) for member in members]))


def _normalize_classes(class_scores: YN) -> YN:
    """Return log class probabilities (Y, n) from joint log densities (Y, n)."""
    return np.asarray(class_scores - log_sum_exp(class_scores))


def _log_mean(values: Sequence[N]) -> N:
    """Return the log of the mean of exp(values) over the members."""
    if len(values) == 1:
        return values[0]
    stacked = np.asarray(values)
    largest = stacked.max(axis=0)
    return np.asarray(largest + np.log(np.exp(stacked - largest).mean(axis=0)))
