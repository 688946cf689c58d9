"""Write the model files of schema 1 and the values they must keep: ``python -m tests.reference.make_schema1``.

The files are frozen: a later version of the package reads them, it does not write them again. The
expected numbers come from NumPy and SciPy.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from gaussmix.core.frame import Frame
from gaussmix.model import Mixture

FOLDER = Path(__file__).parent
NAMES = ("length [mm]", "Gewicht", "π")
SHRINK, CENTER, EXPONENT = np.array([0, 420, 0]), np.array([1000.0, -3.0, 0.125]), np.array([-3, 2, 40])
WEIGHTS = [0.25, 0.75]
CENTERS = [[0.5, -0.25, 1.0], [-1.0, 0.75, 0.0]]
FULL = [
    [[1.0, 0.25, 0.0], [0.25, 0.5, 0.125], [0.0, 0.125, 2.0]],
    [[0.5, 0.0, -0.25], [0.0, 1.5, 0.5], [-0.25, 0.5, 1.0]],
]
COVARIANCES: dict[str, Any] = {
    "VVV": FULL,
    "EEE": FULL[0],
    "VVI": [[1.0, 0.5, 2.0], [0.25, 1.5, 1.0]],
    "VII": [0.5, 2.0],
}


def expected(mixture: Mixture, rows: Any) -> dict[str, Any]:
    """Return values of the distribution in the data's units, computed without the package."""
    powers = SHRINK + EXPONENT
    matrices = mixture.covariance.matrices()
    working = (np.ldexp(rows, SHRINK) - CENTER) * np.ldexp(1.0, EXPONENT)
    parts = [
        np.log(w) + stats.multivariate_normal(c, m).logpdf(working)
        for w, c, m in zip(WEIGHTS, CENTERS, matrices, strict=True)
    ]
    return {
        "weights": WEIGHTS,
        "means": np.ldexp(np.ldexp(np.array(CENTERS), -EXPONENT) + CENTER, -SHRINK).tolist(),
        "precisions": np.ldexp(np.linalg.inv(matrices), powers[:, None] + powers).tolist(),
        "rows": rows.tolist(),
        "log_density": (special.logsumexp(parts, axis=0) + np.log(2.0) * powers.sum()).tolist(),
        "feature_names": list(NAMES),
    }


def main() -> None:
    """Write one file for each of the four covariance classes."""
    rng = np.random.default_rng(0)
    working = rng.normal(size=(5, 3))
    rows = np.ldexp(np.ldexp(working, -EXPONENT) + CENTER, -SHRINK)
    answers = {}
    for structure, covariances in COVARIANCES.items():
        plain = Mixture.from_parameters(WEIGHTS, CENTERS, covariances, structure, NAMES)
        mixture = replace(plain, frame=Frame(SHRINK, CENTER, EXPONENT))
        mixture.save(FOLDER / f"schema1_{structure}.safetensors")
        answers[structure] = expected(mixture, rows)
    (FOLDER / "schema1.json").write_text(json.dumps(answers) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
