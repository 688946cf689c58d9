"""The likelihood never falls, and its gradient is what the moments say it is."""

import warnings
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given

from gaussmix import Fit, GaussianMixture
from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.engines import NumpyEngine
from gaussmix.types import ND
from tests.contracts.passes import e_step_on_batch
from tests.exhaustive import interleave, parametrize_product
from tests.laws.strategies import groups, hard_table, random_mixture, seeds

EPS = float(np.finfo(float).eps)
STARTS = ["kmeans", "random", "k-means++", "random_from_data"]


def fit_rows(rows: ND, n_components: int, structure: str, seed: int) -> Fit:
    estimator = GaussianMixture(
        n_components,
        covariance_type=structure,
        init_params=STARTS[seed // 8 % 4],
        tol=0.0,
        max_iter=30,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a tolerance of zero is never met
        found: Fit = estimator.fit(rows).fit_
    return found


@parametrize_product({"structure": MCLUST_NAMES, "seeds": interleave(range(200), 25)})
def test_likelihood_never_falls(structure: str, seeds: Sequence[int]) -> None:
    """Over 200 random tables, most of them hard, by no more than n eps |log-likelihood|.

    Where the terms of a log-likelihood cancel, its rounding is that of the terms: ten nats for each
    number of the table. On the floor a row is divided by deviations sqrt(1e-9) of the overall ones,
    and so is its rounding.
    """
    for seed in seeds:
        rows, n_components = hard_table(seed)
        fit = fit_rows(rows, n_components, structure, seed)
        values = fit.trace.log_likelihoods
        assert np.isfinite(values).all()
        touched = fit.has_floored_component or any("floor" in note for note in fit.notes)
        size = max(float(np.abs(values).max()), 10.0 * rows.size, touched * rows.shape[1] * RELATIVE_FLOOR**-0.5)
        fall = float(-np.diff(values).min(initial=0.0))
        assert fall <= len(rows) * EPS * size, f"table {seed}: the log-likelihood fell by {fall:.2g} of {size:.2g}"


@parametrize_product({"structure": MCLUST_NAMES, "seeds": interleave(range(200), 25)})
def test_likelihood_never_falls_by_more_than_its_rounding(structure: str, seeds: Sequence[int]) -> None:
    """Over 200 random tables of 50 to 300 rows in overlapping groups: n eps |log-likelihood|, to the letter."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        n_features, n_groups, n_rows = (int(rng.integers(*span)) for span in ((1, 7), (1, 6), (50, 300)))
        rows = groups(seed, n_rows, n_features, n_groups)
        values = fit_rows(rows, n_groups, structure, seed).trace.log_likelihoods
        allowed = len(rows) * EPS * np.abs(values[1:])
        assert (values[:-1] - values[1:] <= allowed).all(), f"table {seed}"


@pytest.mark.parametrize(("structure", "start"), list(product(MCLUST_NAMES, ["kmeans", "random"])))
def test_likelihood_rises_at_all(structure: str, start: str) -> None:
    rows = groups(5, 120, 2)
    estimator = GaussianMixture(3, covariance_type=structure, init_params=start, random_state=0, tol=1e-5, max_iter=500)
    values = estimator.fit(rows).fit_.trace.log_likelihoods
    assert values[-1] > values[0]
    assert estimator.fit_.has_converged


@given(seeds)
def test_gradient_is_what_the_moments_say(seed: int) -> None:
    """Fisher's identity: d log L / d mean_k = precision_k @ sum_n r_nk (x_n - mean_k), against differences."""
    mixture, rows, engine = random_mixture(seed), groups(seed, 40), NumpyEngine()
    quadratics = mixture.to_quadratics()
    moments = e_step_on_batch(engine, quadratics, Batch(rows), MomentKind.FULL).moments
    pulls = moments.mass[:, None] * (moments.mean - mixture.means)
    gradient = np.einsum("kij,kj->ki", mixture.precisions, pulls)
    step = 1e-5
    for k in range(3):
        for j in range(2):
            values = []
            for sign in (1.0, -1.0):
                center = quadratics.center.copy()
                center[k, j] += sign * step
                moved = Quadratics(quadratics.offset, center, quadratics.precision_root)
                values.append(e_step_on_batch(engine, moved, Batch(rows), MomentKind.TRACE).log_likelihood)
            difference = (values[0] - values[1]) / (2 * step)
            assert difference == pytest.approx(gradient[k, j], rel=1e-5, abs=1e-5 * (1 + np.abs(gradient).max()))


@parametrize_product(
    {"structure": MCLUST_NAMES, "noise": [False, True], "prior": [None, "default"], "seeds": interleave(range(20), 5)},
    together=[("structure", "noise"), ("structure", "prior"), ("noise", "prior")],
)
def test_likelihood_never_falls_with_prior_noise_and_weights(
    structure: str, prior: str | None, noise: bool, seeds: Sequence[int]
) -> None:
    """Twenty tables each, every second one with weights; with a prior its density is part of the likelihood."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        rows = groups(seed, 60, 1 + seed % 4, 2)
        if noise:
            rows = np.concatenate([rows, rng.uniform(rows.min(axis=0) - 1, rows.max(axis=0) + 1, (15, rows.shape[1]))])
        weights = rng.uniform(0.1, 2.0, len(rows)) if seed % 2 else None
        estimator = GaussianMixture(
            2, covariance_type=structure, prior=prior, noise=noise, tol=0.0, max_iter=12, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a tolerance of zero is never met
            values = estimator.fit(rows, sample_weight=weights).fit_.trace.log_likelihoods
        assert np.isfinite(values).all()
        allowed = 1e-12 * len(rows) * max(1.0, float(np.abs(values).max()))
        assert (np.diff(values) >= -allowed).all(), f"table {seed}"
