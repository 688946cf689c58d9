"""The 17 sets of the ODDS collection and their random splits into training and test rows.

Shebuti Rayana, ODDS Library, https://odds.cs.stonybrook.edu. The protocol is that of PyOD's benchmark
(``notebooks/benchmark.py`` of yzhao062/pyod).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Design decisions may look at the first half; the second one confirms them.
CHOOSING_HALF = ("arrhythmia", "glass", "letter", "mnist", "optdigits", "pima", "satimage-2", "vertebral", "wbc")
CONFIRMING_HALF = ("cardio", "ionosphere", "lympho", "musk", "pendigits", "satellite", "shuttle", "vowels")
SET_NAMES = tuple(sorted(CHOOSING_HALF + CONFIRMING_HALF))
_TEST_FRACTION = 0.4


@dataclass(frozen=True)
class AnomalySet:
    """Rows (n, d) and, for each row, whether it is a known anomaly (n,)."""

    name: str
    rows: np.ndarray
    is_anomaly: np.ndarray


@dataclass(frozen=True)
class Split:
    """Standardised training rows, standardised test rows, and whether each test row is a known anomaly."""

    train: np.ndarray
    test: np.ndarray
    is_anomaly: np.ndarray


def parse_set_names(text: str) -> list[str]:
    """Return the names separated by commas; exit if one is unknown."""
    names = text.split(",")
    unknown = [name for name in names if name not in SET_NAMES]
    if unknown:
        raise SystemExit(f"--sets: {', '.join(unknown)} unknown; allowed are {', '.join(SET_NAMES)}")
    return names


def load_anomaly_sets(folder: Path, names: list[str]) -> list[AnomalySet]:
    """Return the sets by increasing number of cells, so that the slow ones run last; exit if a file is missing."""
    missing = [f"{name}.mat" for name in names if not (folder / f"{name}.mat").is_file()]
    if missing:
        raise SystemExit(
            f"--data: {folder} has no {', '.join(missing)}; download the sets from https://odds.cs.stonybrook.edu "
            "and name their folder, or name the sets that are there with --sets"
        )
    return sorted((_load_anomaly_set(folder, name) for name in names), key=lambda each: each.rows.size)


def _load_anomaly_set(folder: Path, name: str) -> AnomalySet:
    """Read one MATLAB file with the rows X and the labels y, where 1 means anomaly."""
    from scipy.io import loadmat

    content = loadmat(folder / f"{name}.mat")
    return AnomalySet(name, np.asarray(content["X"], dtype=np.float64), content["y"].ravel().astype(bool))


def split_rows(anomaly_set: AnomalySet, seed: int, training: str) -> Split:
    """Split the rows at random into 60 % training and 40 % test rows; standardise both by the training rows.

    The training rows have no known anomalies if ``training`` is "clean". The test rows are the same in both modes.
    """
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    train, test, is_train_anomaly, is_test_anomaly = train_test_split(
        anomaly_set.rows,
        anomaly_set.is_anomaly,
        test_size=_TEST_FRACTION,
        random_state=np.random.RandomState(seed),
    )
    if training == "clean":
        train = train[~is_train_anomaly]
    scaler = StandardScaler().fit(train)
    return Split(scaler.transform(train), scaler.transform(test), is_test_anomaly)
