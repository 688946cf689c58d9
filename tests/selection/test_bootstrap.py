"""Bootstrap test of the number of components."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix import BootstrapTestResult, DataError, ParameterError, SelectionError, bootstrap_test
from gaussmix.errors import WeightError
from gaussmix.types import ND
from tests.exhaustive import parametrize_product

ROWS = np.loadtxt(Path(__file__).parents[2] / "examples/faithful.csv", delimiter=",", skiprows=1)


def make_separated_groups(seed: int = 0, n_groups: int = 2) -> ND:
    """Return separated spherical groups of 40 rows each."""
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])[:n_groups]
    return np.asarray(np.repeat(centers, 40, axis=0) + rng.normal(size=(40 * n_groups, 2)))


@pytest.fixture(scope="module")
def shared_result() -> BootstrapTestResult:
    """Return the bootstrap test of two separated groups."""
    return bootstrap_test(make_separated_groups(), "EII", n_bootstrap=19)


def test_groups_are_found(shared_result: BootstrapTestResult) -> None:
    assert shared_result.n_components == 2
    assert [step.n_components for step in shared_result.steps] == [1, 2]
    assert shared_result.mixture.n_components == 2
    assert shared_result.stop_reason == "3 components do not explain the rows significantly better than 2."


@parametrize_product({"n_groups": [1, 3], "strategy": ["thorough", "hierarchical"]})
def test_decided_number_equals_the_true_number_of_groups(n_groups: int, strategy: str) -> None:
    rows = make_separated_groups(1, n_groups)
    assert bootstrap_test(rows, "EII", n_bootstrap=19, strategy=strategy).n_components == n_groups


def test_old_faithful_equals_mclust() -> None:
    """mclust 6.0.0, mclustBootstrapLRT(faithful, "VVV"), gives 319.07 (p .001 of 999) and 6.13 (p .56): 2 components.

    Its EM stops at a relative gain of 1e-5. With 1e-10 the second statistic is 6.38.
    """
    result = bootstrap_test(ROWS, n_bootstrap=19)
    assert [step.statistic for step in result.steps] == pytest.approx([319.066, 6.384], abs=0.01)
    assert [step.p_value for step in result.steps] == [pytest.approx(1 / 20), pytest.approx(0.7, abs=0.3)]
    assert result.n_components == 2


def test_old_faithful_has_a_higher_maximum_of_three_components() -> None:
    """mclust's EM (version 6.0.0, tolerance 1e-10) ends at log-likelihood -1114.4399 from 11 of 40 runs of k-means.

    Its tree of the rows leads to -1127.2 instead. The higher maximum splits the shorter eruptions into two groups.
    """
    first, second = bootstrap_test(ROWS, n_bootstrap=1, max_components=2, level=0.6, strategy="thorough").steps
    assert first.statistic == pytest.approx(319.066, abs=0.01)
    assert second.log_likelihood_alternative == pytest.approx(-1114.4399, abs=0.01)
    assert second.statistic == pytest.approx(31.648, abs=0.02)
    np.testing.assert_allclose(second.alternative_mixture.means[:, 0], [1.836, 2.150, 4.291], atol=0.002)


def test_statistics_equal_log_likelihood_differences(shared_result: BootstrapTestResult) -> None:
    rows = make_separated_groups()
    for step in shared_result.steps:
        null, more = (mixture.logpdf(rows).sum() for mixture in (step.null_mixture, step.alternative_mixture))
        assert step.log_likelihood == pytest.approx(null, rel=1e-6)
        assert step.log_likelihood_alternative == pytest.approx(more, rel=1e-6)
        assert step.statistic == pytest.approx(2.0 * (more - null), abs=1e-3)
        assert step.p_value == (1 + np.sum(step.bootstrap_statistics >= step.statistic)) / 20
    assert shared_result.steps[0].alternative_mixture is shared_result.steps[1].null_mixture


def test_statistics_are_not_negative(shared_result: BootstrapTestResult) -> None:
    for result in (
        shared_result,
        bootstrap_test(make_separated_groups(4), "VVV", n_bootstrap=19, strategy="hierarchical"),
    ):
        for step in result.steps:
            assert step.statistic >= 0.0
            assert np.all(step.bootstrap_statistics >= 0.0)
            assert np.all(np.isfinite(step.bootstrap_statistics))


def test_statistic_of_one_true_component_exceeds_chi_square() -> None:
    """The statistics of samples of one component exceed the chi-square with 3 degrees of freedom (McLachlan)."""
    values = (
        bootstrap_test(make_separated_groups(0, 1), "EII", n_bootstrap=39, max_components=1)
        .steps[0]
        .bootstrap_statistics
    )
    assert np.median(values) > 2.366  # the chi-square's median


def test_level_changes_the_decision(shared_result: BootstrapTestResult) -> None:
    strict = bootstrap_test(make_separated_groups(), "EII", n_bootstrap=19, level=0.04)
    assert (strict.n_components, len(strict.steps)) == (1, 1)  # p is 1 / 20 at least
    lax = bootstrap_test(
        make_separated_groups(), "EII", n_bootstrap=19, level=shared_result.steps[1].p_value + 0.001, max_components=2
    )
    assert lax.n_components == 3
    assert [step.p_value for step in lax.steps] == [step.p_value for step in shared_result.steps]


def test_n_bootstrap_sets_the_smallest_p_value(shared_result: BootstrapTestResult) -> None:
    finer = bootstrap_test(make_separated_groups(), "EII", n_bootstrap=39, max_components=1)
    assert finer.steps[0].p_value == 1 / 40
    assert shared_result.steps[0].p_value == 1 / 20
    first = finer.steps[0].bootstrap_statistics[:19]  # many samples use compiled passes, which round differently
    np.testing.assert_allclose(first, shared_result.steps[0].bootstrap_statistics, rtol=1e-8, atol=1e-8)
    assert finer.stop_reason == "All of 1 tests were significant; raise max_components to go on."


def test_equal_seeds_give_equal_statistics(shared_result: BootstrapTestResult) -> None:
    def values(seed: Any) -> ND:
        return (
            bootstrap_test(make_separated_groups(), "EII", n_bootstrap=19, max_components=1, random_state=seed)
            .steps[0]
            .bootstrap_statistics
        )

    np.testing.assert_array_equal(values(0), shared_result.steps[0].bootstrap_statistics)
    np.testing.assert_array_equal(values(np.random.default_rng(0)), shared_result.steps[0].bootstrap_statistics)
    assert not np.array_equal(values(1), shared_result.steps[0].bootstrap_statistics)


@pytest.mark.parametrize("seed", range(2))
def test_order_units_and_repetition_do_not_matter(seed: int) -> None:
    rows, rng = make_separated_groups(seed), np.random.default_rng(seed)
    settings: dict[str, Any] = {"n_bootstrap": 2, "max_components": 2, "level": 0.9}
    weights = rng.integers(1, 3, len(rows))
    pairs = [
        ({"X": rows}, {"X": rng.permutation(rows)}),
        ({"X": rows}, {"X": rows * 1e6 + 1e9}),
        ({"X": rows, "sample_weight": weights}, {"X": np.repeat(rows, weights, axis=0)}),
    ]
    for one, other in pairs:
        ours, theirs = bootstrap_test(**one, **settings), bootstrap_test(**other, **settings)
        assert ours.n_components == theirs.n_components
        for step, same in zip(ours.steps, theirs.steps, strict=True):
            assert step.statistic == pytest.approx(same.statistic, abs=0.01)
            assert step.p_value == same.p_value


def test_weights_and_structure_change_the_answer(shared_result: BootstrapTestResult) -> None:
    statistics = {
        bootstrap_test(make_separated_groups(), structure, n_bootstrap=1, max_components=1, sample_weight=weights)
        .steps[0]
        .statistic
        for structure, weights in (("EII", None), ("EII", np.linspace(0.5, 2.0, 80)), ("VVV", None))
    }
    assert len(statistics) == 3


@pytest.mark.parametrize("structure", ["EEE", "VVI", "VEV", "full"])
def test_other_structures_and_one_column(structure: str) -> None:
    assert bootstrap_test(make_separated_groups(), structure, n_bootstrap=3, max_components=1).steps[0].statistic > 50.0
    assert (
        bootstrap_test(make_separated_groups()[:, :1], "V", n_bootstrap=3, max_components=1).steps[0].statistic > 50.0
    )


def test_ends_when_one_more_component_is_degenerate() -> None:
    rows = np.repeat([[0.0, 0.0], [0.1, 0.3], [0.3, 0.1], [9.0, 9.0], [9.1, 9.3], [9.3, 9.1]], 3, axis=0)
    result = bootstrap_test(rows, n_bootstrap=9, level=0.999)
    assert result.stop_reason.endswith("components have only degenerate fits, so the tests end here.")
    assert result.n_components < 4


def test_thorough_search_uses_the_next_run_if_the_best_collapses() -> None:
    null = bootstrap_test(ROWS, n_bootstrap=1, max_components=1).steps[0].alternative_mixture
    rows = null.sample(272, 90024)[0]  # its best run of successive halving ends on the floor
    result = bootstrap_test(rows, n_bootstrap=1, max_components=2, level=0.99, strategy="thorough")
    assert len(result.steps) == 2


def test_table_and_repr(shared_result: BootstrapTestResult) -> None:
    table = shared_result.table()
    assert [row["rejected"] for row in table] == [True, False]
    assert (table[0]["n_components"], table[0]["n_components_alternative"], table[0]["n_bootstrap"]) == (1, 2, 19)
    assert repr(shared_result).splitlines()[0] == "BootstrapTestResult of EII at level 0.05: 2 components"
    assert repr(shared_result).splitlines()[1].startswith("  1 vs 2: statistic ")
    assert repr(shared_result).splitlines()[1].endswith(", p 0.05")


def test_progress_is_reported_before_every_sample() -> None:
    calls: list[tuple[int, int, str]] = []
    bootstrap_test(
        make_separated_groups(), "EII", 1, n_bootstrap=3, progress=lambda *arguments: calls.append(arguments)
    )
    assert calls == [(number, 3, "1 against 2 components") for number in range(3)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"structure": "XEV"}, r"structure must be one of"),
        ({"max_components": 0}, r"max_components must be a whole number of at least 1, but is 0"),
        ({"n_bootstrap": 0}, r"n_bootstrap must be a whole number of at least 1, but is 0"),
        ({"n_bootstrap": 9.5}, r"n_bootstrap must be a whole number of at least 1, but is 9.5"),
        ({"level": 0.0}, r"level must be a number above 0 and below 1, but is 0.0"),
        ({"level": 1}, r"level must be a number above 0 and below 1"),
        ({"level": "five"}, r"level must be a number above 0 and below 1"),
        ({"strategy": "wide"}, r"strategy must be one of thorough, hierarchical, but is 'wide'"),
    ],
)
def test_invalid_parameters_raise(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        bootstrap_test(make_separated_groups(), **options)


def test_invalid_rows_raise() -> None:
    with pytest.raises(DataError, match="the data have 0 rows"):
        bootstrap_test(np.empty((0, 2)))
    with pytest.raises(DataError, match="X contains infinity"):
        bootstrap_test([[0.0], [np.inf]])
    with pytest.raises(WeightError, match=r"sample_weight must be finite and not negative, but is -1.0 in row 0"):
        bootstrap_test([[0.0], [1.0]], sample_weight=[-1.0, 1.0])
    with pytest.raises(SelectionError, match="one component of VVV has only degenerate fits: there are too few rows"):
        bootstrap_test(np.ones((10, 2)))


def test_a_much_higher_maximum_of_a_thorough_search_is_mentioned() -> None:
    rng = np.random.default_rng(0)
    rng.normal(size=(100, 2))
    rows = rng.normal(size=(120, 2))
    rows[60:] += 1.8
    result = bootstrap_test(rows, structure="EEE", n_bootstrap=19, max_components=1)
    assert "A thorough search of the data reaches a statistic of 20.62 instead of 2.6" in str(result)
    thorough = bootstrap_test(rows, structure="EEE", n_bootstrap=19, max_components=1, strategy="thorough")
    assert thorough.steps[0].statistic == pytest.approx(20.62, abs=0.01)
    assert "thorough search" not in str(thorough)


def test_a_degenerate_fit_from_the_tree_is_replaced_by_one_from_many_starts() -> None:
    rows = np.random.default_rng(0).normal(size=(400, 5))
    rows[:130] += 4.0
    result = bootstrap_test(rows, n_bootstrap=19, level=0.06)
    assert [step.n_components for step in result.steps] == [1, 2]
    assert result.n_components == 2
