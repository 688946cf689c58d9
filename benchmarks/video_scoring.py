"""Score the boxes of moving objects against those of a detector, frame by frame."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

MIN_IOU = 0.5


def read_boxes(path: Path) -> dict[int, np.ndarray]:
    """Return the boxes (n, 4) of a MOTChallenge file by frame; frames count from 1."""
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    return {int(frame): table[table[:, 0] == frame, 2:6] for frame in np.unique(table[:, 0])}


def compute_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the intersection over union (n, m) of boxes of left, top, width and height."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    common = np.clip(high - low, 0, None).prod(axis=2)
    return common / (first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None] - common)


def count_matches(found: np.ndarray, truth: np.ndarray) -> int:
    """Return the largest number of pairs of a found and a true box with an IoU of at least 0.5."""
    if not len(found) or not len(truth):
        return 0
    is_match = compute_iou(found, truth) >= MIN_IOU
    rows, columns = linear_sum_assignment(is_match, maximize=True)
    return int(is_match[rows, columns].sum())


def score_boxes(boxes: Sequence[np.ndarray], truth: dict[int, np.ndarray], frames: range) -> dict[str, float]:
    """Return precision, recall and F1 of the boxes of some frames, which count from 1; ``boxes[0]`` is frame 1."""
    nothing = np.zeros((0, 4))
    n_matches = sum(count_matches(boxes[frame - 1], truth.get(frame, nothing)) for frame in frames)
    n_found = sum(len(boxes[frame - 1]) for frame in frames)
    n_true = sum(len(truth.get(frame, nothing)) for frame in frames)
    return {
        "precision": n_matches / max(1, n_found),
        "recall": n_matches / max(1, n_true),
        "f1": 2 * n_matches / max(1, n_found + n_true),
    }
