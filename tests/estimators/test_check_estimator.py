"""scikit-learn's conventions, every check, for one and three components and every structure, and for k-means.

Run in processes of their own: the check of other array libraries is skipped unless SCIPY_ARRAY_API
is set before SciPy is imported, and nothing may be skipped.
"""

import json
import os
import subprocess
import sys

from gaussmix.covariance import MCLUST_NAMES, SKLEARN_TO_MCLUST
from tests.exhaustive import interleave, parametrize_product

SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from sklearn.utils.estimator_checks import check_estimator
from gaussmix import GaussianMixture, KMeans, MixtureImputer
for structure in sys.argv[2:]:
    if structure == "k-means":
        estimator = KMeans(int(sys.argv[1]))
    elif structure == "imputer":
        estimator = MixtureImputer(int(sys.argv[1]))
    else:
        estimator = GaussianMixture(int(sys.argv[1]), covariance_type=structure)
    for result in check_estimator(estimator, on_fail=None, on_skip=None):
        problem = str(result["exception"]) if result["exception"] else ""
        print(json.dumps([structure, result["check_name"], result["status"], problem]))
"""


@parametrize_product(
    {"n_components": [1, 3], "names": interleave([*SKLEARN_TO_MCLUST, *MCLUST_NAMES, "k-means", "imputer"], 2)}
)
def test_every_check_passes_and_none_is_skipped(n_components, names):
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "OPENBLAS_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", SCRIPT, str(n_components), *names]
    process = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False, timeout=600)
    assert process.returncode == 0, process.stderr[-2000:]
    results = [json.loads(line) for line in process.stdout.splitlines()]
    assert {structure for structure, *_ in results} == set(names)
    assert len(results) > 40 * len(set(names))
    assert [result for result in results if result[2] != "passed"] == []
