"""``gaussmix track``: labelled tracks of the objects in a recording of detections."""

from pathlib import Path

from gaussmix.cli.options import DebugOption
from gaussmix.cli.track_options import (
    AccelerationOption,
    BirthRateOption,
    ClutterOption,
    DetectionProbabilityOption,
    FilterOption,
    GivenNumbers,
    MaxScansOption,
    NoiseOption,
    OutputFolderOption,
    RecordingArgument,
    SmoothOption,
    SpeedOption,
    SurvivalOption,
    TimeOption,
    TrackOptions,
    XOption,
    YOption,
    ZOption,
)

EXAMPLES = """\b
Examples:
  gaussmix track ships.csv
  gaussmix track radar.parquet --time t --x east --y north
  gaussmix track ships.csv --noise 10 --clutter 5 --output harbour
"""


def run_track(
    file: RecordingArgument,
    time: TimeOption = None,
    x: XOption = None,
    y: YOption = None,
    z: ZOption = None,
    filter_name: FilterOption = "pmb",
    detection_probability: DetectionProbabilityOption = None,
    clutter: ClutterOption = None,
    noise: NoiseOption = None,
    acceleration: AccelerationOption = None,
    speed: SpeedOption = None,
    birth_rate: BirthRateOption = None,
    survival: SurvivalOption = None,
    smooth: SmoothOption = False,
    max_scans: MaxScansOption = None,
    output: OutputFolderOption = None,
    debug: DebugOption = False,
) -> None:
    """Follow objects through a recording.

    FILE is a table with one row for each detection: its time and its coordinates. Rows of equal
    time are one scan. Detection probability, false detections, noise and motion are estimated from
    the recording and printed with intervals. Writes tracks.csv, tracks.parquet, detections.csv,
    tracks.gif and report.html. Data rows count from 1.
    """
    from gaussmix.cli.track_points import track_points

    given = GivenNumbers(detection_probability, clutter, noise, acceleration, speed, birth_rate, survival)
    folder = output or Path(f"{file.stem}-tracks")
    track_points(TrackOptions(file, time, (x, y, z), filter_name, given, smooth, max_scans, folder))
