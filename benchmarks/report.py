"""Assemble RESULTS.md from the records of the commands: machine, versions, tables and notes."""

import json
from itertools import groupby
from pathlib import Path

from benchmarks.adapters import PACKAGE_NAMES
from benchmarks.commands import COMMANDS
from benchmarks.markdown import format_table

VERSIONS_TITLE = "Versions"
NOTES_FILE = Path(__file__).with_name("NOTES.md")


def build_report(json_files: list[str]) -> str:
    """Return the page of results, with the sections in the order of the commands."""
    records = load_records(json_files)
    shared = _describe_environment(records[0]) if records else ""
    is_shared = all(_describe_environment(record) == shared for record in records)
    parts = ["# Results", _preamble(), *([shared] if is_shared and shared else [])]
    parts += build_sections(records, with_environment=not is_shared)
    parts.append(format_table_of_versions(list_versions(records)))
    if NOTES_FILE.exists():
        parts.append(NOTES_FILE.read_text(encoding="utf-8").strip())
    return "\n\n".join(parts)


def load_records(json_files: list[str]) -> list[dict]:
    """Return the records of some files in the order of the commands."""
    records = [json.loads(Path(file).read_text(encoding="utf-8")) for file in json_files]
    return sorted(records, key=lambda record: list(COMMANDS).index(record["command"]))


def build_sections(records: list[dict], with_environment: bool) -> list[str]:
    """Return the sections of records that are in the order of the commands."""
    sections = []
    for name, group in groupby(records, key=lambda record: record["command"]):
        of_command = list(group)
        mergeable = hasattr(COMMANDS[name], "merge_results")
        parts = [of_command] if mergeable else [[record] for record in of_command]
        sections += [_build_section(part, with_environment, is_first_of_command=part is parts[0]) for part in parts]
    return sections


def _preamble() -> str:
    """Return the first paragraph of the page."""
    return (
        "Measured by `python -m benchmarks` and assembled by `python -m benchmarks report`. Only the notes at the end "
        "are written by hand. Times depend on the machine; ratios depend on it less."
    )


def _describe_environment(record: dict) -> str:
    """Return the machine, the system and the commit as a list."""
    machine = record["machine"]
    lines = [
        f"- Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB",
        f"- Instruction sets: {', '.join(machine['instructions']) or 'unknown'}",
        f"- System: {machine['system']}",
        f"- Commit: {record['commit']}",
    ]
    if machine["threads"]:
        lines.append("- Environment: " + ", ".join(f"{name}={value}" for name, value in machine["threads"].items()))
    return "\n".join(lines)


def _build_section(records: list[dict], with_environment: bool, is_first_of_command: bool) -> str:
    """Return the section of a record, or of several ones whose results the command merges.

    The first section of a command has its title and explanation.
    """
    command = COMMANDS[records[0]["command"]]
    parts = [f"## {command.TITLE}", command.EXPLANATION] if is_first_of_command else []
    origins: dict[str, list[str]] = {}
    for record in records:
        environment = _describe_environment(record) if with_environment else ""
        origins.setdefault(environment, []).append(_describe_origin(record))
    for environment, lines in origins.items():
        parts += [*dict.fromkeys(lines), *([environment] if environment else [])]
    results = [record["results"] for record in records]
    parts.append(command.format_results(results[0] if len(results) == 1 else command.merge_results(results)))
    return "\n\n".join(parts)


def _describe_origin(record: dict) -> str:
    """Return the command with its flags, the date, the numbers of repetitions and the load of a record."""
    options = record["arguments"]
    names = {"rounds": "rounds", "iterations": "iterations", "seeds": "seeds"}
    counts = ", ".join(f"{options[key]} {name}" for key, name in names.items() if key in options)
    flags = "".join(f" --{name}" for name, value in options.items() if value is True)
    load = record["machine"].get("load")
    parts = [f"`python -m benchmarks {record['command']}{flags}`", record["date"]]
    parts += [counts] if counts else []
    parts += [] if load is None else [f"load {load:g} at the start"]
    return ", ".join(parts) + "."


def list_versions(records: list[dict]) -> dict[str, list[str]]:
    """Return for each library its name, the versions of its packages and of Python."""
    rows: dict[str, list[str]] = {}
    for record in records:
        interpreters = dict(pair.split("=", 1) for pair in record["arguments"].get("python", []))
        names = record["arguments"].get("peers", "gaussmix,scikit-learn").split(",")
        for name in names:
            default = "Rscript" if name == "mclust" else next(iter(record["interpreters"]))
            installed = record["interpreters"].get(interpreters.get(name, default))
            if installed is not None and PACKAGE_NAMES[name][0] in installed["packages"]:
                packages = installed["packages"]
                versions = [f"{package} {packages.get(package, '?')}" for package in PACKAGE_NAMES[name]]
                rows[name] = [name, ", ".join(versions), installed["python"]]
    return rows


def format_table_of_versions(versions: dict[str, list[str]]) -> str:
    """Return the section of the versions."""
    table = format_table(["library", "packages", "Python"], list(versions.values()))
    return f"## {VERSIONS_TITLE}\n\n{table}"
