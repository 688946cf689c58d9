"""Wrong types and values of distributions and parameters are refused in one sentence that names the parameter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix import (
    Constraints,
    DataError,
    DefaultPrior,
    FileError,
    Gaussian,
    GaussianMixture,
    Intensity,
    KMeans,
    Mixture,
    ParameterError,
)

NAMES = ["a", "b", "c"]
LINE = Gaussian(0.0, 1.0)
SPACE = Gaussian(np.zeros(3), np.eye(3))
MIXTURE = Mixture.from_parameters([0.4, 0.6], np.zeros((2, 3)), [np.eye(3)] * 2, feature_names=NAMES)
INTENSITY = Intensity(MIXTURE, 1.0)
ANY_MIXTURE: Any = MIXTURE  # hides a wrong type from the type checker


def call(function: Any, *arguments: Any, **keywords: Any) -> Callable[[], Any]:
    return lambda: function(*arguments, **keywords)


BAD_CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "Gaussian.product(text)": (call(LINE.product, "a"), "other must be a Gaussian, but has the type str"),
    "Gaussian.product(Mixture)": (call(SPACE.product, MIXTURE), "other must be a Gaussian, .* Mixture"),
    "Mixture.product(Gaussian)": (call(MIXTURE.product, SPACE), "other must be a Mixture, .* Gaussian"),
    "Intensity + Mixture": (lambda: INTENSITY + ANY_MIXTURE, r"other must be an Intensity; make one with Intensity\("),
    "Mixture + Intensity": (lambda: ANY_MIXTURE + INTENSITY, "other must be an Intensity"),
    "3 + Intensity": (lambda: 3 + INTENSITY, "other must be an Intensity"),
    "Intensity.product(Mixture)": (call(INTENSITY.product, MIXTURE), "other must be an Intensity"),
    "Intensity(text)": (call(Intensity, "m"), "mixture must be a Mixture, but has the type str"),
    "Intensity(NaN)": (call(Intensity, MIXTURE, np.nan), "log_mass must be a finite number, but is nan"),
    "Intensity(log text)": (call(Intensity, MIXTURE, "x"), "log_mass must be a finite number"),
    "Intensity weights": (call(Intensity.from_parameters, ["x"], [[0.0]], [[[1.0]]]), "weights must be numbers"),
    "scale(text)": (call(INTENSITY.scale, "x"), "factor must be a finite number above 0"),
    "scale(NaN)": (call(INTENSITY.scale, np.nan), "factor must be"),
    "from_mixture(text)": (call(GaussianMixture.from_mixture, "x"), "mixture must be a gaussmix.Mixture, .* str"),
    "from_mixture(Gaussian)": (call(GaussianMixture.from_mixture, LINE), "mixture must be .* Gaussian"),
    "Gaussian.sample(text)": (call(LINE.sample, "a"), "n_samples must be a whole number of at least 0"),
    "Gaussian.sample(1.5)": (call(LINE.sample, 1.5), "n_samples .* but is 1.5"),
    "Gaussian.sample(-1)": (call(LINE.sample, -1), "n_samples .* but is -1"),
    "Gaussian.sample(seed text)": (call(LINE.sample, 2, "x"), "random_state must be a whole number .* 'x'"),
    "Gaussian.sample(seed -1)": (call(LINE.sample, 2, -1), "random_state must be"),
    "Mixture.sample(seed text)": (call(MIXTURE.sample, 2, "x"), "random_state must be"),
    "Mixture.sample(0)": (call(MIXTURE.sample, 0), "'n_samples'.* at least 1"),
    "Gaussian(text)": (call(Gaussian, "a", 1), "mean must be numbers, but is 'a'"),
    "Gaussian(covariance text)": (call(Gaussian, 0.0, "b"), "covariance must be numbers, but is 'b'"),
    "Gaussian(covariance asymmetric)": (call(Gaussian, [0.0, 1.0], [[1.0, 0.5], [0.0, 1.0]]), "must be symmetric"),
    "Gaussian(covariance NaN)": (call(Gaussian, 0.0, np.nan), "NaN or infinity in covariance"),
    "Gaussian(huge integer)": (call(Gaussian, 10**400, 1.0), "mean must be numbers"),
    "Gaussian(complex)": (call(Gaussian, 1j, 1.0), "mean must be numbers"),
    "Mixture weights": (call(Mixture.from_parameters, ["x"], [[0.0]], [[[1.0]]]), "weights must be numbers"),
    "Mixture means": (call(Mixture.from_parameters, [1.0], [["x"]], [[[1.0]]]), "means must be numbers"),
    "Mixture ragged means": (call(Mixture.from_parameters, [1.0], [[0.0], [0.0, 1.0]], [[[1.0]]]), "means must be"),
    "Mixture covariances": (call(Mixture.from_parameters, [1.0], [[0.0]], "x"), "covariances must be numbers"),
    "Mixture NaN": (call(Mixture.from_parameters, [1.0], [[0.0]], [[[np.nan]]]), "NaN or infinity in covariances"),
    "affine shift": (call(SPACE.affine_transform, np.eye(3), [1, 2]), r"'shift' should have the shape of \(3,\)"),
    "affine matrix": (call(SPACE.affine_transform, "a"), "matrix must be numbers"),
    "affine NaN": (call(SPACE.affine_transform, np.full((1, 3), np.nan)), "NaN or infinity in matrix"),
    "conditional value": (call(MIXTURE.conditional, ["a", "b"], [1]), r"one number per known column \(2\), but has 1$"),
    "conditional values": (call(MIXTURE.conditional, ["a"], [1, 2]), r"known column \(1\), but has 2$"),
    "conditional table": (call(MIXTURE.conditional, ["a", "b"], [[1], [2]]), r"but has the shape \(2, 1\)"),
    "conditional text": (call(MIXTURE.conditional, ["a"], "x"), "values must be numbers"),
    "Gaussian conditional NaN": (call(SPACE.conditional, [0], [np.nan]), "NaN or infinity in values"),
    "Gaussian conditional count": (call(SPACE.conditional, [0, 1], [1.0]), r"known column \(2\), but has 1$"),
    "conditional on nothing": (call(MIXTURE.conditional, [], []), "^known_columns must be a non-empty list"),
    "conditional on unknown": (call(MIXTURE.conditional, ["d"], [0.0]), "^known_columns must be one of a, b, c"),
    "marginal position": (
        call(MIXTURE.marginal, [3]),
        "^columns must be distinct positions from 0 to 2, or from -3 to -1",
    ),
    "DefaultPrior shrinkage": (call(DefaultPrior, shrinkage=-1), "shrinkage must be a finite number of at least 0"),
    "DefaultPrior degrees": (call(DefaultPrior, degrees_of_freedom="x"), "degrees_of_freedom must be"),
    "DefaultPrior location": (call(DefaultPrior, location="x"), "location must be numbers"),
    "DefaultPrior scale": (call(DefaultPrior, scale=[[np.inf]]), "NaN or infinity in scale"),
    "Constraints weights": (call(Constraints, weights="x"), "constraints: weights must be numbers"),
    "Constraints means": (call(Constraints, means=[[np.inf]]), "constraints: means contain infinity"),
    "Constraints equal": (call(Constraints, equal_weights="yes"), "equal_weights must be True or False"),
    "Constraints both": (call(Constraints, equal_weights=True, weights=[1.0]), "fixes all weights already"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_wrong_argument_is_named(name: str) -> None:
    make, message = BAD_CALLS[name]
    with np.errstate(all="raise"), pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weights_init": "a"}, "weights_init must be numbers"),
        ({"means_init": "a"}, "means_init must be numbers"),
        ({"precisions_init": "a"}, "precisions_init must be numbers"),
        ({"init_params": np.zeros(3)}, "init_params must be one of"),
        ({"solver": ["em"]}, "solver must be one of"),
        ({"verbose": "x"}, "verbose must be a whole number of at least 0, but is 'x'"),
        ({"verbose": -1}, "verbose must be a whole number"),
    ],
)
def test_a_wrong_parameter_of_an_estimator_is_named(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        GaussianMixture(2, **parameters).fit([[0.0], [1.0], [5.0]])


_NOT_NUMBERS = {"dict": {"a": [1]}, "huge": [[10**400], [1]], "none": [[None], [{}]], "object": [[object()], [1]]}


@pytest.mark.parametrize("estimator", [GaussianMixture(1), KMeans(1, n_init=1)], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("data", _NOT_NUMBERS.values(), ids=_NOT_NUMBERS)
def test_data_that_are_no_numbers_are_refused(estimator: Any, data: Any) -> None:
    with pytest.raises(DataError):
        estimator.fit(data)


@pytest.mark.parametrize("distribution", [MIXTURE, SPACE], ids=lambda d: type(d).__name__)
def test_no_rows_have_no_cdf(distribution: Any) -> None:
    with pytest.raises(DataError, match="0 rows"):
        distribution.cdf(np.empty((0, 3)))


@pytest.mark.parametrize(
    ("weights", "message"), [(["a", "b"], "^weights must be numbers"), ([1.0, -1.0], "^weights must be finite and not")]
)
def test_weights_of_a_gaussian_are_called_weights(weights: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Gaussian.from_data([[0.0], [1.0]], weights=weights)


def test_intensities_can_be_summed() -> None:
    total = sum([INTENSITY, INTENSITY.scale(2.0)])
    assert isinstance(total, Intensity)
    assert total.mass == pytest.approx(3.0 * INTENSITY.mass)


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a folder, not a file; give the path of a model"):
        Mixture.load(tmp_path)


def test_values_of_known_columns_may_be_a_number_or_one_row() -> None:
    for values in (1.0, [1.0], [[1.0]], np.array(1.0)):
        assert MIXTURE.conditional(["a"], values).n_features == 2
