"""Factorisations that tell when they fail, against NumPy's general ones."""

import numpy as np
import pytest

from gaussmix.core import linalg
from gaussmix.types import DD


def random_positive_definite(seed: int, size: int = 4) -> DD:
    half = np.random.default_rng(seed).normal(size=(size, size))
    return np.asarray(half @ half.T + 0.1 * np.eye(size))


@pytest.mark.parametrize("seed", range(3))
def test_cholesky_inverse_log_determinant_and_solution_agree_with_numpy(seed: int) -> None:
    matrix = random_positive_definite(seed)
    factor = linalg.cholesky(matrix)
    assert factor is not None
    np.testing.assert_allclose(factor @ factor.T, matrix, rtol=1e-12)
    np.testing.assert_allclose(linalg.invert_lower(factor) @ factor, np.eye(4), atol=1e-12)
    np.testing.assert_array_equal(np.triu(linalg.invert_lower(factor), 1), 0.0)
    assert linalg.log_determinant_from_factor(factor) == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-12)
    columns = np.random.default_rng(seed).normal(size=(4, 3))
    np.testing.assert_allclose(linalg.solve_lower(factor, columns), np.linalg.solve(factor, columns), rtol=1e-10)


INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    "matrix", [np.zeros((2, 2)), INDEFINITE, np.full((2, 2), np.nan), np.full((2, 2), np.inf), -np.eye(2)]
)
def test_cholesky_of_a_matrix_that_is_not_positive_definite_is_none(matrix: DD) -> None:
    assert linalg.cholesky(matrix) is None
    assert linalg.upper_cholesky(matrix) is None


@pytest.mark.parametrize("seed", range(3))
def test_upper_cholesky_and_triangular_form_of_any_root(seed: int) -> None:
    precision = random_positive_definite(seed)
    upper = linalg.upper_cholesky(precision)
    assert upper is not None
    np.testing.assert_array_equal(np.tril(upper, -1), 0.0)
    np.testing.assert_allclose(upper @ upper.T, precision, rtol=1e-12)
    rotated = upper @ np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    np.testing.assert_allclose(linalg.to_upper_triangular_roots(rotated[None])[0], upper, atol=1e-12)


def test_inverse_of_a_singular_factor_raises_value_error() -> None:
    with pytest.raises(ValueError, match="zero or invalid pivot"):
        linalg.invert_lower(np.array([[1.0, 0.0], [1.0, 0.0]]))


def test_is_above_floor_compares_each_matrix_with_the_floor() -> None:
    stack = np.array([np.diag([2.0, 3.0]), np.diag([2.0, 3.2]), np.diag([1.8, 9.0])])
    np.testing.assert_array_equal(linalg.is_above_floor(stack, np.array([1.9, 3.1])), [False, True, False])


STACKS = [(1, 1), (3, 1), (5, 4), (40, 1), (300, 3), (2, 31), (3, 65), (2, 130)]


@pytest.mark.parametrize(("n_matrices", "size"), STACKS)
@pytest.mark.parametrize("spread", [1.0, 1e4], ids=["well conditioned", "ill conditioned"])
def test_stacked_factors_and_inverses_equal_those_of_single_matrices(n_matrices: int, size: int, spread: float) -> None:
    scales = np.geomspace(1.0, spread, size)
    stack = np.array([random_positive_definite(seed, size) for seed in range(n_matrices)]) * scales[:, None] * scales
    factors, has_failed = linalg.cholesky_stack(stack)
    assert not has_failed.any()
    assert factors.flags.c_contiguous
    deviations = np.sqrt(np.einsum("kii->ki", stack))
    bound = deviations[:, :, None] * deviations[:, None, :]
    assert (np.abs(factors @ np.swapaxes(factors, 1, 2) - stack) <= 1e-15 * (size + 1) * bound).all()
    np.testing.assert_array_equal(np.triu(factors, 1), 0.0)
    roots = linalg.triangular_inverse_transposes(factors)
    assert roots.flags.c_contiguous
    np.testing.assert_array_equal(np.tril(roots, -1), 0.0)
    bound = np.abs(np.swapaxes(roots, 1, 2)) @ np.abs(factors)
    assert (np.abs(np.swapaxes(roots, 1, 2) @ factors - np.eye(size)) <= 1e-15 * (size + 1) * bound).all()
    for single, factor, root in zip(stack, factors, roots, strict=True):
        tolerance = 1e-15 * size * np.linalg.cond(single)
        np.testing.assert_allclose(factor, np.asarray(linalg.cholesky(single)), rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(
            root, linalg.invert_lower(factor).T, rtol=tolerance, atol=tolerance * np.abs(root).max()
        )
    logs = [linalg.log_determinant_from_factor(factor) for factor in factors]
    np.testing.assert_allclose(linalg.log_determinants_from_factors(factors), logs, rtol=1e-14, atol=1e-14 * size)


@pytest.mark.parametrize("size", [2, 5, 70])
@pytest.mark.parametrize("bad_value", [0.0, -1.0, np.nan, np.inf])
def test_failed_matrices_are_marked_and_do_not_change_other_factors(size: int, bad_value: float) -> None:
    stack = np.array([random_positive_definite(seed, size) for seed in range(4)])
    factors_before, _ = linalg.cholesky_stack(stack)
    before = stack.copy()
    stack[1, -1, -1] = bad_value
    stack[3] = bad_value
    factors, has_failed = linalg.cholesky_stack(stack)
    np.testing.assert_array_equal(has_failed, [False, True, False, True])
    np.testing.assert_allclose(factors[[0, 2]], factors_before[[0, 2]], rtol=1e-13)
    np.testing.assert_array_equal(factors[[1, 3]], np.array([np.eye(size)] * 2))
    np.testing.assert_array_equal(stack[[0, 2]], before[[0, 2]])


def test_eigenvalues_are_descending() -> None:
    stack = np.array([random_positive_definite(seed) for seed in range(3)])
    values, vectors = linalg.eigh_descending(stack)
    assert (np.diff(values, axis=1) <= 0).all()
    np.testing.assert_allclose((vectors * values[:, None, :]) @ np.swapaxes(vectors, 1, 2), stack, atol=1e-12)


def test_condition_number_is_that_of_the_precision() -> None:
    roots = np.array([np.diag([1.0, 10.0]), np.eye(2)])
    np.testing.assert_allclose(linalg.precision_condition_numbers(roots), [100.0, 1.0])


def test_weighted_outer_sum() -> None:
    deltas, weights = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([2.0, 0.5])
    expected = sum(w * np.outer(d, d) for w, d in zip(weights, deltas, strict=True))
    np.testing.assert_allclose(linalg.weighted_outer_sum(deltas, weights), expected)


@pytest.mark.parametrize("seed", range(3))
def test_stacked_roots_inverses_and_solutions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    general = rng.normal(size=(4, 5, 5))
    matrices = general @ np.swapaxes(general, 1, 2)
    roots = linalg.upper_cholesky_stack(matrices)
    np.testing.assert_allclose(roots @ np.swapaxes(roots, 1, 2), matrices, rtol=1e-10, atol=1e-12)
    assert not np.tril(roots, -1).any()
    inverses = linalg.general_inverse_transposes(general)
    assert inverses is not None
    np.testing.assert_allclose(np.swapaxes(inverses, 1, 2) @ general, np.broadcast_to(np.eye(5), (4, 5, 5)), atol=1e-9)
    columns = rng.normal(size=(5, 3))
    solved = general @ linalg.solve_common_columns(general, columns)
    np.testing.assert_allclose(solved, np.broadcast_to(columns, (4, 5, 3)), atol=1e-9)
    assert linalg.general_inverse_transposes(np.zeros((2, 3, 3))) is None


@pytest.mark.parametrize("rank", [0, 1, 3])
@pytest.mark.parametrize("size", [10, 274])
def test_matrices_of_low_rank_have_as_many_eigenpairs_as_wanted(rank: int, size: int):
    columns = np.random.default_rng(rank).normal(size=(size, rank)) * 1e-3
    matrix = columns @ columns.T
    values, vectors = linalg.largest_eigenpairs(matrix, 5)
    assert values.shape == (5,)
    assert vectors.shape == (size, 5)
    assert np.allclose(matrix @ vectors, vectors * values, atol=1e-12)
    assert np.allclose(values[:rank].sum(), np.trace(matrix))


def test_eigenpairs_that_lapack_loses_are_computed_again(monkeypatch: pytest.MonkeyPatch):
    matrix = np.diag(np.append(np.full(99, 1.0), 9.0))  # of many equal eigenvalues, it can return fewer than wanted
    monkeypatch.setattr(linalg, "eigh", lambda *_, **__: (np.empty(0), np.empty((100, 0))))
    values, vectors = linalg.largest_eigenpairs(matrix, 3)
    assert np.allclose(values, [9.0, 1.0, 1.0])
    assert np.allclose(matrix @ vectors, vectors * values)
