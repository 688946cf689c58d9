"""Measure fits to rows that lack cells: the time of a pass, the likelihood that is reached, and the chosen models."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Missing cells"
EXPLANATION = """\
Passes: an E-step over rows that lack cells, and over the same rows with all cells, in turn in one process; medians of
the times. "10 %" removes each cell with that probability; "20 patterns" gives each row one of 20 patterns.
Likelihood: 300 rows of three components in four columns (separation c = 2), some of whose cells are removed at random;
the best of ten starts. "Below the truth" counts fits whose log-likelihood of the observed cells is below that of the
true parameters, "falls" those whose likelihood fell in an iteration. Choice: how often `select` chooses, with 10 % of
the cells removed, what it chooses for all cells."""

_PASSES = ("100000,10,3,10 %", "100000,10,8,10 %", "1000000,8,3,20 patterns", "1000000,8,8,20 patterns")
_STRUCTURES = "EII VII EEI VEI EVI VVI EEE VEE EVE VVE EEV VEV EVV VVV"
_FRACTIONS = "0.1,0.3,0.5"
_FAITHFUL = Path(__file__).resolve().parents[2] / "examples" / "faithful.csv"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--passes", nargs="*", default=list(_PASSES), metavar="n,d,K,KIND")
    parser.add_argument("--structures", default=_STRUCTURES, help="structures of the part on the likelihood")
    parser.add_argument("--fractions", default=_FRACTIONS, help="fractions of removed cells")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds, from 0")
    parser.add_argument("--choices", nargs="*", default=["iris", "faithful"])
    parser.add_argument("--rounds", type=int, default=7)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one answer for each part."""
    passes = [_time_passes(text, arguments.rounds) for text in arguments.passes]
    fits = [
        _fit_structure(structure, float(fraction), arguments.seeds)
        for fraction in arguments.fractions.split(",")
        for structure in arguments.structures.split()
    ]
    choices = [_count_equal_choices(name, arguments.seeds) for name in arguments.choices]
    return [{"passes": passes, "fits": fits, "choices": choices}]


def format_results(results: list[dict]) -> str:
    """Return a table for each part."""
    (parts,) = results
    passes = [
        [each["case"], str(each["n_patterns"]), *(f"{1e3 * each[key]:.1f}" for key in ("complete", "gaps")),
         f"{each['gaps'] / each['complete']:.1f}"]
        for each in parts["passes"]
    ]  # fmt: skip
    fits = [
        [each["structure"], f"{100 * each['fraction']:.0f} %", str(each["n_fits"]), str(each["n_below"]),
         str(each["n_falls"]), f"{each['seconds']:.2f}"]
        for each in parts["fits"]
    ]  # fmt: skip
    choices = [[each["name"], each["complete"], f"{each['n_equal']} of {each['n_seeds']}"] for each in parts["choices"]]
    tables = [
        (["pass", "patterns", "all cells, ms", "with gaps, ms", "ratio"], passes),
        (["structure", "removed", "fits", "below the truth", "falls", "seconds"], fits),
        (["table", "choice", "same choice with gaps"], choices),
    ]
    return "\n\n".join(format_table(head, rows) for head, rows in tables if rows)


def _time_passes(text: str, n_rounds: int) -> dict[str, Any]:
    """Return the median seconds of a pass over all cells, and over those that are left."""
    from gaussmix.core.moments import MomentKind
    from gaussmix.engines import AutomaticEngine
    from gaussmix.model import Mixture
    from gaussmix.sources import IncompleteSource, MemorySource

    print_progress(text)
    *sizes, kind = text.split(",")
    n_rows, n_features, n_components = map(int, sizes)
    rng = np.random.default_rng(0)
    roots = 0.4 * rng.normal(size=(n_components, n_features, n_features)) + np.eye(n_features)
    means = 3.0 * rng.normal(size=(n_components, n_features))
    weights = np.full(n_components, 1.0 / n_components)
    mixture = Mixture.from_parameters(weights, means, roots @ np.swapaxes(roots, 1, 2))
    rows = mixture.sample(n_rows, 0)[0]
    complete = MemorySource.from_array(rows)
    source = IncompleteSource.from_completed_rows(_remove_cells(rows, kind, rng), complete)
    sessions = {"complete": AutomaticEngine(n_rows).bind(complete), "gaps": AutomaticEngine(n_rows).bind(source)}
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(n_rounds + 1):
        for name, session in sessions.items():
            start = time.perf_counter()
            session.e_step(mixture, MomentKind.FULL)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: median(times[1:]) for name, times in seconds.items()}  # the first packs the rows
    return {"case": f"{n_rows:_} x {n_features}, K = {n_components}, {kind}".replace("_", " "), **medians,
            "n_patterns": source.patterns.n_patterns}  # fmt: skip


def _remove_cells(rows: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Return a copy of the rows with NaN in some cells."""
    if kind == "10 %":
        return np.where(rng.random(rows.shape) < 0.1, np.nan, rows)
    is_missing = rng.random((20, rows.shape[1])) < 0.25
    is_missing[0] = False
    return np.where(is_missing[rng.integers(0, 20, len(rows))], np.nan, rows)


def _fit_structure(structure: str, fraction: float, n_seeds: int) -> dict[str, Any]:
    """Return how many fits to rows of this structure end below the truth, or fall in an iteration."""
    from gaussmix import GaussianMixture

    print_progress(f"{structure}, {fraction:.0%}")
    n_below, n_falls, seconds = 0, 0, []
    for seed in range(n_seeds):
        truth = _draw_mixture(structure, seed)
        rows = truth.sample(300, seed)[0]
        rows[np.random.default_rng(seed + 1000).random(rows.shape) < fraction] = np.nan
        estimator = GaussianMixture(3, covariance_type=structure, n_init=10, tol=1e-7, max_iter=1000, random_state=seed)
        start = time.perf_counter()
        estimator.fit(rows)
        seconds.append(time.perf_counter() - start)
        n_below += bool(estimator.fit_.log_likelihood < truth.logpdf(rows).sum() - 1e-6)
        n_falls += bool(np.diff(estimator.lower_bounds_).min() < -1e-10)
    return {"structure": structure, "fraction": fraction, "n_fits": n_seeds, "n_below": n_below, "n_falls": n_falls,
            "seconds": median(seconds)}  # fmt: skip


def _draw_mixture(structure: str, seed: int) -> Any:
    """Return a random mixture of three components in four columns with this structure, at separation c = 2."""
    from gaussmix.model import Mixture

    rng, n_features = np.random.default_rng(seed), 4

    def draw_shape() -> np.ndarray:
        shape = np.exp(rng.normal(0.0, 0.5, n_features))
        return shape / np.prod(shape) ** (1.0 / n_features)

    def draw_axes() -> np.ndarray:
        return np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]

    volume, shape, orientation = structure
    volumes = rng.uniform(0.5, 2.0, 3) if volume == "V" else np.ones(3)
    common_shape, common_axes = draw_shape(), draw_axes()
    shapes = [{"I": np.ones(n_features), "E": common_shape}.get(shape, draw_shape()) for _ in range(3)]
    axes = [{"I": np.eye(n_features), "E": common_axes}.get(orientation, draw_axes()) for _ in range(3)]
    covariances = np.array([v * (a * s) @ a.T for v, s, a in zip(volumes, shapes, axes, strict=True)])
    distance = 2.0 * np.sqrt(n_features * max(np.linalg.eigvalsh(each)[-1] for each in covariances))
    means = distance * rng.normal(size=(3, n_features))
    gaps = [np.linalg.norm(means[i] - means[j]) for i in range(3) for j in range(i)]
    means *= max(1.0, distance / min(gaps))
    return Mixture.from_parameters([0.3, 0.3, 0.4], means, covariances)


def _count_equal_choices(name: str, n_seeds: int) -> dict[str, Any]:
    """Return how often the choice for a table with gaps is that for all of its cells."""
    from sklearn.datasets import load_iris

    from gaussmix import select

    rows = load_iris().data if name == "iris" else np.loadtxt(_FAITHFUL, delimiter=",", skiprows=1)
    complete, n_equal = select(rows).best.name, 0
    for seed in range(n_seeds):
        print_progress(f"{name}, seed {seed}")
        gaps = np.where(np.random.default_rng(seed).random(rows.shape) < 0.1, np.nan, rows)
        n_equal += select(gaps).best.name == complete
    return {"name": name, "complete": complete, "n_equal": n_equal, "n_seeds": n_seeds}
