"""Time predictions of fitted mixtures of gaussmix and scikit-learn, for one row to many."""

import time
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.markdown import format_ratio, format_table
from benchmarks.round_robin import print_progress

TITLE = "Predictions"
EXPLANATION = """\
`predict`, `predict_proba` and `score_samples` of mixtures that both libraries fitted to the same rows. Both run in turn
in one process, on the same rows. Cells: microseconds of gaussmix, and how many times as long scikit-learn takes (median
over all calls)."""
SHAPES = "1,2 2,5 2,10 10,3 10,8 50,5 200,2 200,4 500,2 3,50 3,200"
METHODS = ("predict", "predict_proba", "score_samples")
_MAX_NUMBERS = 30_000_000  # rows times columns times components of one call

# Rows of the fits, and the rounds and seconds of one cell: few, so that the whole table takes some minutes.
_N_FIT_ROWS, _MIN_ROUNDS, _MAX_ROUNDS, _SECONDS_PER_CELL = 4000, 5, 200, 0.3


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--structures", default="full,diag", help="scikit-learn's names, separated by commas")
    parser.add_argument("--shapes", nargs="+", default=SHAPES.split(), metavar="d,K", help="columns and components")
    parser.add_argument("--rows", default="1,100,5000,100000", help="numbers of rows, separated by commas")
    parser.add_argument("--models", choices=("mixture", "bayes"), default="mixture", help="estimators to compare")


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one record for each shape, structure and number of rows."""
    records = []
    for shape in arguments.shapes:
        n_features, n_components = map(int, shape.split(","))
        for structure in arguments.structures.split(","):
            print_progress(f"{n_features} columns, {n_components} components, {structure}")
            for n_rows in map(int, arguments.rows.split(",")):
                if n_rows * n_features * n_components <= _MAX_NUMBERS:
                    times = time_predictions(arguments.models, structure, n_features, n_components, n_rows)
                    case = {"n_features": n_features, "n_components": n_components, "structure": structure}
                    records.append({**case, "n_rows": n_rows, "seconds": times})
    return records


def time_predictions(
    models: str, structure: str, n_features: int, n_components: int, n_rows: int
) -> dict[str, list[float]]:
    """Return for each method the median seconds of gaussmix and the median ratio of scikit-learn's to them."""
    rng = np.random.default_rng(n_features + n_components)
    means = 3.0 * rng.normal(size=(n_components, n_features))
    scales = rng.uniform(0.5, 1.5, n_features)

    def draw_rows(size: int) -> np.ndarray:
        return means[rng.integers(n_components, size=size)] + rng.normal(size=(size, n_features)) * scales

    rows = draw_rows(_N_FIT_ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short fits suffice
        fitted = [
            make_estimator(n_components=n_components, covariance_type=structure, random_state=0, max_iter=5).fit(rows)
            for make_estimator in import_estimators(models)
        ]
    new_rows = draw_rows(n_rows)
    return {name: _time_in_turn([_bind(model, name, new_rows) for model in fitted]) for name in METHODS}


def import_estimators(models: str) -> tuple[Any, Any]:
    """Return the estimators of gaussmix and of scikit-learn."""
    import sklearn.mixture

    import gaussmix

    name = {"mixture": "GaussianMixture", "bayes": "BayesianGaussianMixture"}[models]
    return getattr(gaussmix, name), getattr(sklearn.mixture, name)


def _bind(model: Any, method_name: str, rows: np.ndarray) -> Callable[[], object]:
    """Return a function without arguments that calls a method with the rows."""
    return lambda: getattr(model, method_name)(rows)


def _time_in_turn(functions: list[Callable[[], object]]) -> list[float]:
    """Call two functions in turn; return the median seconds of the first, and the median ratio of the second's."""
    pairs: list[list[float]] = []
    start = time.perf_counter()
    for function in functions:
        function()
    seconds = max(time.perf_counter() - start, 1e-9)
    for _ in range(round(min(_MAX_ROUNDS, max(_MIN_ROUNDS, _SECONDS_PER_CELL / seconds)))):
        pair = []
        for function in functions:
            start = time.perf_counter()
            function()
            pair.append(time.perf_counter() - start)
        pairs.append(pair)
    return [median(own for own, _ in pairs), median(other / own for own, other in pairs)]


def format_results(results: list[dict]) -> str:
    """Return a table with one row per case."""
    rows = []
    for record in results:
        case = f"{record['n_features']} columns, {record['n_components']} components, {record['structure']}"
        cells = [f"{1e6 * own:.0f} ({format_ratio(ratio)})" for own, ratio in record["seconds"].values()]
        rows.append([case, f"{record['n_rows']:,}".replace(",", " "), *cells])
    return format_table(["case", "rows", *(f"`{name}`" for name in METHODS)], rows)
