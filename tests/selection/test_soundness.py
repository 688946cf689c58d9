"""A fit is sound by what its structure estimates, and what is set aside is said."""

import re

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import DegenerateFitWarning, bootstrap_test, select
from gaussmix.cli.summaries import best_candidate_warnings
from gaussmix.report import describe_mixture
from gaussmix.types import ND, IntN


def make_round_groups(n_rows: int, n_features: int, n_groups: int, seed: int) -> tuple[ND, IntN]:
    """Return rows of round groups of unit variance that are far apart, and the group of each row."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), n_rows // n_groups)
    centers = 3.0 * rng.normal(size=(n_groups, n_features))
    return rng.normal(size=(len(groups), n_features)) + centers[groups], groups


@pytest.mark.parametrize(("structure", "sklearn_type"), [("VII", "spherical"), ("VVI", "diag"), ("EEE", "tied")])
@pytest.mark.parametrize(("n_rows", "n_features", "n_groups"), [(150, 60, 3), (60, 40, 2)])
def test_more_columns_than_rows_per_group(
    structure: str, sklearn_type: str, n_rows: int, n_features: int, n_groups: int
) -> None:
    rows, groups = make_round_groups(n_rows, n_features, n_groups, 0)
    best = select(rows, range(1, 5), structures=[structure], n_starts=3).best
    oracle = SklearnMixture(n_groups, covariance_type=sklearn_type, random_state=0, n_init=3, reg_covar=0.0).fit(rows)
    assert (best.n_components, best.is_eligible) == (n_groups, True)
    assert best.criteria["bic"] == pytest.approx(oracle.bic(rows), rel=1e-6)
    assert best.mixture is not None
    assert adjusted_rand_score(groups, best.mixture.predict(rows)) == 1.0


def test_round_groups_are_found_among_structures_with_diagonal_covariances() -> None:
    rows, groups = make_round_groups(150, 60, 3, 0)
    best = select(rows, range(1, 6), structures=["EII", "VII", "EEI", "VVI"], n_starts=3).best
    assert best.name == "EII,3"
    assert best.mixture is not None
    assert adjusted_rand_score(groups, best.mixture.predict(rows)) == 1.0


@pytest.mark.parametrize(("structure", "n_features"), [("EII", 1), ("EII", 3), ("EEI", 2), ("EEE", 3)])
def test_one_distant_row_is_a_component_where_covariances_are_shared(structure: str, n_features: int) -> None:
    rng = np.random.default_rng(n_features)
    rows = rng.normal(size=(300, n_features)) + 8.0 * rng.integers(0, 2, 300)[:, None]
    rows[17] = -40.0
    selection = select(rows, range(1, 5), structures=[structure])
    assert selection.best.name == f"{structure},3"
    assert selection.best.fit is not None
    assert selection.best.fit.masses.min() == pytest.approx(1.0)
    assert selection.best.fit.notes == selection.notes == ()


@pytest.mark.parametrize("structure", ["EII", "EEE"])
def test_the_bootstrap_test_goes_on_with_few_rows(structure: str) -> None:
    """The third component of the alternative may hold few rows; mclustBootstrapLRT of R also gives a p-value."""
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(0, 1, (100, 4)), rng.normal(3, 1, (100, 4))])
    result = bootstrap_test(rows, structure=structure, n_bootstrap=19)
    assert [step.n_components for step in result.steps] == [1, 2]
    assert result.steps[0].p_value == pytest.approx(0.05)
    assert result.steps[1].p_value > 0.2


def make_rows_with_zeros(n_rows: int = 300) -> ND:
    """Return one column of which a third are zero, and the rest two Gaussian groups."""
    rng = np.random.default_rng(2)
    groups = rng.choice(3, n_rows, p=[0.3, 0.4, 0.3])
    x = np.choose(groups, [np.zeros(n_rows), rng.normal(3, 0.5, n_rows), rng.normal(6, 0.6, n_rows)])
    return np.asarray(x[:, None])


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_degenerate_candidates_with_a_lower_criterion_are_named() -> None:
    rows = make_rows_with_zeros()
    selection = select(rows)
    best, lower = selection.best, selection.degenerate_candidates_below_best
    expected = {c.name for c in selection.candidates if c.criteria["bic"] < best.criteria["bic"]}
    assert {candidate.name for candidate in lower} == expected
    assert lower[0].criteria["bic"] == min(c.criteria["bic"] for c in selection.candidates)
    assert selection.notes[0].startswith(f"{lower[0].name} has a BIC of ")
    assert f"below that of {best.name}, but is degenerate: " in selection.notes[0]
    assert "at the variance floor" in selection.notes[0]
    assert f"{len(lower) - 1} more degenerate candidates are below {best.name}." in selection.notes[0]
    assert "prior='default'" in selection.notes[1]
    assert repr(selection).endswith("\n".join(selection.notes))
    assert best_candidate_warnings(selection)[:2] == list(selection.notes)
    text = describe_mixture(best.mixture, rows, fit=best.fit, selection=selection)  # type: ignore[arg-type]
    assert "has the lowest BIC of those that are not degenerate" in text
    assert " ".join(selection.notes) in text


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_a_floor_with_enough_rows_is_no_lack_of_rows() -> None:
    """Groups of equal rows are on the floor; that another component has too few rows changes no advice."""
    rows = np.vstack([np.random.default_rng(0).normal(size=(90, 3)), np.full((60, 3), 9.0), [[1e3, 0.0, 0.0]]])
    selection = select(rows, range(1, 4), structures=["VVV"])
    lowest = selection.degenerate_candidates_below_best[0].fit
    assert lowest is not None
    assert lowest.has_too_few_rows.any()
    assert any(note.startswith("A likelihood on the floor is uninformative") for note in selection.notes)


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_large_criteria_have_no_exponent() -> None:
    rows = np.vstack([np.random.default_rng(0).normal(size=(900, 6)) * 1e30, np.full((900, 6), 1e32)])
    note = select(rows, [1, 2], structures=["VVV"]).notes[0]
    assert re.match(r"VVV,2 has a BIC of 1450\d{3}, 83\d{3} below that of VVV,1, but is degenerate", note)


def test_nothing_is_said_where_no_degenerate_candidate_is_lower() -> None:
    rows, _ = make_round_groups(90, 2, 3, 1)
    selection = select(rows, range(1, 5), structures=["EII", "VVV"])
    text = describe_mixture(selection.best.mixture, rows, selection=selection)  # type: ignore[arg-type]
    assert selection.notes == ()
    assert "has the lowest BIC, " in text


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_advice_depends_on_the_reason() -> None:
    """A group of two rows has too few for VVV, whose covariance would be on the floor."""
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(40, 2)), rng.normal(size=(2, 2)) * 1e-3 + 30.0])
    selection = select(rows, range(1, 4), structures=["VVV"])
    assert selection.best.n_components == 1
    assert "fewer columns" in selection.notes[1]
    assert "at the variance floor" in selection.notes[0]
    with_prior = select(rows, range(1, 4), structures=["VVV"], prior="default")
    assert with_prior.best.n_components == 2


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_candidates_short_of_rows_are_run_only_where_none_is_sound() -> None:
    """In 60 columns they took nearly all of the time of a search of 40 rows."""
    rows, _ = make_round_groups(40, 60, 2, seed=0)
    selection = select(rows, range(1, 4))
    short = {c.name: c.rejection_reason for c in selection.candidates if c.fit is None}
    assert short["EVE,1"] == "1 component of EVE would need 61 rows; there are 40."
    assert short["EEE,2"] == "2 components of EEE would need 62 rows; there are 40."
    assert selection.best.name == "EII,2"
    alone = select(rows, range(1, 4), ["EEE", "VVV"])
    assert all(candidate.fit is not None and candidate.fit.is_degenerate for candidate in alone.candidates)


def test_a_search_of_degenerate_candidates_only_warns() -> None:
    with pytest.warns(
        DegenerateFitWarning, match="Every candidate of the search is degenerate; the chosen one is"
    ) as log:
        selection = select(np.ones((50, 2)), [1, 2], ["VVV"])
    assert len(log) == 1
    assert not selection.best.is_eligible
