"""Small files, small functions, small classes; everything public says what it is for."""

import ast

from tests.architecture.rooms import MODULES, Function, Module, is_property, own_lines

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
LONGEST_KERNEL = 80  # splitting compiled code costs time, to compile and to run
KERNEL_ROOMS = tuple(
    f"kernels/{room}/"
    for room in ("agglomeration", "codegen", "passes", "fused", "background", "tracking", "missing_cells")
)
MOST_METHODS = 15  # functions of a class body, without properties and dunders


def test_file_is_short() -> None:
    long = {module.name: len(module.text.splitlines()) for module in MODULES}
    long = {name: n_lines for name, n_lines in long.items() if n_lines > LONGEST_FILE}
    assert not long, f"{long} lines; find the second concept in each"


def _allowed(module: Module, function: Function) -> int:
    """Kernels, and the functions that write out their instructions, may be longer."""
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    is_kernel = decorators & {"kernel", "entry_point", "intrinsic"} or function.name == "codegen"
    return LONGEST_KERNEL if is_kernel and module.name.startswith(KERNEL_ROOMS) else LONGEST_FUNCTION


def test_functions_are_short() -> None:
    every = [(module, function) for module in MODULES for function in module.functions()]
    long = {f"{m.name}: {f.name}": own_lines(f) for m, f in every if own_lines(f) > _allowed(m, f)}
    assert not long, f"{long} lines; name a step of each and make it a function"


def test_classes_have_few_methods() -> None:
    for found in (found for module in MODULES for found in module.classes()):
        methods = [
            node.name
            for node in found.body
            if isinstance(node, ast.FunctionDef) and not is_property(node) and not node.name.startswith("__")
        ]
        assert len(methods) <= MOST_METHODS, f"{found.name} has {len(methods)} methods; make verbs functions: {methods}"


def test_modules_and_public_names_are_documented() -> None:
    for module in MODULES:
        assert ast.get_docstring(module.tree), f"{module.name} does not say why it exists"
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{module.name}: {node.name} has no docstring"
