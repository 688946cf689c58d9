"""With as many rows as a structure needs its covariances are regular, and with one row fewer they are not."""

import numpy as np
import pytest

from gaussmix.core.linalg import eigh_descending
from gaussmix.covariance import FACTOR_STRUCTURE_NAMES, MCLUST_NAMES, FactorStructure, RowRequirement, Structure
from gaussmix.model import Mixture, Problem
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers import EM, MeanGainRule, run_solver
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.types import ND, BoolK

N_FEATURES, N_FACTORS = 4, 2
STRUCTURES = {name: Structure.from_name(name) for name in MCLUST_NAMES} | {
    name: FactorStructure(name, n_factors=1) for name in FACTOR_STRUCTURE_NAMES
}


def make_separated_rows(counts: list[int], seed: int) -> ND:
    """Return that many rows of each group; the groups are so far apart that no row belongs to two of them."""
    rng = np.random.default_rng(seed)
    scale = np.linspace(1.0, 2.0, N_FEATURES)
    return np.vstack([rng.normal(1e3 * k, scale, (count, N_FEATURES)) for k, count in enumerate(counts)])


def fit_groups(structure: Structure, counts: list[int], seed: int) -> Mixture:
    """Return the mixture of groups of these sizes after 20 iterations of EM from their own labels."""
    problem = Problem.from_source(make_memory_source(make_separated_rows(counts, seed)), structure)
    labels = np.repeat(np.arange(len(counts)), counts)
    start = initialize_from_labels(problem, labels, len(counts))
    return run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(0.0, 20)).model


def floored(structure: Structure, counts: list[int], seed: int = 0) -> BoolK:
    return np.asarray(fit_groups(structure, counts, seed).covariance.is_floored)


def sufficient_counts(requirement: RowRequirement, n_components: int) -> list[int]:
    """Return row counts of which all but the last are the least, and the last makes up for the total."""
    counts = [requirement.per_component] * n_components
    counts[-1] += max(0, requirement.in_total - sum(counts))
    return counts


# One noise variance per column and component can be zero for any number of rows (Heywood's case).
@pytest.mark.parametrize("name", [name for name in STRUCTURES if name not in ("CUU", "UUU")])
@pytest.mark.parametrize("seed", [0, 1])
def test_least_rows_of_one_component_suffice(name: str, seed: int) -> None:
    """The other components have rows enough: where a shape is shared, they decide on most of it."""
    requirement = STRUCTURES[name].row_requirement(3, N_FEATURES)
    assert not floored(STRUCTURES[name], [20, requirement.per_component, 20], seed).any()


@pytest.mark.parametrize("name", ["EII", "EEI", "EEE", "EEV", "VVV", "VVI", "CCC"])
@pytest.mark.parametrize("n_components", [1, 3])
def test_least_rows_in_total_suffice(name: str, n_components: int) -> None:
    requirement = STRUCTURES[name].row_requirement(n_components, N_FEATURES)
    assert not floored(STRUCTURES[name], sufficient_counts(requirement, n_components)).any()


@pytest.mark.parametrize("name", ["VII", "VEI", "VVI", "VEE", "EVV", "VVV", "UUC"])
def test_one_row_fewer_in_a_component_is_singular(name: str) -> None:
    requirement = STRUCTURES[name].row_requirement(3, N_FEATURES)
    assert floored(STRUCTURES[name], [20, requirement.per_component - 1, 20])[1]


@pytest.mark.parametrize("name", ["EII", "EEI", "EEE", "EEV", "CCC"])
def test_one_row_fewer_in_total_is_singular(name: str) -> None:
    counts = sufficient_counts(STRUCTURES[name].row_requirement(3, N_FEATURES), 3)
    counts[-1] -= 1
    assert floored(STRUCTURES[name], counts).all()


def test_axes_of_fewer_rows_than_columns_are_not_unique() -> None:
    """The scatter of D - 1 rows leaves two axes open; that of D rows leaves none."""
    requirement = STRUCTURES["EEV"].row_requirement(2, N_FEATURES)
    for n_missing, n_open_axes in ((0, 1), (1, 2)):
        rows = make_separated_rows([requirement.per_component - n_missing], 0)
        variances = eigh_descending(np.cov(rows.T, bias=True)[None])[0][0]
        assert (variances < 1e-9 * variances[0]).sum() == n_open_axes


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_one_column_has_a_volume_only(name: str) -> None:
    expected = RowRequirement(1, 4) if name[0] == "E" else RowRequirement(2, 6)
    assert STRUCTURES[name].row_requirement(3, 1) == expected


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_full_covariance_needs_most(name: str) -> None:
    for n_components in (1, 2, 5):
        one, full = (s.row_requirement(n_components, N_FEATURES) for s in (STRUCTURES[name], STRUCTURES["VVV"]))
        assert 1 <= one.per_component <= full.per_component
        assert n_components < one.in_total <= full.in_total


@pytest.mark.parametrize("letters", FACTOR_STRUCTURE_NAMES)
def test_factors_need_rows_beyond_their_number(letters: str) -> None:
    requirement = FactorStructure(letters, N_FACTORS).row_requirement(3, N_FEATURES)
    expected = {"UU": (4, 12), "CU": (4, 12), "UC": (3, 10), "CC": (1, 6)}[letters[:2]]
    assert requirement == RowRequirement(*expected)
