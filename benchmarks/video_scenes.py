"""Simulated video with known foreground: squares move over a textured background under one disturbance at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

HEIGHT, WIDTH, N_FRAMES, N_WARM_UP = 120, 160, 260, 60
_SQUARE, _N_SQUARES, _NOISE_LEVELS = 14, 4, 3.0
_FOREGROUND_CONTRAST = 35.0


@dataclass(frozen=True)
class Scene:
    """One disturbance of a scene, each with its strength; 0 means none."""

    name: str
    noise: float = _NOISE_LEVELS
    flicker: float = 0.0
    drift: float = 0.0
    shadow: float = 0.0
    jitter: float = 0.0
    stop: int = 0


SCENES = (
    Scene("noise"),
    Scene("strong noise", noise=8.0),
    Scene("flicker", flicker=60.0),
    Scene("lighting drift", drift=0.25),
    Scene("shadow", shadow=0.65),
    Scene("camera jitter", jitter=0.7),
    Scene("squares that stop", stop=80),
)


def simulate_frames(scene: Scene, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield frames (H, W, 3) of uint8 with their true foreground (H, W) of bool."""
    rng = np.random.default_rng([seed, SCENES.index(scene) if scene in SCENES else len(SCENES)])
    texture = ndimage.gaussian_filter(rng.normal(size=(HEIGHT + 8, WIDTH + 8, 3)), (2, 2, 0)) * 180 + 120
    leaves = ndimage.gaussian_filter(rng.normal(size=(HEIGHT, WIDTH)), 4) > 0.08
    colours = (
        rng.choice([-1.0, 1.0], size=(_N_SQUARES, 3)) * _FOREGROUND_CONTRAST + rng.normal(size=(_N_SQUARES, 3)) * 8
    )
    start = rng.uniform((10, 0), (HEIGHT - 30, WIDTH), size=(_N_SQUARES, 2))
    speed = rng.uniform(0.8, 2.0, size=_N_SQUARES) * rng.choice([-1, 1], size=_N_SQUARES)
    for time in range(N_FRAMES):
        offset = np.clip(rng.normal(size=2) * scene.jitter + 4, 0, 6.99)
        frame = _crop(texture, offset)
        if scene.flicker:
            frame = frame + (scene.flicker * leaves * (rng.random((HEIGHT, WIDTH)) < 0.4))[..., None]
        truth = np.zeros((HEIGHT, WIDTH), dtype=bool)
        squares = frame.copy()
        for (top, left), velocity, colour in zip(start, speed, colours, strict=True):
            travelled = min(time, 100) + max(0, time - 100 - scene.stop)
            y, x = int(top), int(left + velocity * travelled) % (WIDTH + _SQUARE) - _SQUARE
            if scene.shadow:
                _region(squares, y + _SQUARE - 4, x + 3)[...] *= scene.shadow
            _region(squares, y, x)[...] = _region(frame, y, x) * 0.3 + 0.7 * 120 + colour
            _region(truth, y, x)[...] = True
        light = 1.0 + scene.drift * np.sin(2 * np.pi * time / 200)
        yield _to_bytes(squares * light + rng.normal(size=frame.shape) * scene.noise), truth


def _crop(texture: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Return the part (H, W, 3) of a texture that a camera at an offset sees, by linear interpolation."""
    (top, left), (down, right) = offset.astype(int), offset % 1.0
    rows = texture[top : top + HEIGHT] * (1 - down) + texture[top + 1 : top + HEIGHT + 1] * down
    return rows[:, left : left + WIDTH] * (1 - right) + rows[:, left + 1 : left + WIDTH + 1] * right


def _region(picture: np.ndarray, top: int, left: int) -> np.ndarray:
    """Return the part of a picture that a square covers."""
    return picture[max(top, 0) : max(top + _SQUARE, 0), max(left, 0) : max(left + _SQUARE, 0)]


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Return rounded levels of brightness."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def score_masks(subtractor: object, scene: Scene, seed: int) -> tuple[int, int, int]:
    """Return the true positives, false positives and false negatives of pixels after the warm-up; 255 is foreground."""
    counts = np.zeros(3, dtype=int)
    for time, (frame, truth) in enumerate(simulate_frames(scene, seed)):
        found = subtractor.apply(frame) == 255
        if time >= N_WARM_UP:
            counts += (found & truth).sum(), (found & ~truth).sum(), (~found & truth).sum()
    return tuple(int(count) for count in counts)


def f_score(counts: tuple[int, int, int]) -> float:
    """Return the F score of true positives, false positives and false negatives; 0 without true positives."""
    true_positives, false_positives, false_negatives = counts
    return 2 * true_positives / max(1, 2 * true_positives + false_positives + false_negatives)
