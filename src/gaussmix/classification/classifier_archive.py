"""Files of classifiers: everything that prediction needs, without training rows."""

import json
from collections.abc import Callable
from dataclasses import asdict
from os import PathLike
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.families.component_search import ComponentCandidate
from gaussmix.classification.families.structure_search import StructureCandidate
from gaussmix.classification.model_archive import from_json_value, pack_class_model, to_json_value, unpack_class_model
from gaussmix.errors import ArchiveError, DamagedModelError, UnsavableError
from gaussmix.model.archive import DAMAGE_ERRORS, ArchiveContent, read_archive, verify_checksum, write_archive
from gaussmix.types import AnyArray

C = TypeVar("C")

FORMAT, SCHEMA = "gaussmix classifier", "1"
_CANDIDATE_CLASSES = {"components": ComponentCandidate, "structures": StructureCandidate}
_ATTRIBUTES = ("n_iter_", "penalty_", "log_likelihood_", "n_parameters_", "bic_", "n_features_in_")
_SEQUENCES = ("n_components_", "structures_", "notes_")  # are tuples


class StoredClassifier(NamedTuple):
    """A model, the parameters and the fitted attributes of a classifier, by name."""

    model: ClassModel
    parameters: dict[str, Any]
    attributes: dict[str, Any]


def save_classifier(path: str | PathLike[str], stored: StoredClassifier) -> None:
    """Write a classifier to a file; raise FileError if that fails."""
    content = pack_classifier(stored)
    write_archive(path, {"format": FORMAT, "schema": SCHEMA} | content.metadata, content.tensors)


def load_classifier(path: str | PathLike[str], build: Callable[[StoredClassifier], C]) -> C:
    """Return what a function builds of the content of a file that `save_classifier` wrote.

    Raises
    ------
    FileError
        If there is no such file.
    ArchiveError
        If it is no classifier, is damaged or has a newer schema.
    """
    content = read_archive(path, FORMAT, [SCHEMA])
    try:
        return build(unpack_classifier(verify_checksum(content)))
    except DAMAGE_ERRORS as error:
        raise ArchiveError.invalid_content(path, error) from error


def pack_classifier(stored: StoredClassifier) -> ArchiveContent:
    """Return the strings and arrays of a classifier."""
    model, attributes = pack_class_model(stored.model), stored.attributes
    names = attributes.get("feature_names_in_")
    strings = {
        "parameters": json.dumps(to_json_value(stored.parameters)),
        "classes": _pack_classes(attributes["classes_"]),
        "attributes": json.dumps({name: to_json_value(attributes[name]) for name in (*_ATTRIBUTES, *_SEQUENCES)}),
        "candidates": json.dumps([_pack_candidate(candidate) for candidate in attributes["candidates_"]]),
        "feature_names": json.dumps(None if names is None else [str(name) for name in names]),
    }
    tensors: dict[str, AnyArray] = {"class_prior": attributes["class_prior_"]}
    if attributes["held_out_rows_"] is not None:
        tensors |= {"held_out.rows": attributes["held_out_rows_"], "held_out.proba": attributes["held_out_proba_"]}
    return ArchiveContent(strings | model.metadata, tensors | model.tensors)


def unpack_classifier(content: ArchiveContent) -> StoredClassifier:
    """Return the classifier of strings and arrays; raise one of ``DAMAGE_ERRORS`` if they contradict each other."""
    strings, tensors = content
    model = unpack_class_model(content)
    attributes = json.loads(strings["attributes"])
    attributes |= {name: tuple(attributes[name]) for name in _SEQUENCES}
    attributes["classes_"] = _unpack_classes(strings["classes"])
    attributes["class_prior_"] = tensors["class_prior"]
    if len(attributes["classes_"]) != model.n_classes or len(attributes["class_prior_"]) != model.n_classes:
        raise DamagedModelError.wrong_n_classes()
    candidates = [_unpack_candidate(record) for record in json.loads(strings["candidates"])]
    attributes["candidates_"] = tuple(candidates)
    attributes["held_out_rows_"] = tensors.get("held_out.rows")
    attributes["held_out_proba_"] = tensors.get("held_out.proba")
    names = json.loads(strings["feature_names"])
    if names is not None:
        attributes["feature_names_in_"] = np.array(names, dtype=object)
    return StoredClassifier(model, from_json_value(json.loads(strings["parameters"])), attributes)


def _pack_classes(classes: AnyArray) -> str:
    """Return classes as JSON, with their type; raise UnsavableError for other classes than text, numbers and bools."""
    values = classes.tolist()
    if not all(isinstance(value, str | int | float) for value in values):
        raise UnsavableError.classes(type(values[0]).__name__)
    return json.dumps([classes.dtype.str if classes.dtype.kind in "biufU" else "O", values])


def _unpack_classes(text: str) -> AnyArray:
    """Return classes from JSON."""
    dtype, values = json.loads(text)
    return np.array(values, dtype=np.dtype(dtype))


def _pack_candidate(candidate: ComponentCandidate | StructureCandidate) -> list[Any]:
    """Return the kind and the fields of a candidate."""
    kinds = {cls: kind for kind, cls in _CANDIDATE_CLASSES.items()}
    return [kinds[type(candidate)], {name: to_json_value(value) for name, value in asdict(candidate).items()}]


def _unpack_candidate(record: list[Any]) -> ComponentCandidate | StructureCandidate:
    """Return a candidate from its kind and fields."""
    kind, fields = record
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    candidate: ComponentCandidate | StructureCandidate = _CANDIDATE_CLASSES[kind](**values)
    return candidate
