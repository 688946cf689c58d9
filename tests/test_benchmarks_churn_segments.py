"""The benchmark of segment churn rates: simulated customers are what they say, and a small run covers."""

import json

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.commands import churn_segments
from benchmarks.simulated_customers import KINDS, CustomerPopulation
from gaussmix.classification.churn import segment_fitting


@pytest.mark.parametrize("kind", KINDS)
def test_simulated_customers_are_of_their_kind(kind):
    rng, options = np.random.default_rng(0), KINDS[kind]
    population = CustomerPopulation.draw(options, rng)
    customers = population.draw_customers(rng, 400)
    assert len(customers.table) == options.n_numeric + options.n_categorical
    assert {len(column) for column in customers.table.values()} == {400}
    assert population.weights.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(population.levels.sum(axis=2), 1.0)
    low, high = options.rates
    rates = 1.0 / (1.0 + np.exp(-population.log_odds))
    assert (rates >= low - 1e-12).all()
    assert (rates <= high + 1e-12).all()
    distinct = np.unique(customers.probabilities.round(12))
    assert len(distinct) == 400 if options.slope else len(distinct) <= len(rates)


@pytest.fixture
def small(monkeypatch):
    """Fewer numbers of segments and fresh customers, which takes less time."""
    monkeypatch.setattr(segment_fitting, "MAX_SEGMENTS", 3)
    monkeypatch.setattr(churn_segments, "_N_FRESH", 5_000)


@pytest.mark.usefixtures("small")
@pytest.mark.filterwarnings("ignore")
def test_intervals_of_fitted_segments_cover():
    records = [record for seed in range(10) for record in churn_segments.simulate_segments("500 customers", seed)]
    assert len(records) >= 20
    is_covered = [record["low"] <= record["fresh_rate"] <= record["high"] for record in records]
    assert np.mean(is_covered) >= 0.75


@pytest.mark.usefixtures("small")
def test_the_command_writes_a_record_and_prints_a_table(tmp_path, capsys):
    path = tmp_path / "segments.json"
    main(["churn-segments", "--kinds", "500 customers", "--tables", "1", "--output", str(path)])
    printed = capsys.readouterr().out
    record = json.loads(path.read_text())
    assert {row["kind"] for row in record["results"]} == {"500 customers"}
    assert "| 500 customers | 1 | " in printed
    assert "| all | 1 | " in printed
    with pytest.raises(SystemExit, match="magic unknown"):
        main(["churn-segments", "--kinds", "magic"])


def test_records_are_merged_by_table():
    def row(kind, table, rate):
        return {"kind": kind, "table": table, "rate": rate, "low": 0.0, "high": 1.0, "fresh_rate": 0.5, "fraction": 0.5}

    first, second = [row("a", 0, 0.1), row("a", 0, 0.2), row("a", 1, 0.3)], [row("a", 1, 0.4), row("b", 0, 0.5)]
    merged = churn_segments.merge_results([first, second])
    assert [each["rate"] for each in merged] == [0.1, 0.2, 0.4, 0.5]
    table = churn_segments.format_results([*merged[:2], {**merged[2], "fresh_rate": 2.0}])
    assert "| a | 2 | 3 | 0.667 ± " in table
    assert "| 0.000 | 0.333 | 0.5000 | 0.200 |" in table
