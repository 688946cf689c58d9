"""Video: moving objects before a background that is learned, with labels.

Learnt: no detector is needed where the camera does not move. A mixture of Gaussians for each pixel learns the
background, what differs from it becomes boxes, and a Kalman filter for each box gives the objects labels.

Run: python examples/video.py VIDEO [PICTURE] (needs gaussmix[video]; PICTURE is an optional output file)
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from gaussmix.tracking import BackgroundMixture, BlobDetector, BoxTracker, draw_boxes, read_frames


def main() -> None:
    """Track the objects of a video, frame by frame."""
    frames = read_frames(sys.argv[1])
    background, detector = BackgroundMixture(), BlobDetector()
    tracker = BoxTracker(frame_rate=frames.frame_rate)
    n_frames: dict[int, int] = {}
    fullest, largest = None, 0
    for frame in frames:
        mask = background.apply(frame.pixels)
        tracked = tracker.step(detector.detect(mask).boxes)
        for label in tracked.labels.tolist():
            n_frames[label] = n_frames.get(label, 0) + 1
        if len(tracked) > largest:
            fullest, largest = draw_boxes(frame.pixels, tracked.boxes, tracked.labels.tolist()), len(tracked)

    seconds = np.array(sorted(n_frames.values())) / frames.frame_rate
    print(f"{frames.n_read} frames, {len(n_frames)} objects, at most {largest} in one frame")
    if len(seconds):
        print(f"they are in view for {np.median(seconds):.1f} s (median), at most {seconds.max():.1f} s")

    if len(sys.argv) > 2 and fullest is not None:
        figure = Figure(figsize=(5, 5 * fullest.shape[0] / fullest.shape[1]))
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        ax.imshow(fullest)
        ax.set_axis_off()
        figure.savefig(sys.argv[2], dpi=80)
        print(f"Drew {sys.argv[2]}")


if __name__ == "__main__":
    main()
