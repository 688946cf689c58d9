"""Old Faithful again: which of 126 mixtures describes its eruptions best?

Learnt: BIC weighs fit against parameters. Three groups of one size and shape win, and two groups,
each of its own shape, come close behind: long eruptions are one kind that no single bell describes
well, or two. Where criteria are as near as here, look at the picture and say so.

Run: python examples/choice.py [PICTURE], where PICTURE is choice.png by default.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from gaussmix import plots, select

rows = np.loadtxt(Path(__file__).with_name("faithful.csv"), delimiter=",", skiprows=1)
found = select(rows, feature_names=["eruptions", "waiting"])

print(f"{len(found.candidates)} mixtures compared in {found.seconds:.1f} s")
for candidate in found.candidates[:5]:
    print(f"{candidate.name:<6} BIC {candidate.criteria['bic']:.1f}, {candidate.structure.description}")

unseen = [[2.0, 55.0], [3.1, 65.0], [4.5, 80.0]]
for (lasts, wait), shares in zip(unseen, found.best.mixture.responsibilities(unseen), strict=True):
    print(f"{lasts} min and then {wait:.0f} min of waiting: {', '.join(f'{share:.1%}' for share in shares)}")

picture = sys.argv[1] if len(sys.argv) > 1 else "choice.png"
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
plots.choice(found, ax=left)
plots.scatter(found.best.mixture, rows, ax=right)
figure.savefig(picture, dpi=70)
print(f"Drew {picture}")
