"""`BlobDetector` and its steps: clean-up, pieces, fragments, typical sizes, and splits."""

import numpy as np
import pytest
from scipy import ndimage

from gaussmix.errors import FrameError, ParameterError
from gaussmix.tracking import BlobDetector
from gaussmix.tracking.background.blob_merging import MAX_PIECES, find_pieces, merge_fragments
from gaussmix.tracking.background.blob_splitting import split_piece
from gaussmix.tracking.background.mask_cleaning import choose_window, clean_mask
from gaussmix.tracking.background.typical_size import SizeLine, TypicalSize, fit_typical_size

HEIGHT, WIDTH = 240, 320
CONSTANT_SIZE = TypicalSize(SizeLine(0.0, 20.0), SizeLine(0.0, 50.0), 0.0, 240.0)


def make_mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Return a mask in which boxes of left, top, width and height are set."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    for left, top, width, height in boxes:
        mask[top : top + height, left : left + width] = True
    return mask


def draw_people(*centres: tuple[float, float]) -> np.ndarray:
    """Return a mask of ellipses of 20 x 50 pixels about some centres."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.any([((x - cx) / 10) ** 2 + ((y - cy) / 25) ** 2 <= 1 for cx, cy in centres], axis=0)


def train(detector: BlobDetector, n_frames: int = 72) -> BlobDetector:
    """Let a detector see single people at many places."""
    rng = np.random.default_rng(0)
    for _ in range(n_frames):
        lefts = rng.uniform(20, 60, size=3) + np.array([0, 100, 200])
        detector.detect(draw_people(*zip(lefts, rng.uniform(40, 200, size=3), strict=True)))
    return detector


@pytest.mark.parametrize("window", [3, 5, 15])
@pytest.mark.parametrize("seed", [0, 1])
def test_vote_is_the_median_filter(window, seed):
    mask = np.random.default_rng(seed).random((40, 33)) < 0.45
    expected = ndimage.median_filter(mask.astype(np.uint8), window, mode="constant", cval=0)
    np.testing.assert_array_equal(clean_mask(mask, window), expected == 1)


def test_holes_are_filled_only_on_request():
    mask = make_mask((50, 50, 30, 30))
    mask[60:70, 60:70] = False
    assert not clean_mask(mask, 3)[65, 65]
    np.testing.assert_array_equal(clean_mask(mask, 3, fill_holes=True)[50:80, 51:79], True)


def test_window_grows_with_the_frame():
    windows = [choose_window(height) for height in (1, 240, 576, 1080, 2160, 10_000)]
    assert windows == [3, 3, 3, 5, 11, 15]


@pytest.mark.parametrize("seed", [0, 1])
def test_pieces_are_the_components_of_a_flood_fill(seed):
    mask = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(60, 60)), 2) > 0.08
    pieces = find_pieces(mask, 1)
    assert pieces.areas.sum() == mask.sum()
    for index, (left, top, width, height) in enumerate(pieces.boxes.astype(int)):
        pixels = pieces.pixels(index)
        assert len(pixels) == pieces.areas[index]
        low, high = pixels.min(axis=0) - 0.5, pixels.max(axis=0) + 0.5
        np.testing.assert_array_equal([*low, *(high - low)], [left, top, width, height])
        grown = ndimage.binary_dilation(pieces.owner[pieces.labels] == index, np.ones((3, 3)))
        assert not (grown & mask & (pieces.owner[pieces.labels] != index)).any()


def test_noise_leaves_the_largest_pieces_only():
    mask = np.zeros((200, 200), dtype=bool)
    mask[::4, ::4] = True
    mask[50:60, 50:60] = True
    pieces = find_pieces(mask, 1)
    assert len(pieces.areas) == MAX_PIECES
    assert pieces.areas.max() >= 100


@pytest.mark.parametrize(
    ("boxes", "n_objects"),
    [
        ([(50, 50, 20, 20), (52, 75, 18, 25)], 1),  # one above the other, with a gap of 5
        ([(50, 50, 20, 20), (50, 100, 20, 20)], 2),  # a gap of 30, above 0.3 x 50
        ([(50, 50, 20, 50), (50, 105, 20, 50)], 2),  # two whole objects
        ([(50, 50, 20, 50), (90, 50, 20, 50)], 2),  # side by side
        ([(50, 50, 8, 50), (60, 50, 8, 50)], 1),  # two halves of one
    ],
)
def test_fragments_of_one_object_are_merged(boxes, n_objects):
    merged = merge_fragments(find_pieces(make_mask(*boxes), 1), CONSTANT_SIZE, 0.3, 5.0)
    assert len(merged.boxes) == n_objects
    assert merged.areas.sum() == make_mask(*boxes).sum()
    if n_objects == 1:
        y, x = np.nonzero(make_mask(*boxes))
        assert merged.boxes[0].tolist() == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
        assert len(merged.pixels(0)) == merged.areas[0]


def test_merging_does_not_depend_on_the_side_of_the_picture():
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.02
    mask = ndimage.binary_dilation(mask, iterations=2)
    boxes = [merge_fragments(find_pieces(m, 1), CONSTANT_SIZE, 0.3, 5.0).boxes for m in (mask, mask[:, ::-1])]
    boxes[1][:, 0] = WIDTH - boxes[1][:, 0] - boxes[1][:, 2]
    assert len(boxes[0]) == pytest.approx(len(boxes[1]), abs=3)  # equal costs may be merged in another order


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_typical_size_is_a_line_that_a_fifth_of_wrong_boxes_does_not_move(scale):
    rng = np.random.default_rng(0)
    rows = rng.uniform(50, 400, size=200)
    heights, widths = 20 + 0.2 * rows, 8 + 0.1 * rows
    widths[:40] *= 2.2
    boxes = scale * np.column_stack([rng.uniform(0, 500, 200), rows - heights / 2, widths, heights])
    size = fit_typical_size(boxes)
    width, height = size.at(scale * np.array([100.0, 300.0]))
    np.testing.assert_allclose(height, scale * np.array([40.0, 80.0]), rtol=1e-6)
    np.testing.assert_allclose(width, scale * np.array([18.0, 38.0]), rtol=0.2)
    assert size.at(1e6) == size.at(size.last_row)
    assert fit_typical_size(boxes[:39]) is None


def test_boxes_in_one_row_have_the_median_size():
    boxes = np.tile([10.0, 20.0, 30.0, 40.0], (50, 1))
    assert fit_typical_size(boxes).at(7.0) == (30.0, 40.0)


@pytest.mark.parametrize("centres", [[(80, 100)], [(80, 100), (98, 104)], [(80, 100), (97, 100), (115, 98)]])
def test_split_finds_the_objects(centres):
    pieces = find_pieces(draw_people(*centres), 1)
    assert len(pieces.boxes) == 1
    boxes, areas = split_piece(pieces, 0, CONSTANT_SIZE)
    found = boxes[np.argsort(boxes[:, 0])]
    np.testing.assert_allclose(found[:, 0] + found[:, 2] / 2, [x for x, _ in centres], atol=3.0)
    np.testing.assert_allclose(found[:, 1] + found[:, 3] / 2, [y for _, y in centres], atol=4.0)
    assert areas.sum() == pytest.approx(pieces.areas[0], abs=len(centres))


def test_detector_learns_the_size_and_splits_a_pair():
    detector = train(BlobDetector())
    width, height = detector.typical_size_.at(100.0)
    assert width == pytest.approx(20, abs=2)
    assert height == pytest.approx(50, abs=3)
    pair = draw_people((100, 100), (118, 102))
    assert len(detector.detect(pair).boxes) == 2


def detect_people(mask: np.ndarray, **parameters: object) -> np.ndarray:
    """Return the boxes that a detector finds which knows the size of people."""
    detector = BlobDetector(**parameters)
    detector.typical_size_ = CONSTANT_SIZE
    return detector.detect(mask).boxes


def test_parameters_change_boxes():
    speck, small = make_mask((100, 100, 2, 40)), make_mask((100, 100, 12, 28))
    assert len(BlobDetector(window=1).detect(speck).boxes) == 1
    assert len(BlobDetector(window=5).detect(speck).boxes) == 0
    assert len(BlobDetector(min_area=0.01).detect(small).boxes) == 0
    assert len(detect_people(small)) == 1
    assert len(detect_people(small, min_height=0.8)) == 0
    halves = make_mask((100, 80, 20, 25), (100, 112, 20, 22))
    assert len(detect_people(halves)) == 1
    assert len(detect_people(halves, max_gap=0.05)) == 2
    pair = draw_people((100, 100), (118, 102))
    assert len(detect_people(pair)) == 2
    assert len(detect_people(pair, should_split=False)) == 1
    ring = make_mask((100, 80, 20, 50))
    ring[90:120, 105:115] = False
    areas = [BlobDetector(fill_holes=fill).detect(ring).areas[0] for fill in (False, True)]
    assert areas[1] > areas[0]


def test_shadows_are_background_and_empty_or_full_masks_have_no_objects():
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    mask[50:100, 50:70], mask[50:100, 200:220] = 255, 127
    assert BlobDetector().detect(mask).boxes[:, 0].tolist() == [50.0]
    for value in (0, 255):
        blobs = BlobDetector().detect(np.full((HEIGHT, WIDTH), value, dtype=np.uint8))
        assert blobs.boxes.shape == (0, 4)
        assert blobs.areas.shape == (0,)


@pytest.mark.parametrize("mask", [np.zeros((3, 4, 3), bool), np.zeros((0, 4), bool), np.zeros((3, 4))])
def test_bad_masks_are_refused(mask):
    with pytest.raises(FrameError, match="a mask must have two axes"):
        BlobDetector().detect(mask)


def test_another_shape_is_refused():
    detector = BlobDetector()
    detector.detect(np.zeros((30, 40), bool))
    with pytest.raises(FrameError, match="30, 40"):
        detector.detect(np.zeros((31, 40), bool))


@pytest.mark.parametrize(
    "parameters",
    [
        {"window": 4},
        {"window": 17},
        {"window": 0},
        {"min_area": -0.1},
        {"min_height": 1.0},
        {"max_gap": np.nan},
        {"should_split": None},
        {"fill_holes": 2},
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(ParameterError):
        BlobDetector(**parameters)
