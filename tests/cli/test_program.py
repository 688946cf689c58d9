"""The program in a process: exit codes, streams, tracebacks, signals and imports."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gaussmix
from gaussmix import MissingPackageError
from tests.cli.conftest import Run, Write

PROGRAM = (sys.executable, "-W", "error", "-m", "gaussmix")
FAITHFUL = Path(__file__).resolve().parents[2] / "examples" / "faithful.csv"
COMMANDS = ("fit", "anomalies", "track", "predict", "report", "sample", "info")
HEAVY = {"numpy", "scipy", "sklearn", "pyarrow", "matplotlib", "jinja2", "pandas", "safetensors"}


def _execute_in_new_process(*words: object, code: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the program, or some lines of Python, in a fresh process."""
    command = [sys.executable, "-c", code] if code else [*PROGRAM, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_success_is_0_with_the_answer_on_stdout(model: Path) -> None:
    done = _execute_in_new_process("info", model)
    assert (done.returncode, done.stderr) == (0, "")
    assert "VVV (full)" in done.stdout


def test_failure_is_1_with_one_sentence_on_stderr() -> None:
    done = _execute_in_new_process("fit", "nothing.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: there is no file nothing.csv; check its name and folder\n"


@pytest.mark.parametrize("words", [("fit",), ("fly",), ("--fast",), ("fit", "a.csv", "--components", "x")])
def test_wrong_usage_is_2(words: tuple[str, ...]) -> None:
    done = _execute_in_new_process(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: gaussmix" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("--debug", "fit", "nothing.csv"), ("fit", "nothing.csv", "--debug")])
def test_debug_shows_the_traceback(words: tuple[str, ...]) -> None:
    done = _execute_in_new_process(*words)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert done.stderr.rstrip().endswith("there is no file nothing.csv; check its name and folder")


def test_an_unexpected_error_is_one_sentence(run: Run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("gaussmix.cli.summaries.format_component_table", fail)
    result = run("info", model)
    assert result.exit_code == 1
    expected = "Error: unexpected RuntimeError: two lines; this is a bug in gaussmix, and --debug shows the traceback"
    assert result.stderr == f"{expected}\n"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "there is not enough memory for this; use fewer rows, columns or components"),
        (OSError(28, "No space left on device", "model"), "model: No space left on device"),
        (ModuleNotFoundError("x", name="jinja2"), str(MissingPackageError.for_extra("jinja2", "this command", "cli"))),
    ],
)
def test_errors_of_the_system_are_one_sentence(
    error: Exception, expected: str, run: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("gaussmix.cli.summaries.format_component_table", fail)
    result = run("info", model)
    assert (result.exit_code, result.stderr) == (1, f"Error: {expected}\n")


# -- help ------------------------------------------------------------------------------------------


def test_version_and_help() -> None:
    assert _execute_in_new_process("--version").stdout == f"gaussmix {gaussmix.__version__}\n"
    alone, asked = _execute_in_new_process(), _execute_in_new_process("--help")
    assert alone.returncode == asked.returncode == 0
    assert alone.stdout == asked.stdout
    assert all(f"\n  {command} " in asked.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_every_command_has_examples(command: tuple[str, ...], flag: str, run: Run) -> None:
    result = run(*command, flag)
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout
    assert f"gaussmix {' '.join(command)}".strip() in result.stdout.split("Examples:")[1]
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "..." not in result.stdout.split("Commands:")[-1].split("Examples:")[0]


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["fit", "--help"], ["fit"], ["sample", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = f"""
import json, sys
from gaussmix.cli import main
sys.argv = ["gaussmix", *{words!r}]
try:
    main()
except SystemExit:
    pass
print("\\n" + json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
rich = [name for name in sys.modules if name.startswith("rich.")]
print(json.dumps(rich))
"""
    done = _execute_in_new_process(code=code)
    packages, rich = (json.loads(line) for line in done.stdout.splitlines()[-2:])
    assert not HEAVY & set(packages)
    assert not rich
    assert not {"numpy", "scipy"} & set(packages)


def test_a_fit_with_its_report_loads_no_package_that_it_does_not_need(tmp_path: Path, write: Write) -> None:
    """Each takes longer to load than the fit takes; on one thread no other process writes the report."""
    header, *lines = FAITHFUL.read_text().splitlines()
    data = write("d.csv", "\n".join([f"place,{header}", *(f"geyser {i % 3},{line}" for i, line in enumerate(lines))]))
    code = f"""
import json, os, sys
os.environ["OMP_NUM_THREADS"] = "1"
from gaussmix.cli import main
sys.argv = ["gaussmix", "fit", {str(data)!r}, "--components", "1:3", "--output", {str(tmp_path / "out")!r}]
try:
    main()
except SystemExit:
    pass
print("\\n" + json.dumps(list(sys.modules)))
"""
    loaded = set(json.loads(_execute_in_new_process(code=code).stdout.splitlines()[-1]))
    assert "matplotlib.figure" in loaded
    unneeded = {"pandas", "sklearn", "scipy.optimize", "scipy.stats", "matplotlib.pyplot", "rich.progress", "asyncio"}
    rooms = {"gaussmix.anomaly", "gaussmix.classification", "gaussmix.estimators", "gaussmix.tracking"}
    assert not loaded & (unneeded | rooms)


# -- the world outside -----------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["typer", "rich", "pyarrow"])
def test_a_missing_package_is_named_with_its_install_command(package: str, write: Write) -> None:
    data = write("d.csv", "a\n1\n2\n")
    code = f"""
import sys
sys.modules[{package!r}] = None  # importing it fails as if it were not installed
from gaussmix.cli import main
sys.argv = ["gaussmix", "fit", {str(data)!r}]
main()
"""
    done = _execute_in_new_process(code=code)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert f"needs {package}, which is not installed: pip install 'gaussmix[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def _restore_default_interrupt_handler() -> None:
    """Programs that a shell put in the background start deaf to Ctrl-C, and so do their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_ctrl_c_ends_with_130_and_one_line(write: Write) -> None:
    rows = "\n".join(f"{(i * 7919) % 1013},{(i * i) % 997},{(i * 31) % 499}" for i in range(4000))
    data = write("d.csv", f"a,b,c\n{rows}\n")
    with subprocess.Popen(
        [*PROGRAM, "fit", str(data), "--n-starts", "200"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_restore_default_interrupt_handler,
    ) as process:
        time.sleep(5)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (output, errors) == ("", "Interrupted.\n")
    assert not Path("d-gaussmix").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are closed otherwise there")
def test_a_closed_pipe_gives_no_error(model: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "sample", str(model), "-n", "200000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"x,y\n"
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="streams are closed otherwise there")
@pytest.mark.parametrize("descriptor", [1, 2])
def test_a_closed_stream_loses_its_text_only(descriptor: int, write: Write, two_groups: dict[str, list[float]]) -> None:
    words = ["fit", str(write("rows.csv", two_groups)), "--components", "2", "--structures", "full"]
    done = subprocess.run([*PROGRAM, *words], preexec_fn=lambda: os.close(descriptor), check=False)
    assert done.returncode == 0
    assert Path("rows-gaussmix/report.html").exists()


def test_names_that_the_terminal_cannot_encode() -> None:
    gaussmix.Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]], feature_names=["вес"]).save("m")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    command = [*PROGRAM, "info", "m"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert b"???" in done.stdout


def test_fit_and_report_in_processes(write: Write, two_groups: dict[str, list[float]]) -> None:
    data = write("data.csv", two_groups)
    done = _execute_in_new_process("fit", data, "--components", "1:3", "--structures", "full,tied")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Wrote to data-gaussmix:" in done.stdout
    page = Path("data-gaussmix/report.html").read_text(encoding="utf-8")
    assert "data.csv" in page
    again = _execute_in_new_process("report", "data-gaussmix/model.safetensors", data)
    assert (again.returncode, again.stdout, again.stderr) == (0, "Wrote report.html\n", "")
