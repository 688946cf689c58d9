"""Count how often the explanation of an anomaly names what was planted: one column, a pair, or several columns."""

import time
from argparse import ArgumentParser, Namespace

import numpy as np
from scipy.stats import random_correlation

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Explanations of planted anomalies"
EXPLANATION = """\
Simulated mixtures of 1 to 5 groups in 3 to 12 columns, of random correlations, are fitted. Fresh rows are changed: one
column by 4 conditional standard deviations; one of two columns of correlation 0.9 by as much; or 2 or 3 columns by 6
standard deviations. Counted is how often `explain_rows` names first what was changed, or exactly the pair. Other rules
stand beside it, and as a bound the most probable column if the true mixture and the size of the change are known."""

_N_ROWS_PER_TABLE = 5
_CORRELATION_OF_PAIR = 0.9
_SIZE, _SIZE_OF_SEVERAL = 4.0, 6.0


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--cases", type=int, default=500, help="number of planted anomalies of each kind and seed")
    parser.add_argument("--table-seeds", default="1,2,3,4,5,6", help="seeds of the tables, separated by commas")


def run_benchmark(arguments: Namespace) -> dict[str, dict]:
    """Return for each kind of anomaly and each rule the fraction of right answers, by seed."""
    results: dict[str, dict] = {"column": {}, "pair": {}, "several": {}}
    for seed in arguments.table_seeds.split(","):
        for kind, by_rule in results.items():
            print_progress(f"seed {seed}, {kind}")
            for rule, fraction in _measure_kind(kind, int(seed), arguments.cases).items():
                by_rule.setdefault(rule, []).append(fraction)
    return results


def _measure_kind(kind: str, seed: int, n_cases: int) -> dict[str, float]:
    """Return the fraction of right answers of each rule for one kind and seed, and milliseconds per row."""
    from gaussmix import GaussianMixture

    rng = np.random.default_rng([seed, len(kind)])
    right: dict[str, list] = {}
    for _ in range(-(-n_cases // _N_ROWS_PER_TABLE)):
        truth = simulate_mixture(rng, kind == "pair")
        weights, means, covariances = truth
        training, _groups = _draw(rng, truth, max(600, 45 * means.size))
        fitted = GaussianMixture(len(weights), random_state=0).fit(training).model_
        rows, groups = _draw(rng, truth, _N_ROWS_PER_TABLE)
        planted = plant(rng, kind, rows, groups, covariances)
        for rule, values in _judge(kind, fitted, truth, rows, planted).items():
            right.setdefault(rule, []).extend(values)
    return {rule: float(np.mean(values[:n_cases])) for rule, values in right.items()}


def simulate_mixture(rng: np.random.Generator, with_pair: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights (K,), means (K, D) and covariances (K, D, D); columns 0 and 1 can be a correlated pair."""
    n_groups, n_columns = int(rng.integers(1, 6)), int(rng.integers(3, 13))
    covariances = []
    for _ in range(n_groups):
        values = np.maximum(rng.dirichlet(np.full(n_columns, rng.choice([1.0, 2.0, 5.0]))) * n_columns, 0.02)
        correlations = random_correlation.rvs(values * n_columns / values.sum(), random_state=rng)
        if with_pair:  # column 0 is 0.9 times column 1 and independent rest
            link = np.eye(n_columns)
            link[0, 0], link[0, 1] = 0.0, _CORRELATION_OF_PAIR
            correlations = link @ correlations @ link.T
            correlations[0, 0] += 1.0 - _CORRELATION_OF_PAIR**2
        scales = np.exp(rng.normal(0, 0.4, n_columns))
        covariances.append(correlations * scales[:, None] * scales)
    means = rng.normal(size=(n_groups, n_columns))
    if n_groups > 1:
        distances = np.linalg.norm(means[:, None] - means[None], axis=2) + 1e9 * np.eye(n_groups)
        means *= rng.uniform(3, 8) / distances.min()
    return rng.dirichlet(np.full(n_groups, 6.0)), means, np.array(covariances)


def _draw(rng: np.random.Generator, truth: tuple, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random rows (n, D) of a mixture and their groups (n,)."""
    weights, means, covariances = truth
    groups = rng.choice(len(weights), size=n_rows, p=weights)
    noise = rng.normal(size=(n_rows, means.shape[1]))
    return means[groups] + np.einsum("nij,nj->ni", np.linalg.cholesky(covariances)[groups], noise), groups


def plant(
    rng: np.random.Generator, kind: str, rows: np.ndarray, groups: np.ndarray, covariances: np.ndarray
) -> list[set[int]]:
    """Change the rows (n, D) in place; return the set of planted columns of each."""
    deviations = 1.0 / np.sqrt(np.einsum("kii->ki", np.linalg.inv(covariances)))
    planted = []
    for i, group in enumerate(groups):
        if kind == "several":
            columns = rng.choice(rows.shape[1], size=int(rng.integers(2, 4)), replace=False)
            sizes = _SIZE_OF_SEVERAL * np.sqrt(np.diagonal(covariances[group]))[columns]
        else:
            columns = rng.integers(0, 2 if kind == "pair" else rows.shape[1], size=1)
            sizes = _SIZE * deviations[group, columns]
        rows[i, columns] += sizes * rng.choice([-1.0, 1.0], size=len(columns))
        planted.append({0, 1} if kind == "pair" else set(columns.tolist()))
    return planted


def _judge(kind: str, fitted, truth: tuple, rows: np.ndarray, planted: list[set[int]]) -> dict[str, list[float]]:
    """Return for each rule whether it is right on each row (precision and recall for several columns)."""
    from gaussmix.anomaly.explanation import explain_rows

    start_time = time.perf_counter()
    explained = explain_rows(fitted, rows, is_anomaly=True)
    milliseconds = 1e3 * (time.perf_counter() - start_time) / len(rows)
    named = [set(columns[columns >= 0].tolist()) for columns in explained.deviating_columns]
    answers: dict[str, list[float]] = {"milliseconds per row": [milliseconds] * len(rows)}
    if kind == "pair":
        answers["explain_rows"] = [set(pair.tolist()) == {0, 1} for pair in explained.pair_columns]
        scores = {"two largest conditional z": np.abs(explained.conditional_z)}
        scores["two largest contributions"] = explained.contributions
        for rule, values in scores.items():
            answers[rule] = [set(np.argsort(-row)[:2].tolist()) == {0, 1} for row in values]
        return answers
    answers["explain_rows"] = [int(j) in columns for j, columns in zip(explained.first_columns, planted, strict=True)]
    if kind == "several":
        pairs = list(zip(named, planted, strict=True))
        answers["precision of all named columns"] = [len(a & b) / max(len(a), 1) for a, b in pairs]
        answers["recall of all named columns"] = [len(a & b) / len(b) for a, b in pairs]
    for rule, values in (_score_by_other_rules(fitted, rows, explained) | _score_by_truth(truth, rows)).items():
        answers[rule] = [int(row.argmax()) in columns for row, columns in zip(values, planted, strict=True)]
    return answers


def _measure(weights: np.ndarray, means: np.ndarray, covariances: np.ndarray, rows: np.ndarray) -> tuple:
    """Return conditional z (n, K, D), contributions, squared distances (n, K) and log joint densities (n, K)."""
    precisions = np.linalg.inv(covariances)
    differences = rows[:, None] - means
    forces = np.einsum("kij,nkj->nki", precisions, differences)
    z = forces / np.sqrt(np.einsum("kii->ki", precisions))
    distances = (differences * forces).sum(axis=2)
    joint = np.log(weights) - 0.5 * np.linalg.slogdet(covariances)[1] - 0.5 * distances
    return z, differences * forces, distances, joint


def _score_by_other_rules(fitted, rows: np.ndarray, explained) -> dict[str, np.ndarray]:
    """Return scores (n, D) of the columns by simpler rules."""
    z, contributions, distances, joint = _measure(fitted.weights, fitted.means, fitted.covariances, rows)
    index, nearest, likeliest = np.arange(len(rows)), distances.argmin(axis=1), joint.argmax(axis=1)
    return {
        "contribution, same group": explained.contributions,
        "marginal z, same group": np.abs(explained.marginal_z),
        "conditional z, group of the smallest distance": np.abs(z[index, nearest]),
        "contribution, group of the smallest distance": contributions[index, nearest],
        "conditional z, most probable group": np.abs(z[index, likeliest]),
    }


def _score_by_truth(truth: tuple, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the log posterior (n, D) of each column, given the true mixture and the size of the change."""
    z, _, _, joint = _measure(*truth, rows)
    return {"bound: true mixture and size": np.logaddexp.reduce(joint[:, :, None] + _SIZE * np.abs(z), axis=1)}


def format_results(results: dict[str, dict]) -> str:
    """Return one table per kind of anomaly, with a column per seed."""
    titles = {
        "column": "one column moved: that column is named first",
        "pair": "a correlation of 0.9 broken: exactly that pair is named",
        "several": "two or three columns moved: one of them is named first",
    }
    tables = []
    for kind, by_rule in results.items():
        n_seeds = len(next(iter(by_rule.values())))
        head = [titles[kind], "mean", *(f"{i + 1}" for i in range(n_seeds))]
        rows = [[rule, *(f"{value:.3f}" for value in (np.mean(values), *values))] for rule, values in by_rule.items()]
        tables.append(format_table(head, rows))
    return "\n\n".join(tables)
