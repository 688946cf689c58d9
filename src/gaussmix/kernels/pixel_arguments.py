"""The argument tuple of the compiled update of pixels."""

from typing import NamedTuple

from gaussmix.kernels.field_types import Bytes2, Floats4


class PixelMixtureState(NamedTuple):
    """Mixtures of all pixels (`core/pixel_mixtures.py`), and the numbers of `PixelRules` that an update needs.

    ``components`` (K, H, 2 + C, W) and ``n_slots`` (H, W / 16) are overwritten if ``is_learning``. The numbers are
    rounded to single precision where they are used.
    """

    components: Floats4
    n_slots: Bytes2
    is_learning: bool
    detects_shadows: bool
    rate: float
    retention: float
    prune: float
    background_ratio: float
    match_threshold: float
    background_threshold: float
    initial_variance: float
    min_variance: float
    max_variance: float
    min_brightness: float
    channel_fraction: float
