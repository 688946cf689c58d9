"""Choose how far a model leans on what its rows have in common: by the log-loss of unseen rows, after a calibration.

Two numbers say so: the rows that the prior of each covariance counts as, and the penalty that keeps a refinement near
the mixtures of EM. Few rows with small numbers are separated by chance. Both change above all how steep the log-odds
are, which a calibration mends, so that losses without one would say little.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from gaussmix.classification.calibration import fit_calibration
from gaussmix.classification.families.base import AnyFamily
from gaussmix.classification.families.component_search import log_losses
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.members import MemberOptions, MixtureSpec

PENALTIES = (2.0, 10.0, 50.0, 250.0)
_PENALTY_OF_FEW_ROWS, _PENALTY_OF_MANY_ROWS = 50.0, 2.0
_MANY_ROWS = 3000.0
_MIN_GAIN = 1.0  # in nats of all rows: with less another choice is as likely to be worse


class Shrinkage(NamedTuple):
    """A family with its prior, and the starts and the refinement of its members."""

    family: AnyFamily
    members: MemberOptions

    def with_penalty(self, penalty: float) -> "Shrinkage":
        """Return the same with another penalty of the refinement, if there is one."""
        if self.members.refinement is None:
            return self
        refinement = replace(self.members.refinement, penalty=penalty)
        return self._replace(members=replace(self.members, refinement=refinement))

    def with_one_start(self) -> "Shrinkage":
        """Return the same with members from the first start alone."""
        return self._replace(members=replace(self.members, seeds=self.members.seeds[:1]))


def propose_penalty(n_rows: float) -> float:
    """Return the penalty with which the numbers of components are chosen, before the penalty itself is.

    Missing cells count as missing rows, in part.
    """
    return _PENALTY_OF_FEW_ROWS if n_rows < _MANY_ROWS else _PENALTY_OF_MANY_ROWS


def choose_shrinkage(
    first: Shrinkage, spec: MixtureSpec, validate: Callable[[AnyFamily], CrossValidation], has_given_penalty: bool
) -> Shrinkage:
    """Return the prior, and then the penalty unless it is given, with which a specification serves unseen rows best.

    ``validate`` returns the folds of a family.
    """

    @cache
    def compute_loss(shrinkage: Shrinkage) -> float:
        return _calibrated_loss(validate(shrinkage.family), spec, shrinkage.members)

    best = _choose_best(
        [Shrinkage(family, first.members) for family in first.family.list_priors()], first, compute_loss
    )
    if has_given_penalty:
        return best
    return _choose_best([best.with_penalty(penalty) for penalty in PENALTIES], best, compute_loss)


def _choose_best(
    candidates: Sequence[Shrinkage], first: Shrinkage, compute_loss: Callable[[Shrinkage], float]
) -> Shrinkage:
    """Return the candidate of the smallest loss, or the first one if that gains too little.

    All are looked at: the loss can rise from one to the next and fall behind it.
    """
    best = min(candidates, key=compute_loss)
    return best if compute_loss(best) < compute_loss(first) - _MIN_GAIN else first


def _calibrated_loss(validation: CrossValidation, spec: MixtureSpec, options: MemberOptions) -> float:
    """Return the log-loss of the held-out rows, in nats in total, after a calibration with floors."""
    log_probabilities, rows = validation.predict(spec, options), validation.held_out_rows
    calibration = fit_calibration("floor", log_probabilities, rows.classes, rows.row_weights)
    losses = log_losses(calibration.apply(log_probabilities), rows.classes)
    return float(rows.row_weights @ losses)
