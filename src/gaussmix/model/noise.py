"""``Noise``: a component of constant density for rows that belong to no group.

The noise component has the density 1 / volume everywhere. It explains the rows that no Gaussian explains, so
that they neither inflate covariances nor become groups (Banfield & Raftery, Biometrics 49, 1993; Fraley &
Raftery, "How many clusters? Which clustering method?", Computer J. 41, 1998; Dasgupta & Raftery, JASA 93,
1998). An E-step treats it as a component of zero precision. An M-step uses only its mass.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.errors import UnrepresentableError
from gaussmix.types import ND, D, IntD, IntN, K

NOISE_LABEL = -1
N_NOISE_PARAMETERS = 2  # a weight and a volume, as in mclust


@dataclass(frozen=True, eq=False)
class Box:
    """An axis-parallel box: the minimum and the maximum of each column, (D,) each, in the coordinates of a frame.

    ``has_given_volume`` tells whether the user gave the volume; otherwise it is that of the data.
    """

    minimum: D
    maximum: D
    has_given_volume: bool = False

    @property
    def center(self) -> D:
        """Midpoint of the box, (D,), in the frame."""
        return np.asarray(0.5 * self.minimum + 0.5 * self.maximum)

    @property
    def log_volume(self) -> float:
        """Natural logarithm of the volume in the frame's units; minus infinity if a side has no length."""
        return float(self.log_side_lengths.sum())

    @property
    def log_side_lengths(self) -> D:
        """Natural logarithms of the lengths of the sides (D,) in the frame's units."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.maximum - self.minimum))

    def with_log_volume(self, log_volume: float, has_given_volume: bool = False) -> "Box":
        """Return the box of another log volume, in the frame's units, with the same center and proportions."""
        half_widths = 0.5 * (self.maximum - self.minimum) * math.exp((log_volume - self.log_volume) / len(self.minimum))
        return Box(self.center - half_widths, self.center + half_widths, has_given_volume)

    def select_columns(self, columns: IntD) -> "Box":
        """Return the box of the columns at some positions."""
        return Box(self.minimum[columns], self.maximum[columns])

    def change_frame(self, old_frame: Frame, new_frame: Frame) -> "Box":
        """Return the same box in the coordinates of another frame."""
        minimum, maximum = new_frame.transform_rows(old_frame.restore_means(np.array([self.minimum, self.maximum])))
        return Box(minimum, maximum, self.has_given_volume)

    def side_fractions_at_or_below(self, values: ND) -> ND:
        """Return the fraction of each side of the box that lies at or below each value (n, D), shape (n, D)."""
        return np.asarray(np.clip((values - self.minimum) / (self.maximum - self.minimum), 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Noise:
    """The noise component of a mixture: its weight, and the box whose volume defines its density.

    The density is 1 / volume everywhere, also outside the box. A new row far from every group is therefore
    assigned to the noise.
    """

    weight: float
    box: Box

    def volume_in_data_units(self, frame: Frame) -> float:
        """Return the volume of the box in the data's units.

        Raises
        ------
        UnrepresentableError
            If the volume overflows or underflows in these units.
        """
        log_volume = self.box.log_volume - frame.log_abs_det_jacobian
        with np.errstate(over="ignore", under="ignore"):
            volume = float(np.exp(log_volume))
        if not 0.0 < volume < np.inf:
            raise UnrepresentableError.from_quantity("noise volume", "overflows" if log_volume > 0 else "underflows")
        return volume

    @property
    def log_weighted_density(self) -> float:
        """Natural logarithm of weight / volume, in the frame's units."""
        with np.errstate(divide="ignore"):
            return float(np.log(self.weight) - self.box.log_volume)

    def append_to_quadratics(self, quadratics: Quadratics) -> Quadratics:
        """Return quadratics with the noise as the last component: offset = log weight - log volume, precision 0."""
        center = np.vstack([quadratics.center, self.box.center])
        return Quadratics(
            np.append(quadratics.offset, self.log_weighted_density),
            center,
            quadratics.precision_root.append_one_zero_root(len(center) - 1),
            log_side_lengths=self.box.log_side_lengths,
        )

    def m_step(self, moments: Moments) -> "Noise":
        """Return the noise with the weight of an M-step: the last mass of the moments divided by the sum of all."""
        return replace(self, weight=float(moments.mass[-1] / moments.mass.sum()))


def unpool_kind_if_noise(noise: Noise | None, kind: MomentKind) -> MomentKind:
    """Return the moment kind that an E-step must compute: ``kind``, but per component if there is noise."""
    return kind if noise is None else kind.per_component


def drop_noise_moments(moments: Moments, target_kind: MomentKind) -> Moments:
    """Return the moments of all components except the last, the noise, converted to ``target_kind``."""
    moments_without_noise = Moments(moments.mass[:-1], moments.mean[:-1], moments.scatter[:-1], moments.kind)
    return moments_without_noise.to_kind(target_kind)


def relabel_noise_as_minus_one(labels: IntN, n_components: int) -> IntN:
    """Return a copy of labels (n,) with -1 instead of ``n_components``, the position of the noise."""
    return np.where(labels == n_components, NOISE_LABEL, labels)


def append_noise_weight(weights: K, noise: Noise | None) -> K:
    """Return the weights of the Gaussians (K,), followed by the weight of the noise if there is one."""
    return weights if noise is None else np.append(weights, noise.weight)


class NoiseProduct(NamedTuple):
    """The log weight of the product of two noise densities, not normalized, and the box in which it counts."""

    log_weight: float
    box: Box


def multiply_noise(first: Noise | None, second: Noise | None) -> NoiseProduct | None:
    """Return the log weight and the box of the product of two noise densities; None if one is missing.

    The product is constant too. It counts with the smaller of the two boxes.
    """
    if first is None or second is None:
        return None
    smaller, larger = sorted((first, second), key=lambda noise: noise.box.log_volume)
    log_weight = smaller.log_weighted_density + larger.log_weighted_density + smaller.box.log_volume
    return NoiseProduct(log_weight, smaller.box)


def add_noise_densities(first: Noise | None, second: Noise | None) -> Noise | None:
    """Return the noise whose density and weight are the sums of those of two; None if both are None."""
    if first is None or second is None:
        return first or second
    weight = first.weight + second.weight
    log_density = float(np.logaddexp(first.log_weighted_density, second.log_weighted_density))
    box = first.box if weight == 0.0 else first.box.with_log_volume(math.log(weight) - log_density)
    return Noise(weight, box)
