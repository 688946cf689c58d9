"""How the model file of schema 3 in this folder was made; it documents its content and is not run again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from gaussmix.model import Mixture
from gaussmix.transforms import ColumnTransforms
from gaussmix.transforms.transform_kinds import Log1p, Standardize, YeoJohnson

FOLDER = Path(__file__).parent
TRANSFORMS = ColumnTransforms((Log1p(), None, YeoJohnson(0.375), Standardize(100.0, 12.5)))
MEANS = [[1.0, -3.0, 2.0, -1.0], [2.5, 4.0, 0.5, 0.25]]


def main() -> None:
    """Write a file with one column of each transform and one without a transform."""
    rng = np.random.default_rng(0)
    plain = Mixture.from_parameters([0.25, 0.75], MEANS, [np.eye(4), 2.0 * np.eye(4)], "VVV", ["a", "b", "c", "d"])
    mixture = replace(plain, transforms=TRANSFORMS)
    mixture.save(FOLDER / "schema3_VVV.safetensors")
    rows = TRANSFORMS.inverse(rng.normal(size=(5, 4)))
    expected = {
        "rows": rows.tolist(),
        "log_density": mixture.logpdf(rows).tolist(),
        "medians": mixture.medians.tolist(),
    }
    (FOLDER / "schema3.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
