"""``fit_target_model``: what a recording itself says about noise, detection, clutter and births."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.errors import TrackingDataError
from gaussmix.tracking.birth import Birth
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.model_fitting.birth_places import fit_birth
from gaussmix.tracking.model_fitting.initial_scales import InitialScales, guess_scales
from gaussmix.tracking.model_fitting.noise_fitting import fit_noise
from gaussmix.tracking.model_fitting.rates import Estimate, Rates, estimate_rates
from gaussmix.tracking.model_fitting.track_histories import TrackHistory, collect_histories
from gaussmix.tracking.motion import ConstantVelocity
from gaussmix.tracking.sensors import PositionSensor
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracker import parse_detections_of_scan, parse_steps
from gaussmix.types import ND, ArrayLike, N

_MAX_PASSES = 6
_TOLERANCE = 0.03  # relative change of noise, acceleration, clutter and missed detections at which passes stop
_MIN_SCANS = 3
_MIN_RELATIVE_NOISE = 1e-6  # of detections and of a displacement in one step, in ranges of the region
_MAX_DETECTION_PROBABILITY = 0.999


@dataclass(frozen=True, eq=False, repr=False)
class TargetModelFit:
    """A target model estimated from a recording.

    Attributes
    ----------
    model : TargetModel
        The model, ready for a filter.
    noise_std : tuple of Estimate
        Standard deviation of a detection along each axis, in units of position.
    acceleration_std : Estimate
        In units of position per squared unit of time.
    velocity_std : tuple of float
        Root mean square of the velocity of objects along each axis.
    rates : Rates
        Detection, survival, clutter and births.
    histories : list of TrackHistory
        The tracks that the estimates are made of.
    n_passes : int
        Passes over the recording.
    has_converged : bool
        Whether the last pass changed the estimates by less than 3 %.
    """

    model: TargetModel
    noise_std: tuple[Estimate, ...]
    acceleration_std: Estimate
    velocity_std: tuple[float, ...]
    rates: Rates
    histories: list[TrackHistory]
    n_passes: int
    has_converged: bool

    def __repr__(self) -> str:
        numbers = {
            "noise": ", ".join(str(each) for each in self.noise_std),
            "acceleration": self.acceleration_std,
            "detection probability": self.rates.detection_probability,
            "survival probability": self.rates.survival_probability,
            "false detections a scan": self.rates.clutter_rate,
            "new objects per unit of time": self.rates.birth_rate,
        }
        lines = [f"  {name}: {value}" for name, value in numbers.items()]
        ending = "converged" if self.has_converged else "not converged"
        head = f"TargetModelFit of {len(self.histories)} tracks, {self.n_passes} passes, {ending}"
        return "\n".join([head, *lines])


def fit_target_model(frames: Iterable[ArrayLike], dt: float | Sequence[float] = 1.0) -> TargetModelFit:
    """Estimate a target model with constant velocities and a sensor of positions from a recording.

    Passes of the PMB filter and estimates from its tracks alternate, as in expectation-maximisation with the most
    probable associations: noise and acceleration by maximum likelihood, rates by counts.

    Parameters
    ----------
    frames : iterable of array-like of shape (n, p)
        Positions of the detections of each scan, in one to three dimensions.
    dt : float or sequence of float, default=1.0
        Time before each scan: one number for all, or one for each.

    Returns
    -------
    TargetModelFit

    Raises
    ------
    TrackingDataError
        If there are fewer than three scans, a coordinate is constant, or no object can be followed through three
        detections.
    """
    scans, steps = _parse_recording(frames, dt)
    times = np.cumsum(steps)
    typical = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    scales = guess_scales(scans)
    min_noise = _MIN_RELATIVE_NOISE * (scales.high - scales.low)
    model = _initial_model(scales, scans, typical)
    previous: N | None = None
    noise_std = np.maximum(np.full(len(scales.low), scales.noise_std), min_noise)
    acceleration = scales.noise_std / typical**2
    n_passes, has_converged = 0, False
    while n_passes < _MAX_PASSES and not has_converged:
        histories = collect_histories(model, scans, steps)
        if not histories:
            raise TrackingDataError.no_tracks(len(scans), sum(len(scan) for scan in scans))
        velocities = np.maximum(_initial_velocities(histories, times), min_noise / typical)
        noise = fit_noise(histories, times, velocities, noise_std, acceleration, min_noise)
        noise_std, acceleration = np.array([axis.value for axis in noise.noise]), noise.acceleration.value
        rates = estimate_rates(histories, scans, times)
        model = _make_model(scales, noise_std, acceleration, rates, velocities, histories)
        current = _summarize(noise_std, acceleration, rates)
        has_converged = previous is not None and float(np.abs(np.log(current / previous)).max()) < _TOLERANCE
        previous, n_passes = current, n_passes + 1
    return TargetModelFit(
        model, noise.noise, noise.acceleration, tuple(velocities.tolist()), rates, histories, n_passes, has_converged
    )


def _parse_recording(frames: Iterable[ArrayLike], dt: float | Sequence[float]) -> tuple[list[ND], N]:
    """Return the scans as arrays (n, p), and the time step before each."""
    raw = list(frames)
    widths = [np.shape(frame)[1] for frame in raw if np.ndim(frame) == 2 and np.size(frame)]
    if len(raw) < _MIN_SCANS or not widths:
        raise TrackingDataError.too_few_scans(len(raw), _MIN_SCANS)
    scans = [parse_detections_of_scan(frame, widths[0], position) for position, frame in enumerate(raw)]
    is_constant = np.ptp(np.concatenate(scans), axis=0) == 0.0
    if is_constant.any():
        raise TrackingDataError.constant_coordinate(int(np.argmax(is_constant)))
    steps = parse_steps(dt, len(scans))
    if not steps[1:].any():
        raise TrackingDataError.no_time(len(scans))
    return scans, steps


def _initial_model(scales: InitialScales, scans: Sequence[ND], dt: float) -> TargetModel:
    """Return the model of the first pass, which assumes little."""
    n_axes, rate = len(scales.low), sum(len(scan) for scan in scans) / len(scans)
    n_objects = min(max(scales.n_objects, 0.5), rate)
    clutter = Clutter(max(rate - n_objects, 0.05 * rate), scales.volume)
    sensor = PositionSensor(scales.noise_std, clutter, 0.9, n_axes)
    birth = Birth(None, 0.02 * n_objects / dt, scales.volume, scales.displacement / dt, n_objects)
    return TargetModel(ConstantVelocity(scales.noise_std / dt**2, n_axes), sensor, birth, 0.98 ** (1.0 / dt))


def _make_model(
    scales: InitialScales,
    noise_std: N,
    acceleration: float,
    rates: Rates,
    velocities: N,
    histories: Sequence[TrackHistory],
) -> TargetModel:
    """Return the model with the estimates of a pass."""
    clutter = Clutter(rates.clutter_rate.value, scales.volume)
    probability = min(rates.detection_probability.value, _MAX_DETECTION_PROBABILITY)
    sensor = PositionSensor(noise_std, clutter, probability, len(noise_std))
    motion = ConstantVelocity(acceleration, len(noise_std))
    hidden = np.ones(motion.n_states)
    hidden[np.array(motion.layout.velocities)] = velocities
    birth = fit_birth(
        histories, motion.layout, noise_std, hidden, scales.volume, rates.birth_rate.value, rates.initial_number.value
    )
    return TargetModel(motion, sensor, birth, rates.survival_probability.value)


def _initial_velocities(histories: Sequence[TrackHistory], times: N) -> N:
    """Return the root mean square of the objects' velocities along each axis, (p,)."""
    squares = []
    for history in histories:
        span = times[history.scans[-1]] - times[history.scans[0]]
        if span > 0:
            squares.append(((history.measurements[-1] - history.measurements[0]) / span) ** 2)
    return np.asarray(np.sqrt(np.mean(squares, axis=0)))


def _summarize(noise_std: N, acceleration: float, rates: Rates) -> N:
    """Return the numbers whose changes decide whether passes stop."""
    return np.array(
        [*noise_std, acceleration, rates.clutter_rate.value + 1.0, 1.05 - rates.detection_probability.value]
    )
