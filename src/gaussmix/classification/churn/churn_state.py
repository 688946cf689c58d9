"""``ChurnState``: everything that a churn model learns, without the training rows but a few typical ones."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gaussmix.classification.churn.churn_evaluation import HELD_OUT, ObservedCustomers
from gaussmix.classification.churn.coalitions import ChurnScorer, select_cells
from gaussmix.classification.churn.column_bins import weighted_quantiles
from gaussmix.classification.churn.column_distances import summaries_by_name, to_coordinates
from gaussmix.classification.churn.column_summary import ColumnSummary
from gaussmix.classification.churn.drift import TrainingDistribution, summarize_training
from gaussmix.classification.churn.nearest_customers import NearestSearch
from gaussmix.classification.churn.reference_customers import ReferenceCustomers, choose_references
from gaussmix.classification.churn.segment_fitting import fit_segments
from gaussmix.classification.churn.segments import Segments, describe_segments
from gaussmix.classification.churn.typicality import compute_prominence
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.table import EncodedRows
from gaussmix.types import NK, BoolN, IntN, K, N

_RARE_FRACTION = 0.01  # of training customers, who are less typical than any suggested change


class HeldOutRows(NamedTuple):
    """Positions (m,) in the training table of customers who were held out in turn, and their probabilities (m,)."""

    rows: IntN
    probabilities: N


class LabelledCustomers(NamedTuple):
    """A training table X, and for each of its n rows whether the customer left (n,), and the weight (n,)."""

    X: Any
    has_left: BoolN
    weights: N


@dataclass(frozen=True, eq=False, repr=False)
class ChurnState:
    """What a churn model knows.

    Attributes
    ----------
    model : ClassModel
        Of the classifier.
    positive : int
        Position of the class that means churn.
    training_prior : ndarray of shape (Y,)
        Frequencies of the classes that the probabilities stand for.
    segment_model : ClassModel
        Its classes are the segments.
    segments : Segments
    references : ReferenceCustomers
    training : TrainingDistribution
    min_prominence : float
        How typical of their segment all but a hundredth of the training customers are.
    held_out : ObservedCustomers or None
        Training customers with probabilities by fits that have not seen them.
    fingerprint : str
        Of the encoded training table.
    """

    model: ClassModel
    positive: int
    training_prior: K
    segment_model: ClassModel
    segments: Segments
    references: ReferenceCustomers
    training: TrainingDistribution
    min_prominence: float
    held_out: ObservedCustomers | None
    fingerprint: str

    def __repr__(self) -> str:
        """Return the numbers of columns, segments and typical customers."""
        n_columns, n_typical = len(self.model.schema.readers), len(self.references.segments)
        return f"A classifier by {n_columns} columns, {len(self.segments)} segments and {n_typical} typical customers."

    @cached_property
    def scorer(self) -> ChurnScorer:
        """The log-odds of churn from cells."""
        return ChurnScorer(self.model, self.positive)

    @cached_property
    def summaries(self) -> dict[str, ColumnSummary]:
        """Summaries of the training columns by name."""
        return summaries_by_name(self.training.summaries)

    @cached_property
    def nearest(self) -> NearestSearch:
        """The search for similar customers."""
        return NearestSearch.prepare(self.model, self.references, self.summaries)

    def with_model(self, model: ClassModel, positive: int) -> "ChurnState":
        """Return the state with another classifier of the same outcomes; segments and summaries stay."""
        return replace(self, model=model, positive=positive)

    def churn_probabilities(self, probabilities: NK) -> N:
        """Return the probability (n,) of the positive class from those of all classes (n, Y)."""
        return np.asarray(probabilities[:, self.positive])


def fit_churn_state(
    model: ClassModel,
    positive: int,
    training_prior: K,
    customers: LabelledCustomers,
    held_out: HeldOutRows | None,
    seed: int,
) -> ChurnState:
    """Return the state of a fitted classifier and its training customers; rows of weight zero count as absent."""
    schema = model.schema
    all_cells = schema.read_cells(customers.X)
    counted = np.flatnonzero(customers.weights > 0)
    cells = select_cells(all_cells, counted)
    has_left, weights = customers.has_left[counted], customers.weights[counted]
    encoded = schema.encode_cells(cells)
    fit = fit_segments(model, encoded, has_left, weights, seed)
    training = summarize_training(schema, cells, np.exp(model.log_probabilities(encoded))[:, positive], weights)
    coordinates = to_coordinates(model, encoded, summaries_by_name(training.summaries))
    references = choose_references(customers.X, counted, encoded, fit.model, coordinates, has_left, weights)
    prominence = compute_prominence(fit.model, encoded).values
    return ChurnState(
        model,
        positive,
        training_prior,
        fit.model,
        describe_segments(fit, cells, has_left, weights, references),
        references,
        training,
        float(weighted_quantiles(prominence, weights, np.array([_RARE_FRACTION]))[0]),
        None if held_out is None else _observe(customers, held_out),
        compute_fingerprint(schema.encode_cells(all_cells)),
    )


def _observe(customers: LabelledCustomers, held_out: HeldOutRows) -> ObservedCustomers:
    """Return held-out customers with their outcomes."""
    rows = held_out.rows
    return ObservedCustomers(
        rows,
        len(customers.weights),
        customers.has_left[rows],
        held_out.probabilities,
        customers.weights[rows],
        HELD_OUT,
    )


def compute_fingerprint(encoded: EncodedRows) -> str:
    """Return a text that two tables share only if their encoded rows are equal, in the same order."""
    digest = hashlib.sha256(str(encoded.numeric.shape).encode())
    digest.update(np.ascontiguousarray(encoded.numeric).tobytes())
    digest.update(np.ascontiguousarray(encoded.codes).tobytes())
    return digest.hexdigest()
