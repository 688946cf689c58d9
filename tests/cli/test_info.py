"""``gaussmix info``: structure, columns and components of a model."""

from pathlib import Path

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.covariance.structure import MCLUST_NAMES
from tests.cli.conftest import Run, read_error


def test_info_shows_structure_columns_and_components(run: Run, model: Path) -> None:
    lines = run("info", model).stdout.splitlines()
    words = {line.split()[0]: line.split()[1:] for line in lines[:7] if line}
    assert words["Structure"][:2] == ["VVV", "(full):"]
    assert words["Columns"] == ["2", "(x,", "y)"]
    assert " ".join(words["Components"]) == "2, with 11 free parameters"
    assert any("(schema 1)" in line for line in lines)
    assert "weight     75.0%  25.0%" in lines
    assert "x              0  8.000" in lines
    assert "y          10.00  30.00" in lines
    assert "x          1.000  1.000" in lines
    assert "y          2.000  2.000" in lines


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_output_fits_in_80_columns(structure: str, run: Run) -> None:
    names = [f"a rather long name of column {j}" for j in range(12)]
    covariances = np.tile(np.eye(12), (9, 1, 1))
    Mixture.from_parameters([1 / 9] * 9, np.arange(108.0).reshape(9, 12), covariances, "VVV", names).save("m")
    result = run("info", "m")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("unit", [1e-160, 1e160])
def test_standard_deviations_are_shown_if_variances_overflow(unit: float, run: Run) -> None:
    from gaussmix import select

    rows = np.random.default_rng(0).normal(size=(50, 1))
    mixture = select(unit * rows, 1, "full").best.mixture
    assert mixture is not None
    mixture.save("m")
    result = run("info", "m")
    deviation = result.stdout.splitlines()[-1].split()[-1]
    assert float(deviation) == pytest.approx(unit * rows.std(), rel=1e-3)


def test_a_model_without_names(run: Run) -> None:
    Mixture.from_parameters([1.0], [[3.0]], [[[4.0]]]).save("m")
    said = run("info", "m").stdout
    assert "1 (without names)" in said
    assert "column 0    3.000" in said


def test_invalid_model_files(run: Run) -> None:
    Path("m").write_bytes(b"no model at all")
    assert "m is not a usable gaussmix model" in read_error(run("info", "m"))
    assert "there is no file" in read_error(run("info", "nothing"))
