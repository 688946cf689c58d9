"""Count how often gaussmix and R's mclust find the true number of groups of simulated tables, and time both."""

import json
import subprocess
import tempfile
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Recovery of the number of groups"
EXPLANATION = """\
`gaussmix.select(X)` and `Mclust(X)` with their defaults on simulated tables: 1 to 6 groups, 1 to 20 columns, 60 to 3000
rows, covariances of six structures, groups 2.5 to 7 standard deviations apart. Each library chooses once per table, in
turn."""

_COLUMN_COUNTS = (1, 2, 3, 5, 8, 12, 20)
_STRUCTURES = ("EII", "VII", "EEI", "VVI", "EEE", "VVV")
_MAX_ROWS, _MIN_ROWS, _ROWS_PER_GROUP_AND_COLUMN = 3000, 60, 12
_NEGLIGIBLE_SECONDS = 0.2


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--tables", type=int, default=100, help="number of tables for each seed")
    parser.add_argument("--table-seeds", default="5,6", help="seeds of the tables, separated by commas")
    parser.add_argument("--max-columns", type=int, default=20, help="leave out tables of more columns")
    parser.add_argument("--rscript", default="Rscript", help="Rscript with mclust installed")


def simulate_table(rng: np.random.Generator) -> np.ndarray:
    """Return a table (n, 1 + D): the true group of each row, and the row."""
    n_groups, n_columns = int(rng.integers(1, 7)), int(rng.choice(_COLUMN_COUNTS))
    min_rows = max(_MIN_ROWS, _ROWS_PER_GROUP_AND_COLUMN * n_groups * n_columns)
    n_rows = int(np.exp(rng.uniform(np.log(min_rows), np.log(_MAX_ROWS)))) if min_rows < 2500 else _MAX_ROWS
    volume, shape, orientation = str(rng.choice(_STRUCTURES))
    groups = rng.choice(n_groups, size=n_rows, p=rng.dirichlet(np.full(n_groups, 6.0)))
    separation = rng.uniform(2.5, 7.0)
    scales = np.ones(n_groups) if volume == "E" else np.exp(rng.normal(0, 0.4, n_groups))
    is_shared = shape == "I" or (shape, orientation) in (("E", "I"), ("E", "E"))
    roots = [_draw_root(rng, n_columns, shape, orientation) for _ in range(1 if is_shared else n_groups)]
    roots = roots * n_groups if is_shared else roots
    centers = rng.normal(size=(n_groups, n_columns))
    if n_groups > 1:
        distances = np.linalg.norm(centers[:, None] - centers[None], axis=2) + 1e9 * np.eye(n_groups)
        centers = np.clip(centers * separation / max(distances.min(), 1e-3), -60, 60)
    rows = [centers[k] + scales[k] * (roots[k] @ rng.normal(size=n_columns)) for k in groups]
    return np.column_stack([groups, rows])


def _draw_root(rng: np.random.Generator, n_columns: int, shape: str, orientation: str) -> np.ndarray:
    """Return a random square root (D, D) of a covariance of the given shape and orientation."""
    variances = np.ones(n_columns) if shape == "I" else np.exp(rng.normal(0, 0.6, n_columns))
    axes = np.eye(n_columns) if orientation == "I" else np.linalg.qr(rng.normal(size=(n_columns, n_columns)))[0]
    return axes * np.sqrt(variances)


def run_benchmark(arguments: Namespace) -> dict[str, list[dict]]:
    """Return one answer of both libraries for each table, by seed."""
    return {seed: _choose_on_tables(int(seed), arguments) for seed in arguments.table_seeds.split(",")}


def _choose_on_tables(seed: int, arguments: Namespace) -> list[dict]:
    """Return the answers for all tables of a seed; both libraries choose on a table in turn."""
    from gaussmix import select

    rng = np.random.default_rng(seed)
    tables = [simulate_table(rng) for _ in range(arguments.tables)]
    tables = [table for table in tables if table.shape[1] - 1 <= arguments.max_columns]
    select(np.random.default_rng(0).normal(size=(300, 3)))  # loads the compiled code; it does not count
    command = [arguments.rscript, str(REPOSITORY_ROOT / "benchmarks/adapters/mclust_recover.R")]
    answers = []
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as mclust,
    ):
        for number, table in enumerate(tables):
            shape = [len(table), table.shape[1] - 1]
            print_progress(f"seed {seed}, table {number + 1} of {len(tables)}, {shape[0]} x {shape[1]}")
            file = Path(folder) / f"{number}.csv"
            np.savetxt(file, table, delimiter=",", fmt="%.17g")
            theirs, ours = _choose_with_mclust(mclust, file), _choose_with_gaussmix(table)
            n_groups = len(np.unique(table[:, 0]))
            answers.append({"shape": shape, "n_groups": n_groups, "gaussmix": ours, "mclust": theirs})
    return answers


def _choose_with_mclust(mclust: subprocess.Popen, file: Path) -> dict:
    """Return the choice of mclust for the table in a file."""
    mclust.stdin.write(f"{file}\n")
    mclust.stdin.flush()
    return dict(json.loads(mclust.stdout.readline()))


def _choose_with_gaussmix(table: np.ndarray) -> dict:
    """Return the choice of gaussmix for a table."""
    from sklearn.metrics import adjusted_rand_score

    from gaussmix import select

    start_time = time.perf_counter()
    best = select(table[:, 1:]).best
    seconds = time.perf_counter() - start_time
    assert best.mixture is not None
    index = adjusted_rand_score(table[:, 0], best.mixture.predict(table[:, 1:]))
    answer = {"seconds": seconds, "bic": best.criteria["bic"], "best": best.name}
    return {**answer, "n_components": best.n_components, "ari": index}


def format_results(results: dict[str, list[dict]]) -> str:
    """Return a table with one row per seed."""
    head = ["seed", "tables", "true K, gaussmix", "true K, mclust", "ARI, gaussmix", "ARI, mclust"]
    head += ["times faster, median", "slower tables of more than 0.2 s", "longest with one column, s"]
    head += ["BIC worse by more than 0.05"]
    return format_table(head, [_summarize_seed(seed, answers) for seed, answers in results.items()])


def _summarize_seed(seed: str, answers: list[dict]) -> list[str]:
    """Return the row of one seed."""

    def values(library: str, name: str) -> np.ndarray:
        return np.array([answer[library][name] for answer in answers])

    n_groups = np.array([answer["n_groups"] for answer in answers])
    seconds = {library: values(library, "seconds") for library in ("gaussmix", "mclust")}
    is_slower = (seconds["gaussmix"] > seconds["mclust"]) & (seconds["gaussmix"] > _NEGLIGIBLE_SECONDS)
    return [
        seed,
        str(len(answers)),
        *(str(int((values(library, "n_components") == n_groups).sum())) for library in ("gaussmix", "mclust")),
        *(f"{values(library, 'ari').mean():.4f}" for library in ("gaussmix", "mclust")),
        f"{np.median(seconds['mclust'] / seconds['gaussmix']):.2f}",
        str(int(is_slower.sum())),
        f"{max((answer['gaussmix']['seconds'] for answer in answers if answer['shape'][1] == 1), default=0.0):.2f}",
        str(int((values("gaussmix", "bic") > values("mclust", "bic") + 0.05).sum())),
    ]
