"""Words a room never says: a line should know which room it is in."""

import ast

from tests.architecture.rooms import MODULES, words

NEVER = {
    "core": {"solver", "criterion", "parquet", "X"},
    "covariance": {"responsibility", "responsibilities", "device", "path", "X"},
    "sources": {"component", "components", "likelihood", "scatter", "covariance"},
    "engines": {"family", "criterion", "parquet", "estimator"},
    "model": {"iteration", "iterations", "device"},
    "solvers": {"parquet", "cuda", "device", "path", "X"},
    "selection": {"root", "roots", "path", "device"},
    "comparison": {"root", "roots", "path", "device"},
    "estimators": {"einsum", "logsumexp", "parquet"},
    "plots": {"einsum", "cholesky", "parquet"},
    "report": {"einsum", "cholesky", "parquet"},
    "cli": {"einsum", "cholesky"},
}

STRUCTURES_ARE_NAMED_IN = {
    "covariance",
    "model",
    "selection",
    "comparison",
    "estimators",
    "plots",
    "report",
    "cli",
}
NAMED_AFTER_STRUCTURES = {  # tables of criteria, by their names in the literature
    "solvers/initialization/merge_criteria.py",
    "solvers/initialization/hierarchical_clustering.py",
}
LETTERS = {volume + shape + turn for volume in "EV" for shape in "IEV" for turn in "IEV"}


def test_room_keeps_to_its_words() -> None:
    for module in MODULES:
        never = NEVER.get(module.room, set())
        said = [f"{name} (line {line})" for name, line in module.identifiers() if words(name) & never]
        assert not said, f"{module.room} never says {sorted(never)}, but {module.name} says {', '.join(said)}"


def test_structures_are_named_only_where_they_are_chosen() -> None:
    for module in MODULES:
        if module.room in STRUCTURES_ARE_NAMED_IN or module.name in NAMED_AFTER_STRUCTURES:
            continue
        literals = {node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant)}
        assert not literals & LETTERS, f"{module.name} branches on a structure's name; ask the Structure instead"


def test_words_are_split_as_people_read_them() -> None:
    assert words("parse_rows") == {"parse", "rows"}
    assert words("FileProblem") == {"file", "problem"}
    assert words("X") == {"X"}
    assert words("_BLOCK_BYTES") == {"block", "bytes"}
    assert words("log2Likelihood") == {"log", "2", "likelihood"}
