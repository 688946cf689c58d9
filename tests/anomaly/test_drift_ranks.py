"""Sequential conformal p-values: uniform, independent, exact, in bounded memory."""

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from gaussmix.anomaly.drift_bets import bet_sequentially, initial_wealth
from gaussmix.anomaly.drift_ranks import MAX_BINS, make_rank_bins, rank_sequentially

N_STREAMS = 1500  # columns stand for streams


def draw_normal(rng, n_rows, n_columns):
    return rng.normal(size=(n_rows, n_columns))


def draw_counts(rng, n_rows, n_columns):
    return rng.poisson(0.7, size=(n_rows, n_columns)).astype(float)


def draw_rarely_one(rng, n_rows, n_columns):
    return (rng.random((n_rows, n_columns)) < 0.02).astype(float)


DRAWS = [draw_normal, draw_counts, draw_rarely_one]


def independence_p_value(p_values):
    """Chi-squared test of the last p-value (rows are p-values, columns are streams) against the mean of all before."""
    mean = p_values[:-1].mean(axis=0)
    edges = [0, *np.quantile(mean, [0.25, 0.5, 0.75]), 1]
    table = np.histogram2d(mean, p_values[-1], bins=[edges, np.linspace(0, 1, 5)])[0]
    return chisquare(table.ravel(), np.full(16, N_STREAMS / 16)).pvalue


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("draw", DRAWS)
def test_p_values_are_uniform_and_independent_of_those_before(draw, seed):
    rng = np.random.default_rng(seed)
    bins, counts = make_rank_bins(draw(rng, 20, N_STREAMS), seed)
    p_values = rank_sequentially(draw(rng, 41, N_STREAMS), 0, bins, counts).p_values
    assert min(kstest(row, "uniform").pvalue for row in p_values) > 1e-4
    assert min(independence_p_value(p_values[:n]) for n in (2, 10, 41)) > 1e-3


def test_p_values_among_the_reference_alone_are_dependent():
    """The test before rejects p-values that do not count earlier rows of the stream."""
    rng = np.random.default_rng(1)
    bins = make_rank_bins(rng.normal(size=(20, N_STREAMS)), 1).bins
    p_values = (bins.locate(rng.normal(size=(101, N_STREAMS)), 0) + bins.draw_within_bins(0, 101)) / 21
    assert independence_p_value(p_values) < 1e-4


def test_a_fixed_reference_raises_false_alarms_and_sequential_ranks_do_not():
    """One reference of 100 rows has an error of its own, which 3000 rows of a stream reveal."""
    rng = np.random.default_rng(0)
    n_streams, n_rows = 100, 3000
    bins, counts = make_rank_bins(rng.normal(size=(100, n_streams)), 0)
    rows = rng.normal(size=(n_rows, n_streams))
    sequential = rank_sequentially(rows, 0, bins, counts).p_values
    fixed = (bins.locate(rows, 0) + bins.draw_within_bins(0, n_rows)) / 101
    rates = [
        (bet_sequentially(p_values, 0, initial_wealth(n_streams)).martingales.max(axis=0) >= 20).mean()
        for p_values in (sequential, fixed)
    ]
    assert rates[0] <= 0.05
    assert rates[1] > 0.4


@pytest.mark.parametrize("n_reference", [30, 500])
def test_p_values_lie_where_counting_all_rows_puts_them(n_reference):
    """All rows are kept and counted here; within a gap of the reference the place is random."""
    rng = np.random.default_rng(n_reference)
    reference, rows = rng.normal(size=n_reference), rng.normal(size=200)
    bins, counts = make_rank_bins(reference[:, None], 0)
    p_values = rank_sequentially(rows[:, None], 0, bins, counts).p_values[:, 0]
    gaps = np.searchsorted(np.sort(reference), rows)
    for t, (value, gap) in enumerate(zip(p_values, gaps, strict=True)):
        lower = gap + (gaps[:t] < gap).sum()
        upper = lower + 1 + (gaps[:t] == gap).sum()
        assert lower <= value * (n_reference + t + 1) <= upper


def test_values_equal_to_the_reference_are_ordered_at_random():
    """Three of ten reference values are equal: an equal row gets any rank among them with the same probability."""
    reference = np.array([1.0, 2, 3, 4, 5, 5, 5, 8, 9, 10])
    ranks = []
    for seed in range(800):
        bins, counts = make_rank_bins(reference[:, None], seed)
        ranks.append(rank_sequentially(np.array([[5.0]]), 0, bins, counts).p_values[0, 0] * 11)
    assert kstest(ranks, "uniform", args=(4, 4)).pvalue > 1e-3


@pytest.mark.parametrize("seed", [0, 1])
def test_any_split_gives_the_same_bits(seed):
    rng = np.random.default_rng(seed)
    draw = DRAWS[seed]
    bins, counts = make_rank_bins(draw(rng, 300, 3), seed)
    rows = draw(rng, 400, 3)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    whole = rank_sequentially(rows, 0, bins, counts)
    parts, start = [], 0
    for size in (1, 1, 30, 33, 100, 2, 233):
        part = rank_sequentially(rows[start : start + size], start, bins, counts)
        parts.append(part.p_values)
        counts, start = part.counts, start + size
    np.testing.assert_array_equal(np.concatenate(parts), whole.p_values)
    np.testing.assert_array_equal(counts, whole.counts)


def test_only_ranks_count():
    rng = np.random.default_rng(3)
    reference, rows = rng.normal(size=(100, 2)), rng.normal(size=(150, 2))

    def rank(change, permutation):
        bins, counts = make_rank_bins(change(reference)[permutation], 0)
        return rank_sequentially(change(rows), 0, bins, counts).p_values

    expected = rank(lambda x: x, np.arange(100))
    for change in (np.exp, lambda x: x * 2.0**-500, lambda x: 3.0 * x + 1e9):
        np.testing.assert_array_equal(rank(change, rng.permutation(100)), expected)


def test_missing_cells_are_left_out():
    rng = np.random.default_rng(4)
    reference, rows = rng.normal(size=(60, 1)), rng.normal(size=(80, 1))
    gappy = np.where(rng.random(rows.shape) < 0.3, np.nan, rows)
    bins, counts = make_rank_bins(np.vstack([reference, np.full((5, 1), np.nan)]), 0)
    assert counts.sum() == 61
    result = rank_sequentially(gappy, 0, bins, counts)
    np.testing.assert_array_equal(np.isnan(result.p_values), np.isnan(gappy))
    assert result.counts.sum() == 61 + np.sum(~np.isnan(gappy))


def test_the_seed_decides_places_within_gaps():
    rng = np.random.default_rng(5)
    reference, rows = rng.normal(size=(50, 1)), rng.normal(size=(20, 1))
    results = [rank_sequentially(rows, 0, *make_rank_bins(reference, seed)).p_values for seed in (0, 0, 1)]
    np.testing.assert_array_equal(results[0], results[1])
    assert np.all(results[0] != results[2])


def test_memory_is_bounded_and_large_references_keep_exact_counts():
    rng = np.random.default_rng(6)
    bins, counts = make_rank_bins(rng.normal(size=(5000, 2)), 0)
    assert counts.shape == (2, MAX_BINS)
    np.testing.assert_array_equal(counts.sum(axis=1), 5001)
    result = rank_sequentially(rng.normal(size=(20_000, 2)), 0, bins, counts)
    assert result.counts.shape == counts.shape
    np.testing.assert_array_equal(result.counts.sum(axis=1), 25_001)
    assert min(kstest(column, "uniform").pvalue for column in result.p_values.T) > 1e-3
