"""Results of factorisations in `linalg`, whose fields say what comes first."""

from typing import NamedTuple

from gaussmix.types import DD, KDD, Array, BoolK, D


class StackedCholesky(NamedTuple):
    """Lower factors (K, D, D), and which matrices are not positive definite (K,); their factors are the identity."""

    factors: KDD
    has_failed: BoolK


class Eigenpairs(NamedTuple):
    """Eigenvalues (..., q), descending, and eigenvectors in columns (..., D, q)."""

    values: Array
    vectors: Array


class PrincipalAxes(NamedTuple):
    """Singular values, descending, and the axes of the rows, one axis per row."""

    singular_values: D
    axes: DD


class LeftSingularVectors(NamedTuple):
    """Orthonormal vectors in columns (..., D, q), and singular values (..., q), descending."""

    vectors: Array
    singular_values: Array


class CayleyTransform(NamedTuple):
    """Rotations (I - W)(I + W)^-1 and the matrices (I + W)^-1, (K, D, D) each."""

    rotations: KDD
    inverses: KDD
