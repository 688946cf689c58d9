"""Score the streaming detector on the Numenta Anomaly Benchmark, and time it."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress
from benchmarks.stream_scoring import LabelledSeries, compute_standard_score, load_series, score_alarms

TITLE = "Anomalies of a stream"
EXPLANATION = """\
`StreamingAnomalyDetector()` sees the values of each series of the Numenta Anomaly Benchmark in order, without their
times: it scores a row, then learns it. One threshold serves all series: 1 - fpr of the defaults, or the best single
one, as the benchmark chooses it. 100 is perfect, 0 is no alarm at all. Ideas and defaults were chosen on every second
series by name, from the first on; the others confirm them. Rows per second are those of
one process, one row a call, by the time of the processor."""

# P-values of the thresholds among which the best one is searched.
_THRESHOLD_P_VALUES = np.geomspace(0.001, 0.3, 200)
_HALVES = {"choosing half": slice(0, None, 2), "confirming half": slice(1, None, 2), "all": slice(None)}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    default_folder = REPOSITORY_ROOT.parent / "shared" / "data" / "nab"
    parser.add_argument(
        "--data", default=str(default_folder), help=f"folder of windows.json; default: {default_folder}"
    )


def run_benchmark(arguments: Namespace) -> dict:
    """Return the scores of folders and halves at the default threshold and the best one, and rows per second."""
    from gaussmix.anomaly import StreamingAnomalyDetector

    all_series = load_series(Path(arguments.data))
    scores, seconds = [], 0.0
    for series in all_series:
        print_progress(series.name)
        detector = StreamingAnomalyDetector()
        start = time.process_time()
        scores.append(np.array([detector.score_one(value) for value in series.values]))
        seconds += time.process_time() - start
    default = 1.0 - StreamingAnomalyDetector().fpr
    thresholds = [default, *(1.0 - _THRESHOLD_P_VALUES)]
    best = max(thresholds, key=lambda threshold: compute_standard_score(all_series, scores, threshold))
    return {
        "rows_per_second": sum(map(len, scores)) / seconds,
        "thresholds": {"default": default, "best": float(best), "chosen": _choose_threshold(all_series, scores)},
        "groups": [
            _describe_group(label, all_series[part], scores[part], default, float(best))
            for label, part in _HALVES.items()
        ],
        "folders": [
            _describe_group(folder, *_select_folder(all_series, scores, folder), default, float(best))
            for folder in sorted({series.folder for series in all_series})
        ],
    }


def _choose_threshold(all_series: list[LabelledSeries], scores: list[np.ndarray]) -> dict:
    """Return the best threshold of the choosing half, and the score of the confirming half and of all there."""
    choosing, confirming = (_HALVES[name] for name in ("choosing half", "confirming half"))
    threshold = max(
        1.0 - _THRESHOLD_P_VALUES, key=lambda each: compute_standard_score(all_series[choosing], scores[choosing], each)
    )
    return {
        "threshold": float(threshold),
        **{label: compute_standard_score(all_series[part], scores[part], threshold) for label, part in _HALVES.items()},
        "best of confirming half": max(
            compute_standard_score(all_series[confirming], scores[confirming], each)
            for each in 1.0 - _THRESHOLD_P_VALUES
        ),
    }


def _select_folder(
    all_series: list[LabelledSeries], scores: list[np.ndarray], folder: str
) -> tuple[list[LabelledSeries], list[np.ndarray]]:
    """Return the series of one folder and their scores."""
    chosen = [index for index, series in enumerate(all_series) if series.folder == folder]
    return [all_series[index] for index in chosen], [scores[index] for index in chosen]


def _describe_group(
    label: str, all_series: list[LabelledSeries], scores: list[np.ndarray], default: float, best: float
) -> dict:
    """Return sizes, standard scores and alarms of some series at two thresholds."""
    return {
        "label": label,
        "n_series": len(all_series),
        "n_windows": sum(series.n_counted_windows for series in all_series),
        "n_alarms": int(
            sum((score[s.n_probation :] >= default).sum() for s, score in zip(all_series, scores, strict=True))
        ),
        "points": sum(score_alarms(s, score >= default) for s, score in zip(all_series, scores, strict=True)),
        "default": compute_standard_score(all_series, scores, default),
        "best": compute_standard_score(all_series, scores, best),
    }


def format_results(results: dict) -> str:
    """Return a table with one row per folder and per half, and sentences on thresholds and speed."""
    thresholds = results["thresholds"]
    header = ["series", "files", "windows", "alarms", "points", "score, default threshold", "score, best threshold"]
    rows = [
        [
            group["label"],
            *(str(group[name]) for name in ("n_series", "n_windows", "n_alarms")),
            f"{group['points']:.2f}",
            *("-" if group["n_windows"] == 0 else f"{group[name]:.1f}" for name in ("default", "best")),
        ]
        for group in (*results["folders"], *results["groups"])
    ]
    chosen = thresholds["chosen"]
    return "\n".join(
        [
            format_table(header, rows),
            "",
            f"The default threshold is a score of {thresholds['default']:.4f}, the best one {thresholds['best']:.4f}. "
            f"At the best threshold of the choosing half, {chosen['threshold']:.4f}, the choosing half scores "
            f"{chosen['choosing half']:.1f}, the confirming half {chosen['confirming half']:.1f} (at its own best one "
            f"{chosen['best of confirming half']:.1f}) and all series {chosen['all']:.1f}.",
            f"The detector scores and learns {results['rows_per_second']:.0f} rows per second of processor time.",
        ]
    )
