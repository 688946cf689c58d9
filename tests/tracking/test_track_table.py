"""The table of tracks: sorting, selection, frames, and columns that cannot be used."""

import dataclasses

import numpy as np
import pytest

from gaussmix.errors import GaussmixError, TrackInputError
from gaussmix.tracking import TrackTable


def full_table(order=slice(None)):
    columns = {
        "frame": [1, 1, 2, 4],
        "label": [3, 5, 3, -1],
        "positions": [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]],
        "boxes": [[0.0, 0.0, 1.0, 2.0], [1.0, 0.0, 1.0, 2.0], [2.0, 0.0, 1.0, 2.0], [3.0, 0.0, 1.0, 0.0]],
        "confidence": [0.1, 0.2, 0.3, 0.4],
        "category": [7, 8, 9, 10],
        "visibility": [0.5, 0.6, 0.7, 0.8],
    }
    return TrackTable(**{name: np.array(column)[order] for name, column in columns.items()})


def assert_same(first, second):
    for field in dataclasses.fields(TrackTable):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name), err_msg=field.name)


def test_order_of_rows_does_not_matter():
    assert_same(full_table([3, 1, 0, 2]), full_table())


def test_columns_are_read_only_copies():
    positions = np.zeros((1, 2))
    table = TrackTable([1], [1], positions=positions)
    positions[0] = 9.0
    assert table.positions.tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match="read-only"):
        table.positions[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.label = [2]


def test_every_column_is_selected():
    assert_same(full_table().select_frames(1, 2), full_table([0, 1, 2]))
    assert_same(full_table().select_rows(np.array([False, True, False, True])), full_table([1, 3]))
    assert_same(full_table().select_rows(slice(2, None)), full_table([2, 3]))
    assert len(full_table().select_frames(3, 3)) == 0
    assert len(full_table()) == 4


def test_frames_are_split_with_the_empty_ones():
    points = full_table().split_points(0, 5)
    assert [len(frame) for frame in points] == [0, 2, 1, 0, 1, 0]
    assert points[4].tolist() == [[6.0, 7.0]]
    assert [len(frame) for frame in full_table().split_points(2, 3)] == [1, 0]


def test_points_of_boxes_are_their_centers():
    table = dataclasses.replace(full_table(), positions=None)
    assert table.points[0].tolist() == [0.5, 1.0]
    assert full_table().points.tolist() == full_table().positions.tolist()


def test_from_frames_counts_frames():
    table = TrackTable.from_frames(
        [[4, 2], [], [2]], positions=[[[1.0, 1.0], [2.0, 2.0]], [], [[3.0, 3.0]]], confidence=[[0.1, 0.2], [], [0.3]]
    )
    assert (table.frame.tolist(), table.label.tolist()) == ([1, 1, 3], [2, 4, 2])
    assert table.positions[:, 0].tolist() == [2.0, 1.0, 3.0]
    assert table.confidence.tolist() == [0.2, 0.1, 0.3]
    later = TrackTable.from_frames([[1]], boxes=[[[0, 0, 1, 1]]], first_frame=8)
    assert (later.frame.tolist(), later.boxes.tolist()) == ([8], [[0.0, 0.0, 1.0, 1.0]])
    assert len(TrackTable.from_frames([[], []], positions=[[], np.empty((0, 3))])) == 0


def test_from_frames_undoes_split_points():
    table = full_table()
    labels = [table.select_frames(t, t).label for t in range(1, 5)]
    again = TrackTable.from_frames(labels, positions=table.split_points(1, 4))
    np.testing.assert_array_equal(again.positions, table.positions)
    np.testing.assert_array_equal(again.frame, table.frame)


def test_whole_floats_are_integers():
    table = TrackTable([1.0, 2.0], np.array([3, 4], dtype=np.uint8), positions=[[0, 0], [1, 1]])
    assert table.frame.dtype == table.label.dtype == np.int64


def test_labels_of_64_bits_stay_exact():
    assert TrackTable([1], [2**62 + 1], positions=[[0, 0]]).label[0] == 2**62 + 1


def test_text_of_a_table_names_its_columns():
    assert repr(TrackTable([1], [1], positions=[[0, 0]])) == "TrackTable(1 rows: frame, label, positions)"


POINT = {"positions": [[0.0, 0.0]]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "needs positions or boxes"),
        ({"frame": [1.5], **POINT}, r"frame must be whole numbers, but has 1\.5 in row 0"),
        ({"frame": [np.nan], **POINT}, "frame must be whole numbers, but has nan"),
        ({"frame": [[1]], **POINT}, r"frame must have the shape \(1,\)"),
        ({"frame": ["a"], **POINT}, "frame must be numbers"),
        ({"frame": [1e300], **POINT}, "frame must be whole numbers"),
        ({"label": [1, 2], **POINT}, r"label must have the shape \(1,\), one entry per row of frame, but has \(2,\)"),
        ({"label": np.ma.masked_equal([1], 1), **POINT}, "label must be whole numbers, but has nan"),
        ({"positions": [[0.0]]}, r"positions must have the shape \(1, 2 or 3\), but has \(1, 1\)"),
        ({"positions": [0.0, 1.0]}, r"positions must have the shape .* but has \(2,\)"),
        ({"positions": [[0.0, np.inf]]}, "positions must be finite, but has inf in row 0"),
        ({"positions": [[1j, 0]]}, "positions must be numbers"),
        ({"boxes": [[0.0, 0.0, 1.0]]}, r"boxes must have the shape \(1, 4\)"),
        ({"boxes": [[0.0, 0.0, -1.0, 1.0]]}, r"the width of a box must be at least 0, but is -1\.0 in row 0"),
        ({"boxes": [[0.0, 0.0, 1.0, -2.0]]}, "the height of a box"),
        ({"confidence": [np.nan], **POINT}, "confidence must be finite, but has nan in row 0"),
        ({"confidence": [1.0, 2.0], **POINT}, r"confidence must have the shape \(1,\)"),
        ({"category": [0.5], **POINT}, "category must be whole numbers"),
        ({"category": [1, 2], **POINT}, r"category must have the shape \(1,\)"),
        ({"visibility": ["x"], **POINT}, "visibility must be numbers"),
    ],
)
def test_bad_columns_are_refused(columns, message):
    with pytest.raises(TrackInputError, match=message):
        TrackTable(**{"frame": [1], "label": [1], **columns})


def test_sparse_columns_are_refused():
    from scipy.sparse import csr_array

    with pytest.raises(GaussmixError, match="sparse"):
        TrackTable([1], [1], positions=csr_array([[1.0, 2.0]]))


def test_a_label_occurs_once_in_a_frame():
    with pytest.raises(TrackInputError, match="label 4 occurs twice in frame 2"):
        TrackTable([1, 2, 2], [4, 4, 4], positions=np.zeros((3, 2)))
    assert len(TrackTable([1, 1], [-1, -1], positions=np.zeros((2, 2)))) == 2


def test_bad_frames_are_refused():
    with pytest.raises(TrackInputError, match="positions has 1 frame, but labels has 2"):
        TrackTable.from_frames([[1], [2]], positions=[[[0, 0]]])
    with pytest.raises(TrackInputError, match=r"the shape \(2, 2\) in a frame of 1 label"):
        TrackTable.from_frames([[1]], positions=[[[0, 0], [1, 1]]])
    with pytest.raises(TrackInputError, match="positions has different numbers of coordinates"):
        TrackTable.from_frames([[1], [2]], positions=[[[0, 0]], [[0, 0, 0]]])
    with pytest.raises(TrackInputError, match="ends at 2, before it begins at 3"):
        full_table().select_frames(3, 2)
