"""The benchmark commands run on tiny shapes."""

import json

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.adapters import PEERS
from benchmarks.commands import recover
from benchmarks.commands.anomaly_rates import SimulatedMixture
from benchmarks.data import BenchmarkCase, make_mixture_rows, select_cases
from benchmarks.peak_rates import count_operations
from benchmarks.scoring import mean_log_likelihood


def test_peers_agree_and_are_timed_and_the_report_has_a_section_for_each_file(tmp_path, capsys):
    """mclust represents a peer that is not installed."""
    peers, small = (str(tmp_path / f"{name}.json") for name in ("peers", "small"))
    names = ["--peers", "gaussmix,gaussmix-dense,scikit-learn,onedal,mclust", "--python", "mclust=/nowhere/Rscript"]
    main(["peers", "--shapes", "300,2,3", "--structures", "tied", *names, "--rounds", "2", "--output", peers])
    main(["small-fit", "--rounds", "1", "--output", small])
    with open(peers, encoding="utf-8") as file:
        record = json.load(file)
    assert record["machine"]["cores"] >= 1
    assert next(iter(record["interpreters"].values()))["packages"]["numpy"]
    (result,) = record["results"]
    timed = [result["peers"][name] for name in ("gaussmix", "gaussmix-dense", "scikit-learn")]
    values = [peer["log_likelihood"] for peer in timed]
    assert max(values) - min(values) < 1e-9
    assert all(len(peer["seconds"]) == 2 for peer in timed)
    assert result["peers"]["onedal"]["reason"] == "does not offer the structure"
    assert result["peers"]["mclust"]["reason"].startswith("not installed")
    capsys.readouterr()
    main(["report", peers, small])
    page = capsys.readouterr().out
    for words in ("## Side by side", "### tied, 300 x 2, K = 3", "## Small fit", "## Versions", "not installed"):
        assert words in page


def test_factors_are_fitted_and_measured(tmp_path, capsys):
    path = str(tmp_path / "factors.json")
    shape = ["--shape", "120,12,2", "--factors", "1", "--loading-sds", "0.5", "--seeds", "1"]
    main(["factors", *shape, "--structures", "UUU,UUX", "--output", path])
    with open(path, encoding="utf-8") as file:
        fit, failure = json.load(file)["results"]["fits"]
    assert fit["adjusted_rand_index"] > 0.9
    assert fit["peak_bytes"] > 1e6
    assert failure["reason"].startswith("failed: ParameterError")
    assert "| UUU | 0.5 | 0 |" in capsys.readouterr().out


def test_variational_iterations_agree_and_are_timed(tmp_path, capsys):
    path = str(tmp_path / "bayes.json")
    main(["bayes", "--shape", "300,2,3", "--structures", "tied", "--rounds", "2", "--output", path])
    with open(path, encoding="utf-8") as file:
        (result,) = json.load(file)["results"]
    assert result["bounds"]["gaussmix"] == pytest.approx(result["bounds"]["scikit-learn"], rel=1e-9)
    assert all(len(seconds) == 2 for seconds in result["seconds"].values())
    assert "| tied, 300 x 2, K = 3 |" in capsys.readouterr().out


@pytest.mark.parametrize("models", ["mixture", "bayes"])
def test_predictions_are_timed(models, tmp_path, capsys):
    path = str(tmp_path / "predictions.json")
    main(
        [
            "predictions",
            "--shapes",
            "2,3",
            "--structures",
            "diag",
            "--rows",
            "1,20",
            "--models",
            models,
            "--output",
            path,
        ]
    )
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    assert [result["n_rows"] for result in results] == [1, 20]
    assert all(own > 0 and ratio > 0 for result in results for own, ratio in result["seconds"].values())
    assert "| 2 columns, 3 components, diag | 20 |" in capsys.readouterr().out


def test_kmeans_agrees_and_is_timed(tmp_path, capsys):
    path = str(tmp_path / "kmeans.json")
    main(["kmeans", "--shape", "600,2,3", "--seeds", "2", "--output", path])
    with open(path, encoding="utf-8") as file:
        libraries = json.load(file)["results"]["libraries"]
    for ours, theirs in zip(*libraries.values(), strict=True):
        assert ours["inertia"] == pytest.approx(theirs["inertia"], rel=1e-9)
        assert (ours["n_iter"], ours["sizes"]) == (theirs["n_iter"], theirs["sizes"])
    assert "| median |" in capsys.readouterr().out


def test_drift_is_found_and_false_alarms_are_counted(tmp_path, capsys):
    path = str(tmp_path / "drift.json")
    sizes = ["--streams", "1", "--rows", "50", "--references", "100", "--changes", "0,60"]
    main(["anomaly-drift", *sizes, "--output", path])
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    assert [result["kind"] for result in results] == ["Gaussian", "heavy tails", "discrete", "mixture"]
    for result in results:
        (stream,) = result["streams"]
        assert stream["stationary"]["average"] is None
        assert 0 <= stream["changes"]["0"]["average"] < 200
        assert 60 <= stream["changes"]["60"]["average"] < 260
    assert "| Gaussian | 100 | 1 | 0.0 % | 0.0 % |" in capsys.readouterr().out


def test_error_rates_of_anomalies_are_measured(tmp_path, capsys):
    path = str(tmp_path / "rates.json")
    sizes = ["--mixtures", "2", "--rows", "300", "--runs", "2", "--run-rows", "60"]
    main(["anomaly-rates", *sizes, "--calibrations", "split, clean;contaminated", "--output", path])
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    assert [list(mixture) for mixture in results["mixtures"]] == 2 * [
        ["split, clean", "contaminated", "true density", "true density, 1000 calibration rows"]
    ]
    assert [list(run) for run in results["runs"]] == 2 * [["split, clean", "contaminated"]]
    for mixture in results["mixtures"]:
        assert all(0.0 <= rate <= 1.0 for rates in mixture.values() for rate in rates.values())
        assert mixture["true density"]["power"] > 0.5
    assert "| true density |" in capsys.readouterr().out


def test_density_of_a_simulated_mixture_agrees_with_scipy():
    from scipy.stats import multivariate_normal

    rng = np.random.default_rng(0)
    mixture = SimulatedMixture.draw(rng)
    rows = mixture.draw_rows(rng, 20)
    groups = zip(mixture.weights, mixture.centers, mixture.roots, strict=True)
    density = sum(w * multivariate_normal(center, root @ root.T).pdf(rows) for w, center, root in groups)
    np.testing.assert_allclose(mixture.log_density(rows) - 2 * np.log(2 * np.pi), np.log(density), rtol=1e-10)


def test_unknown_peer_is_refused():
    with pytest.raises(SystemExit, match="nobody unknown; allowed are gaussmix"):
        main(["peers", "--peers", "gaussmix,nobody"])


def test_cases_are_selected_by_structure_or_shape():
    assert {case.structure for case in select_cases("diag,tied", None)} == {"diag", "tied"}
    assert select_cases(None, ["10,2,3,9"]) == [BenchmarkCase("full", 10, 2, 3, 9.0)]
    assert str(BenchmarkCase("full", 200_000, 8, 16)) == "full, 200 000 x 8, K = 16"


def test_log_likelihood_agrees_with_scikit_learn():
    from sklearn.mixture import GaussianMixture

    rows, _ = make_mixture_rows(BenchmarkCase("full", 500, 3, 2))
    fitted = GaussianMixture(2, random_state=0).fit(rows)
    own = mean_log_likelihood(rows, fitted.weights_, fitted.means_, fitted.covariances_)
    assert own == pytest.approx(fitted.score(rows), rel=1e-12)


def test_roofline_counts_a_triangular_product_and_half_a_symmetric_one():
    assert count_operations(BenchmarkCase("full", 10, 3, 2)) == 2 * 10 * 2 * 9
    assert all(peer.package_names for peer in PEERS.values())


def test_solvers_reach_one_goal(tmp_path, capsys):
    path = str(tmp_path / "solvers.json")
    size = ["--separations", "1", "--columns", "2", "--rows", "200", "--components", "2", "--seeds", "1"]
    main(["solvers", *size, "--output", path])
    with open(path, encoding="utf-8") as file:
        (run,) = json.load(file)["results"]["runs"]
    assert run["n_iter"]["em"] >= 1
    assert "better of SQUAREM and Anderson" in capsys.readouterr().out


def test_recovery_is_counted_on_simulated_tables():
    rng = np.random.default_rng(0)
    tables = [recover.simulate_table(rng) for _ in range(10)]
    assert all(len(table) >= 60 and np.isfinite(table).all() for table in tables)
    assert len({table.shape[1] for table in tables}) > 2
    right = {"n_components": 2, "ari": 1.0, "seconds": 0.1, "bic": 10.0}
    wrong = {"n_components": 3, "ari": 0.5, "seconds": 0.4, "bic": 9.0}
    answers = [
        {"shape": [60, 1], "n_groups": 2, "gaussmix": right, "mclust": wrong},
        {"shape": [60, 2], "n_groups": 3, "gaussmix": wrong, "mclust": right},
    ]
    row = recover.format_results({"5": answers}).splitlines()[-1]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("5", "2", "2", "0", "0.7500", "0.7500", "2.12", "1", "0.10", "1")
    ]


def test_explanations_of_planted_anomalies_are_counted(tmp_path, capsys):
    path = str(tmp_path / "explain.json")
    main(["anomaly-explain", "--cases", "20", "--table-seeds", "1", "--output", path])
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    assert set(results) == {"column", "pair", "several"}
    assert results["column"]["explain_rows"][0] > 0.6
    assert "| explain_rows |" in capsys.readouterr().out


def test_first_use_times_whole_commands_and_their_parts(tmp_path, capsys):
    path = str(tmp_path / "first-use.json")
    main(["first-use", "--rounds", "1", "--output", path])
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    assert len(results) == 7
    assert all(len(rounds) == 1 and rounds[0]["wall"] > 0 for rounds in results.values())
    assert "| - its report |" in capsys.readouterr().out


def test_missing_cells_are_measured(tmp_path, capsys):
    path = str(tmp_path / "missing.json")
    options = ["--passes", "600,3,2,10 %", "--structures", "VVI EEE", "--fractions", "0.2", "--seeds", "1"]
    main(["missing-cells", *options, "--choices", "faithful", "--rounds", "2", "--output", path])
    with open(path, encoding="utf-8") as file:
        (parts,) = json.load(file)["results"]
    assert [fit["n_below"] + fit["n_falls"] for fit in parts["fits"]] == [0, 0]
    assert parts["passes"][0]["n_patterns"] > 4
    page = capsys.readouterr().out
    assert "| 600 x 3, K = 2, 10 % |" in page
    assert "| faithful | EEE,3 |" in page
