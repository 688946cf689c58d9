"""Files of churn models: the classifier, the segments, and what explanations and tests of drift need.

Of the training rows they contain the reference customers, with all their cells, and outcomes and probabilities of the
customers that were held out.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gaussmix.classification.churn.churn_evaluation import HELD_OUT, ObservedCustomers
from gaussmix.classification.churn.churn_records import (
    references_from_record,
    references_to_record,
    segments_from_record,
    segments_to_record,
    summary_from_record,
    summary_to_record,
)
from gaussmix.classification.churn.churn_state import ChurnState
from gaussmix.classification.churn.column_summary import NumericSummary
from gaussmix.classification.churn.drift import TrainingDistribution
from gaussmix.classification.classifier import MixtureClassifier
from gaussmix.classification.classifier_archive import pack_classifier, unpack_classifier
from gaussmix.classification.model_archive import from_json_value, pack_members, to_json_value, unpack_members
from gaussmix.errors import ArchiveError, DamagedModelError
from gaussmix.model.archive import DAMAGE_ERRORS, ArchiveContent, read_archive, verify_checksum, write_archive
from gaussmix.types import AnyArray

M = TypeVar("M")

FORMAT, SCHEMA = "gaussmix churn model", "1"
_CLASSIFIER, _SEGMENTS = "classifier.", "segments."


class StoredChurnModel(NamedTuple):
    """A fitted classifier, the state of a churn model, its parameters by name, and the name of the outcomes."""

    classifier: MixtureClassifier
    state: ChurnState
    parameters: dict[str, Any]
    target_name: str | None


def save_churn_model(path: str | PathLike[str], stored: StoredChurnModel) -> None:
    """Write a churn model to a file; raise FileError if that fails."""
    state = stored.state
    strings = {
        "format": FORMAT,
        "schema": SCHEMA,
        "parameters": json.dumps(to_json_value(stored.parameters)),
        "target_name": json.dumps(stored.target_name),
        "segments": json.dumps(segments_to_record(state.segments)),
        "references": json.dumps(references_to_record(state.references)),
        "summaries": json.dumps([summary_to_record(summary) for summary in state.training.summaries]),
        "score": json.dumps(summary_to_record(state.training.score)),
        "fingerprint": state.fingerprint,
    }
    numbers = [state.positive, state.min_prominence, state.training.mean_probability]
    tensors: dict[str, AnyArray] = {"numbers": np.array(numbers), **_pack_held_out(state.held_out)}
    parts = (
        pack_classifier(stored.classifier.to_stored()).with_prefix(_CLASSIFIER),
        pack_members(state.segment_model.members).with_prefix(_SEGMENTS),
    )
    for part in parts:
        strings |= part.metadata
        tensors |= part.tensors
    write_archive(path, strings, tensors)


def load_churn_model(path: str | PathLike[str], build: Callable[[StoredChurnModel], M]) -> M:
    """Return what a function builds of the content of a file that `save_churn_model` wrote.

    Raises
    ------
    FileError
        If there is no such file.
    ArchiveError
        If it is no churn model, is damaged or has a newer schema.
    """
    content = read_archive(path, FORMAT, [SCHEMA])
    try:
        return build(_unpack(verify_checksum(content)))
    except DAMAGE_ERRORS as error:
        raise ArchiveError.invalid_content(path, error) from error


def _unpack(content: ArchiveContent) -> StoredChurnModel:
    """Return the churn model that a file contains."""
    strings, tensors = content
    stored = unpack_classifier(content.part(_CLASSIFIER))
    model = stored.model
    members = unpack_members(content.part(_SEGMENTS), model.layout)
    references = references_from_record(json.loads(strings["references"]))
    positive, min_prominence, mean_probability = tensors["numbers"].tolist()
    segments = segments_from_record(json.loads(strings["segments"]), references)
    if not len(members) == 1 or members[0].n_components != len(segments) or not 0 <= positive < model.n_classes:
        raise DamagedModelError.wrong_n_classes()
    state = ChurnState(
        model,
        int(positive),
        stored.attributes["class_prior_"],
        replace(model, members=members, calibration=None),
        segments,
        references,
        _unpack_training(strings, mean_probability),
        min_prominence,
        _unpack_held_out(tensors),
        strings["fingerprint"],
    )
    parameters = from_json_value(json.loads(strings["parameters"]))
    target_name = json.loads(strings["target_name"])
    return StoredChurnModel(MixtureClassifier.from_stored(stored), state, parameters, target_name)


def _unpack_training(strings: dict[str, str], mean_probability: float) -> TrainingDistribution:
    """Return the distribution of the training table."""
    summaries = tuple(map(summary_from_record, json.loads(strings["summaries"])))
    score = summary_from_record(json.loads(strings["score"]))
    if not isinstance(score, NumericSummary):
        raise DamagedModelError.wrong_columns()
    return TrainingDistribution(summaries, score, mean_probability)


def _pack_held_out(held_out: ObservedCustomers | None) -> dict[str, AnyArray]:
    """Return the arrays of held-out customers."""
    if held_out is None:
        return {}
    return {
        "held_out.rows": held_out.rows,
        "held_out.n_table_rows": np.array([held_out.n_table_rows]),
        "held_out.has_left": held_out.has_left.astype(np.int64),
        "held_out.probabilities": held_out.probabilities,
        "held_out.weights": held_out.weights,
    }


def _unpack_held_out(tensors: dict[str, AnyArray]) -> ObservedCustomers | None:
    """Return the held-out customers; None if there are none."""
    if "held_out.rows" not in tensors:
        return None
    rows, (n_table_rows,) = tensors["held_out.rows"], tensors["held_out.n_table_rows"].tolist()
    has_left = tensors["held_out.has_left"].astype(bool)
    return ObservedCustomers(
        rows, n_table_rows, has_left, tensors["held_out.probabilities"], tensors["held_out.weights"], HELD_OUT
    )
