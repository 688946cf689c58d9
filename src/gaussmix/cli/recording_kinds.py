"""Which kind of recording a path is: a table of points, boxes in MOTChallenge text, or a video."""

import gzip
import re
from pathlib import Path
from typing import Literal

RecordingKind = Literal["points", "boxes", "video"]

_VIDEO_SUFFIXES = {".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".ts"}
_TEXT_SUFFIXES = {".txt", ".csv", ".gz", ".tsv", ""}
_N_BOX_COLUMNS = range(7, 11)
_MAX_LINES, _MAX_CHARACTERS = 50, 10_000


def find_recording_kind(path: Path, is_table: bool = False) -> RecordingKind:
    """Return the kind of a recording, by its name and, for text, by its first line.

    Folders hold the pictures of a video. Text whose first line is seven to ten numbers is MOTChallenge text. All else
    is a table, and so is any file if ``is_table``.
    """
    if is_table:
        return "points"
    if path.is_dir() or path.suffix.lower() in _VIDEO_SUFFIXES:
        return "video"
    if path.suffix.lower() in _TEXT_SUFFIXES and path.is_file() and _begins_with_box(path):
        return "boxes"
    return "points"


def _begins_with_box(path: Path) -> bool:
    """Return whether the first line that is not blank and no comment is seven to ten numbers."""
    try:
        with gzip.open(path, "rt") if path.suffix.lower() == ".gz" else path.open(encoding="utf-8") as file:
            for _ in range(_MAX_LINES):
                line = file.readline(_MAX_CHARACTERS).partition("#")[0].strip()
                if line:
                    return _is_box(line)
    except (OSError, EOFError, UnicodeDecodeError):  # the reader of the kind says what is wrong
        return path.suffix.lower() == ".gz"
    return False


def _is_box(line: str) -> bool:
    """Return whether a line is seven to ten numbers."""
    fields = re.split(r"[,\s]+", line.strip(", \t"))
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        return False
    return len(numbers) in _N_BOX_COLUMNS
