"""Taking turns: measured processes that stay alive, and are asked one after the other, round after round."""

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

from benchmarks import data, score
from benchmarks.adapters import PEERS
from benchmarks.data import Case
from benchmarks.machine import ROOT

_PATIENCE = 300.0  # seconds
_REST = 0.25  # seconds between two turns: threads of the last one may spin for a moment after their work


class Worker:
    """A process that answers a line with a line; ``reason`` says why there is none, once there is none.

    One that has not answered after ``patience`` seconds is ended.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str] | None = None, patience: float = _PATIENCE
    ) -> None:
        self.reason: str | None = None
        self.greeting: dict = {}
        self.patience = patience
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        try:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)
        except OSError as error:
            self.reason = f"not installed ({error.strerror}: {command[0]})"
            return
        self.greeting = self._listen()

    def ask(self, question: str = "go") -> dict:
        """The answer to a line; empty where the process has ended."""
        if self.reason is not None:
            return {}
        time.sleep(_REST)
        with suppress(BrokenPipeError):
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
        return self._listen()

    def _listen(self) -> dict:
        began = time.monotonic()
        timer = threading.Timer(self.patience, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if line:
            answer = json.loads(line)
            self.reason = answer.get("reason")
            return answer
        code = self.process.wait()
        was_ended = time.monotonic() - began >= self.patience
        self.reason = f"left out (no answer in {self.patience:g} s)" if was_ended else f"failed: it ended with {code}"
        return {}

    def close(self) -> None:
        """End it, politely."""
        if hasattr(self, "process"):
            with suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()


def say(text: str) -> None:
    """Progress, where it does not disturb the table."""
    print(text, file=sys.stderr, flush=True)


def python_of(name: str, pythons: dict[str, str]) -> str:
    """The Python (or Rscript) that holds a peer."""
    return pythons.get(name, "Rscript" if name == "mclust" else sys.executable)


def _passes_worker(name: str, case: Case, folder: Path, passes: int, pythons: dict[str, str]) -> Worker:
    program = python_of(name, pythons)
    arguments = [str(folder), case.structure, str(passes), str(case.n), str(case.d), str(case.K)]
    if name == "mclust":
        return Worker([program, str(ROOT / "benchmarks/adapters/mclust.R"), *arguments])
    return Worker([program, "-m", "benchmarks.workers.passes", name, *arguments])


def compare(
    case: Case,
    names: list[str],
    pythons: dict[str, str],
    runs: int,
    passes: int,
    between: Callable[[], object] | None = None,
) -> dict:
    """Seconds a pass of each peer on one case, in turn: name -> seconds and log-likelihood, or the reason for none.

    ``between`` is called once in every round; what it returns stands in ``between``.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows, means = data.mixture_rows(case)
        data.save(folder, rows, means)
        workers = {
            name: _passes_worker(name, case, folder, passes, pythons)
            for name in names
            if case.structure in PEERS[name].structures
        }
        seconds, extra = _rounds(workers, runs, between)
        peers = {name: {"reason": "does not offer the structure"} for name in names}
        for name, worker in workers.items():
            worker.close()
            if worker.reason is None:
                fitted = score.read(folder / f"{name}.bin", case.d, case.K)
                value = score.mean_log_likelihood(rows, *fitted)
                peers[name] = {"seconds": seconds[name], "log_likelihood": value}
            else:
                peers[name] = {"reason": worker.reason}
    return {"case": vars(case), "peers": peers, "between": extra}


def _passes_worker(name: str, case: Case, folder: Path, passes: int, pythons: dict[str, str]) -> Worker:
    """The process of one peer, warm: it has fitted once when this returns."""
    program = python_of(name, pythons)
    arguments = [str(folder), case.structure, str(passes), str(case.n), str(case.d), str(case.K)]
    script = [str(ROOT / "benchmarks/adapters/mclust.R")]
    start = script if name == "mclust" else ["-m", "benchmarks.workers.passes", name]
    worker = Worker([program, *start, *arguments])
    say(f"  {name}: {worker.reason or 'ready'}")
    return worker


def _rounds(
    workers: dict[str, Worker], runs: int, between: Callable[[], object] | None
) -> tuple[dict[str, list[float]], list[object]]:
    """Every worker once, then all of them again: the figures of each, and what was measured between."""
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    extra = []
    for _ in range(runs):
        if between is not None:
            extra.append(between())
        for name, worker in workers.items():
            seconds[name].append(worker.ask().get("seconds", math.nan))
    return seconds, extra


def spread(values: list[float]) -> tuple[float, float, float]:
    """Median, smallest and largest."""
    return median(values), min(values), max(values)


def times(slow: list[float], fast: list[float]) -> tuple[float, float, float]:
    """How many times faster, round by round: median, smallest and largest."""
    return spread([one / other for one, other in zip(slow, fast, strict=True)])


def in_turn(commands: dict[str, list[str]], questions: list[str], patience: float = _PATIENCE) -> dict[str, list[dict]]:
    """The answers of every worker to each question, one worker after the other; where one ends, so does all."""
    workers = {name: Worker(command, patience=patience) for name, command in commands.items()}
    answers: dict[str, list[dict]] = {name: [] for name in workers}
    for question in questions:
        for name, worker in workers.items():
            answers[name].append(worker.ask(question))
            if worker.reason is not None:
                raise SystemExit(f"{name} {worker.reason}")
    for worker in workers.values():
        worker.close()
    return answers
