"""Objects of an intensity whose motion switches: the components of one object in several modes.

A detection comes from one object. So components that were updated with the same detection, and have the same label,
are one object in several modes. With one motion model each component is an object of its own.
"""

import numpy as np

from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.intensity_steps import ObjectIntensity
from gaussmix.types import IntN, K


def weigh_objects(intensity: ObjectIntensity) -> K:
    """Return the weight of each object at its heaviest component, and 0 at its others, (M,)."""
    weights, objects = intensity.components.weights, _number_objects(intensity)
    order = np.lexsort((-weights, objects))
    is_heaviest = np.ones(len(order), dtype=bool)
    is_heaviest[1:] = objects[order][1:] != objects[order][:-1]
    heaviest, result = order[is_heaviest], np.zeros(len(weights))
    result[heaviest] = sum_in_groups(objects, weights, len(weights))[objects[heaviest]]
    return result


def spread_labels(intensity: ObjectIntensity, labelled: Components, shown: IntN) -> Components:
    """Return components in which all modes of an object have its label, given those with labels at ``shown``.

    Parameters
    ----------
    intensity : ObjectIntensity
        Before labels were given.
    labelled : Components
        The same components, with new labels at the positions ``shown``.
    shown : int array of shape (n,)
    """
    objects = _number_objects(intensity)
    new_labels = np.full(len(objects), -1)
    new_labels[objects[shown]] = labelled.groups[shown]
    found = new_labels[objects]
    return labelled.with_groups(np.where(found >= 0, found, labelled.groups))


def _number_objects(intensity: ObjectIntensity) -> IntN:
    """Return the object of each component, (M,), numbers from 0 to at most M - 1."""
    components, detections = intensity.components, intensity.detections
    if not components.modes.any():
        return np.arange(len(components))
    is_alone = (detections < 0) & (components.groups == 0)  # nothing says which of these belong together
    keys = np.column_stack([detections, components.groups, np.where(is_alone, np.arange(len(components)), -1)])
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
