"""The answer does not depend on units: shift and scale of the data, from 1e-150 to 1e150.

``a x + b`` is rounded when it is stored, so a fit of it is held against the fit of the rounded
numbers mapped back *exactly*: by a power of two, and by a shift of which `Fraction` shows that it
did not round. The log-likelihood moves by ``-n D log(power)``, and no label changes.
"""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussmix import GaussianMixture, UnrepresentableError
from gaussmix.covariance import MCLUST_NAMES, Structure
from gaussmix.solvers import EM, MeanGainRule, run_solver
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.types import ND, Array
from tests.contracts.problems import problem_of
from tests.laws.strategies import groups, hard_table, seeds, structures

powers_of_ten = st.floats(-150.0, 150.0)
offsets = st.sampled_from([0.0, 1.0, 1e3, 1e8])  # in standard deviations
every_structure = pytest.mark.parametrize("structure", MCLUST_NAMES)
EQUIVARIANT = [name for name in MCLUST_NAMES if Structure.from_name(name).is_column_scale_equivariant]


def fit(rows: ND, structure: str, n_components: int = 3) -> GaussianMixture:
    estimator = GaussianMixture(n_components, covariance_type=structure, tol=1e-6, max_iter=40, random_state=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # forty passes need not converge
        return estimator.fit(rows)


def change_units(rows: ND, power_of_ten: float, offset: float, seed: int) -> tuple[ND, Array, float]:
    """fl(a x + b), with a and b; every column has its own b."""
    scale = 10.0**power_of_ten
    shift = scale * offset * rows.std() * np.random.default_rng(seed).normal(size=rows.shape[1])
    return scale * rows + shift, shift, scale


def is_exact_difference(rows: ND, shift: Array) -> bool:
    """Whether ``rows - shift`` does not round."""
    pairs = zip(rows.ravel().tolist(), np.broadcast_to(shift, rows.shape).ravel().tolist(), strict=True)
    return all(Fraction(row) - Fraction(by) == Fraction(row - by) for row, by in pairs)


def restore_units(stored: ND) -> tuple[ND, int]:
    """The stored numbers, moved to the origin where that does not round, in a nearby power of two."""
    shift = stored[0] if is_exact_difference(stored, stored[0]) else np.zeros(stored.shape[1])
    near = stored - shift
    power = int(np.frexp(np.abs(near).max())[1])
    back = np.ldexp(near, -power)
    assert (np.ldexp(back, power) == near).all()
    return back, power


def assert_same_fit(found: GaussianMixture, rows: ND, expected: GaussianMixture, back: ND, log_scale: float) -> None:
    """Same labels, and log-likelihoods that differ by -n D log a, to 1e-9 n max(1, D |log a|)."""
    n_rows, n_features = len(rows), found.model_.n_independent_features  # densities are those of these columns
    np.testing.assert_array_equal(found.predict(rows), expected.predict(back))
    wanted = expected.fit_.log_likelihood - n_rows * n_features * log_scale
    # Axes that all components share are known less well where some have no extent along one of them: what the floor
    # replaces comes out of scatter that is far larger, and its rounding turns the axes; a floor blurs others a little.
    blur = {True: 10.0, False: 1.0}[expected.fit_.has_floored_component]
    blur = 1e3 if expected.fit_.has_floored_component and str(expected.model_.structure) in ("EVE", "VVE") else blur
    allowed = 1e-9 * n_rows * max(1.0, n_features * abs(log_scale)) * blur
    assert abs(found.fit_.log_likelihood - wanted) <= allowed
    # The exact change of units is held to more: the rounding of the two numbers that are compared.
    sizes = abs(wanted) + abs(expected.fit_.log_likelihood) + n_rows
    assert abs(found.fit_.log_likelihood - wanted) <= 1e-10 * sizes * blur


@every_structure
@settings(settings.get_profile("each structure"))
@given(seeds, powers_of_ten, offsets)
def test_shift_and_scale(structure: str, seed: int, power_of_ten: float, offset: float) -> None:
    rows, _, _ = change_units(groups(seed, 60), power_of_ten, offset, seed)
    back, power = restore_units(rows)
    assert_same_fit(fit(rows, structure), rows, fit(back, structure), back, power * math.log(2.0))


@pytest.mark.parametrize("structure", MCLUST_NAMES)
@settings(settings.get_profile("each structure"))
@given(seeds, powers_of_ten, offsets)
def test_shift_and_scale_of_hard_data(structure: str, seed: int, power_of_ten: float, offset: float) -> None:
    """Duplicates, ties, collinear and constant columns, fewer rows than columns, heavy tails."""
    hard, n_components = hard_table(seed)
    rows, _, _ = change_units(hard, power_of_ten, offset, seed)
    if (np.ptp(rows, axis=0) == 0).all():
        return  # equal rows have no scale that could be followed
    back, power = restore_units(rows)
    found, expected = fit(rows, structure, n_components), fit(back, structure, n_components)
    assert_same_fit(found, rows, expected, back, power * math.log(2.0))


@every_structure
@settings(settings.get_profile("each structure"))
@given(seeds, powers_of_ten, offsets)
def test_scale_that_is_no_power_of_two(structure: str, seed: int, power_of_ten: float, offset: float) -> None:
    """Mapped back by the user's own a and b, with one rounding of each number to nearest."""
    rows, shift, scale = change_units(groups(seed, 60), power_of_ten, offset, seed)
    if not is_exact_difference(rows, shift):
        return
    back = (rows - shift) / scale
    assert_same_fit(fit(rows, structure), rows, fit(back, structure), back, math.log(scale))


@pytest.mark.parametrize("structure", EQUIVARIANT)
@settings(settings.get_profile("each structure"))
@given(seeds)
def test_single_columns_have_units_of_their_own(structure: str, seed: int) -> None:
    """Where a structure does not care about the scale of single columns, a fit does not either."""
    rows = groups(seed, 60, 3)
    powers = np.random.default_rng(seed).integers(-400, 400, 3)
    rescaled = np.ldexp(rows, powers)
    # k-means, which makes most starts, sees the data's own units; a partition sees none.
    labels = np.random.default_rng(seed).integers(0, 2, 60)
    runs = []
    for table in (rows, rescaled):
        problem = problem_of(table, structure)
        runs.append(
            run_solver(
                EM(problem.covariance_estimator),
                initialize_from_labels(problem, labels, 2),
                problem,
                MeanGainRule(0.0, 10),
            )
        )
    plain, found = runs
    shift = len(rows) * float(powers.sum()) * math.log(2.0)
    found_values, expected = found.trace.log_likelihoods + shift, plain.trace.log_likelihoods
    np.testing.assert_allclose(found_values, expected, rtol=1e-10, atol=1e-12 * (1e3 + abs(shift)))
    np.testing.assert_array_equal(found.model.predict(rescaled), plain.model.predict(rows))


@given(seeds, structures, st.sampled_from([1e-170, 1e170]))
def test_what_cannot_be_written_is_named_and_the_model_stays_usable(seed: int, structure: str, scale: float) -> None:
    rows = scale * groups(seed, 60)
    fitted = fit(rows, structure)
    with pytest.raises(UnrepresentableError, match=r"covariances (overflow|underflow) double precision"):
        _ = fitted.covariances_
    with pytest.raises(UnrepresentableError, match=r"precisions (overflow|underflow) double precision"):
        _ = fitted.precisions_
    assert np.isfinite(fitted.score_samples(rows)).all()
    np.testing.assert_allclose(fitted.predict_proba(rows).sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(fitted.predict(rows), fit(rows / scale, structure).predict(rows / scale))
