"""Two long groups that overlap: ways up one likelihood, and what a probability is worth near the border.

Learnt: from one start every way ends at one maximum; where groups overlap EM takes many passes, and what accelerates
it few. A natural gradient of rate 1 is EM; a plain gradient wants a rate that somebody has to choose. Hard assignment
puts many rows near the border wrongly and does not say which; probabilities foretell how many. K-means, which measures
to the nearest centre, does not see long groups at all. The formulas are in docs/optimisation.md.

Run: python examples/optimum.py [PICTURE] (PICTURE, such as optimum.png, is drawn if named)
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
    """Climb, count what is put wrongly, and let `compare` say it in words."""
    rng, groups = np.random.default_rng(2), np.repeat([0, 1], 1000)
    rows = rng.normal(size=(2000, 2)) * [4.0, 1.0] + np.outer(groups, [0.0, -2.5])
    rows = rows @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    fits = {
        name: GaussianMixture(2, **way, **START_PARAMETERS, tol=1e-10, max_iter=2000).fit(rows)
        for name, way in SOLVER_PARAMETERS.items()
    }
    best = max(fit.score(rows) for fit in fits.values())
    print(f"Passes to within {GOAL_GAP_PER_ROW} of the best log-likelihood per row, {best:.4f}, and no lower any more")
    for name, fit in fits.items():
        print(f"  {name:24} {np.flatnonzero(np.array(fit.lower_bounds_) < best - GOAL_GAP_PER_ROW)[-1] + 2:4d}")

    print("Largest probability of a row    rows  put wrongly  foretold")
    surest, wrong = fits["EM"].predict_proba(rows).max(axis=1), fits["EM"].predict(rows) != groups
    for low, high in itertools.pairwise(PROBABILITY_EDGES):
        here = (surest > low) & (surest <= high)
        print(f"  {low:4.2f} to {high:4.2f} {here.sum():19d} {wrong[here].sum():12d} {(1 - surest[here]).sum():9.1f}")

    comparison = compare(rows, groups, n_components=2, structures="VVV", init_params="hierarchical")
    print(textwrap.fill(comparison.words, 100))
    if len(sys.argv) > 1:
        draw_picture(sys.argv[1], fits, best, rows)


def draw_picture(path: str, fits: dict[str, GaussianMixture], best_log_likelihood: float, rows: np.ndarray) -> None:
    """What is left to the best after each pass, and some of the rows in the colours of their probabilities."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, fit in fits.items():
        dash = ":" if name.startswith("natural") else "-"  # it lies on the line of EM
        gaps = np.maximum(best_log_likelihood - np.array(fit.lower_bounds_), 1e-9)
        left.loglog(np.arange(1, fit.n_iter_ + 1), gaps, dash, linewidth=3 if dash == ":" else 1.5, label=name)
    left.set(xlabel="passes over the rows", ylabel="log-likelihood per row, left to the best")
    left.legend(fontsize="small", loc="lower left")
    plots.scatter(fits["EM"], rows, ax=right, threshold=0.2, max_rows=1000)
    figure.savefig(path, dpi=110)
    print(f"Drew {path}")


if __name__ == "__main__":
    main()
