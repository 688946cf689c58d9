"""The code on the pages of ``docs`` runs: shell and Python blocks in the order they stand, in one namespace."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gaussmix.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["anomalies.md", "churn.md", "tracking.md"]


def read_blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the code of the shell and Python blocks of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```(sh|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_shell(commands: str) -> None:
    """Run commands of the program in this process."""
    for line in commands.splitlines():
        program, *words = shlex.split(line)
        assert program == "gaussmix"
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas", reason="the page reads its files with pandas")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    blocks = read_blocks(page)
    assert {language for language, _ in blocks} == {"sh", "python"}
    for number, (language, code) in enumerate(blocks, start=1):
        if language == "sh":
            run_shell(code)
        else:
            exec(compile(code, f"{page}, block {number}", "exec"), namespace)
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert targets
    assert all((ROOT / "docs" / target).exists() for target in targets)
