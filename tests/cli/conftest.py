"""Fixtures of the command-line tests: a runner, files, a small model and a stand-in for the report."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from gaussmix import Mixture
from gaussmix.cli.app import app

Run = Callable[..., Result]
Write = Callable[..., Path]

SMALL = ("--components", "1:2", "--structures", "full", "--n-starts", "2")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in a folder of its own, on a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def run() -> Run:
    """Run the program in this process: ``run("fit", path)``."""

    def run(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file: text or bytes as they are, a mapping of columns as Parquet or CSV."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_bytes(content.encode())
        elif path.suffix == ".parquet":
            pq.write_table(pa.table(content), path)
        else:
            lines = [",".join(content), *(",".join(map(str, row)) for row in zip(*content.values(), strict=True))]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def two_groups() -> dict[str, list[float]]:
    """Columns x and y of 60 rows in two groups well apart: 40 near (0, 10), 20 near (8, 30)."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(0, 1, 40), rng.normal(8, 1, 20)])
    y = np.concatenate([rng.normal(10, 2, 40), rng.normal(30, 2, 20)])
    return {"x": x.tolist(), "y": y.tolist()}


@pytest.fixture
def mixture() -> Mixture:
    return Mixture.from_parameters(
        [0.75, 0.25], [[0.0, 10.0], [8.0, 30.0]], [[[1.0, 0.5], [0.5, 4.0]]] * 2, "VVV", ["x", "y"]
    )


@pytest.fixture
def model(mixture: Mixture, tmp_path: Path) -> Path:
    """A saved model of columns x and y."""
    mixture.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the room that writes pages, and keep what it was asked for."""
    asked: list[dict[str, Any]] = []

    def write_report(path: Path, mixture: Mixture, X: Any, **rest: Any) -> None:
        asked.append({"path": path, "mixture": mixture, "X": X, **rest})
        Path(path).write_text("<html></html>", encoding="utf-8")

    import gaussmix.cli.summaries
    import gaussmix.report.tables  # noqa: F401 - before a stand-in takes its floor's place

    room, page = ModuleType("gaussmix.report"), ModuleType("gaussmix.report.html_page")
    page.write_report = write_report  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gaussmix.report", room)
    monkeypatch.setitem(sys.modules, "gaussmix.report.html_page", page)
    return asked


def read_error(result: Result, code: int = 1) -> str:
    """The error of a failed run, after checking that there is one, on stderr, and nothing else."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    errors = [line for line in result.stderr.splitlines() if not line.startswith("Note: ")]
    assert len(errors) == 1, result.stderr
    assert errors[0].startswith("Error: ")
    assert "Traceback" not in result.stderr
    assert "unexpected" not in errors[0]
    return errors[0]
