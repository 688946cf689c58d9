"""The series of the Numenta Anomaly Benchmark and its standard score.

Lavin & Ahmad, "Evaluating real-time anomaly detection algorithms - the Numenta Anomaly Benchmark", ICMLA 2015;
https://github.com/numenta/NAB. Scores from a threshold on are alarms. The first alarm in a window of labels earns 1 at
its start, falling to 0 at its end; a window without alarm costs 1. An alarm outside costs up to 0.11, less soon after
a window. The first 15 % of the rows, at most 750, are not scored. 100 is perfect, and 0 is no alarm at all.
"""

import csv
import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_FALSE_ALARM_WEIGHT = 0.11
_PROBATION_FRACTION, _MAX_PROBATION = 0.15, 750


@dataclass(frozen=True)
class LabelledSeries:
    """Values (n,) of a series, and the first and last row of each window of labels."""

    name: str
    values: np.ndarray
    windows: tuple[tuple[int, int], ...]

    @property
    def folder(self) -> str:
        """Folder of the file, which is the kind of the series."""
        return self.name.partition("/")[0]

    @property
    def n_probation(self) -> int:
        """Number of first rows that are not scored."""
        return min(math.floor(_PROBATION_FRACTION * len(self.values)), _MAX_PROBATION)

    @property
    def n_counted_windows(self) -> int:
        """Number of windows that do not end before the first row that is scored."""
        return sum(last >= self.n_probation for _, last in self.windows)


def load_series(folder: Path) -> list[LabelledSeries]:
    """Return all series that ``windows.json`` of the folder names, by name; exit if a file is missing."""
    if not (folder / "windows.json").is_file():
        raise SystemExit(
            f"--data: {folder} has no windows.json; download https://github.com/numenta/NAB, put the labels "
            "combined_windows.json there by this name and compress the series: FOLDER/SERIES.csv.gz"
        )
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    missing = [name for name in sorted(windows) if not (folder / f"{name}.gz").is_file()]
    if missing:
        raise SystemExit(f"--data: {folder} has no {missing[0]}.gz, which windows.json names ({len(missing)} missing)")
    return [_load_one_series(folder, name, windows[name]) for name in sorted(windows)]


def _load_one_series(folder: Path, name: str, windows: list[list[str]]) -> LabelledSeries:
    """Read one compressed table with the columns timestamp and value."""
    with gzip.open(folder / f"{name}.gz", "rt", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    place = {row["timestamp"][:19]: index for index, row in enumerate(rows)}
    spans = tuple((place[first[:19]], place[last[:19]]) for first, last in windows)
    return LabelledSeries(name, np.array([float(row["value"]) for row in rows]), spans)


def score_alarms(series: LabelledSeries, is_alarm: np.ndarray) -> float:
    """Return the sum of rewards and costs of alarms (n,) of one series."""
    rewards = [-1.0] * len(series.windows)
    cost = 0.0
    for row in np.flatnonzero(is_alarm):
        if row < series.n_probation:
            continue
        inside = [index for index, (first, last) in enumerate(series.windows) if first <= row <= last]
        for index in inside:
            first, last = series.windows[index]
            position = (last - row + 1) / (last - first + 1)
            rewards[index] = max(rewards[index], _sigmoid(-position) / _sigmoid(-1.0))
        if not inside:
            cost += _FALSE_ALARM_WEIGHT * _false_alarm_score(series, int(row))
    counted = [reward for reward, (_, last) in zip(rewards, series.windows, strict=True) if last >= series.n_probation]
    return sum(counted) + cost


def _false_alarm_score(series: LabelledSeries, row: int) -> float:
    """Return the cost of an alarm outside all windows, from 0 right after a window to -1."""
    before = [window for window in series.windows if window[1] < row]
    if not before:
        return -1.0
    first, last = before[-1]
    return _sigmoid((row - last) / (last - first))


def _sigmoid(position: float) -> float:
    """Return the score of a position relative to the end of a window, in lengths of the window: from 1 to -1."""
    return -1.0 if position > 3 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def compute_standard_score(all_series: list[LabelledSeries], scores: list[np.ndarray], threshold: float) -> float:
    """Return the standard score for one threshold on all series; NaN if they have no windows."""
    total = sum(score_alarms(series, score >= threshold) for series, score in zip(all_series, scores, strict=True))
    n_windows = sum(series.n_counted_windows for series in all_series)
    return 100.0 * (total + n_windows) / (2 * n_windows) if n_windows else math.nan
