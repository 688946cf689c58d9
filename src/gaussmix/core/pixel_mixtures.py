"""Mixtures of every pixel of a picture, and the numbers that rule how a frame is judged and learned.

Each pixel has up to K spherical Gaussians, its slots. A slot of weight 0 is empty.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.types import AnyArray

# Pixels that one register of compiled code holds; rows are filled up to a multiple of it.
PIXELS_PER_GROUP = 16

# What an update writes for each pixel, the values of OpenCV.
BACKGROUND, SHADOW, FOREGROUND = 0, 127, 255

# Rows of ``components`` before the means.
WEIGHT, VARIANCE, MEAN = 0, 1, 2


class PixelMixtures(NamedTuple):
    """The mixtures of all pixels, in single precision, in slots that have no order.

    ``components`` (K, H, 2 + C, W) holds weight, variance of one channel, and the means. W is ``width`` filled up to
    whole groups. ``n_slots`` (H, W / 16) is one more than the last slot in use by any pixel of a group.
    """

    components: AnyArray
    n_slots: AnyArray
    width: int

    @classmethod
    def empty(cls, n_components: int, height: int, width: int, n_channels: int) -> "PixelMixtures":
        """Return mixtures whose slots are all empty."""
        n_groups = -(-width // PIXELS_PER_GROUP)
        shape = (n_components, height, MEAN + n_channels, n_groups * PIXELS_PER_GROUP)
        return cls(np.zeros(shape, dtype=np.float32), np.zeros((height, n_groups), dtype=np.uint8), width)

    @property
    def height(self) -> int:
        """Number of rows of a picture."""
        return int(self.components.shape[1])

    @property
    def n_channels(self) -> int:
        """Number of channels: 1 for grey, 3 for colour."""
        return int(self.components.shape[2]) - MEAN

    def weights(self) -> AnyArray:
        """Return a view of the weights (K, H, width)."""
        return self.components[:, :, WEIGHT, : self.width]

    def variances(self) -> AnyArray:
        """Return a view of the variances of one channel (K, H, width)."""
        return self.components[:, :, VARIANCE, : self.width]

    def means(self) -> AnyArray:
        """Return a view of the means (K, H, C, width)."""
        return self.components[:, :, MEAN:, : self.width]


@dataclass(frozen=True)
class PixelRules:
    """Numbers of one update; squared distances are means over the channels.

    Parameters
    ----------
    rate : float
        Weight of the new frame, from 0 to 1. At 0 nothing is learned.
    complexity : float
        Fraction of ``rate`` that every weight loses at an update (Zivkovic 2004, equation 9); 0 keeps components.
    background_ratio : float
        A component is background if the heavier ones of its pixel weigh less than this.
    match_threshold, background_threshold : float
        Largest squared distance, in variances, of a pixel that a component learns, and of one that it explains.
    initial_variance, min_variance, max_variance : float
        Variance of a new component, and the bounds of all variances, in squared units of the frame.
    min_brightness : float or None
        Least brightness of a shadow, relative to the background; None looks for no shadows.
    """

    rate: float
    complexity: float
    background_ratio: float
    match_threshold: float
    background_threshold: float
    initial_variance: float
    min_variance: float
    max_variance: float
    min_brightness: float | None

    @property
    def is_learning(self) -> bool:
        """Whether an update changes the mixtures."""
        return self.rate > 0.0

    @property
    def retention(self) -> float:
        """Factor of the old weights."""
        return 1.0 - self.rate

    @property
    def prune(self) -> float:
        """Weight that every component loses; a component without a match vanishes below it."""
        # The least number of single precision drops empty slots where nothing is pruned.
        return max(self.rate * self.complexity, float(np.finfo(np.float32).tiny))
