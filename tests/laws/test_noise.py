"""A noise component: mclust's numbers, a likelihood that never falls, and answers that hang on the rows alone."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from gaussmix import ArchiveError, DataError, GaussianMixture, Mixture, ParameterError
from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind
from gaussmix.core.precision_roots import (
    AbstractPrecisionRoot,
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    LowRankPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance import MCLUST_NAMES, Structure
from gaussmix.engines import NumpyEngine, ReferenceEngine
from gaussmix.engines.base import AssignmentKind
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.model import Problem
from gaussmix.model.noise import Box, Noise
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.solvers import EM, MeanGainRule, run_solver
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.solvers.initialization.noise_initialization import add_noise
from gaussmix.sources import MemorySource
from tests.contracts.passes import e_step_on_batch
from tests.exhaustive import parametrize_product

# Log-likelihood and weight of the noise at the end of mclust 6.0.0's me(X, model, unmap(y), Vinv = 1 / hypvol(X)),
# with emControl(tol = 1e-10, itmax = 10000), for groups_with_noise(0, 300) rounded to three digits.
VOLUME = 467.32640500
MCLUST = {
    "EII": (-1522.555953, 0.222707),
    "VII": (-1521.583344, 0.220497),
    "EEI": (-1522.070713, 0.223596),
    "VEI": (-1521.279620, 0.222558),
    "EVI": (-1441.115447, 0.213131),
    "VVI": (-1431.866717, 0.193721),
    "EEE": (-1518.098366, 0.240374),
    "VEE": (-1517.929555, 0.239392),
    "EVE": (-1418.173280, 0.210159),
    "VVE": (-1406.853231, 0.199633),
    "EEV": (-1303.450390, 0.195029),
    "VEV": (-1302.415307, 0.192631),
    "EVV": (-1303.449839, 0.195000),
    "VVV": (-1302.385477, 0.192614),
}


def groups_with_noise(seed, n_rows=600, share=0.2):
    """Three elongated groups over an even background, and the labels: -1 is background."""
    rng = np.random.default_rng(seed)
    n_noise = int(n_rows * share)
    each = (n_rows - n_noise) // 3
    parts = []
    for angle, center in ((0.3, (0, 0)), (1.6, (6, 5)), (-0.7, (7, -4))):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        parts.append(rng.normal(size=(each, 2)) * [2.0, 0.3] @ turn.T + center)
    parts.append(rng.uniform([-8, -10], [14, 12], (n_noise, 2)))
    return np.vstack(parts), np.repeat([0, 1, 2, -1], [each, each, each, n_noise])


def fit(rows, n_components=3, **options):
    settings = {"noise": True, "random_state": 0, "tol": 1e-8, "max_iter": 2000, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GaussianMixture(n_components, **settings).fit(rows)


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_mclusts_end_from_mclusts_start(structure):
    rows, labels = groups_with_noise(0, 300)
    rows = np.round(rows, 3)
    problem = Problem.from_source(MemorySource.from_array(rows), Structure.from_name(structure))
    part = problem.on_sample_of_rows(rows[labels >= 0], np.ones(int((labels >= 0).sum())))
    start = add_noise(
        initialize_from_labels(part, labels[labels >= 0], 3), make_noise_box(problem, True), float((labels < 0).mean())
    )
    found = run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(1e-10, 10_000))
    expected, share = MCLUST[structure]
    assert found.model.noise.volume_in_data_units(problem.source.frame) == pytest.approx(VOLUME, rel=1e-9)
    assert found.last_objective >= expected - 0.05
    assert found.last_objective == pytest.approx(expected, abs=0.05)
    assert found.model.noise.weight == pytest.approx(share, abs=2e-3)


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_our_own_start_is_as_good(structure):
    rows = np.round(groups_with_noise(0, 300)[0], 3)
    assert fit(rows, covariance_type=structure, n_init=5).fit_.log_likelihood >= MCLUST[structure][0] - 0.05


def test_volumes_are_mclusts(faithful, iris):
    """hypvol(as.matrix(faithful)) and hypvol(iris[, 1:4]) of mclust 6.0.0."""
    for rows, expected in ((faithful, 131.8688), (iris[0], 27.2412)):
        problem = Problem.from_source(MemorySource.from_array(rows), Structure.from_name("VVV"))
        box = make_noise_box(problem, True)
        assert np.exp(box.log_volume - problem.source.frame.log_abs_det_jacobian) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_groups_and_background_are_found(seed):
    rows, labels = groups_with_noise(seed)
    found = fit(rows)
    assert adjusted_rand_score(labels, found.predict(rows)) > 0.88
    assert found.noise_weight_ == pytest.approx(0.2, abs=0.03)
    assert f"Noise takes {100 * found.noise_weight_:.1f} %" in str(found.fit_)


@pytest.mark.parametrize("seed", range(3))
def test_data_without_noise_have_none(seed):
    rows, _ = groups_with_noise(seed, share=0.0)
    assert fit(rows).noise_weight_ < 0.02


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(5)})
def test_likelihood_never_falls(structure, seed):
    rows, _ = groups_with_noise(seed, 120, 0.3)
    weights = np.random.default_rng(seed).uniform(0.1, 3.0, len(rows))
    model = GaussianMixture(3, covariance_type=structure, noise=True, tol=0.0, max_iter=25, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = model.fit(rows, sample_weight=weights).fit_.trace.log_likelihoods
    assert np.diff(values).min() >= -1e-9 * np.abs(values).max()


def test_what_it_answers():
    rows, _ = groups_with_noise(1)
    found = fit(rows)
    soft = found.predict_proba(rows)
    assert soft.shape == (len(rows), 4)
    np.testing.assert_allclose(soft.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(found.predict(rows), np.where(soft.argmax(axis=1) == 3, -1, soft.argmax(axis=1)))
    assert found.weights_.sum() + found.noise_weight_ == pytest.approx(1.0, rel=1e-12)
    assert found.model_.n_parameters == fit(rows, noise=None).model_.n_parameters + 2
    bell = Mixture.from_parameters(found.weights_ / found.weights_.sum(), found.means_, found.covariances_)
    expected = found.weights_.sum() * bell.pdf(rows) + found.noise_weight_ / found.noise_volume_
    np.testing.assert_allclose(np.exp(found.score_samples(rows)), expected, rtol=1e-9)
    assert found.predict([[500.0, 500.0]]).tolist() == [-1]


def test_samples_follow_the_density():
    found = fit(groups_with_noise(1)[0])
    rows, labels = found.sample(20_000)
    loose = rows[labels == -1]
    assert len(loose) / len(rows) == pytest.approx(found.noise_weight_, abs=0.02)
    assert np.prod(np.ptp(loose, axis=0)) == pytest.approx(found.noise_volume_, rel=0.02)


def test_cumulative_in_one_column():
    rows = np.concatenate([np.random.default_rng(0).normal(size=200), np.linspace(-20, 20, 60)])[:, None]
    model = fit(rows, 1).model_
    grid = np.linspace(-25, 25, 20_001)[:, None]
    inside = np.abs(grid[:, 0]) <= 20
    summed = np.cumsum(np.where(inside, model.pdf(grid), 0.0)) * (grid[1, 0] - grid[0, 0])
    np.testing.assert_allclose(model.cdf(grid), summed, atol=2e-3)


def test_a_given_volume():
    rows, _ = groups_with_noise(2)
    found = fit(rows, noise=2000.0)
    assert found.noise_volume_ == pytest.approx(2000.0, rel=1e-9)
    assert found.noise_weight_ != fit(rows).noise_weight_


@pytest.mark.parametrize("structure", ["VVV", "EEE", "VII"])
def test_units_offset_and_order_do_not_matter(structure):
    rows, _ = groups_with_noise(3, 300)
    base = fit(rows, covariance_type=structure)
    order = np.random.default_rng(0).permutation(len(rows))
    for changed in (rows[order], rows * 1e-150, rows + 1e6):
        other = fit(changed, covariance_type=structure)
        assert other.noise_weight_ == pytest.approx(base.noise_weight_, rel=1e-4)
    np.testing.assert_array_equal(fit(rows[order], covariance_type=structure).predict(rows), base.predict(rows))


def test_a_weight_is_a_repeat():
    rows, _ = groups_with_noise(4, 300)
    counts = np.random.default_rng(1).integers(1, 3, len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted = GaussianMixture(3, noise=True, random_state=0, tol=1e-8).fit(rows, sample_weight=counts)
        repeated = GaussianMixture(3, noise=True, random_state=0, tol=1e-8).fit(np.repeat(rows, counts, axis=0))
    assert weighted.noise_weight_ == pytest.approx(repeated.noise_weight_, rel=1e-6)


def test_a_file_and_a_marginal_keep_it(tmp_path):
    rows, _ = groups_with_noise(0)
    model = fit(rows).model_
    model.save(tmp_path / "noisy.safetensors")
    loaded = Mixture.load(tmp_path / "noisy.safetensors")
    np.testing.assert_array_equal(loaded.logpdf(rows), model.logpdf(rows))
    assert loaded.n_parameters == model.n_parameters
    part = model.marginal([1])
    assert part.noise.weight == model.noise.weight
    np.testing.assert_array_equal(part.noise.box.minimum, model.noise.box.minimum[[1]])


def test_starting_parameters_and_a_warm_start_go_with_it():
    rows, _ = groups_with_noise(0)
    given = fit(rows, means_init=[[7, -4], [0, 0], [6, 5]])
    np.testing.assert_allclose(given.means_, [[7, -4], [0, 0], [6, 5]], atol=0.7)
    warm = GaussianMixture(3, noise=True, warm_start=True, random_state=0, max_iter=500, tol=1e-8).fit(rows)
    before = warm.lower_bound_
    assert warm.fit(rows).lower_bound_ >= before - 1e-9


@pytest.mark.parametrize("noise", [0.0, -1.0, np.inf, np.nan, "yes", [1.0]])
def test_bad_noise(noise):
    with pytest.raises(ParameterError, match="noise must be"):
        GaussianMixture(2, noise=noise).fit(groups_with_noise(0)[0])


def test_no_volume():
    rows, _ = groups_with_noise(0)
    with pytest.raises(DataError, match="box about the data with a volume, but column 1 has"):
        GaussianMixture(2, noise=True).partial_fit(rows * [1.0, 0.0])


def test_constant_column_needs_no_volume():
    rows, _ = groups_with_noise(0)
    alone = GaussianMixture(2, noise=True, random_state=0).fit(rows[:, :1])
    beside = GaussianMixture(2, noise=True, random_state=0).fit(rows * [1.0, 0.0])
    np.testing.assert_array_equal(beside.predict(rows * [1.0, 0.0]), alone.predict(rows[:, :1]))
    assert beside.noise_volume_ == alone.noise_volume_
    assert (beside.sample(50)[0][:, 1] == 0.0).all()


def random_precision_root(form, n_components, n_features, rng) -> AbstractPrecisionRoot:
    matrices = np.triu(rng.normal(size=(n_components, n_features, n_features))) + 3.0 * np.eye(n_features)
    return {
        "dense": DensePrecisionRoot(matrices),
        "shared": SharedPrecisionRoot(matrices[0]),
        "diagonal": DiagonalPrecisionRoot(rng.uniform(0.5, 2.0, (n_components, n_features))),
        "spherical": SphericalPrecisionRoot(rng.uniform(0.5, 2.0, n_components)),
        "low rank": LowRankPrecisionRoot(
            rng.uniform(0.5, 2.0, (n_components, n_features)),
            np.linalg.qr(rng.normal(size=(n_components, n_features, 1)))[0],
            rng.uniform(1.0, 3.0, (n_components, 1)),
        ),
    }[form]


@parametrize_product(
    {
        "engine": [NumpyEngine(), CompiledEngine(), CompiledEngine(use_screening=False)],
        "form": ["dense", "shared", "diagonal", "spherical", "low rank"],
        "n_components, n_features": [(3, 2), (3, 4), (30, 24)],
    },
    strength=2,
)
def test_engines_agree_on_a_flat_component(engine, form, n_components, n_features):
    rng = np.random.default_rng(0)
    root = random_precision_root(form, n_components, n_features, rng).append_one_zero_root(n_components)
    center = rng.normal(size=(n_components + 1, n_features)) * 3.0
    offset = np.append(rng.normal(size=n_components), -10.0)
    quadratics = Quadratics(offset, center, root)
    batch = Batch(np.concatenate([center[:-1], rng.normal(size=(200, n_features)) * 3.0]))
    for kind in MomentKind:
        for assign in AssignmentKind:
            found, expected = (e_step_on_batch(e, quadratics, batch, kind, assign) for e in (engine, ReferenceEngine()))
            assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-10)
            np.testing.assert_allclose(found.moments.mass, expected.moments.mass, rtol=1e-9, atol=1e-9)
            size = np.abs(expected.moments.scatter).max(initial=0.0)
            np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, atol=1e-9 * size)
    np.testing.assert_array_equal(
        engine.best_scores(quadratics, batch).labels, ReferenceEngine().best_scores(quadratics, batch).labels
    )


def test_boxes():
    box = Box(np.array([0.0, -1.0]), np.array([2.0, 3.0]))
    grown = box.with_log_volume(np.log(32.0))
    np.testing.assert_allclose([grown.minimum, grown.maximum], [[-1.0, -3.0], [3.0, 5.0]])


@pytest.mark.parametrize(
    ("weight", "sides"), [(-0.1, (1.0, 1.0)), (0.9, (1.0, 1.0)), (None, (-1.0, 1.0)), (None, (1.0, 0.0))]
)
def test_damaged_noise_is_refused(weight, sides, tmp_path):
    model = fit(groups_with_noise(0)[0]).model_
    low = model.noise.box.minimum
    share = model.noise.weight if weight is None else weight
    replace(model, noise=Noise(share, Box(low, low + sides))).save(tmp_path / "damaged.safetensors")
    with pytest.raises(ArchiveError, match="damaged"):
        Mixture.load(tmp_path / "damaged.safetensors")


def test_noise_that_takes_every_row_leaves_the_components_where_they_are():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {t: GaussianMixture(2, noise=1e-9, covariance_type=t, random_state=0).fit(rows) for t in MCLUST_NAMES}
    for name, mixture in found.items():
        assert mixture.noise_weight_ == 1.0, name
        assert np.isfinite(mixture.means_).all(), name
        assert np.isfinite(mixture.covariances_).all(), name
    assert (found["VVV"].predict(rows) == -1).all()


def test_numpys_true_is_a_flag_and_not_a_volume():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    one, other = (GaussianMixture(2, noise=flag, random_state=0).fit(rows) for flag in (True, np.True_))
    np.testing.assert_array_equal(one.means_, other.means_)
    assert one.noise_volume_ == other.noise_volume_
