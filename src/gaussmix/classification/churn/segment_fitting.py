"""Segments of customers: the components of a mixture that is fitted without regard to who left.

So the labels, which the mixture has not seen, give honest churn rates. They choose the number of segments alone.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussmix.classification.churn.segment_number import (
    SegmentCandidate,
    choose_number,
    compare_numbers,
    smooth_rates,
)
from gaussmix.classification.churn.segment_search import (
    SegmentMixture,
    compute_memberships,
    refit_mixture,
    search_mixtures,
)
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.families.training_rows import TrainingRows, merge_equal_rows, sample_rows
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.table import EncodedRows
from gaussmix.classification.target import count_copies
from gaussmix.types import BoolN, IntN, N

MAX_SEGMENTS = 8
_MAX_SAMPLE_ROWS = 20_000  # on which mixtures are searched
_MIN_ROWS_PER_SEGMENT = 20
_MIN_SEGMENT_WEIGHT = 1.0  # of a segment that is kept, in customers


class SegmentFit(NamedTuple):
    """A model whose classes are the segments, and the numbers of segments that were compared."""

    model: ClassModel
    candidates: tuple[SegmentCandidate, ...]


def fit_segments(classifier: ClassModel, encoded: EncodedRows, has_left: BoolN, weights: N, seed: int) -> SegmentFit:
    """Return a mixture of the customers, whose components are ordered by the churn rate, the highest first.

    One to 8 segments are compared: groups that are apart in the columns, or that differ in churn; see `choose_number`.

    Parameters
    ----------
    classifier : ClassModel
        Its schema, columns and layout are those of the segments.
    encoded : EncodedRows
    has_left : ndarray of bool of shape (n,)
    weights : ndarray of shape (n,)
        Positive weights of the rows; whole numbers are numbers of equal customers.
    seed : int
    """
    # The rows of the mixtures are merged and ordered without the labels, so that these do not depend on them.
    unlabelled = _merge_customers(classifier, encoded, np.zeros(encoded.n_rows, dtype=np.int64), weights).rows
    sample = unlabelled.select_rows(sample_rows(unlabelled.n_rows, _MAX_SAMPLE_ROWS, seed))
    found = search_mixtures(sample, _largest_number(unlabelled, sample), seed)
    labelled = _merge_customers(classifier, encoded, has_left.astype(np.int64), weights)
    candidates = _compare_mixtures(found, labelled)
    mixture = found[choose_number(candidates) - 1].mixture
    if sample.n_rows < unlabelled.n_rows:
        mixture = refit_mixture(unlabelled, mixture)
    return SegmentFit(_make_model(classifier, mixture, labelled), candidates)


class _LabelledRows(NamedTuple):
    """Distinct rows of one class, their labels (n,), and the number of customers (n,) that each stands for."""

    rows: TrainingRows
    labels: IntN
    copies: IntN


def _merge_customers(classifier: ClassModel, encoded: EncodedRows, labels: IntN, weights: N) -> _LabelledRows:
    """Return the distinct customers in sorted order."""
    used = classifier.select_used_cells(encoded)
    distinct = merge_equal_rows(used.numeric, used.codes, labels, weights, count_copies(weights))
    kept = used.select_rows(distinct.positions)
    one_class = np.zeros(kept.n_rows, dtype=np.int64)
    rows = TrainingRows(classifier.layout, kept.numeric, kept.codes, one_class, 1, distinct.weights)
    return _LabelledRows(rows, labels[distinct.positions], distinct.copies)


def _largest_number(rows: TrainingRows, sample: TrainingRows) -> int:
    """Return the largest number of segments for which there are enough rows, and columns."""
    if rows.layout.n_features == 1:  # a constant: the classifier uses no column
        return 1
    return max(1, min(MAX_SEGMENTS, int(rows.row_weights.sum()) // _MIN_ROWS_PER_SEGMENT, sample.n_rows))


def _compare_mixtures(found: tuple[SegmentMixture, ...], labelled: _LabelledRows) -> tuple[SegmentCandidate, ...]:
    """Return the candidates of mixtures, in ascending order of their components."""
    memberships = [compute_memberships(each.mixture, labelled.rows) for each in found]
    weights, copies = labelled.rows.row_weights, labelled.copies.astype(np.float64)
    return compare_numbers(found, memberships, labelled.labels, weights, copies)


def _make_model(classifier: ClassModel, mixture: MixedMixture, labelled: _LabelledRows) -> ClassModel:
    """Return the model whose classes are the segments with customers, ordered by the churn rate."""
    memberships, weights = compute_memberships(mixture, labelled.rows), labelled.rows.row_weights
    rates = smooth_rates(memberships, labelled.labels, weights)
    order = np.argsort(-rates, kind="stable")
    order = order[(weights @ memberships)[order] >= min(_MIN_SEGMENT_WEIGHT, float(weights.sum()) / len(order))]
    with np.errstate(divide="ignore"):
        own_class = np.log(np.eye(len(order)))
    chosen = replace(mixture.select_components(order), class_log_probabilities=own_class)
    return replace(classifier, members=(chosen,), calibration=None)
