"""Commands on files whose rows lack cells."""

import re
from pathlib import Path

import numpy as np
import pyarrow.csv as pc
import pytest

from gaussmix.model import Mixture
from tests.cli.conftest import Run, Write, read_error

SMALL = ("-k", "1:3", "--structures", "VVI,VVV")


@pytest.fixture
def table(write: Write) -> Path:
    """Two groups; a row without numbers, and cells missing in several ways."""
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(50, 3)), rng.normal(size=(50, 3)) + 8.0]).round(4).astype(str)
    rows[[3, 60], 0], rows[[7, 70], 1], rows[[3, 9], 2] = "NA", "", "nan"
    rows[20] = ""
    lines = ["name,x,y,z", *(f"r{i},{','.join(row)}" for i, row in enumerate(rows.tolist()))]
    return write("d.csv", "\n".join(lines) + "\n")


def read(path: Path | str) -> dict[str, list[object]]:
    return dict(pc.read_csv(path).to_pydict())


def test_a_fit_uses_the_cells_that_there_are(run: Run, table: Path) -> None:
    result = run("fit", table, *SMALL, "-o", "out")
    assert "6 of 100 rows lack cells; their other cells count. --drop-missing leaves such rows out." in result.stderr
    assert "3.0 % of the cells are missing: 'x' 3.0 %, 'y' 3.0 % and 'z' 3.0 %" in re.sub(r"\s+", " ", result.stderr)
    assert "d.csv: 100 rows, 3 columns (x, y, z)" in result.stdout
    assert "2 components" in result.stdout
    assigned = read("out/assignments.csv")
    assert len(assigned["component"]) == 100
    weights = Mixture.load("out/model.safetensors").weights
    np.testing.assert_allclose([assigned["probability_0"][20], assigned["probability_1"][20]], weights, rtol=1e-12)
    assert assigned["log_density"][20] == pytest.approx(0.0, abs=1e-12)
    assert set(assigned["component"][:20]) == {0}  # row 3 has y alone


def test_other_commands_read_such_rows_too(run: Run, table: Path) -> None:
    assert run("fit", table, *SMALL, "-o", "out").exit_code == 0
    assert run("predict", "out", table, "-o", "p.csv").exit_code == 0
    predicted, assigned = read("p.csv"), read("out/assignments.csv")
    assert predicted["component"] == assigned["component"]
    np.testing.assert_allclose(predicted["log_density"], assigned["log_density"], rtol=1e-12, atol=1e-12)
    assert run("select", table, *SMALL).exit_code == 0
    assert run("report", "out", table, "-o", "r.html").exit_code == 0
    for page in (Path("r.html"), Path("out/report.html")):
        text = re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))
        assert "6 rows lack cells. Pictures show a row where none of their columns is missing" in text
        uncertain = text[text.index("least certain rows") : text.index("The first data row")]
        assert "–" in uncertain
        assert "nan" not in uncertain
    assert "3.0 % of the cells are missing" in text


def test_transforms_and_noise(run: Run, table: Path) -> None:
    for options in (("--transform", "yeo-johnson"), ("--noise",), ("--prior",)):
        assert run("fit", table, *SMALL, *options, "-o", f"out{options[0]}").exit_code == 0


def test_a_missing_weight_is_refused(run: Run, write: Write) -> None:
    path = write("w.csv", {"x": [1, 2, 3, 4, 9, 8, 7, 6], "w": [1, 1, "", 1, 1, 1, 1, 1]})
    said = read_error(run("fit", path, "--sample-weight", "w"))
    assert "column 'w' has no value (empty, NA or NaN) in data row 3; leave such rows out with --drop-missing" in said
