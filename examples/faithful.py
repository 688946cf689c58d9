"""Old Faithful: groups of eruptions, and the group of a new eruption.

Learnt: 14 structures differ in the parameters that the groups share. BIC compares the likelihood with the number of
parameters. Three groups with equal covariances describe the eruptions slightly better than two groups with different
ones. An eruption between the groups has a probability for each group under either model.

Run: python examples/faithful.py [PICTURE] (needs pandas; PICTURE is an optional output file, such as faithful.png)
"""

import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from gaussmix import Candidate, Selection, plots, select

UNSEEN_ERUPTIONS = pd.DataFrame({"eruptions": [2.0, 3.1, 4.5], "waiting": [55.0, 65.0, 80.0]})


def print_candidate(candidate: Candidate) -> None:
    """Print the groups of a candidate and the probabilities of new eruptions."""
    mixture = candidate.mixture
    print(f"\n{candidate.name}: {candidate.structure.description}")
    for group, (weight, (duration, wait)) in enumerate(zip(mixture.weights, mixture.means, strict=True)):
        print(
            f"  group {group}: {weight:.0%} of eruptions last about {duration:.1f} min, then a wait of {wait:.0f} min"
        )
    probabilities = mixture.predict_proba(UNSEEN_ERUPTIONS)
    for (duration, wait), row in zip(UNSEEN_ERUPTIONS.to_numpy(), probabilities, strict=True):
        text = ", ".join(f"{probability:.1%}" for probability in row)
        print(f"  unseen: {duration} min, then a wait of {wait:.0f} min: probabilities {text}")


def draw_picture(selection: Selection, rows: pd.DataFrame, path: str) -> None:
    """Plot the criterion of the candidates beside the best mixture and the new eruption between its groups."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(6, 5))
    plots.criterion_curves(selection, left)
    plots.scatter(selection.best.mixture, rows, ax=right)
    between = tuple(UNSEEN_ERUPTIONS.iloc[1])
    right.plot(*between, "kX", markersize=9)
    right.annotate("unseen", between, (-4, -16), textcoords="offset points")
    figure.savefig(path, dpi=100)
    print(f"\nDrew {path}")


def main() -> None:
    """Select among 14 structures and up to 5 groups; print the best model and the best one with two groups."""
    rows = pd.read_csv(Path(__file__).with_name("faithful.csv"))
    selection = select(rows, range(1, 6), n_starts=8)
    print(selection.to_pandas()[["structure", "n_components", "n_parameters", "bic"]].head().round(1).to_string())
    print_candidate(selection.best)
    print_candidate(next(candidate for candidate in selection.candidates if candidate.n_components == 2))
    if len(sys.argv) > 1:
        draw_picture(selection, rows, sys.argv[1])


if __name__ == "__main__":
    main()
