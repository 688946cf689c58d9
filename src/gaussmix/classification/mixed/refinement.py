"""Refine a mixture towards the classes: maximise the conditional likelihood, close to the mixture that EM found.

EM describes the rows; what separates the classes may be a small part of that. The refined mixture maximises ::

    sum_n log q(y_n | x_n) + lambda sum_n log p(x_n) - tau / 2 |theta - theta_EM|^2,
    q(y | x) = e_y + (1 - sum e) p(y | x)

(hybrid of generative and discriminative estimates: Lasserre, Bishop & Minka, "Principled hybrids of generative and
discriminative models", CVPR 2006). With R_xy, the responsibilities given row and class, and R_x, those given the row,
the derivative by a score is v (R_xy - R_x) + lambda R_x with v = (1 - sum e) p / q: the sums of an E-step are all that
the gradient needs. The floors e are free, too: some customers leave without a reason in the table, and without floors
few of them would decide where the classes part. Rows that p cannot explain have a small v.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from gaussmix.classification.mixed.log_probabilities import compute_responsibilities, normalize_logits
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.classification.mixed.parametrization import MixedParametrization
from gaussmix.types import Array, IntN, N

_FIRST_FLOOR_LOGIT = -4.0  # of 0.02, against the explained fraction
_N_CORRECTIONS = 20  # pairs that L-BFGS keeps
_RELATIVE_TOLERANCE = 1e-7
_MAX_NUMBER = 8.0  # a factor of 3000 of scales and probabilities; beyond it a line search can overflow


@dataclass(frozen=True)
class RefinementOptions:
    """How far a refinement goes.

    Attributes
    ----------
    generative_weight : float
        Lambda, the weight of log p(x), from 0 to 1.
    penalty : float
        Tau, the weight of the squared distance from the mixture of EM, and of the floors' logits from their start.
    max_iter : int
        Largest number of iterations of L-BFGS.
    has_floors : bool
        Whether the floors are free; else they are 0.
    """

    generative_weight: float = 0.02
    penalty: float = 2.0
    max_iter: int = 60
    has_floors: bool = True


class RefinementResult(NamedTuple):
    """A refined mixture, the number of iterations of L-BFGS, and the floors (Y,); zeros without a refinement."""

    mixture: MixedMixture
    n_iter: int
    floors: Array


class ValueAndGradient(NamedTuple):
    """An objective in total over the rows, and its gradient (p,)."""

    value: float
    gradient: N


@dataclass(frozen=True, eq=False)
class RefinementObjective:
    """The objective of a refinement as a function of free numbers: (p,) of the mixture, then the floors' logits (Y,).

    ``classes`` (n,) are the classes of the sorted rows. The logits are relative to the start of 0.02 for each floor.
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

    @property
    def n_parameters(self) -> int:
        """Number of free numbers, of the mixture and of the floors."""
        n_floors = self.parametrization.origin.n_classes if self.options.has_floors else 0
        return self.parametrization.n_parameters + n_floors

    def to_mixture(self, parameters: N) -> MixedMixture:
        """Return the mixture of free numbers."""
        return self.parametrization.to_mixture(parameters[: self.parametrization.n_parameters])

    def to_floors(self, parameters: N) -> Array:
        """Return the floors (Y,) of free numbers."""
        if not self.options.has_floors:
            return np.zeros(self.parametrization.origin.n_classes)
        logits = np.concatenate([[0.0], _FIRST_FLOOR_LOGIT + parameters[self.parametrization.n_parameters :]])
        return np.exp(normalize_logits(logits[None])[0, 1:])

    def evaluate(self, parameters: N) -> ValueAndGradient:
        """Return value and gradient at free numbers."""
        options, rows = self.options, self.rows
        mixture, floors = self.to_mixture(parameters), self.to_floors(parameters)
        scores = mixture.compute_scores(rows)
        marginal = compute_responsibilities(scores)
        joint = compute_responsibilities(scores + mixture.class_log_probabilities[:, self.classes])
        explained = (1.0 - floors.sum()) * np.exp(joint.log_density - marginal.log_density)
        probabilities = floors[self.classes] + explained
        row_values = np.log(probabilities) + options.generative_weight * marginal.log_density
        value = float(rows.apply_weights(row_values).sum()) - 0.5 * options.penalty * float(parameters @ parameters)
        is_explained = explained / probabilities
        contrast = is_explained - options.generative_weight
        sums = rows.accumulate(is_explained * joint.values - contrast * marginal.values)
        class_sums = np.zeros(mixture.class_log_probabilities.shape)
        if not mixture.has_class_components:
            class_sums = rows.apply_weights(is_explained * joint.values) @ self.class_indicators
        n_mixture = self.parametrization.n_parameters
        gradient = self.parametrization.gradient(parameters[:n_mixture], mixture, sums, class_sums)
        by_probability = rows.apply_weights(1.0 / probabilities)
        by_floors = floors * (by_probability @ self.class_indicators - rows.total_weight)
        all_parts = np.concatenate([gradient, by_floors[: len(parameters) - n_mixture]])
        return ValueAndGradient(value, all_parts - options.penalty * parameters)


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
        bounded = np.clip(parameters, -_MAX_NUMBER, _MAX_NUMBER)
        excess = parameters - bounded
        value, gradient = objective.evaluate(bounded)
        loss = -value / rows.total_weight + 0.5 * float(excess @ excess)
        return loss, np.where(excess == 0.0, -gradient / rows.total_weight, excess)

    result = minimize(
        evaluate_negative_mean,
        np.zeros(objective.n_parameters),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": options.max_iter, "maxcor": _N_CORRECTIONS, "ftol": _RELATIVE_TOLERANCE},
    )
    best = np.clip(result.x, -_MAX_NUMBER, _MAX_NUMBER)
    return RefinementResult(objective.to_mixture(best), int(result.nit), objective.to_floors(best))
