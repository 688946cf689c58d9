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
    "anomaly",
    "classification",
    "comparison",
    "tracking",
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


def compares_structure_letters(node: ast.Compare) -> bool:
    """Return whether a comparison is one of a structure's name or letter with a text."""
    operands = [node.left, *node.comparators]
    has_text = any(isinstance(child, ast.Constant) and isinstance(child.value, str) for child in operands)
    named = (ast.unparse(operand) for operand in operands if not isinstance(operand, ast.Constant))
    return has_text and any(
        name.endswith((".orientation", ".volume", "structure.shape"))
        or (name.startswith("str(") and "structure" in name)
        for name in named
    )


def test_letters_are_compared_in_covariance_only() -> None:
    bad = [
        f"{module.name} (line {node.lineno})"
        for module in MODULES
        if module.room != "covariance"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Compare) and compares_structure_letters(node)
    ]
    assert not bad, f"ask the structure by a property such as is_axis_aligned: {bad}"


def test_comparisons_of_letters_are_recognised() -> None:
    for text in ('structure.orientation == "I"', 'str(self.structure) != "EEE"', '"I" == a.structure.shape'):
        assert compares_structure_letters(ast.parse(text, mode="eval").body)  # type: ignore[arg-type]
    assert not compares_structure_letters(ast.parse("rows.shape == (3,)", mode="eval").body)  # type: ignore[arg-type]
