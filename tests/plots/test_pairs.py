"""The matrix of panels shows every pair of columns once."""

import pytest

from gaussmix import ParameterError, plots
from tests.plots.conftest import draw_figure, make_mixture, read_text


@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
def test_every_pair_once_and_every_column_on_the_diagonal(n_features: int) -> None:
    mixture = make_mixture(2, n_features)
    figure = draw_figure(plots.pairs(mixture, mixture.sample(40, 0)[0]))
    assert len(figure.axes) == n_features * (n_features + 1) // 2
    text = read_text(figure)
    assert all(f"column {j}" in text for j in range(n_features))


def test_many_columns_are_reduced_to_the_most_separating() -> None:
    mixture = make_mixture(3, 9)
    X = mixture.sample(60, 0)[0]
    text = read_text(plots.pairs(mixture, X, max_columns=3))
    assert "3 of 9 columns" in text
    assert "separate components best" in text
    assert len(plots.pairs(mixture, X).axes) == 15


def test_columns_may_be_given() -> None:
    mixture = make_mixture(2, 9)
    figure = plots.pairs(mixture, mixture.sample(30, 0)[0], columns=[8, 0])
    assert figure.axes[1].get_xlabel() == "column 8"
    assert figure.axes[1].get_ylabel() == "column 0"
    assert "columns:" not in read_text(figure)


def test_legend_names_the_subset_of_rows() -> None:
    mixture = make_mixture(2, 3)
    X = mixture.sample(100, 0)[0]
    assert "30 of 100 rows drawn" in read_text(plots.pairs(mixture, X, max_rows=30))
    first, second = (plots.pairs(mixture, X, max_rows=30, random_state=seed) for seed in (0, 1))
    offsets = [figure.axes[1].collections[0].get_offsets() for figure in (first, second)]
    assert offsets[0].shape != offsets[1].shape or (offsets[0] != offsets[1]).any()


def test_invalid_max_columns_is_rejected() -> None:
    mixture = make_mixture(2, 2)
    with pytest.raises(ParameterError, match="max_columns"):
        plots.pairs(mixture, mixture.sample(10, 0)[0], max_columns=0)
