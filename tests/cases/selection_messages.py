"""What report and warnings say if degenerate candidates have a lower BIC than the selected one."""

import numpy as np

from gaussmix import select
from gaussmix.cli.summaries import best_candidate_warnings
from gaussmix.report import describe_mixture


def main() -> None:
    """Select among 1 to 9 components for rows of which a third are equal, and print what is said."""
    rng = np.random.default_rng(2)
    n = 2000
    groups = rng.choice(3, n, p=[0.3, 0.4, 0.3])
    x = np.choose(groups, [np.zeros(n), rng.normal(3, 0.5, n), rng.normal(6, 0.6, n)])[:, None]
    selection = select(x, n_starts=4)
    best = selection.best
    lowest = min((c for c in selection.candidates if c.criteria), key=lambda c: c.criteria["bic"])
    text = describe_mixture(best.mixture, x, fit=best.fit, selection=selection)
    print("report  :", [sentence for sentence in text.split(". ") if "lowest" in sentence])
    print(f"truth   : lowest BIC is {lowest.name} {lowest.criteria['bic']:.0f}", end="; ")
    print(f"selected {best.name} {best.criteria['bic']:.0f}")
    print("warnings:", best_candidate_warnings(selection), "of gaussmix fit; 1 to 9 components tried", end="; ")
    print(f"rows that equal 0: {int((x == 0).sum())} of {n}")


if __name__ == "__main__":
    main()
