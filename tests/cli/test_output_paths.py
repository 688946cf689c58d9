"""Output paths: inputs are not overwritten, checks come before the work, failures leave no files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix.cli.output_paths import (
    partial_path,
    remove_partial_on_failure,
    require_writable_file,
    require_writable_folder,
)
from gaussmix.cli.table_writer import write_table
from gaussmix.errors import FileError
from tests.cli.conftest import SMALL, Run, Write, read_error


def _read_all_files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "model.safetensors", "new.csv", "--output", "new.csv"),
        ("predict", "model.safetensors", "new.csv", "--output", "./below/../new.csv"),
        ("predict", "model.csv", "new.csv", "--output", "model.csv"),
        ("report", "model.safetensors", "new.csv", "--output", "page.html"),
        ("report", "page.html", "new.csv", "--output", "page.html"),
        ("sample", "model.csv", "-n", "3", "--output", "model.csv"),
        ("fit", "assignments.parquet", "--output", "."),
    ],
)
def test_an_input_is_never_overwritten(words: tuple[str, ...], run: Run, write: Write, model: Path) -> None:
    Path("below").mkdir()
    write("new.csv", "x,y\n1,2\n3,5\n")
    write("assignments.parquet", {"x": [1.0, 2.0, 4.0], "y": [3.0, 1.0, 2.0]})
    write("model.csv", model.read_bytes())
    Path("page.html").hardlink_to("new.csv" if "model.safetensors" in words else model)
    before = _read_all_files()
    said = read_error(run(*words))
    assert said.endswith("is an input of this command and would be overwritten; choose another path with --output")
    assert _read_all_files() == before


COMMANDS = {
    "predict": (("predict", "model.safetensors", "new.csv"), "out.csv"),
    "report": (("report", "model.safetensors", "new.csv"), "out.html"),
    "sample": (("sample", "model.safetensors", "-n", "3"), "out.csv"),
    "fit": (("fit", "new.csv", *SMALL), "out"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", ["new.csv/{}", "/proc/{}"])
def test_an_unwritable_path_is_refused_before_the_work(
    command: str, place: str, run: Run, write: Write, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    write("new.csv", "x,y\n1,2\n3,5\n")
    words, name = COMMANDS[command]
    monkeypatch.setattr("gaussmix.cli.table_reader.read_table", None)  # reading rows before the check would be a fault
    said = read_error(run(*words, "--output", place.format(name)))
    assert said.startswith("Error: cannot write ")
    assert "Errno" not in said
    assert not list(Path().rglob("*.partial"))


@pytest.mark.parametrize("command", ["predict", "report", "sample"])
def test_an_output_file_that_is_a_folder(command: str, run: Run, write: Write, model: Path) -> None:
    write("new.csv", "x,y\n1,2\n3,5\n")
    words, name = COMMANDS[command]
    Path(name).mkdir()
    expected = f"Error: cannot write {name}: it is a folder; choose another path with --output"
    assert read_error(run(*words, "--output", name)) == expected


def test_an_output_folder_with_a_folder_named_like_a_file(run: Run, write: Write) -> None:
    Path("out/report.html").mkdir(parents=True)
    said = read_error(run("fit", write("d.csv", "x\n1\n2\n5\n"), *SMALL, "--output", "out"))
    assert "cannot write out/report.html: it is a folder" in said
    assert [path.name for path in Path("out").iterdir()] == ["report.html"]


def test_write_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "there.csv"
    target.touch()
    monkeypatch.setattr("os.access", lambda path, mode: path != target)
    with pytest.raises(FileError, match="it is write-protected"):
        require_writable_file(target, ())
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(FileError, match="there is no permission to write in"):
        require_writable_file(tmp_path / "new.csv", ())
    with pytest.raises(FileError, match="there is no permission to write in"):
        require_writable_folder(tmp_path / "new", ("a",), ())


@pytest.mark.parametrize("name", ["page.txt", "page", "page.csv"])
def test_a_page_needs_an_html_suffix(name: str, run: Run, write: Write, model: Path) -> None:
    result = run("report", model, write("new.csv", "x,y\n1,2\n"), "--output", name)
    assert result.exit_code == 2
    assert f"'{name}' must end in .html or .htm" in result.stderr
    assert not Path(name).exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_nothing(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    def fail() -> None:
        with remove_partial_on_failure(path):
            partial_path(path).write_text("half")
            raise error

    with pytest.raises(FileError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        fail()
    assert "Errno" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_table_that_cannot_be_renamed_is_removed(name: str, tmp_path: Path) -> None:
    (tmp_path / name / "below").mkdir(parents=True)
    columns: dict[str, Any] = {"x": np.ones(1)}
    with pytest.raises(FileError, match=f"cannot write .*{name}: Is a directory; choose another path"):
        write_table(columns, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
