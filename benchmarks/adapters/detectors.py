"""Anomaly detectors of gaussmix and PyOD with their defaults, in one table."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

TRAINING_MODES = ("contaminated", "clean")


@dataclass(frozen=True)
class DetectorSpec:
    """Where a library keeps a detector, and how it differs from the others.

    ``scoring_method`` names the method that scores rows. ``is_score_of_normality`` says that its large values mean
    normal rows. ``has_seed`` and ``has_training_mode`` say whether the constructor takes ``random_state`` and
    ``training``.
    """

    module: str
    class_name: str
    package_names: tuple[str, ...]
    has_seed: bool
    scoring_method: str = "decision_function"
    is_score_of_normality: bool = False
    has_training_mode: bool = False

    def create(self, training: str, seed: int) -> Any:
        """Import the library and return a detector that is not fitted, with the defaults of its library."""
        options: dict[str, Any] = {"random_state": seed} if self.has_seed else {}
        if self.has_training_mode:
            options["training"] = training
        return getattr(import_module(self.module), self.class_name)(**options)

    def score(self, detector: Any, rows: np.ndarray) -> np.ndarray:
        """Return one score per row (n,) of a fitted detector; large values mean anomalies."""
        scores = np.asarray(getattr(detector, self.scoring_method)(rows), dtype=np.float64)
        return -scores if self.is_score_of_normality else scores


_PYOD_PACKAGES = ("pyod", "scikit-learn", "numpy")

DETECTORS = {
    "gaussmix": DetectorSpec(
        "gaussmix.anomaly", "AnomalyDetector", ("gaussmix", "numpy"), True, "score_samples", True, True
    ),
    "pyod-gmm": DetectorSpec("pyod.models.gmm", "GMM", _PYOD_PACKAGES, True),
    "pyod-knn": DetectorSpec("pyod.models.knn", "KNN", _PYOD_PACKAGES, False),
    "pyod-lof": DetectorSpec("pyod.models.lof", "LOF", _PYOD_PACKAGES, False),
    "pyod-iforest": DetectorSpec("pyod.models.iforest", "IForest", _PYOD_PACKAGES, True),
    "pyod-inne": DetectorSpec("pyod.models.inne", "INNE", _PYOD_PACKAGES, True),
}
