"""What solvers that try more than a step of EM have in common: which trials are worth a pass."""

import numpy as np

from gaussmix.model.coordinates import Coordinates
from gaussmix.model.held import imposed
from gaussmix.model.mixture import Mixture
from gaussmix.solvers.em import EM
from gaussmix.types import Array

_CLEAR = 0.5  # a precision of so small a trace, in units of the floor, is far from it


def trial(solver: EM, coordinates: Coordinates, vector: Array) -> Mixture | None:
    """The mixture that has these numbers, with what is held; None if it is not finite or too near to the floor."""
    if not np.isfinite(vector).all():
        return None
    mixture = coordinates.mixture(vector)
    if solver.held is not None:
        mixture = imposed(mixture, solver.held)
    return mixture if is_clear(mixture, solver) else None


def is_clear(mixture: Mixture, solver: EM) -> bool:
    """Whether all numbers are finite, and no variance in any direction comes near to the floor."""
    finite = np.isfinite(mixture.centers).all() and np.isfinite(mixture.covariance.log_determinants).all()
    if not finite or not np.isfinite(mixture.weights).all():
        return False
    floor = solver.family.least
    if floor is None:
        return True
    roots = mixture.covariance.root.dense(*mixture.centers.shape)
    traces = np.einsum("kij,kij,i->k", roots, roots, floor, optimize=True)
    return bool((traces < _CLEAR).all())
