"""Errors about the columns of a data frame name the columns, as those of scikit-learn do."""

import numpy as np
import pandas as pd
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import GaussianMixture, select


def main() -> None:
    """Predict rows of renamed and reordered columns, and fit a frame with one name twice."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    for name, changed in (("renamed", frame.rename(columns={"b": "B"})), ("reordered", frame[["b", "a", "c"]])):
        for estimator in (GaussianMixture, SklearnMixture):
            try:
                estimator(2, random_state=0).fit(frame).predict(changed)
            except ValueError as error:
                print(f"{name:9} {estimator.__module__.split('.')[0]:8} {str(error)!r}")
    repeated = pd.DataFrame(X, columns=["a", "a", "b"])
    for fit in (GaussianMixture(2).fit, SklearnMixture(2).fit, select):
        try:
            fit(repeated)
        except ValueError as error:
            print(f"twice     {str(error)!r}")


if __name__ == "__main__":
    main()
