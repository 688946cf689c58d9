"""Model files of schema 3, with transforms of columns, stay readable; damaged files raise an ArchiveError."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from gaussmix import Mixture
from tests.reference.make_schema3 import TRANSFORMS
from tests.reference.test_serialization import assert_load_fails, read_metadata, write_model_file

FOLDER = Path(__file__).parent
PATH = FOLDER / "schema3_VVV.safetensors"


def test_the_file_of_schema_3_keeps_its_numbers() -> None:
    mixture, expected = Mixture.load(PATH), json.loads((FOLDER / "schema3.json").read_text(encoding="utf-8"))
    assert mixture.transforms == TRANSFORMS
    np.testing.assert_allclose(mixture.medians, expected["medians"], rtol=1e-13)
    np.testing.assert_allclose(mixture.logpdf(expected["rows"]), expected["log_density"], rtol=1e-12)


@pytest.mark.parametrize(
    "transforms",
    [
        "",
        "[]",
        "[null, null, null]",
        "3",
        '[{"name": "cube"}, null, null, null]',
        '[{"name": "yeo-johnson"}, null, null, null]',
        '[{"name": "yeo-johnson", "power": 2.5}, null, null, null]',
        '[{"name": "yeo-johnson", "power": NaN}, null, null, null]',
        '[{"name": "standardize", "mean": 0.0, "scale": 0.0}, null, null, null]',
        '[{"name": "standardize", "mean": Infinity, "scale": 1.0}, null, null, null]',
        '[{"name": "log1p", "power": 1.0}, null, null, null]',
    ],
)
def test_damaged_transforms_raise(transforms: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    write_model_file(load_file(PATH), path, {**read_metadata(PATH), "transforms": transforms})
    assert_load_fails(path)


def test_a_file_without_its_transforms_raises(tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    metadata = {name: text for name, text in read_metadata(PATH).items() if name != "transforms"}
    write_model_file(load_file(PATH), path, metadata)
    assert_load_fails(path)
