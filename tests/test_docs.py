"""The Python code of the documentation pages runs, page by page, from the root of the repository."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("page", ["anomalies.md"])
def test_code_of_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("pictures"))
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL), start=1):
        exec(compile(block, f"{page}, Python block {number}", "exec"), namespace)
    printed = capsys.readouterr().out
    assert "anomalies in 3 groups" in printed
    assert "[1]" in printed
    assert "drift" in printed.lower()
