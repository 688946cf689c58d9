"""Segments of customers: the components of a mixture that is fitted without regard to who left.

So the labels, which the mixture has not seen, give honest churn rates. They choose the number of segments alone.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.families.class_fits import ClassFits
from gaussmix.classification.families.component_search import log_losses
from gaussmix.classification.families.cross_validation import divide_copies
from gaussmix.classification.families.training_rows import TrainingRows, merge_equal_rows
from gaussmix.classification.mixed.log_probabilities import compute_responsibilities
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.table import EncodedRows
from gaussmix.classification.target import count_copies
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.threads import ordered_sum
from gaussmix.types import NK, BoolN, IntN, N

MIN_SEGMENTS, MAX_SEGMENTS = 2, 8
_N_FOLDS, _N_STARTS = 3, 5
_MAX_SAMPLE_ROWS = 20_000  # that compare numbers of segments, and starts
_MIN_ROWS_PER_SEGMENT = 20
_MIN_SEGMENT_WEIGHT = 1.0  # of a segment that is kept, in customers
_MIN_PROBABILITY = 1e-12


@dataclass(frozen=True)
class SegmentCandidate:
    """A number of segments, and how well they predict churn.

    Attributes
    ----------
    n_segments : int
    log_loss : float
        Mean negative log probability of what customers did, whom the mixture has not seen, in nats.
    standard_error : float
        Of the log-loss.
    """

    n_segments: int
    log_loss: float
    standard_error: float


class SegmentFit(NamedTuple):
    """A model whose classes are the segments, and the numbers of segments that were compared."""

    model: ClassModel
    candidates: tuple[SegmentCandidate, ...]


def fit_segments(classifier: ClassModel, encoded: EncodedRows, has_left: BoolN, weights: N, seed: int) -> SegmentFit:
    """Return a mixture of the customers, whose components are ordered by the churn rate, the highest first.

    Numbers of 2 to 8 are compared by the log-loss of predicted churn, on customers held out in turn. Customers with
    equal cells are held out apart from each other. The smallest
    number within one standard error of the best is chosen (Breiman, Friedman, Olshen & Stone, "Classification and
    Regression Trees", 1984, section 3.4.3).

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
    labelled = _merge_customers(classifier, encoded, has_left.astype(np.int64), weights)
    candidates = _compare_numbers(labelled, seed)
    # The rows of the mixture are merged and ordered without the labels, so that it does not depend on them.
    unlabelled = _merge_customers(classifier, encoded, np.zeros(encoded.n_rows, dtype=np.int64), weights)
    mixture = _fit_mixture(unlabelled.rows, _choose_number(candidates), seed)
    return SegmentFit(_make_model(classifier, mixture, labelled), candidates)


class _LabelledRows(NamedTuple):
    """Distinct rows of one class, their labels (n,), and the number of customers (n,) that each stands for."""

    rows: TrainingRows
    labels: IntN
    copies: IntN

    @property
    def n_of_rarer_label(self) -> int:
        """Number of customers of the rarer label."""
        return int(np.bincount(self.labels, weights=self.copies, minlength=2).min())

    def select_rows(self, chosen: IntN) -> "_LabelledRows":
        """Return some of the rows, by positions."""
        return _LabelledRows(self.rows.select_rows(chosen), self.labels[chosen], self.copies[chosen])


def _merge_customers(classifier: ClassModel, encoded: EncodedRows, labels: IntN, weights: N) -> _LabelledRows:
    """Return the distinct customers in sorted order."""
    used = classifier.select_used_cells(encoded)
    distinct = merge_equal_rows(used.numeric, used.codes, labels, weights, count_copies(weights))
    kept = used.select_rows(distinct.positions)
    one_class = np.zeros(kept.n_rows, dtype=np.int64)
    rows = TrainingRows(classifier.layout, kept.numeric, kept.codes, one_class, 1, distinct.weights)
    return _LabelledRows(rows, labels[distinct.positions], distinct.copies)


def _draw_seeds(seed: int, count: int) -> tuple[int, ...]:
    """Return seeds of starts."""
    return tuple(int(drawn) for drawn in make_generator(seed).integers(2**31, size=count))


def _compare_numbers(labelled: _LabelledRows, seed: int) -> tuple[SegmentCandidate, ...]:
    """Return the log-loss of each number of segments for which there are enough rows, in ascending order."""
    rows = labelled.rows
    largest = min(MAX_SEGMENTS, int(rows.row_weights.sum()) // _MIN_ROWS_PER_SEGMENT, rows.n_rows)
    if rows.layout.n_features == 1:  # a constant: the classifier uses no column
        largest = 1
    counts = range(MIN_SEGMENTS, largest + 1)
    sample = labelled.select_rows(_sample_rows(rows, seed))
    if len(counts) < 2 or sample.n_of_rarer_label < _N_FOLDS:
        return tuple(SegmentCandidate(count, np.nan, np.nan) for count in counts[:1])
    validation = _SegmentValidation.split(sample, seed)
    return tuple(validation.evaluate(count) for count in counts)


def _choose_number(candidates: tuple[SegmentCandidate, ...]) -> int:
    """Return the smallest number within one standard error of the best; one segment if none was compared."""
    if not candidates:
        return 1
    best = min(candidates, key=lambda candidate: candidate.log_loss)
    within = [each for each in candidates if not each.log_loss > best.log_loss + best.standard_error]
    return within[0].n_segments


def _fit_mixture(rows: TrainingRows, n_segments: int, seed: int) -> MixedMixture:
    """Return the mixture with the highest posterior density of several starts; of many rows a sample chooses it."""
    sample, fits = _sample_rows(rows, seed), ClassFits(rows)
    sample_fits = fits if len(sample) == rows.n_rows else ClassFits(rows.select_rows(sample))
    seeds = _draw_seeds(seed, _N_STARTS if n_segments > 1 else 1)
    results = ordered_sum(lambda start: (sample_fits.fit_class(0, n_segments, start),), seeds)
    best = max(range(len(seeds)), key=lambda index: results[index].trace[-1])
    return fits.fit_class(0, n_segments, seeds[best]).mixture


def _sample_rows(rows: TrainingRows, seed: int) -> IntN:
    """Return the positions of at most 20 000 rows, at random, ascending."""
    if rows.n_rows <= _MAX_SAMPLE_ROWS:
        return np.arange(rows.n_rows)
    drawn = make_generator(seed).choice(rows.n_rows, _MAX_SAMPLE_ROWS, replace=False)
    return np.sort(drawn).astype(np.int64)


def _compute_memberships(mixture: MixedMixture, rows: TrainingRows) -> NK:
    """Return the probability (n, K) of each component given the row."""
    values = compute_responsibilities(mixture.compute_scores(rows.mixed_rows)).values
    return np.asarray(rows.mixed_rows.to_original_order(values).T)


def _smooth_rates(memberships: NK, labels: IntN, weights: N) -> N:
    """Return the churn rate (K,) of each segment, with one more customer at the rate of all."""
    overall = float(weights @ labels / weights.sum())
    return np.asarray(((weights * labels) @ memberships + overall) / (weights @ memberships + 1.0))


def _make_model(classifier: ClassModel, mixture: MixedMixture, labelled: _LabelledRows) -> ClassModel:
    """Return the model whose classes are the segments with customers, ordered by the churn rate."""
    memberships, weights = _compute_memberships(mixture, labelled.rows), labelled.rows.row_weights
    rates = _smooth_rates(memberships, labelled.labels, weights)
    order = np.argsort(-rates, kind="stable")
    order = order[(weights @ memberships)[order] >= min(_MIN_SEGMENT_WEIGHT, float(weights.sum()) / len(order))]
    with np.errstate(divide="ignore"):
        own_class = np.log(np.eye(len(order)))
    chosen = replace(mixture.select_components(order), class_log_probabilities=own_class)
    return replace(classifier, members=(chosen,), calibration=None)


@dataclass(frozen=True, eq=False)
class _SegmentValidation:
    """Rows in folds with the labels (n,) of who left, and the fits of the other folds of each.

    Each row stands for ``copies`` (n,) customers of one fold, who are all the same.
    """

    rows: TrainingRows
    labels: IntN
    copies: N
    folds: IntN
    fits: tuple[ClassFits, ...]
    seed: int

    @classmethod
    def split(cls, labelled: _LabelledRows, seed: int) -> "_SegmentValidation":
        """Return the folds of rows, with equal fractions of customers who left."""
        pieces = divide_copies(labelled.labels, labelled.copies, _N_FOLDS, seed)
        rows, folds = labelled.rows.divide(pieces.rows, pieces.fractions), pieces.folds
        copies = labelled.copies[pieces.rows] * pieces.fractions
        fits = tuple(ClassFits(rows.select_rows(folds != fold)) for fold in range(_N_FOLDS))
        return cls(rows, labelled.labels[pieces.rows], copies, folds, fits, _draw_seeds(seed, 1)[0])

    def evaluate(self, n_segments: int) -> SegmentCandidate:
        """Return the log-loss of a number of segments, with the standard error of independent customers."""
        parts = ordered_sum(lambda fold: (self._predict_fold(fold, n_segments),), range(_N_FOLDS))
        probabilities = np.empty(self.rows.n_rows)
        for fold, part in enumerate(parts):
            probabilities[self.folds == fold] = part
        p = np.clip(probabilities, _MIN_PROBABILITY, 1.0 - _MIN_PROBABILITY)
        losses, weights = log_losses(np.log(np.column_stack([1.0 - p, p])), self.labels), self.rows.row_weights
        mean = float(np.average(losses, weights=weights))
        variance = float(((weights * (losses - mean)) ** 2 / self.copies).sum())
        return SegmentCandidate(n_segments, mean, float(np.sqrt(variance) / weights.sum()))

    def _predict_fold(self, fold: int, n_segments: int) -> N:
        """Return the churn probability of the rows of a fold, by the segments of the other folds and their rates."""
        is_in_fold, fits = self.folds == fold, self.fits[fold]
        mixture = fits.fit_class(0, n_segments, self.seed).mixture
        rates = _smooth_rates(_compute_memberships(mixture, fits.rows), self.labels[~is_in_fold], fits.rows.row_weights)
        return np.asarray(_compute_memberships(mixture, self.rows.select_rows(is_in_fold)) @ rates)
