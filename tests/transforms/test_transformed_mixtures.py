"""Mixtures of transformed columns: densities in the data's units, criteria, files, samples, tables and pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from sklearn.base import clone
from sklearn.mixture import GaussianMixture as SklearnMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer
from typer.testing import CliRunner

from gaussmix import DataError, GaussianMixture, Intensity, Mixture, ParameterError, plots, select
from gaussmix.cli.app import app
from gaussmix.model import serialization
from gaussmix.report import component_table, render_html

pytestmark = pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")


@pytest.fixture(scope="module")
def incomes() -> Any:
    """Two groups of two skewed columns, 400 rows."""
    rng = np.random.default_rng(0)
    logs = rng.normal(np.repeat([[1.0, 2.0], [3.0, 3.5]], 200, axis=0), 0.5)
    return np.exp(logs)


@pytest.mark.parametrize("transform", ["log1p", "yeo-johnson", "standardize", {0: "yeo-johnson"}])
def test_densities_integrate_to_one_in_the_units_of_the_data(transform: Any, incomes: Any) -> None:
    column = incomes[:, :1]
    mixture = GaussianMixture(2, column_transform=transform, random_state=0, noise=None).fit(column).model_
    low = -0.999999 if transform == "log1p" else -200.0
    total, _ = quad(lambda x: mixture.pdf([[x]])[0], low, 3000.0, points=[0.0, 3.0, 10.0, 30.0, 100.0], limit=400)
    assert total == pytest.approx(1.0, abs=1e-5)


def test_densities_integrate_to_one_in_two_columns(incomes: Any) -> None:
    mixture = GaussianMixture(1, column_transform="log1p").fit(incomes[:200]).model_
    logs = np.linspace(-4.0, 8.0, 241)  # of 1 + x, so that steps are fine where the density is
    first, second = (np.expm1(grid).ravel() for grid in np.meshgrid(logs, logs))
    densities = mixture.pdf(np.column_stack([first, second])) * (1.0 + first) * (1.0 + second)
    assert densities.sum() * (logs[1] - logs[0]) ** 2 == pytest.approx(1.0, abs=1e-6)


def test_scores_equal_a_pipeline_of_scikit_learn_and_the_jacobian(incomes: Any) -> None:
    ours = GaussianMixture(2, column_transform="log1p", random_state=0, tol=1e-10, max_iter=1000).fit(incomes)
    theirs = make_pipeline(
        FunctionTransformer(np.log1p), SklearnMixture(2, random_state=0, tol=1e-10, max_iter=1000, reg_covar=0.0)
    ).fit(incomes)
    log_jacobians = -np.log1p(incomes).sum(axis=1)
    np.testing.assert_allclose(ours.score_samples(incomes), theirs.score_samples(incomes) + log_jacobians, rtol=1e-5)
    np.testing.assert_allclose(ours.model_.logpdf(incomes), ours.score_samples(incomes), rtol=1e-12)
    np.testing.assert_allclose(np.sort(ours.means_, axis=0), np.sort(theirs[-1].means_, axis=0), rtol=1e-4)
    difference = theirs[-1].bic(np.log1p(incomes)) - 2.0 * log_jacobians.sum()
    assert ours.bic(incomes) == pytest.approx(difference, rel=1e-6)


def test_each_lambda_counts_as_a_parameter(incomes: Any) -> None:
    rows = np.random.default_rng(7).gamma(3.0, 10.0, incomes.shape)
    ours = GaussianMixture(1, column_transform="yeo-johnson").fit(rows)
    plain = GaussianMixture(1).fit(rows)
    assert ours._n_parameters() == plain._n_parameters() + 2
    assert ours.model_.n_parameters == ours._n_parameters()
    log_likelihood = float(ours.score_samples(rows).sum())
    assert ours.bic(rows) == pytest.approx(-2.0 * log_likelihood + 7 * np.log(400))
    assert ours.aic(rows) == pytest.approx(-2.0 * log_likelihood + 14)
    assert ours.fit_.log_likelihood == pytest.approx(log_likelihood)
    assert ours.lower_bound_ == pytest.approx(log_likelihood / 400)
    theirs = PowerTransformer(standardize=False).fit(rows)
    np.testing.assert_allclose(ours.means_[0], theirs.transform(rows).mean(axis=0), rtol=1e-3)


def test_standardize_changes_no_likelihood_of_a_general_structure(incomes: Any) -> None:
    ours = GaussianMixture(1, column_transform="standardize").fit(incomes)
    assert ours.bic(incomes) == pytest.approx(GaussianMixture(1).fit(incomes).bic(incomes), rel=1e-10)


def test_transformed_columns_need_fewer_components(incomes: Any) -> None:
    plain = select(incomes, range(1, 5), "VVV")
    transformed = select(incomes, range(1, 5), "VVV", transform="log1p")
    assert transformed.best.n_components == 2 < plain.best.n_components
    assert transformed.best.criteria["bic"] < plain.best.criteria["bic"] - 10.0


@pytest.mark.parametrize("transform", ["log1p", "yeo-johnson"])
def test_a_search_has_the_criteria_of_its_mixtures(transform: str, incomes: Any) -> None:
    weights = np.random.default_rng(1).integers(0, 3, len(incomes))
    selection = select(incomes, [1, 2], ["VVV", "EII"], transform=transform, sample_weight=weights)
    for candidate in selection.candidates:
        assert candidate.mixture is not None
        assert candidate.fit is not None
        estimator = GaussianMixture.from_mixture(candidate.mixture)
        for name in ("bic", "aic", "icl"):
            value = getattr(estimator, name)(incomes, sample_weight=weights)
            assert candidate.criteria[name] == pytest.approx(value, rel=1e-9)
        assert candidate.n_parameters == candidate.mixture.n_parameters
        total = float(weights @ candidate.mixture.logpdf(incomes))
        assert candidate.fit.log_likelihood == pytest.approx(total, rel=1e-9)
    values = [candidate.criteria["bic"] for candidate in selection.candidates]
    assert values == sorted(values)


def test_the_search_chooses_transforms_on_request() -> None:
    rng = np.random.default_rng(8)
    rows = np.column_stack([rng.normal(size=120), rng.lognormal(3.0, 1.0, (120, 2)), rng.integers(0, 2, 120)])
    chosen = select(rows, [1, 2], "VVI", transform="auto", feature_names=["a", "income", "spend", "flag"])
    assert chosen.best.mixture is not None
    assert chosen.best.mixture.transforms is not None
    assert chosen.best.mixture.transforms.names == (None, "yeo-johnson", "yeo-johnson", None)
    assert [diagnosis.name for diagnosis in chosen.column_diagnoses] == ["flag"]
    explicit = select(rows, [1, 2], "VVI", transform={1: "yeo-johnson", 2: "yeo-johnson"})
    assert chosen.best.criteria == explicit.best.criteria
    plain = select(rows[:, :1], [1, 2], transform="auto")
    assert plain.best.mixture is not None
    assert plain.best.mixture.transforms is None


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_automatic_transform_mends_left_skewed_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses = -np.exp(rng.normal(np.repeat([0.0, 3.0], 100)[:, None], 1.0, (200, 2)))
    automatic, asked = (select(losses, [1, 2, 3], "VVI", transform=name) for name in ("auto", "yeo-johnson"))
    assert automatic.best.mixture.transforms.names == ("yeo-johnson", "yeo-johnson")
    assert automatic.best.criteria["bic"] == pytest.approx(asked.best.criteria["bic"])


def test_only_columns_that_stay_skewed_are_diagnosed(incomes: Any) -> None:
    rows = np.column_stack([np.exp(np.random.default_rng(2).normal(3.0, 1.0, 400)), incomes[:, 0]])
    with pytest.warns(UserWarning, match="skewed columns: column 0"):
        GaussianMixture(1).fit(rows)
    assert not GaussianMixture(1, column_transform={0: "log1p", 1: "yeo-johnson"}).fit(rows).fit_.notes


def test_samples_and_predictions_are_in_the_units_of_the_data(incomes: Any) -> None:
    mixture = GaussianMixture(2, column_transform="log1p", random_state=0).fit(incomes)
    rows, labels = mixture.sample(4000)
    assert np.quantile(rows[:, 0], 0.9) == pytest.approx(np.quantile(incomes[:, 0], 0.9), rel=0.15)
    assert np.mean(mixture.predict(rows) == labels) > 0.95
    assert np.mean(mixture.predict(incomes) == np.repeat([0, 1], 200)) > 0.95
    assert mixture.model_.cdf([[1e9, 1e9]])[0] == pytest.approx(1.0)
    below = (rows <= [10.0, 20.0]).all(axis=1).mean()
    assert mixture.model_.cdf([[10.0, 20.0]])[0] == pytest.approx(below, abs=0.03)


def test_marginals_and_conditionals_keep_the_transforms(incomes: Any) -> None:
    mixture = GaussianMixture(2, column_transform={0: "log1p"}, random_state=0).fit(incomes).model_
    first, second = mixture.marginal([0]), mixture.marginal([1])
    assert first.transforms is not None
    assert second.transforms is None
    point = np.array([[4.0, 11.0]])
    conditional = mixture.conditional([0], [4.0])
    np.testing.assert_allclose(mixture.logpdf(point), first.logpdf([[4.0]]) + conditional.logpdf([[11.0]]), rtol=1e-10)
    with pytest.raises(ParameterError, match="transforms must be None in both factors"):
        first.product(second)


def test_intensities_of_equal_transforms_add(incomes: Any) -> None:
    mixture = GaussianMixture(2, column_transform="log1p", random_state=0).fit(incomes).model_
    total = Intensity(mixture) + Intensity(mixture).scale(2.0)
    np.testing.assert_allclose(total.evaluate(incomes), 3.0 * mixture.pdf(incomes), rtol=1e-10)
    with pytest.raises(ParameterError, match="equal in both intensities"):
        Intensity(mixture) + Intensity(GaussianMixture(1).fit(incomes).model_)


@pytest.mark.parametrize("covariance_type", ["full", "CCC"])
def test_files_keep_the_transforms(covariance_type: str, incomes: Any, tmp_path: Path) -> None:
    transform = {0: "yeo-johnson", 1: "standardize"}
    fitted = GaussianMixture(
        2, covariance_type=covariance_type, n_factors=1, column_transform=transform, random_state=0
    ).fit(incomes)
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    loaded = GaussianMixture.load(path)
    assert serialization.read_schema_version(path) == 3
    np.testing.assert_array_equal(loaded.score_samples(incomes), fitted.score_samples(incomes))
    assert loaded.column_transform == {0: "yeo-johnson", 1: "standardize"}
    np.testing.assert_array_equal(Mixture.load(path).logpdf(incomes), fitted.model_.logpdf(incomes))


def test_rows_outside_the_domain(incomes: Any) -> None:
    mixture = GaussianMixture(1, column_transform="log1p").fit(incomes[:200])
    assert mixture.model_.logpdf([[-2.0, 5.0]])[0] == -np.inf
    with pytest.raises(DataError, match="row 0, column 0 is -2, but log1p needs values above -1"):
        mixture.predict([[-2.0, 5.0]])
    with pytest.raises(DataError, match="row 3, column 1"):
        GaussianMixture(1, column_transform="log1p").fit(np.vstack([incomes[:3], [[1.0, -1.0]]]))


def test_float32_rows_stay_float32(incomes: Any) -> None:
    mixture = GaussianMixture(2, column_transform="log1p", random_state=0).fit(incomes.astype(np.float32))
    assert mixture.means_.dtype == np.float32
    assert mixture.predict_proba(incomes.astype(np.float32)).dtype == np.float32


def test_partial_fit_refuses_transforms_and_warm_starts_begin_anew(incomes: Any) -> None:
    with pytest.raises(ParameterError, match="column_transform must be None for partial_fit"):
        GaussianMixture(1, column_transform="log1p").partial_fit(incomes)
    mixture = GaussianMixture(2, column_transform="log1p", warm_start=True, random_state=0).fit(incomes)
    again = clone(mixture).fit(incomes)
    np.testing.assert_array_equal(mixture.fit(incomes).means_, again.means_)


def test_tables_have_medians_in_the_units_of_the_data(incomes: Any) -> None:
    mixture = GaussianMixture(2, column_transform={0: "log1p"}, random_state=0).fit(incomes).model_
    medians = np.array([row.mean for row in component_table(mixture)])
    np.testing.assert_allclose(medians[:, 0], np.expm1(mixture.means[:, 0]))
    np.testing.assert_allclose(medians[:, 1], mixture.means[:, 1])
    deviations = np.array([row.standard_deviation for row in component_table(mixture)])
    low, high = (np.expm1(mixture.means[:, 0] + sign * mixture.standard_deviations[:, 0]) for sign in (-1, 1))
    np.testing.assert_allclose(deviations[:, 0], 0.5 * (high - low))
    np.testing.assert_allclose(deviations[:, 1], mixture.standard_deviations[:, 1])


def test_pictures_are_in_the_units_of_the_data(incomes: Any) -> None:
    mixture = GaussianMixture(2, column_transform="log1p", random_state=0).fit(incomes)
    axes = plots.density(mixture, incomes, 0)
    (line,) = [line for line in axes.get_lines() if len(line.get_xdata()) > 200 and line.get_zorder() == 4]
    x, y = line.get_xdata(), line.get_ydata()
    assert np.trapezoid(y, x) == pytest.approx(1.0, abs=0.05)
    axes = plots.scatter(mixture, incomes)
    low, high = axes.get_xlim()
    assert low > -30.0
    assert high > incomes[:, 0].max()


def test_a_report_can_be_written(incomes: Any) -> None:
    mixture = GaussianMixture(2, column_transform="log1p", random_state=0).fit(incomes)
    page = render_html(mixture, incomes, fit=mixture)
    assert "The groups are Gaussian in transformed columns: column 0 (log1p) and column 1 (log1p)." in page
    assert "A transformed column has its median" in page
    assert "no Gaussian describes" not in page


@pytest.fixture
def csv_file(incomes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "people.csv"
    np.savetxt(path, incomes, "%.9g", ",", header="income,spend", comments="")
    return path


def test_the_command_line_transforms_columns(csv_file: Path) -> None:
    options = ["--components", "2", "--structures", "full", "--transform", "income=log1p,spend=yeo-johnson"]
    result = CliRunner().invoke(app, ["fit", str(csv_file), *options, "--output", "out"])
    assert result.exit_code == 0, result.output
    assert "Gaussian in transformed columns: income (log1p) and spend (yeo-johnson, lambda" in result.stderr
    assert "Not Gaussian" not in result.stdout
    mixture = Mixture.load("out/model.safetensors")
    csv_rows = np.loadtxt(csv_file, delimiter=",", skiprows=1)
    assert mixture.transforms is not None
    assert mixture.transforms.names == ("log1p", "yeo-johnson")
    income_line = next(line for line in result.stdout.splitlines() if line.startswith("income"))
    np.testing.assert_allclose([float(text) for text in income_line.split()[1:]], mixture.medians[:, 0], rtol=1e-3)
    predicted = CliRunner().invoke(app, ["predict", "out/model.safetensors", str(csv_file), "--output", "out.csv"])
    assert predicted.exit_code == 0, predicted.output
    written = np.genfromtxt("out.csv", delimiter=",", names=True)
    np.testing.assert_allclose(written["log_density"], mixture.logpdf(csv_rows), rtol=1e-6)
    info = CliRunner().invoke(app, ["info", "out/model.safetensors"])
    assert "Transforms  income (log1p), spend (yeo-johnson, lambda" in info.stdout


@pytest.mark.parametrize(
    ("text", "message"), [("cube", "none of log1p"), ("income=cube", "none of log1p"), ("=log1p", "income=log1p")]
)
def test_the_command_line_refuses_unknown_transforms(text: str, message: str, csv_file: Path) -> None:
    result = CliRunner().invoke(app, ["select", str(csv_file), "--transform", text])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_the_command_line_names_an_unknown_column(csv_file: Path) -> None:
    result = CliRunner().invoke(app, ["select", str(csv_file), "--transform", "incom=log1p"])
    assert result.exit_code == 1
    assert "no column named 'incom' (did you mean 'income'?)" in " ".join(result.stderr.split())
