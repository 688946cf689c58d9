"""Model search over structures and numbers of components."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from gaussmix import DataError, MissingPackageError, ParameterError, Selection, SelectionError, select
from gaussmix.core.outcome import Outcome
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.selection import CRITERIA
from gaussmix.selection.candidate_runs import _N_EXTRAPOLATED_ITER
from gaussmix.types import ND
from tests.contracts.problems import assert_same_mixture


def make_separated_groups(n_rows: int = 60, seed: int = 0) -> ND:
    """Return three separated spherical groups of equal size."""
    rng = np.random.default_rng(seed)
    centers = np.repeat([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], n_rows // 3, axis=0)
    return np.asarray(centers + rng.normal(size=(n_rows, 2)))


@pytest.fixture(scope="module")
def selection() -> Selection:
    """Return the search over 1 to 4 components of three separated groups."""
    return select(make_separated_groups(), range(1, 5), n_starts=3)


def test_the_groups_are_found(selection: Selection) -> None:
    assert selection.best.name == "EII,3"
    assert selection.best.is_eligible
    assert selection.best.mixture is not None
    means = selection.best.mixture.means
    np.testing.assert_allclose(means[np.lexsort(means.T.round())], [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], atol=0.7)
    assert selection.runner_up is not None
    assert selection.runner_up.name != "EII,3"


def test_candidates_are_ranked_and_tabulated(selection: Selection) -> None:
    assert len(selection.candidates) == len(MCLUST_NAMES) * 4
    sound = [cell.criteria["bic"] for cell in selection.candidates if cell.is_eligible]
    np.testing.assert_allclose(sound, sorted(sound), rtol=1e-9)  # structures that coincide differ by rounding
    eligible = [cell.is_eligible for cell in selection.candidates]
    assert eligible == sorted(eligible, reverse=True)
    table = selection.table()
    assert len(table) == len(selection.candidates)
    assert set(table[0]) >= {"structure", "n_components", *CRITERIA, "log_likelihood", "n_parameters", "degenerate"}
    assert (table[0]["structure"], table[0]["n_components"]) == ("EII", 3)


def test_criteria_equal_those_of_the_fits(selection: Selection) -> None:
    rows = make_separated_groups()
    for cell in selection.candidates[:5]:
        assert cell.mixture is not None
        assert cell.fit is not None
        total = cell.mixture.logpdf(rows).sum()
        assert cell.fit.log_likelihood == pytest.approx(total, rel=1e-10)
        assert cell.criteria["bic"] == pytest.approx(-2 * total + cell.n_parameters * np.log(60.0))
        assert cell.n_parameters == cell.mixture.n_parameters


def test_equal_densities_are_no_runners_up() -> None:
    chosen = select(make_separated_groups(), 1, ["EEE", "VVV", "EEV", "EII"])
    assert chosen.best.name in ("EEE,1", "EII,1")
    assert chosen.runner_up is not None
    assert {chosen.best.name, chosen.runner_up.name} & {"EII,1"}


def test_the_only_candidate_has_no_runner_up() -> None:
    assert select(make_separated_groups(), 2, "VVV").runner_up is None


@pytest.mark.parametrize("criterion", CRITERIA)
def test_criterion_ranks_the_candidates(criterion: str) -> None:
    chosen = select(make_separated_groups(), [1, 3], ["VVV", "EII"], criterion=criterion, n_starts=2)
    values = [cell.criteria[criterion] for cell in chosen.candidates if cell.is_eligible]
    np.testing.assert_allclose(values, sorted(values), rtol=1e-9)
    assert chosen.criterion == criterion


def test_row_order_does_not_matter_and_weights_equal_repeated_rows() -> None:
    rows = make_separated_groups()
    settings: dict[str, Any] = {"n_components": 3, "structures": ["VVV", "EII"], "n_starts": 3}
    plain = select(rows, **settings).best.mixture
    shuffled = select(np.random.default_rng(1).permutation(rows), **settings).best.mixture
    twice = select(rows, sample_weight=np.full(60, 2.0), **settings).best
    repeated = select(np.repeat(rows, 2, axis=0), **settings).best
    assert plain is not None
    assert shuffled is not None
    assert twice.mixture is not None
    assert repeated.mixture is not None
    assert_same_mixture(shuffled, plain, 1e-6)
    assert_same_mixture(twice.mixture, repeated.mixture, 1e-6)
    assert twice.criteria["bic"] == pytest.approx(repeated.criteria["bic"], rel=1e-9)


def test_equal_seeds_give_equal_criteria() -> None:
    first, second = (select(make_separated_groups(), [2, 3], "VVV", random_state=7).best for _ in range(2))
    assert first.criteria == second.criteria
    generator = select(make_separated_groups(), [2, 3], "VVV", random_state=np.random.default_rng(7)).best
    assert generator.criteria == first.criteria


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_n_starts_changes_the_result() -> None:
    rows = np.random.default_rng(3).normal(size=(80, 2))
    few, many = (select(rows, 5, "VVV", n_starts=n).best.criteria["bic"] for n in (1, 12))
    assert many != few


def test_progress_is_reported_before_every_candidate() -> None:
    calls: list[tuple[int, int, str]] = []
    select(
        make_separated_groups(), [1, 2], ["EII", "VVV"], n_starts=1, progress=lambda *arguments: calls.append(arguments)
    )
    assert [done for done, _, _ in calls[:4]] == [0, 1, 2, 3]
    assert {done for done, _, _ in calls[4:]} <= {4}
    assert {total for _, total, _ in calls} == {4}
    assert calls[0][2] == "EII, 1 components"


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_degenerate_candidates_rank_last_with_a_reason() -> None:
    rows = np.vstack([make_separated_groups(), np.full((20, 2), 30.0)])
    chosen = select(rows, [3, 4], ["VVV", "EII"], n_starts=2)
    degenerate = [cell for cell in chosen.candidates if not cell.is_eligible]
    assert "VVV,4" in {cell.name for cell in degenerate}
    assert all("floor" in cell.rejection_reason or "fewer than" in cell.rejection_reason for cell in degenerate)
    assert chosen.best.is_eligible


def test_failed_candidates_give_a_reason() -> None:
    chosen = select(make_separated_groups()[::20], [1, 3, 5], "EII")
    failed = {cell.name: cell.rejection_reason for cell in chosen.candidates if cell.fit is None}
    assert set(failed) == {"EII,3", "EII,5"}
    assert failed["EII,3"] == "3 components of EII would need 4 rows; there are 3."
    assert "n_components = 5, n_samples = 3" in failed["EII,5"]
    with pytest.raises(SelectionError, match=r"no candidate could be fitted; the first says: Expected n_samples"):
        select(make_separated_groups()[::20], 5)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n_components": 0}, "n_components must be one or more whole numbers of at least 1, but is 0"),
        ({"n_components": []}, "n_components must be one or more whole numbers"),
        ({"n_components": [2, -1]}, "n_components must be one or more whole numbers"),
        ({"structures": "XEV"}, "structures must be one of"),
        ({"structures": ["VVV", "QQQ"]}, "structures must be one of"),
        ({"n_starts": 0}, "n_starts must be a whole number of at least 1, but is 0"),
        ({"n_components": 2.5}, "n_components must be one or more whole numbers"),
        ({"n_components": True}, "n_components must be one or more whole numbers"),
        ({"structures": []}, "structures must be 'all', a structure, or one or more of them"),
        ({"feature_names": ["a"]}, "feature_names"),
        ({"random_state": "a"}, "random_state must be"),
        ({"n_jobs": 0}, "n_jobs must be a whole number of at least 1, -1 for all processors, or None, but is 0"),
        ({"n_jobs": 1.5}, "n_jobs must be a whole number of at least 1"),
        ({"criterion": "dic"}, "criterion must be one of bic, icl, aic, aicc, sabic, but is 'dic'"),
    ],
)
def test_invalid_parameters_raise(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        select(make_separated_groups(), **options)


@pytest.mark.parametrize(
    ("rows", "weights", "sentence"),
    [
        (np.zeros((0, 2)), None, "0 rows"),
        ([[1.0, np.inf]], None, "X contains infinity .* in row 0, column 1"),
        ([["a"]], None, "must be numbers"),
        (make_separated_groups(), np.ones(3), "sample_weight must have the shape"),
    ],
)
def test_invalid_data_raise(rows: Any, weights: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        select(rows, 1, sample_weight=weights)


def test_large_data_are_screened_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.concatenate([np.random.default_rng(k).normal(size=(300, 2)) @ np.diag([1, 5]) + 20 * k for k in range(3)])
    whole = select(rows, [2, 3], ["VVV", "EII"])
    monkeypatch.setattr("gaussmix.selection.search_problem.N_SCREENING_ROWS", 200)
    part = select(rows, [2, 3], ["VVV", "EII"])
    assert part.best.name == whole.best.name == "VVV,3"
    assert part.best.criteria["bic"] == pytest.approx(whole.best.criteria["bic"], rel=1e-6)
    assert part.best.mixture.weights.sum() == pytest.approx(1.0)
    assert part.best.fit.log_likelihood == pytest.approx(part.best.mixture.logpdf(rows).sum(), rel=1e-12)
    again = select(rows[::-1], [2, 3], ["VVV", "EII"])
    for one, other in zip(part.candidates, again.candidates, strict=True):
        assert one.criteria["bic"] == pytest.approx(other.criteria["bic"], rel=1e-9)


def test_only_candidates_that_may_win_converge_on_large_data(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.concatenate([np.random.default_rng(k).normal(size=(300, 2)) @ np.diag([1, 5]) + 20 * k for k in range(3)])
    monkeypatch.setattr("gaussmix.selection.search_problem.N_SCREENING_ROWS", 200)
    monkeypatch.setattr("gaussmix.selection.candidate_runs.FIRST_MAX_ITER", 3)
    calls: list[tuple[int, int, str]] = []
    chosen = select(rows, [2, 3, 4, 5], ["VVV", "EII", "VII"], progress=lambda *arguments: calls.append(arguments))
    assert chosen.best.name == "VVV,3"
    assert chosen.best.fit is not None
    assert chosen.best.fit.outcome is Outcome.CONVERGED
    assert [done for done, _, _ in calls[:12]] == list(range(12))
    assert calls[12:]
    assert all(name.endswith((" again", " from others")) for _, _, name in calls[12:])
    left = [cell for cell in chosen.candidates if cell.fit is not None and cell.fit.outcome is Outcome.PRUNED]
    assert left
    for cell in left:
        assert cell.mixture is not None
        assert cell.fit is not None
        assert len(cell.fit.trace) >= 3
        total = cell.mixture.logpdf(rows).sum()
        assert cell.fit.log_likelihood == pytest.approx(total, rel=1e-10)
        assert cell.criteria["bic"] == pytest.approx(-2 * total + cell.n_parameters * np.log(900.0))
        hope = 2 * _N_EXTRAPOLATED_ITER * np.diff(cell.fit.trace.log_likelihoods)[-1]
        assert not cell.is_eligible or cell.criteria["bic"] - hope > chosen.best.criteria["bic"] + 10
    assert any(cell.is_eligible for cell in left)


def test_pruned_candidates_would_not_have_won(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.concatenate([np.random.default_rng(k).normal(size=(300, 2)) @ np.diag([1, 5]) + 8 * k for k in range(3)])
    settings: dict[str, Any] = {"n_components": range(1, 6), "structures": ["VVV", "EEE", "VVI", "EII"]}
    monkeypatch.setattr("gaussmix.selection.search_problem.N_SCREENING_ROWS", 300)
    raced = select(rows, **settings)
    monkeypatch.setattr("gaussmix.selection.candidate_runs._N_EXTRAPOLATED_ITER", 1e9)
    patient = select(rows, **settings)
    assert raced.best.criteria["bic"] == pytest.approx(patient.best.criteria["bic"], rel=1e-9)
    ended = {cell.name: cell.criteria["bic"] for cell in patient.candidates if cell.is_eligible}
    for cell in raced.candidates:
        if cell.name in ended and cell.is_eligible:
            assert cell.criteria["bic"] >= ended[cell.name] - 1e-6 * abs(ended[cell.name])


def test_repr_is_a_short_list() -> None:
    selection = select(np.random.default_rng(0).normal(size=(40, 2)), range(1, 4))
    text = repr(selection)
    assert text.startswith("Selection by BIC, best first:\n  Candidate(")
    assert "and 37 more in .table()" in text
    assert len(text.splitlines()) == 7 + len(selection.notes)
    assert repr(selection.best).startswith(f"Candidate({selection.best.name}: BIC ")


def test_n_jobs_does_not_change_candidates() -> None:
    one, other = (select(make_separated_groups(), [2, 3], ["VVV", "VEI", "EEE"], n_jobs=jobs) for jobs in (None, 2))
    assert [cell.name for cell in one.candidates] == [cell.name for cell in other.candidates]
    for cell, twin in zip(one.candidates, other.candidates, strict=True):
        assert cell.criteria == twin.criteria
    assert (
        select(make_separated_groups(), [2, 3], "VVV", n_jobs=-1).best.criteria == one.best.criteria
        or one.best.name != "VVV,3"
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frame(selection: Selection, library: str) -> None:
    frame = getattr(selection, f"to_{library}")()
    assert len(frame) == len(selection.candidates)
    assert frame["structure"][0] == "EII"
    assert frame["bic"][0] == selection.best.criteria["bic"]


def test_missing_data_frame_library_raises(selection: Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingPackageError, match="this table needs polars, which is not installed: pip install pol"):
        selection.to_polars()


def test_one_column_has_two_structures() -> None:
    chosen = select(make_separated_groups()[:, :1], [1, 2])
    assert {str(cell.structure) for cell in chosen.candidates} == {"EII", "VII"}
    assert select(make_separated_groups()[:, :1], 2, ["E", "V"]).best.name in ("EII,2", "VII,2")


def test_progress_bar_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []

    @contextmanager
    def fake_progress_bar(title: str) -> Iterator[Any]:
        yield lambda done, total, name: messages.append(f"{title} {done}/{total} {name}")

    monkeypatch.setattr("gaussmix.selection.progress.progress_bar", fake_progress_bar)
    select(make_separated_groups(), 2, ["EII", "VVV"], progress=True)
    assert messages[:2] == ["fitting 0/2 EII, 2 components", "fitting 1/2 VVV, 2 components"]
    select(make_separated_groups(), 2, ["EII", "VVV"], progress=False)


def test_best_candidates_start_from_other_structures() -> None:
    """At least one candidate starts from the responsibilities of another structure."""
    calls: list[str] = []
    rows = np.concatenate([make_separated_groups(90, seed) * [1.0, 3.0] for seed in range(2)])
    select(rows, [2, 3], ["EEE", "VVV", "VVI"], progress=lambda n_done, n_total, step_name: calls.append(step_name))
    assert any(name.endswith(" from others") for name in calls)


def test_interrupt_cancels_waiting_candidates() -> None:
    """The search does not wait for candidates that have not started."""
    calls: list[str] = []

    def interrupt(done: int, total: int, name: str) -> None:
        calls.append(name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        select(make_separated_groups(), range(1, 10), n_jobs=2, progress=interrupt)
    assert len(calls) == 1


def test_rows_without_columns_raise() -> None:
    with pytest.raises(DataError):
        select(np.empty((5, 0)), 2)


def test_progress_must_be_a_callback_or_a_bool() -> None:
    with pytest.raises(ParameterError, match="progress must be True, False, None or a callable, but is 'x'"):
        select(np.arange(10.0)[:, None], 1, progress="x")  # type: ignore[arg-type]


def make_grid_of_groups(n_groups: int, n_rows_each: int, seed: int = 0) -> ND:
    """Return rows of round groups, four standard deviations and more apart."""
    rng = np.random.default_rng(seed)
    centers = np.array([(8.0 * (k % 4), 8.0 * (k // 4)) for k in range(n_groups)])
    return np.concatenate([center + rng.normal(size=(n_rows_each, 2)) for center in centers])


def test_search_goes_on_above_nine_components_by_default() -> None:
    rows = make_grid_of_groups(13, 40)
    found = select(rows, structures=["EII", "VVI"])
    assert found.best.name == "EII,13"
    assert not found.is_best_at_largest_count
    assert {cell.n_components for cell in found.candidates} == set(range(1, 16))
    bounded = select(rows, range(1, 10), ["EII", "VVI"])
    assert bounded.best.n_components == 9
    assert bounded.is_best_at_largest_count
    assert any(note.startswith("9 components of ") and "largest number tried" in note for note in bounded.notes)
    assert not any("largest number tried" in note for note in found.notes)
    assert max(cell.n_components for cell in bounded.candidates) == 9
    assert bounded.notes[-1].endswith("raise n_components (--components).")


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_columns_that_no_gaussian_describes_are_a_reason_to_end_at_the_largest_number() -> None:
    flags = np.random.default_rng(0).integers(0, 2, (200, 2)) * np.array([1.0, 3.0])
    found = select(flags, [1, 2], ["EII"])
    assert found.is_best_at_largest_count
    assert found.notes[-1].endswith("often need ever more components: leave out or transform these.")


def test_search_goes_on_up_to_a_cap_and_as_rows_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_grid_of_groups(13, 14)
    found = select(rows, structures=["EII", "VVV"])
    largest = {
        name: max(c.n_components for c in found.candidates if str(c.structure) == name) for name in ("EII", "VVV")
    }
    assert largest == {"EII": 15, "VVV": 10}  # a VVV mixture of eleven components has 65 parameters for 182 rows
    monkeypatch.setattr("gaussmix.selection.search_problem.MAX_EXTENDED_COUNT", 11)
    capped = select(rows, structures=["EII", "VVV"])
    assert max(cell.n_components for cell in capped.candidates) == 11
    assert capped.is_best_at_largest_count


@pytest.mark.parametrize("seed", range(3))
def test_pruning_at_few_rows_leaves_the_choice_as_it_is(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    n_groups, n_columns = 1 + seed, 2 + seed
    axes = rng.normal(size=(n_groups, n_columns, n_columns)) / np.sqrt(n_columns) + 0.5 * np.eye(n_columns)
    labels = rng.integers(n_groups, size=400)
    rows = 3 * rng.normal(size=(n_groups, n_columns))[labels]
    rows += np.einsum("nij,nj->ni", axes[labels], rng.normal(size=(400, n_columns)))
    pruned = select(rows, range(1, 7))
    assert any(cell.fit is not None and cell.fit.outcome is Outcome.PRUNED for cell in pruned.candidates)
    monkeypatch.setattr("gaussmix.selection.candidate_spec.MAX_ROWS_WITHOUT_PRUNING", 400)
    complete = select(rows, range(1, 7))
    assert all(
        cell.fit is None or cell.fit.outcome is not Outcome.PRUNED for cell in complete.candidates if cell.is_eligible
    )
    assert pruned.best.name == complete.best.name
    assert pruned.best.criteria["bic"] == pytest.approx(complete.best.criteria["bic"], abs=1e-3)


@pytest.mark.parametrize("seed", [7, 9, 40])
def test_neighbours_of_the_best_number_of_components_start_from_it(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On these rows the tree leads the right number of components to a poor maximum."""
    rng = np.random.default_rng(seed)
    centers = 3.0 * rng.normal(size=(4, 2))
    rows = centers[rng.choice(4, p=rng.dirichlet(np.full(4, 6.0)), size=500)] + rng.normal(size=(500, 2))
    found = select(rows, range(1, 7), ["EII"])
    thorough = select(rows, range(1, 7), ["EII"], n_starts=8)
    assert found.best.criteria["bic"] == pytest.approx(thorough.best.criteria["bic"], abs=0.05)
    monkeypatch.setattr("gaussmix.selection.search_schedule._MAX_CHANGES_OF_BEST", 0)
    assert select(rows, range(1, 7), ["EII"]).best.criteria["bic"] > found.best.criteria["bic"] + 10
