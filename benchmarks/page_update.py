"""Replace some sections of a page of results and keep the others as they are."""

import re

from benchmarks.commands import COMMANDS
from benchmarks.report import VERSIONS_TITLE, build_sections, format_table_of_versions, list_versions, load_records

_SECTION_START = re.compile(r"^## ", flags=re.MULTILINE)


def update_page(page: str, json_files: list[str]) -> str:
    """Return the page with new sections of the commands of the records, and with the versions of their libraries."""
    preamble, *texts = _SECTION_START.split(page.strip())
    sections = _by_title(texts)
    records = load_records(json_files)
    new_texts = _SECTION_START.split("\n\n".join(build_sections(records, with_environment=True)))[1:]
    sections.update(_by_title(new_texts))
    versions = {**_parse_versions(sections.pop(VERSIONS_TITLE, "")), **list_versions(records)}
    measured = [sections.pop(command.TITLE) for command in COMMANDS.values() if command.TITLE in sections]
    parts = [*measured, format_table_of_versions(versions).removeprefix("## "), *sections.values()]
    return "\n\n## ".join([preamble.strip(), *parts])


def _by_title(texts: list[str]) -> dict[str, str]:
    """Return sections without their leading '## ' by title."""
    return {text.partition("\n")[0].strip(): text.strip() for text in texts}


def _parse_versions(section: str) -> dict[str, list[str]]:
    """Return the rows of the section of the versions by library."""
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row for row in rows}
