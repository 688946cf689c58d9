"""Measure how often the intervals of the churn rates of segments contain the rate on fresh customers."""

import warnings
from argparse import ArgumentParser, Namespace

import numpy as np

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress
from benchmarks.simulated_customers import KINDS, CustomerPopulation

TITLE = "Churn rates of segments"
EXPLANATION = """\
`ChurnModel.segments()` on simulated customers: 2 to 6 groups with skewed amounts and categories of three levels, and a
churn rate for each group. A case is a segment of a fitted model. Its 90 % interval covers if it contains the churn rate
of the same segment on 100 000 fresh customers: the mean of their true churn probabilities, weighted by their
memberships. "Below" and "above" say where the rate on fresh customers lies otherwise. Kinds differ in one respect from
2000 customers with 4 amounts and 3 categories, means of the groups 2.5 standard deviations apart, and churn rates of 2
to 60 %; kinds other than "separated", "overlapping" and "few leave" have means 1.5 standard deviations apart.
"Overlapping" has .8, "few leave" rates of .1 to 3 %, and within groups the log-odds rise by 1 per standard deviation of
an amount. Segments of one table are not independent; standard errors of the coverage are over tables."""

LEVEL = 0.9
_N_FRESH = 100_000


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--tables", type=int, default=38, help="simulated tables of each kind")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first table")
    parser.add_argument("--kinds", default=",".join(KINDS), help="names of kinds, separated by commas; default: all")


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one record per segment: kind, table, rate, interval, and the rate on fresh customers."""
    unknown = [name for name in arguments.kinds.split(",") if name not in KINDS]
    if unknown:
        raise SystemExit(f"--kinds: {', '.join(unknown)} unknown; allowed are {', '.join(KINDS)}")
    records = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit of simulated customers may be too small for its classifier
        for kind in arguments.kinds.split(","):
            for table in range(arguments.seed, arguments.seed + arguments.tables):
                print_progress(f"{kind}, table {table}")
                records += simulate_segments(kind, table)
    return records


def simulate_segments(kind: str, seed: int) -> list[dict]:
    """Return the segments of one simulated table; no record if fewer than two customers left or stayed."""
    from gaussmix.classification import ChurnModel, MixtureClassifier

    rng = np.random.default_rng([list(KINDS).index(kind), seed])
    population = CustomerPopulation.draw(KINDS[kind], rng)
    customers = population.draw_customers(rng, KINDS[kind].n_rows)
    has_left = rng.random(len(customers.probabilities)) < customers.probabilities
    if not 2 <= has_left.sum() <= len(has_left) - 2:
        return []
    # The classifier only chooses the columns of the segments.
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None)
    model = ChurnModel(classifier, random_state=seed).fit(customers.table, has_left)
    fresh = population.draw_customers(rng, _N_FRESH)
    memberships = model.assign_segments(fresh.table).probabilities
    rates = fresh.probabilities @ memberships / memberships.sum(axis=0)
    return [
        {
            "kind": kind,
            "table": seed,
            "fraction": segment.fraction,
            "rate": segment.churn_rate.rate,
            "low": segment.churn_rate.interval.low,
            "high": segment.churn_rate.interval.high,
            "fresh_rate": float(rate),
        }
        for segment, rate in zip(model.segments(), rates, strict=True)
    ]


def merge_results(results: list[list[dict]]) -> list[dict]:
    """Return the segments of several records; of the same table, the last record counts."""
    by_table: dict[tuple, list[dict]] = {}
    for records in results:
        current: dict[tuple, list[dict]] = {}
        for record in records:
            current.setdefault((record["kind"], record["table"]), []).append(record)
        by_table |= current
    return [record for records in by_table.values() for record in records]


def format_results(results: list[dict]) -> str:
    """Return a table with one row per kind, and one for all."""
    kinds = list(dict.fromkeys(record["kind"] for record in results))
    groups = {kind: [record for record in results if record["kind"] == kind] for kind in kinds} | {"all": results}
    head = ["kind", "tables", "segments", "coverage, nominal .90", "below", "above", "median half-width", "median rate"]
    return format_table(head, [_format_group(name, records) for name, records in groups.items()])


def _format_group(name: str, records: list[dict]) -> list[str]:
    """Return the row of one kind."""
    low, high, fresh, rate = (np.array([r[key] for r in records]) for key in ("low", "high", "fresh_rate", "rate"))
    is_covered = (low <= fresh) & (fresh <= high)
    tables = [(record["kind"], record["table"]) for record in records]
    counts = [len(tables), len(set(tables))]
    error = _cluster_error(is_covered, tables)
    fractions = [f"{(fresh < low).mean():.3f}", f"{(fresh > high).mean():.3f}"]
    half_width = float(np.median(0.5 * (high - low)))
    return [
        name,
        str(counts[1]),
        str(counts[0]),
        f"{is_covered.mean():.3f} ± {error:.3f}",
        *fractions,
        f"{half_width:.4f}",
        f"{float(np.median(rate)):.3f}",
    ]


def _cluster_error(is_covered: np.ndarray, tables: list[tuple]) -> float:
    """Return the standard error of a mean over segments, whose tables are independent."""
    deviations = is_covered - is_covered.mean()
    sums: dict[tuple, float] = {}
    for table, deviation in zip(tables, deviations.tolist(), strict=True):
        sums[table] = sums.get(table, 0.0) + deviation
    return float(np.sqrt(np.square(list(sums.values())).sum())) / len(deviations)
