"""Split a piece of foreground that holds several objects, by a mixture whose components have the size of one object.

The pixels of one object have about the covariance of an ellipse of the typical size. So a mixture of Gaussians with
this fixed covariance explains them with one component. A second component raises the likelihood only where the pixels
spread wider, and it lies where the second object is.
"""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.tracking.background.blob_merging import Pieces
from gaussmix.tracking.background.typical_size import TypicalSize
from gaussmix.types import AnyArray

# A piece this much wider or higher than the typical object may hold several ones.
_MIN_RELATIVE_SIZE = 1.4

# Standard deviation of the pixels of an ellipse, in diameters.
_RELATIVE_DEVIATION = 0.25

# Rise of the mean log-likelihood of a pixel that one more object needs.
_MIN_GAIN = 0.2

# Most objects of a piece, pixels that the mixture looks at, and iterations of EM.
MAX_OBJECTS = 6
_MAX_PIXELS, _N_ITERATIONS = 400, 50

# Rise of the mean log-likelihood below which EM ends.
_TOLERANCE = 1e-4


class _ObjectMixture(NamedTuple):
    """Mean log-likelihood, means (K, 2) and weights (K,) of a mixture of objects."""

    log_likelihood: float
    means: AnyArray
    weights: AnyArray


def split_piece(pieces: Pieces, index: int, size: TypicalSize) -> tuple[AnyArray, AnyArray]:
    """Return boxes (k, 4) and areas (k,) of the objects of one piece; its own box if it holds one."""
    box, area = pieces.boxes[index], pieces.areas[index]
    width, height = size.at(box[1] + 0.5 * box[3])
    if box[2] <= _MIN_RELATIVE_SIZE * width and box[3] <= _MIN_RELATIVE_SIZE * height:
        return box[None], np.array([area])
    pixels = pieces.pixels(index)
    unit = _RELATIVE_DEVIATION * np.array([width, height])
    mixture = _choose_mixture(pixels[:: -(-len(pixels) // _MAX_PIXELS)] / unit)
    if len(mixture.weights) == 1:
        return box[None], np.array([area])
    return _clip_boxes(_typical_boxes(mixture.means * unit, size), box), np.rint(mixture.weights * area).astype(int)


def _choose_mixture(points: AnyArray) -> _ObjectMixture:
    """Return the mixture with the fewest components of which one more gains little."""
    best = _fit_mixture(points, 1)
    for n_components in range(2, MAX_OBJECTS + 1):
        candidate = _fit_mixture(points, n_components)
        if candidate.log_likelihood < best.log_likelihood + _MIN_GAIN:
            break
        best = candidate
    return best


def _fit_mixture(points: AnyArray, n_components: int) -> _ObjectMixture:
    """Fit means and weights of components with unit covariance by EM, from quantiles along the principal axis.

    The log-likelihood lacks its part that is the same for any number of components.
    """
    centre = points.mean(axis=0)
    centred = points - centre
    angle = _principal_angle(centred)
    axis = np.array([math.cos(angle), math.sin(angle)])
    levels = (np.arange(n_components) + 0.5) / n_components
    means = np.quantile(centred @ axis, levels)[:, None] * axis
    weights = np.full(n_components, 1.0 / n_components)
    log_likelihood = -math.inf
    for _ in range(_N_ITERATIONS):
        # One row per component: sums over the few components are then sums of long rows.
        scores = means @ centred.T + (np.log(weights) - 0.5 * (means**2).sum(axis=1))[:, None]
        largest = scores.max(axis=0)
        terms = np.exp(scores - largest)
        sums = terms.sum(axis=0)
        previous, log_likelihood = log_likelihood, float((np.log(sums) + largest).mean())
        terms /= sums
        mass = terms.sum(axis=1) + np.finfo(float).tiny
        means, weights = terms @ centred / mass[:, None], mass / mass.sum()
        if log_likelihood - previous < _TOLERANCE:
            break
    return _ObjectMixture(log_likelihood, means + centre, weights)


def _principal_angle(centred: AnyArray) -> float:
    """Return the angle of the longer axis of points about their mean."""
    (xx, xy), (_, yy) = centred.T @ centred
    return 0.5 * math.atan2(2.0 * xy, xx - yy)


def _typical_boxes(means: AnyArray, size: TypicalSize) -> AnyArray:
    """Return boxes (k, 4) of the typical size about the means."""
    sides = np.column_stack(size.at(means[:, 1]))
    return np.hstack([means - 0.5 * sides, sides])


def _clip_boxes(boxes: AnyArray, limits: AnyArray) -> AnyArray:
    """Return the parts of boxes that lie within one box."""
    low = np.maximum(boxes[:, :2], limits[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], limits[:2] + limits[2:])
    return np.hstack([low, high - low])
