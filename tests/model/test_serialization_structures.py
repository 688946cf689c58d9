"""A saved model of any structure loads unchanged."""

from pathlib import Path

import numpy as np
import pytest

from gaussmix import Mixture, select
from gaussmix.covariance.structure import MCLUST_NAMES
from gaussmix.model import serialization


@pytest.mark.parametrize("structure", MCLUST_NAMES)
@pytest.mark.parametrize("n_features", [1, 3])
def test_saved_model_loads_unchanged(structure: str, n_features: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (40, n_features)), rng.normal(5, 2, (30, n_features))])
    names = [f"column {j}" for j in range(n_features)]
    mixture = select(rows, 2, structure, n_starts=1, feature_names=names).best.mixture
    assert mixture is not None
    mixture.save(tmp_path / "model.safetensors")
    loaded = Mixture.load(tmp_path / "model.safetensors")
    assert str(loaded.structure) == structure
    assert loaded.feature_names == tuple(names)
    np.testing.assert_array_equal(loaded.predict_proba(rows), mixture.predict_proba(rows))
    np.testing.assert_array_equal(loaded.logpdf(rows), mixture.logpdf(rows))


def test_read_schema_version(tmp_path: Path) -> None:
    Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]]).save(tmp_path / "model.safetensors")
    assert serialization.read_schema_version(tmp_path / "model.safetensors") == serialization.SCHEMA_VERSION
