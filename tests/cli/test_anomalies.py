"""``gaussmix anomalies``: what is printed and written, and input that is not allowed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gaussmix.anomaly import AnomalyDetector
from tests.cli.conftest import Run, Write, read_error

N_ROWS = 80
UNUSUAL = [10, 40]  # in a and in b
FILES = ["anomalies.csv", "anomalies.parquet", "detector.safetensors", "report.html"]


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Write no pictures, except in tests that ask for ``whole_page``."""
    if "whole_page" not in request.fixturenames:
        monkeypatch.setattr(
            "gaussmix.report.anomaly_page.render_anomaly_html", lambda summary, **rest: f"<html>{rest}</html>"
        )


@pytest.fixture
def whole_page() -> None:
    """Ask for the page itself."""


def make_columns(seed: int = 0, n_rows: int = N_ROWS, is_clean: bool = False) -> dict[str, Any]:
    """Return columns of a file: a customer number, a and b with two anomalies, and a text that repeats."""
    rows = np.random.default_rng(seed).normal(size=(n_rows, 2)).round(6)
    if not is_clean:
        rows[UNUSUAL[0], 0], rows[UNUSUAL[1], 1] = 30.0, -30.0
    names = [f"C{i:03d}" for i in range(n_rows)]
    kinds = ["x", "y"] * (n_rows // 2)
    return {"customer": names, "a": rows[:, 0].tolist(), "b": rows[:, 1].tolist(), "kind": kinds}


@pytest.fixture
def data(write: Write) -> Path:
    return write("data.csv", make_columns())


def read_output(folder: str = "data-anomalies") -> dict[str, list[Any]]:
    return pq.read_table(Path(folder) / "anomalies.parquet").to_pydict()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_file_alone(run: Run, data: Path, whole_page: None) -> None:
    result = run("anomalies", data, "--fdr", "0.1")
    assert result.exit_code == 0, result.output
    assert flat(result.stderr) == (
        "Note: 'customer' identifies the rows and is not fitted. Note: left out: kind (text)."
    )
    said = flat(result.stdout)
    assert "File data.csv: 80 rows, 2 columns (a, b)" in said
    assert "the same rows; each is judged by mixtures that have not seen it" in said
    assert "2 of 80 rows are anomalies (2.5%)." in said
    assert "a false discovery rate of 10%" in said
    assert "the rate is approximate" in said
    assert "no. data row customer p-value anomaly group reason" in said
    assert "anomaly groups A " in said
    lines = [line.split() for line in result.stdout.splitlines()]
    assert {tuple(line[1:3]) for line in lines if line and line[0] in ("1", "2")} == {("11", "C010"), ("41", "C040")}
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert sorted(path.name for path in Path("data-anomalies").iterdir()) == FILES
    page = Path("data-anomalies/report.html").read_text()
    assert "left out: kind (text)." in page
    assert set(re.findall(r'data-label="data row">(\d+)<', page)) == {"11", "41"}, "the numbers of the printed table"
    assert set(re.findall(r'data-label="typical data row">(\d+)<', page)) == {"11", "41"}


def test_the_tables_join_the_input(run: Run, data: Path) -> None:
    run("anomalies", data, "--output", "out")
    written = read_output("out")
    assert pacsv.read_csv("out/anomalies.csv").num_rows == N_ROWS
    assert list(written)[:4] == ["data_row", "customer", "is_anomaly", "p_value"]
    assert written["data_row"] == list(range(1, N_ROWS + 1))
    assert written["customer"] == make_columns()["customer"]
    assert [i for i, flag in enumerate(written["is_anomaly"]) if flag] == UNUSUAL
    rows = np.column_stack([make_columns()["a"], make_columns()["b"]])
    detector = AnomalyDetector(fdr=0.05, random_state=0).fit(rows)
    np.testing.assert_allclose(written["p_value"], detector.training_p_values_, rtol=1e-9)
    assert [written["first_column"][i] for i in UNUSUAL] == ["a", "b"]
    assert written["smallest_change"][10].startswith("Lower a from 30 to ")


def test_a_file_of_normal_rows(run: Run, data: Path, write: Write) -> None:
    normal = write("normal.parquet", make_columns(1, 400, is_clean=True))
    result = run("anomalies", data, "--train", normal, "--fpr", "0.02")
    assert result.exit_code == 0, result.output
    said = flat(result.stdout)
    assert "Training normal.parquet: 400 normal rows" in said
    assert "conformal: they compare each row with 200 normal rows" in said
    rows = np.column_stack([make_columns(1, 400, True)["a"], make_columns(1, 400, True)["b"]])
    detector = AnomalyDetector(fpr=0.02, training="clean", random_state=0).fit(rows)
    written = read_output()
    expected = detector.p_values(np.column_stack([make_columns()["a"], make_columns()["b"]]))
    np.testing.assert_allclose(written["p_value"], expected, rtol=1e-9)
    np.testing.assert_array_equal(written["is_anomaly"], expected <= 0.02)


def test_drift_from_the_normal_rows_is_said_where_there_is_some(run: Run, data: Path, write: Write) -> None:
    train = write("normal.parquet", make_columns(1, 400, is_clean=True))
    result = run("anomalies", data, "--train", train)
    assert "Drift" not in result.stdout
    assert "than a few anomalies" not in Path("data-anomalies/report.html").read_text()
    columns = make_columns(2)
    columns["b"] = (np.array(columns["b"]) + 1.0).tolist()
    result = run("anomalies", write("moved.csv", columns), "--train", train)
    assert "Drift The rows differ from the normal rows by more than a few anomalies: b moved up" in flat(result.stdout)
    assert "than a few anomalies: b moved up" in Path("moved-anomalies/report.html").read_text()
    assert "Drift" not in run("anomalies", write("alone.csv", columns)).stdout, "there is nothing to differ from"


def test_a_saved_detector_judges_another_file(run: Run, data: Path, write: Write) -> None:
    run("anomalies", data, "--fpr", "0.01", "--output", "first")
    loaded = AnomalyDetector.load("first/detector.safetensors")
    assert loaded.feature_names_in_.tolist() == ["a", "b"]
    columns = make_columns(2)
    new = write("new.csv", {"b": columns["b"], "other": columns["a"], "a": columns["a"]})
    result = run("anomalies", new, "--model", "first/detector.safetensors")
    assert result.exit_code == 0, result.output
    assert "left out, because the training rows do not have them: other." in result.stderr
    assert "a false positive rate of 1%" in result.stdout, "the rate of the detector"
    written = read_output("new-anomalies")
    loaded = AnomalyDetector.load("first/detector.safetensors")
    del loaded.feature_names_in_
    np.testing.assert_allclose(
        written["p_value"], loaded.p_values(np.column_stack([columns["a"], columns["b"]])), rtol=1e-9
    )
    assert not Path("new-anomalies/detector.safetensors").exists(), "it did not change"
    result = run("anomalies", new, "--model", "first/detector.safetensors", "--contamination", "0.05")
    assert "the 5% most unusual rows are anomalies" in flat(result.stdout)
    assert sum(read_output("new-anomalies")["is_anomaly"]) == 4


def test_a_saved_contamination_is_a_limit(run: Run, data: Path, write: Write) -> None:
    run("anomalies", data, "--contamination", "0.05", "--output", "first")
    assert sum(read_output("first")["is_anomaly"]) == 4
    columns = make_columns(2)
    new = write("new.csv", columns)
    result = run("anomalies", new, "--model", "first/detector.safetensors")
    loaded = AnomalyDetector.load("first/detector.safetensors")
    del loaded.feature_names_in_
    flags = loaded.predict(np.column_stack([columns["a"], columns["b"]])) == -1
    np.testing.assert_array_equal(read_output("new-anomalies")["is_anomaly"], flags)
    assert "Limit a false positive rate of" in flat(result.stdout)


def test_nothing_found_and_everything_found(run: Run, write: Write) -> None:
    normal = write("normal.csv", make_columns(1, 400, is_clean=True))
    some = write("some.csv", make_columns(3, is_clean=True))
    result = run("anomalies", some, "--train", normal, "--fpr", "0.001")
    assert "There are no anomalies at this rate among 80 rows." in flat(result.stdout)
    assert "so no row can be flagged at this rate" in flat(result.stdout)
    assert "--contamination 0.02 would flag the most unusual of 80 rows." in flat(result.stdout)
    assert "anomaly groups" not in result.stdout
    columns = make_columns(3, is_clean=True)
    shifted = write("shifted.csv", {**columns, "a": [value + 50 for value in columns["a"]]})
    result = run("anomalies", shifted, "--train", normal)
    assert "All 80 rows are anomalies." in result.stdout
    assert "... and 60 more; anomalies.csv has them all" in result.stdout


def test_few_rows_and_constant_columns(run: Run, write: Write) -> None:
    columns = make_columns(0, 12, is_clean=True)
    few = write("few.csv", {"a": columns["a"], "b": columns["b"], "c": [7] * 12})
    result = run("anomalies", few)
    assert result.exit_code == 0, result.output
    assert "has learnt from 12 rows, fewer than 20" in flat(result.stderr)
    changed = write("changed.csv", {"a": columns["a"], "b": columns["b"], "c": [7] * 11 + [8]})
    result = run("anomalies", changed, "--model", "few-anomalies/detector.safetensors")
    assert "c is 8, but 7 in every training row" in flat(result.stdout)


def test_the_seed_and_the_columns_are_parameters(run: Run, data: Path) -> None:
    outputs = []
    for words in ((), ("--seed", "1"), ("--columns", "b"), ("--id", "kind")):
        assert run("anomalies", data, *words).exit_code == 0
        outputs.append(read_output())
    p_values = [output["p_value"] for output in outputs]
    assert p_values[0] == p_values[3]
    assert p_values[0] != p_values[1]
    assert [i for i, flag in enumerate(outputs[2]["is_anomaly"]) if flag] == [UNUSUAL[1]]
    assert "customer" not in outputs[3]
    assert outputs[3]["kind"] == make_columns()["kind"]


def test_numbers_that_identify_rows_are_not_fitted(run: Run, write: Write) -> None:
    columns = make_columns()
    ids = {"customer_id": list(range(5000, 5000 + N_ROWS)), "row": list(range(N_ROWS)), "a": columns["a"]}
    data = write("data.csv", ids)
    result = run("anomalies", data)
    assert "1 column (a)" in flat(result.stdout)
    assert "'customer_id' and 'row' identify the rows and are not fitted." in flat(result.stderr)
    written = read_output()
    assert written["customer_id"] == ids["customer_id"]
    assert written["row"] == ids["row"]
    assert "2 columns (customer_id, a)" in flat(run("anomalies", data, "--columns", "customer_id,a").stdout)


@pytest.mark.parametrize("by_number", [True, False])
def test_verdicts(by_number: bool, run: Run, data: Path, write: Write) -> None:
    columns = make_columns()
    if by_number:
        judged: dict[str, list[Any]] = {"data_row": [11, 1, 4], "verdict": ["normal", "Anomaly", ""]}
    else:
        chosen = [10, 0]
        judged = {name: [columns[name][i] for i in chosen] for name in ("b", "a")} | {"verdict": [0, 1]}
    result = run("anomalies", data, "--feedback", write("judged.csv", judged))
    assert result.exit_code == 0, result.output
    assert "Verdicts on 2 rows have moved them" in flat(result.stdout)
    written = read_output()
    assert [written["is_anomaly"][i] for i in (0, 10, 40)] == [True, False, True]
    detector = AnomalyDetector.load("data-anomalies/detector.safetensors")
    del detector.feature_names_in_
    rows = np.column_stack([columns["a"], columns["b"]])
    assert detector.predict(rows[[0, 10]]).tolist() == [-1, 1]
    again = run("anomalies", data, "--model", "data-anomalies/detector.safetensors", "--output", "again")
    assert "Verdicts on 2 rows have moved them" in flat(again.stdout)


@pytest.mark.parametrize(
    ("judged", "message"),
    [
        ({"data_row": [1], "answer": ["normal"]}, "judged.csv has no column named 'verdict'"),
        ({"data_row": [1, 2], "verdict": ["", ""]}, "the column 'verdict' of judged.csv is empty"),
        (
            {"data_row": [1, 2], "verdict": ["normal", "perhaps"]},
            "the verdict in data row 2 of judged.csv is 'perhaps'",
        ),
        ({"data_row": [1, 81], "verdict": ["normal", "normal"]}, "column 'data_row' of judged.csv has 81 in its row 2"),
        ({"data_row": [0], "verdict": ["normal"]}, "has 0 in its row 1; data rows count from 1 to 80"),
        ({"row": [1], "verdict": ["normal"]}, "does not say which rows are judged; add a column 'data_row', which"),
        ({"data_row": [3, 3], "verdict": ["normal", "anomaly"]}, "contradict each other: rows 0 and 1 are equal"),
        ({"data_row": [1.5], "verdict": ["normal"]}, "has 1.5 in its row 1; data rows count from 1 to 80"),
        ({"data_row": ["x"], "verdict": ["normal"]}, "of judged.csv has no number in its row 1"),
        ({"a": [1.0], "verdict": ["normal"]}, "no column named 'b'"),
    ],
)
def test_verdicts_that_cannot_be_used(
    judged: dict[str, list[Any]], message: str, run: Run, data: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("judged.csv", judged).relative_to(Path.cwd())
    result = run("anomalies", data, "--feedback", path)
    assert message in read_error(result)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fdr", "0"), "'0' is not a number above 0 and below 1"),
        (("--fdr", "2"), "'2' is not a number above 0 and below 1"),
        (("--fpr", "1"), "'1' is not a number above 0 and below 1"),
        (("--fpr", "few"), "'few' is not a number"),
        (("--contamination", "0.51"), "is not a number above 0 and at most 0.5"),
        (("--fdr", "0.1", "--fpr", "0.1"), "--fdr and --fpr exclude each other"),
        (("--train", "data.csv"), "FILE and --train are the same file"),
        (("--train", "other.csv", "--model", "m"), "--model and --train exclude each other"),
        (("--columns", "a", "--model", "m"), "--model and --columns exclude each other"),
        (("--columns", "a,a"), "'a' appears twice"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], message: str, run: Run, data: Path) -> None:
    result = run("anomalies", data, *words)
    assert result.exit_code == 2
    assert message in flat(result.stderr.replace("│", " "))
    assert not Path("data-anomalies").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,\n4,5\n", "column 'b' has no value (empty, NA or NaN) in data row 2"),
        ("a,b\nx,y\n", "has no numeric column"),
        ("a,b\n1,2\n1,2\n1,2\n", "all 3 rows are equal, so nothing says how much normal rows differ"),
        ("a,b\n1,2\n", "there is one row only"),
    ],
)
def test_rows_that_cannot_be_used(text: str, message: str, run: Run, write: Write) -> None:
    assert message in read_error(run("anomalies", write("bad.csv", text), "--contamination", "0.5"))


def test_a_huge_cell_is_explained(run: Run, write: Write) -> None:
    text = "a,b\n1,2e200\n" + "".join(f"{i % 7},{i * i % 97 / 10}\n" for i in range(80))
    result = run("anomalies", write("huge.csv", text), "--contamination", "0.1")
    assert "b (2e+200) is" in flat(result.stdout)


def test_a_column_that_dominates_is_named_with_the_others_to_use(run: Run, write: Write) -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=200).round(3).tolist() for name in ("a", "b c", "d")}
    columns["d"][:9] = [9.0 + 0.5 * i for i in range(9)]
    data = write("data.csv", columns)
    said = flat(run("anomalies", data, "--contamination", "0.05").stdout)
    assert re.search(r"Columns .* of 10 anomalies deviate most in d\. To judge by the others: --columns 'a,b c'", said)
    assert "deviate most in" not in run("anomalies", data, "--columns", "a,b c").stdout


def test_files_that_do_not_fit_together(run: Run, data: Path, write: Write) -> None:
    other = write("other.csv", {"x": [1.0, 2.0, 4.0], "b": [1.0, 2.0, 3.0]})
    said = read_error(run("anomalies", data, "--train", other))
    assert "data.csv has no column 'x', which" in said
    assert "choose columns of both files with --columns" in said
    assert "is not a usable gaussmix model" in read_error(run("anomalies", data, "--model", data))
    assert "no column named 'z'" in read_error(run("anomalies", data, "--columns", "z"))
    assert "no column named 'z'" in read_error(run("anomalies", data, "--id", "z"))


def test_shared_rows_are_noted(run: Run, data: Path, write: Write) -> None:
    same = write("same.csv", make_columns())
    assert "80 rows are in same.csv, too" in flat(run("anomalies", data, "--train", same).stderr)


def test_a_folder_that_cannot_be_written(run: Run, data: Path) -> None:
    Path("taken").write_text("a file")
    assert "cannot write taken" in read_error(run("anomalies", data, "--output", "taken"))
    Path("out").mkdir()
    run("anomalies", data, "--output", "out")
    said = read_error(
        run("anomalies", data, "--model", "out/detector.safetensors", "--feedback", data, "--output", "out")
    )
    assert "is an input of this command and would be overwritten" in said


def test_help_is_complete(run: Run) -> None:
    text = run("anomalies", "--help").output
    options = ("--train", "--model", "--fdr", "--fpr", "--contamination", "--columns", "--id", "--feedback", "--seed")
    assert all(option in text for option in (*options, "--output"))
