"""Refine a mixture towards the classes: maximise the conditional likelihood, close to the mixture that EM found.

EM describes the rows; what separates the classes may be a small part of that. The refined mixture maximises ::

    sum_n log p(y_n | x_n) + lambda sum_n log p(x_n) - tau / 2 |theta - theta_EM|^2

(hybrid of generative and discriminative estimates: Lasserre, Bishop & Minka, "Principled hybrids of generative and
discriminative models", CVPR 2006). With R_xy, the responsibilities given row and class, and R_x, those given the row,
the derivative by a score is R_xy - (1 - lambda) R_x: the sums of an E-step are all that the gradient needs.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from gaussmix.classification.mixed.log_probabilities import compute_responsibilities
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.classification.mixed.parametrization import MixedParametrization
from gaussmix.types import Array, IntN, N

_N_CORRECTIONS = 20  # pairs that L-BFGS keeps
_RELATIVE_TOLERANCE = 1e-7


@dataclass(frozen=True)
class RefinementOptions:
    """How far a refinement goes.

    Attributes
    ----------
    generative_weight : float
        Lambda, the weight of log p(x), from 0 to 1.
    penalty : float
        Tau, the weight of the squared distance from the mixture of EM.
    max_iter : int
        Largest number of iterations of L-BFGS.
    """

    generative_weight: float = 0.02
    penalty: float = 2.0
    max_iter: int = 60


class RefinementResult(NamedTuple):
    """A refined mixture, and the number of iterations of L-BFGS."""

    mixture: MixedMixture
    n_iter: int


class ValueAndGradient(NamedTuple):
    """An objective in total over the rows, and its gradient (p,)."""

    value: float
    gradient: N


@dataclass(frozen=True, eq=False)
class RefinementObjective:
    """The objective of a refinement as a function of free numbers (p,).

    ``classes`` (n,) are the classes of the sorted rows.
    """

    parametrization: MixedParametrization
    rows: MixedRows
    classes: IntN
    options: RefinementOptions

    @cached_property
    def class_indicators(self) -> Array:
        """Whether each sorted row is of each class, (n, Y)."""
        n_classes = self.parametrization.origin.n_classes
        return np.asarray(self.classes[:, None] == np.arange(n_classes), dtype=np.float64)

    def evaluate(self, parameters: N) -> ValueAndGradient:
        """Return value and gradient at free numbers (p,)."""
        options, rows = self.options, self.rows
        mixture = self.parametrization.to_mixture(parameters)
        scores = mixture.compute_scores(rows)
        marginal = compute_responsibilities(scores)
        joint = compute_responsibilities(scores + mixture.class_log_probabilities[:, self.classes])
        contrast = 1.0 - options.generative_weight
        row_values = joint.log_density - contrast * marginal.log_density
        value = float(rows.apply_weights(row_values).sum()) - 0.5 * options.penalty * float(parameters @ parameters)
        sums = rows.accumulate(joint.values - contrast * marginal.values)
        class_sums = np.zeros(mixture.class_log_probabilities.shape)
        if not mixture.has_class_components:
            class_sums = rows.apply_weights(joint.values) @ self.class_indicators
        gradient = self.parametrization.gradient(parameters, mixture, sums, class_sums)
        return ValueAndGradient(value, gradient - options.penalty * parameters)


def refine(mixture: MixedMixture, rows: MixedRows, classes: IntN, options: RefinementOptions) -> RefinementResult:
    """Return the refined mixture.

    Parameters
    ----------
    mixture : MixedMixture
        The mixture that EM found.
    rows : MixedRows
    classes : ndarray of int64 of shape (n,)
        Class of each row, in the original order.
    options : RefinementOptions
    """
    parametrization = MixedParametrization(mixture)
    objective = RefinementObjective(parametrization, rows, classes[rows.order], options)

    def evaluate_negative_mean(parameters: N) -> tuple[float, N]:
        value, gradient = objective.evaluate(parameters)
        return -value / rows.total_weight, -gradient / rows.total_weight

    result = minimize(
        evaluate_negative_mean,
        np.zeros(parametrization.n_parameters),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": options.max_iter, "maxcor": _N_CORRECTIONS, "ftol": _RELATIVE_TOLERANCE},
    )
    return RefinementResult(parametrization.to_mixture(result.x), int(result.nit))
