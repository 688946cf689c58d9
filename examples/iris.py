"""Iris: two groups of flowers or three?

Learnt: two of the three species overlap, so BIC is almost equal for two and three groups. Three groups match the
species except for five flowers. The default prior shrinks the covariances towards a common one. It decreases the
likelihood and improves the match with the species here. The adjusted Rand index compares two partitions: 1 means
equal, 0 is chance.

Run: python examples/iris.py [PICTURE] (PICTURE is an optional output file, such as iris.png)
"""

import sys

from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from gaussmix import GaussianMixture, plots, select

PRIORS = {"by maximum likelihood": None, "with the default prior": "default"}


def main() -> None:
    """Select a model, then fit two and three groups with and without a prior and compare them with the species."""
    iris = load_iris()
    names = [name.removesuffix(" (cm)") for name in iris.feature_names]
    selection = select(iris.data, range(1, 6), n_starts=8, feature_names=names)
    best, second = selection.candidates[:2]
    print(f"Best model {best.name} with BIC {best.criteria['bic']:.1f}, second {second.name} with", end=" ")
    print(f"{second.criteria['bic']:.1f}; a difference below 2 is weak evidence.")
    for title, prior in PRIORS.items():
        print(f"\nVEV {title}")
        for n_groups in (2, 3):
            mixture = GaussianMixture(
                n_groups, covariance_type="VEV", prior=prior, init_params="hierarchical", tol=1e-6, max_iter=1000
            ).fit(iris.data)
            groups = mixture.predict(iris.data)
            agreement = adjusted_rand_score(iris.target, groups)
            print(
                f"  {n_groups} groups: BIC {mixture.bic(iris.data):.1f}, adjusted Rand index with the species", end=" "
            )
            print(f"{agreement:.3f}")
    if len(sys.argv) > 1:
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        for ax, candidate in zip(figure.subplots(1, 2), (best, second), strict=True):
            plots.scatter(candidate.mixture, iris.data, ["sepal length", "petal width"], ax)
            ax.set_title(f"{candidate.name}, BIC {candidate.criteria['bic']:.1f}", fontsize="medium")
        figure.savefig(sys.argv[1], dpi=110)
        print(f"\nDrew {sys.argv[1]}")


if __name__ == "__main__":
    main()
