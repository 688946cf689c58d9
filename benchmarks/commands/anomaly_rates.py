"""Measure the error rates of the anomaly detector's calibrations on simulated mixtures with planted anomalies."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass

import numpy as np
from scipy.stats import kstest

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Error rates of anomaly detection"
EXPLANATION = """\
`AnomalyDetector` on simulated mixtures of 2 to 5 groups in 4 columns. A tenth of the 1000 test rows are planted
anomalies, 3 to 6 standard deviations from the center of a group. Benjamini and Hochberg select rows at a nominal false
discovery rate of .1. The last but one row does so with p-values of the true density, the last one with those of 1000
calibration rows scored by the true density: no detector that is calibrated on as many rows can be expected to do
better. "Oracle threshold" is the power if somebody who knows the anomalies had chosen the threshold of the same scores
so that at most a tenth of the rows beyond it are normal. The false positive rate is the fraction of normal test rows
with a p-value of at most .05. Contaminated training rows contain 5 % such anomalies. Kolmogorov and
Smirnov test whether the p-values of one fresh normal row a run are uniform, each with a mixture and a fit of its own.
The guarantee covers split calibration on clean rows only."""

NOMINAL_FDR, NOMINAL_FPR = 0.1, 0.05
_N_COLUMNS, _N_TEST_ROWS, _N_ORACLE_ROWS, _N_CALIBRATION_ROWS = 4, 1000, 100_000, 1000
_TEST_ANOMALIES, _TRAINING_ANOMALIES = 0.1, 0.05

# Options of the detector, and the fraction of anomalies among the training rows.
CALIBRATIONS: dict[str, tuple[dict, float]] = {
    "split, clean": ({"training": "clean", "calibration": "split"}, 0.0),
    "cross, clean": ({"training": "clean", "calibration": "cross"}, 0.0),
    "jackknife+, clean": ({"training": "clean", "calibration": "jackknife+"}, 0.0),
    "contaminated": ({"training": "contaminated"}, _TRAINING_ANOMALIES),
    "contaminated, clean rows": ({"training": "contaminated"}, 0.0),
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--mixtures", type=int, default=200, help="simulated mixtures for the rates")
    parser.add_argument("--rows", type=int, default=4000, help="training rows for the rates")
    parser.add_argument("--runs", type=int, default=500, help="runs with one fresh row for the test of uniformity")
    parser.add_argument("--run-rows", type=int, default=500, help="training rows of such a run")
    parser.add_argument("--calibrations", default=";".join(CALIBRATIONS), help="names separated by semicolons")


@dataclass(frozen=True)
class SimulatedMixture:
    """A Gaussian mixture: weights (K,), centers (K, D) and square roots of the covariances (K, D, D)."""

    weights: np.ndarray
    centers: np.ndarray
    roots: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "SimulatedMixture":
        """Return a random mixture of 2 to 5 groups, most of which overlap little."""
        n_groups = int(rng.integers(2, 6))
        axes = np.linalg.qr(rng.normal(size=(n_groups, _N_COLUMNS, _N_COLUMNS)))[0]
        deviations = np.exp(rng.normal(0.0, 0.5, size=(n_groups, 1, _N_COLUMNS)))
        centers = rng.normal(0.0, 4.0, size=(n_groups, _N_COLUMNS))
        return cls(rng.dirichlet(np.full(n_groups, 5.0)), centers, axes * deviations)

    def draw_rows(self, rng: np.random.Generator, n_rows: int) -> np.ndarray:
        """Return normal rows (n, D)."""
        return self._place(rng, rng.normal(size=(n_rows, _N_COLUMNS)))

    def draw_anomalies(self, rng: np.random.Generator, n_rows: int) -> np.ndarray:
        """Return rows (n, D) that are 3 to 6 standard deviations from the center of a group."""
        directions = rng.normal(size=(n_rows, _N_COLUMNS))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return self._place(rng, directions * rng.uniform(3.0, 6.0, size=(n_rows, 1)))

    def _place(self, rng: np.random.Generator, whitened: np.ndarray) -> np.ndarray:
        """Return whitened rows (n, D) in the coordinates of groups drawn by weight."""
        groups = rng.choice(len(self.weights), size=len(whitened), p=self.weights)
        return self.centers[groups] + np.einsum("nij,nj->ni", self.roots[groups], whitened)

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """Return the log density of rows (n, D), without the constant."""
        whitened = np.einsum("kij,nkj->nki", np.linalg.inv(self.roots), rows[:, None, :] - self.centers)
        constants = np.log(self.weights) - np.linalg.slogdet(self.roots)[1]
        return np.logaddexp.reduce(constants - 0.5 * (whitened**2).sum(axis=2), axis=1)


def run_benchmark(arguments: Namespace) -> dict[str, list]:
    """Return the rates for each mixture, and the p-value of the fresh row for each run."""
    names = [name.strip() for name in arguments.calibrations.split(";")]
    mixtures, runs = [], []
    for seed in range(arguments.mixtures):
        print_progress(f"mixture {seed + 1} of {arguments.mixtures}")
        mixtures.append(_measure_rates(seed, arguments.rows, names))
    for seed in range(arguments.runs):
        print_progress(f"run {seed + 1} of {arguments.runs}")
        runs.append(_compute_fresh_p_values(seed, arguments.run_rows, names))
    return {"mixtures": mixtures, "runs": runs}


def _measure_rates(seed: int, n_rows: int, names: list[str]) -> dict[str, dict]:
    """Return the rates of each calibration and of the oracle on one mixture."""
    from gaussmix.anomaly import select_by_fdr

    rng = np.random.default_rng([seed, 0])
    mixture = SimulatedMixture.draw(rng)
    n_anomalies = round(_TEST_ANOMALIES * _N_TEST_ROWS)
    anomalies = mixture.draw_anomalies(rng, n_anomalies)
    rows = np.concatenate([anomalies, mixture.draw_rows(rng, _N_TEST_ROWS - n_anomalies)])
    is_anomaly = np.arange(len(rows)) < n_anomalies
    p_values = {name: _fit_detector(name, mixture, rng, n_rows, seed).p_values(rows) for name in names}
    densities = np.sort(mixture.log_density(mixture.draw_rows(rng, _N_ORACLE_ROWS)))
    n_lower = np.searchsorted(densities, mixture.log_density(rows), side="right")
    p_values["true density"] = (n_lower + 1) / (_N_ORACLE_ROWS + 1)
    p_values["true density, 1000 calibration rows"] = _compute_conformal_p_values(mixture, rows, rng)
    return {
        name: _count_errors(select_by_fdr(values, NOMINAL_FDR), values, is_anomaly) for name, values in p_values.items()
    }


def _compute_conformal_p_values(mixture: SimulatedMixture, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return p-values (n,) of rows by the true density and as many calibration rows as a detector of many has."""
    densities = np.sort(mixture.log_density(mixture.draw_rows(rng, _N_CALIBRATION_ROWS)))
    n_lower = np.searchsorted(densities, mixture.log_density(rows), side="right")
    return (n_lower + 1) / (_N_CALIBRATION_ROWS + 1)


def _fit_detector(name: str, mixture: SimulatedMixture, rng: np.random.Generator, n_rows: int, seed: int):
    """Return the detector of one calibration, fitted to rows of the mixture."""
    from gaussmix.anomaly import AnomalyDetector

    options, contamination = CALIBRATIONS[name]
    n_anomalies = round(contamination * n_rows)
    normal = mixture.draw_rows(rng, n_rows - n_anomalies)
    return AnomalyDetector(**options, random_state=seed).fit(
        np.concatenate([mixture.draw_anomalies(rng, n_anomalies), normal])
    )


def _count_errors(is_selected: np.ndarray, p_values: np.ndarray, is_anomaly: np.ndarray) -> dict[str, float]:
    """Return the false discovery proportion, the power, that of an oracle threshold, and the false positive rate."""
    ranks = np.argsort(p_values, kind="stable")
    proportions = np.cumsum(~is_anomaly[ranks]) / np.arange(1, len(ranks) + 1)
    n_beyond = int(np.flatnonzero(proportions <= NOMINAL_FDR).max(initial=-1)) + 1
    return {
        "oracle_power": float(is_anomaly[ranks[:n_beyond]].sum() / is_anomaly.sum()),
        "false_discoveries": float((is_selected & ~is_anomaly).sum() / max(1, is_selected.sum())),
        "power": float(is_selected[is_anomaly].mean()),
        "false_positives": float((p_values[~is_anomaly] <= NOMINAL_FPR).mean()),
    }


def _compute_fresh_p_values(seed: int, n_rows: int, names: list[str]) -> dict[str, float]:
    """Return the p-value of one fresh normal row for each calibration, with random ties."""
    rng = np.random.default_rng([seed, 1])
    mixture = SimulatedMixture.draw(rng)
    fresh = mixture.draw_rows(rng, 1)
    detectors = {name: _fit_detector(name, mixture, rng, n_rows, seed) for name in names}
    return {name: float(detector.p_values(fresh, randomize_ties=True)[0]) for name, detector in detectors.items()}


def format_results(results: dict[str, list]) -> str:
    """Return a table with one row for each calibration, and one for the oracle."""
    head = ["calibration", f"false discovery rate, nominal {NOMINAL_FDR}", "power", "oracle threshold"]
    head += [f"false positive rate, nominal {NOMINAL_FPR}", "p-value of the test of uniformity"]
    names = list(results["mixtures"][0]) if results["mixtures"] else list(results["runs"][0])
    return format_table(head, [_format_calibration(name, results) for name in names])


def _format_calibration(name: str, results: dict[str, list]) -> list[str]:
    """Return the row of one calibration; rates are means with their standard errors."""
    cells = [name]
    for measure in ("false_discoveries", "power", "oracle_power", "false_positives"):
        values = np.array([mixture[name][measure] for mixture in results["mixtures"]])
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
        cells.append(f"{values.mean():.4f} ± {error:.4f}" if len(values) else "-")
    fresh = [run[name] for run in results["runs"] if name in run]
    return [*cells, f"{kstest(fresh, 'uniform').pvalue:.3g}" if fresh else "-"]
