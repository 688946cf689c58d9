"""Hard and soft assignment beside each other: the mixture's, that of k-means, that of nearest neighbours, known groups.

Numbers of groups are those of the mixture's components, as far as groups can be matched with them.
"""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.comparison import metrics
from gaussmix.comparison.distance_metric import DistanceMetric
from gaussmix.comparison.metrics import CalibrationBin
from gaussmix.model.mixture import Mixture
from gaussmix.model.prediction import uncertainty
from gaussmix.types import ND, NK, Array, BoolN, IntN, N

KMEANS_METHOD, NEIGHBORS_METHOD, HARD_METHOD, SOFT_METHOD = (
    "k-means",
    "k-nearest neighbours",
    "mixture, hard",
    "mixture, soft",
)
KNOWN_LABELS_NAME = "labels"

N_FOLDS = 5
"""Folds in which known groups are foretold."""

UNCERTAINTY_THRESHOLD = 0.2
"""Above this uncertainty, 1 - the largest probability, a row lies between components."""


@dataclass(frozen=True)
class KnownLabels:
    """Groups that are known: their ``names``, that of each row (n,), -1 where unknown, and folds to foretell it in."""

    class_names: tuple[str, ...]
    class_indices: IntN
    folds: IntN

    @classmethod
    def from_class_indices(
        cls, class_names: tuple[str, ...], class_indices: IntN, rows: ND, seed: int
    ) -> "KnownLabels":
        """Known groups of rows (n, D), each dealt out over the folds by a seed."""
        return cls(class_names, class_indices, metrics.assign_stratified_folds(rows, class_indices, N_FOLDS, seed))

    @property
    def is_known(self) -> BoolN:
        """Of which rows (n,) the group is known."""
        return np.asarray(self.class_indices >= 0)


@dataclass(frozen=True, eq=False)
class AssignmentResult:
    """One way to assign the rows.

    ``groups`` (n,) are numbered like the components that they share most rows with. ``n_differing`` is the weight of
    rows that the mixture assigns to another component, ``adjusted_rand`` how well the two partitions agree. The others
    are None where no groups are known. They belong to the probabilities that a row gets for each known group, from what
    the rows of other folds say of them: ``accuracy`` is the share of rows whose most probable one is right,
    ``log_loss`` (nats a row) and ``calibration_error`` judge the probabilities, and ``bins`` say how these come true.
    ``right`` and ``losses`` (n known,) are the first two for each row of a known group.
    """

    method: str
    component_labels: IntN = field(repr=False)
    differing_weight: float
    adjusted_rand_index: float
    accuracy: float | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    calibration_bins: tuple[CalibrationBin, ...] = field(default=(), repr=False)
    row_accuracies: N | None = field(default=None, repr=False)
    row_log_losses: N | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class AssignmentComparison:
    """Every way to assign the rows (n, D), of ``weights`` (n,), and how they agree.

    ``soft`` (n, K) are the mixture's probabilities. ``n_uncertain`` is the weight of rows whose most probable component
    has less than 0.8, ``expected_errors`` that of the rows which hard assignment gives to a wrong component if the
    mixture is right: the sum of 1 - largest probability. ``agreement`` holds the adjusted Rand index of each two
    partitions, ``known`` the known groups as component numbers (n,), -1 where unknown, None where nothing is known;
    ``class_names`` are their names and ``label_numbers`` the numbers that these have there.
    ``circles`` is what k-means takes for groups: equal round ones, in its own measure, which is in standard deviations
    of each column where ``standardised``, else in the data's units.
    """

    mixture: Mixture
    results: tuple[AssignmentResult, ...]
    adjusted_rand_indices: dict[tuple[str, str], float]
    uncertain_weight: float
    expected_error_weight: float
    class_names: tuple[str, ...]
    class_component_labels: tuple[int, ...]
    kmeans_mixture: Mixture = field(repr=False)
    is_standardized: bool
    rows: ND = field(repr=False)
    weights: N = field(repr=False)
    responsibilities: NK = field(repr=False)
    known_component_labels: IntN | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> AssignmentResult:
        """A way to assign by its name; KeyError if it was not taken."""
        for grouping in self.results:
            if grouping.method == name:
                return grouping
        raise KeyError(name)

    @property
    def distance_unit_text(self) -> str:
        """What k-means and nearest neighbours measure in."""
        return "standard deviations of each column" if self.is_standardized else "the data's units"

    @property
    def has_unit_weights(self) -> bool:
        """Whether every row counts once, so that sums of weights are numbers of rows."""
        return float(self.weights.sum()) == len(self.weights)

    def __contains__(self, name: object) -> bool:
        return any(grouping.method == name for grouping in self.results)

    def table(self) -> list[dict[str, object]]:
        """One row per way to assign: agreement with the mixture and, with labels, how right it is."""
        return [
            {
                "method": one.method,
                "differing_weight": one.differing_weight,
                "adjusted_rand_index": one.adjusted_rand_index,
                "accuracy": one.accuracy,
                "log_loss": one.log_loss,
                "calibration_error": one.calibration_error,
            }
            for one in self.results
        ]


def compare_assignments(
    mixture: Mixture,
    rows: ND,
    weights: N,
    metric: DistanceMetric,
    known_labels: KnownLabels | None,
    neighbor_probabilities: Array | None,
    rng: np.random.Generator,
) -> AssignmentComparison:
    """All ways to assign the rows; ``votes`` (n, C) are the nearest neighbours' probabilities of known groups."""
    soft = mixture.predict_proba(rows)
    hard = np.asarray(soft.argmax(axis=1), dtype=np.int64)
    count = mixture.n_components
    near, circles = metric.fit_kmeans(count, rng, mixture.feature_names)
    places = metrics.match_labels(near, hard, weights, (count, count))
    near, circles, ones = places[near], circles.permute_components(np.argsort(places)), np.eye(count)
    ways: dict[str, tuple[IntN, Array]] = {KMEANS_METHOD: (near, ones[near])}
    numbers = _match_classes_to_components(known_labels, hard, weights, count)
    if neighbor_probabilities is not None:
        ways[NEIGHBORS_METHOD] = (numbers[neighbor_probabilities.argmax(axis=1)], neighbor_probabilities)
    ways |= {HARD_METHOD: (hard, ones[hard]), SOFT_METHOD: (hard, soft)}
    doubts = uncertainty(soft)
    truth = None if known_labels is None else np.append(numbers, -1)[known_labels.class_indices]
    return AssignmentComparison(
        mixture,
        tuple(_evaluate_method(name, *way, hard, weights, known_labels) for name, way in ways.items()),
        _pairwise_adjusted_rand_indices({name: groups for name, (groups, _) in ways.items()}, truth, weights),
        float(weights[doubts > UNCERTAINTY_THRESHOLD].sum()),
        float(weights @ doubts),
        () if known_labels is None else known_labels.class_names,
        tuple(numbers.tolist()),
        circles,
        metric.is_standardized,
        rows,
        weights,
        soft,
        truth,
    )


def _match_classes_to_components(
    known_labels: KnownLabels | None, hard_labels: IntN, weights: N, n_components: int
) -> IntN:
    """The numbers (C,) of known groups: those of the components that they match, and those after them."""
    if known_labels is None:
        return np.empty(0, dtype=np.int64)
    told = known_labels.is_known
    return metrics.match_labels(known_labels.class_indices[told], hard_labels[told], weights[told], (0, n_components))


def _evaluate_method(
    method: str,
    component_labels: IntN,
    group_probabilities: Array,
    hard_labels: IntN,
    weights: N,
    known_labels: KnownLabels | None,
) -> AssignmentResult:
    differing = float(weights[component_labels != hard_labels].sum())
    agreed = metrics.adjusted_rand_index(component_labels, hard_labels, weights)
    if known_labels is None:
        return AssignmentResult(method, component_labels, differing, agreed)
    told = known_labels.is_known
    own, counts = known_labels.class_indices[told], weights[told]
    held_out = (
        group_probabilities
        if method == NEIGHBORS_METHOD
        else metrics.predict_held_out_classes(
            group_probabilities, known_labels.class_indices, known_labels.folds, weights
        )
    )
    chances = held_out[told]
    right, losses = (chances.argmax(axis=1) == own).astype(float), metrics.row_log_losses(chances, own)
    bins = metrics.make_calibration_bins(chances, own, counts)
    accuracy, loss = (float(counts @ each / counts.sum()) for each in (right, losses))
    error = metrics.expected_calibration_error(bins)
    return AssignmentResult(method, component_labels, differing, agreed, accuracy, loss, error, bins, right, losses)


def _pairwise_adjusted_rand_indices(
    labels_by_method: dict[str, IntN], known_component_labels: IntN | None, weights: N
) -> dict[tuple[str, str], float]:
    """The adjusted Rand index of each two partitions; the mixture has one, and labels count where they are known."""
    parts = {name: groups for name, groups in labels_by_method.items() if name != SOFT_METHOD}
    names = [*parts, *([] if known_component_labels is None else [KNOWN_LABELS_NAME])]
    found = {}
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            if second == KNOWN_LABELS_NAME and known_component_labels is not None:
                told = known_component_labels >= 0
                value = metrics.adjusted_rand_index(parts[first][told], known_component_labels[told], weights[told])
            else:
                value = metrics.adjusted_rand_index(parts[first], parts[second], weights)
            found[first, second] = value
    return found
