"""Count the iterations of several solvers on overlapping components, relative to EM."""

from argparse import ArgumentParser, Namespace
from statistics import median

import numpy as np

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Solvers"
EXPLANATION = """\
`GaussianMixture(K, solver=..., means_init=true means, tol=1e-10)` on overlapping components. The distance of the two
nearest means is c times the square root of d times the largest standard deviation (c-separation, Dasgupta, "Learning
mixtures of Gaussians", FOCS 1999). The covariances have random orientations and standard deviations from 0.8 to 1. The
goal is a log-likelihood within 1e-6 per row of the highest final value of any solver. A data set counts if all solvers
end at one optimum and EM takes at least 50 iterations. Ratios are iterations of EM over those of the solver, medians
over the data sets that count. The last column is the largest ratio of the iterations of `auto` to those of EM over all
data sets with one optimum."""

SOLVERS = ("em", "squarem", "anderson", "lbfgs", "natural", "auto")
_GOAL_GAP_PER_ROW = 1e-6
_SAME_OPTIMUM_GAP_PER_ROW = 1e-5  # final values within this distance belong to one optimum
_MIN_EM_ITER = 50


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--separations", default="0.5,1", help="values of c, separated by commas")
    parser.add_argument("--columns", default="2,8,20", help="values of d, separated by commas")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--components", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds, from 0")
    parser.add_argument("--max-iter", type=int, default=10_000)


def make_overlapping_rows(
    separation: float, n_features: int, n_rows: int, n_components: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows (n, d) of overlapping components; return them with the true means (K, d)."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(n_components, n_features))
    min_distance = min(np.linalg.norm(means[i] - means[j]) for i in range(n_components) for j in range(i))
    means *= separation * n_features**0.5 / min_distance
    labels = rng.integers(n_components, size=n_rows)
    deviations = [np.append(1.0, rng.uniform(0.8, 1.0, n_features - 1)) for _ in means]
    axes = [np.linalg.qr(rng.normal(size=(n_features, n_features)))[0] * deviation for deviation in deviations]
    standard_normal = rng.normal(size=(n_rows, n_features))
    return np.array([means[k] + axes[k] @ row for k, row in zip(labels, standard_normal, strict=True)]), means


def run_benchmark(arguments: Namespace) -> dict:
    """Return the iterations to the goal for each data set and solver."""
    runs = []
    for separation in map(float, arguments.separations.split(",")):
        for d in map(int, arguments.columns.split(",")):
            for seed in range(arguments.seeds):
                print_progress(f"c = {separation:g}, d = {d}, seed {seed}")
                rows, means = make_overlapping_rows(separation, d, arguments.rows, arguments.components, seed)
                runs.append(
                    {"c": separation, "d": d, "seed": seed, **_run_all_solvers(rows, means, arguments.max_iter)}
                )
    return {"runs": runs, "rows": arguments.rows, "components": arguments.components}


def _run_all_solvers(rows: np.ndarray, means: np.ndarray, max_iter: int) -> dict:
    """Fit one data set with every solver; return iterations to the goal and seconds."""
    import warnings

    from gaussmix import GaussianMixture

    traces, seconds = {}, {}
    for name in SOLVERS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = GaussianMixture(len(means), solver=name, means_init=means, tol=1e-10, max_iter=max_iter).fit(rows)
        traces[name], seconds[name] = np.array(fitted.lower_bounds_), fitted.fit_.seconds
    ends = [values.max() for values in traces.values()]
    n_iter = {name: _first_iter_reaching_goal(values, max(ends) - _GOAL_GAP_PER_ROW) for name, values in traces.items()}
    return {
        "n_iter": n_iter,
        "has_one_optimum": bool(max(ends) - min(ends) < _SAME_OPTIMUM_GAP_PER_ROW),
        "seconds": seconds,
    }


def _first_iter_reaching_goal(log_likelihoods: np.ndarray, goal: float) -> int | None:
    """Return the first iteration with at least this log-likelihood, from 1, or None."""
    indices = np.flatnonzero(log_likelihoods >= goal)
    return int(indices[0]) + 1 if len(indices) else None


def _is_counted(run: dict) -> bool:
    """Return whether all solvers end at one optimum and EM takes enough iterations."""
    n_iter = run["n_iter"]
    return run["has_one_optimum"] and all(n_iter.values()) and n_iter["em"] >= _MIN_EM_ITER


def format_results(results: dict) -> str:
    """Return a table with one row per kind of data and one for all."""
    runs, rows = results["runs"], []
    kinds = list(dict.fromkeys((run["c"], run["d"]) for run in runs))
    for c, d in kinds:
        rows.append([f"{c:g}", str(d), *_format_table_cells([run for run in runs if (run["c"], run["d"]) == (c, d)])])
    rows.append(["all", "", *_format_table_cells(runs)])
    head = ["c", "d", "data sets", "one optimum", "counted", "iterations of EM"]
    head += [name for name in SOLVERS if name != "em"] + ["better of SQUAREM and Anderson", "auto over EM, maximum"]
    size = f"{results['rows']} rows, K = {results['components']}."
    return f"{size}\n\n{format_table(head, rows)}"


def _format_table_cells(runs: list[dict]) -> list[str]:
    """Return the cells of a table row for some data sets."""
    counted = [run["n_iter"] for run in runs if _is_counted(run)]
    one_optimum = [run["n_iter"] for run in runs if run["has_one_optimum"] and run["n_iter"]["em"]]
    ratios = {name: [p["em"] / p[name] for p in counted] for name in SOLVERS}
    better = [p["em"] / min(p["squarem"], p["anderson"]) for p in counted]
    worst = [p["auto"] / p["em"] if p["auto"] else float("inf") for p in one_optimum]
    numbers = [f"{median(p['em'] for p in counted):.0f}" if counted else "-"]
    numbers += [f"{median(ratios[name]):.1f}" if counted else "-" for name in SOLVERS if name != "em"]
    numbers += [f"{median(better):.1f}" if counted else "-", f"{max(worst):.2f}" if worst else "-"]
    return [str(len(runs)), str(len(one_optimum)), str(len(counted)), *numbers]
