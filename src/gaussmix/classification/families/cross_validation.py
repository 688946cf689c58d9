"""Predictions of rows by members that were fitted without them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.families.member_average import average_log_probabilities
from gaussmix.classification.families.members import AbstractFamilyFits, MemberOptions, MixtureSpec
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.threads import ordered_sum
from gaussmix.types import NK, IntN, IntNC, N

MakeFits = Callable[[TrainingRows], AbstractFamilyFits]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Rows in folds, and the fits of the other folds of each.

    Attributes
    ----------
    rows : TrainingRows
    folds : ndarray of int64 of shape (n,)
        Fold of each row; -1 is always trained on.
    make_fits : callable
        Makes the fits of a family for some rows.
    """

    rows: TrainingRows
    folds: IntN
    make_fits: MakeFits

    @cached_property
    def held_out(self) -> IntN:
        """Positions (m,) of the rows that are in a fold."""
        return np.flatnonzero(self.folds >= 0)

    @cached_property
    def held_out_rows(self) -> TrainingRows:
        """The rows that are in a fold."""
        return self.rows.select_rows(self.held_out)

    @cached_property
    def _fits_without_fold(self) -> tuple[AbstractFamilyFits, ...]:
        """The fits without each fold."""
        n_folds = int(self.folds.max()) + 1
        return tuple(self.make_fits(self.rows.select_rows(self.folds != fold)) for fold in range(n_folds))

    @cached_property
    def _rows_of_fold(self) -> tuple[TrainingRows, ...]:
        """The rows of each fold."""
        return tuple(self.rows.select_rows(self.folds == fold) for fold in range(len(self._fits_without_fold)))

    def predict(self, spec: MixtureSpec, options: MemberOptions) -> NK:
        """Return the log class probabilities (m, Y) of the held-out rows by members of the other folds."""
        predictions = ordered_sum(
            lambda fold: (self._predict_fold(fold, spec, options),), range(len(self._fits_without_fold))
        )
        log_probabilities = np.empty((self.rows.n_rows, self.rows.n_classes))
        for fold, prediction in enumerate(predictions):
            log_probabilities[self.folds == fold] = prediction
        return np.asarray(log_probabilities[self.held_out])

    def _predict_fold(self, fold: int, spec: MixtureSpec, options: MemberOptions) -> NK:
        """Return the log class probabilities of the rows of one fold."""
        members = self._fits_without_fold[fold].fit_members(spec, options)
        return average_log_probabilities(members.mixtures, self._rows_of_fold[fold].mixed_rows)


class FoldPieces(NamedTuple):
    """Rows divided over folds: the row (m,) and the fold (m,) of each piece, and its fraction (m,) of the row's weight.

    A fold of -1 is always trained on.
    """

    rows: IntN
    folds: IntN
    fractions: N

    def select(self, pieces: IntN) -> "FoldPieces":
        """Return some of the pieces, by positions."""
        return FoldPieces(self.rows[pieces], self.folds[pieces], self.fractions[pieces])


def divide_copies(classes: IntN, copies: IntN, n_folds: int, seed: int) -> FoldPieces:
    """Return rows (n,) with numbers of equal copies (n,) in folds, with equal fractions of each class in each fold.

    Copies are held out apart from each other, at random. A row with all of its copies in one fold would be predicted by
    fits that have seen the rows of other classes with the same values, and none of its own. Copies in equal numbers in
    all folds would make each fold a picture of the others. The only copy of a class is in no fold.
    """
    rng = make_generator(seed)
    n_folds = min(n_folds, int(copies.sum()))
    counts = np.zeros((len(classes), n_folds), dtype=np.int64)
    offset = 0
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        n_copies = int(copies[rows].sum())
        if n_copies > 1:
            counts[rows] = _draw_counts(copies[rows], n_folds, offset % n_folds, rng)
            offset += n_copies
    rows, folds = np.nonzero(counts)
    single = np.flatnonzero(~counts.any(axis=1))
    fractions = np.concatenate([counts[rows, folds] / copies[rows], np.ones(len(single))])
    rows, folds = np.concatenate([rows, single]), np.concatenate([folds, np.full(len(single), -1)])
    order = np.argsort(rows, kind="stable")
    return FoldPieces(rows[order], folds[order], fractions[order])


def _draw_counts(copies: IntN, n_folds: int, first_fold: int, rng: np.random.Generator) -> IntNC:
    """Return how many copies (n, F) of each row are in each fold; the first folds are larger by one copy."""
    places = np.full(n_folds, int(copies.sum()) // n_folds, dtype=np.int64)
    places[(first_fold + np.arange(int(copies.sum()) % n_folds)) % n_folds] += 1
    counts = np.zeros((len(copies), n_folds), dtype=np.int64)
    for row in np.flatnonzero(copies > 1):
        counts[row] = rng.multivariate_hypergeometric(places, copies[row], method="marginals")
        places -= counts[row]
    folds = np.repeat(np.arange(n_folds), places)
    turns = np.concatenate([np.arange(count) for count in places])
    folds = folds[np.lexsort(((folds - first_fold) % n_folds, turns))]
    counts[rng.permutation(np.flatnonzero(copies == 1)), folds] = 1
    return counts
