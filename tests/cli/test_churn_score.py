"""``gaussmix churn-score``: what is printed and written, and files that do not fit the model."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gaussmix.classification import ChurnModel, plan_actions
from tests.cli.conftest import Run, read_error
from tests.cli.test_churn import COSTS, flat, make_customers, write_csv

INPUTS = ("customer", "months", "plan", "age", "fee")
FURTHER = [
    "churn_probability",
    "segment",
    "segment_probability",
    "reasons_to_leave",
    "reasons_to_stay",
    "smallest_change",
]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[ChurnModel, Path]:
    """A model of customers, and its file."""
    columns = make_customers()
    X = {"customer": np.array(columns["customer"], dtype=object)}
    X |= {name: np.array(columns[name], dtype=np.float64) for name in ("months", "age", "fee")}
    X["plan"] = np.array([plan or None for plan in columns["plan"]], dtype=object)
    model = ChurnModel(random_state=0).fit(X, np.array(columns["left"]))
    model.target_name_ = "left"
    path = tmp_path_factory.mktemp("model") / "churn.safetensors"
    model.save(path)
    return model, path


def make_new(n_rows: int = 40, seed: int = 1, **changed: Any) -> dict[str, Any]:
    columns = make_customers(n_rows, seed)
    return {name: columns[name] for name in INPUTS} | changed


def to_cells(columns: dict[str, Any]) -> dict[str, Any]:
    """Return what the command reads from a file of these columns."""
    cells = {name: np.array([value or None for value in columns[name]], dtype=object) for name in ("customer", "plan")}
    return cells | {name: np.array(columns[name], dtype=np.float64) for name in ("months", "age", "fee")}


def test_new_customers_are_scored(run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path) -> None:
    model, path = fitted
    columns = make_new(note=["x"] * 40)
    result = run("churn-score", path, write_csv(tmp_path / "new.csv", columns), *COSTS)
    assert result.exit_code == 0, result.output
    written = pacsv.read_csv("new-scored.csv").to_pydict()
    assert list(written) == [*INPUTS, "note", *FURTHER, "contact", "expected_profit"]
    assert written["note"] == ["x"] * 40
    p = model.churn_probability(to_cells(columns))
    np.testing.assert_allclose(written["churn_probability"], p)
    np.testing.assert_array_equal(written["segment"], model.assign_segments(to_cells(columns)).numbers)
    assert written["reasons_to_leave"] == model.explain_reasons(to_cells(columns)).main_texts(3)
    np.testing.assert_array_equal(written["contact"], plan_actions(p, 10.0, 100.0, 0.5).is_contacted)
    said = flat(result.stdout)
    assert "File new.csv: 40 customers Model churn.safetensors" in said
    assert f"Leaving expected: about {p.sum():.0f} of 40 (" in said
    assert "Drift No column of 40 rows differs" in said
    assert "customers who may leave no. data row customer probability segment" in said
    assert f"Contact {int(np.sum(written['contact']))} of 40 customers" in said
    assert "have not left" not in said
    assert said.endswith(f"Wrote new-scored.csv: FILE's columns, {', '.join([*FURTHER, 'contact', 'expected_profit'])}")


def test_changes_are_sought_for_as_many_customers_as_asked(
    run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "new.csv", make_new())
    for count in (0, 3):
        assert run("churn-score", fitted[1], data, "--explain", count, "--output", "out.parquet").exit_code == 0
        written = pq.read_table("out.parquet").to_pydict()
        order = np.argsort(-np.array(written["churn_probability"]), kind="stable")
        assert [bool(written["smallest_change"][row]) for row in order] == [True] * count + [False] * (40 - count)


def test_a_new_rate(run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path) -> None:
    model, path = fitted
    columns = make_new(200)
    data, cells = write_csv(tmp_path / "new.csv", columns), to_cells(columns)
    given = run("churn-score", path, data, "--new-rate", 0.6, "--explain", 0)
    assert "corrected as if the churn rate of all customers had changed from" in flat(given.stdout)
    written = pacsv.read_csv("new-scored.csv").to_pydict()
    np.testing.assert_allclose(written["churn_probability"], model.churn_probability(cells, 0.6))
    estimated = run("churn-score", path, data, "--new-rate", "estimate", "--explain", 0)
    rate = 100.0 * model.estimate_rate(cells).prior[1]
    assert f"The customers themselves suggest a churn rate of {rate:.1f}% (±" in flat(estimated.stdout)
    written = pacsv.read_csv("new-scored.csv").to_pydict()
    np.testing.assert_allclose(written["churn_probability"], model.churn_probability(cells, "estimate"))
    for text in ("0", "1", "2.5", "often"):
        assert run("churn-score", path, data, "--new-rate", text).exit_code == 2


def test_customers_without_cells_are_told(run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path) -> None:
    columns = make_new(12)
    for name in ("months", "plan", "age", "fee"):
        columns[name] = ["", "", "", *columns[name][3:]]
    result = run("churn-score", fitted[1], write_csv(tmp_path / "new.csv", columns), "--explain", 0)
    assert result.exit_code == 0, result.output
    p = pacsv.read_csv("new-scored.csv").to_pydict()["churn_probability"]
    assert p[0] == p[1] == p[2] != p[3]
    told = "3 of 12 customers have no cell that the model uses; they get the probability of an unknown customer"
    assert f"{told}, {100 * p[0]:.0f}%" in flat(result.stderr)
    full = write_csv(tmp_path / "full.csv", make_new())
    assert "have no cell" not in run("churn-score", fitted[1], full, "--explain", 0).stderr


def test_drift_and_unknown_levels_are_told(run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path) -> None:
    columns = make_new(60)
    columns["months"] = [value + 60 for value in columns["months"]]
    columns["plan"] = ["weekly", *columns["plan"][1:]]
    result = run("churn-score", fitted[1], write_csv(tmp_path / "new.csv", columns))
    assert result.exit_code == 0, result.output
    assert "categories that the fit has not seen count as missing: column 'plan' holds 'weekly'" in flat(result.stderr)
    assert "months has the median" in flat(result.stdout)


def test_a_file_with_outcomes_tells_how_good_the_probabilities_were(
    run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path
) -> None:
    outcomes = make_customers(80, 5)["left"]
    data = write_csv(tmp_path / "later.csv", make_new(80, 5, left=outcomes))
    result = run("churn-score", fitted[1], data, "--explain", 0, *COSTS)
    evaluation = fitted[0].evaluate(to_cells(make_new(80, 5)), np.array(outcomes))
    assert f"Outcomes {evaluation.sentences[0]}" in flat(result.stdout)
    assert f"AUC {evaluation.measures.auc:.4f}" in flat(result.stdout)
    assert f"of {outcomes.count('No')} customers" in flat(result.stdout)
    written = pacsv.read_csv("later-scored.csv").to_pydict()
    assert {written["left"][row] for row in np.flatnonzero(written["contact"])} == {"No"}
    for other, reason in (
        (["", *outcomes[1:]], "'left' has no value in 1 data row"),
        (["gone", *outcomes[1:]], "'left' holds 'gone', which is none of the fit's 'No' and 'Yes'"),
        (["No"] * 80, "'left' says of 0 of 80 customers that they left, and both kinds need 2"),
        (list(range(80)), "'left' holds 0, which is none of the fit's 'No' and 'Yes'"),
    ):
        odd = write_csv(tmp_path / "odd.csv", make_new(80, 5, left=other))
        result = run("churn-score", fitted[1], odd, "--explain", 0)
        assert result.exit_code == 0, result.output
        assert "Outcomes" not in result.stdout
        assert f"Note: {reason}: the outcomes are not used." in flat(result.stderr)


def test_parquet_in_parquet_out_and_columns_in_any_order(
    run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path
) -> None:
    columns = make_new()
    table = pa.table(
        {name: columns[name] for name in reversed(INPUTS)} | {"plan": [x or None for x in columns["plan"]]}
    )
    pq.write_table(table, tmp_path / "new.parquet")
    assert run("churn-score", fitted[1], tmp_path / "new.parquet", "--explain", 0).exit_code == 0
    written = pq.read_table("new-scored.parquet")
    assert written.schema.names[:5] == table.schema.names
    np.testing.assert_allclose(written["churn_probability"], fitted[0].churn_probability(to_cells(columns)))


BAD: dict[str, tuple[dict[str, Any], tuple[object, ...], str]] = {
    "another table": ({"a": [1, 2], "b": [3, 4]}, (), "bad.csv has no columns 'months', 'age'"),
    "a column is missing": (
        {name: make_new()[name] for name in ("customer", "plan", "age", "fee")},
        (),
        "bad.csv has no column 'months', which the model uses; add it",
    ),
    "text for numbers": (
        make_new(months=["many"] * 40),
        (),
        "bad.csv: column 'months' was numeric in the fit, but data row 1",
    ),
    "dates for numbers": (make_new(age=["2024-01-01"] * 40), (), "'age' held no dates in the fit"),
    "no column of values": (make_new(), (*COSTS[:2], "--value-saved", "worth", *COSTS[4:]), "no column named 'worth'"),
    "text as values": (make_new(), (*COSTS[:2], "--value-saved", "plan", *COSTS[4:]), "contains text, so it cannot be"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case: str, run: Run, fitted: tuple[ChurnModel, Path], tmp_path: Path) -> None:
    columns, words, sentence = BAD[case]
    error = read_error(run("churn-score", fitted[1], write_csv(tmp_path / "bad.csv", columns), *words))
    assert sentence in error
    assert not Path("bad-scored.csv").exists()


def test_models_and_paths_that_are_not_allowed(
    run: Run, fitted: tuple[ChurnModel, Path], model: Path, tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "new.csv", make_new())
    assert "is not a usable gaussmix model" in read_error(run("churn-score", model, data)), "a mixture of gaussmix fit"
    assert "is not a safetensors file" in read_error(run("churn-score", data, data))
    assert "there is no file nothing" in read_error(run("churn-score", "nothing", data))
    assert "there is no file nothing.csv" in read_error(run("churn-score", fitted[1], "nothing.csv"))
    assert run("churn-score", fitted[1], data, "--output", "out.txt").exit_code == 2
    assert "would be overwritten" in read_error(run("churn-score", fitted[1], data, "--output", data))
    assert "there is no folder" in read_error(run("churn-score", fitted[1], data, "--output", "no/out.csv"))
