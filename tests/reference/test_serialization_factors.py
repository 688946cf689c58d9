"""Model files of schema 2, factor analyzers, stay readable; damaged files raise an ArchiveError."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from gaussmix import Mixture
from tests.reference.test_serialization import (
    DAMAGED_TENSORS,
    WRONG_METADATA,
    Tensors,
    assert_load_fails,
    read_metadata,
    write_model_file,
)

FOLDER = Path(__file__).parent
EXPECTED = json.loads((FOLDER / "schema2.json").read_text(encoding="utf-8"))
every_file = pytest.mark.parametrize("structure", EXPECTED)

OWN_DAMAGED_TENSORS: dict[str, Callable[[Tensors], Tensors]] = {
    "noise of zero": lambda t: {**t, "covariance.noise": 0.0 * t["covariance.noise"]},
    "negative noise": lambda t: {**t, "covariance.noise": -t["covariance.noise"]},
    "loadings that are not finite": lambda t: {**t, "covariance.loadings": np.full((2, 3, 1), np.nan)},
    "loadings of two factors": lambda t: {**t, "covariance.loadings": np.ones((2, 3, 2))},
    "no loadings": lambda t: {name: value for name, value in t.items() if name != "covariance.loadings"},
}
OWN_WRONG_METADATA = {
    "no number of factors": {"n_factors": ""},
    "another number of factors": {"n_factors": "2"},
    "a negative number of factors": {"n_factors": "-1"},
    "more factors than there is room for": {"n_factors": "3"},
    "a structure without factors": {"structure": "VVV"},
    "the schema before": {"schema": "1"},
}


def reference_path(structure: str) -> Path:
    return FOLDER / f"schema2_{structure}.safetensors"


@every_file
def test_files_of_schema_2_keep_their_numbers(structure: str) -> None:
    mixture, known = Mixture.load(reference_path(structure)), EXPECTED[structure]
    assert mixture.structure.name_with_alias_or_n_factors == f"{structure}, 1 factor"
    assert mixture.feature_names == tuple(known["feature_names"])
    assert mixture.covariance.is_floored.tolist() == [False, True]
    np.testing.assert_allclose(mixture.means, known["means"], rtol=1e-15)
    np.testing.assert_allclose(mixture.precisions, known["precisions"], rtol=1e-12)
    np.testing.assert_allclose(mixture.logpdf(known["rows"]), known["log_density"], rtol=1e-12)


@every_file
@pytest.mark.parametrize("damage", [*DAMAGED_TENSORS, *OWN_DAMAGED_TENSORS])
def test_damaged_tensors_raise(structure: str, damage: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    change = {**DAMAGED_TENSORS, **OWN_DAMAGED_TENSORS}[damage]
    write_model_file(change(load_file(reference_path(structure))), path, read_metadata(reference_path(structure)))
    assert_load_fails(path)


@every_file
@pytest.mark.parametrize(
    "case", [*(case for case in WRONG_METADATA if case != "the schema of factor analysers"), *OWN_WRONG_METADATA]
)
def test_wrong_metadata_raise(structure: str, case: str, tmp_path: Path) -> None:
    path = tmp_path / "lying.safetensors"
    write_model_file(
        load_file(reference_path(structure)),
        path,
        {**read_metadata(reference_path(structure)), **{**WRONG_METADATA, **OWN_WRONG_METADATA}[case]},
    )
    assert_load_fails(path)
