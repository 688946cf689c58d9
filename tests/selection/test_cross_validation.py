"""Cross-validated log-likelihood."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from gaussmix import CrossValidationResult, DataError, ParameterError, SelectionError, cross_validate_components
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.errors import WeightError
from gaussmix.selection.cross_validation import _assign_folds
from gaussmix.types import ND, N

ROWS = np.loadtxt(Path(__file__).parents[2] / "examples/faithful.csv", delimiter=",", skiprows=1)


def make_separated_groups(seed: int = 0, n_rows: int = 90) -> ND:
    """Return three separated spherical groups."""
    rng = np.random.default_rng(seed)
    centers = np.repeat([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], n_rows // 3, axis=0)
    return np.asarray(centers + rng.normal(size=(n_rows, 2)))


@pytest.fixture(scope="module")
def shared_result() -> CrossValidationResult:
    """Return the cross-validation of three separated groups in five folds."""
    return cross_validate_components(make_separated_groups(), range(1, 5), ["VVV", "EII"], n_folds=5)


def test_the_groups_are_found(shared_result: CrossValidationResult) -> None:
    assert shared_result.best.name == "EII,3"
    assert cross_validate_components(ROWS, range(1, 4)).best.n_components == 2


@pytest.mark.parametrize("weighted", [False, True])
def test_one_component_equals_scipy(weighted: bool) -> None:
    """The means of the folds equal SciPy's log-density with the moments of the training rows."""
    rng = np.random.default_rng(5)
    weights = rng.integers(1, 4, len(ROWS)).astype(float) if weighted else None
    result = cross_validate_components(ROWS, 1, "VVV", n_folds=4, sample_weight=weights, random_state=2)
    fold_of = _assign_folds(ROWS, weights, 4, np.random.default_rng(2))
    counts = np.ones(len(ROWS)) if weights is None else weights
    totals, masses = [], []
    for fold in range(4):
        out = fold_of == fold
        mean = np.average(ROWS[~out], axis=0, weights=counts[~out])
        covariance = np.cov(ROWS[~out].T, aweights=counts[~out], bias=True)
        totals.append(counts[out] @ stats.multivariate_normal(mean, covariance).logpdf(ROWS[out]))
        masses.append(counts[out].sum())
    means = np.divide(totals, masses)
    np.testing.assert_allclose(result.best.fold_log_likelihoods, means, rtol=1e-9)
    assert result.best.mean_log_likelihood == pytest.approx(sum(totals) / sum(masses), rel=1e-9)
    assert result.best.standard_error == pytest.approx(stats.sem(means), rel=1e-9)


def test_candidates_are_ranked_and_tabulated(shared_result: CrossValidationResult) -> None:
    assert len(shared_result.candidates) == 8
    sound = [cell.mean_log_likelihood for cell in shared_result.candidates if not cell.n_degenerate_folds]
    np.testing.assert_allclose(sound, sorted(sound, reverse=True), rtol=1e-7)
    table = shared_result.table()
    assert (table[0]["structure"], table[0]["n_components"]) == ("EII", 3)
    assert set(table[0]) == {
        "structure",
        "n_components",
        "mean_log_likelihood",
        "standard_error",
        "n_degenerate_folds",
        "rejection_reason",
    }
    assert repr(shared_result).startswith(
        "CrossValidationResult in 5 folds, log-likelihood of a held-out row, best first:\n"
    )
    assert repr(shared_result).endswith("... and 3 more in .table()")


def test_folds_have_equal_size_and_hold_every_row_once() -> None:
    sizes = np.bincount(_assign_folds(ROWS, None, 10, np.random.default_rng(0)))
    assert (len(sizes), sizes.sum()) == (10, len(ROWS))
    assert np.ptp(sizes) <= 1


@pytest.mark.parametrize("seed", range(2))
def test_order_and_units_of_the_rows_do_not_matter(seed: int) -> None:
    rows = make_separated_groups(seed)
    plain = cross_validate_components(rows, [1, 3], n_folds=3)
    shuffled = cross_validate_components(np.random.default_rng(seed).permutation(rows), [1, 3], n_folds=3)
    scaled = cross_validate_components(rows * 1e6 + 1e9, [1, 3], n_folds=3)
    for ours, other, shift in ((plain, shuffled, 0.0), (plain, scaled, 2 * np.log(1e6))):
        assert [cell.name for cell in ours.candidates] == [cell.name for cell in other.candidates]
        np.testing.assert_allclose(
            [cell.mean_log_likelihood for cell in ours.candidates],
            [cell.mean_log_likelihood + shift for cell in other.candidates],
            rtol=1e-5,
        )


def test_seed_determines_the_means() -> None:
    def means(seed: int | np.random.Generator) -> N:
        return np.array(
            [
                cell.mean_log_likelihood
                for cell in cross_validate_components(
                    make_separated_groups(), [2, 3], n_folds=3, random_state=seed
                ).candidates
            ]
        )

    np.testing.assert_array_equal(means(1), means(1))
    np.testing.assert_array_equal(means(1), means(np.random.default_rng(1)))
    assert not np.array_equal(means(1), means(2))


def test_folds_and_weights_change_the_answer(shared_result: CrossValidationResult) -> None:
    other = cross_validate_components(make_separated_groups(), 3, "EII", n_folds=9).best
    weighted = cross_validate_components(
        make_separated_groups(), 3, "EII", n_folds=5, sample_weight=np.linspace(0.5, 3.0, 90)
    ).best
    assert len(other.fold_log_likelihoods) == 9
    assert len({other.mean_log_likelihood, weighted.mean_log_likelihood, shared_result.best.mean_log_likelihood}) == 3


def test_a_common_factor_of_the_weights_changes_nothing() -> None:
    once = cross_validate_components(make_separated_groups(), 3, "EII", n_folds=5, sample_weight=np.ones(90)).best
    thrice = cross_validate_components(
        make_separated_groups(), 3, "EII", n_folds=5, sample_weight=np.full(90, 3.0)
    ).best
    assert thrice.mean_log_likelihood == pytest.approx(once.mean_log_likelihood, rel=1e-7)


def test_rows_of_weight_zero_are_ignored() -> None:
    weights = np.repeat([1.0, 0.0], [90, 5])
    far = np.vstack([make_separated_groups(), np.full((5, 2), 1e3)])
    assert cross_validate_components(far, 2, sample_weight=weights).best.mean_log_likelihood == pytest.approx(
        cross_validate_components(make_separated_groups(), 2, sample_weight=np.ones(90)).best.mean_log_likelihood,
        rel=1e-9,
    )


def test_all_structures_of_one_and_of_two_columns() -> None:
    assert len(cross_validate_components(make_separated_groups(), 1, "all", n_folds=2).candidates) == len(MCLUST_NAMES)
    assert {
        str(cell.structure)
        for cell in cross_validate_components(make_separated_groups()[:, :1], 2, "all", n_folds=2).candidates
    } == {"EII", "VII"}


def test_many_rows_start_from_a_sample() -> None:
    rows = make_separated_groups(n_rows=4500)
    best = cross_validate_components(rows, [2, 3], "EII", n_folds=2).best
    assert best.name == "EII,3"
    assert best.mean_log_likelihood == pytest.approx(
        -np.log(3.0) - np.log(2.0 * np.pi) - 1.0, abs=0.05
    )  # entropy of the true mixture


def test_failed_candidates_give_a_reason() -> None:
    result = cross_validate_components(make_separated_groups()[::15], [1, 5], "EII", n_folds=2)
    assert result.best.name == "EII,1"
    failed = result.candidates[-1]
    assert failed.rejection_reason.startswith("Without the rows of fold 1 it cannot be fitted: Expected n_samples")
    assert np.isnan(failed.mean_log_likelihood)
    assert result.table()[-1]["mean_log_likelihood"] is None
    with pytest.raises(SelectionError, match=r"no candidate could be fitted in every fold; the first says: Without"):
        cross_validate_components(make_separated_groups()[::15], 5, "EII", n_folds=2)


def test_degenerate_candidates_rank_last() -> None:
    rows = np.vstack([make_separated_groups(), np.full((30, 2), 30.0)])
    result = cross_validate_components(rows, [3, 4], ["VVV", "EII"], n_folds=3)
    degenerate = [cell.n_degenerate_folds > 0 for cell in result.candidates]
    assert degenerate == sorted(degenerate)
    assert any(cell.rejection_reason == "Degenerate in 3 of 3 folds." for cell in result.candidates)


def test_progress_is_reported_before_every_fit() -> None:
    calls: list[tuple[int, int, str]] = []
    cross_validate_components(
        make_separated_groups(), [1, 2], "EII", n_folds=2, progress=lambda *arguments: calls.append(arguments)
    )
    assert [done for done, _, _ in calls] == [0, 1, 2, 3]
    assert calls[3] == (3, 4, "EII, 2 components, fold 2")
    assert cross_validate_components(make_separated_groups(), 1, "EII", n_folds=2, progress=True).best.name == "EII,1"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n_components": 0}, r"n_components must be one or more whole numbers of at least 1, but is 0"),
        ({"n_components": []}, r"n_components must be one or more whole numbers"),
        ({"n_components": 1.5}, r"n_components must be one or more whole numbers"),
        ({"structures": "XEV"}, r"structures must be one of"),
        ({"structures": []}, r"structures must be 'all', the name of a structure, or several names"),
        ({"n_folds": 1}, r"n_folds must be a whole number of at least 2, but is 1"),
        ({"n_folds": 91}, r"n_folds must be at most 90, the number of rows with positive weight, but is 91"),
    ],
)
def test_invalid_parameters_raise(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        cross_validate_components(make_separated_groups(), **options)  # type: ignore[arg-type]


def test_invalid_rows_raise() -> None:
    with pytest.raises(DataError, match="the data have 0 rows"):
        cross_validate_components(np.empty((0, 2)))
    with pytest.raises(DataError, match=r"X contains infinity \(inf\) in row 1, column 0"):
        cross_validate_components([[0.0], [np.inf]])
    with pytest.raises(WeightError, match="sample_weight is zero in every row"):
        cross_validate_components(make_separated_groups(), sample_weight=np.zeros(90))
