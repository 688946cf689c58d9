"""Model files of every released schema stay readable; damaged files raise an ArchiveError."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gaussmix import ArchiveError, FileError, GaussmixError, Mixture
from gaussmix.model.archive import compute_checksum

FOLDER = Path(__file__).parent
EXPECTED = json.loads((FOLDER / "schema1.json").read_text(encoding="utf-8"))
STRUCTURES = list(EXPECTED)
every_form = pytest.mark.parametrize("structure", STRUCTURES)


def reference_path(structure: str) -> Path:
    return FOLDER / f"schema1_{structure}.safetensors"


@every_form
def test_files_of_schema_1_keep_their_numbers(structure: str) -> None:
    mixture, known = Mixture.load(reference_path(structure)), EXPECTED[structure]
    assert str(mixture.structure) == structure
    assert mixture.feature_names == tuple(known["feature_names"])
    np.testing.assert_allclose(mixture.weights, known["weights"], rtol=1e-15)
    np.testing.assert_allclose(mixture.means, known["means"], rtol=1e-15)
    np.testing.assert_allclose(mixture.precisions, known["precisions"], rtol=1e-12)
    np.testing.assert_allclose(mixture.logpdf(known["rows"]), known["log_density"], rtol=1e-12)


def read_metadata(path: Path) -> dict[str, str]:
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    found: dict[str, str] = header["__metadata__"]
    return found


def assert_load_fails(path: Path) -> str:
    """Check that loading fails, and return the error message."""
    with pytest.raises(ArchiveError) as caught:
        Mixture.load(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


Tensors = dict[str, Any]


def write_model_file(tensors: Tensors, path: Path, metadata: dict[str, str]) -> None:
    """Write a file with a valid checksum, whatever it contains."""
    save_file(tensors, path, {**metadata, "sha256": compute_checksum(tensors, metadata)})


DAMAGED_TENSORS: dict[str, Callable[[Tensors], Tensors]] = {
    "a NaN among the centres": lambda t: {**t, "centers": np.where(t["centers"] == 0.5, np.nan, t["centers"])},
    "an infinite weight": lambda t: {**t, "weights": np.array([np.inf, 0.5])},
    "weights that do not add up": lambda t: {**t, "weights": np.array([0.5, 0.75])},
    "a negative weight": lambda t: {**t, "weights": np.array([-0.5, 1.5])},
    "too many weights": lambda t: {**t, "weights": np.full(3, 1 / 3)},
    "single precision": lambda t: {**t, "centers": t["centers"].astype(np.float32)},
    "whole numbers for centres": lambda t: {**t, "centers": t["centers"].astype(np.int64)},
    "no centres": lambda t: {name: value for name, value in t.items() if name != "centers"},
    "no frame": lambda t: {name: value for name, value in t.items() if not name.startswith("frame")},
    "centres of one dimension": lambda t: {**t, "centers": t["centers"].ravel()},
    "no components": lambda t: {**t, "centers": np.zeros((0, 3)), "weights": np.zeros(0)},
    "no columns": lambda t: {**t, "centers": np.zeros((2, 0))},
    "another number of columns": lambda t: {**t, "centers": np.zeros((2, 4))},
    "a frame of another width": lambda t: {**t, "frame.center": np.zeros(2)},
    "a frame no double has": lambda t: {**t, "frame.exponent": np.array([0, 0, 5000])},
    "a frame of the smallest integer": lambda t: {**t, "frame.shrink": np.array([0, 0, -(2**63)])},
    "a frame of broken powers": lambda t: {**t, "frame.exponent": np.array([0.5, 0.0, 0.0])},
    "half a covariance": lambda t: {
        name: value[..., :1] if name.startswith("covariance") and value.ndim else value for name, value in t.items()
    },
}

WRONG_METADATA: dict[str, dict[str, str]] = {
    "another program's file": {"format": "something else"},
    "a schema to come": {"schema": "99"},
    "the schema of factor analysers": {"schema": "2", "n_factors": "1"},
    "a structure that is none": {"structure": "QQQ"},
    "names that are no JSON": {"feature_names": "["},
    "names that are an object": {"feature_names": '{"a": 1, "b": 2, "c": 3}'},
    "names that are numbers": {"feature_names": "[1, 2, 3]"},
    "too few names": {"feature_names": '["a", "b"]'},
    "names that are a word": {"feature_names": '"abc"'},
}


@every_form
@pytest.mark.parametrize("damage", DAMAGED_TENSORS)
def test_damaged_tensors_raise(structure: str, damage: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    write_model_file(
        DAMAGED_TENSORS[damage](load_file(reference_path(structure))), path, read_metadata(reference_path(structure))
    )
    assert_load_fails(path)


@every_form
@pytest.mark.parametrize("case", WRONG_METADATA)
def test_wrong_metadata_raise(structure: str, case: str, tmp_path: Path) -> None:
    path = tmp_path / "lying.safetensors"
    write_model_file(
        load_file(reference_path(structure)), path, {**read_metadata(reference_path(structure)), **WRONG_METADATA[case]}
    )
    assert_load_fails(path)


@pytest.mark.parametrize("structure", ["VVI", "VII"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_variances_must_be_positive(structure: str, value: float, tmp_path: Path) -> None:
    tensors = load_file(reference_path(structure))
    tensors["covariance.variances"].flat[0] = value
    path = tmp_path / "flat.safetensors"
    write_model_file(tensors, path, read_metadata(reference_path(structure)))
    assert "variance" in assert_load_fails(path)


@every_form
def test_another_structure_raises(structure: str, tmp_path: Path) -> None:
    for other in STRUCTURES:
        if other != structure:
            path = tmp_path / f"{other}.safetensors"
            write_model_file(
                load_file(reference_path(structure)),
                path,
                {**read_metadata(reference_path(structure)), "structure": other},
            )
            assert_load_fails(path)


def test_error_messages(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("weights,means\n", encoding="utf-8")
    assert "not a safetensors file" in assert_load_fails(path)
    save_file({"x": np.zeros(3)}, path)
    assert "not written by gaussmix" in assert_load_fails(path)
    write_model_file(load_file(reference_path("VVV")), path, {**read_metadata(reference_path("VVV")), "schema": "7"})
    assert "'7', known are 1, 2, 3; update gaussmix" in assert_load_fails(path)


def mutations(content: bytes) -> Iterator[bytes]:
    """Yield the content truncated at many lengths, lengthened, and with one to three flipped bits."""
    yield from (content[:length] for length in range(0, len(content), 23))
    yield content + b"\0"
    rng = np.random.default_rng(0)
    for _ in range(150):
        changed = bytearray(content)
        for place in rng.integers(len(content), size=rng.integers(1, 4)):
            changed[place] ^= 1 << int(rng.integers(8))
        yield bytes(changed)


@every_form
def test_mutated_files_raise(structure: str, tmp_path: Path) -> None:
    """A flipped bit breaks the checksum; every damage raises an ArchiveError or has no effect."""
    path = tmp_path / "mutated.safetensors"
    whole = Mixture.load(reference_path(structure))
    n_errors = 0
    for content in mutations(reference_path(structure).read_bytes()):
        path.write_bytes(content)
        try:
            mixture = Mixture.load(path)
        except ArchiveError:
            n_errors += 1
            continue
        np.testing.assert_array_equal(mixture.centers, whole.centers)
        np.testing.assert_array_equal(mixture.covariance.matrices(), whole.covariance.matrices())
    assert n_errors > 140


def test_missing_file_and_folder_raise(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="there is no file"):
        Mixture.load(tmp_path / "nothing.safetensors")
    with pytest.raises(FileError, match="is a folder, not a file"):
        Mixture.load(tmp_path)
    with pytest.raises(FileError, match="cannot write"):
        Mixture.load(reference_path("VVV")).save(tmp_path / "no folder" / "model.safetensors")
    assert list(tmp_path.iterdir()) == []
    assert issubclass(FileError, GaussmixError)


def test_saving_again_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Mixture.load(reference_path("VVV")).save(path)
    Mixture.load(reference_path("VII")).save(path)
    assert str(Mixture.load(path).structure) == "VII"
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
