"""Cells that the schema of a fold has read and changed are those that another schema reads of the changed table."""

import numpy as np
import pytest

from gaussmix.classification import fit_table_schema
from gaussmix.classification.churn.cell_translation import CellTranslation
from gaussmix.classification.churn.coalitions import repeat_row

PLANS = np.array([["yearly", "monthly", "weekly"][i % 3] for i in range(90)], dtype=object)
TABLE = {"count": (np.arange(90) % 13).astype(float), "plan": PLANS, "x": np.linspace(0.0, 1.0, 90) ** 2}
IS_LEFT = np.arange(90) % 2 == 0


def read(rows=slice(None), categorical="auto", **changed):
    part = {name: values[rows] for name, values in (TABLE | changed).items()}
    return fit_table_schema(part, IS_LEFT[rows].astype(int), categorical=categorical)


def change(schema, cells, row, name, value):
    """Return one changed copy of a row."""
    changed = repeat_row(cells, row, 1)
    reader = next(reader for reader in schema.readers if reader.name == name)
    if reader.is_numeric:
        changed.numbers[name][0] = value
    else:
        changed.codes[name][0] = reader.values.index(value)
    return changed


@pytest.mark.parametrize("kinds", [([], ["count"]), (["count"], []), ([], []), (["count"], ["count"])])
@pytest.mark.parametrize(("name", "value"), [("count", 7.0), ("plan", "monthly"), ("x", 0.25)])
def test_changed_cells_are_those_of_the_changed_table(kinds, name, value):
    first, second = (read(categorical=names) for names in kinds)
    cells, own = first.read_cells(TABLE), second.read_cells(TABLE)
    for row in (0, 40, 89):
        found = CellTranslation(first, second).translate(change(first, cells, row, name, value), cells, own, row)
        table = {column: values.copy() for column, values in TABLE.items()}
        table[name][row] = value
        expected = repeat_row(second.read_cells(table), row, 1)
        for column, values in {**expected.numbers, **expected.codes}.items():
            np.testing.assert_array_equal({**found.numbers, **found.codes}[column], values)


def test_cells_that_the_source_does_not_know_stay():
    rows = np.flatnonzero(PLANS != "weekly")
    fold, whole = read(rows, x=np.zeros(90)), read()
    assert "x" not in [reader.name for reader in fold.readers], "constant in the fold"
    with pytest.warns(UserWarning, match="weekly"):
        cells = fold.read_cells(TABLE)
    own = whole.read_cells(TABLE)
    found = CellTranslation(fold, whole).translate(change(fold, cells, 2, "count", 9.0), cells, own, 2)
    reader = next(reader for reader in whole.readers if reader.name == "plan")
    assert reader.values[found.codes["plan"][0]] == "weekly"
    assert found.numbers["x"][0] == TABLE["x"][2]
    assert found.numbers["count"][0] == 9.0


def test_equal_schemas_change_nothing():
    schema = read()
    cells = schema.read_cells(TABLE)
    assert CellTranslation(schema, schema).translate(cells, cells, cells, 0) is cells
