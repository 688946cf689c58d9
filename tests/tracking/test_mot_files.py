"""Files of the MOTChallenge: round trips, forms that occur in the wild, and lines that cannot be read."""

import dataclasses
import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest

from gaussmix.errors import FileError, MotFileError, MotFileWarning
from gaussmix.tracking import MotWriter, TrackTable, read_mot, write_mot

DETECTIONS = "1,-1,10,20,5.5,6,0.9,-1,-1,-1\n1,-1,11,21,5,6,0.8,-1,-1,-1\n2,-1,12,22,5,6,0.7,-1,-1,-1\n"


@pytest.fixture
def write(tmp_path):
    """A function that writes a file and returns its path."""

    def write_file(content, name="tracks.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def random_table(seed, **columns):
    rng = np.random.default_rng(seed)
    frame, label = (grid.ravel() for grid in np.meshgrid(np.arange(1, 9), np.arange(1, 5)))
    boxes = rng.normal(size=(len(frame), 4)) * 10.0 ** rng.integers(-20, 20, (len(frame), 4))
    boxes[:, 2:] = abs(boxes[:, 2:])
    return TrackTable(frame, label, **{"boxes": boxes, "confidence": rng.normal(size=len(frame)), **columns})


def assert_same(first, second):
    for field in dataclasses.fields(TrackTable):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name), err_msg=field.name)


COLUMNS = {
    "boxes": {},
    "positions": {"positions": np.random.default_rng(0).normal(size=(32, 3))},
    "positions in the plane": {"positions": np.random.default_rng(0).normal(size=(32, 2))},
    "positions alone": {"positions": np.random.default_rng(0).normal(size=(32, 3)), "boxes": None},
    "ground truth": {"category": np.arange(32), "visibility": np.linspace(0, 1, 32)},
    "category alone": {"category": np.arange(32)},
    "visibility alone": {"visibility": np.linspace(0, 1, 32)},
}


@pytest.mark.parametrize("name", ["tracks.txt", "tracks.txt.gz"])
@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("seed", range(3))
def test_numbers_come_back_exactly(tmp_path, seed, columns, name):
    table = random_table(seed, **columns)
    write_mot(tmp_path / name, table)
    assert_same(read_mot(tmp_path / name), table)


def test_a_missing_confidence_is_one(tmp_path):
    write_mot(tmp_path / "a.txt", TrackTable([1], [4], boxes=[[0, 1, 2, 3]]))
    assert (tmp_path / "a.txt").read_text() == "1,4,0,1,2,3,1,-1,-1,-1\n"
    assert read_mot(tmp_path / "a.txt").confidence.tolist() == [1.0]


def test_compressed_files_are_compressed(tmp_path):
    write_mot(tmp_path / "a.gz", random_table(0))
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()).startswith(b"1,1,")


def test_files_in_the_wild(write):
    expected = read_mot(write(DETECTIONS))
    assert (expected.frame.tolist(), expected.label.tolist()) == ([1, 1, 2], [-1, -1, -1])
    assert expected.boxes[0].tolist() == [10.0, 20.0, 5.5, 6.0]
    assert expected.positions is None
    lines = DETECTIONS.splitlines()
    variants = {
        "windows": DETECTIONS.replace("\n", "\r\n"),
        "old mac": DETECTIONS.replace("\n", "\r"),
        "byte order mark": b"\xef\xbb\xbf" + DETECTIONS.encode(),
        "blank lines": "\n\n" + DETECTIONS.replace("\n", "\n  \n"),
        "comments": "# frame,id\n" + DETECTIONS.replace("\n", "  # seen\n"),
        "spaces": DETECTIONS.replace(",", " , "),
        "no commas": DETECTIONS.replace(",", "\t"),
        "floats": DETECTIONS.replace("1,-1,", "1.0,-1.00,"),
        "no last line end": DETECTIONS.rstrip(),
        "order of lines": "\n".join([lines[2], *lines[:2]]) + "\n",
        "gzip": gzip.compress(DETECTIONS.encode()),
        "gzip of two members": gzip.compress(lines[0].encode() + b"\n") + gzip.compress("\n".join(lines[1:]).encode()),
    }
    for name, content in variants.items():
        assert_same(read_mot(write(content, f"{name}.txt")), expected)


def test_the_number_of_columns_says_what_they_mean(write):
    short, truth, world = (read_mot(write(f"1,2,0,0,5,6,1{end}\n")) for end in ("", ",3,0.25", ",7.5,8.5,-1"))
    assert (short.category, short.visibility, short.positions) == (None, None, None)
    assert (truth.category.tolist(), truth.visibility.tolist(), truth.positions) == ([3], [0.25], None)
    assert (world.positions.tolist(), world.category) == ([[7.5, 8.5]], None)
    unknown = read_mot(write("1,2,0,0,5,6,-1,-1,-1\n"))
    assert (unknown.confidence, unknown.category, unknown.visibility) == (None, None, None)


def test_writer_keeps_what_is_written_when_the_program_stops(tmp_path):
    table = random_table(0)

    def stop_early(path):
        with MotWriter(path) as writer:
            writer.write(table.select_frames(1, 3))
            assert len(read_mot(path)) == 12, "before the file is closed"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_early(tmp_path / "a.txt")
    assert_same(read_mot(tmp_path / "a.txt"), table.select_frames(1, 3))


def test_open_compressed_files_are_readable(tmp_path):
    with MotWriter(tmp_path / "a.gz") as writer:
        writer.write(random_table(0))
        with pytest.warns(MotFileWarning, match="a.gz is cut off at its end; 32 complete rows were read"):
            assert_same(read_mot(tmp_path / "a.gz"), random_table(0))


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_every_file_cut_off_keeps_its_complete_rows(tmp_path, write, name):
    table = random_table(1)
    write_mot(tmp_path / name, table)
    content = (tmp_path / name).read_bytes()
    n_rows = []
    for length in range(len(content) // 2, len(content), 61):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            kept = read_mot(write(content[:length], f"cut {name}"))
        assert caught or name == "a.txt"  # a line may end in the middle of its last number, -1
        np.testing.assert_array_equal(
            kept.boxes, table.select_rows(np.isin(table.frame * 10 + table.label, kept.frame * 10 + kept.label)).boxes
        )
        n_rows.append(len(kept))
    assert n_rows == sorted(n_rows)
    assert 0 < n_rows[0] < n_rows[-1] < len(table) + 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no rows; it needs at least one line frame,id"),
        ("# nothing\n\n", "has no rows"),
        ("1,2,3\n", "line 1 of .* has 3 columns, but 7, 9 or 10 are allowed"),
        ("\n1,2,3,4,5,6,7,8\n", "line 2 of .* has 8 columns, but 7, 9 or 10 are allowed"),
        (DETECTIONS + "3,-1,1,1\n", "line 4 of .* has 4 columns, but line 1 has 10"),
        ("# x\n1,2,3,4,five,6,7\n", "line 2 of .* has 'five' as its width; write a finite number"),
        ("1,2,3,,5,6,7\n", "line 1 of .* has '' as its top"),
        ("1,2,nan,4,5,6,7\n", "line 1 of .* has 'nan' as its left"),
        ("1,2,3,4,5,6,inf\n", "line 1 of .* has 'inf' as its confidence"),
        ("frame,id,left,top,width,height,conf\n", "line 1 of .* has 'frame' as its frame"),
        ("1,2,3,4,-5,6,7\n", "line 1 of .* has a box of width -5"),
        (DETECTIONS + "3,-1,1,1,1,-1,1,-1,-1,-1\n", "line 4 of .* has a box of height -1"),
        ("1,2,3,4,5,6,7\n\n# x\n2,2,3,4,-5,6,7\n", "line 4 of .* has a box of width -5"),
        ("0,2,3,4,5,6,7\n", "line 1 of .* has frame 0; write a whole number of at least 1"),
        ("1.5,2,3,4,5,6,7\n", r"line 1 of .* has frame 1\.5"),
        ("1,2.5,3,4,5,6,7\n", r"line 1 of .* has id 2\.5; write a whole number of at least -1"),
        ("1,-2,3,4,5,6,7\n", "line 1 of .* has id -2"),
        ("1,1e17,3,4,5,6,7\n", "line 1 of .* has id 1e\\+17"),
        ("1,2,3,4,5,6,7,1.5,0\n", r"line 1 of .* has class 1\.5"),
        ("1,2,3,4,5,6,7\n2,2,3,4,5,6,7\n1,2,0,0,5,6,7\n", "line 3 of .* has id 2 in frame 1 for the second time"),
        (b"1,2,3\x00\xff", "is not UTF-8 text"),
        (b"\xff\xfe1,2", "is not UTF-8 text"),
        (b"\x1f\x8b\x08\x00nonsense, not compressed", "cannot be decompressed"),
    ],
)
def test_bad_files_are_refused_with_the_line(write, content, message):
    with pytest.raises(MotFileError, match=message):
        read_mot(write(content))


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(FileError, match="there is no file"):
        read_mot(tmp_path / "none.txt")
    with pytest.raises(MotFileError, match="is a folder"):
        read_mot(tmp_path)
    with pytest.raises(MotFileError, match="is a folder"):
        write_mot(tmp_path, random_table(0))
    with pytest.raises(MotFileError, match=r"cannot write .*No such file or directory; choose another path"):
        write_mot(tmp_path / "missing" / "a.txt", random_table(0))


def test_tables_that_do_not_fit_the_format_are_refused(tmp_path):
    box = {"boxes": [[0, 0, 1, 1]]}
    for table, message in [
        (TrackTable([0], [1], **box), "count from 1, but the table has frame 0"),
        (TrackTable([1], [-2], **box), "at least -1, but the table has label -2"),
        (TrackTable([1], [1], positions=[[0, 0]], category=[1], **box), "but the table has both"),
    ]:
        with pytest.raises(MotFileError, match=message):
            write_mot(tmp_path / "a.txt", table)


@pytest.mark.parametrize(("name", "n_rows"), [("TUD-Campus.det.txt", None), ("PETS09-S2L1.det.txt", 4359)])
def test_published_detections(shared: Path, tmp_path, name, n_rows):
    table = read_mot(shared / "data" / "tracking" / name)
    assert n_rows in (None, len(table))
    write_mot(tmp_path / name, table)
    assert_same(read_mot(tmp_path / name), table)


@pytest.mark.parametrize("end", ["-", "1e", "", "."])
def test_a_last_line_that_ends_within_a_number_is_left_out(write, end):
    path = write(DETECTIONS + "3,-1,13,23,5,6,0.6,-1,-1," + end)
    with pytest.warns(MotFileWarning, match="3 complete rows were read"):
        assert len(read_mot(path)) == 3


def test_a_compressed_last_line_without_its_end_is_left_out(write):
    """Its last number, 1.25, would become 1.2; stored blocks of gzip end wherever the file ends."""
    content = gzip.compress(b"1,2,0,0,5,6,1,7,8,9\n2,2,0,0,5,6,1,7,8,1.25\n", compresslevel=0)
    with pytest.warns(MotFileWarning, match="1 complete row was read"):
        table = read_mot(write(content[:-10]))
    assert table.frame.tolist() == [1]
