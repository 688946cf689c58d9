"""Two overlapping elongated groups: several solvers, and the accuracy of probabilities near the border.

Learnt: all solvers end at one maximum from one start. If groups overlap, EM takes many iterations and accelerated
solvers few. A natural gradient of rate 1 is EM. A plain gradient needs a learning rate. Hard assignment is often
wrong near the border; probabilities predict how often. K-means does not find elongated groups. docs/optimisation.md
has the formulas.

Run: python examples/optimum.py [PICTURE] (PICTURE is an optional output file, such as optimum.png)
"""

import itertools
import sys
import textwrap

import numpy as np
from matplotlib.figure import Figure

from gaussmix import GaussianMixture, compare, plots

SOLVER_PARAMETERS = {
    "EM": {"solver": "em"},
    "natural gradient, rate 1": {"solver": "natural", "learning_rate": 1.0},
    "SQUAREM": {"solver": "squarem"},
    "L-BFGS": {"solver": "lbfgs"},
    "plain SGD, rate 0.5": {"solver": "sgd", "learning_rate": 0.5},
    "plain SGD, rate 0.01": {"solver": "sgd", "learning_rate": 0.01},
}
START_PARAMETERS = {"init_params": "hierarchical", "random_state": 0}
GOAL_GAP_PER_ROW, PROBABILITY_EDGES = 1e-6, (0.5, 0.6, 0.8, 0.95, 1.0)


def main() -> None:
    """Compare the solvers, count wrong assignments, and print the summary of `compare`."""
    rng, groups = np.random.default_rng(2), np.repeat([0, 1], 1000)
    rows = rng.normal(size=(2000, 2)) * [4.0, 1.0] + np.outer(groups, [0.0, -2.5])
    rows = rows @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    fits = {
        name: GaussianMixture(2, **parameters, **START_PARAMETERS, tol=1e-10, max_iter=2000).fit(rows)
        for name, parameters in SOLVER_PARAMETERS.items()
    }
    best = max(fit.score(rows) for fit in fits.values())
    print(f"Passes until the log-likelihood per row stays within {GOAL_GAP_PER_ROW} of the best, {best:.4f}")
    for name, fit in fits.items():
        print(f"  {name:24} {np.flatnonzero(np.array(fit.lower_bounds_) < best - GOAL_GAP_PER_ROW)[-1] + 2:4d}")

    print("Largest probability of a row    rows        wrong  expected")
    largest, is_wrong = fits["EM"].predict_proba(rows).max(axis=1), fits["EM"].predict(rows) != groups
    for low, high in itertools.pairwise(PROBABILITY_EDGES):
        inside = (largest > low) & (largest <= high)
        expected = (1 - largest[inside]).sum()
        print(f"  {low:4.2f} to {high:4.2f} {inside.sum():19d} {is_wrong[inside].sum():12d} {expected:9.1f}")

    comparison = compare(rows, groups, n_components=2, structures="VVV", init_params="hierarchical")
    print(textwrap.fill(comparison.summary, 100))
    if len(sys.argv) > 1:
        draw_picture(sys.argv[1], fits, best, rows)


def draw_picture(path: str, fits: dict[str, GaussianMixture], best_log_likelihood: float, rows: np.ndarray) -> None:
    """Plot the gap to the best log-likelihood by pass, and the rows coloured by probability."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, fit in fits.items():
        dash = ":" if name.startswith("natural") else "-"  # it coincides with EM
        gaps = np.maximum(best_log_likelihood - np.array(fit.lower_bounds_), 1e-9)
        left.loglog(np.arange(1, fit.n_iter_ + 1), gaps, dash, linewidth=3 if dash == ":" else 1.5, label=name)
    left.set(xlabel="passes over the rows", ylabel="gap to the best log-likelihood per row")
    left.legend(fontsize="small", loc="lower left")
    plots.scatter(fits["EM"], rows, ax=right, threshold=0.2, max_rows=1000)
    figure.savefig(path, dpi=110)
    print(f"Drew {path}")


if __name__ == "__main__":
    main()
