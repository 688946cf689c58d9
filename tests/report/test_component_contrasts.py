"""Sentences on components name the columns that set them apart, in any units."""

import numpy as np
import pytest

from gaussmix import GaussianMixture, Mixture
from gaussmix.report import describe_components, describe_mixture, render_html
from gaussmix.report.component_contrasts import compute_contrasts, shade_class


def make_two_groups(scale: float = 1.0, shift: float = 0.0, far: float = 6.0) -> Mixture:
    """Return a mixture of two groups that differ in the second of three columns."""
    means = np.array([[0.0, 0.0, 0.0], [0.0, far, 0.2]]) * scale + shift
    return Mixture.from_parameters(
        [0.9, 0.1], means, [scale**2 * np.eye(3)] * 2, feature_names=("age", "income", "height")
    )


def test_a_sentence_names_weight_column_direction_and_mean() -> None:
    rare = describe_components(make_two_groups())[1]
    assert rare.replace("\u202f", " ") == "Component 1, 10.0 %: very high income (6.0)."


def test_a_component_at_the_overall_mean_says_so() -> None:
    assert describe_components(make_two_groups())[0].endswith(": near the overall mean in all columns.")
    assert describe_components(make_two_groups(far=-6.0))[1].endswith(": very low income (−6.0).")


def test_at_most_three_columns_are_named_the_most_telling_first() -> None:
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0] * 5, [2.0, 4.0, 8.0, 3.0, 6.0]], [np.eye(5)] * 2)
    first = describe_components(mixture)[1]
    assert first.split("column ")[1:] == ["2 (8.0), high ", "4 (6.0), high ", "1 (4.0)."]


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e150])
def test_distances_do_not_depend_on_units(scale: float) -> None:
    expected, found = compute_contrasts(make_two_groups()), compute_contrasts(make_two_groups(scale))
    assert np.allclose(expected.distances, found.distances)
    assert np.allclose(expected.separations, found.separations)


def test_distances_average_to_zero_and_separations_are_probabilities() -> None:
    mixture = make_two_groups(shift=1e6)
    contrasts = compute_contrasts(mixture)
    assert np.allclose(mixture.weights @ contrasts.distances, 0.0, atol=1e-9)
    assert ((contrasts.separations >= 0.0) & (contrasts.separations <= 1.0)).all()
    assert contrasts.separations[1, 1] > 0.99 > 0.1 > contrasts.separations[1, 0]


def test_one_component_has_no_sentence_and_noise_has_one() -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(90, 2)), rng.uniform(-20, 20, (30, 2))])
    assert describe_components(GaussianMixture(1).fit(rows)) == []
    with_noise = describe_components(GaussianMixture(1, noise=True, random_state=0).fit(rows))
    assert with_noise[-1].startswith("Noise, ")
    assert len(with_noise) == 2


def test_constant_columns_are_never_named() -> None:
    rows = np.column_stack([np.ones(80), np.repeat([0.0, 9.0], 40) + np.random.default_rng(0).normal(size=80)])
    estimator = GaussianMixture(2, random_state=0).fit(rows)
    assert all("column 0" not in sentence for sentence in describe_components(estimator))
    assert np.isfinite(compute_contrasts(estimator.model_).distances).all()


def test_the_paragraph_and_the_page_have_the_sentences() -> None:
    mixture = make_two_groups()
    rows = mixture.sample(60, 0)[0]
    page = render_html(mixture, rows)
    for sentence in describe_components(mixture):
        assert sentence in describe_mixture(mixture, rows)
        assert sentence in page


def test_shades_grow_with_the_distance() -> None:
    distances = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
    expected = ["below3", "below2", "below1", "", "above1", "above2", "above3"]
    assert [shade_class(distance) for distance in distances] == expected
    page = render_html(make_two_groups(), make_two_groups().sample(60, 0)[0])
    assert '<td class="above3">6.00 ±\u00a01.00</td>' in page
