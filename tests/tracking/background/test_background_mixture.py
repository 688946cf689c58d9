"""`BackgroundMixture`: laws of the mixture, every parameter, exact freeze, files, and bad input."""

import numpy as np
import pytest

from gaussmix.errors import ArchiveError, FileError, FrameError, ParameterError
from gaussmix.tracking import BackgroundMixture
from tests.tracking.background.frames import make_frames

SHAPE = (12, 20, 3)


def learn(n: int = 40, shape: tuple[int, ...] = SHAPE, seed: int = 0, **parameters: object) -> BackgroundMixture:
    """Return a background that has learned some frames."""
    background = BackgroundMixture(**parameters)
    for frame in make_frames(n, shape, seed):
        background.apply(frame)
    return background


def state(background: BackgroundMixture) -> tuple[bytes, ...]:
    """Return everything that a frame can change, as bytes."""
    mixtures = background._mixtures
    arrays = () if mixtures is None else (mixtures.components.tobytes(), mixtures.n_slots.tobytes())
    return (*arrays, str(background.n_frames_).encode())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_weights_sum_to_one_and_are_sorted(seed):
    background = learn(seed=seed)
    np.testing.assert_allclose(background.weights_.sum(axis=2), 1.0, atol=1e-5)
    assert (np.diff(background.weights_, axis=2) <= 0).all()
    np.testing.assert_array_equal((background.weights_ > 0).sum(axis=2), background.n_components_)
    in_use = background.weights_ > 0
    assert (background.variances_[in_use] >= (255 * 0.003) ** 2 * (1 - 1e-6)).all()
    assert (background.variances_[in_use] <= (255 * 0.02) ** 2 * (1 + 1e-6)).all()
    assert background.means_.shape == (12, 20, 5, 3)
    assert np.isfinite(background.means_).all()


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 3)])
def test_one_wide_component_is_the_running_mean_and_variance(shape):
    """With one component that matches everything and rates 1 / n, the mean is that of the frames."""
    rng = np.random.default_rng(0)
    frames = rng.normal(0.5, 0.05, size=(30, *shape))
    background = BackgroundMixture(
        1, match_threshold=1e5, initial_deviation=0.5, min_deviation=1e-4, max_deviation=0.9, complexity=0.0
    )
    mean, variance = frames[0].copy(), np.full(shape[:2], 0.25)
    for n, frame in enumerate(frames, start=1):
        background.apply(frame)
        if n > 1:
            squares = ((frame - mean) ** 2).reshape(*shape[:2], -1).mean(axis=2)
            variance += (squares - variance) / n
            mean += (frame - mean) / n
    np.testing.assert_allclose(background.means_[:, :, 0], frames.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(background.variances_[:, :, 0], variance, rtol=1e-4)
    np.testing.assert_array_equal(background.weights_[:, :, 0], 1.0)


def test_weights_are_frequencies_of_two_colours():
    """Without complexity, rates 1 / n make the weights the frequencies of the colours."""
    background = BackgroundMixture(3, complexity=0.0)
    for value in (50, 200, 50, 50, 200):
        background.apply(np.full((2, 3), value, dtype=np.uint8))
    np.testing.assert_allclose(background.weights_[0, 0], [0.6, 0.4, 0.0], atol=1e-6)
    np.testing.assert_allclose(background.means_[0, 0], [50, 200, 0], atol=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_masks_agree_with_opencv(seed):
    """The same rules, and the same numbers, in OpenCV's code, which rounds and starts in its own way."""
    cv2 = pytest.importorskip("cv2")
    theirs = cv2.createBackgroundSubtractorMOG2(varThreshold=16, detectShadows=True)
    theirs.setNMixtures(5), theirs.setBackgroundRatio(0.7), theirs.setVarThresholdGen(9)
    theirs.setVarInit(15), theirs.setVarMin(4), theirs.setVarMax(75), theirs.setComplexityReductionThreshold(0.05)
    deviations = {name: np.sqrt(value) / 255 for name, value in (("initial", 15), ("min", 4), ("max", 75))}
    ours = BackgroundMixture(**{f"{name}_deviation": value for name, value in deviations.items()}, background_ratio=0.7)
    differences = []
    for time, frame in enumerate(make_frames(80, (40, 64), seed)):
        rate = max(1 / (time + 1), 0.02)
        differences.append((ours.apply(frame, rate) != theirs.apply(frame, None, rate)).mean())
    assert np.mean(differences[5:]) < 0.01


def test_moving_square_is_foreground_and_its_shadow_is_shadow():
    background = BackgroundMixture()
    base = np.full((20, 30, 3), (80, 120, 160), dtype=np.uint8)
    for _ in range(30):
        background.apply(base)
    frame = base.copy()
    frame[5:10, 5:10] = (200, 30, 60)
    frame[5:10, 10:15] = np.rint(base[5:10, 10:15] * 0.7)
    mask = background.apply(frame)
    assert (mask[5:10, 5:10] == 255).all()
    assert (mask[5:10, 10:15] == 127).all()
    assert (mask == 0).sum() == mask.size - 50
    np.testing.assert_array_equal(background.background(), base)


def test_order_of_channels_does_not_matter():
    first, second = BackgroundMixture(), BackgroundMixture()
    for frame in make_frames(25, SHAPE):
        masks = first.apply(frame), second.apply(frame[:, :, ::-1])
        assert (masks[0] != masks[1]).mean() < 0.01  # sums over channels round differently


@pytest.mark.parametrize("scale", [1e-30, 1.0, 255.0, 1e30])
def test_units_of_float_frames_do_not_matter(scale):
    """Floats in units of ``value_range`` give the masks of bytes."""
    bytes_, floats = BackgroundMixture(), BackgroundMixture(value_range=scale)
    for frame in make_frames(25, SHAPE):
        difference = bytes_.apply(frame) != floats.apply(frame / 255.0 * scale)
        assert difference.mean() < 0.005
    np.testing.assert_allclose(floats.background() / scale * 255, bytes_.background(), atol=0.51)
    np.testing.assert_allclose(floats.variances_ / scale**2 * 255**2, bytes_.variances_, rtol=0.2, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_components", 2),
        ("history", 5),
        ("background_ratio", 0.3),
        ("complexity", 0.9),
        ("match_threshold", 1.0),
        ("background_threshold", 1.0),
        ("initial_deviation", 0.02),
        ("min_deviation", 0.0099),
        ("max_deviation", 0.0101),
        ("detect_shadows", False),
        ("min_shadow_brightness", 0.95),
    ],
)
def test_every_parameter_changes_masks(name, value):
    default, other = BackgroundMixture(), BackgroundMixture(**{name: value})
    frames = list(make_frames(80, SHAPE, seed=3))
    assert any((default.apply(frame) != other.apply(frame)).any() for frame in frames)


def test_value_range_changes_masks():
    frames = [frame / 255.0 for frame in make_frames(20, SHAPE)]
    default, other = BackgroundMixture(), BackgroundMixture(value_range=50.0)
    assert any((default.apply(frame) != other.apply(frame)).any() for frame in frames)


def test_learning_rate_changes_the_model():
    slow, fast, frame = learn(), learn(), next(make_frames(1, SHAPE, seed=9))
    slow.apply(frame, 0.01), fast.apply(frame, 0.5)
    assert state(slow) != state(fast)
    fast.apply(frame, 1.0)
    np.testing.assert_array_equal(fast.background(), frame)
    assert (fast.n_components_ == 1).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_rate_zero_changes_not_one_bit(dtype):
    background = BackgroundMixture()
    for frame in make_frames(20, SHAPE, dtype=dtype):
        background.apply(frame / dtype(255) if dtype != np.uint8 else frame)
    before = state(background)
    for frame in make_frames(5, SHAPE, seed=5, dtype=dtype):
        background.apply(frame, learning_rate=0)
    assert state(background) == before


def test_rate_zero_before_the_first_frame_is_all_foreground():
    background, frame = BackgroundMixture(), np.zeros((4, 5), dtype=np.uint8)
    assert (background.apply(frame, learning_rate=0.0) == 255).all()
    assert background.n_frames_ == 0
    background.apply(np.zeros((6, 7, 3)))  # the judged frame has not fixed shape or type
    assert background.n_frames_ == 1


@pytest.mark.parametrize(("shape", "dtype"), [((9, 13), np.uint8), (SHAPE, np.float64)])
def test_loaded_copy_continues_bit_for_bit(tmp_path, shape, dtype):
    background = BackgroundMixture(4, history=30, value_range=255.0)
    frames = list(make_frames(30, shape, dtype=dtype))
    for frame in frames[:20]:
        background.apply(frame)
    background.save(tmp_path / "background.safetensors")
    copy = BackgroundMixture.load(tmp_path / "background.safetensors")
    assert repr(copy) == repr(background)
    for frame in frames[20:]:
        np.testing.assert_array_equal(copy.apply(frame), background.apply(frame))
    assert state(copy) == state(background)


def test_damaged_and_other_files_are_refused(tmp_path):
    path = tmp_path / "background.safetensors"
    learn(3).save(path)
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    (tmp_path / "damaged").write_bytes(content)
    with pytest.raises(ArchiveError, match="checksum"):
        BackgroundMixture.load(tmp_path / "damaged")
    (tmp_path / "short").write_bytes(content[:200])
    with pytest.raises(ArchiveError, match="not a safetensors file"):
        BackgroundMixture.load(tmp_path / "short")
    with pytest.raises(FileError, match="there is no file"):
        BackgroundMixture.load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((4, 5, 4), dtype=np.uint8), "drop an alpha channel"),
        (np.zeros(4, dtype=np.uint8), "must have the shape"),
        (np.zeros((0, 5), dtype=np.uint8), "must have the shape"),
        (np.zeros((4, 5), dtype=np.uint16), "but holds uint16"),
        (np.full((4, 5), np.nan), "20 pixels of NaN"),
        (np.full((4, 5), 1e30), "20 pixels of NaN, infinity or more than"),
    ],
)
def test_bad_frames_are_refused(frame, message):
    with pytest.raises(FrameError, match=message):
        BackgroundMixture().apply(frame)


@pytest.mark.parametrize(
    "frame", [np.zeros((12, 21, 3), np.uint8), np.zeros((12, 20), np.uint8), np.zeros((12, 20, 3))]
)
def test_other_shape_or_type_mid_stream_is_refused(frame):
    background = learn(3)
    before = state(background)
    with pytest.raises(FrameError, match="learned from 12 x 20 x 3 uint8"):
        background.apply(frame)
    assert state(background) == before


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan, "fast", True])
def test_learning_rates_outside_zero_to_one_are_refused(rate):
    with pytest.raises(ParameterError, match="learning_rate must be a number from 0 to 1"):
        learn(2).apply(next(make_frames(1, SHAPE)), learning_rate=rate)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_components": 0},
        {"n_components": 17},
        {"history": 0},
        {"background_ratio": 0.0},
        {"background_ratio": 1.0},
        {"complexity": 1.0},
        {"match_threshold": 0.0},
        {"background_threshold": np.inf},
        {"initial_deviation": 0.5},
        {"min_deviation": 0.02},
        {"max_deviation": 0.003},
        {"detect_shadows": 1},
        {"min_shadow_brightness": 1.0},
        {"value_range": 0.0},
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(ParameterError):
        BackgroundMixture(**parameters)


@pytest.mark.parametrize("name", ["weights_", "means_", "variances_", "n_components_", "background", "save"])
def test_nothing_can_be_read_before_the_first_frame(name, tmp_path):
    background = BackgroundMixture()
    with pytest.raises(FrameError, match="no frame has been learned"):
        value = getattr(background, name)
        value(*([tmp_path / "x"] if name == "save" else []))
