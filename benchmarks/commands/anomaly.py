"""Compare the anomaly detectors of gaussmix and PyOD on the 17 ODDS sets."""

import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median

import numpy as np

from benchmarks.adapters import DETECTORS
from benchmarks.adapters.detectors import TRAINING_MODES
from benchmarks.anomaly_sets import (
    CHOOSING_HALF,
    CONFIRMING_HALF,
    SET_NAMES,
    AnomalySet,
    load_anomaly_sets,
    parse_set_names,
    split_rows,
)
from benchmarks.commands import arguments as shared
from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.markdown import format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress
from benchmarks.workers.anomaly import TEST_FILE, TRAIN_FILE, scores_file

TITLE = "Anomaly detection"
EXPLANATION = """\
The protocol of PyOD's benchmark on 17 sets of the ODDS collection. For each seed 60 % of the rows are drawn for
training; their means and variances standardise all rows. Each detector is fitted with the defaults of its library,
without labels, and scores the other 40 %. Tables show means over the seeds. Contaminated training rows contain the
anomalies that were drawn; clean ones contain no known anomaly, and the test rows are the same. "pyod-gmm" is a single
Gaussian, as PyOD's default is. "pyod-knn" is the distance to the fifth neighbour. The rule of gaussmix was decided on
the choosing half of the sets and confirmed on the other half; since then both halves have been seen. PyOD's detectors
score their training rows during the fit, too, and its times include that. Seconds include the effect of other work on
the machine."""

# Title of the table and key of a run, for each measure of the scores.
_MEASURES = (("area under the ROC curve", "auc"), ("average precision", "average_precision"))
_GROUPS = {
    "mean of the choosing half": CHOOSING_HALF,
    "mean of the confirming half": CONFIRMING_HALF,
    "mean of all 17": SET_NAMES,
}
_MISSING = "-"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    default_folder = REPOSITORY_ROOT.parent / "shared" / "data" / "anomaly"
    parser.add_argument("--seeds", type=int, default=10, help="number of random splits, from seed 0")
    parser.add_argument("--sets", default=",".join(SET_NAMES), help="separated by commas; default: all 17")
    parser.add_argument(
        "--data", default=str(default_folder), help=f"folder of the .mat files; default: {default_folder}"
    )
    parser.add_argument("--clean", action="store_true", help="train on rows without the known anomalies")
    parser.add_argument("--timeout", type=float, default=1800.0, help="seconds for one fit and its scores")
    shared.add_peers(parser, ",".join(DETECTORS), DETECTORS)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one run per set, seed and detector, with its measures and seconds or the reason of its failure."""
    names = shared.parse_peer_names(arguments)
    sets = load_anomaly_sets(Path(arguments.data), parse_set_names(arguments.sets))
    runs: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        workers: dict[str, Worker] = {}
        for anomaly_set in sets:
            print_progress(f"{anomaly_set.name}, {len(anomaly_set.rows)} x {anomaly_set.rows.shape[1]}")
            workers = {name: _usable_worker(name, workers.get(name), Path(folder), arguments) for name in names}
            runs.extend(_run_set(anomaly_set, workers, Path(folder), arguments))
        for worker in workers.values():
            worker.close()
    return runs


def _training_mode(arguments: Namespace) -> str:
    """Return the training mode of the options."""
    return "clean" if arguments.clean else "contaminated"


def _usable_worker(name: str, worker: Worker | None, folder: Path, arguments: Namespace) -> Worker:
    """Return the worker, or a new one if it has failed: a timeout on one set does not exclude the next one."""
    if worker is not None and worker.failure_reason is None:
        return worker
    if worker is not None:
        worker.close()
    interpreter = interpreter_path(name, shared.parse_interpreters(arguments))
    command = [interpreter, "-m", "benchmarks.workers.anomaly", name, str(folder), _training_mode(arguments)]
    return Worker(command, timeout_seconds=arguments.timeout, pause_seconds=0.0)


def _run_set(anomaly_set: AnomalySet, workers: dict[str, Worker], folder: Path, arguments: Namespace) -> Iterator[dict]:
    """Yield the runs of one set; the detectors fit the same split in turn."""
    facts = {
        "set": anomaly_set.name,
        "shape": list(anomaly_set.rows.shape),
        "n_anomalies": int(anomaly_set.is_anomaly.sum()),
        "training": _training_mode(arguments),
    }
    for seed in range(arguments.seeds):
        split = split_rows(anomaly_set, seed, facts["training"])
        np.save(folder / TRAIN_FILE, split.train)
        np.save(folder / TEST_FILE, split.test)
        for name, worker in workers.items():
            seconds = worker.ask_for_answer(str(seed)) or {"failure": worker.failure_reason}
            measures = (
                {} if "failure" in seconds else measure_scores(split.is_anomaly, np.load(scores_file(folder, name)))
            )
            yield {**facts, "method": name, "seed": seed, **seconds, **measures}


def measure_scores(is_anomaly: np.ndarray, scores: np.ndarray) -> dict:
    """Return the measures of scores (n,), or a failure if the rows are all normal or all anomalies."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    if is_anomaly.all() or not is_anomaly.any():
        return {"failure": "the test rows are of one class"}
    measures = {"auc": roc_auc_score, "average_precision": average_precision_score}
    return {name: float(measure(is_anomaly, scores)) for name, measure in measures.items()}


def merge_results(results: list[list[dict]]) -> list[dict]:
    """Return the runs of several records; of equal training mode, set, method and seed, the last one counts."""
    keys = ("training", "set", "method", "seed")
    return list({tuple(run[key] for key in keys): run for runs in results for run in runs}.values())


def format_results(results: list[dict]) -> str:
    """Return the tables of both measures and of the seconds, for each training mode."""
    parts = []
    for training in TRAINING_MODES:
        runs = [run for run in results if run["training"] == training]
        if runs:
            parts += [
                _measure_table(runs, f"{training.capitalize()} training rows: {title}", key) for title, key in _MEASURES
            ]
            parts += [_seconds_table(runs, f"{training.capitalize()} training rows: seconds of fit + scores, median")]
            parts += _failure_lines(runs)
    return "\n\n".join(parts)


def _method_names(runs: list[dict]) -> list[str]:
    """Return the methods of the runs in the order of the table of detectors."""
    present = {run["method"] for run in runs}
    return [name for name in DETECTORS if name in present]


def _runs_by_set(runs: list[dict]) -> dict[str, list[dict]]:
    """Return the runs of each set, by name."""
    present = {run["set"] for run in runs}
    return {name: [run for run in runs if run["set"] == name] for name in SET_NAMES if name in present}


def _set_label(runs: list[dict]) -> str:
    """Return the name, the shape and the percentage of anomalies of the set of some runs."""
    (n, d), n_anomalies = runs[0]["shape"], runs[0]["n_anomalies"]
    return f"{runs[0]['set']} ({n} x {d}, {100 * n_anomalies / n:.1f} %)"


def _mean_over_seeds(runs: list[dict], method: str, key: str) -> float | None:
    """Return the mean of a measure over the seeds, or None if there is no run or one has failed."""
    values = [run.get(key) for run in runs if run["method"] == method]
    return mean(values) if values and None not in values else None


def _mean_over_sets(values: dict[str, float | None], names: tuple[str, ...]) -> float | None:
    """Return the mean over the named sets, or None if one is missing."""
    chosen = [values.get(name) for name in names]
    return None if None in chosen else mean(chosen)


def _measure_table(runs: list[dict], title: str, key: str) -> str:
    """Return the table of one measure: sets and means of halves in rows, methods in columns."""
    methods, by_set = _method_names(runs), _runs_by_set(runs)
    values = {
        method: {name: _mean_over_seeds(of_set, method, key) for name, of_set in by_set.items()} for method in methods
    }
    rows = [
        [_set_label(of_set), *(_format_measure(values[m][name]) for m in methods)] for name, of_set in by_set.items()
    ]
    for label, names in _GROUPS.items():
        rows.append([label, *(_format_measure(_mean_over_sets(values[method], names)) for method in methods)])
    return f"### {title}\n\n{format_table(['set', *methods], rows)}"


def _format_measure(value: float | None) -> str:
    """Format a measure with four digits."""
    return _MISSING if value is None else f"{value:.4f}"


def _seconds_table(runs: list[dict], title: str) -> str:
    """Return the table of the seconds of fit and scores, medians over the seeds."""
    methods, by_set = _method_names(runs), _runs_by_set(runs)
    rows = [
        [_set_label(of_set), *(_format_seconds(of_set, method) for method in methods)] for of_set in by_set.values()
    ]
    return f"### {title}\n\n{format_table(['set', *methods], rows)}"


def _format_seconds(runs: list[dict], method: str) -> str:
    """Return the median seconds of fit and of scores of a method on one set."""
    timed = [run for run in runs if run["method"] == method and "fit_seconds" in run]
    if not timed:
        return _MISSING
    return " + ".join(f"{median(run[key] for run in timed):.2g}" for key in ("fit_seconds", "score_seconds"))


def _failure_lines(runs: list[dict]) -> list[str]:
    """Return one sentence on the runs that failed, or nothing."""
    reasons: dict[str, list[str]] = {}
    for run in runs:
        if "failure" in run:
            reasons.setdefault(f"{run['method']}: {run['failure']}", []).append(run["set"])
    lines = [f"{reason} ({', '.join(dict.fromkeys(sets))})" for reason, sets in reasons.items()]
    return ["Failures: " + "; ".join(lines) + "."] if lines else []
