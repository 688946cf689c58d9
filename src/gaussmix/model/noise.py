"""``Noise``: rows that belong to no group, spread evenly over the volume of the data.

One more component whose density is the same everywhere, 1 / volume, takes the rows that no Gaussian
explains, so that they neither inflate covariances nor become groups of their own (Banfield & Raftery,
Biometrics 49, 1993; Fraley & Raftery, "How many clusters? Which clustering method?", Computer J. 41,
1998; Dasgupta & Raftery, JASA 93, 1998). To the data it is a component whose precision is zero, so a
pass knows nothing of it; to the M-step it is a mass and nothing else.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.errors import UnrepresentableError
from gaussmix.types import ND, D, IntD, IntN, K

NOISE_LABEL = -1
"""What a row of the noise is labelled."""

N_NOISE_PARAMETERS = 2
"""A weight and a volume, as mclust counts them."""


@dataclass(frozen=True, eq=False)
class Box:
    """The smallest and the largest value of each column, (D,) each, in the coordinates of a frame."""

    minimum: D
    maximum: D

    @property
    def center(self) -> D:
        return np.asarray(0.5 * self.minimum + 0.5 * self.maximum)

    @property
    def log_volume(self) -> float:
        """Logarithm of the volume, in the frame's units."""
        return float(np.log(self.maximum - self.minimum).sum())

    def with_log_volume(self, log_volume: float) -> "Box":
        """The box of a given volume, with the same centre and the same proportions."""
        half = 0.5 * (self.maximum - self.minimum) * math.exp((log_volume - self.log_volume) / len(self.minimum))
        return Box(self.center - half, self.center + half)

    def select_columns(self, columns: IntD) -> "Box":
        """The box of some of the columns."""
        return Box(self.minimum[columns], self.maximum[columns])

    def change_frame(self, old_frame: Frame, new_frame: Frame) -> "Box":
        """The same box in the coordinates of another frame."""
        return Box(*new_frame.transform_rows(old_frame.restore_means(np.array([self.minimum, self.maximum]))))

    def fraction_below(self, values: ND) -> ND:
        """The share of each side (n, D) that lies at or below a value."""
        return np.asarray(np.clip((values - self.minimum) / (self.maximum - self.minimum), 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Noise:
    """The share of the noise, and the box it fills.

    Its density is 1 / volume of the box everywhere, outside too: a new row far from every group is
    noise, wherever it lies.
    """

    weight: float
    box: Box

    def volume(self, frame: Frame) -> float:
        """The volume in the data's units; UnrepresentableError if it over- or underflows there."""
        power = self.box.log_volume - frame.log_abs_det_jacobian
        with np.errstate(over="ignore", under="ignore"):
            found = float(np.exp(power))
        if not 0.0 < found < np.inf:
            raise UnrepresentableError.from_quantity("noise volume", "overflows" if power > 0 else "underflows")
        return found

    def append_to_quadratics(self, quadratics: Quadratics) -> Quadratics:
        """The quadratics of some components, and the noise after them: offset = log weight - log volume."""
        with np.errstate(divide="ignore"):
            offset = np.log(self.weight) - self.box.log_volume
        center = np.vstack([quadratics.center, self.box.center])
        return Quadratics(
            np.append(quadratics.offset, offset), center, quadratics.precision_root.append_zero_root(len(center) - 1)
        )

    def m_step(self, moments: Moments) -> "Noise":
        """The noise of greatest expected likelihood: its share of the mass, of which it has the last entry."""
        return replace(self, weight=float(moments.mass[-1] / moments.mass.sum()))


def kind_with_noise(noise: Noise | None, kind: MomentKind) -> MomentKind:
    """The scatter that a pass is to bring where a family reads ``kind``: each component's own if one is noise."""
    return kind if noise is None else kind.per_component


def drop_noise(moments: Moments, kind: MomentKind) -> Moments:
    """The moments of all components but the last, the noise, in a kind."""
    own = Moments(moments.mass[:-1], moments.mean[:-1], moments.scatter[:-1], moments.kind)
    return own.to_kind(kind)


def noise_to_minus_one(labels: IntN, n_components: int) -> IntN:
    """Labels of rows (n,) in which the component after the last, the noise, is -1."""
    return np.where(labels == n_components, NOISE_LABEL, labels)


def all_weights(weights: K, noise: Noise | None) -> K:
    """The weights of all components: those of the Gaussians, and the noise's after them if there is any."""
    return weights if noise is None else np.append(weights, noise.weight)
