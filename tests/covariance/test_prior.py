"""The conjugate prior: mclust's numbers, and what each of its parts does."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import invwishart, multivariate_normal

from gaussmix import DefaultPrior, GaussianMixture, ParameterError
from gaussmix.covariance import MCLUST_NAMES, Structure
from gaussmix.model import Problem
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.types import KDD
from tests.exhaustive import interleave, parametrize_product
from tests.laws.strategies import groups, hard_table

# mclust 6.0.0: mstep(modelName, iris[, 1:4], unmap(iris$Species), prior = priorControl()), determinants of the three
# covariances; where mclust leaves out a part of the prior (see _PRIOR_COUNTS), with shrinkage = 0.
DETERMINANTS = {
    ("VII", 0.01): (3.149144444e-05, 0.000473942654, 0.001895430471),
    ("EEI", 0.01): (0.0001986589765,) * 3,
    ("EVI", 0.01): (0.0002271294806,) * 3,
    ("VVI", 0.01): (1.141262089e-05, 0.0001836954133, 0.0006628639913),
    ("EEE", 0.01): (3.511657331e-05,) * 3,
    ("VVV", 0.01): (2.299681124e-06, 1.116915985e-05, 7.335646555e-05),
    ("VEV", 0.01): (5.898559808e-06, 2.997071684e-05, 0.0001936725703),
    ("VEI", 0.0): tuple(v**4 for v in (0.0737141454742, 0.135354276087, 0.192249557159)),
    ("EVI", 0.0): (0.124852056496**4,) * 3,
    ("EEV", 0.0): (0.074657938289**4,) * 3,
    ("VEV", 0.0): tuple(v**4 for v in (0.0490212155842, 0.0739668115163, 0.117799418791)),
}


def estimate_covariances(rows: Any, labels: Any, structure: str, prior: DefaultPrior) -> KDD:
    n_components = int(labels.max()) + 1
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name(structure)).with_prior(
        prior, n_components
    )
    found = initialize_from_labels(problem, labels, n_components)
    return found.covariances


@pytest.mark.parametrize(("structure", "shrinkage"), DETERMINANTS)
def test_m_step_with_the_default_prior_equals_mclust(iris: Any, structure: str, shrinkage: float) -> None:
    rows, species = iris
    found = estimate_covariances(rows, species, structure, DefaultPrior(shrinkage=shrinkage))
    tolerance = 2e-3 if structure == "VEV" else 1e-6  # mclust's adds no mass to VEV, ours hardly any
    np.testing.assert_allclose(np.linalg.det(found), DETERMINANTS[structure, shrinkage], rtol=tolerance)


# mclust 6.0.0, summary of Mclust(iris[, 1:4], prior = priorControl()): BIC with its sign, by tolerance of its EM.
@pytest.mark.parametrize(
    ("prior", "n_components", "expected"),
    [("default", 2, -580.81), ("default", 3, -587.40), (DefaultPrior(shrinkage=0), 2, -580.29), (None, 2, -561.73)],
)
def test_bic_of_iris_equals_mclust(iris: Any, prior: Any, n_components: int, expected: float) -> None:
    estimator = GaussianMixture(
        n_components, covariance_type="VEV", prior=prior, tol=1e-8, max_iter=2000, n_init=3, random_state=0
    )
    assert -estimator.fit(iris[0]).bic(iris[0]) == pytest.approx(expected, abs=0.3)


def test_default_scale_equals_mclust(iris: Any) -> None:
    problem = Problem.from_source(make_memory_source(iris[0]), Structure.from_name("VVV")).with_prior(DefaultPrior(), 3)
    prior = problem.covariance_estimator.prior
    assert prior is not None
    scale = problem.source.frame.restore_covariances(prior.scale[None])[0]
    assert scale[0, 0] == pytest.approx(0.39588533, abs=1e-8)
    assert scale[2, 3] == pytest.approx(0.74802043, abs=1e-8)
    assert (prior.degrees_of_freedom, prior.shrinkage) == (6.0, 0.01)


def test_log_density_is_that_of_the_conjugate_prior(iris: Any) -> None:
    """Up to a constant, against SciPy's inverse Wishart and normal densities."""
    rows, species = iris
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV")).with_prior(
        DefaultPrior(shrinkage=0.3), 3
    )
    prior = problem.covariance_estimator.prior
    assert prior is not None
    rng, values = np.random.default_rng(0), []
    for _ in range(3):
        mixture = initialize_from_labels(problem, rng.permutation(species), 3)
        ours = problem.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
        theirs = sum(
            invwishart.logpdf(matrix, prior.degrees_of_freedom, prior.scale)
            + multivariate_normal.logpdf(center, prior.location, matrix / prior.shrinkage)
            for center, matrix in zip(mixture.centers, mixture.covariance.matrices(), strict=True)
        )
        values.append(ours - theirs)
    np.testing.assert_allclose(values, values[0], rtol=1e-9)


@parametrize_product(
    {"structure": MCLUST_NAMES, "shrinkage": [0.0, 2.0], "seeds": interleave(range(20), 5)},
    together=[("structure", "shrinkage")],
)
def test_likelihood_times_prior_never_decreases(structure: str, shrinkage: float, seeds: Sequence[int]) -> None:
    for seed in seeds:
        rows = groups(seed, 80, 1 + seed % 4)
        weights = np.random.default_rng(seed).uniform(0.0, 2.0, len(rows)) if seed % 2 else None
        estimator = GaussianMixture(
            3,
            covariance_type=structure,
            prior=DefaultPrior(shrinkage=shrinkage),
            tol=1e-7,
            max_iter=60,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # sixty iterations need not converge
            values = estimator.fit(rows, sample_weight=weights).fit_.trace.log_likelihoods
        allowed = 1e-12 * len(rows) * np.abs(values[1:]).max(initial=1.0)
        assert (np.diff(values) >= -allowed).all(), f"seed {seed}"


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_a_component_of_one_row_does_not_collapse(structure: str) -> None:
    rows = np.concatenate([groups(2, 60, 2, 1), [[40.0, 40.0]]])
    labels = np.append(np.zeros(60, dtype=np.int64), 1)
    found = estimate_covariances(rows, labels, structure, DefaultPrior())
    assert np.linalg.eigvalsh(found).min() > 1e-3


def test_every_parameter_changes_the_covariances(iris: Any) -> None:
    rows, species = iris
    default_covariances = estimate_covariances(rows, species, "VVV", DefaultPrior())
    others = [
        DefaultPrior(shrinkage=5.0),
        DefaultPrior(degrees_of_freedom=40.0),
        DefaultPrior(scale=np.eye(4)),
        DefaultPrior(location=np.zeros(4)),
    ]
    for prior in others:
        assert not np.allclose(estimate_covariances(rows, species, "VVV", prior), default_covariances, rtol=1e-6)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (DefaultPrior(degrees_of_freedom=1.0), "degrees_of_freedom must be a finite number of more than 1, but is 1"),
        (DefaultPrior(location=[0.0]), "location"),
        (DefaultPrior(scale=np.eye(3)), "scale"),
        (DefaultPrior(scale=-np.eye(2)), "the scale should be symmetric, positive-definite"),
        ("strong", "prior must be None, 'default' or a gaussmix.DefaultPrior, but is 'strong'"),
    ],
)
def test_invalid_priors_raise_parameter_error(prior: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        GaussianMixture(2, prior=prior).fit(groups(0, 30, 2))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"shrinkage": -1.0}, "shrinkage must be a finite number of at least 0, but is -1"),
        ({"shrinkage": True}, "shrinkage must be"),
        ({"degrees_of_freedom": np.inf}, "degrees_of_freedom must be a finite number"),
        ({"location": [0.0, np.nan]}, "NaN or infinity in location"),
    ],
)
def test_invalid_numbers_are_refused_when_the_prior_is_made(parameters: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        DefaultPrior(**parameters)


@parametrize_product({"structure": MCLUST_NAMES, "seeds": interleave(range(240, 260), 5)})
def test_likelihood_does_not_decrease_with_components_without_rows(structure: str, seeds: Sequence[int]) -> None:
    """More components than groups, on tables that fits find hard: with a prior too the likelihood does not fall."""
    for seed in seeds:
        rows, n_components = hard_table(seed)
        estimator = GaussianMixture(
            min(n_components + 1, len(rows)), covariance_type=structure, prior="default", tol=0.0, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a tolerance of zero is never met
            values = np.array(estimator.set_params(max_iter=40).fit(rows).lower_bounds_)
        assert (np.diff(values) >= -1e-8 * max(1.0, float(np.abs(values).max()))).all(), f"table {seed}"
