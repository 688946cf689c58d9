"""Choose how near a refinement stays to the mixtures of EM: by the log-loss of unseen rows, after a calibration.

A refinement with a small penalty separates the rows that it sees by chance if these are few, and one with a large
penalty leaves what EM found. Penalties differ most in how steep the log-odds are, which a calibration mends, so that
losses without it would say little.
"""

from dataclasses import replace
from functools import cache

import numpy as np

from gaussmix.classification.calibration import fit_calibration
from gaussmix.classification.families.component_search import log_losses
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.members import MemberOptions, MixtureSpec

PENALTIES = (2.0, 10.0, 50.0, 250.0)
_PENALTY_OF_FEW_ROWS, _PENALTY_OF_MANY_ROWS = 50.0, 2.0
_MANY_ROWS = 3000.0


def with_penalty(options: MemberOptions, penalty: float) -> MemberOptions:
    """Return options with another penalty; the same ones without a refinement."""
    if options.refinement is None:
        return options
    return MemberOptions(options.seeds, replace(options.refinement, penalty=penalty))


def propose_penalty(n_rows: float) -> float:
    """Return the penalty with which the numbers of components are chosen, before the penalty itself is."""
    return _PENALTY_OF_FEW_ROWS if n_rows < _MANY_ROWS else _PENALTY_OF_MANY_ROWS


def choose_penalty(validation: CrossValidation, spec: MixtureSpec, options: MemberOptions) -> MemberOptions:
    """Return options with the penalty that serves unseen rows best, found by steps that lower their log-loss."""
    if options.refinement is None:
        return options
    position = PENALTIES.index(options.refinement.penalty)

    @cache
    def compute_loss(position: int) -> float:
        return _calibrated_loss(validation, spec, with_penalty(options, PENALTIES[position]))

    for step in (1, -1):
        while 0 <= position + step < len(PENALTIES) and compute_loss(position + step) < compute_loss(position):
            position += step
    return with_penalty(options, PENALTIES[position])


def _calibrated_loss(validation: CrossValidation, spec: MixtureSpec, options: MemberOptions) -> float:
    """Return the log-loss of the held-out rows, in nats per row, after a calibration with floors."""
    log_probabilities, rows = validation.predict(spec, options), validation.held_out_rows
    calibration = fit_calibration("floor", log_probabilities, rows.classes, rows.row_weights)
    losses = log_losses(calibration.apply(log_probabilities), rows.classes)
    return float(np.average(losses, weights=rows.row_weights))
