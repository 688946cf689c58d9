"""Old Faithful in ten lines: which kinds of eruption are there, and which kind is one not seen yet?

Learnt: a short eruption is followed by a short wait and a long one by a long wait. An eruption of
three minutes lies between the two kinds, and the probabilities say how much it belongs to each.

Run: python examples/faithful.py [PICTURE], where PICTURE is faithful.png by default (needs pandas).
"""

import sys
from pathlib import Path

import pandas as pd

from gaussmix import GaussianMixture, plots

rows = pd.read_csv(Path(__file__).with_name("faithful.csv"))
mixture = GaussianMixture(n_components=2, random_state=0).fit(rows)

print(mixture.fit_)
for share, (lasts, wait) in zip(mixture.weights_, mixture.means_, strict=True):
    print(f"{share:.0%} of the eruptions last about {lasts:.1f} min, and the wait after them is {wait:.0f} min")

unseen = pd.DataFrame({"eruptions": [2.0, 3.0, 4.5], "waiting": [55.0, 66.0, 80.0]})
for (lasts, wait), (short, long) in zip(unseen.to_numpy(), mixture.predict_proba(unseen), strict=True):
    print(f"{lasts} min and then a wait of {wait:.0f} min: short with {short:.1%}, long with {long:.1%}")

picture = sys.argv[1] if len(sys.argv) > 1 else "faithful.png"
plots.scatter(mixture.model_, rows).figure.savefig(picture)
print(f"Drew {picture}")
