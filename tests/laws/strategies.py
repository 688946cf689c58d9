"""What the laws are tried on: seeds drawn by hypothesis, tables and mixtures made from them.

Numbers come from a seeded generator and not from hypothesis itself, whose favourites (small whole
numbers) are full of ties, where two right answers differ.
"""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from gaussmix.core.frame import Frame
from gaussmix.covariance import MCLUST_NAMES, Structure, covariance_from_matrices
from gaussmix.model import Gaussian, Mixture
from gaussmix.types import ND
from tests.contracts.members import random_member

seeds = st.integers(0, 2**32 - 1)
structures = st.sampled_from(MCLUST_NAMES)
sizes = st.integers(1, 4)


@st.composite
def cuts(draw: st.DrawFn, n_rows: int = 60) -> list[int]:
    """Where a table of so many rows is cut into chunks, some of them perhaps empty."""
    return sorted(draw(st.lists(st.integers(0, n_rows), max_size=8)))


def groups(seed: int, n_rows: int = 60, n_features: int = 2, n_groups: int = 3, distance: float = 3.0) -> ND:
    """Overlapping groups of rows, each with its own spread."""
    rng = np.random.default_rng(seed)
    member = rng.integers(n_groups, size=n_rows)
    spread = np.exp(0.5 * rng.normal(size=(n_groups, n_features)))
    centers = distance * rng.normal(size=(n_groups, n_features))
    return np.asarray(centers[member] + spread[member] * rng.normal(size=(n_rows, n_features)))


def hard_table(seed: int) -> tuple[ND, int]:
    """A table that fits find hard, and a number of components.

    In turn: plain, duplicates, collinear columns, ties, fewer rows than columns, a constant column,
    heavy tails, columns whose units and offsets differ by many powers of ten. Clusters are small.
    """
    rng = np.random.default_rng(seed)
    kind = seed % 8
    n_features = 8 if kind == 4 else int(rng.integers(1, 6))
    n_rows = int(rng.integers(2, 7 if kind == 4 else 60))
    rows = rng.normal(size=(n_rows, n_features)) + 3 * rng.normal(size=(3, n_features))[rng.integers(3, size=n_rows)]
    if kind == 1:
        rows = rows[rng.integers(max(2, n_rows // 4), size=n_rows)]
    elif kind == 2 and n_features > 1:
        rows[:, 1] = 2.0 * rows[:, 0]
    elif kind == 3:
        rows = np.round(rows)
    elif kind == 5:
        rows[:, 0] = 1.0
    elif kind == 6:
        rows = np.exp(3.0 * rows)
    elif kind == 7:
        rows = rows * 10.0 ** rng.integers(-8, 9, size=n_features) + 10.0 ** rng.integers(0, 8)
    return rows, int(rng.integers(1, min(n_rows, 5) + 1))


def random_mixture(seed: int, structure: str = "VVV", n_components: int = 3, n_features: int = 2) -> Mixture:
    """Any mixture of a structure."""
    rng = np.random.default_rng(seed)
    parsed = Structure.from_name(structure)
    matrices = random_member(rng, parsed, n_components, np.ones(n_features), is_floored=False).matrices()
    return Mixture(
        rng.dirichlet(np.full(n_components, 5.0)),
        3.0 * rng.normal(size=(n_components, n_features)),
        covariance_from_matrices(parsed, matrices, n_components, n_features),
        Frame.identity(n_features),
    )


def in_other_units(mixture: Mixture, seed: int) -> Mixture:
    """The same mixture seen through a frame, far from zero and in units of its own."""
    rng = np.random.default_rng(seed)
    shift = rng.integers(-40, 40, mixture.n_features)
    center = np.ldexp(100.0 * rng.normal(size=mixture.n_features), -shift)
    frame = Frame(np.zeros_like(shift), center, shift)
    return replace(mixture, frame=frame)


def random_gaussian(seed: int, n_features: int) -> Gaussian:
    """Any bell whose covariance has a condition number of at most about a thousand."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]
    half = axes * np.exp(rng.uniform(-1.7, 1.7, n_features))
    return Gaussian(5.0 * rng.normal(size=n_features), half @ half.T)
