"""Guests keep to their rooms: as the files are written, and as they are loaded."""

import json
import subprocess
import sys

from tests.architecture.rooms import MODULES, Module

RESIDENTS = {"numpy", "scipy"}
GUESTS = {
    "sklearn": (
        "estimators",
        "anomaly/detector.py",
        "anomaly/stream.py",
        "classification/calibration.py",
        "classification/churn/churn_input.py",
        "classification/churn/churn_model.py",
        "classification/classifier.py",
        "classification/classifier_input.py",
        "classification/evaluation/influence.py",
        "classification/target.py",
        "classification/validation/",
        "comparison/assignment_comparison.py",
        "plots",
        "report",
        "cli",
    ),
    "matplotlib": ("plots",),
    "PIL": ("plots",),
    "jinja2": ("report",),
    "typer": ("cli",),
    "rich": ("cli", "selection/progress.py"),
    "pyarrow": ("cli",),
    "python_calamine": ("cli/spreadsheets.py",),
    "narwhals": (
        "classification/table/input_table.py",
        "classification/table/table_columns.py",
        "classification/validation/labelled_table.py",
    ),
    "cv2": ("tracking/video/",),
    "safetensors": ("model/archive.py",),
    "threadpoolctl": ("core/blas.py",),
    "numba": (
        "kernels/passes/",
        "kernels/fused/",
        "kernels/codegen/",
        "kernels/background/",
        "kernels/tracking/",
        "kernels/kmeans/",
    ),
    "llvmlite": ("kernels/",),
}
UNWELCOME = (
    "sklearn",
    "pyarrow",
    "python_calamine",
    "matplotlib",
    "typer",
    "rich",
    "jinja2",
    "narwhals",
    "pandas",
    "numba",
    "llvmlite",
    "torch",
    "cv2",
    "threadpoolctl",
)

FIT_FROM_MEMORY = """
import numpy as np
from gaussmix.covariance.structure import Structure
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers import EM, MeanGainRule, run_solver
from gaussmix.solvers.fit_record import make_fit_after_e_step
from gaussmix.solvers.initialization import initialize

rng = np.random.default_rng(0)
problem = Problem.from_source(make_memory_source(rng.normal(size=(40, 2))), Structure.from_name("VVV"))
start = initialize(problem, "kmeans", 2, rng)
result = run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule())
make_fit_after_e_step(result, problem, 0.0)
result.model.predict([[0.0, 0.0]])
"""
FIT_AN_ESTIMATOR = """
import numpy as np
from gaussmix import GaussianMixture

GaussianMixture(2, random_state=0).fit(np.arange(20.0).reshape(10, 2)).predict([[0.0, 1.0]])
"""
FIT_THEIRS = FIT_AN_ESTIMATOR.replace("from gaussmix", "from sklearn.mixture")


def loaded_by(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running some lines."""
    report = "\nimport json, sys\nprint(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def _lies_in(module: Module, room: str) -> bool:
    """Whether a file is a room, on its floor, or in its folder ('kernels/')."""
    return room in (module.room, module.name) or (room.endswith("/") and module.name.startswith(room))


def test_file_receives_no_guest_of_another_room() -> None:
    for module, (name, line) in ((each, found) for each in MODULES for found in each.imports()):
        package = name.split(".")[0]
        if package == "gaussmix" or package in RESIDENTS or package in sys.stdlib_module_names:
            continue
        rooms = GUESTS.get(package, ())
        assert any(_lies_in(module, room) for room in rooms), (
            f"{module.name} imports {package} in line {line}; it is a guest of {rooms or 'no room'}"
        )


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import gaussmix") & {"numpy", "scipy", "safetensors", *UNWELCOME}


def test_fit_through_the_solvers_loads_no_guest() -> None:
    assert not loaded_by(FIT_FROM_MEMORY) & set(UNWELCOME)


def test_fit_through_the_estimator_loads_what_sklearn_loads() -> None:
    ours, theirs = loaded_by(FIT_AN_ESTIMATOR), loaded_by(FIT_THEIRS)
    assert ours & set(UNWELCOME) <= theirs & set(UNWELCOME)


def test_compiled_code_loads_no_compiler() -> None:
    check = "\nimport sys\nassert 'gaussmix.engines.compiled' in sys.modules"
    assert not loaded_by(FIT_FROM_MEMORY + check) & {"numba", "llvmlite"}


def test_importing_the_estimator_loads_what_sklearn_loads() -> None:
    ours = loaded_by("from gaussmix import GaussianMixture")
    assert ours & set(UNWELCOME) <= loaded_by("import sklearn.mixture") & set(UNWELCOME)
