"""Sentences of a report on tracks: what was found, and where the data do not suit the model."""

import numpy as np

from gaussmix.errors.text import format_count, pluralize
from gaussmix.report.track_summary import TrackSummary

_MIN_TRACKED_FRACTION = 0.1
_MAX_RATIO, _MIN_RATIO, _MAX_P_VALUE = 1.25, 0.8, 0.01
_MAX_TAIL_FRACTION = 0.04
_MIN_SCANS = 3  # shorter tracks may be false detections
_LONG_GAP = 10.0  # in median steps
_MAX_LONELY_FRACTION = 0.9

_METHODS = {
    "PMB": "Poisson multi-Bernoulli filter (Williams 2015; García-Fernández et al. 2018): each track exists with a "
    "probability, its state is a mixture of Gaussians, and loopy belief propagation gives the probability that each "
    "detection belongs to it.",
    "PMBM": "Poisson multi-Bernoulli mixture filter (García-Fernández et al. 2018): each track exists with a "
    "probability, and the best assignments of detections to tracks are kept as hypotheses.",
    "LMB": "labelled multi-Bernoulli filter (Reuter et al. 2014): each track exists with a probability, and its state "
    "is a mixture of Gaussians.",
    "PHD": "Gaussian-mixture probability hypothesis density filter (Vo & Ma 2006): it follows the intensity of all "
    "objects, a mixture of Gaussians.",
    "CPHD": "cardinalised probability hypothesis density filter (Vo, Vo & Cantoni 2007): it follows the intensity of "
    "all objects and the distribution of their number.",
}  # fmt: skip
_MODEL_SENTENCE = (
    "Objects move with nearly constant velocity, appear and leave at random, and are detected with a fixed "
    "probability; false detections are uniform in the region."
)
_ESTIMATE_SENTENCE = (
    "Numbers that are not given were estimated from the recording: passes of the filter and estimates from its tracks "
    "alternate, noise and acceleration by maximum likelihood, rates by counts."
)
_REPORT_SENTENCE = (
    "An object is reported while the probability that it exists is above 0.5. Positions are filtered: each uses the "
    "detections up to its time."
)
_BOX_METHODS = {
    "assignment": "Each box has a Kalman filter with nearly constant velocity and slowly changing size. Confident "
    "boxes of a new frame are assigned to tracks first, then the others. A track is confirmed, "
    "and reported, from its second detection on; those of the first frame at once.",
    "pmb": "Boxes go through a Poisson multi-Bernoulli filter with nearly constant velocity and slowly changing size. "
    "A track is confirmed once it exists with a probability above 0.5.",
}
_BOX_SENTENCE = (
    "A track is kept for 30 frames without a detection. Positions are filtered: each uses the boxes up to its frame."
)
_SMOOTH_SENTENCE = "Positions in the files of tracks are smoothed: each uses all detections of its track."


def describe_objects(summary: TrackSummary) -> str:
    """Return how many objects there are, in all and at once; very short tracks count apart."""
    noun = summary.scan_noun
    if not summary.paths:
        return "No object was found."
    n_short = sum(len(path) < _MIN_SCANS for path in summary.paths)
    scan = int(np.argmax([len(each) for each in summary.estimates]))
    first = f"first in {noun} {scan + 1} of {len(summary.estimates)}"
    at_once = f"at most {summary.largest_number} at once ({first})"
    mean = float(np.mean([each.expected_number for each in summary.estimates]))
    expected = "on average" if summary.has_boxes else "expected on average"
    short = _describe_short(n_short, noun)
    return f"{format_count(len(summary.paths) - n_short, 'object')}, {at_once}; {mean:.1f} {expected}{short}."


def describe_lengths(summary: TrackSummary) -> str:
    """Return how long tracks are, and how many detections belong to one; '' without tracks."""
    if not summary.paths:
        return ""
    lengths, noun = np.array([len(path) for path in summary.paths]), summary.scan_noun
    fraction = summary.n_tracked_detections / max(summary.n_detections, 1)
    median = float(np.median(lengths))
    return (
        f"tracks last {median:g} {pluralize(noun, 1 if median == 1.0 else 2)} (median; {lengths.min()} to "
        f"{lengths.max()}); {fraction:.0%} of the detections belong to a track."
    )


def _describe_short(n_short: int, noun: str) -> str:
    """Return how many tracks are very short; '' if none is."""
    if not n_short:
        return ""
    lasts = "track lasts" if n_short == 1 else "tracks last"
    return f"; {n_short} more {lasts} less than {_MIN_SCANS} {noun}s and may be false"


def describe_table(summary: TrackSummary) -> str:
    """Return what the columns of the table of tracks mean."""
    noun = summary.scan_noun
    if summary.has_boxes:
        begins, unit = "Tracks begin and end in frames, which count from 1", "pixels per second"
    else:
        begins, unit = f"Times are those of {summary.time_label}", summary.speed_unit
    return (
        f"{begins}. A miss is a {noun} between begin and end without a detection of the object. Speed is the mean "
        f"length of the estimated velocity, in {unit}."
    )


def describe_cautions(summary: TrackSummary) -> list[str]:
    """Return a sentence for each sign that the data do not suit the model."""
    checks = (_check_convergence, _check_tracked, _check_innovations, _check_tails, _check_lonely, _check_gaps)
    return [sentence for check in checks for sentence in check(summary)]


def describe_method(summary: TrackSummary, is_smoothed: bool = False) -> list[str]:
    """Return the sentences on the method."""
    if summary.has_boxes:
        return [_BOX_METHODS[summary.filter_name], _BOX_SENTENCE, *([_SMOOTH_SENTENCE] if is_smoothed else [])]
    sentences = [f"Filter: {_METHODS.get(summary.filter_name, summary.filter_name)}"]
    if summary.numbers:
        sentences.append(_MODEL_SENTENCE)
        sentences += [_ESTIMATE_SENTENCE] if any(not number.is_given for number in summary.numbers) else []
    return [*sentences, _REPORT_SENTENCE, *([_SMOOTH_SENTENCE] if is_smoothed else [])]


def _check_convergence(summary: TrackSummary) -> list[str]:
    """Say if the estimates of the model had not converged."""
    if summary.has_converged is not False:
        return []
    return ["The estimates of the model had not converged; set the numbers that you know by hand."]


def _check_tracked(summary: TrackSummary) -> list[str]:
    """Say if most detections belong to no track."""
    fraction = 1.0 - summary.n_tracked_detections / max(summary.n_detections, 1)
    if summary.has_boxes or fraction <= 1.0 - _MIN_TRACKED_FRACTION:
        return []
    return [
        f"{fraction:.0%} of the detections belong to no track and count as false; if they are objects, check the "
        "columns, or set a larger noise or acceleration."
    ]


def _check_innovations(summary: TrackSummary) -> list[str]:
    """Say if detections scatter more or less around their predictions than the model says."""
    test = summary.innovations
    if test is None or not test.n_innovations or test.p_value > _MAX_P_VALUE or _MIN_RATIO < test.ratio < _MAX_RATIO:
        return []
    amount = "more" if test.ratio > 1.0 else "less"
    remedy = "larger" if test.ratio > 1.0 else "smaller"
    return [
        f"Detections scatter {amount} around their predictions than the model says (normalised innovation squared "
        f"{test.mean:.2f} on average, {test.n_measured} expected); try a {remedy} noise or acceleration."
    ]


def _check_tails(summary: TrackSummary) -> list[str]:
    """Say if too many detections are far from their predictions."""
    test = summary.innovations
    if test is None or not test.n_innovations or test.tail_fraction <= _MAX_TAIL_FRACTION:
        return []
    return [
        f"{test.tail_fraction:.0%} of the detections are farther from their predictions than 1% should be: errors are "
        "not Gaussian, or objects turn sharply."
    ]


def _check_lonely(summary: TrackSummary) -> list[str]:
    """Say if nearly all scans have a single detection, and these are not those of one object."""
    counts = np.array([len(scan) for scan in summary.scans])
    filled = counts[counts > 0]
    is_lonely = len(filled) > 0 and float((filled == 1).mean()) > _MAX_LONELY_FRACTION
    if not is_lonely or len(summary.paths) == 1:
        return []
    return [
        "Nearly every scan has a single detection. Rows that were measured together "
        "need the same time; round the times, on the command line with --scan-length."
    ]


def _check_gaps(summary: TrackSummary) -> list[str]:
    """Say if there are long gaps between scans."""
    times = summary.times
    steps = np.diff(times).astype(np.float64)
    if len(steps) < 2:
        return []
    n_gaps = int((steps > _LONG_GAP * np.median(steps)).sum())
    if not n_gaps:
        return []
    gaps = format_count(n_gaps, "gap")
    return [f"The recording has {gaps} of more than ten time steps; tracks rarely survive them."]
