"""Simulated scenes with many objects: the truth, detections of a run, and what filters assume."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix import Intensity
from gaussmix.tracking import Birth, Clutter, ConstantVelocity, PositionSensor, Spawn, TargetModel

_NOISE_STD = 10.0
_ACCELERATION_STD = 5.0
_DETECTION_PROBABILITY = 0.98
_SURVIVAL_PROBABILITY = 0.99

# First and last scan, x, y, vx, vy; the place is that one scan before the first.
_LINEAR_OBJECTS = [
    (1, 70, 0, 0, 0, -10),
    (1, 100, 400, -600, -10, 5),
    (1, 70, -800, -200, 20, -5),
    (20, 100, 400, -600, -7, -4),
    (20, 100, 400, -600, -2.5, 10),
    (20, 100, 0, 0, 7.5, -5),
    (40, 100, -800, -200, 12, 7),
    (40, 100, -200, 800, 15, -10),
    (60, 100, -800, -200, 3, 15),
    (60, 100, -200, 800, -3, -15),
    (80, 100, 0, 0, -20, -15),
    (80, 100, -200, 800, 15, -5),
]
_LINEAR_PLACES = [(0, 0, 0, 0), (400, 0, -600, 0), (-800, 0, -200, 0), (-200, 0, 800, 0)]

# The third object leaves the first one at scan 66, where the first is at (415, -509).
_SPAWNING_OBJECTS = [
    (1, 100, 250, 250, 2.5, -11.5),
    (1, 100, -250, -250, 11.5, -2.5),
    (67, 100, 415, -509, -20, 4),
]
_SPAWNING_PLACES = [(250, 0, 250, 0), (-250, 0, -250, 0)]


@dataclass(frozen=True)
class TrueObjects:
    """The objects of a scan: labels (n,) and positions (n, 2)."""

    labels: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True, eq=False)
class TrackingScenario:
    """A scene in a square region, seen by a sensor of positions once per unit of time.

    Attributes
    ----------
    objects : array of shape (T, 6)
        First and last scan, x and y one scan before the first, and velocities.
    n_scans : int
    half_width : float
        The region reaches from minus to plus this value.
    clutter_rate : float
        Expected number of false detections in a scan.
    birth : Birth
        What filters assume of new objects.
    spawn : tuple of Spawn
        What filters assume of objects that appear beside others.
    """

    objects: np.ndarray
    n_scans: int
    half_width: float
    clutter_rate: float
    birth: Birth
    spawn: tuple[Spawn, ...] = ()

    @property
    def clutter(self) -> Clutter:
        """The false detections."""
        return Clutter.in_region(self.clutter_rate, [-self.half_width] * 2, [self.half_width] * 2)

    @property
    def model(self) -> TargetModel:
        """What filters assume, which is how detections are simulated; objects themselves move straight."""
        sensor = PositionSensor(_NOISE_STD, self.clutter, _DETECTION_PROBABILITY)
        return TargetModel(
            ConstantVelocity(_ACCELERATION_STD), sensor, self.birth, survival_probability=_SURVIVAL_PROBABILITY
        )

    def truth(self) -> list[TrueObjects]:
        """Return the objects of each scan."""
        first, last, places, velocities = np.split(self.objects, [1, 2, 4], axis=1)
        scans = []
        for scan in range(1, self.n_scans + 1):
            labels = np.flatnonzero((first[:, 0] <= scan) & (scan <= last[:, 0]))
            steps = scan - first[labels] + 1
            scans.append(TrueObjects(labels, places[labels] + steps * velocities[labels]))
        return scans

    def simulate(self, seed: int) -> list[np.ndarray]:
        """Return the detections (n, 2) of each scan of one run, in random order."""
        rng = np.random.default_rng(seed)
        return [self._simulate_scan(objects.positions, rng) for objects in self.truth()]

    def _simulate_scan(self, positions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return noisy positions of most objects, and false detections."""
        is_detected = rng.random(len(positions)) < _DETECTION_PROBABILITY
        seen = positions[is_detected] + rng.normal(size=(is_detected.sum(), 2)) * _NOISE_STD
        false = rng.uniform(-self.half_width, self.half_width, (rng.poisson(self.clutter_rate), 2))
        return rng.permutation(np.vstack([seen, false]))


def make_linear_scenario(clutter_rate: float = 50.0) -> TrackingScenario:
    """Return S1: twelve objects that appear at four places and leave (linear scenario of Vo's toolbox)."""
    birth = _birth_at_places(_LINEAR_PLACES, 0.03, [100.0] * 4)
    return TrackingScenario(np.array(_LINEAR_OBJECTS, dtype=float), 100, 1000.0, clutter_rate, birth)


def make_spawning_scenario(clutter_rate: float = 50.0) -> TrackingScenario:
    """Return S2: two objects, and a third that leaves the first one (first example of Vo & Ma 2006)."""
    birth = _birth_at_places(_SPAWNING_PLACES, 0.1, [100.0, 25.0, 100.0, 25.0])
    spawn = Spawn(weight=0.05, covariance=np.diag([100.0, 400.0, 100.0, 400.0]))
    return TrackingScenario(np.array(_SPAWNING_OBJECTS, dtype=float), 100, 1000.0, clutter_rate, birth, (spawn,))


def make_crowded_scenario(n_objects: int = 200, clutter_rate: float = 1000.0, n_scans: int = 20) -> TrackingScenario:
    """Return many objects, among many false detections, that are there from the first scan and appear anywhere."""
    rng, half_width = np.random.default_rng(0), 5000.0
    places, velocities = rng.uniform(-0.9, 0.9, (n_objects, 2)) * half_width, rng.normal(0.0, 10.0, (n_objects, 2))
    scans = np.repeat([[1.0, float(n_scans)]], n_objects, axis=0)
    birth = Birth.anywhere(
        rate=1.0,
        low=[-half_width] * 2,
        high=[half_width] * 2,
        hidden_std=10.0,
        initial_number=float(n_objects),
    )
    return TrackingScenario(np.hstack([scans, places, velocities]), n_scans, half_width, clutter_rate, birth)


def _birth_at_places(places: list[tuple[int, int, int, int]], weight: float, variances: list[float]) -> Birth:
    """Return births of equal weight at places (x, vx, y, vy)."""
    covariances = np.repeat(np.diag(variances)[None], len(places), axis=0)
    return Birth(Intensity.from_parameters([weight] * len(places), means=places, covariances=covariances))


SCENARIOS: dict[str, Callable[[], TrackingScenario]] = {
    "linear": make_linear_scenario,
    "spawning": make_spawning_scenario,
    "crowded": make_crowded_scenario,
}
