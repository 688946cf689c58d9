"""Judge and learn a frame in NumPy: the reference of the compiled update, and its replacement where nothing compiles.

It does what `kernels/background/pixel_update.py` does, in the same order of operations and in single
precision, so that both give the same bits.
"""

import operator
from collections.abc import Iterable
from functools import reduce

import numpy as np

from gaussmix.core.pixel_mixtures import (
    BACKGROUND,
    FOREGROUND,
    MEAN,
    PIXELS_PER_GROUP,
    SHADOW,
    VARIANCE,
    WEIGHT,
    PixelMixtures,
    PixelRules,
)
from gaussmix.types import AnyArray

_SINGLE = np.float32


def update_in_numpy(mixtures: PixelMixtures, frame: AnyArray, rules: PixelRules, mask: AnyArray) -> int:
    """Write the mask, overwrite the mixtures if the rate is not 0, and return the number of foreground pixels.

    ``frame`` (H, W) or (H, W, 3) and ``mask`` (H, W) have the filled-up width.
    """
    pixels = np.moveaxis(np.atleast_3d(frame).astype(_SINGLE), 2, 1)
    distances = _mean_squared_differences(pixels, mixtures.components, _SINGLE(1.0))
    mask[...] = _judge(mixtures.components, pixels, distances, rules)
    if rules.is_learning:
        _learn(mixtures, pixels, distances, rules)
    return int((mask == FOREGROUND).sum())


def _mean_squared_differences(pixels: AnyArray, components: AnyArray, scale: AnyArray | np.float32) -> AnyArray:
    """Return |scale m - x|^2 / C for each slot and pixel, (K, H, W)."""
    return _sum_channels(
        (scale * components[:, :, MEAN + channel] - pixels[:, channel]) ** 2 for channel in range(pixels.shape[1])
    ) * _SINGLE(1.0 / pixels.shape[1])


def _sum_channels(terms: Iterable[AnyArray]) -> AnyArray:
    """Return the sum of the terms in their order."""
    return reduce(operator.add, terms)


def _heaviest(weights: AnyArray, is_candidate: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return the slot and the weight of the heaviest candidate of each pixel; weight 0 and slot 0 if there is none."""
    candidates = np.where(is_candidate, weights, _SINGLE(0.0))
    slot = candidates.argmax(axis=0)
    return slot, np.take_along_axis(candidates, slot[None], axis=0)[0]


def _heavier_mass(weights: AnyArray, weight: AnyArray) -> AnyArray:
    """Return the summed weights of the slots that are heavier than a weight, in the order of the slots."""
    mass = np.zeros_like(weight)
    for other in weights:
        mass += np.where(weight < other, other, _SINGLE(0.0))
    return mass


def _judge(components: AnyArray, pixels: AnyArray, distances: AnyArray, rules: PixelRules) -> AnyArray:
    """Return the mask (H, W)."""
    weights, variances = components[:, :, WEIGHT], components[:, :, VARIANCE]
    ratio, threshold = _SINGLE(rules.background_ratio), _SINGLE(rules.background_threshold)
    _, weight = _heaviest(weights, distances < threshold * variances)
    is_background = (weight > 0) & (_heavier_mass(weights, weight) < ratio)
    mask = np.where(is_background, BACKGROUND, FOREGROUND)
    if rules.min_brightness is None:
        return mask
    channels = range(pixels.shape[1])
    product = _sum_channels(pixels[:, c] * components[:, :, MEAN + c] for c in channels)
    square = _sum_channels(components[:, :, MEAN + c] * components[:, :, MEAN + c] for c in channels)
    brightness = product / np.where(square > 0, square, _SINGLE(1.0))
    distance = _mean_squared_differences(pixels, components, brightness)
    is_near = distance < threshold * variances * brightness * brightness
    is_darker = (brightness < 1) & (brightness >= _SINGLE(rules.min_brightness))
    is_candidate = np.array([(weight > 0) & (_heavier_mass(weights, weight) < ratio) for weight in weights])
    return np.where(~is_background & (is_near & is_darker & is_candidate).any(axis=0), SHADOW, mask)


def _learn(mixtures: PixelMixtures, pixels: AnyArray, distances: AnyArray, rules: PixelRules) -> None:
    """Let the mixtures learn the pixels."""
    components = mixtures.components
    weights, variances, means = components[:, :, WEIGHT], components[:, :, VARIANCE], components[:, :, MEAN:]
    rate, prune, zero = _SINGLE(rules.rate), _SINGLE(rules.prune), _SINGLE(0.0)
    owner, owner_weight = _heaviest(weights, distances < _SINGLE(rules.match_threshold) * variances)
    has_owner = owner_weight > 0
    is_owner = (np.arange(len(weights))[:, None, None] == owner) & has_owner
    decayed = _SINGLE(rules.retention) * weights
    raised = decayed + rate
    gain = np.where(is_owner, rate / raised, zero)
    weights[...] = np.where(is_owner, raised, decayed) - prune
    weights[~is_owner & (weights < prune)] = 0.0
    moved = np.clip(
        variances + gain * (distances - variances), _SINGLE(rules.min_variance), _SINGLE(rules.max_variance)
    )
    variances[...] = np.where(is_owner, moved, variances)
    means += gain[:, :, None] * (pixels - means)
    total = np.zeros_like(owner_weight)
    for weight in weights:
        total += weight
    lightest = weights.argmin(axis=0)
    is_new = (np.arange(len(weights))[:, None, None] == lightest) & ~has_owner
    total = np.where(has_owner, total, total - weights.min(axis=0) + rate)
    weights[is_new], variances[is_new] = rate, rules.initial_variance
    means[...] = np.where(is_new[:, :, None], pixels, means)
    weights /= total
    mixtures.n_slots[...] = _count_slots(weights)


def _count_slots(weights: AnyArray) -> AnyArray:
    """Return one more than the last slot in use by any pixel of a group."""
    n_slots, height, width = weights.shape
    is_used = (weights > 0).reshape(n_slots, height, width // PIXELS_PER_GROUP, PIXELS_PER_GROUP).any(axis=3)
    counts: AnyArray = (is_used * np.arange(1, n_slots + 1)[:, None, None]).max(axis=0)
    return counts
