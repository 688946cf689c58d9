"""Measures of labelled tracks: motmetrics and TrackEval as oracles, HOTA from its definition, and laws."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from gaussmix.errors import ParameterError, TrackEvaluationError, TrackInputError
from gaussmix.tracking import BoxOverlap, PointProximity, TrackTable, evaluate_tracks, read_mot
from gaussmix.tracking.metrics import frame_pairs
from tests.tracking.labelled_scenes import iterate_frames, random_scene

SEEDS = range(6)
MOT_NAMES = {
    "mota": "mota",
    "recall": "recall",
    "precision": "precision",
    "n_false_positives": "num_false_positives",
    "n_misses": "num_misses",
    "n_switches": "num_switches",
    "n_fragmentations": "num_fragmentations",
    "n_mostly_tracked": "mostly_tracked",
    "n_partly_tracked": "partially_tracked",
    "n_mostly_lost": "mostly_lost",
}
ID_NAMES = ["idf1", "idp", "idr"]


@pytest.fixture
def motmetrics(monkeypatch):
    """The package of the same name; NumPy 2 has no asfarray, which its release 1.4.0 calls."""
    monkeypatch.setattr(np, "asfarray", lambda values: np.asarray(values, dtype=np.float64), raising=False)
    return pytest.importorskip("motmetrics", reason="motmetrics belongs to the extra 'test'")


def point_distances(first, second):
    return np.linalg.norm(first[:, np.newaxis] - second, axis=2)


def summarize(motmetrics, truth, tracks, distances):
    """All measures of motmetrics, from a function that returns the distances of two frames, NaN for no match."""
    accumulator = motmetrics.MOTAccumulator()
    for frame, objects, estimates in iterate_frames(truth, tracks):
        accumulator.update(objects.label, estimates.label, distances(objects, estimates), frameid=frame)
    names = [*MOT_NAMES.values(), "motp", *ID_NAMES]
    return motmetrics.metrics.create().compute(accumulator, metrics=names, return_dataframe=False)


def check_against(expected, found, motp):
    """Compare an evaluation with a summary of motmetrics, whose MOTP is a distance."""
    for name, other_name in MOT_NAMES.items():
        assert getattr(found.clear, name) == pytest.approx(expected[other_name], rel=1e-12), name
    for name in ID_NAMES:
        assert getattr(found.identity, name) == pytest.approx(expected[name], rel=1e-12), name
    assert found.clear.motp == pytest.approx(motp, rel=1e-12)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("seed", SEEDS)
def test_boxes_agree_with_motmetrics(motmetrics, seed, threshold):
    truth, tracks = random_scene(seed)

    def distances(objects, estimates):
        return motmetrics.distances.iou_matrix(objects.boxes, estimates.boxes, max_iou=1 - threshold)

    expected = summarize(motmetrics, truth, tracks, distances)
    check_against(expected, evaluate_tracks(truth, tracks, threshold=threshold), 1 - expected["motp"])


@pytest.mark.parametrize("zero_distance", [10.0, 30.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_positions_agree_with_motmetrics(motmetrics, seed, zero_distance):
    truth, tracks = random_scene(seed)

    def distances(objects, estimates):
        lengths = point_distances(objects.positions, estimates.positions)
        return np.where(lengths <= 0.5 * zero_distance, lengths, np.nan)

    expected = summarize(motmetrics, truth, tracks, distances)
    found = evaluate_tracks(truth, tracks, PointProximity(zero_distance))
    check_against(expected, found, 1 - expected["motp"] / zero_distance)


def test_scenes_have_every_event():
    """Else the comparisons above say little."""
    values = [evaluate_tracks(*random_scene(seed)).clear for seed in SEEDS]
    for name in ("n_false_positives", "n_misses", "n_switches", "n_fragmentations", "n_partly_tracked"):
        assert min(getattr(value, name) for value in values) > 0, name


@pytest.mark.parametrize(
    ("name", "mota", "idf1", "n_switches", "hota"),
    [("TUD-Campus", 0.526462, 0.557659, 7, 0.391397), ("TUD-Stadtmitte", 0.564014, 0.644619, 7, 0.397849)],
)
def test_published_tracks_of_real_pedestrians(motmetrics, name, mota, idf1, n_switches, hota):
    """Figures of the documentation of motmetrics, whose HOTA has another release than the one on PyPI."""
    folder = Path(motmetrics.__file__).parent / "data" / name
    found = evaluate_tracks(read_mot(folder / "gt.txt"), read_mot(folder / "test.txt"))
    assert found.clear.n_switches == n_switches
    np.testing.assert_allclose([found.clear.mota, found.identity.idf1, found.hota.hota], [mota, idf1, hota], atol=1e-6)


def brute_force_overlap(first, second):
    """Intersection over union of two boxes, from the lengths of their sides."""
    sides = [
        min(a + w, b + v) - max(a, b) for a, b, w, v in zip(first[:2], second[:2], first[2:], second[2:], strict=True)
    ]
    intersection = max(sides[0], 0.0) * max(sides[1], 0.0)
    return intersection / (first[2] * first[3] + second[2] * second[3] - intersection)


def brute_force_hota(truth, tracks, alpha):
    """Luiten et al. 2021, section 4: TP, FN, FP, and TPA, FNA, FPA of each TP; SciPy matches in each frame."""
    frames = []
    for _, objects, estimates in iterate_frames(truth, tracks):
        overlaps = [[brute_force_overlap(a, b) for b in estimates.boxes] for a in objects.boxes]
        frames.append((objects.label, estimates.label, np.array(overlaps).reshape(len(objects), len(estimates))))
    n_truth = {k: int((truth.label == k).sum()) for k in np.unique(truth.label).tolist()}
    n_tracks = {k: int((tracks.label == k).sum()) for k in np.unique(tracks.label).tolist()}
    potential = dict.fromkeys([(a, b) for a in n_truth for b in n_tracks], 0.0)
    for first, second, overlap in frames:
        for i, a in enumerate(first.tolist()):
            for j, b in enumerate(second.tolist()):
                union = overlap[i].sum() + overlap[:, j].sum() - overlap[i, j]
                potential[a, b] += overlap[i, j] / union if union > 0 else 0.0
    pairs = []
    for first, second, overlap in frames:
        score = [
            [potential[a, b] / (n_truth[a] + n_tracks[b] - potential[a, b]) for b in second.tolist()]
            for a in first.tolist()
        ]
        rows, columns = linear_sum_assignment(np.reshape(score, overlap.shape) * overlap, maximize=True)
        pairs += [(int(first[i]), int(second[j])) for i, j in zip(rows, columns, strict=True) if overlap[i, j] >= alpha]
    association = sum(pairs.count(pair) / (n_truth[pair[0]] + n_tracks[pair[1]] - pairs.count(pair)) for pair in pairs)
    detection = len(pairs) / (len(truth) + len(tracks) - len(pairs))
    return detection, association / max(len(pairs), 1)


@pytest.mark.parametrize("seed", range(3))
def test_hota_is_its_definition(seed):
    truth, tracks = random_scene(seed, n_frames=12)
    found = evaluate_tracks(truth, tracks).hota
    for index in (0, 9, 15):
        deta, assa = brute_force_hota(truth, tracks, 0.05 * (index + 1))
        assert found.deta_by_alpha[index] == pytest.approx(deta, rel=1e-12)
        assert found.assa_by_alpha[index] == pytest.approx(assa, rel=1e-12)
        assert found.hota_by_alpha[index] == pytest.approx(np.sqrt(deta * assa), rel=1e-12)
    for name in ("hota", "deta", "assa", "loca"):
        assert getattr(found, name) == pytest.approx(np.mean(getattr(found, f"{name}_by_alpha")), rel=1e-12)


@pytest.mark.parametrize(
    ("seed", "hota", "deta", "assa", "loca"),
    [
        (0, 0.279902929874, 0.419436010061, 0.188223333358, 0.769731374829),
        (1, 0.274996079899, 0.412909264420, 0.185384339723, 0.736895180668),
        (2, 0.263823162217, 0.380192462219, 0.185421344135, 0.732889106852),
    ],
)
def test_hota_equals_recorded_values_of_trackeval(seed, hota, deta, assa, loca):
    """TrackEval 1.3.0 on these scenes; the test below computes the numbers afresh where the package is installed."""
    found = evaluate_tracks(*random_scene(seed)).hota
    np.testing.assert_allclose([found.hota, found.deta, found.assa, found.loca], [hota, deta, assa, loca], rtol=1e-9)


def evaluate_with_trackeval(truth, tracks):
    """HOTA of TrackEval for two tables with boxes."""
    trackeval = pytest.importorskip(
        "trackeval", reason="TrackEval installs a second OpenCV over the headless one, so no extra brings it"
    )
    labels = [np.unique(table.label) for table in (truth, tracks)]
    frames = [(a, b) for _, a, b in iterate_frames(truth, tracks)]
    data = {
        "num_gt_dets": len(truth),
        "num_tracker_dets": len(tracks),
        "num_gt_ids": len(labels[0]),
        "num_tracker_ids": len(labels[1]),
        "num_timesteps": len(frames),
        "gt_ids": [np.searchsorted(labels[0], a.label) for a, _ in frames],
        "tracker_ids": [np.searchsorted(labels[1], b.label) for _, b in frames],
        "similarity_scores": [
            np.array([[brute_force_overlap(x, y) for y in b.boxes] for x in a.boxes]).reshape(len(a), len(b))
            for a, b in frames
        ],
    }
    return trackeval.metrics.HOTA().eval_sequence(data)


@pytest.mark.parametrize("seed", SEEDS)
def test_hota_agrees_with_trackeval(seed):
    truth, tracks = random_scene(seed)
    expected, found = evaluate_with_trackeval(truth, tracks), evaluate_tracks(truth, tracks).hota
    for name, other_name in {"hota": "HOTA", "deta": "DetA", "assa": "AssA", "loca": "LocA"}.items():
        np.testing.assert_allclose(getattr(found, f"{name}_by_alpha"), expected[other_name], rtol=1e-12)


def test_perfect_tracks_have_perfect_measures():
    truth, _ = random_scene(0)
    found = evaluate_tracks(truth, dataclasses.replace(truth, label=truth.label + 50)).to_dict()
    for name in ("clear_mota", "clear_motp", "clear_recall", "identity_idf1", "hota", "hota_assa", "hota_loca"):
        assert found[name] == pytest.approx(1.0, rel=1e-15), name
    assert found["clear_n_switches"] == found["clear_n_misses"] == found["clear_n_false_positives"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_rows_frames_numbers_and_labels_do_not_matter(seed):
    """Labels keep their order: where two objects claim one track, that of the smaller label keeps it."""
    truth, tracks = random_scene(seed)
    rows = np.random.default_rng(seed).permutation(len(tracks))
    changed = TrackTable(3 * tracks.frame[rows] - 40, 7 * tracks.label[rows] + 1, boxes=tracks.boxes[rows])
    moved = dataclasses.replace(truth, frame=3 * truth.frame - 40, label=truth.label + 9)
    assert evaluate_tracks(moved, changed) == evaluate_tracks(truth, tracks)


@pytest.mark.parametrize("seed", SEEDS)
def test_names_of_tracks_do_not_matter(seed):
    truth, tracks = random_scene(seed)
    found, expected = (
        evaluate_tracks(truth, table).to_dict()
        for table in (dataclasses.replace(tracks, label=999 - tracks.label), tracks)
    )
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("unit", [2.0**-600, 2.0**500])
@pytest.mark.parametrize("offset", [0.0, 2.0**20])
def test_units_and_offsets_do_not_matter(unit, offset):
    truth, tracks = (
        dataclasses.replace(table, boxes=np.round(table.boxes * 64) / 64, positions=np.round(table.positions * 64) / 64)
        for table in random_scene(2)
    )  # so that the offset rounds nothing
    moved = [
        dataclasses.replace(
            table,
            boxes=unit * (table.boxes + np.array([offset, -offset, 0.0, 0.0])),
            positions=unit * (table.positions + np.array([offset, -offset])),
        )
        for table in (truth, tracks)
    ]
    for similarity, scaled in ((BoxOverlap(), BoxOverlap()), (PointProximity(20.0), PointProximity(20.0 * unit))):
        expected = evaluate_tracks(truth, tracks, similarity).to_dict()
        assert evaluate_tracks(*moved, scaled).to_dict() == pytest.approx(expected, rel=1e-12)


def test_blocks_of_frames_do_not_matter(monkeypatch):
    truth, tracks = random_scene(1)
    expected = evaluate_tracks(truth, tracks)
    monkeypatch.setattr(frame_pairs, "_MAX_PAIRS", 40)
    assert evaluate_tracks(truth, tracks) == expected


def test_a_kept_match_beats_a_better_one():
    truth = TrackTable([1, 2], [1, 1], boxes=[[0, 0, 10, 10], [0, 0, 10, 10]])
    tracks = TrackTable([1, 2, 2], [5, 5, 6], boxes=[[0, 0, 10, 10], [3, 0, 10, 10], [0, 0, 10, 10]])
    assert evaluate_tracks(truth, tracks).clear.n_switches == 0
    assert evaluate_tracks(truth, tracks, threshold=0.6).clear.n_switches == 1


def test_more_matches_beat_better_ones():
    """The similarities are 1 for one match of the middle pair, and 0.4 for each of the two that exclude it."""
    truth = TrackTable([1, 1], [1, 2], positions=[[0.0, 0.0], [-6.0, 0.0]])
    tracks = TrackTable([1, 1], [1, 2], positions=[[0.0, 0.0], [6.0, 0.0]])
    found = evaluate_tracks(truth, tracks, PointProximity(10.0), threshold=0.3).clear
    assert (found.n_matches, found.motp) == (2, pytest.approx(0.4))


def test_a_similarity_at_the_threshold_matches():
    """3 of 10 units apart, the boxes overlap by 7/13; half of 0.6 is the distance 0.3, up to rounding."""
    truth, tracks = (TrackTable([1], [1], positions=[[x, 0.0]], boxes=[[10 * x, 0, 10, 10]]) for x in (0.1, 0.4))
    assert evaluate_tracks(truth, tracks, threshold=7 / 13).clear.n_matches == 1
    assert evaluate_tracks(truth, tracks, threshold=7 / 13 + 1e-9).clear.n_matches == 0
    assert evaluate_tracks(truth, tracks, PointProximity(0.6)).clear.n_matches == 1
    assert evaluate_tracks(truth, tracks, PointProximity(0.6 - 1e-9)).clear.n_matches == 0


def test_tracks_may_be_empty():
    truth, tracks = random_scene(0)
    found = evaluate_tracks(truth, tracks.select_rows(slice(0))).to_dict()
    assert (found["clear_mota"], found["identity_idf1"], found["hota"], found["hota_loca"]) == (0.0, 0.0, 0.0, 1.0)
    assert np.isfinite(list(found.values())).all()


def test_frames_in_one_table_only_count():
    truth = TrackTable([1], [1], boxes=[[0, 0, 10, 10]])
    tracks = TrackTable([2, 3], [1, 1], boxes=[[0, 0, 10, 10], [0, 0, 10, 10]])
    found = evaluate_tracks(truth, tracks).clear
    assert (found.n_misses, found.n_false_positives, found.mota) == (1, 2, -2.0)


def test_boxes_without_area_overlap_nothing():
    table = TrackTable([1, 1], [1, 2], boxes=[[0, 0, 0, 10], [50, 0, 10, 10]])
    assert evaluate_tracks(table, table).clear.n_matches == 1


def test_bad_input_is_refused():
    truth, tracks = random_scene(0, n_frames=3)
    with pytest.raises(TrackEvaluationError, match="truth has 0 rows"):
        evaluate_tracks(truth.select_rows(slice(0)), tracks)
    with pytest.raises(TrackEvaluationError, match="tracks has no boxes"):
        evaluate_tracks(truth, dataclasses.replace(tracks, boxes=None))
    with pytest.raises(TrackEvaluationError, match=r"tracks has \d+ rows of label -1"):
        evaluate_tracks(truth, dataclasses.replace(tracks, label=np.full(len(tracks), -1)))
    with pytest.raises(TrackInputError, match="2 coordinates, but true points have 3"):
        evaluate_tracks(TrackTable([1], [1], positions=[[0, 0, 0]]), tracks, PointProximity(1.0))


@pytest.mark.parametrize("threshold", [0.0, 1.1, np.nan, "0.5", True])
def test_threshold_is_checked(threshold):
    with pytest.raises(ParameterError, match="threshold must be a number above 0 and at most 1"):
        evaluate_tracks(*random_scene(0, n_frames=2), threshold=threshold)


@pytest.mark.parametrize("similarity", ["iou", BoxOverlap.compare_rows, None])
def test_similarity_is_checked(similarity):
    with pytest.raises(ParameterError, match="similarity must be BoxOverlap\\(\\) or PointProximity"):
        evaluate_tracks(*random_scene(0, n_frames=2), similarity)


@pytest.mark.parametrize("zero_distance", [0.0, np.inf, np.nan, "1"])
def test_zero_distance_is_checked(zero_distance):
    with pytest.raises(ParameterError, match="zero_distance must be a finite number above 0"):
        PointProximity(zero_distance)
