"""Comparison of ways to assign rows to groups: the mixture (hard and soft), k-means, and k-nearest neighbours.

Groups of every method are numbered like the mixture's components, as far as they can be matched.
"""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.comparison import metrics
from gaussmix.comparison.distance_metric import ScaledEuclideanMetric
from gaussmix.comparison.metrics import CalibrationBin
from gaussmix.model.mixture import Mixture
from gaussmix.model.prediction import uncertainty
from gaussmix.types import ND, NK, Array, BoolN, IntK, IntN, N

KMEANS_METHOD = "k-means"
NEIGHBORS_METHOD = "k-nearest neighbours"
HARD_METHOD = "mixture, hard"
SOFT_METHOD = "mixture, soft"
KNOWN_LABELS_NAME = "labels"

N_FOLDS = 5  # in which known labels are predicted

# A row is uncertain if 1 - its largest probability exceeds this.
UNCERTAINTY_THRESHOLD = 0.2


@dataclass(frozen=True)
class KnownLabels:
    """Labels that the user knows, and the folds in which they are predicted.

    Attributes
    ----------
    class_names : tuple of str
    class_indices : ndarray of shape (n,)
        The class of each row, an index into ``class_names``; -1 means unknown.
    folds : ndarray of shape (n,)
        The fold of each row; -1 where the class is unknown.
    """

    class_names: tuple[str, ...]
    class_indices: IntN
    folds: IntN

    @classmethod
    def with_stratified_folds(
        cls, class_names: tuple[str, ...], class_indices: IntN, rows: ND, seed: int
    ) -> "KnownLabels":
        """Return the known labels of rows (n, D), with random folds that hold equal parts of each class."""
        return cls(class_names, class_indices, metrics.assign_stratified_folds(rows, class_indices, N_FOLDS, seed))

    @property
    def is_known(self) -> BoolN:
        """Whether the class of each row is known, (n,)."""
        return np.asarray(self.class_indices >= 0)


@dataclass(frozen=True, eq=False)
class AssignmentResult:
    """One method's assignment of the rows, and how well it agrees with the mixture and with known labels.

    All attributes after ``adjusted_rand_index`` need known labels and are None without them. They judge the class
    probabilities of each row, which are learned from the labels of other folds.

    Attributes
    ----------
    method : str
    component_labels : ndarray of shape (n,)
        The group of each row, numbered like the component that it matches.
    differing_weight : float
        Weight of the rows that the mixture assigns to another component.
    adjusted_rand_index : float
        With the mixture's hard assignment.
    accuracy : float or None
        Fraction of rows whose most probable class is right.
    log_loss : float or None
        Nats per row.
    calibration_error : float or None
        Expected calibration error.
    calibration_bins : tuple of CalibrationBin
    row_accuracies, row_log_losses : ndarray of shape (n known,) or None
        The two figures for each row of known class.
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
class AssignmentMethodComparison:
    """The assignments of the same rows by several methods; ``comparison["k-means"]`` returns one method's result.

    Attributes
    ----------
    mixture : Mixture
    results : tuple of AssignmentResult
        One per method.
    adjusted_rand_indices : dict of (str, str) to float
        Of each two partitions, the known labels included.
    uncertain_weight : float
        Weight of the rows whose largest probability is below 0.8.
    expected_error_weight : float
        Sum over rows of 1 - largest probability: the weight that hard assignment is expected to misassign if the
        mixture is right.
    class_names : tuple of str
        Names of the known classes.
    class_component_labels : tuple of int
        The component number of each known class.
    kmeans_mixture : Mixture
        The equal spherical Gaussians that k-means stands for.
    is_standardized : bool
        Whether distances are in standard deviations of each column; else in the data's units.
    rows, weights : ndarray of shape (n, D) and (n,)
    responsibilities : ndarray of shape (n, K)
        The mixture's probabilities.
    known_component_labels : ndarray of shape (n,) or None
        The component number of each row's known class; -1 means unknown. None without labels.
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

    def __getitem__(self, method: str) -> AssignmentResult:
        """Return the result of a method; raise KeyError if the method was not compared."""
        for result in self.results:
            if result.method == method:
                return result
        raise KeyError(method)

    def __contains__(self, method: object) -> bool:
        return any(result.method == method for result in self.results)

    @property
    def distance_unit_text(self) -> str:
        """The unit of distances of k-means and nearest neighbours, in words."""
        return "standard deviations of each column" if self.is_standardized else "the data's units"

    @property
    def has_mean_weight_one(self) -> bool:
        """Whether the weights add up to the number of rows, so that sums of weights read as numbers of rows."""
        return float(self.weights.sum()) == len(self.weights)

    def table(self) -> list[dict[str, object]]:
        """Return one dict per assignment method: agreement with the mixture and, with labels, prediction scores."""
        names = ("method", "differing_weight", "adjusted_rand_index", "accuracy", "log_loss", "calibration_error")
        return [{name: getattr(result, name) for name in names} for result in self.results]


def compare_assignment_methods(
    mixture: Mixture,
    rows: ND,
    weights: N,
    metric: ScaledEuclideanMetric,
    known_labels: KnownLabels | None,
    n_neighbors: int,
    rng: np.random.Generator,
) -> AssignmentMethodComparison:
    """Assign rows (n, D) by the mixture, k-means and, with known labels, k-nearest neighbours; compare the results."""
    n_components, responsibilities = mixture.n_components, mixture.predict_proba(rows)
    hard_labels = np.asarray(responsibilities.argmax(axis=1), dtype=np.int64)
    kmeans_labels, kmeans_mixture = metric.fit_kmeans(n_components, rng, mixture.feature_names)
    matches = metrics.match_groups_to_reference(kmeans_labels, hard_labels, weights, (n_components, n_components))
    class_labels = _match_classes_to_components(known_labels, hard_labels, weights, n_components)
    one_hot, kmeans_labels = np.eye(n_components), matches[kmeans_labels]
    assignments: dict[str, tuple[IntN, Array]] = {KMEANS_METHOD: (kmeans_labels, one_hot[kmeans_labels])}
    if known_labels is not None:
        probabilities = held_out_neighbor_class_probabilities(metric.scaled_rows, known_labels, weights, n_neighbors)
        assignments[NEIGHBORS_METHOD] = (class_labels[probabilities.argmax(axis=1)], probabilities)
    assignments[HARD_METHOD] = (hard_labels, one_hot[hard_labels])
    assignments[SOFT_METHOD] = (hard_labels, responsibilities)
    known_component_labels = _known_component_labels(known_labels, class_labels)
    labels_by_method = {method: labels for method, (labels, _) in assignments.items()}
    uncertainties = uncertainty(responsibilities)
    return AssignmentMethodComparison(
        mixture,
        tuple(_score_assignment(name, *one, hard_labels, weights, known_labels) for name, one in assignments.items()),
        _pairwise_adjusted_rand_indices(labels_by_method, known_component_labels, weights),
        float(weights[uncertainties > UNCERTAINTY_THRESHOLD].sum()),
        float(weights @ uncertainties),
        () if known_labels is None else known_labels.class_names,
        tuple(class_labels.tolist()),
        kmeans_mixture.permute_components(np.argsort(matches)),
        metric.is_standardized,
        rows,
        weights,
        responsibilities,
        known_component_labels,
    )


def _known_component_labels(known_labels: KnownLabels | None, component_of_class: IntK) -> IntN | None:
    """Return the component number (n,) of each row's known class, -1 if unknown; None without labels."""
    return None if known_labels is None else np.append(component_of_class, -1)[known_labels.class_indices]


def held_out_neighbor_class_probabilities(
    scaled_rows: ND, known_labels: KnownLabels, weights: N, n_neighbors: int
) -> Array:
    """Return class probabilities (n, C): the weighted class fractions of the nearest labelled rows of other folds."""
    from sklearn.neighbors import NearestNeighbors  # slow to import

    class_weights = np.zeros((len(scaled_rows), len(known_labels.class_names)))
    for fold in np.unique(known_labels.folds):
        is_inside = known_labels.folds == fold
        inside, training = np.flatnonzero(is_inside), np.flatnonzero(~is_inside & known_labels.is_known)
        finder = NearestNeighbors(n_neighbors=min(n_neighbors, len(training))).fit(scaled_rows[training])
        nearest = training[finder.kneighbors(scaled_rows[inside], return_distance=False)]
        np.add.at(class_weights, (inside[:, None], known_labels.class_indices[nearest]), weights[nearest])
    return metrics.normalize_rows_or_make_uniform(class_weights)


def _match_classes_to_components(
    known_labels: KnownLabels | None, hard_labels: IntN, weights: N, n_components: int
) -> IntK:
    """Return the component number (C,) of each known class; unmatched classes get numbers beyond the components."""
    if known_labels is None:
        return np.empty(0, dtype=np.int64)
    known = known_labels.is_known
    return metrics.match_groups_to_reference(
        known_labels.class_indices[known], hard_labels[known], weights[known], (0, n_components)
    )


def _score_assignment(
    method: str,
    component_labels: IntN,
    group_probabilities: Array,
    mixture_labels: IntN,
    weights: N,
    known_labels: KnownLabels | None,
) -> AssignmentResult:
    """Return how a method's labels agree with the mixture's, and how well its probabilities predict known labels.

    ``group_probabilities`` are (n, K), or class probabilities (n, C) for nearest neighbours.
    """
    differing_weight = float(weights[component_labels != mixture_labels].sum())
    adjusted_rand_index = metrics.adjusted_rand_index(component_labels, mixture_labels, weights)
    if known_labels is None:
        return AssignmentResult(method, component_labels, differing_weight, adjusted_rand_index)
    class_probabilities = group_probabilities
    if method != NEIGHBORS_METHOD:
        class_probabilities = metrics.predict_held_out_class_probabilities(
            group_probabilities, known_labels.class_indices, known_labels.folds, weights
        )
    known = known_labels.is_known
    class_indices, known_weights = known_labels.class_indices[known], weights[known]
    class_probabilities = class_probabilities[known]
    row_accuracies = (class_probabilities.argmax(axis=1) == class_indices).astype(float)
    row_log_losses = metrics.clipped_log_losses(class_probabilities, class_indices)
    bins = metrics.make_calibration_bins(class_probabilities, class_indices, known_weights)
    return AssignmentResult(
        method,
        component_labels,
        differing_weight,
        adjusted_rand_index,
        accuracy=float(known_weights @ row_accuracies / known_weights.sum()),
        log_loss=float(known_weights @ row_log_losses / known_weights.sum()),
        calibration_error=metrics.expected_calibration_error(bins),
        calibration_bins=bins,
        row_accuracies=row_accuracies,
        row_log_losses=row_log_losses,
    )


def _pairwise_adjusted_rand_indices(
    labels_by_method: dict[str, IntN], known_component_labels: IntN | None, weights: N
) -> dict[tuple[str, str], float]:
    """Return the adjusted Rand index of each two partitions; known labels count on rows of known class only."""
    partitions = {method: labels for method, labels in labels_by_method.items() if method != SOFT_METHOD}
    if known_component_labels is not None:
        partitions[KNOWN_LABELS_NAME] = known_component_labels
    names, indices = list(partitions), {}
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            known = partitions[second] >= 0
            indices[first, second] = metrics.adjusted_rand_index(
                partitions[first][known], partitions[second][known], weights[known]
            )
    return indices
