"""A mixture that was saved and loaded is the same, bit for bit."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gaussmix import Mixture
from tests.laws.strategies import in_other_units, random_mixture, seeds, structures

names = st.text(min_size=1, max_size=12)


@given(seeds, structures, st.integers(1, 4), st.integers(1, 4), st.data())
def test_round_trip(seed: int, structure: str, n_components: int, n_features: int, data: st.DataObject) -> None:
    mixture = in_other_units(random_mixture(seed, structure, n_components, n_features), seed)
    if data.draw(st.booleans()):
        columns = data.draw(st.lists(names, min_size=n_features, max_size=n_features))
        mixture = replace(mixture, feature_names=tuple(columns))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        mixture.save(path)
        loaded = Mixture.load(path)
        assert [file.name for file in Path(folder).iterdir()] == ["model.safetensors"]
    assert loaded.feature_names == mixture.feature_names
    assert loaded.structure == mixture.structure
    for part in ("weights", "centers"):
        np.testing.assert_array_equal(getattr(loaded, part), getattr(mixture, part))
    for part in ("shrink_exponent", "center", "scale_exponent"):
        np.testing.assert_array_equal(getattr(loaded.frame, part), getattr(mixture.frame, part))
    np.testing.assert_array_equal(loaded.covariance.is_floored, mixture.covariance.is_floored)
    rows = mixture.sample(10, seed)[0]
    np.testing.assert_array_equal(loaded.logpdf(rows), mixture.logpdf(rows))
    np.testing.assert_array_equal(loaded.predict_proba(rows), mixture.predict_proba(rows))
    np.testing.assert_array_equal(loaded.covariances, mixture.covariances)
    np.testing.assert_array_equal(loaded.sample(10, seed)[0], rows)
