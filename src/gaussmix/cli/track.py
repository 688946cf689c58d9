"""``gaussmix track``: labelled tracks of the objects in a recording of points, boxes or pictures."""

from pathlib import Path

from gaussmix.cli.options import DebugOption
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_stem
from gaussmix.cli.track_options import (
    AccelerationOption,
    BirthRateOption,
    ClutterOption,
    DetectionProbabilityOption,
    FilterOption,
    FrameRateOption,
    GivenNumbers,
    MaxScansOption,
    NoiseOption,
    OutputFolderOption,
    RecordingArgument,
    ScanLengthOption,
    SmoothOption,
    SpeedOption,
    SurvivalOption,
    TimeOption,
    TrackOptions,
    XOption,
    YOption,
    ZOption,
    choose_filter,
)

EXAMPLES = """\b
Examples:
  gaussmix track ships.csv
  gaussmix track radar.parquet --time t --x east --y north
  gaussmix track ships.csv --noise 10 --clutter 5 --output harbour
  gaussmix track det.txt --frame-rate 30
  gaussmix track street.avi
"""


def run_track(
    file: RecordingArgument,
    time: TimeOption = None,
    x: XOption = None,
    y: YOption = None,
    z: ZOption = None,
    scan_length: ScanLengthOption = None,
    filter_name: FilterOption = None,
    detection_probability: DetectionProbabilityOption = None,
    clutter: ClutterOption = None,
    noise: NoiseOption = None,
    acceleration: AccelerationOption = None,
    speed: SpeedOption = None,
    birth_rate: BirthRateOption = None,
    survival: SurvivalOption = None,
    frame_rate: FrameRateOption = None,
    smooth: SmoothOption = False,
    max_scans: MaxScansOption = None,
    output: OutputFolderOption = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Follow moving objects through a recording.

    FILE is a table, boxes or a video. A table has one row for each detection: its time and its
    coordinates. Detection probability, false detections, noise and motion are estimated from the
    recording and printed with intervals. Writes tracks.csv, tracks.parquet, detections.csv,
    tracks.gif and report.html. Boxes are MOTChallenge text, which gives tracks.txt. In a video
    moving objects are found before a background that is learned; it gives annotated.mp4, too.
    """
    from gaussmix.cli.recording_kinds import find_recording_kind

    kind = find_recording_kind(file, is_table=table_format != DEFAULT_FORMAT)
    given = GivenNumbers(detection_probability, clutter, noise, acceleration, speed, birth_rate, survival)
    folder = output or Path(f"{input_stem(file)}-tracks")
    name = choose_filter(filter_name, kind)
    options = TrackOptions(
        file, kind, time, (x, y, z), scan_length, name, given, frame_rate, smooth, max_scans, folder, table_format
    )
    _track_recording(options)


def _track_recording(options: TrackOptions) -> None:
    """Track a recording of any kind."""
    from gaussmix.cli.track_boxes import track_boxes
    from gaussmix.cli.track_points import track_points
    from gaussmix.cli.track_video import track_video

    {"points": track_points, "boxes": track_boxes, "video": track_video}[options.kind](options)
