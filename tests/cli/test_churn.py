"""``gaussmix churn``: what is printed and written, and input that is not allowed."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from gaussmix.classification import ChurnModel, plan_actions
from gaussmix.cli.app import app
from gaussmix.errors import ValidationError
from tests.cli.conftest import Run, Write, read_error

N_ROWS = 120
COSTS = ("--cost-contact", 10, "--value-saved", 100, "--success-rate", 0.5)
FILES = ["churn.safetensors", "report.html", "scored.csv", "scored.parquet"]


def make_customers(n_rows: int = N_ROWS, seed: int = 0) -> dict[str, Any]:
    """Return columns of customers, of whom those with few months and a monthly plan leave."""
    rng = np.random.default_rng(seed)
    months, age = rng.integers(1, 72, n_rows), rng.normal(45.0, 12.0, n_rows).round(1)
    is_monthly = rng.random(n_rows) < 0.5
    has_left = rng.random(n_rows) < np.where(is_monthly & (months < 40), 0.8, 0.1)
    plans = np.where(rng.random(n_rows) < 0.05, "", np.where(is_monthly, "monthly", "two, three years"))
    return {
        "customer": [f"C{i:03d}" for i in range(n_rows)],
        "months": months.tolist(),
        "plan": plans.tolist(),
        "age": age.tolist(),
        "quarter": (1 + np.arange(n_rows) * 4 // n_rows).tolist(),
        "fee": (20 + 5 * rng.integers(0, 40, n_rows)).tolist(),
        "left": np.where(has_left, "Yes", "No").tolist(),
    }


def write_csv(path: Path, columns: dict[str, Any]) -> Path:
    """Write columns as a CSV with quotes where they are needed; empty cells stay empty."""
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    lines = [
        ",".join(names),
        *(",".join(f'"{cell}"' if "," in str(cell) else str(cell) for cell in row) for row in rows),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("churn")


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    """The command with nearly all of its options, once for all tests of its output."""
    words = ["churn", write_csv(folder / "data.csv", make_customers()), "--target", "left", "--folds", 2, *COSTS]
    words += ["--drop", "quarter", "--fixed", "age", "--by", "plan", "--output", folder / "out"]
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "80"})


def test_what_is_printed(result: Result) -> None:
    assert result.exit_code == 0, result.output
    said, customers = flat(result.stdout), make_customers()
    n_left = customers["left"].count("Yes")
    assert f"data.csv: {N_ROWS} customers, 5 columns beside 'left'" in said
    assert f"{n_left} of {N_ROWS} customers left ({100 * n_left / N_ROWS:.1f}%)." in said
    assert f"models that had not seen the customer: 2 stratified folds of {N_ROWS} rows." in said
    for model in ("mixture classifier", "logistic regression", "histogram gradient boosting"):
        assert re.search(rf"^{model} +0\.\d{{4}} +0\.\d{{4}}", result.stdout, re.MULTILINE)
    assert "The mixture classifier ranks" in said
    assert "plan: no group's probabilities" in said or "plan = " in said
    assert re.search(r"^  1  \d+ customers, \d+% \(\d+% to \d+%\)$|^  1  \d+ customers, ", result.stdout, re.MULTILINE)
    assert "no. data row customer probability segment" in said
    assert "why: " in said
    assert re.search(r"change: \S+ = .+ instead of .+: \d", said)
    assert "Fixed columns do not change." in said
    has_segments = "The customers form no groups" not in said
    assert ("segment_probability" in said) == has_segments, "one segment needs no sentence on memberships"
    assert "Of the customers who have not left: contact " in said
    assert "Test of the rule: it would have contacted" in said
    assert all(len(line) <= 80 for line in result.stdout.splitlines()[:-5])
    assert "'customer' identifies the rows and is left out." in flat(result.stderr)


def test_customers_are_listed_by_probability_and_have_not_left(result: Result, folder: Path) -> None:
    listed = re.findall(r"^ *(\d+) +(\d+) +(C\d+) +(\d+)% +\d+$", result.stdout, re.MULTILINE)
    assert [int(number) for number, *_ in listed] == list(range(1, 11))
    assert all(name == f"C{int(row) - 1:03d}" for _, row, name, _ in listed)
    outcomes = make_customers()["left"]
    assert {outcomes[int(row) - 1] for _, row, _, _ in listed} == {"No"}
    shown = [int(percent) for *_, percent in listed]
    assert shown == sorted(shown, reverse=True)
    written = pq.read_table(folder / "out/scored.parquet")["churn_probability"].to_pylist()
    best = sorted((p for p, outcome in zip(written, outcomes, strict=True) if outcome == "No"), reverse=True)[:10]
    assert shown == [round(100 * p) for p in best]


def test_the_tables_have_the_columns_of_the_file(result: Result, folder: Path) -> None:
    assert sorted(path.name for path in (folder / "out").iterdir()) == FILES
    missing = pacsv.ConvertOptions(strings_can_be_null=True)
    own = pacsv.read_csv(folder / "data.csv", convert_options=missing).to_pydict()
    written = pq.read_table(folder / "out/scored.parquet").to_pydict()
    further = [
        "churn_probability",
        "segment",
        "segment_probability",
        "reasons_to_leave",
        "reasons_to_stay",
        "smallest_change",
    ]
    assert list(written) == [*own, *further, "contact", "expected_profit"]
    assert {name: written[name] for name in own} == own
    assert pacsv.read_csv(folder / "out/scored.csv").column_names == list(written)
    p, outcomes = np.array(written["churn_probability"]), np.array(own["left"])
    assert ((p >= 0) & (p <= 1)).all()
    stayed = outcomes == "No"
    plan = plan_actions(p[stayed], 10.0, 100.0, 0.5)
    np.testing.assert_array_equal(np.array(written["contact"])[stayed], plan.is_contacted)
    np.testing.assert_allclose(np.array(written["expected_profit"])[stayed], plan.expected_profits)
    assert not np.array(written["contact"])[~stayed].any()
    assert np.isnan(np.array(written["expected_profit"])[~stayed]).all()
    reasons = np.array(written["reasons_to_leave"])
    assert not any(reasons[~stayed])
    assert any("plan = monthly" in text for text in reasons[stayed])
    assert not any("age" in text for text in written["smallest_change"]), "age is fixed"
    assert any("months = " in text or "plan = " in text for text in written["smallest_change"])


def test_the_model_and_the_page_are_those_of_the_run(result: Result, folder: Path) -> None:
    model = ChurnModel.load(folder / "out/churn.safetensors")
    assert model.positive_ == "Yes"
    assert tuple(model.fixed_columns) == ("age",)
    assert "quarter" not in model.classifier_.schema_.input_columns
    page = (folder / "out/report.html").read_text()
    assert "Churn in data.csv" in page
    assert "Groups of plan" in page
    assert "Fixed columns do not change." in page
    assert "'customer' identifies the rows and is left out." in page.replace("&#39;", "'")
    segments = re.findall(r"^  \d  (\d+) customers, (\S+) \(", result.stdout, re.MULTILINE)
    assert len(segments) == len(model.segments())
    assert [size for size, _ in segments] == [f"{segment.n_customers:,.0f}" for segment in model.segments()]


def test_equal_seeds_give_equal_files(result: Result, folder: Path, run: Run) -> None:
    words = ("churn", folder / "data.csv", "--target", "left", "--folds", 2, "--drop", "quarter", *COSTS)
    again = run(*words, "--fixed", "age", "--by", "plan", "--output", "again")
    assert again.stdout.replace("again:", "out:") == result.stdout.replace(f"{folder}/out:", "out:")
    for name in ("scored.parquet", "report.html"):
        assert Path("again", name).read_bytes() == (folder / "out" / name).read_bytes()


def test_the_seed_is_that_of_all_models(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    seeds: list[Any] = []

    def fit(model: ChurnModel, X: Any, y: Any) -> ChurnModel:
        seeds.extend([model.random_state, model.classifier.random_state])
        model.classifier_ = SimpleNamespace(notes_=())
        return model

    def compare(*arguments: Any, random_state: int, **options: Any) -> Any:
        seeds.append(random_state)
        raise ValidationError.equal_times("now")

    monkeypatch.setattr(ChurnModel, "fit", fit)
    monkeypatch.setattr("gaussmix.cli.churn_training.compare_with_peers", compare)
    words = ["churn", str(write_csv(folder / "data.csv", make_customers())), "--target", "left", "--seed", "7"]
    assert CliRunner().invoke(app, words).exit_code == 1
    assert seeds == [7, 7, 7]


def test_a_split_in_time_and_a_column_of_values(run: Run, write: Write) -> None:
    customers = make_customers()
    data = write("data.parquet", {**customers, "left": pa.array([label == "Yes" for label in customers["left"]])})
    words = ("churn", data, "--target", "left", "--time", "quarter", "--test-fraction", 0.5, *COSTS)
    result = run(*words, "--value-saved", "fee")
    assert result.exit_code == 0, result.output
    assert "come from a test in time: trained on the 60 rows up to 2, tested on the 60 later rows." in flat(
        result.stdout
    )
    assert "Note: 'quarter' says which customers are later, and is not an input." in flat(result.stderr)
    assert "--fixed of gaussmix churn" in flat(result.stdout)
    written = pq.read_table("data-churn/scored.parquet").to_pydict()
    stayed = ~np.array(written["left"])
    assert written["tested"] == [quarter > 2 for quarter in customers["quarter"]]
    n_untested = int(np.sum(stayed & ~np.array(written["tested"])))
    assert (
        f"{n_untested} of the {stayed.sum()} customers who have not left are not among those who were tested"
        in flat(result.stdout)
    )
    plan = plan_actions(np.array(written["churn_probability"])[stayed], 10.0, np.array(written["fee"])[stayed], 0.5)
    np.testing.assert_allclose(np.array(written["expected_profit"])[stayed], plan.expected_profits)


def test_one_of_three_outcomes_counts_as_left_and_odd_columns_are_notes(run: Run, folder: Path) -> None:
    columns = make_customers(90)
    for name in ("age", "months", "fee", "plan"):
        columns[name][3] = ""
    columns["plan"][5], columns["constant"] = "once", ["x"] * 90
    columns["left"] = [
        "stayed" if label == "No" else ("moved", "gone")[i % 3 > 0] for i, label in enumerate(columns["left"])
    ]
    data = write_csv(folder / "three.csv", columns)
    unclear = read_error(run("churn", data, "--target", "left"))
    assert "the values 'gone', 'moved', 'stayed' of the target 'left' do not tell which one means" in unclear
    assert "--positive gone, --positive moved or --positive stayed, whichever does" in unclear
    result = run("churn", data, "--target", "left", "--positive", "GONE", "--folds", 2, "--categorical", "quarter")
    assert result.exit_code == 0, result.output
    assert "Note: left = gone counts as left, and moved and stayed as stayed." in flat(result.stderr)
    assert f"{columns['left'].count('gone')} of 90 customers left" in flat(result.stdout)
    assert "contact" not in result.stdout
    assert "'constant'" in result.stderr
    written = pq.read_table("three-churn/scored.parquet").to_pydict()
    assert not {"contact", "expected_profit"} & set(written)
    assert 0.0 < written["churn_probability"][3] < 1.0, "a customer without cells"


USAGE: dict[str, tuple[tuple[object, ...], str]] = {
    "one of the costs": (("--cost-contact", 10), "add --value-saved and --success-rate"),
    "negative cost": (("--cost-contact", -1), "is not a number of at least 0; give one, such as 0.5"),
    "negative value": (
        ("--cost-contact", 1, "--value-saved", -5, "--success-rate", 0.5),
        "is not a number of at least 0",
    ),
    "rate above one": (("--success-rate", 1.5), "is not a number above 0 and at most 1"),
    "one fold": (("--folds", 1), "is not a whole number of at least 2"),
    "folds and time": (("--folds", 3, "--time", "quarter"), "--time and --folds exclude each other"),
    "fraction without time": (("--test-fraction", 0.3), "--test-fraction belongs to --time"),
    "the target is dropped": (("--drop", "left"), "'left' is the target"),
    "a name twice": (("--drop", "age,age"), "'age' appears twice"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage(case: str, run: Run, folder: Path) -> None:
    words, sentence = USAGE[case]
    result = run("churn", write_csv(folder / "data.csv", make_customers()), "--target", "left", *words)
    assert result.exit_code == 2
    assert sentence in flat(re.sub("[│╭╰─╮╯]", " ", result.stderr))
    assert not Path("data-churn").exists()


def _change(**columns: Any) -> dict[str, Any]:
    return {**make_customers(), **columns}


OUTCOMES = make_customers()["left"]
BAD: dict[str, tuple[dict[str, Any], tuple[object, ...], str]] = {
    "no such target": (_change(), ("--target", "Left"), "no column named 'Left' (did you mean 'left'?)"),
    "one class": (_change(left=["Yes"] * N_ROWS), (), "the target has one class only, 'Yes'"),
    "missing outcomes": (_change(left=["", *OUTCOMES[1:]]), (), "'left', the target, has no value in 1 data row"),
    "many outcomes": (_change(left=list(range(N_ROWS))), (), f"the target has {N_ROWS} different values"),
    "unknown outcome": (_change(), ("--positive", "yess"), "'yess' is no value of the target 'left'"),
    "a class of one row": (
        _change(left=["Yes", *["No"] * (N_ROWS - 1)]),
        (),
        "fewer folds (n_folds, or --folds), or more rows",
    ),
    "target in disguise": (
        _change(reason=[x.lower() for x in OUTCOMES]),
        (),
        "hardly known before the class is; leave it out, as in X.drop(columns=['reason']) or --drop reason",
    ),
    "nothing to learn from": ({"left": OUTCOMES, "one": [1] * N_ROWS}, (), "no column of X can be used"),
    "typing error": (_change(age=["4o", *make_customers()["age"][1:]]), (), "data row 1 holds '4o'"),
    "equal times": (_change(quarter=[1] * N_ROWS), ("--time", "quarter"), "time is 1 in all rows"),
    "all left late": (
        _change(quarter=[1 + (label == "Yes") for label in OUTCOMES]),
        ("--time", "quarter"),
        "choose another test_fraction (--test-fraction), or random folds without time or --time",
    ),
    "missing value": (
        _change(fee=["", *[5] * (N_ROWS - 1)]),
        (*COSTS[:2], "--value-saved", "fee", *COSTS[4:]),
        "'fee'",
    ),
    "groups of every customer": (_change(), ("--by", "customer"), "customer has 120 distinct values, but at most 50"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case: str, run: Run, folder: Path) -> None:
    columns, words, sentence = BAD[case]
    target = () if "--target" in words else ("--target", "left")
    error = read_error(run("churn", write_csv(folder / "bad.csv", columns), *target, *words))
    assert sentence in error
    assert not Path("bad-churn").exists()


def test_output_paths(run: Run, folder: Path, tmp_path: Path) -> None:
    data = write_csv(folder / "data.csv", make_customers())
    (tmp_path / "file").write_text("")
    assert "is a file, not a folder" in read_error(run("churn", data, "--target", "left", "--output", "file"))
    (tmp_path / "here").mkdir()
    copy = write_csv(tmp_path / "here" / "scored.csv", make_customers())
    error = read_error(run("churn", copy, "--target", "left", "--output", "here"))
    assert "is an input of this command and would be overwritten" in error
