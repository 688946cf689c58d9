"""The benchmark of the streaming detector: the standard score against worked examples, and a run on small series."""

import gzip
import json

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.stream_scoring import LabelledSeries, compute_standard_score, score_alarms

SERIES = LabelledSeries("folder/name.csv", np.zeros(1000), ((300, 399), (600, 699)))


def make_alarms(*rows: int) -> np.ndarray:
    alarms = np.zeros(1000)
    alarms[list(rows)] = 1.0
    return alarms


@pytest.mark.parametrize(("rows", "expected"), [((), 0.0), ((300, 600), 100.0), ((300,), 50.0), ((149,), 0.0)])
def test_standard_score_of_clear_cases(rows, expected):
    """No alarm is 0 and the first row of every window is 100; rows before 150 are not scored."""
    assert compute_standard_score([SERIES], [make_alarms(*rows)], 0.5) == pytest.approx(expected, abs=1e-12)


def test_points_of_late_and_false_alarms():
    """Rewards fall with a sigmoid that is 0 at the end of the window; false alarms cost 0.11 at most."""
    reward = (1 - np.exp(-2.5)) / (1 + np.exp(-2.5)) * (1 + np.exp(-5.0)) / (1 - np.exp(-5.0))
    assert score_alarms(SERIES, make_alarms(350, 380) > 0) == pytest.approx(reward - 1.0)
    assert score_alarms(SERIES, make_alarms(200) > 0) == pytest.approx(-2.0 - 0.11)
    soon_after = 2.0 / (1.0 + np.exp(5.0 * 1 / 99)) - 1.0
    assert score_alarms(SERIES, make_alarms(400) > 0) == pytest.approx(-2.0 + 0.11 * soon_after)


def test_windows_within_the_first_rows_do_not_count():
    early = LabelledSeries("folder/early.csv", np.zeros(1000), ((10, 20),))
    assert early.n_counted_windows == 0
    assert np.isnan(compute_standard_score([early], [make_alarms()], 0.5))


def test_command_scores_and_times_series(tmp_path, capsys):
    folder = tmp_path / "real"
    folder.mkdir()
    rng = np.random.default_rng(0)
    stamps = [f"2026-01-01 {i // 60:02d}:{i % 60:02d}:00" for i in range(500)]
    for name in ("a", "b"):
        values = rng.normal(size=500)
        values[400:410] += 20.0
        lines = ["timestamp,value", *(f"{stamp},{value}" for stamp, value in zip(stamps, values, strict=True))]
        with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(lines))
    windows = {f"real/{name}.csv": [[stamps[395], stamps[430]]] for name in ("a", "b")}
    (tmp_path / "windows.json").write_text(json.dumps(windows), encoding="utf-8")
    record = tmp_path / "record.json"
    main(["anomaly-stream", "--data", str(tmp_path), "--output", str(record)])
    page = capsys.readouterr().out
    assert "| real | 2 | 2 |" in page
    assert "rows per second of processor time" in page
    results = json.loads(record.read_text(encoding="utf-8"))["results"]
    assert results["groups"][-1]["best"] >= results["groups"][-1]["default"] > 60.0


def test_missing_data_are_named(tmp_path):
    with pytest.raises(SystemExit, match=r"has no windows\.json; download"):
        main(["anomaly-stream", "--data", str(tmp_path)])
    (tmp_path / "windows.json").write_text('{"real/a.csv": []}', encoding="utf-8")
    with pytest.raises(SystemExit, match=r"has no real/a\.csv\.gz"):
        main(["anomaly-stream", "--data", str(tmp_path)])
