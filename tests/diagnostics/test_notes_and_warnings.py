"""Where diagnoses show: notes and one warning of fits and searches, the printed summary, and the report."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gaussmix import DataWarning, GaussianMixture, select
from gaussmix.cli.app import app
from gaussmix.errors import GaussmixWarning
from gaussmix.report import render_html


@pytest.fixture
def table() -> Any:
    """Two groups of sizes, flags, and incomes of 120 rows."""
    rng = np.random.default_rng(0)
    sizes = rng.normal(np.repeat([0.0, 8.0], 60), 1.0)
    return np.column_stack([sizes, rng.integers(0, 2, 120), rng.lognormal(10.0, 1.0, 120)])


def test_a_fit_warns_once_and_keeps_notes(table: Any) -> None:
    with pytest.warns(DataWarning) as caught:
        mixture = GaussianMixture(1).fit(table)
    (warning,) = caught
    assert issubclass(DataWarning, GaussmixWarning)
    assert issubclass(DataWarning, UserWarning)
    assert warning.filename == __file__
    discrete, skewed = mixture.fit_.notes
    assert discrete.startswith("No Gaussian describes discrete columns: column 1 (2 distinct values from 0 to 1).")
    assert skewed.startswith("No Gaussian describes skewed columns: column 2 (skewness ")
    assert str(warning.message).startswith(f"{discrete} {skewed}")
    assert discrete in str(mixture.fit_)


def test_the_warning_can_be_silenced_as_it_says(table: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DataWarning)
        GaussianMixture(1).fit(table)
    assert not caught


def test_a_fit_with_noise_describes_heavy_tails() -> None:
    rows = np.random.default_rng(1).standard_cauchy((400, 1))
    with pytest.warns(DataWarning, match="columns with heavy tails: column 0"):
        GaussianMixture(1).fit(rows)
    assert not any("tails" in note for note in GaussianMixture(1, noise=True).fit(rows).fit_.notes)


def test_partial_fit_keeps_the_notes_without_a_warning(table: Any) -> None:
    mixture = GaussianMixture(1).partial_fit(table)
    assert mixture.fit_.notes[0].startswith("No Gaussian describes discrete columns")


def test_a_search_warns_once_and_keeps_the_diagnoses(table: Any) -> None:
    with pytest.warns(DataWarning, match="flag") as caught:
        selection = select(table, [1, 2], "VVI", feature_names=["size", "flag", "income"])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert [(each.name, each.kind) for each in selection.column_diagnoses] == [
        ("flag", "discrete"),
        ("income", "skewed"),
    ]
    assert selection.column_notes[0].startswith("No Gaussian describes discrete columns: flag")


def test_groups_of_gaussians_are_searched_without_a_warning(table: Any) -> None:
    selection = select(table[:, :1], [1, 2])
    assert selection.column_diagnoses == ()
    assert selection.column_notes == ()


@pytest.fixture
def csv_file(table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "people.csv"
    np.savetxt(path, table, "%.6g", ",", header="size,flag,income", comments="")
    return path


def _check_printed(result: Result) -> None:
    assert result.exit_code == 0, result.output
    assert "Not Gaussian  discrete: flag; skewed: income" in result.stdout
    assert "Note: No Gaussian describes discrete columns: flag (2 distinct values from 0 to 1)." in result.stderr
    assert "DataWarning" not in result.stderr


def test_select_prints_the_columns_and_the_next_step(csv_file: Path) -> None:
    _check_printed(CliRunner().invoke(app, ["select", str(csv_file), "--components", "1", "--structures", "diag"]))


def test_fit_prints_them_and_the_report_has_a_table_of_them(csv_file: Path) -> None:
    options = ["--components", "1", "--structures", "diag", "--output", "out"]
    _check_printed(CliRunner().invoke(app, ["fit", str(csv_file), *options]))
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "2 columns that no Gaussian describes" in page
    assert "2 distinct values from 0 to 1" in page
    assert page.count("<li>No Gaussian describes discrete columns: flag") == 1
    assert page.count("No Gaussian describes discrete columns: flag") == 1


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_the_report_has_one_line_for_columns_of_equal_diagnoses() -> None:
    rows = np.random.default_rng(0).integers(1, 6, (80, 4)) * np.array([1.0, 1.0, 1.0, 2.0])
    mixture = select(rows, 1, "EII", feature_names=["q1", "q2", "q3", "q4"]).best.mixture
    page = render_html(mixture, rows)
    assert "4 columns that no Gaussian describes" in page
    assert '<th scope="row" class="name">q1, q2, q3</th>' in page
    assert '<th scope="row" class="name">q4</th>' in page
