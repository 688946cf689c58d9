"""Count the false alarms of the drift monitor on stationary streams, and the rows until it finds a shift."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr
from scipy.stats import poisson

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Drift watch"
EXPLANATION = """\
`DriftMonitor` on simulated streams of 8 dependent columns, with the default score of all columns together. A false
alarm is any alarm in a stationary stream. The delay counts the rows from the change to the alarm, where one column
shifts by one standard deviation: of the column, or of the latent Gaussian for discrete columns. `average` and `maximum`
are the two ways to combine the martingales. `broken relation` is the delay of the default, `maximum`, where one column
becomes independent of the others and keeps its distribution. The last column is about the alarms after a shift that
name a column."""

_N_COLUMNS, _MAX_DELAY = 8, 1000


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--streams", type=int, default=200, help="streams for each kind and size of the reference")
    parser.add_argument("--rows", type=int, default=5000, help="rows of a stationary stream")
    parser.add_argument("--references", default="500,1000,2000", help="rows of the reference, separated by commas")
    parser.add_argument("--changes", default="0,1000", help="rows before the change, separated by commas")


def _draw_latent_rows(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    """Return standard Gaussian rows (n, 8), in which neighbouring columns have a correlation of .6."""
    positions = np.arange(_N_COLUMNS)
    correlation = 0.6 ** np.abs(positions[:, None] - positions)
    return rng.normal(size=(n_rows, _N_COLUMNS)) @ np.linalg.cholesky(correlation).T


def _draw_gaussian(rng: np.random.Generator, n_rows: int, shift: float) -> np.ndarray:
    """Return Gaussian rows."""
    return _shift_first_column(_draw_latent_rows(rng, n_rows), shift)


def _draw_heavy_tails(rng: np.random.Generator, n_rows: int, shift: float) -> np.ndarray:
    """Return rows of a multivariate t distribution with 3 degrees of freedom and variance 3."""
    rows = _draw_latent_rows(rng, n_rows) * np.sqrt(3.0 / rng.chisquare(3, size=(n_rows, 1)))
    return _shift_first_column(rows, shift * np.sqrt(3.0))


def _draw_discrete(rng: np.random.Generator, n_rows: int, shift: float) -> np.ndarray:
    """Return counts with the Poisson distribution of mean 2, so that most values are equal to others."""
    return poisson.ppf(ndtr(_shift_first_column(_draw_latent_rows(rng, n_rows), shift)), 2.0)


def _draw_mixture(rng: np.random.Generator, n_rows: int, shift: float) -> np.ndarray:
    """Return rows of two groups, 4 standard deviations apart in each column; the whole has variance 5."""
    rows = _draw_latent_rows(rng, n_rows) + 2.0 * rng.choice([-1.0, 1.0], size=(n_rows, 1))
    return _shift_first_column(rows, shift * np.sqrt(5.0))


def _shift_first_column(rows: np.ndarray, shift: float) -> np.ndarray:
    """Return the rows with a number added to the first column."""
    rows[:, 0] += shift
    return rows


KINDS: dict[str, Callable[[np.random.Generator, int, float], np.ndarray]] = {
    "Gaussian": _draw_gaussian,
    "heavy tails": _draw_heavy_tails,
    "discrete": _draw_discrete,
    "mixture": _draw_mixture,
}


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Watch all streams of each kind and size of the reference."""
    changes = [int(text) for text in arguments.changes.split(",")]
    sizes = [int(text) for text in arguments.references.split(",")]
    results = []
    for kind in KINDS:
        for size in sizes:
            print_progress(f"{kind}, {size} reference rows")
            streams = [_watch_streams(kind, size, seed, arguments.rows, changes) for seed in range(arguments.streams)]
            results.append({"kind": kind, "reference": size, "rows": arguments.rows, "streams": streams})
    return results


def _watch_streams(kind: str, n_reference: int, seed: int, n_rows: int, changes: list[int]) -> dict:
    """Return the alarm rows of a stationary stream, and those of streams with a shift, from the change on."""
    rng = np.random.default_rng([seed, n_reference, list(KINDS).index(kind)])
    draw = KINDS[kind]
    reference = draw(rng, n_reference, 0.0)
    answer = {"stationary": _watch(reference, draw(rng, n_rows, 0.0), seed), "changes": {}, "broken": {}}
    for change in changes:
        rows = np.concatenate([draw(rng, change, 0.0), draw(rng, _MAX_DELAY, 1.0)])
        answer["changes"][str(change)] = _watch(reference, rows, seed)
        rows = draw(rng, change + _MAX_DELAY, 0.0)
        rows[change:, 0] = draw(rng, _MAX_DELAY, 0.0)[:, 0]
        answer["broken"][str(change)] = _watch(reference, rows, seed)
    return answer


def _watch(reference: np.ndarray, rows: np.ndarray, seed: int) -> dict:
    """Return the alarm rows for both ways to combine, None without an alarm, and the column with most evidence."""
    from gaussmix.anomaly import DriftMonitor

    monitor = DriftMonitor(reference, combination="average", random_state=seed)
    update = monitor.update(rows)
    n_martingales = update.martingales.shape[1]
    maximum = np.flatnonzero(update.martingales.max(axis=1) >= n_martingales * monitor.report.threshold)
    columns = [column.name for column in monitor.report.columns if column.name != monitor.column_names[-1]]
    return {
        "average": monitor.report.alarm_row,
        "maximum": int(maximum[0]) if len(maximum) else None,
        "column": columns[0] if columns else None,
    }


def format_results(results: list[dict]) -> str:
    """Return a table with one row for each kind and size of the reference."""
    changes = list(results[0]["streams"][0]["changes"])
    head = ["columns", "reference rows", "streams", "false alarms, average", "false alarms, maximum"]
    for change in changes:
        head += [f"median delay at {change}, average", f"at {change}, maximum", f"within 200 rows at {change}"]
        head += [f"broken relation at {change}"]
    return format_table([*head, "right column"], [_format_streams(result, changes) for result in results])


def _format_streams(result: dict, changes: list[str]) -> list[str]:
    """Return the row of one kind and size."""
    streams = result["streams"]
    cells = [result["kind"], str(result["reference"]), str(len(streams))]
    for combination in ("average", "maximum"):
        rate = np.mean([stream["stationary"][combination] is not None for stream in streams])
        cells.append(f"{100 * rate:.1f} %")
    is_right = []
    for change in changes:
        found = [stream["changes"][change] for stream in streams]
        delays = {name: _delays(found, name, int(change)) for name in ("average", "maximum")}
        cells += [f"{np.median(values):.0f}" for values in delays.values()]
        cells.append(f"{100 * np.mean(delays['average'] <= 200):.0f} %")
        cells.append(
            f"{np.median(_delays([stream['broken'][change] for stream in streams], 'maximum', int(change))):.0f}"
        )
        is_right += [answer["column"] == "column 0" for answer in found if answer["column"] is not None]
    return [*cells, f"{100 * np.mean(is_right):.0f} %" if is_right else "-"]


def _delays(found: list[dict], combination: str, change: int) -> np.ndarray:
    """Return the rows from the change to the alarm; infinity without an alarm or with one before the change."""
    rows = [answer[combination] for answer in found]
    return np.array([np.inf if row is None or row < change else row - change + 1 for row in rows])
