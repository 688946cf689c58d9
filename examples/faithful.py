"""Old Faithful: which kinds of eruption are there, and which kind is one not seen yet?

Learnt: 14 structures say what the groups may share, and BIC weighs fit against parameters: three groups
of one shape describe the eruptions about as simply as two of their own shapes, and a little better. An
eruption between the groups belongs to each of them with a probability, whichever is chosen.

Run: python examples/faithful.py [PICTURE] (needs pandas; PICTURE, such as faithful.png, is drawn if named)
"""

import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from gaussmix import Candidate, Selection, plots, select

UNSEEN_ERUPTIONS = pd.DataFrame({"eruptions": [2.0, 3.1, 4.5], "waiting": [55.0, 65.0, 80.0]})


def print_candidate(candidate: Candidate) -> None:
    """Print the groups of a candidate, and what it thinks of eruptions it has not seen."""
    mixture = candidate.mixture
    print(f"\n{candidate.name}: {candidate.structure.description}")
    for group, (share, (lasts, wait)) in enumerate(zip(mixture.weights, mixture.means, strict=True)):
        print(f"  group {group}: {share:.0%} of eruptions last about {lasts:.1f} min, then a wait of {wait:.0f} min")
    for (lasts, wait), shares in zip(UNSEEN_ERUPTIONS.to_numpy(), mixture.predict_proba(UNSEEN_ERUPTIONS), strict=True):
        says = ", ".join(f"{share:.1%}" for share in shares)
        print(f"  unseen: {lasts} min, then a wait of {wait:.0f} min: probabilities {says}")


def draw_picture(selection: Selection, rows: pd.DataFrame, path: str) -> None:
    """How the search chose, beside what it chose and the unseen eruption that lies between the groups."""
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
    """Choose among 14 structures and up to 5 groups; then show the choice, and the best with two groups."""
    rows = pd.read_csv(Path(__file__).with_name("faithful.csv"))
    selection = select(rows, range(1, 6), n_starts=8)
    print(selection.to_pandas()[["structure", "n_components", "n_parameters", "bic"]].head().round(1).to_string())
    print_candidate(selection.best)
    print_candidate(next(candidate for candidate in selection.candidates if candidate.n_components == 2))
    if len(sys.argv) > 1:
        draw_picture(selection, rows, sys.argv[1])


if __name__ == "__main__":
    main()
