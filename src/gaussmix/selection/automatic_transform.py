"""The transform 'auto' of a search: Yeo-Johnson for those skewed or heavy-tailed columns whose BIC it lowers.

Each such column is searched on its own, as it is and transformed. A search over all columns for every choice of
transformed columns would take twice as long for each column.
"""

import math
from collections.abc import Sequence

from gaussmix.core.random_numbers import make_generator
from gaussmix.covariance.structure import Structure
from gaussmix.diagnostics import ColumnDiagnosis
from gaussmix.engines.resolver import resolve_engine
from gaussmix.model.problem import make_memory_source
from gaussmix.selection.progress import make_progress_callback
from gaussmix.selection.search_problem import SearchProblem
from gaussmix.selection.search_schedule import SearchPlan, run_search
from gaussmix.transforms import TransformedRows, TransformLike
from gaussmix.types import AnyArray, N

AUTOMATIC_TRANSFORM = "auto"
_TRANSFORM = "yeo-johnson"
_MENDED_KINDS = ("skewed", "left-skewed", "heavy tails")  # a transform leaves repeated values repeated
_STRUCTURE = "VII"  # with one column, the most general one
_COMPONENT_COUNTS = range(1, 6)


def choose_transforms(
    rows: AnyArray, weights: N | None, column_diagnoses: Sequence[ColumnDiagnosis]
) -> dict[int, str | None]:
    """Return the transforms, by position, of those diagnosed columns of rows (n, D) whose BIC Yeo-Johnson lowers."""
    positions = [diagnosis.column for diagnosis in column_diagnoses if diagnosis.kind in _MENDED_KINDS]
    columns = {position: rows[:, [position]] for position in positions}
    return {
        position: _TRANSFORM
        for position, column in columns.items()
        if _lowest_bic(column, weights, _TRANSFORM) < _lowest_bic(column, weights, None)
    }


def _lowest_bic(column: AnyArray, weights: N | None, transform: TransformLike) -> float:
    """Return the lowest BIC of 1 to 5 components for a column (n, 1), in its own units; infinity if all fits fail."""
    transformed = TransformedRows.from_rows(transform, column, weights)
    source, structures = make_memory_source(transformed.rows, weights), [Structure.from_name(_STRUCTURE)]
    engine = resolve_engine("auto", len(column))
    problem = SearchProblem.from_source(source, structures, _COMPONENT_COUNTS[-1], 1, engine, make_generator(0))
    with make_progress_callback(None, "") as callback:
        plan = SearchPlan(problem, structures, _COMPONENT_COUNTS, may_go_on=False)
        found = run_search(plan, "bic", 1, callback)
    total_weight = float(len(column) if weights is None else weights.sum())
    candidates = (candidate.with_transforms(transformed, total_weight) for candidate in found)
    return min((candidate.criteria["bic"] for candidate in candidates if candidate.is_eligible), default=math.inf)
