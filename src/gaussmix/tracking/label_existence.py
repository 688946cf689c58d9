"""Probabilities that labelled objects exist, beside the weights of an intensity.

A single missed detection takes nearly all of the weight of an object in an intensity, although it may well be there.
"""

import numpy as np

from gaussmix.tracking.components import sum_in_groups
from gaussmix.tracking.intensity_steps import ScoredIntensity
from gaussmix.tracking.object_labels import LabelMemory, find_labels
from gaussmix.types import K, N

_MIN_REST = 1e-12  # what an object leaves of a detection to all others at least


def update_existence(scored: ScoredIntensity, log_detection_factors: N, memory: LabelMemory) -> LabelMemory:
    """Return the memory with the probabilities of existence after a scan: r L / (1 - r + r L).

    L is 1 - p_D for an object without a detection in its gate. Each detection there adds p_D times its density, divided
    by what all others give it: clutter and other objects (Mušicki, Evans & Stankovic, "Integrated probabilistic data
    association", IEEE Trans. Automatic Control 39, 1994).
    """
    existence = memory.existence
    ratios = _likelihood_ratios(scored, log_detection_factors, memory)
    likely = existence * ratios
    total = 1.0 - existence + likely
    return memory.with_existence(np.where(total > 0.0, likely / np.maximum(total, np.finfo(np.float64).tiny), 0.0))


def _likelihood_ratios(scored: ScoredIntensity, log_detection_factors: N, memory: LabelMemory) -> K:
    """Return L of each label of the memory, (L,)."""
    components, pairs, n_labels = scored.intensity.components, scored.pairs, len(memory.labels)
    is_known, positions = find_labels(memory.labels, components.groups)
    weights = components.weights[is_known]
    masses = np.maximum(sum_in_groups(positions, weights, n_labels), np.finfo(np.float64).tiny)
    missed = sum_in_groups(positions, weights * (1.0 - scored.detection_probabilities[is_known]), n_labels)
    label_of_component = np.full(len(components), -1)
    label_of_component[is_known] = positions
    owners = label_of_component[pairs.components]
    is_owned = owners >= 0
    n_detections = len(scored.measurements)
    keys, edges = np.unique(owners[is_owned] * n_detections + pairs.detections[is_owned], return_inverse=True)
    log_weights = scored.log_pair_weights[is_owned] + log_detection_factors[pairs.detections[is_owned]]
    shares = sum_in_groups(edges, np.exp(log_weights), len(keys))
    odds = shares / np.maximum(1.0 - shares, _MIN_REST)
    return (missed + sum_in_groups(keys // max(n_detections, 1), odds, n_labels)) / masses
