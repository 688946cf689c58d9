"""The compiled update of pixels against NumPy, bit for bit, for any number of threads."""

from dataclasses import replace

import numpy as np
import pytest

from gaussmix.core.pixel_mixtures import FOREGROUND, PixelMixtures, PixelRules
from gaussmix.core.threads import threads
from gaussmix.engines import automatic
from gaussmix.engines.compiled import pixel_updater
from gaussmix.engines.compiled.pixel_updater import CompiledPixelUpdater
from gaussmix.tracking import BackgroundMixture
from gaussmix.tracking.background.frames import pack_frame
from gaussmix.tracking.background.numpy_update import update_in_numpy
from tests.tracking.background.frames import make_frames

RULES = PixelRules(
    rate=0.1,
    complexity=0.05,
    background_ratio=0.7,
    match_threshold=9.0,
    background_threshold=12.0,
    initial_variance=12.0,
    min_variance=2.0,
    max_variance=200.0,
    min_brightness=0.5,
)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(7, 32), (7, 32, 3), (5, 21, 3)])
@pytest.mark.parametrize("seed", [0, 1])
def test_compiled_update_is_numpy_bit_for_bit(shape, dtype, seed):
    pair = [PixelMixtures.empty(3, *shape[:2], 3 if len(shape) == 3 else 1) for _ in range(2)]
    seen = set()
    for time, frame in enumerate(make_frames(45, shape, seed, dtype)):
        rules = replace(
            RULES,
            rate=0.0 if time == 30 else max(1 / (time + 1), 0.03),
            complexity=0.0 if time > 35 else 0.05,
            min_brightness=None if time % 3 == 0 else 0.5,
        )
        packed = pack_frame(frame, 255.0)
        masks = [np.empty(packed.shape[:2], dtype=np.uint8) for _ in range(2)]
        counts = [
            CompiledPixelUpdater().update(pair[0], packed, rules, masks[0]),
            update_in_numpy(pair[1], packed, rules, masks[1]),
        ]
        np.testing.assert_array_equal(*masks)
        assert counts[0] == counts[1] == (masks[0] == FOREGROUND).sum()
        np.testing.assert_array_equal(pair[0].n_slots, pair[1].n_slots)
        np.testing.assert_array_equal(pair[0].weights(), pair[1].weights())
        in_use = pair[0].weights() > 0
        np.testing.assert_array_equal(pair[0].variances()[in_use], pair[1].variances()[in_use])
        means = [np.moveaxis(each.means(), 2, 3)[in_use] for each in pair]
        np.testing.assert_array_equal(*means)
        seen |= set(np.unique(masks[0]).tolist())
    assert seen == {0, 127, 255}
    assert pair[0].n_slots.max() == 3


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_do_not_change_a_bit(n_threads, monkeypatch):
    monkeypatch.setattr(pixel_updater, "MIN_PIXELS_PER_PART", 64)
    results = []
    for count in (1, n_threads):
        mixtures = PixelMixtures.empty(3, 23, 32, 3)
        with threads(count):
            for frame in make_frames(12, (23, 32, 3)):
                mask = np.empty((23, 32), dtype=np.uint8)
                CompiledPixelUpdater().update(mixtures, frame, RULES, mask)
        results.append((mixtures.components, mask))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (64, 64), (5, 6, 3)])
def test_pixels_are_compiled_however_few(shape, dtype, monkeypatch):
    calls = []
    update = CompiledPixelUpdater.update
    monkeypatch.setattr(CompiledPixelUpdater, "update", lambda *a: calls.append(1) or update(*a))
    BackgroundMixture().apply(np.zeros(shape, dtype=dtype))
    assert calls


def test_numpy_replaces_compiled_code_that_is_missing(monkeypatch):
    frames = list(make_frames(6, (64, 80, 3)))
    compiled, plain = BackgroundMixture(), BackgroundMixture()
    masks = [compiled.apply(frame) for frame in frames]
    monkeypatch.setattr(automatic, "_found_engines", [automatic.NUMPY_ENGINE])
    np.testing.assert_array_equal([plain.apply(frame) for frame in frames], masks)
    np.testing.assert_array_equal(plain.means_, compiled.means_)
