"""Assemble RESULTS.md from the records of the commands: machine, versions, tables and notes."""

import json
from pathlib import Path

from benchmarks.adapters import PEERS
from benchmarks.commands import COMMANDS
from benchmarks.markdown import format_table

NOTES_FILE = Path(__file__).with_name("NOTES.md")


def build_report(json_files: list[str]) -> str:
    """Return the page of results, with one section per JSON file in the order of the commands."""
    records = [json.loads(Path(file).read_text(encoding="utf-8")) for file in json_files]
    records.sort(key=lambda record: list(COMMANDS).index(record["command"]))
    shared = _describe_environment(records[0]) if records else ""
    is_shared = all(_describe_environment(record) == shared for record in records)
    parts = ["# Results", _preamble(), *([shared] if is_shared and shared else [])]
    shown_commands: set[str] = set()
    for record in records:
        parts.append(_build_section(record, not is_shared, is_first_of_command=record["command"] not in shown_commands))
        shown_commands.add(record["command"])
    parts.append(_version_table(records))
    if NOTES_FILE.exists():
        parts.append(NOTES_FILE.read_text(encoding="utf-8").strip())
    return "\n\n".join(parts)


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


def _build_section(record: dict, with_environment: bool, is_first_of_command: bool) -> str:
    """Return the section of a record; the first section of a command has its title and explanation."""
    command = COMMANDS[record["command"]]
    options = record["arguments"]
    names = {"rounds": "rounds", "iterations": "iterations", "seeds": "seeds"}
    counts = ", ".join(f"{options[key]} {name}" for key, name in names.items() if key in options)
    origin = f"`python -m benchmarks {record['command']}`, {record['date']}" + (f", {counts}." if counts else ".")
    parts = [f"## {command.TITLE}", command.EXPLANATION, origin] if is_first_of_command else [origin]
    if with_environment:
        parts.append(_describe_environment(record))
    return "\n\n".join([*parts, command.format_results(record["results"])])


def _version_table(records: list[dict]) -> str:
    """Return the table of the libraries with the versions of their packages and of Python."""
    rows: dict[str, list[str]] = {}
    for record in records:
        interpreters = dict(pair.split("=", 1) for pair in record["arguments"].get("python", []))
        names = record["arguments"].get("peers", "gaussmix,scikit-learn").split(",")
        for name in names:
            default = "Rscript" if name == "mclust" else next(iter(record["interpreters"]))
            installed = record["interpreters"].get(interpreters.get(name, default))
            if installed is not None and PEERS[name].package_names[0] in installed["packages"]:
                packages = installed["packages"]
                versions = [f"{package} {packages.get(package, '?')}" for package in PEERS[name].package_names]
                rows[name] = [name, ", ".join(versions), installed["python"]]
    return "## Versions\n\n" + format_table(["library", "packages", "Python"], list(rows.values()))
