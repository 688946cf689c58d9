"""What a fit says of missing cells."""

import numpy as np
import pandas as pd
import pytest

from gaussmix import DataError, GaussianMixture, select


def make_rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(60, 3)), rng.normal(size=(60, 3)) + 9.0])
    return pd.DataFrame(rows, columns=["length", "width", "mass"])


def test_complete_rows_have_no_note() -> None:
    assert not any("missing" in note for note in GaussianMixture(2, random_state=0).fit(make_rows()).fit_.notes)


def test_shares_of_missing_cells_are_named_by_column() -> None:
    rows = make_rows()
    rows.loc[rows.index[:30], "mass"] = np.nan
    rows.loc[rows.index[:6], "width"] = np.nan
    for fit in (GaussianMixture(2, random_state=0).fit(rows).fit_, select(rows, 2, structures="VVI").best.fit):
        assert fit is not None
        (note,) = [note for note in fit.notes if "missing" in note]
        assert note.startswith("10.0 % of the cells are missing: 'mass' 25.0 % and 'width' 5.0 %. ")
        assert "missing at random" in note
    unnamed = GaussianMixture(2, random_state=0).fit(rows.to_numpy()).fit_.notes
    assert "column 2 25.0 % and column 1 5.0 %" in " ".join(unnamed)


def test_components_that_rest_on_few_observed_cells_are_named() -> None:
    rows = make_rows()
    rows.loc[rows.index[3:60], "mass"] = np.nan  # three cells of the first group are left
    notes = GaussianMixture(2, random_state=0).fit(rows).fit_.notes
    (note,) = [note for note in notes if "few observed" in note]
    assert note == "Component 0 has few observed cells in column 'mass': its parameters there rest on other columns."


@pytest.mark.parametrize("fit", [GaussianMixture(2).fit, lambda rows: select(rows, 2)])
def test_a_column_without_any_cell_is_refused(fit: object) -> None:
    rows = make_rows()
    rows["mass"] = np.nan
    with pytest.raises(DataError, match=r"column 'mass' has no value in any row \(all are NaN\): leave it out"):
        fit(rows)  # type: ignore[operator]
    with pytest.raises(DataError, match="column 2 has no value"):
        fit(rows.to_numpy())  # type: ignore[operator]
