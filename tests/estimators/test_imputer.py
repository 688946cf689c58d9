"""``MixtureImputer``: scikit-learn's transformer for missing cells."""

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix import DataError, GaussianMixture, MixtureImputer, ParameterError
from gaussmix.types import Array


def draw_groups(seed: int = 0, missing: float = 0.2) -> tuple[Array, Array]:
    """Two groups in which the columns depend on each other in opposite directions."""
    rng = np.random.default_rng(seed)
    first = rng.multivariate_normal([0.0, 0.0, 0.0], [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], 150)
    second = rng.multivariate_normal([9.0, 0.0, 5.0], [[1, -0.9, 0], [-0.9, 1, 0], [0, 0, 1]], 150)
    rows = np.vstack([first, second])
    return rows, np.where(rng.random(rows.shape) < missing, np.nan, rows)


def error(filled: Array, rows: Array, gaps: Array) -> float:
    return float(np.sqrt(((filled - rows)[np.isnan(gaps)] ** 2).mean()))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_beats_means_and_one_gaussian_where_groups_differ(seed: int) -> None:
    rows, gaps = draw_groups(seed)
    imputer = MixtureImputer(random_state=0).fit(gaps)
    assert imputer.model_.n_components == 2
    own = error(imputer.transform(gaps), rows, gaps)
    one = error(MixtureImputer(1, random_state=0).fit_transform(gaps), rows, gaps)
    assert own < 0.95 * one
    assert one < 0.95 * error(SimpleImputer().fit_transform(gaps), rows, gaps)


def test_methods_and_draws_differ() -> None:
    _, gaps = draw_groups()
    filled = {
        method: MixtureImputer(2, method=method, random_state=0).fit_transform(gaps)
        for method in ("mean", "mode", "draw")
    }
    assert not np.array_equal(filled["mean"], filled["draw"])
    assert not np.array_equal(filled["mean"], filled["mode"])
    imputer = MixtureImputer(2, random_state=0).fit(gaps)
    tables = imputer.impute(gaps, n_draws=3)
    assert tables.rows.shape == (3, *gaps.shape)
    np.testing.assert_array_equal(tables.standard_deviations > 0, np.isnan(gaps))
    other = MixtureImputer(2, method="draw", random_state=1).fit_transform(gaps)
    assert not np.array_equal(filled["draw"], other)


def test_structures_and_priors_are_parameters() -> None:
    _, gaps = draw_groups()
    spherical = MixtureImputer(2, covariance_type="spherical", random_state=0).fit(gaps)
    assert str(spherical.model_.structure) == "VII"
    searched = MixtureImputer([1, 2], covariance_type=["VVV", "EEE"], random_state=0).fit(gaps)
    assert len(searched.selection_.candidates) == 4
    plain = MixtureImputer(2, prior=None, random_state=0).fit(gaps)
    assert not np.array_equal(plain.model_.covariances, MixtureImputer(2, random_state=0).fit(gaps).model_.covariances)


def test_frames_come_out_as_frames() -> None:
    _, gaps = draw_groups()
    frame = pd.DataFrame(gaps, columns=["a", "b", "c"], index=np.arange(300) + 7)
    imputer = MixtureImputer(2, random_state=0).set_output(transform="pandas").fit(frame)
    filled = imputer.transform(frame)
    assert filled.columns.tolist() == ["a", "b", "c"]
    assert filled.index.equals(frame.index)
    assert not filled.isna().any().any()
    assert imputer.get_feature_names_out().tolist() == ["a", "b", "c"]
    nullable = frame.convert_dtypes()
    pd.testing.assert_frame_equal(imputer.transform(nullable), filled)


def test_it_works_in_a_pipeline_and_keeps_float32() -> None:
    rows, gaps = draw_groups()
    pipeline = make_pipeline(MixtureImputer(2, random_state=0), StandardScaler(), GaussianMixture(2, random_state=0))
    labels = pipeline.fit_predict(gaps)
    truth = GaussianMixture(2, random_state=0).fit_predict(StandardScaler().fit_transform(rows))
    assert (labels == truth).mean() > 0.95
    assert MixtureImputer(2, random_state=0).fit_transform(gaps.astype(np.float32)).dtype == np.float32


def test_bad_input_is_named() -> None:
    _, gaps = draw_groups()
    with pytest.raises(ParameterError, match="method"):
        MixtureImputer(method="median").fit(gaps)
    with pytest.raises(DataError, match="column 1 has no value in any row"):
        MixtureImputer(1).fit(np.column_stack([gaps[:, 0], np.full(300, np.nan)]))
    with pytest.raises(ValueError, match="X has 2 features, but MixtureImputer is expecting 3"):
        MixtureImputer(1).fit(gaps).transform(gaps[:, :2])
    with pytest.raises(DataError, match="infinity"):
        MixtureImputer(1).fit(np.where(np.isnan(gaps), np.inf, gaps))
