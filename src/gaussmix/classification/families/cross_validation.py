"""Predictions of rows by members that were fitted without them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.classification.families.member_average import average_log_probabilities
from gaussmix.classification.families.members import AbstractFamilyFits, MemberOptions, MixtureSpec
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.threads import ordered_sum
from gaussmix.types import NK, IntN

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


def assign_folds(classes: IntN, n_folds: int, seed: int) -> IntN:
    """Return the fold (n,) of each row, with equal fractions of each class; -1 for classes of a single row."""
    rng = make_generator(seed)
    folds = np.full(len(classes), -1, dtype=np.int64)
    offset = 0
    for label in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == label))
        if len(rows) > 1:
            folds[rows] = (np.arange(len(rows)) + offset) % n_folds
            offset += len(rows)
    return folds
