"""Time several worker processes in turn, round by round, so that all meet the same load of the machine."""

import json
import math
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

from benchmarks import data, scoring
from benchmarks.adapters import PEERS
from benchmarks.data import BenchmarkCase
from benchmarks.machine import REPOSITORY_ROOT

_TIMEOUT_SECONDS = 300.0
_PAUSE_SECONDS = 0.25  # pause between two measurements, since idle threads of the previous one may still spin


class Worker:
    """A process that answers each line of input with a line of JSON.

    It is killed if an answer takes longer than ``timeout_seconds``; ``pause_seconds`` precede each request.
    ``failure_reason`` says why the process failed,
    or is None. ``first_answer`` is the line that it writes at its start.
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str] | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self.failure_reason: str | None = None
        self.first_answer: dict = {}
        self.timeout_seconds, self.pause_seconds = timeout_seconds, pause_seconds
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        try:
            self.process = subprocess.Popen(command, cwd=REPOSITORY_ROOT, env=environment, text=True, **pipes)
        except OSError as error:
            self.failure_reason = f"not installed ({error.strerror}: {command[0]})"
            return
        self.first_answer = self._read_answer()

    def ask_for_answer(self, line: str = "go") -> dict:
        """Send a line and return the answer, or {} if the process has failed."""
        if self.failure_reason is not None:
            return {}
        time.sleep(self.pause_seconds)
        with suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        return self._read_answer()

    def _read_answer(self) -> dict:
        """Read one answer, or set ``failure_reason`` and return {}."""
        start = time.monotonic()
        timer = threading.Timer(self.timeout_seconds, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if line:
            answer = json.loads(line)
            self.failure_reason = answer.get("reason")
            return answer
        code = self.process.wait()
        is_timeout = time.monotonic() - start >= self.timeout_seconds
        self.failure_reason = (
            f"left out (no answer in {self.timeout_seconds:g} s)" if is_timeout else f"failed: exit code {code}"
        )
        return {}

    def close(self) -> None:
        """Close the input of the process and wait for its end."""
        if hasattr(self, "process"):
            with suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()


def print_progress(text: str) -> None:
    """Print progress to standard error."""
    print(text, file=sys.stderr, flush=True)


def interpreter_path(name: str, interpreters: dict[str, str]) -> str:
    """Return the Python or Rscript interpreter that has a peer installed."""
    return interpreters.get(name, "Rscript" if name == "mclust" else sys.executable)


def compare_peers(
    case: BenchmarkCase,
    names: list[str],
    interpreters: dict[str, str],
    n_rounds: int,
    n_iter: int,
    measure_between: Callable[[], object] | None = None,
) -> dict:
    """Time an EM iteration of each peer on one case in turn, and score the fitted parameters.

    Returns a record with ``case``, ``peers`` (name -> seconds per round and log-likelihood, or the reason of a
    failure) and ``between``, the results of ``measure_between``, which is called once per round.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows, means = data.make_mixture_rows(case)
        data.save_rows_and_means(folder, rows, means)
        workers = {
            name: _start_worker(name, case, folder, n_iter, interpreters)
            for name in names
            if case.structure in PEERS[name].supported_structures
        }
        seconds, between = _run_rounds(workers, n_rounds, measure_between)
        peers = {name: {"reason": "does not offer the structure"} for name in names}
        for name, worker in workers.items():
            worker.close()
            if worker.failure_reason is None:
                fitted = scoring.read_parameters(folder / f"{name}.bin", case.n_features, case.n_components)
                value = scoring.mean_log_likelihood(rows, *fitted)
                peers[name] = {"seconds": seconds[name], "log_likelihood": value}
            else:
                peers[name] = {"reason": worker.failure_reason}
    return {"case": vars(case), "peers": peers, "between": between}


def _start_worker(name: str, case: BenchmarkCase, folder: Path, n_iter: int, interpreters: dict[str, str]) -> Worker:
    """Start the process of one peer and wait for its first fit."""
    interpreter = interpreter_path(name, interpreters)
    arguments = [
        str(folder),
        case.structure,
        str(n_iter),
        str(case.n_rows),
        str(case.n_features),
        str(case.n_components),
    ]
    script = [str(REPOSITORY_ROOT / "benchmarks/adapters/mclust.R")]
    start = script if name == "mclust" else ["-m", "benchmarks.workers.iteration_times", name]
    worker = Worker([interpreter, *start, *arguments])
    print_progress(f"  {name}: {worker.failure_reason or 'ready'}")
    return worker


def _run_rounds(
    workers: dict[str, Worker], n_rounds: int, measure_between: Callable[[], object] | None
) -> tuple[dict[str, list[float]], list[object]]:
    """Ask every worker once per round; return the seconds of each and the results of ``measure_between``."""
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    between = []
    for _ in range(n_rounds):
        if measure_between is not None:
            between.append(measure_between())
        for name, worker in workers.items():
            seconds[name].append(worker.ask_for_answer().get("seconds", math.nan))
    return seconds, between


def median_min_max(values: list[float]) -> tuple[float, float, float]:
    """Return median, minimum and maximum."""
    return median(values), min(values), max(values)


def speedup(slow_seconds: list[float], fast_seconds: list[float]) -> tuple[float, float, float]:
    """Return median, minimum and maximum of the ratios of paired times."""
    return median_min_max([slow / fast for slow, fast in zip(slow_seconds, fast_seconds, strict=True)])


def ask_in_turn(
    commands: dict[str, list[str]], lines: list[str], timeout_seconds: float = _TIMEOUT_SECONDS
) -> dict[str, list[dict]]:
    """Send each line to all workers in turn and return their answers; exit if a worker fails."""
    workers = {name: Worker(command, timeout_seconds=timeout_seconds) for name, command in commands.items()}
    answers: dict[str, list[dict]] = {name: [] for name in workers}
    for line in lines:
        for name, worker in workers.items():
            answers[name].append(worker.ask_for_answer(line))
            if worker.failure_reason is not None:
                raise SystemExit(f"{name} {worker.failure_reason}")
    for worker in workers.values():
        worker.close()
    return answers
