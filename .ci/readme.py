"""The README as a program: print its n-th shell command, or run its Python code in the order it stands."""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def main() -> None:
    """``command N`` prints shell block N (from 1) on one line; ``run`` executes all Python blocks in one namespace."""
    if sys.argv[1] == "command":
        print(blocks("sh")[int(sys.argv[2]) - 1].strip())
        return
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(blocks("python"), start=1):
        exec(compile(block, f"README.md, Python block {number}", "exec"), namespace)
    print(f"{len(blocks('python'))} Python blocks of the README ran")


if __name__ == "__main__":
    main()
