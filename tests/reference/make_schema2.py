"""How the model files of schema 2 in this folder were made; it documents their content and is not run again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.covariance import FactorStructure
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.model import Mixture
from tests.reference.make_schema1 import CENTER, CENTERS, EXPONENT, NAMES, SHRINK, WEIGHTS, expected

FOLDER = Path(__file__).parent
LOADINGS = np.array([[[1.0], [0.5], [-0.25]], [[0.0], [2.0], [1.5]]])
NOISE = {"UUU": [[1.0, 0.5, 2.0], [0.25, 1.5, 1.0]], "UCC": [[0.75, 0.75, 0.75], [0.75, 0.75, 0.75]]}


def main() -> None:
    """Write one file with a noise variance per column, and one with a common noise variance."""
    rows = np.ldexp(np.ldexp(np.random.default_rng(0).normal(size=(5, 3)), -EXPONENT) + CENTER, -SHRINK)
    answers = {}
    for name, noise in NOISE.items():
        floored = np.array([False, True])
        covariance = LowRankCovariance(FactorStructure(name, 1), floored, LOADINGS, np.array(noise))
        plain = Mixture.from_parameters(WEIGHTS, CENTERS, covariance.matrices(), "VVV", NAMES)
        mixture = replace(plain, covariance=covariance, frame=Frame(SHRINK, CENTER, EXPONENT))
        mixture.save(FOLDER / f"schema2_{name}.safetensors")
        answers[name] = expected(mixture, rows)
    (FOLDER / "schema2.json").write_text(json.dumps(answers) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
