"""A row of X is reached from `GaussianMixture.fit` through few functions of our own."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixture
from gaussmix.core.threads import threads
from gaussmix.engines import numpy_engine
from gaussmix.engines.compiled import compiled_pass

# For each engine, the function that turns rows into moments. That of the compiled engine is the first function of the
# library, one below the last of ours that Python runs.
ROW_FUNCTIONS = {"numpy": (numpy_engine, "_accumulate_tile"), "compiled": (compiled_pass, "run_full_pass")}
MAX_FRAMES = {"numpy": 8, "compiled": 9}
ROOT = str(Path(gaussmix.__file__).parent)


@pytest.mark.parametrize("engine", ROW_FUNCTIONS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_row_is_few_frames_below_fit(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From `fit` to the function that turns rows into moments, in an iteration of EM."""
    chains: set[tuple[str, ...]] = set()
    module, name = ROW_FUNCTIONS[engine]
    turn_rows_into_moments = getattr(module, name)

    def record_and_call(*arguments: Any) -> Any:
        frame, chain = sys._getframe(1), [name]
        while frame is not None:
            if frame.f_code.co_filename.startswith(ROOT):
                chain.append(frame.f_code.co_name)
            frame = frame.f_back  # type: ignore[assignment]
        chains.add(tuple(reversed(chain)))
        return turn_rows_into_moments(*arguments)

    monkeypatch.setattr(module, name, record_and_call)
    rows = np.random.default_rng(0).normal(size=(300, 2))
    with threads(1):
        options = {"init_params": "random_from_data", "max_iter": 3, "tol": 0.0}
        GaussianMixture(3, random_state=0, engine=engine, **options).fit(rows)
    iterations = [chain for chain in chains if "run_solver" in chain and "e_step" in chain]
    assert iterations
    assert max(map(len, iterations)) <= MAX_FRAMES[engine], iterations
