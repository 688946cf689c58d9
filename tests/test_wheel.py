"""What a user installs: one wheel for every Python, typed, that works from a folder nobody can write to."""

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gaussmix.kernels.codegen.library_building import RECORD_FILE
from gaussmix.kernels.library import library_path

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, gaussmix
from gaussmix import GaussianMixture, Mixture, select
from gaussmix.engines import automatic
assert gaussmix.__file__.startswith(sys.argv[1]), gaussmix.__file__
X = np.random.default_rng(0).normal(size=(60, 2))
mixture = GaussianMixture(2, random_state=0).fit(X).model_
mixture.save(sys.argv[2])
assert (Mixture.load(sys.argv[2]).predict_proba(X) == mixture.predict_proba(X)).all()
assert type(automatic.compiled_or_numpy_engine()).name == "compiled"
assert select(X, n_components=[1, 2], structures="EEE").best.n_components == 1
"""


def build_wheel(folder, **environment):
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300, env=os.environ | environment)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_one_typed_wheel_with_compiled_code(wheel):
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    library = os.path.relpath(library_path(), ROOT / "src")
    assert {"gaussmix/py.typed", "gaussmix/__init__.pyi", library} <= set(names)
    assert not [name for name in names if name.startswith("tests") or name.endswith(".pyc")]
    assert [name for name in names if name.endswith((".so", ".dylib", ".dll"))] == [library]
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*") if path.is_file()}
    wanted = {name for name in sources if "__pycache__" not in name and not name.endswith(RECORD_FILE)}
    assert wanted <= {os.path.normpath(name) for name in names}


def test_a_wheel_without_compiled_code_is_pure(tmp_path):
    pytest.importorskip("hatchling")
    done = build_wheel(tmp_path, GAUSSMIX_BUILD_TARGET="none")
    assert done.name.endswith("-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(done).namelist() if name.endswith((".so", ".dylib", ".dll"))]


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
