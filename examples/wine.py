"""Wine: groups in the measurements of 178 bottles, compared with three cultivars.

Learnt: BIC measures how well a mixture describes the measurements, not how well it matches labels. The best mixture
has a fourth, wide group for unusual bottles of two cultivars. The best mixture with three groups matches the
cultivars exactly. The adjusted Rand index compares two partitions: 1 means equal, 0 is chance.

Run: python examples/wine.py [PICTURE] (PICTURE is an optional output file, such as wine.png)
"""

import sys

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score

from gaussmix import Candidate, plots, select


def print_candidate(title: str, candidate: Candidate, rows: np.ndarray, cultivars: np.ndarray) -> None:
    """Print a candidate and the number of bottles of each cultivar per group."""
    labels = candidate.mixture.predict(rows)
    print(
        f"{title}: {candidate.n_components} groups of structure {candidate.structure.name_with_alias_or_n_factors}",
        end=", ",
    )
    print(f"BIC {candidate.criteria['bic']:.1f}")
    print(f"  ({candidate.structure.description})")
    print(f"  adjusted Rand index with the cultivars {adjusted_rand_score(cultivars, labels):.3f}")
    for group in range(candidate.n_components):
        bottles = [int(np.sum((labels == group) & (cultivars == kind))) for kind in range(3)]
        print(f"  group {group}: {bottles[0]:3d} {bottles[1]:3d} {bottles[2]:3d} bottles of cultivars 0, 1, 2")


def main() -> None:
    """Select among all mixtures, then among those with three groups."""
    wine = load_wine()
    selection = select(wine.data, range(1, 7), feature_names=wine.feature_names)
    print_candidate("Best model", selection.best, wine.data, wine.target)
    best_of_three = next(candidate for candidate in selection.candidates if candidate.n_components == 3)
    print_candidate("Best model with three groups", best_of_three, wine.data, wine.target)
    if len(sys.argv) > 1:
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        for ax, best in zip(figure.subplots(1, 2), (selection.best, best_of_three), strict=True):
            plots.scatter(best.mixture, wine.data, ["flavanoids", "color_intensity"], ax)
            ax.set_title(f"{best.name}, BIC {best.criteria['bic']:.0f}", fontsize="medium")
        figure.savefig(sys.argv[1], dpi=110)
        print(f"Drew {sys.argv[1]}")


if __name__ == "__main__":
    main()
