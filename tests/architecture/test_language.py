"""Names and sentences that a program can judge: no bare participles, no small rooms, no long sentences."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.architecture.rooms import MODULES, Module

MAX_WORDS = 40
MIN_MODULE_LINES = 40
ENTRY_POINTS = ("__init__.py", "__main__.py", "_version.py", "cli/info.py")  # a command is a file

IRREGULAR_PARTICIPLES = frozenset(
    """
    begun told given seen held lent dealt shown grown drawn taken made cut left kept found chosen known thrown spent
    sent led put met done gone come become built bought caught fed felt got heard hid hit hurt laid lost meant paid
    ridden risen said sold set shut slept sought stood stuck sung sunk swept taught thought torn understood won worn
    wound written beside apart ahead away
    """.split()  # noqa: SIM905
)
PARTICIPLES_THAT_ARE_NOUNS = {"seed", "feed", "need", "speed", "shed", "bed", "read"}


def is_bare_participle(name: str) -> bool:
    """Return whether a name is one word, and that word a participle or an adverb."""
    word = name.strip("_")
    if "_" in word or word in PARTICIPLES_THAT_ARE_NOUNS:
        return False
    return word in IRREGULAR_PARTICIPLES or (word.endswith("ed") and len(word) > 3)


def test_functions_are_not_named_by_bare_participles() -> None:
    bad = [
        f"{module.name}: {function.name} (line {function.lineno})"
        for module in MODULES
        for function in module.functions()
        if is_bare_participle(function.name)
    ]
    assert not bad, f"name these functions by a verb and its object, or by what they return: {bad}"


@pytest.mark.parametrize("name", ["begun", "_told", "mixed", "settled", "apart"])
def test_bare_participles_are_recognised(name: str) -> None:
    assert is_bare_participle(name)


@pytest.mark.parametrize("name", ["seed", "fit_predict", "is_fitted", "compute_scores", "scatter", "sorted_rows"])
def test_other_names_are_not(name: str) -> None:
    assert not is_bare_participle(name)


def importers() -> dict[str, set[str]]:
    """Return the modules that import each module, by dotted names below the package."""
    names = {dotted_name(module) for module in MODULES}
    found: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found[submodule if submodule in names else node.module].add(module.name)
    return found


def dotted_name(module: Module) -> str:
    return "gaussmix." + module.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_no_small_module_has_a_single_importer() -> None:
    users = importers()
    small = {
        module.name: len(module.text.splitlines())
        for module in MODULES
        if len(module.text.splitlines()) < MIN_MODULE_LINES
        and not module.name.endswith(ENTRY_POINTS)
        and len(users[dotted_name(module)]) <= 1
    }
    assert not small, f"{small} lines and one importer each: fold each into its importer"


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a docstring or message: paragraphs and list items, without examples and tables."""
    for paragraph in re.split(r"\n\s*\n|\n\s*[-*] |\n\s*\d+\. ", text):
        if re.search(r"^\s*(>>>|\.\. |---|\|)", paragraph, re.MULTILINE):
            continue
        yield from re.split(r"(?<=[.!?:;])\s+", " ".join(paragraph.split()))


def public_docstrings(module: Module) -> Iterator[tuple[str, str]]:
    """Yield the name and docstring of the module and of every public class, function and method."""

    def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, str]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
                yield f"{prefix}{child.name}", ast.get_docstring(child) or ""
                if isinstance(child, ast.ClassDef):
                    yield from visit(child, f"{prefix}{child.name}.")

    yield "module", ast.get_docstring(module.tree) or ""
    yield from visit(module.tree, "")


def test_sentences_of_public_docstrings_are_short() -> None:
    long = [
        f"{module.name}: {name}: {sentence[:60]}..."
        for module in MODULES
        for name, text in public_docstrings(module)
        for sentence in sentences(text)
        if len(sentence.split()) > MAX_WORDS
    ]
    assert not long, f"{len(long)} sentences have more than {MAX_WORDS} words: {long}"


def test_sentences_of_errors_are_short() -> None:
    """Placeholders count as one word each."""
    long = []
    for module in (module for module in MODULES if module.room == "errors"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            long += [f"{module.name}: {s[:60]}..." for s in sentences(text) if len(s.split()) > MAX_WORDS]
    assert not long, f"error sentences of more than {MAX_WORDS} words: {long}"


def test_everything_public_is_documented() -> None:
    """Methods that implement or override a documented method of a base class inherit its docstring."""
    documented = {
        (node.name, child.name)
        for module in MODULES
        for node in module.classes()
        for child in node.body
        if isinstance(child, ast.FunctionDef) and ast.get_docstring(child)
    }
    bases = {node.name: [ast.unparse(b).split("[")[0] for b in node.bases] for m in MODULES for node in m.classes()}

    def inherits(owner: str, method: str) -> bool:
        return any((base, method) in documented or inherits(base, method) for base in bases.get(owner, ()))

    missing = []
    for module in MODULES:
        for name, text in public_docstrings(module):
            owner, _, method = name.rpartition(".")
            if not text and not (owner and inherits(owner, method)):
                missing.append(f"{module.name}: {name}")
    assert not missing, f"{len(missing)} public names have no docstring: {missing}"
