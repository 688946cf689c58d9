"""Plans of action: the rule of Elkan, exact expectations by enumeration, coverage, and invariances."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from gaussmix.classification import plan_actions
from gaussmix.errors import ActionError, OutcomeError, ParameterError
from tests.classification.evaluation.outcome_samples import draw_sample


def draw_amounts(seed, n_rows=200):
    rng = np.random.default_rng(seed + 50)
    return {
        "cost_contact": rng.uniform(1.0, 20.0, n_rows),
        "value_saved": rng.gamma(2.0, 40.0, n_rows),
        "success_rate": rng.uniform(0.1, 0.9, n_rows),
    }


@pytest.mark.parametrize("seed", range(3))
def test_customers_above_the_threshold_are_contacted(seed):
    _, p, _ = draw_sample(seed)
    plan = plan_actions(p, 10.0, 100.0, 0.4)
    assert plan.threshold == pytest.approx(0.25)
    assert (plan.is_contacted == (p > 0.25)).all()
    assert plan.n_contacted == (p > 0.25).sum()
    assert plan.expected_profit == pytest.approx((40.0 * p[p > 0.25] - 10.0).sum())
    assert [row["row"] for row in plan.table()] == np.argsort(-p)[: plan.n_contacted].tolist()
    assert f"Contact {plan.n_contacted} of 200 customers, those with a probability above 0.25" in plan.sentence


@pytest.mark.parametrize("seed", range(3))
def test_amounts_per_customer_and_the_curve(seed):
    _, p, _ = draw_sample(seed)
    amounts = draw_amounts(seed)
    profits = p * amounts["success_rate"] * amounts["value_saved"] - amounts["cost_contact"]
    plan = plan_actions(p, **amounts)
    assert plan.threshold is None
    assert "probability above" not in plan.sentence
    np.testing.assert_allclose(plan.expected_profits, profits)
    assert (plan.is_contacted == (profits > 0)).all()
    assert (np.diff(profits[plan.ranking]) <= 0).all()
    curve = plan.curve
    cumulative = np.append(0.0, np.cumsum(np.sort(profits)[::-1]))
    np.testing.assert_allclose(curve.expected, cumulative[curve.n_contacted], atol=1e-10)
    assert plan.expected_profit == pytest.approx(cumulative.max())
    assert curve.n_contacted[curve.expected.argmax()] == plan.n_contacted
    assert curve.n_contacted[[0, -1]].tolist() == [0, 200]


def test_expectation_and_interval_are_those_of_all_outcomes():
    """Enumeration of who leaves and whom a contact saves; the interval is normal within the possible profits."""
    p, s, v, c = np.array([0.9, 0.6, 0.5]), np.array([0.5, 0.8, 1.0]), np.array([9.0, 5.0, 4.0]), np.full(3, 0.7)
    mean = square = 0.0
    for saved in product([0, 1], repeat=3):
        chance = np.prod(np.where(saved, p * s, 1.0 - p * s))
        profit = (v * saved - c).sum()
        mean, square = mean + chance * profit, square + chance * profit**2
    plan = plan_actions(p, c, v, s, level=0.5)
    assert plan.n_contacted == 3
    assert plan.expected_profit == pytest.approx(mean)
    half_width = 0.6744897501960817 * np.sqrt(square - mean**2)
    assert plan.expected_interval == pytest.approx((mean - half_width, mean + half_width))
    wide = plan_actions(p, c, v, s, level=0.9999)
    assert wide.expected_interval == pytest.approx((-c.sum(), (v - c).sum()))


def test_the_interval_covers_the_profit_of_simulations():
    _, p, _ = draw_sample(0)
    amounts = draw_amounts(0)
    plan, rng = plan_actions(p, **amounts, level=0.9), np.random.default_rng(0)
    saved = rng.uniform(size=(2000, 200)) < p * amounts["success_rate"]
    profits = np.where(plan.is_contacted, saved * amounts["value_saved"] - amounts["cost_contact"], 0.0).sum(axis=1)
    low, high = plan.expected_interval
    assert 0.88 <= ((low <= profits) & (profits <= high)).mean() <= 0.92


def simulate_profit(rng, n_rows, n_population=20_000):
    """Fit level and slope of log-odds to some rows; return held-out outcomes and probabilities, and a population.

    Of the population these are the estimated and the true probabilities.
    """
    z = rng.normal(-1.0, 1.5, n_rows)
    y = rng.uniform(size=n_rows) < expit(z)
    fitted = LogisticRegression(C=1e6).fit(z[:, None], y)
    new = rng.normal(-1.0, 1.5, n_population)
    return y, fitted.predict_proba(z[:, None])[:, 1], fitted.predict_proba(new[:, None])[:, 1], expit(new)


def test_the_interval_covers_the_profit_of_plans_by_fitted_probabilities():
    """Without held-out rows it contains chance alone, which is little in a large population."""
    rng, covered = np.random.default_rng(3), []
    for _ in range(150):
        y, p_held_out, p, truth = simulate_profit(rng, 400)
        saved = rng.uniform(size=len(truth)) < 0.4 * truth
        row = []
        for held_out in (None, (y, p_held_out)):
            plan = plan_actions(p, 10.0, 150.0, 0.4, held_out=held_out)
            profit = np.where(plan.is_contacted, 150.0 * saved - 10.0, 0.0).sum()
            row.append(plan.expected_interval.low <= profit <= plan.expected_interval.high)
        covered.append(row)
    by_chance, with_errors = np.mean(covered, axis=0)
    assert by_chance < 0.75
    assert 0.9 <= with_errors <= 0.99


def test_more_held_out_rows_narrow_the_interval_down_to_chance():
    y, p_held_out, p, _ = simulate_profit(np.random.default_rng(0), 400)
    chance, some, many = (
        plan_actions(p, 10.0, 150.0, 0.4, held_out=held_out).expected_interval
        for held_out in (None, (y, p_held_out), (np.tile(y, 10_000), np.tile(p_held_out, 10_000)))
    )
    assert some.low < chance.low < chance.high < some.high
    assert many == pytest.approx(chance, rel=1e-3)


def test_the_sentence_says_what_the_interval_contains():
    y, p_held_out, p, _ = simulate_profit(np.random.default_rng(0), 100, 50)
    assert "by chance alone, if the probabilities are right)" in plan_actions(p, 1.0, 15.0).sentence
    plan = plan_actions(p, 1.0, 15.0, held_out=(y, p_held_out))
    assert "by chance and by errors of the model's probabilities on the whole)" in plan.sentence
    assert plan.curve.has_calibration_error
    assert not plan_actions(p, 1.0, 15.0).curve.has_calibration_error


@pytest.mark.parametrize("seed", range(3))
def test_the_observed_profit_is_that_of_the_outcomes(seed):
    y, p, _ = draw_sample(seed)
    amounts = draw_amounts(seed)
    plan = plan_actions(p, **amounts, y=y)
    profits = y * amounts["success_rate"] * amounts["value_saved"] - amounts["cost_contact"]
    assert plan.observed_profit == pytest.approx(profits[plan.is_contacted].sum())
    cumulative = np.append(0.0, np.cumsum(profits[plan.ranking]))
    np.testing.assert_allclose(plan.curve.observed, cumulative[plan.curve.n_contacted], atol=1e-9)
    assert plan.observed_interval.low < plan.observed_profit < plan.observed_interval.high
    assert "With the observed outcomes it is" in str(plan)
    assert plan_actions(p, **amounts).observed_profit is None


def test_the_bootstrap_interval_covers_the_profit_of_the_population():
    """Customers are drawn from a population in which the mean profit among the best tenth is known."""
    rng = np.random.default_rng(1)
    population = draw_sample(9, 200_000)
    order = np.argsort(-population.p)
    best = order[:20_000]
    truth = (10.0 * population.y[best] - 1.0).sum() / 200_000 * 300
    hits = 0
    for _ in range(150):
        rows = rng.integers(200_000, size=300)
        plan = plan_actions(population.p[rows], 1.0, 10.0, y=population.y[rows], level=0.9, n_bootstrap=120)
        at = int(np.searchsorted(plan.curve.n_contacted, 30))
        assert plan.curve.n_contacted[at] == 30
        hits += plan.curve.observed_low[at] <= truth <= plan.curve.observed_high[at]
    assert 0.83 <= hits / 150 <= 0.96


@pytest.mark.parametrize("n_distinct", [None, 6])
def test_order_and_currency_do_not_matter(n_distinct):
    y, p, _ = draw_sample(4, n_distinct=n_distinct)
    amounts = draw_amounts(4) if n_distinct is None else {"cost_contact": 3.0, "value_saved": 20.0, "success_rate": 0.5}
    plan = plan_actions(p, **amounts, y=y)
    order = np.random.default_rng(4).permutation(200)
    moved = {name: value[order] if np.ndim(value) else value for name, value in amounts.items()}
    shuffled = plan_actions(p[order], **moved, y=y[order])
    assert (shuffled.is_contacted == plan.is_contacted[order]).all()
    for name, column in vars(plan.curve).items():
        np.testing.assert_allclose(getattr(shuffled.curve, name), column, rtol=1e-9, atol=1e-9, err_msg=name)
    for unit in (2.0**-600, 2.0**600):
        scaled = amounts | {name: amounts[name] * unit for name in ("cost_contact", "value_saved")}
        other = plan_actions(p, **scaled, y=y)
        np.testing.assert_array_equal(other.curve.expected / unit, plan.curve.expected)
        np.testing.assert_array_equal(other.curve.observed_high / unit, plan.curve.observed_high)


def test_customers_of_equal_profit_count_as_in_random_order():
    p, y = np.full(100, 0.5), np.arange(100) < 30
    curve = plan_actions(p, 1.0, 10.0, y=y).curve
    np.testing.assert_allclose(curve.observed, 2.0 * curve.n_contacted, atol=1e-9)


def test_every_parameter_changes_the_plan():
    y, p, _ = draw_sample(5)
    base = {"cost_contact": 10.0, "value_saved": 60.0, "success_rate": 0.5}
    plan = plan_actions(p, **base, y=y)
    for change in ({"cost_contact": 12.0}, {"value_saved": 50.0}, {"success_rate": 0.6}):
        assert plan_actions(p, **(base | change)).expected_profit != plan.expected_profit
    assert plan_actions(p, 10.0, 60.0).threshold == pytest.approx(1.0 / 6.0), "contacts succeed by default"
    wide = plan_actions(p, **base, y=y, level=0.99)
    assert wide.expected_interval.low < plan.expected_interval.low
    assert wide.observed_interval.low < plan.observed_interval.low
    other_seed = plan_actions(p, **base, y=y, random_state=1)
    assert other_seed.observed_interval != plan.observed_interval
    assert plan_actions(p, **base, y=y).observed_interval == plan.observed_interval
    assert plan_actions(p, **base, y=y, n_bootstrap=50).observed_interval != plan.observed_interval


def test_nobody_is_contacted_if_no_contact_pays_off():
    plan = plan_actions([0.2, 0.9], 10.0, 10.0, 0.9, y=[0, 1])
    assert (plan.n_contacted, plan.expected_profit, plan.threshold, plan.table()) == (0, 0.0, None, [])
    assert plan.expected_interval == (0.0, 0.0)
    assert plan.observed_profit == 0.0
    assert plan.sentence.startswith("Contact none of 2 customers")
    assert plan_actions([0.2, 0.5], 10.0, 20.0).threshold == 0.5
    assert plan_actions([0.2, 0.5], 10.0, 20.0).n_contacted == 0, "a contact at the threshold gains nothing"
    free = plan_actions([0.0, 0.5], 0.0, 20.0)
    assert (free.n_contacted, free.threshold) == (1, 0.0)
    assert plan_actions([0.5], 0.0, 0.0).n_contacted == 0


def test_curves_of_many_customers_have_few_points_and_the_table_shows_them():
    y, p, _ = draw_sample(6, 3000)
    plan = plan_actions(p, 10.0, 60.0, 0.5, y=y, n_bootstrap=20)
    assert len(plan.curve.n_contacted) <= 202
    assert plan.n_contacted in plan.curve.n_contacted
    rows = plan.curve.table()
    assert rows[5]["n_contacted"] == plan.curve.n_contacted[5]
    assert rows[5]["observed_low"] == plan.curve.observed_low[5]
    assert plan_actions(p, 10.0, 60.0, 0.5).curve.table()[5]["observed"] is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cost_contact", -1.0, "cost_contact must be numbers from 0 to 1e[+]200, but is -1.0"),
        ("cost_contact", np.nan, "but is nan"),
        ("value_saved", np.inf, "value_saved must be numbers from 0 to 1e[+]200, but is inf"),
        ("value_saved", [1.0, -2.0, 1.0], "but that of row 1 is -2.0"),
        ("success_rate", 1.2, "success_rate must be numbers from 0 to 1, but is 1.2"),
        ("success_rate", [0.5, 0.5, -0.1], "success_rate must be numbers from 0 to 1, but that of row 2 is -0.1"),
        ("value_saved", [1.0, 2.0], r"one for each of 3 rows, but has the shape \(2,\)"),
        ("value_saved", np.ones((3, 1)), r"but has the shape \(3, 1\)"),
        ("cost_contact", "ten", "cost_contact must be one number, or one number for each row"),
        ("value_saved", np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), "that of row 1 is nan"),
    ],
)
def test_infeasible_amounts_are_refused(name, value, message):
    amounts = {"cost_contact": 1.0, "value_saved": 10.0, "success_rate": 0.5} | {name: value}
    with pytest.raises(ActionError, match=message):
        plan_actions([0.1, 0.2, 0.3], **amounts)


def test_other_wrong_arguments_are_refused():
    with pytest.raises(OutcomeError, match=r"p of row 0 is 2\.0"):
        plan_actions([2.0], 1.0, 10.0)
    with pytest.raises(OutcomeError, match="no row"):
        plan_actions([], 1.0, 10.0)
    with pytest.raises(OutcomeError, match="p must have one value for each of 1 row"):
        plan_actions([0.5, 0.5], 1.0, 10.0, y=[1])
    with pytest.raises(OutcomeError, match="y of row 0 is 'Yes'"):
        plan_actions([0.5], 1.0, 10.0, y=["Yes"])
    with pytest.raises(OutcomeError, match="y of row 0 is 2"):
        plan_actions([0.5], 1.0, 10.0, held_out=([2], [0.5]))
    with pytest.raises(OutcomeError, match="one value for each of 2 rows"):
        plan_actions([0.5], 1.0, 10.0, held_out=([1, 0], [0.5]))
    with pytest.raises(ParameterError, match="level"):
        plan_actions([0.5], 1.0, 10.0, level=0)
    with pytest.raises(ParameterError, match="n_bootstrap must be a whole number of at least 2"):
        plan_actions([0.5], 1.0, 10.0, n_bootstrap=1)
    with pytest.raises(ParameterError, match="random_state"):
        plan_actions([0.5], 1.0, 10.0, random_state="seed")
