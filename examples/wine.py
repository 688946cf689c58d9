"""Wine: how many kinds are in 178 bottles, without being told, and are they the three cultivars?

Learnt: the criterion ranks mixtures by how well they describe the measurements, not by how well
they match a label that it never saw. Its first choice gives unusual bottles of two cultivars a wide
group of their own; held to three groups it finds the cultivars, every bottle. The adjusted Rand
index says how well two ways to group agree: 1 is the same groups, 0 is chance.

Run: python examples/wine.py [PICTURE] (PICTURE, such as wine.png, is drawn if named)
"""

import sys

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score

from gaussmix import Candidate, plots, select


def print_candidate(title: str, candidate: Candidate, rows: np.ndarray, cultivars: np.ndarray) -> None:
    """Print what was chosen, and how its groups share out the bottles of each cultivar."""
    labels = candidate.mixture.predict(rows)
    print(f"{title}: {candidate.n_components} groups of structure {candidate.structure.display_name}", end=", ")
    print(f"BIC {candidate.criteria['bic']:.1f}")
    print(f"  ({candidate.structure.description})")
    print(f"  adjusted Rand index with the cultivars {adjusted_rand_score(cultivars, labels):.3f}")
    for group in range(candidate.n_components):
        bottles = [int(np.sum((labels == group) & (cultivars == kind))) for kind in range(3)]
        print(f"  group {group}: {bottles[0]:3d} {bottles[1]:3d} {bottles[2]:3d} bottles of cultivars 0, 1, 2")


def main() -> None:
    """Choose freely, then among mixtures of three."""
    wine = load_wine()
    selection = select(wine.data, range(1, 7), feature_names=wine.feature_names)
    print_candidate("Chosen freely", selection.best, wine.data, wine.target)
    three = next(candidate for candidate in selection.candidates if candidate.n_components == 3)
    print_candidate("Chosen among three groups", three, wine.data, wine.target)
    if len(sys.argv) > 1:
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        for ax, best in zip(figure.subplots(1, 2), (selection.best, three), strict=True):
            plots.scatter(best.mixture, wine.data, ["flavanoids", "color_intensity"], ax)
            ax.set_title(f"{best.name}, BIC {best.criteria['bic']:.0f}", fontsize="medium")
        figure.savefig(sys.argv[1], dpi=110)
        print(f"Drew {sys.argv[1]}")


if __name__ == "__main__":
    main()
