"""The process that writes a report: the same page, whatever happens to the process, and none is left behind."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gaussmix import select
from gaussmix.cli import report_process
from gaussmix.cli.report_process import start_report_process
from gaussmix.errors import FileError
from gaussmix.report.html_page import render_html, write_report

from .conftest import Run, Write

WRITE_PROCESS_NUMBER = "import os, pathlib; pathlib.Path('number').write_text(str(os.getpid()))"
DIES = "raise SystemExit(3)"
Started = list[subprocess.Popen[bytes]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Let the module see two processors and an interpreter without matplotlib; the processes that it has started."""
    processes: Started = []

    class RecordedProcess(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(report_process.subprocess, "Popen", RecordedProcess)
    monkeypatch.setattr(report_process, "sys", SimpleNamespace(executable=sys.executable, modules={}))
    monkeypatch.setattr(report_process, "default_n_threads", lambda: 2)
    return processes


def test_another_process_writes_the_page_that_this_one_would_write(
    started: Started, two_groups: dict[str, list[float]], tmp_path: Path
) -> None:
    rows = np.column_stack(list(two_groups.values()))
    selection = select(rows, n_components=[1, 2], structures=["full"], n_starts=1)
    options = {"fit": selection.best.fit, "selection": selection, "source_name": "rows.csv"}
    with start_report_process() as process:
        process.write_report(write_report, tmp_path / "page.html", selection.best.mixture, rows, **options)
    assert started[0].returncode == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page == render_html(selection.best.mixture, rows, **options)


@pytest.mark.parametrize(("program", "is_here"), [(None, False), (DIES, True), (f"input(); {DIES}", True)])
def test_this_process_writes_what_the_other_does_not(
    started: Started, monkeypatch: pytest.MonkeyPatch, program: str | None, is_here: bool
) -> None:
    if program is not None:
        monkeypatch.setattr(report_process, "_PROGRAM", program)
    with start_report_process() as process:
        process.write_report(exec, WRITE_PROCESS_NUMBER, {"unused": np.zeros(1_000_000)})
    assert (int(Path("number").read_text()) == started[0].pid) == (not is_here)


def test_a_function_that_no_other_process_can_load_runs_here(started: Started) -> None:
    calls: list[tuple[Any, ...]] = []
    with start_report_process() as process:
        process.write_report(lambda *arguments: calls.append(arguments), 1, 2)
    assert calls == [(1, 2)]


def test_errors_are_raised_as_without_another_process(started: Started, mixture: Any, tmp_path: Path) -> None:
    with start_report_process() as process, pytest.raises(FileError, match="cannot write"):
        process.write_report(write_report, tmp_path / "no folder" / "page.html", mixture, [[0.0, 10.0]])


def test_no_process_outlives_the_block(started: Started) -> None:
    with pytest.raises(ZeroDivisionError), start_report_process():
        raise ZeroDivisionError
    assert len(started) == 1
    assert started[0].returncode is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("default_n_threads", lambda: 1),
        ("sys", SimpleNamespace(executable=sys.executable, modules={"matplotlib": None})),
        ("sys", SimpleNamespace(executable="", modules={})),
        ("sys", SimpleNamespace(executable=sys.executable, modules={}, frozen=True)),
        ("sys", SimpleNamespace(executable="/no/such/python", modules={})),
    ],
)
def test_no_process_starts_where_it_gains_nothing_or_cannot(
    started: Started, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    monkeypatch.setattr(report_process, name, value)
    with start_report_process() as process:
        process.write_report(exec, WRITE_PROCESS_NUMBER)
    assert not started
    assert Path("number").exists()


def test_fit_hands_its_report_to_the_process(
    started: Started, run: Run, write: Write, two_groups: dict[str, list[float]]
) -> None:
    result = run("fit", write("rows.csv", two_groups), "--components", "2", "--structures", "full", "--n-starts", "1")
    assert result.exit_code == 0, result.output
    assert [process.returncode for process in started] == [0]
    assert "data:image/svg+xml" in Path("rows-gaussmix/report.html").read_text(encoding="utf-8")
