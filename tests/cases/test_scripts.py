"""The scripts run and print right values.

Those that take more than a second are exhaustive: tests beside the code hold the same values on other data.
"""

import re
from importlib import import_module
from pathlib import Path

import pytest

RIGHT_VALUES = {
    "column_names": ["gaussmix .*unseen at fit time:.n- B", "gaussmix .*must be in the same order", "'a' occurs more"],
    "dependent_columns": [
        r"copy of a column: selected (\S+) ARI 1.00 \| .*: \1 ARI 1.00",
        r"shares of a whole: selected (\S+) ARI 1.00 \| .*: \1 ARI 1.00",
        r"parts and their total: selected (\S+) ARI (\S+) \| .*: \1 ARI \2",
        r"constant column: selected (\S+) ARI 1.00 \| .*: \1 ARI 1.00",
        r"column 2 = 1 - column 0 - column 1",
        r"Column 0 is constant",
    ],
    "far_rows": [
        r"1e\+06: .*0\.10\d+ +0\.10?\d+ .*rows 1\.000",
        "65535: .*rows 1.000",
        "(?s)selected: EII,3 .*: EII,3 ",
    ],
    "few_rows_per_component": [
        *(rf"\['{name}.*selected (\S+) BIC \d+ ARI 1.00 +right: \1 " for name in ("EII", "EEE", "VVI")),
        r"'spherical': \(\)",
        "one outlier: selected EII,3",
        "(?s)EII: +3 components do not explain.*EEE: +3 components do not explain",
    ],
    "float32_parameters": ["(?s)" + r"(score_from_\w+ +largest difference \S+e-0[56]\s.*){8}"],
    "masked_arrays": [
        *(f"{name} +DataError: X contains NaN in row 0" for name in ("KMeans", "data")),
        *(rf"{name} +\[-0.10209\d* +0.03363\d*\]" for name in ("GaussianMixture", "BayesianGaussianMixture", "select")),
    ],
    "search_iterations": [rf"{n} rows: selected EII,1, [1-3]?\d?\d\d iterations of 126" for n in (2000, 2100)],
    "selection_messages": [
        r"lowest BIC of those that are not degenerate",
        r"VII,3 has a BIC of .* but is degenerate",
        r"were the largest number tried",
        r"31.3 % of the rows are exactly 0",
    ],
    "vanishing_groups": ["(?s)frame 3: ARI 1.00.*frame 4: ARI 1.00", r"e-09: \('Components 0, 1 and 2 have fewer than"],
}
SLOW = {"dependent_columns", "few_rows_per_component", "selection_messages"}


@pytest.mark.filterwarnings("ignore::gaussmix.errors.GaussmixWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.exhaustive if name in SLOW else ()) for name in RIGHT_VALUES]
)
def test_script_prints_right_values(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    import_module(f"tests.cases.{name}").main()
    printed = capsys.readouterr().out
    for pattern in RIGHT_VALUES[name]:
        assert re.search(pattern, printed), f"{pattern} is not in:\n{printed}"


def test_every_script_has_right_values() -> None:
    scripts = {path.stem for path in Path(__file__).parent.glob("*.py")} - {"__init__", Path(__file__).stem}
    assert scripts == set(RIGHT_VALUES)
