"""What the eight factor analysers owe: steps that never go down, inside their structure and above their floor."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import (
    FACTOR_STRUCTURE_NAMES,
    AbstractRegularizer,
    CovarianceEstimator,
    FactorStructure,
    FloorRegularizer,
    RidgeRegularizer,
    factor_analyzers,
    make_covariance_estimator,
    shared_loadings,
)
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.regularizer import NoRegularizer
from gaussmix.errors import CollapseError, ParameterError
from gaussmix.types import Array
from tests.contracts.members import expected_log_likelihood
from tests.contracts.test_covariance_estimators import DEGENERATE, degenerate_moments, moments
from tests.exhaustive import parametrize_product

pytestmark = pytest.mark.usefixtures("single_blas_thread")

every_member = pytest.mark.parametrize("name", FACTOR_STRUCTURE_NAMES)
SIZES = ((6, 2), (70, 3))  # columns and factors: with all eigenvectors, and in a subspace


def make_estimator(name: str, n_factors: int = 2, limit: AbstractRegularizer | None = None) -> CovarianceEstimator:
    return make_covariance_estimator(FactorStructure(name, n_factors), limit or NoRegularizer())


def floor_for(name: str, n_features: int, seed: int = 0) -> FloorRegularizer:
    """A floor that lies among the variances of ``moments``, so that it is touched."""
    per_column = np.exp(np.random.default_rng(seed).normal(-1.5, 0.4, n_features))
    is_isotropic = FactorStructure(name, 1).has_isotropic_noise_variance
    return FloorRegularizer(np.full(n_features, per_column[0]) if is_isotropic else per_column)


def estimate(plug: CovarianceEstimator, full: Moments, before: LowRankCovariance | None = None) -> LowRankCovariance:
    found = plug.estimate(full.to_kind(plug.moment_kind), before)
    assert isinstance(found, LowRankCovariance)
    return found


def expected_objective(found: LowRankCovariance, full: Moments) -> float:
    return expected_log_likelihood(found.matrices(), full.mass, full.scatter)


@parametrize_product(
    {"name": FACTOR_STRUCTURE_NAMES, "is_floored": [False, True], "size": SIZES, "max_iter": [1, 20]}, strength=2
)
def test_a_step_never_goes_down(
    name: str, size: tuple[int, int], is_floored: bool, max_iter: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the covariances of the step before, for the scatter they came from and for any other."""
    for module in (factor_analyzers, shared_loadings):
        monkeypatch.setattr(module, "MAX_FACTOR_ITER", max_iter)
    n_features, n_factors = size
    for seed in range(20 if n_features < 10 else 4):
        limit = floor_for(name, n_features, seed) if is_floored else None
        plug = make_estimator(name, n_factors, limit)
        before = estimate(plug, moments(seed, n_features=n_features, flat=is_floored))
        other = moments(seed + 100, n_features=n_features, flat=is_floored)
        for _ in range(4):
            after = estimate(plug, other, before)
            low, high = expected_objective(before, other), expected_objective(after, other)
            assert high >= low - 1e-11 * abs(low)
            before = after


@parametrize_product({"name": FACTOR_STRUCTURE_NAMES, "seed": range(4)})
def test_nothing_near_the_end_does_better(name: str, seed: int) -> None:
    """After many steps, members of the structure nearby, above the floor, reach no more."""
    rng, limit = np.random.default_rng(seed), floor_for(name, 6, seed)
    plug, full = make_estimator(name, limit=limit), moments(seed, n_features=6)
    found = estimate(plug, full)
    for _ in range(200):
        found = estimate(plug, full, found)
    best, structure = expected_objective(found, full), plug.structure
    assert isinstance(structure, FactorStructure)
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(30):
            spun = found.loadings + size * rng.normal(size=found.loadings.shape)
            noise = found.noise_variance * np.exp(size * rng.normal(size=found.noise_variance.shape))
            spun = np.repeat(spun[:1], 3, axis=0) if structure.has_shared_loadings else spun
            noise = np.repeat(noise[:1], 3, axis=0) if structure.has_shared_noise_variance else noise
            noise = np.repeat(noise[:, :1], 6, axis=1) if structure.has_isotropic_noise_variance else noise
            rival = LowRankCovariance(structure, found.is_floored, spun, np.maximum(noise, limit.min_variances))
            assert expected_objective(rival, full) <= best + 1e-5 * abs(best)


@parametrize_product({"name": FACTOR_STRUCTURE_NAMES, "seed": range(5)})
def test_constraining_less_reaches_at_least_as_much(name: str, seed: int) -> None:
    full = moments(seed, n_features=6)
    constrained = estimate(make_estimator(name), full)
    for other in FACTOR_STRUCTURE_NAMES:
        if all(freer in (letter, "U") for letter, freer in zip(name, other, strict=True)):
            found = estimate(make_estimator(other), full, constrained)
            assert expected_objective(found, full) >= expected_objective(constrained, full) - 1e-10


@every_member
@pytest.mark.parametrize("is_floored", [False, True])
def test_obeys_structure_and_floor(name: str, is_floored: bool) -> None:
    for seed in range(5):
        limit = floor_for(name, 6, seed) if is_floored else None
        plug = make_estimator(name, limit=limit)
        found = estimate(plug, moments(seed, n_features=6, flat=is_floored))
        assert isinstance(plug.structure, FactorStructure)
        letters = (
            (found.loadings == found.loadings[0]).all(),
            (found.noise_variance == found.noise_variance[0]).all(),
            (found.noise_variance == found.noise_variance[:, :1]).all(),
        )
        for is_equal, letter in zip(letters, name, strict=True):  # on the floor, what need not be equal may be
            assert is_equal == (letter == "C") or (is_equal and is_floored)
        if limit is not None:
            assert (found.noise_variance >= limit.min_variances).all()
            np.testing.assert_array_equal(found.is_floored, (found.noise_variance == limit.min_variances).any(axis=1))


@every_member
def test_floor_changes_the_answer(name: str) -> None:
    full = moments(1, n_features=6, flat=True)
    wide = floor_for(name, 6).min_variances * 30.0
    found = estimate(make_estimator(name, limit=FloorRegularizer(wide)), full)
    assert found.is_floored.any()
    assert not np.allclose(
        found.matrices(), estimate(make_estimator(name, limit=FloorRegularizer(1e-9 * wide)), full).matrices()
    )


@every_member
def test_ridge_is_added_to_every_variance(name: str) -> None:
    full, ridge = moments(4, n_features=6), np.full(6, 0.25)
    found = estimate(make_estimator(name, limit=RidgeRegularizer(ridge, np.zeros(6))), full).matrices()
    widened = Moments(full.mass, full.mean, full.scatter + full.mass[:, None, None] * np.diag(ridge), full.kind)
    np.testing.assert_allclose(found, estimate(make_estimator(name), widened).matrices(), rtol=1e-8, atol=1e-10)
    if name in ("CCC", "UCC", "UUC"):
        plain = estimate(make_estimator(name), full).matrices()
        np.testing.assert_allclose(found, plain + np.diag(ridge), rtol=1e-8, atol=1e-10)


@every_member
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_components_keep_usable_covariances(name: str, case: str) -> None:
    full = degenerate_moments(case, 6)
    plug = make_estimator(name, limit=FloorRegularizer(np.full(6, 1e-9)))
    found = estimate(plug, full)
    for _ in range(3):
        found = estimate(plug, full, found)
    assert np.isfinite(found.matrices()).all()
    assert np.isfinite(found.log_determinants).all()
    assert np.isfinite(found.precision_root.to_dense(3, 6)).all()
    assert (found.noise_variance >= 1e-9).all()


@every_member
def test_without_a_floor_nothing_to_spread_is_a_collapse(name: str) -> None:
    full = moments(1, n_features=6)
    with pytest.raises(CollapseError):
        estimate(make_estimator(name), Moments(full.mass, full.mean, 0.0 * full.scatter, full.kind))


@pytest.mark.parametrize(("name", "found"), [("UUU", "1"), ("UUC", "1"), ("CUC", "1"), ("CUU", "1")])
def test_a_collapse_names_its_component(name: str, found: str) -> None:
    full = moments(1, n_features=6)
    scatter = full.scatter.copy()
    scatter[1] = 0.0
    with pytest.raises(CollapseError, match=f"component {found};"):
        estimate(make_estimator(name), Moments(full.mass, full.mean, scatter, full.kind))


@every_member
def test_forms_of_one_covariance_agree(name: str) -> None:
    found, eye = estimate(make_estimator(name), moments(3, n_features=6)), np.eye(6)
    matrices, identity = found.matrices(), np.repeat(eye[None], 3, axis=0)
    assert (found.n_components, found.n_features, str(found.structure)) == (3, 6, name)
    np.testing.assert_allclose(found.log_determinants, np.linalg.slogdet(matrices)[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.precisions() @ matrices, identity, atol=1e-10)
    roots = found.precision_root.to_dense(3, 6)
    np.testing.assert_allclose(np.swapaxes(roots, 1, 2) @ matrices @ roots, identity, atol=1e-10)
    np.testing.assert_allclose(
        found.precision_root.covariance_condition_numbers(3), np.linalg.cond(matrices), rtol=1e-8
    )
    for k in range(3):
        np.testing.assert_allclose(found.precision_root.whiten(eye, k), roots[k], rtol=1e-12, atol=1e-14)
        factor = found.unwhiten(eye, k).T
        np.testing.assert_allclose(factor @ factor.T, matrices[k], rtol=1e-12, atol=1e-14)


@every_member
def test_permuting_components_permutes_everything(name: str) -> None:
    found, order = estimate(make_estimator(name), moments(3, n_features=6)), np.array([2, 0, 1])
    turned = found.permute_components(order)
    np.testing.assert_array_equal(turned.matrices(), found.matrices()[order])
    np.testing.assert_array_equal(turned.log_determinants, found.log_determinants[order])
    np.testing.assert_array_equal(turned.precision_root.to_dense(3, 6), found.precision_root.to_dense(3, 6)[order])


@every_member
@pytest.mark.parametrize("is_floored", [False, True])
def test_scaling_single_columns(name: str, is_floored: bool) -> None:
    """Noise of its own in every column takes any unit; isotropic noise does not."""
    full, scales = moments(5, n_features=6), np.array([1.0, 30.0, 0.07, 2.0, 5.0, 0.3])
    outer = scales[:, None] * scales
    rescaled = Moments(full.mass, full.mean * scales, full.scatter * outer, MomentKind.FULL)
    limit = floor_for(name, 6) if is_floored else None
    plain = estimate(make_estimator(name, limit=limit), full).matrices()
    moved = None if limit is None else FloorRegularizer(limit.min_variances * scales**2)
    scaled = estimate(make_estimator(name, limit=moved), rescaled).matrices()
    error = np.abs(scaled / outer - plain).max() / np.abs(plain).max()
    assert (error < 1e-9) == FactorStructure(name, 2).is_column_scale_equivariant


# McNicholas & Murphy, "Parsimonious Gaussian mixture models", Statistics and Computing 18 (2008), table 1.
PUBLISHED_COUNTS: dict[str, Callable[[int, int, int], float]] = {
    "CCC": lambda p, q, G: (p * q - q * (q - 1) / 2) + 1,
    "CCU": lambda p, q, G: (p * q - q * (q - 1) / 2) + p,
    "CUC": lambda p, q, G: (p * q - q * (q - 1) / 2) + G,
    "CUU": lambda p, q, G: (p * q - q * (q - 1) / 2) + G * p,
    "UCC": lambda p, q, G: G * (p * q - q * (q - 1) / 2) + 1,
    "UCU": lambda p, q, G: G * (p * q - q * (q - 1) / 2) + p,
    "UUC": lambda p, q, G: G * (p * q - q * (q - 1) / 2) + G,
    "UUU": lambda p, q, G: G * (p * q - q * (q - 1) / 2) + G * p,
}


@every_member
def test_counts_its_parameters_as_published(name: str) -> None:
    for n_components, (n_features, n_factors) in product([1, 2, 5], [(3, 1), (10, 4), (200, 7)]):
        structure = FactorStructure(name, n_factors)
        expected = PUBLISHED_COUNTS[name](n_features, n_factors, n_components)
        assert structure.n_covariance_parameters(n_components, n_features) == expected
        more = n_components - 1 + n_components * n_features
        assert structure.n_mixture_parameters(n_components, n_features) == expected + more


@pytest.mark.parametrize("name", ["UUU", "UUC"])
def test_as_many_factors_as_a_free_covariance_has_room_for(name: str) -> None:
    """Loadings and noise of one component have no more parameters than a covariance, and one factor more would."""
    for n_features in range(3, 60):
        free = n_features * (n_features + 1) // 2

        def fits(n_factors: int, n_features: int = n_features, free: int = free) -> bool:
            structure = FactorStructure(name, n_factors)
            return n_factors < n_features and structure.n_covariance_parameters(1, n_features) <= free

        most = max(q for q in range(n_features) if fits(q))
        FactorStructure(name, most).check_n_features(n_features)
        with pytest.raises(ParameterError, match=f"use n_factors <= {most}"):
            FactorStructure(name, most + 1).check_n_features(n_features)


def test_shared_noise_of_round_components_counts_eigenvalues_below_it() -> None:
    """A component whose scatter is smaller than the common noise has no loadings, and adds all it has to the noise."""
    eigenvalues = np.array([[9.0, 4.0, 1.0, 1.0], [0.02, 0.01, 0.01, 0.0]])
    mass = np.array([10.0, 30.0])
    scatter = np.array([np.diag(values) for values in eigenvalues]) * mass[:, None, None]
    found = estimate(make_estimator("UCC"), Moments(mass, np.zeros((2, 4)), scatter, MomentKind.FULL))

    def misfit(level: float) -> float:
        kept: Array = np.maximum(eigenvalues, level)
        kept[:, 2:] = level
        return float(mass @ (np.log(kept) + eigenvalues / kept).sum(axis=1))

    level = found.noise_variance[0, 0]
    assert misfit(level) <= min(misfit(other * level) for other in (0.5, 0.9, 0.999, 1.001, 1.1, 2.0))
    assert (found.loadings[1] == 0).all()
