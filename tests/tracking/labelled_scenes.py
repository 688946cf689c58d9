"""Random labelled scenes: objects that come and go, and tracks that miss, switch and invent some."""

import numpy as np

from gaussmix.tracking import TrackTable

SIZE = 30.0  # of a box


def random_scene(seed, n_frames=25, n_objects=5, noise=4.0, area=90.0):
    """Truth and tracks with boxes and positions; the area is small, so that objects cross and claim tracks."""
    rng = np.random.default_rng(seed)
    frame, label = (grid.ravel() for grid in np.meshgrid(np.arange(1, n_frames + 1), np.arange(n_objects)))
    steps = rng.normal(scale=4.0, size=(n_objects, n_frames, 2))
    paths = (rng.uniform(0, area, (n_objects, 1, 2)) + np.cumsum(steps, axis=1)).reshape(-1, 2)
    is_present = rng.random(len(frame)) < 0.9
    truth = make_table(frame[is_present], label[is_present], paths[is_present], rng)
    is_seen = is_present & (rng.random(len(frame)) < 0.85)
    track = (label + (frame // 9) * rng.integers(0, 3, len(frame))) % (n_objects + 2)
    rows = np.flatnonzero(is_seen)
    rows = rows[np.unique(np.column_stack([frame[rows], track[rows]]), axis=0, return_index=True)[1]]
    n_false = n_frames
    false_frame = rng.permutation(n_frames) + 1
    return truth, make_table(
        np.concatenate([frame[rows], false_frame]),
        np.concatenate([track[rows], 100 + rng.integers(0, 4, n_false)]),
        np.concatenate(
            [paths[rows] + rng.normal(scale=noise, size=(len(rows), 2)), rng.uniform(0, area, (n_false, 2))]
        ),
        rng,
    )


def make_table(frame, label, positions, rng):
    sizes = SIZE + rng.normal(size=(len(frame), 2))
    return TrackTable(frame, label, positions=positions, boxes=np.column_stack([positions, sizes]))


def iterate_frames(truth, tracks):
    """The two tables frame by frame, over all frames of either."""
    for frame in np.union1d(truth.frame, tracks.frame).tolist():
        yield frame, truth.select_frames(frame, frame), tracks.select_frames(frame, frame)
