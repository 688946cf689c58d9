"""The options of ``gaussmix track``."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli.options import make_integer_parser, make_rate_parser, parse_non_negative_number, parse_output_path
from gaussmix.cli.table_format import TableFormat

if TYPE_CHECKING:
    from gaussmix.cli.recording_kinds import RecordingKind

FILTER_NAMES = {  # of points: classes of gaussmix.tracking; the first one is the default
    "pmb": "PMB",
    "pmbm": "PMBM",
    "lmb": "LMB",
    "phd": "GMPHD",
    "cphd": "GMCPHD",
}
BOX_METHOD_NAMES = ("assignment", "pmb")  # of boxes and video; the first one is the default


def parse_positive_number(text: str) -> float:
    """Return a finite number above 0; raise typer.BadParameter for other text."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise typer.BadParameter(f"{text!r} is not a number above 0; give one, such as 0.5")
    return number


RecordingArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        readable=False,  # the reader raises an error with exit code 1
        help="A table of points (.csv, .xlsx, .parquet), MOTChallenge text, a video, or a folder of pictures.",
        show_default=False,
    ),
]
TimeOption = Annotated[
    str | None,
    typer.Option("--time", metavar="COLUMN", help="Column of times, dates or frame numbers. Default: found by name."),
]
XOption = Annotated[
    str | None, typer.Option("--x", metavar="COLUMN", help="Column of the first coordinate. Default: found by name.")
]
YOption = Annotated[str | None, typer.Option("--y", metavar="COLUMN", help="Column of the second coordinate.")]
ZOption = Annotated[str | None, typer.Option("--z", metavar="COLUMN", help="Column of the third coordinate.")]
ScanLengthOption = Annotated[
    float | None,
    typer.Option(
        "--scan-length",
        metavar="T",
        parser=parse_positive_number,
        help="Rows within this time are one scan (seconds, for dates). Default: rows of equal time.",
    ),
]
FilterOption = Annotated[
    str | None,
    typer.Option(
        "--filter",
        metavar="NAME",
        help=f"Filter of points: {', '.join(FILTER_NAMES)}; of boxes and video: {', '.join(BOX_METHOD_NAMES)}.",
    ),
]
FrameRateOption = Annotated[
    float | None,
    typer.Option(
        "--frame-rate",
        metavar="N",
        parser=parse_positive_number,
        help="Frames per second of boxes and video. Default: 25 for boxes, and that of the video.",
    ),
]
DetectionProbabilityOption = Annotated[
    float | None,
    typer.Option(
        "--detection-probability",
        metavar="P",
        parser=make_rate_parser(1.0, is_maximum_allowed=True),
        help="Probability that an object is detected in a scan. Default: estimated.",
    ),
]
ClutterOption = Annotated[
    float | None,
    typer.Option(
        "--clutter",
        metavar="N",
        parser=parse_non_negative_number,
        help="False detections per scan. Default: estimated.",
    ),
]
NoiseOption = Annotated[
    float | None,
    typer.Option(
        "--noise",
        metavar="SD",
        parser=parse_positive_number,
        help="Standard deviation of the errors of detections, in units of the coordinates. Default: estimated.",
    ),
]
AccelerationOption = Annotated[
    float | None,
    typer.Option(
        "--acceleration",
        metavar="SD",
        parser=parse_positive_number,
        help="Standard deviation of the acceleration of objects. Default: estimated.",
    ),
]
SpeedOption = Annotated[
    float | None,
    typer.Option(
        "--speed",
        metavar="SD",
        parser=parse_positive_number,
        help="Typical speed of new objects along each axis. Default: estimated.",
    ),
]
BirthRateOption = Annotated[
    float | None,
    typer.Option(
        "--birth-rate",
        metavar="N",
        parser=parse_non_negative_number,
        help="New objects per unit of time (second, for dates). Default: estimated.",
    ),
]
SurvivalOption = Annotated[
    float | None,
    typer.Option(
        "--survival",
        metavar="P",
        parser=make_rate_parser(1.0, is_maximum_allowed=True),
        help="Probability that an object stays for a unit of time. Default: estimated.",
    ),
]
SmoothOption = Annotated[
    bool,
    typer.Option(
        "--smooth",
        help="Smooth the tracks afterwards: no gaps, from the first detection on, all scans used.",
    ),
]
MaxScansOption = Annotated[
    int | None,
    typer.Option("--max-scans", metavar="N", parser=make_integer_parser(1), help="Use the first N scans only."),
]
OutputFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_output_path,
        help="Folder to write to. Default: FILE's name with -tracks, in this folder.",
    ),
]


@dataclass(frozen=True)
class GivenNumbers:
    """Numbers of the model that the user sets by hand; None for those to estimate."""

    detection_probability: float | None = field(default=None, metadata={"option": "--detection-probability"})
    clutter: float | None = field(default=None, metadata={"option": "--clutter"})
    noise: float | None = field(default=None, metadata={"option": "--noise"})
    acceleration: float | None = field(default=None, metadata={"option": "--acceleration"})
    speed: float | None = field(default=None, metadata={"option": "--speed"})
    birth_rate: float | None = field(default=None, metadata={"option": "--birth-rate"})
    survival: float | None = field(default=None, metadata={"option": "--survival"})

    @property
    def are_complete(self) -> bool:
        """Whether every number is given."""
        return all(getattr(self, each.name) is not None for each in fields(self))

    @classmethod
    def option_names(cls) -> list[str]:
        """Return the names of the options."""
        return [each.metadata["option"] for each in fields(cls)]


@dataclass(frozen=True)
class TrackOptions:
    """The parsed options.

    ``kind`` is that of the recording, ``filter_name`` a filter for it, and ``frame_rate`` is None if it is not given.
    """

    file: Path
    kind: "RecordingKind"
    time: str | None
    axes: tuple[str | None, str | None, str | None]
    scan_length: float | None
    filter_name: str
    given: GivenNumbers
    frame_rate: float | None
    is_smoothed: bool
    max_scans: int | None
    folder: Path
    table_format: TableFormat

    def __post_init__(self) -> None:
        other = self._list_points_only() if self.kind != "points" else self._list_boxes_only()
        if other:
            raise typer.BadParameter(f"{other[0]} does not apply to {self.file.name}, which holds {self.kind}")

    def _list_points_only(self) -> list[str]:
        """Return the options that are given and apply to points alone."""
        named = [
            ("--time", self.time),
            ("--scan-length", self.scan_length),
            *zip(("--x", "--y", "--z"), self.axes, strict=True),
        ]
        named += [(each.metadata["option"], getattr(self.given, each.name)) for each in fields(self.given)]
        return [option for option, value in named if value is not None]

    def _list_boxes_only(self) -> list[str]:
        """Return the options that are given and apply to boxes and video alone."""
        return ["--frame-rate"] if self.frame_rate is not None else []


def choose_filter(name: str | None, kind: "RecordingKind") -> str:
    """Return the filter of a name, or the default one of a kind of recording.

    Raises
    ------
    typer.BadParameter
        If there is no such filter for the kind.
    """
    allowed = list(FILTER_NAMES) if kind == "points" else list(BOX_METHOD_NAMES)
    if name is None:
        return allowed[0]
    if name.lower() not in allowed:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(allowed)}, the filters of {kind}")
    return name.lower()
