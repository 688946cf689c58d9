"""What solvers that try more than a step of EM have in common: which trials are worth a pass."""

import numpy as np

from gaussmix.model.fixed_parameters import apply_fixed
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.solvers.em.em import EM
from gaussmix.types import Array

_MAX_PRECISION_TRACE_IN_FLOORS = 0.5  # a precision of so small a trace, in units of the floor, is far from it


def make_trial_mixture(solver: EM, coordinates: MixtureParametrization, vector: Array) -> Mixture | None:
    """The mixture that has these numbers, with what is held; None if it is not finite or too near to the floor."""
    if not np.isfinite(vector).all():
        return None
    mixture = coordinates.to_mixture(vector)
    if solver.fixed is not None:
        mixture = apply_fixed(mixture, solver.fixed)
    return mixture if is_above_floor(mixture, solver) else None


def is_above_floor(mixture: Mixture, solver: EM) -> bool:
    """Whether all numbers are finite, and no variance in any direction comes near to the floor."""
    finite = np.isfinite(mixture.centers).all() and np.isfinite(mixture.covariance.log_determinants).all()
    if not finite or not np.isfinite(mixture.weights).all():
        return False
    floor = solver.covariance_estimator.min_variances
    if floor is None:
        return True
    roots = mixture.covariance.precision_root.to_dense(*mixture.centers.shape)
    traces = np.einsum("kij,kij,i->k", roots, roots, floor, optimize=True)
    return bool((traces < _MAX_PRECISION_TRACE_IN_FLOORS).all())
