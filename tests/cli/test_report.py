"""``gaussmix report``: the report gets the rows in the model's column order."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.cli.conftest import Run, Write, read_error


def test_the_page_of_a_model_and_a_file(run: Run, write: Write, model: Path, pages: list[dict[str, Any]]) -> None:
    data = write("new.csv", "y,x\n10,0\n30,8\n")
    assert run("report", model, data).stdout == "Wrote report.html\n"
    assert Path("report.html").is_file()
    assert run("report", model, data, "--output", "other.html").stdout == "Wrote other.html\n"
    assert [page["path"] for page in pages] == [Path("report.html"), Path("other.html")]
    np.testing.assert_array_equal(pages[0]["X"], [[0, 10], [8, 30]])
    assert pages[0]["source_name"] == "new.csv"


def test_refusals(run: Run, write: Write, model: Path, pages: list[dict[str, Any]]) -> None:
    data = write("new.csv", "y,z\n10,0\n")
    assert "no column named 'x'" in read_error(run("report", model, data))
    assert "there is no folder nowhere" in read_error(run("report", model, data, "--output", "nowhere/r.html"))
    assert "is not a usable gaussmix model" in read_error(run("report", data, data))
    assert not pages
