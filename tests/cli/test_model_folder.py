"""Folders of results: they stand for their model, and belong to one input."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from gaussmix import Mixture
from gaussmix.cli.model_folder import InputRecord, read_input_record
from tests.cli.conftest import SMALL, Run, Write, read_error

Pages = list[dict[str, Any]]
COMMANDS: dict[str, tuple[object, ...]] = {
    "info": (),
    "sample": ("-n", "3"),
    "predict": ("data.csv",),
    "report": ("data.csv",),
}


@pytest.fixture
def data(write: Write, two_groups: dict[str, list[float]]) -> Path:
    return write("data.csv", two_groups)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_stands_for_its_model(command: str, run: Run, data: Path, model: Path, pages: Pages) -> None:
    Path("folder").mkdir()
    said = read_error(run(command, "folder", *COMMANDS[command]))
    assert said == (
        "Error: folder is a folder without model.safetensors; give a folder that gaussmix wrote, or the path of the "
        "model"
    )
    shutil.copy(model, "folder/model.safetensors")
    by_folder = run(command, "folder", *COMMANDS[command])
    assert by_folder.exit_code == 0, by_folder.output
    assert by_folder.stdout == run(command, "folder/model.safetensors", *COMMANDS[command]).stdout


@pytest.mark.parametrize(("command", "file"), [("anomalies", "detector"), ("churn-score", "churn")])
def test_a_folder_without_the_model_of_a_command(command: str, file: str, run: Run, data: Path) -> None:
    Path("folder").mkdir()
    words = (data, "--model", "folder") if command == "anomalies" else ("folder", data)
    assert f"folder is a folder without {file}.safetensors" in read_error(run(command, *words))


def test_results_of_another_file_are_not_overwritten(run: Run, write: Write, data: Path, pages: Pages) -> None:
    assert run("fit", data, *SMALL).exit_code == 0
    record = read_input_record(Path("data-gaussmix/model.safetensors"))
    assert record is not None
    assert record.name == "data.csv"
    assert ["Fitted", "to", "data.csv"] in [line.split() for line in run("info", "data-gaussmix").stdout.splitlines()]
    before = Path("data-gaussmix/model.safetensors").read_bytes()
    Path("other").mkdir()
    others = [write("other/data.csv", "x,y\n1,2\n3,1\n4,9\n"), write("data.parquet", {"x": [1.0, 2.0, 5.0]})]
    for other in others:
        said = read_error(run("fit", other, *SMALL))
        assert said == (
            "Error: data-gaussmix holds the results of another file, data.csv; choose another folder with --output, "
            "or replace them with --overwrite"
        )
    assert Path("data-gaussmix/model.safetensors").read_bytes() == before
    assert run("fit", others[0], *SMALL, "--overwrite").exit_code == 0
    assert Path("data-gaussmix/model.safetensors").read_bytes() != before
    assert "data-gaussmix holds" in read_error(run("fit", data, *SMALL))
    assert run("fit", data, *SMALL, "-o", "elsewhere").exit_code == 0


def test_the_same_file_overwrites_its_results(run: Run, data: Path, mixture: Mixture, pages: Pages) -> None:
    mixture.save("data-gaussmix.safetensors")
    for _ in range(2):
        assert run("fit", data, *SMALL).exit_code == 0
    data.write_text(data.read_text() + "1,2\n")
    assert run("fit", data, *SMALL).exit_code == 0
    Path("moved").mkdir()
    moved = shutil.move(data, "moved/data.csv")
    assert run("fit", moved, *SMALL).exit_code == 0
    mixture.save("data-gaussmix/model.safetensors")  # of unknown input
    assert run("fit", moved, *SMALL).exit_code == 0


def test_a_record_holds_no_folder(data: Path) -> None:
    record = InputRecord.of_file(data)
    assert str(data.parent) not in record.to_json()
    assert InputRecord.of_file(Path("-")).name == "standard input"
    assert not record.is_same_input(InputRecord.of_file(Path("-")))
