"""One peer each: a function of rows, means, structure and passes that fits and returns the mean log-likelihood.

Every fit starts at the given means with unit covariances and equal weights and makes exactly so many
passes. A peer that is not installed, or cannot fit a structure, is left out of the table.
"""

import json
import sys
import time
import warnings

import numpy as np


def _start(means, structure, dtype=np.float64):
    K, d = means.shape
    unit = {
        "full": np.repeat(np.eye(d)[None], K, axis=0),
        "tied": np.eye(d),
        "diag": np.ones((K, d)),
        "spherical": np.ones(K),
    }[structure]
    start = {"weights_init": np.full(K, 1.0 / K), "means_init": means, "precisions_init": unit}
    return {name: value.astype(dtype) for name, value in start.items()}


def _estimator(make, dtype=np.float64):
    def fit(rows, means, structure, passes):
        start = _start(means, structure, dtype)
        estimator = make(len(means), covariance_type=structure, tol=0.0, max_iter=passes, **start)
        return float(estimator.fit(rows.astype(dtype, copy=False)).lower_bound_)

    return fit


def gaussmix():
    """Ours."""
    from gaussmix import GaussianMixture

    return _estimator(GaussianMixture)


def sklearn():
    """scikit-learn."""
    from sklearn.mixture import GaussianMixture

    return _estimator(GaussianMixture)


def daal4py():
    """Intel oneDAL through daal4py; full covariances only."""
    import daal4py as onedal

    def fit(rows, means, structure, passes):
        if structure != "full":
            raise NotImplementedError(structure)
        start = _start(means, structure)
        algorithm = onedal.em_gmm(len(means), maxIterations=passes, accuracyThreshold=0.0)
        done = algorithm.compute(rows, start["weights_init"][None], means, list(start["precisions_init"]))
        return float(np.ravel(done.goalFunction)[0]) / len(rows)

    return fit


PEERS = {"gaussmix": gaussmix, "sklearn": sklearn, "daal4py": daal4py}


def main():
    """Worker: name, file of rows and means, structure and passes; prints seconds per pass after the first."""
    name, file, structure, passes = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    warnings.simplefilter("ignore")
    with np.load(file) as held:
        rows, means = held["rows"], held["means"]
    fit = PEERS[name]()
    fit(rows, means, structure, 1)
    print("ready", flush=True)
    for _ in sys.stdin:  # one measurement for every line, so that peers take turns
        began = time.perf_counter()
        fit(rows, means, structure, 1)
        middle = time.perf_counter()
        value = fit(rows, means, structure, 1 + passes)
        seconds = ((time.perf_counter() - middle) - (middle - began)) / passes
        print(json.dumps({"seconds": seconds, "log_likelihood": value}), flush=True)


if __name__ == "__main__":
    main()
