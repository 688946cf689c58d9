"""What accelerated EM and gradient solvers share: predicted gains, and tests of mixtures that are no EM step."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gaussmix.model.fixed_parameters import apply_fixed_parameters
from gaussmix.model.mixture import Mixture
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.solvers.base import MixtureState
from gaussmix.solvers.em.em import EM, EMBasedSolver
from gaussmix.types import Array

# The trace of a precision matrix, with the floor as the unit of variance. Far from the floor it is smaller than this.
_MAX_PRECISION_TRACE_IN_FLOORS = 0.5


@dataclass(frozen=True)
class AcceleratedState(MixtureState):
    """The state of an accelerated solver; ``predicted_gain`` is how much the next EM step would gain, at a guess."""

    predicted_gain: float = 0.0


A = TypeVar("A", bound=AcceleratedState)


class AcceleratedEM(EMBasedSolver[A]):
    """EM with longer steps. Each is a proposal, which the next E-step accepts only if the objective is no lower."""

    def predict_em_gain(self, state: A) -> float:
        """Return the gain of the next EM step that the last step predicted and stored in the state."""
        return state.predicted_gain


def make_mixture_unless_near_floor(em: EM, coordinates: MixtureParametrization, vector: Array) -> Mixture | None:
    """Return the mixture at a vector of coordinates with fixed parameters; None if not finite or near the floor.

    The vector (n_parameters,) is in ``coordinates``. The mixture is never changed to lie above the floor.
    """
    if not np.isfinite(vector).all():
        return None
    mixture = coordinates.to_mixture(vector)
    if em.fixed is not None:
        mixture = apply_fixed_parameters(mixture, em.fixed)
    return mixture if is_finite_and_above_floor(mixture, em) else None


def is_finite_and_above_floor(mixture: Mixture, em: EM) -> bool:
    """Return whether all parameters are finite and all variances, in every direction, are well above any floor."""
    finite = np.isfinite(mixture.centers).all() and np.isfinite(mixture.covariance.log_determinants).all()
    if not finite or not np.isfinite(mixture.weights).all():
        return False
    floor = em.covariance_estimator.min_variances
    if floor is None:
        return True
    roots = mixture.covariance.precision_root.to_dense(*mixture.centers.shape)
    traces = np.einsum("kij,kij,i->k", roots, roots, floor, optimize=True)
    return bool((traces < _MAX_PRECISION_TRACE_IN_FLOORS).all())
