"""How many passes solvers need where components overlap, beside EM."""

from argparse import ArgumentParser, Namespace
from statistics import median

import numpy as np

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Solvers beside EM"
EXPLANATION = """\
`GaussianMixture(K, solver=..., means_init=true means, tol=1e-10)` on groups that overlap: the nearest two means are
c times the root of d times the largest standard deviation apart (c-separation, Dasgupta, "Learning mixtures of
Gaussians", FOCS 1999), all others farther; their covariances are turned at random, with standard deviations from 0.8 to
1. A run reaches the goal once its log-likelihood comes within 1e-6 per row of the highest that any of the solvers ends
with. It counts where all end there, and EM takes 50 passes or more. Ratios are passes of EM over those of the solver,
medians over the runs that count; `auto` is also held to EM in all runs with one optimum, the most of its passes over
EM's."""

SOLVERS = ("em", "squarem", "anderson", "lbfgs", "natural", "auto")
_GOAL_GAP_PER_ROW = 1e-6
_SAME_OPTIMUM_GAP_PER_ROW = 1e-5  # of the log-likelihood per row: ends of one optimum
_MIN_EM_ITER = 50


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--separations", default="0.5,1", help="c, comma between")
    parser.add_argument("--columns", default="2,8,20", help="d, comma between")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--components", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds, from 0")
    parser.add_argument("--most", type=int, default=10_000, help="passes of a run")


def make_overlapping_rows(
    separation: float, n_features: int, n_rows: int, n_components: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) and the true means (K, d)."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(n_components, n_features))
    nearest = min(np.linalg.norm(means[i] - means[j]) for i in range(n_components) for j in range(i))
    means *= separation * n_features**0.5 / nearest
    truth = rng.integers(n_components, size=n_rows)
    spreads = [np.append(1.0, rng.uniform(0.8, 1.0, n_features - 1)) for _ in means]
    axes = [np.linalg.qr(rng.normal(size=(n_features, n_features)))[0] * spread for spread in spreads]
    noise = rng.normal(size=(n_rows, n_features))
    return np.array([means[k] + axes[k] @ row for k, row in zip(truth, noise, strict=True)]), means


def run_benchmark(arguments: Namespace) -> dict:
    """Passes to the goal for each solver, run by run."""
    runs = []
    for separation in map(float, arguments.separations.split(",")):
        for d in map(int, arguments.columns.split(",")):
            for seed in range(arguments.seeds):
                print_progress(f"c = {separation:g}, d = {d}, seed {seed}")
                rows, means = make_overlapping_rows(separation, d, arguments.rows, arguments.components, seed)
                runs.append({"c": separation, "d": d, "seed": seed, **_run_all_solvers(rows, means, arguments.most)})
    return {"runs": runs, "rows": arguments.rows, "components": arguments.components}


def _run_all_solvers(rows: np.ndarray, means: np.ndarray, max_iter: int) -> dict:
    import warnings

    from gaussmix import GaussianMixture

    traces, seconds = {}, {}
    for name in SOLVERS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = GaussianMixture(len(means), solver=name, means_init=means, tol=1e-10, max_iter=max_iter).fit(rows)
        traces[name], seconds[name] = np.array(fitted.lower_bounds_), fitted.fit_.seconds
    ends = [values.max() for values in traces.values()]
    passes = {name: _first_iter_reaching_goal(values, max(ends) - _GOAL_GAP_PER_ROW) for name, values in traces.items()}
    return {"passes": passes, "is_one": bool(max(ends) - min(ends) < _SAME_OPTIMUM_GAP_PER_ROW), "seconds": seconds}


def _first_iter_reaching_goal(log_likelihoods: np.ndarray, goal: float) -> int | None:
    reached = np.flatnonzero(log_likelihoods >= goal)
    return int(reached[0]) + 1 if len(reached) else None


def _is_counted(run: dict) -> bool:
    passes = run["passes"]
    return run["is_one"] and all(passes.values()) and passes["em"] >= _MIN_EM_ITER


def format_results(results: dict) -> str:
    """A row for each kind of data, and one for all."""
    runs, rows = results["runs"], []
    kinds = list(dict.fromkeys((run["c"], run["d"]) for run in runs))
    for c, d in kinds:
        rows.append([f"{c:g}", str(d), *_format_table_cells([run for run in runs if (run["c"], run["d"]) == (c, d)])])
    rows.append(["all", "", *_format_table_cells(runs)])
    head = ["c", "d", "runs", "one optimum", "count", "passes of EM"]
    head += [name for name in SOLVERS if name != "em"] + ["better of SQUAREM and Anderson", "auto over EM, most"]
    said = f"{results['rows']} rows, K = {results['components']}."
    return f"{said}\n\n{format_table(head, rows)}"


def _format_table_cells(runs: list[dict]) -> list[str]:
    counted = [run["passes"] for run in runs if _is_counted(run)]
    one = [run["passes"] for run in runs if run["is_one"] and run["passes"]["em"]]
    ratios = {name: [p["em"] / p[name] for p in counted] for name in SOLVERS}
    better = [p["em"] / min(p["squarem"], p["anderson"]) for p in counted]
    worst = [p["auto"] / p["em"] if p["auto"] else float("inf") for p in one]
    numbers = [f"{median(p['em'] for p in counted):.0f}" if counted else "-"]
    numbers += [f"{median(ratios[name]):.1f}" if counted else "-" for name in SOLVERS if name != "em"]
    numbers += [f"{median(better):.1f}" if counted else "-", f"{max(worst):.2f}" if worst else "-"]
    return [str(len(runs)), str(len(one)), str(len(counted)), *numbers]
