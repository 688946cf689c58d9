"""The report on tracks: its tables, sentences and cautions, and the page."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix.errors import ParameterError
from gaussmix.report import ModelNumber, SceneMoment, TrackSummary, render_track_html, summarize_tracks, track_table
from gaussmix.report.track_tables import format_time, number_table
from gaussmix.report.track_text import describe_cautions, describe_lengths, describe_method, describe_objects
from gaussmix.tracking import InnovationTest, collect_paths
from tests.tracking.recordings import run_recording

GOOD = InnovationTest(100, 2, 2.1, 0.4, 0.01)
NUMBERS = (ModelNumber("noise", 0.5, is_given=True), ModelNumber("clutter", 1.02, 0.8, 1.3, "per scan"))


def make_summary(**changes: Any) -> TrackSummary:
    scans, estimates = run_recording()
    return replace(summarize_tracks(estimates, scans, innovations=GOOD, numbers=NUMBERS), **changes)


def test_the_table_of_tracks_agrees_with_their_paths() -> None:
    summary = make_summary()
    paths = {str(path.label): path for path in collect_paths(summary.estimates)}
    rows = track_table(summary)
    assert [int(row.n_scans) for row in rows] == sorted(
        (path.scans[-1] - path.scans[0] + 1 for path in paths.values()), reverse=True
    )
    for row in rows:
        path = paths[row.label]
        assert int(row.n_detections) + int(row.n_missed) == int(row.n_scans)
        assert int(row.n_detections) == path.n_detections
        assert float(row.begin) == path.times[0]
        assert float(row.mean_speed) == pytest.approx(path.mean_speed, rel=0.01)
    assert len(track_table(summary, 1)) == 1


def test_numbers_of_the_model() -> None:
    given, estimated = number_table(make_summary())
    assert (given.value, given.interval) == ("0.500", "given")
    assert (estimated.value, estimated.interval) == ("1.02 per scan", "0.800 to 1.30")


def test_times_are_short() -> None:
    assert [format_time(value) for value in (3, np.int64(4), 5.0, 0.25)] == ["3", "4", "5", "0.25"]
    assert format_time(np.datetime64("2026-05-04T06:00:10.000000")) == "2026-05-04 06:00:10"


def test_sentences() -> None:
    summary = make_summary()
    assert re.match(r"\d+ objects, at most \d+ at once \(first in scan \d+ of 30\)", describe_objects(summary))
    assert "detections belong to a track" in describe_lengths(summary)
    empty = [replace(each, labels=each.labels[:0], states=each.states[:0]) for each in summary.estimates]
    nothing = summarize_tracks(empty, summary.scans)
    assert describe_objects(nothing) == "No object was found."
    assert describe_lengths(nothing) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"has_converged": False}, "had not converged"),
        ({"innovations": replace(GOOD, mean=4.0, p_value=1e-9)}, "scatter more"),
        ({"innovations": replace(GOOD, mean=1.0, p_value=1e-9)}, "scatter less"),
        ({"innovations": replace(GOOD, tail_fraction=0.1)}, "not Gaussian"),
        ({"times": np.concatenate([np.arange(29.0), [500.0]])}, "1 gap"),
        ({"scans": [np.tile(scan[:1], (40, 1)) for scan in run_recording()[0]]}, "belong to no track"),
        ({"scans": [scan[:1] for scan in run_recording()[0]]}, "single detection"),
    ],
)
def test_cautions(changes: dict[str, Any], words: str) -> None:
    assert describe_cautions(make_summary()) == []
    assert any(words in sentence for sentence in describe_cautions(make_summary(**changes)))


def test_methods_name_the_filter() -> None:
    for name in ("PMB", "PMBM", "LMB", "PHD", "CPHD"):
        assert len(describe_method(make_summary(filter_name=name))[0]) > 60
    assert any("smoothed" in sentence for sentence in describe_method(make_summary(), is_smoothed=True))
    assert not any("estimated" in sentence for sentence in describe_method(make_summary(numbers=NUMBERS[:1])))


def test_the_page() -> None:
    summary = make_summary(moments=(SceneMoment(20, None),))
    page = render_track_html(summary, notes=["A note <b>."], source_name="radar.csv")
    assert "<h1>Tracks in radar.csv</h1>" in page
    assert "A note &lt;b&gt;." in page
    assert page.count("<img") == 4
    assert page.count('data-label="track"') == len(summary.paths)
    assert "1.02 per scan" in page
    assert "smoothed" not in page
    assert "<h1>Ships</h1>" in render_track_html(summary, title="Ships", is_smoothed=True)
    assert page == render_track_html(summary, notes=["A note <b>."], source_name="radar.csv"), "equal pages"


def test_the_page_of_boxes_speaks_of_frames_and_confidence() -> None:
    summary = make_summary(has_boxes=True, filter_name="assignment", numbers=())
    page = render_track_html(summary)
    assert page.count("<img") == 2, "confidence is no probability of existence"
    assert "mean confidence" in page
    assert "(first in frame " in page
    assert "expected" not in describe_objects(summary)
    assert all(describe_method(make_summary(has_boxes=True, filter_name=name)) for name in ("assignment", "pmb"))


def test_wrong_arguments() -> None:
    scans, estimates = run_recording()
    with pytest.raises(ParameterError, match="at least one scan"):
        summarize_tracks([], [])
    with pytest.raises(ParameterError, match="detections"):
        summarize_tracks(estimates, scans[:-1])
    with pytest.raises(ParameterError, match="times"):
        summarize_tracks(estimates, scans, times=[1.0])
    with pytest.raises(ParameterError, match="summarize_tracks"):
        render_track_html(estimates)  # type: ignore[arg-type]
