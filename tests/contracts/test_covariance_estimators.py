"""What every covariance structure owes: the maximiser, inside its structure and above its floor."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.mixture._gaussian_mixture import _estimate_gaussian_parameters

from gaussmix.core.moments import MomentKind, Moments, compute_moments
from gaussmix.covariance import (
    MCLUST_NAMES,
    AbstractCovariance,
    AbstractCovarianceEstimator,
    AbstractRegularizer,
    FloorRegularizer,
    RidgeRegularizer,
    Structure,
    make_covariance_estimator,
)
from gaussmix.covariance.regularizer import NoRegularizer
from gaussmix.types import KDD, Array, D
from tests.contracts.members import Member, decompose, expected_log_likelihood, member, random_member
from tests.exhaustive import interleave, parametrize_product

pytestmark = pytest.mark.usefixtures("single_blas_thread")

# A new family is a row here and inherits every test.
FAMILIES: dict[str, Callable[[AbstractRegularizer], AbstractCovarianceEstimator]] = {
    name: lambda limit, name=name: make_covariance_estimator(Structure.from_name(name), limit)  # type: ignore[misc]
    for name in MCLUST_NAMES
}

every_family = pytest.mark.parametrize("name", FAMILIES)


def moments(seed: int, n_components: int = 3, n_features: int = 3, flat: bool = False) -> Moments:
    """Full moments of random soft partitions; ``flat`` ones have directions with next to no spread."""
    rng = np.random.default_rng(seed)
    mass = rng.uniform(5.0, 40.0, n_components)
    turns = np.linalg.qr(rng.normal(size=(n_components, n_features, n_features)))[0]
    spread = np.exp(rng.normal(0.0, 1.0, (n_components, n_features)))
    if flat:
        spread[rng.random(spread.shape) < 0.5] *= 1e-6
    half = turns * np.sqrt(spread * mass[:, None])[:, None, :]
    scatter = half @ np.swapaxes(half, 1, 2)
    return Moments(mass, rng.normal(size=(n_components, n_features)), scatter, MomentKind.FULL)


def floor_for(name: str, n_features: int, seed: int = 0) -> D:
    """A floor that lies among the variances of ``moments``, so that it is touched."""
    rng = np.random.default_rng(seed)
    per_column = np.exp(rng.normal(-0.5, 0.4, n_features))
    return per_column if Structure.from_name(name).is_column_scale_equivariant else np.full(n_features, per_column[0])


ITERATIVE = ("VEI", "VEE", "EVE", "VVE", "VEV")


def estimate_to_convergence(plug: AbstractCovarianceEstimator, full: Moments) -> AbstractCovariance:
    """Where M-steps from the same moments, each begun at the last one's covariances, come to rest."""
    reduced = full.to_kind(plug.moment_kind)
    found = plug.estimate(reduced)
    for _ in range(400 if str(plug.structure) in ITERATIVE else 0):
        last, found = found, plug.estimate(reduced, found)
        if np.abs(found.matrices() - last.matrices()).max() <= 1e-15 * np.abs(found.matrices()).max():
            break
    return found


def estimate(name: str, full: Moments, floor: D | None = None) -> KDD:
    return estimate_to_convergence(
        FAMILIES[name](NoRegularizer() if floor is None else FloorRegularizer(floor)), full
    ).matrices()


def relative_eigenvalues(matrices: KDD, unit: D) -> Array:
    inverse = 1.0 / np.sqrt(unit)
    return np.asarray(np.linalg.eigvalsh(matrices * (inverse[:, None] * inverse)))


def assert_obeys(structure: Structure, matrices: KDD, tolerance: float = 1e-10) -> None:
    """Equal volumes, shapes and orientations where the letters say so."""
    values = np.linalg.eigvalsh(matrices)
    if structure.volume == "E":
        volumes = np.log(values).mean(axis=1)
        np.testing.assert_allclose(volumes, volumes[0], atol=tolerance)
    if structure.shape != "V":
        shapes = np.log(values) - np.log(values).mean(axis=1, keepdims=True)
        expected = shapes[:1] if structure.shape == "E" else 0.0
        np.testing.assert_allclose(shapes, np.broadcast_to(expected, shapes.shape), atol=tolerance)
    if structure.orientation == "I":
        assert (matrices * (1 - np.eye(matrices.shape[1])) == 0).all()
    if structure.orientation == "E":
        for other in matrices[1:]:
            np.testing.assert_allclose(matrices[0] @ other, other @ matrices[0], atol=tolerance * np.abs(other).max())


@parametrize_product(
    {"name": FAMILIES, "is_floored": [False, True], "seed": range(6)}, together=[("name", "is_floored")]
)
def test_no_member_of_the_structure_does_better(name: str, seed: int, is_floored: bool) -> None:
    rng = np.random.default_rng(seed)
    full = moments(seed, n_components=2 + seed % 3, n_features=2 + seed % 2, flat=is_floored)
    n_components, n_features = full.mean.shape
    floor = floor_for(name, n_features, seed) if is_floored else None
    found = estimate(name, full, floor)
    best = expected_log_likelihood(found, full.mass, full.scatter)
    unit = np.ones(n_features) if floor is None else floor
    structure = Structure.from_name(name)
    rivals: list[Member] = [random_member(rng, structure, n_components, unit, is_floored) for _ in range(50)]
    base = decompose(structure, found, unit, is_floored)
    rivals += [base.nearby(rng, size) for size in (0.3, 0.1, 1e-2, 1e-3, 1e-4) for _ in range(15)]
    for rival in rivals:
        reached = expected_log_likelihood(rival.matrices(), full.mass, full.scatter)
        assert reached <= best + 1e-10 * max(1.0, abs(best))


@parametrize_product({"name": FAMILIES, "seed": range(6)})
def test_floor_is_touched_by_the_rivals_above(name: str, seed: int) -> None:
    """The test above is about an active floor only if the floor changes the answer."""
    full = moments(seed, n_components=2 + seed % 3, n_features=2 + seed % 2, flat=True)
    floor = floor_for(name, full.mean.shape[1], seed)
    if name in ("EII", "VII", "EEI", "EEE"):  # pooled or round: half the seeds leave the floor alone
        floor = 30 * floor
    plug = FAMILIES[name](FloorRegularizer(floor))
    assert estimate_to_convergence(plug, full).is_floored.any()
    assert not np.allclose(estimate(name, full, floor), estimate(name, full, 1e-12 * floor))


@every_family
def test_equals_brute_force(name: str) -> None:
    structure = Structure.from_name(name)
    full = moments(7, n_components=2, n_features=2)
    best = expected_log_likelihood(estimate(name, full), full.mass, full.scatter)

    def loss(free: Array) -> float:
        cosine, sine = np.cos(free[4:]), np.sin(free[4:])
        axes = np.array([[cosine, -sine], [sine, cosine]]).transpose(2, 0, 1)
        rival = member(structure, free[:4].reshape(2, 2), axes, np.ones(2), is_floored=False)
        return -expected_log_likelihood(rival.matrices(), full.mass, full.scatter)

    rng = np.random.default_rng(0)
    reached = max(-minimize(loss, rng.normal(size=6), method="BFGS").fun for _ in range(4))
    assert reached == pytest.approx(best, abs=1e-7)


@parametrize_product(
    {"name": FAMILIES, "is_floored": [False, True], "seed": range(5)}, together=[("name", "is_floored")]
)
def test_obeys_structure_and_floor(name: str, seed: int, is_floored: bool) -> None:
    full = moments(seed, n_components=4, n_features=3, flat=is_floored)
    floor = floor_for(name, 3, seed) if is_floored else None
    found = estimate(name, full, floor)
    assert_obeys(Structure.from_name(name), found)
    if floor is not None:
        assert relative_eigenvalues(found, floor).min() >= 1 - 1e-9


DEGENERATE = ["no mass", "no scatter", "neither anywhere", "tiny mass"]


def degenerate_moments(case: str, n_features: int) -> Moments:
    """Moments of three components, some of which lack mass or scatter."""
    full = moments(1, n_components=3, n_features=n_features)
    mass, scatter = full.mass.copy(), full.scatter.copy()
    if case == "no scatter":
        scatter[0] = 0.0
    elif case == "neither anywhere":
        scatter[:] = 0.0
        mass[1:] = 0.0
    else:
        mass[0] = 0.0 if case == "no mass" else 1e-300
        scatter[0] *= mass[0]
    return Moments(mass, full.mean, scatter, MomentKind.FULL)


@every_family
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_components_keep_usable_covariances(name: str, case: str) -> None:
    floor = np.full(3, 1e-9)
    plug = FAMILIES[name](FloorRegularizer(floor))
    found = plug.estimate(degenerate_moments(case, 3).to_kind(plug.moment_kind))
    assert np.isfinite(found.matrices()).all()
    assert np.isfinite(found.log_determinants).all()
    assert relative_eigenvalues(found.matrices(), floor).min() >= 1 - 1e-6
    if name in ("VII", "VVI", "VVV") and case != "tiny mass":  # in the others volume is borrowed from the rest
        assert found.is_floored[0]


# mclust's nVarParams, from its manual: G components, d columns.
PUBLISHED_COUNTS: dict[str, Callable[[int, int], float]] = {
    "EII": lambda G, d: 1,
    "VII": lambda G, d: G,
    "EEI": lambda G, d: d,
    "EVI": lambda G, d: 1 + G * (d - 1),
    "VEI": lambda G, d: G + (d - 1),
    "VVI": lambda G, d: G * d,
    "EEE": lambda G, d: d * (d + 1) / 2,
    "VEE": lambda G, d: G + (d - 1) + d * (d - 1) / 2,
    "EVE": lambda G, d: 1 + G * (d - 1) + d * (d - 1) / 2,
    "VVE": lambda G, d: G + G * (d - 1) + d * (d - 1) / 2,
    "VEV": lambda G, d: G + (d - 1) + G * d * (d - 1) / 2,
    "EEV": lambda G, d: 1 + (d - 1) + G * d * (d - 1) / 2,
    "EVV": lambda G, d: 1 + G * (d - 1) + G * d * (d - 1) / 2,
    "VVV": lambda G, d: G * d * (d + 1) / 2,
}


@every_family
def test_counts_its_parameters_as_mclust_does(name: str) -> None:
    structure = FAMILIES[name](NoRegularizer()).structure
    sizes = list(product(range(1, 8), range(1, 7)))
    counted = {size: structure.n_covariance_parameters(*size) for size in sizes}
    assert counted == {size: PUBLISHED_COUNTS[name](*size) for size in sizes}


@every_family
def test_forms_of_one_covariance_agree(name: str) -> None:
    plug = FAMILIES[name](FloorRegularizer(np.full(3, 1e-9)))
    found = plug.estimate(moments(3).to_kind(plug.moment_kind))
    matrices, eye = found.matrices(), np.eye(3)
    assert (found.n_components, found.n_features) == (3, 3)
    assert str(found.structure) == name
    assert found.is_floored.shape == (3,)
    np.testing.assert_allclose(found.log_determinants, np.linalg.slogdet(matrices)[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.precisions() @ matrices, np.repeat(eye[None], 3, axis=0), atol=1e-10)
    roots = found.precision_root.to_dense(3, 3)
    np.testing.assert_allclose(np.swapaxes(roots, 1, 2) @ matrices @ roots, np.repeat(eye[None], 3, axis=0), atol=1e-10)
    for k in range(3):
        np.testing.assert_allclose(found.precision_root.whiten(eye, k), roots[k], rtol=1e-13)
        factor = found.unwhiten(eye, k).T
        np.testing.assert_allclose(factor @ factor.T, matrices[k], rtol=1e-12, atol=1e-14)


@every_family
def test_permuting_components_permutes_everything(name: str) -> None:
    plug = FAMILIES[name](FloorRegularizer(floor_for(name, 3)))
    found = plug.estimate(moments(3, flat=True).to_kind(plug.moment_kind))
    order = np.array([2, 0, 1])
    turned = found.permute_components(order)
    np.testing.assert_array_equal(turned.matrices(), found.matrices()[order])
    np.testing.assert_array_equal(turned.log_determinants, found.log_determinants[order])
    np.testing.assert_array_equal(turned.is_floored, found.is_floored[order])
    np.testing.assert_array_equal(turned.precision_root.to_dense(3, 3), found.precision_root.to_dense(3, 3)[order])


@every_family
@pytest.mark.parametrize("is_floored", [False, True])
def test_scaling_single_columns(name: str, is_floored: bool) -> None:
    """Where a structure declares it, new units for single columns change nothing but the units."""
    structure, full = Structure.from_name(name), moments(5)
    scales = np.array([1.0, 30.0, 0.07])
    outer = scales[:, None] * scales
    rescaled = Moments(full.mass, full.mean * scales, full.scatter * outer, MomentKind.FULL)
    floor = floor_for(name, 3) if is_floored and structure.is_column_scale_equivariant else None
    plain = estimate(name, full, floor)
    scaled = estimate(name, rescaled, None if floor is None else floor * scales**2)
    error = np.abs(scaled / outer - plain).max() / np.abs(plain).max()
    assert (error < 1e-10) == structure.is_column_scale_equivariant


@every_family
def test_ridge_is_added_to_every_variance(name: str) -> None:
    full, ridge = moments(4), np.full(3, 0.25)
    plug = FAMILIES[name](RidgeRegularizer(ridge, np.zeros(3)))
    found = estimate_to_convergence(plug, full).matrices()
    widened = Moments(full.mass, full.mean, full.scatter + full.mass[:, None, None] * np.diag(ridge), full.kind)
    np.testing.assert_allclose(found, estimate(name, widened), rtol=1e-10, atol=1e-12)
    if name not in ("EVI", "EVV", "EVE", "VEI", "VEE", "VEV", "VVE"):  # whose parts are not averages of variances
        np.testing.assert_allclose(found, estimate(name, full) + np.diag(ridge), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "theirs"), [("VVV", "full"), ("EEE", "tied"), ("VVI", "diag"), ("VII", "spherical")])
@pytest.mark.parametrize("ridge", [0.0, 1e-6, 0.5])
def test_shared_structures_equal_sklearns(name: str, theirs: str, ridge: float) -> None:
    rng = np.random.default_rng(2)
    rows, shares = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3)), rng.dirichlet(np.ones(2), size=60)
    full = compute_moments(rows, shares, np.zeros((2, 3)), MomentKind.FULL)
    plug = FAMILIES[name](RidgeRegularizer(np.full(3, ridge), np.zeros(3)))
    found = plug.estimate(full.to_kind(plug.moment_kind)).matrices()
    expected = _estimate_gaussian_parameters(rows, shares, ridge, theirs)[2]
    if theirs == "tied":
        expected = np.repeat(expected[None], 2, axis=0)
    elif theirs != "full":
        expected = np.asarray(expected).reshape(2, -1)[:, :, None] * np.eye(3)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@parametrize_product(
    {"name": FAMILIES, "is_floored": [False, True], "seeds": interleave(range(20), 5)},
    together=[("name", "is_floored")],
)
def test_a_step_from_any_covariances_is_no_step_down(name: str, seeds: Sequence[int], is_floored: bool) -> None:
    """Wherever turns end: what makes EM's likelihood never fall."""
    for seed in seeds:
        n_components, n_features = 2 + seed % 3, 1 + seed % 4
        full, other = (moments(seed + lag, n_components, n_features, flat=is_floored) for lag in (0, 100))
        floor = floor_for(name, n_features, seed) if is_floored else None
        plug = FAMILIES[name](NoRegularizer() if floor is None else FloorRegularizer(floor))
        before = plug.estimate(other.to_kind(plug.moment_kind))
        after = plug.estimate(full.to_kind(plug.moment_kind), before)
        values = [expected_log_likelihood(found.matrices(), full.mass, full.scatter) for found in (before, after)]
        assert values[1] >= values[0] - 1e-12 * abs(values[0]), f"seed {seed}"
        assert_obeys(Structure.from_name(name), after.matrices())


@pytest.mark.parametrize("name", ITERATIVE)
def test_parts_in_turn_come_from_the_covariances_before(name: str) -> None:
    full = moments(3, n_components=4, n_features=4)
    plug = FAMILIES[name](NoRegularizer())
    reduced = full.to_kind(plug.moment_kind)
    begun, ended = plug.estimate(reduced), estimate_to_convergence(plug, full)
    gone_on = plug.estimate(reduced, ended)
    np.testing.assert_allclose(gone_on.matrices(), ended.matrices(), rtol=1e-9, atol=1e-12)
    values = [expected_log_likelihood(found.matrices(), full.mass, full.scatter) for found in (begun, ended)]
    assert values[1] >= values[0] - 1e-12 * abs(values[0])


@pytest.mark.parametrize(("name", "expected"), [("E", "EII"), ("V", "VII"), ("e", "EII")])
def test_names_for_one_column(name: str, expected: str) -> None:
    assert str(Structure.from_name(name)) == expected
