"""What a user installs: one pure wheel, typed, that works from a folder nobody can write to."""

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, gaussmix
from gaussmix import GaussianMixture, Mixture, select
assert gaussmix.__file__.startswith(sys.argv[1]), gaussmix.__file__
X = np.random.default_rng(0).normal(size=(60, 2))
mixture = GaussianMixture(2, random_state=0).fit(X).model_
mixture.save(sys.argv[2])
assert (Mixture.load(sys.argv[2]).predict_proba(X) == mixture.predict_proba(X)).all()
assert select(X, n_components=[1, 2], structures="EEE").best.n_components == 1
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (found,) = folder.glob("*.whl")
    return found


def test_one_pure_typed_wheel(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"gaussmix/py.typed", "gaussmix/__init__.pyi"} <= set(names)
    assert not [name for name in names if name.startswith("tests") or name.endswith((".so", ".pyc"))]
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*") if path.is_file()}
    wanted = {name for name in sources if "__pycache__" not in name}
    assert wanted <= {os.path.normpath(name) for name in names}


def test_it_works_from_a_read_only_folder(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    folders = [site, *(path for path in site.rglob("*") if path.is_dir())]
    before = sorted(site.rglob("*"))
    for folder in folders:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        python = [sys.executable, "-B", "-I", "-W", "error", "-c"]
        arguments = [*python, SCRIPT, str(site), str(tmp_path / "model.safetensors")]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert sorted(site.rglob("*")) == before
    finally:
        for folder in folders:
            folder.chmod(stat.S_IRWXU)
