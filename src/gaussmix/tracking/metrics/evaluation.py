"""All measures of labelled tracks against the truth: CLEAR, identity and HOTA."""

from dataclasses import asdict, dataclass

from gaussmix.core.scalar_checks import is_real_number
from gaussmix.errors import ParameterError, TrackEvaluationError
from gaussmix.tracking.metrics.clear_mot import ClearMeasures, clear_measures
from gaussmix.tracking.metrics.hota import HotaMeasures, hota_measures
from gaussmix.tracking.metrics.identity import IdentityMeasures, identity_measures
from gaussmix.tracking.metrics.similar_pairs import SimilarPairs
from gaussmix.tracking.metrics.similarity import BoxOverlap, Similarity
from gaussmix.tracking.track_table import TrackTable

_BOX_OVERLAP = BoxOverlap()


@dataclass(frozen=True)
class TrackEvaluation:
    """Measures of tracks; fractions are from 0 to 1.

    Attributes
    ----------
    clear : ClearMeasures
        MOTA, MOTP, misses, false positives, identity switches, fragmentations, mostly tracked and lost objects.
    identity : IdentityMeasures
        IDF1, IDP and IDR.
    hota : HotaMeasures
        HOTA, DetA, AssA and LocA.
    """

    clear: ClearMeasures
    identity: IdentityMeasures
    hota: HotaMeasures

    def to_dict(self) -> dict[str, float]:
        """Return all numbers by name, without those of single thresholds, such as 'clear_mota' or 'identity_idf1'."""
        return {
            f"{group}_{name}".replace("hota_hota", "hota"): value
            for group, measures in asdict(self).items()
            for name, value in measures.items()
            if not name.endswith("_by_alpha")
        }


def evaluate_tracks(
    truth: TrackTable, tracks: TrackTable, similarity: Similarity = _BOX_OVERLAP, threshold: float = 0.5
) -> TrackEvaluation:
    """Compare labelled tracks with the truth.

    Labels of the two tables need not agree. Frames that are in one table only count as misses or false positives.

    Parameters
    ----------
    truth, tracks : TrackTable
        Objects with labels; the tracks may be empty.
    similarity : BoxOverlap or PointProximity, default=BoxOverlap()
        How much two objects of a frame resemble each other.
    threshold : float, default=0.5
        Similarity from which on two objects match in the CLEAR and identity measures; above 0 and at most 1. HOTA
        averages over thresholds of its own.

    Raises
    ------
    TrackEvaluationError
        If the truth is empty, a row has no label, or boxes are compared and a table has none.
    ParameterError
        If ``similarity`` or ``threshold`` is not allowed.

    Examples
    --------
    >>> from gaussmix.tracking import TrackTable, evaluate_tracks
    >>> truth = TrackTable([1, 2], [1, 1], boxes=[[0, 0, 10, 10], [2, 0, 10, 10]])
    >>> tracks = TrackTable([1, 2], [5, 6], boxes=[[0, 0, 10, 10], [2, 0, 10, 10]])
    >>> result = evaluate_tracks(truth, tracks)
    >>> result.clear.n_switches, result.identity.idf1
    (1, 0.5)
    """
    if not (is_real_number(threshold) and 0.0 < threshold <= 1.0):
        raise ParameterError.invalid_value("threshold", threshold, "a number above 0 and at most 1")
    if not hasattr(similarity, "compare_rows"):
        raise ParameterError.invalid_value("similarity", similarity, "BoxOverlap() or PointProximity(zero_distance)")
    if not len(truth):
        raise TrackEvaluationError.no_truth()
    pairs = SimilarPairs.from_tables(truth, tracks, similarity)
    return TrackEvaluation(
        clear=clear_measures(pairs, threshold),
        identity=identity_measures(pairs, threshold),
        hota=hota_measures(pairs),
    )
