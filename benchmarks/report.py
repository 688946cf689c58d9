"""RESULTS.md from what the commands wrote: machine, versions, tables, and notes by hand at the end."""

import json
from pathlib import Path

from benchmarks.adapters import PEERS
from benchmarks.commands import COMMANDS
from benchmarks.markdown import format_table

NOTES_FILE = Path(__file__).with_name("NOTES.md")


def build_report(json_files: list[str]) -> str:
    """The page, with a section for each file in the order of the commands."""
    records = [json.loads(Path(file).read_text(encoding="utf-8")) for file in json_files]
    records.sort(key=lambda record: list(COMMANDS).index(record["command"]))
    shared = _describe_environment(records[0]) if records else ""
    is_shared = all(_describe_environment(record) == shared for record in records)
    parts = ["# Results", _preamble(), *([shared] if is_shared and shared else [])]
    told: set[str] = set()
    for record in records:
        parts.append(_build_section(record, not is_shared, is_first_of_command=record["command"] not in told))
        told.add(record["command"])
    parts.append(_version_table(records))
    if NOTES_FILE.exists():
        parts.append(NOTES_FILE.read_text(encoding="utf-8").strip())
    return "\n\n".join(parts)


def _preamble() -> str:
    return (
        "Measured by `python -m benchmarks`, and put together by `python -m benchmarks report`; nothing here is "
        "written by hand but the notes at the end. Figures of another machine differ; ratios differ less."
    )


def _describe_environment(record: dict) -> str:
    """Machine, system and commit in words."""
    machine = record["machine"]
    lines = [
        f"- Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB",
        f"- Instruction sets: {', '.join(machine['instructions']) or 'unknown'}",
        f"- System: {machine['system']}",
        f"- Commit: {record['commit']}",
    ]
    if machine["threads"]:
        lines.append("- Set: " + ", ".join(f"{name}={value}" for name, value in machine["threads"].items()))
    return "\n".join(lines)


def _build_section(record: dict, with_environment: bool, is_first_of_command: bool) -> str:
    """What a command measured; its title and what it does stand before the first of its sections."""
    command = COMMANDS[record["command"]]
    given = record["arguments"]
    numbers = {"runs": "rounds", "passes": "passes", "seeds": "seeds", "repeats": "rounds"}
    counts = ", ".join(f"{given[key]} {word}" for key, word in numbers.items() if key in given)
    made = f"`python -m benchmarks {record['command']}`, {record['date']}" + (f", {counts}." if counts else ".")
    parts = [f"## {command.TITLE}", command.EXPLANATION, made] if is_first_of_command else [made]
    if with_environment:
        parts.append(_describe_environment(record))
    return "\n\n".join([*parts, command.format_results(record["measured"])])


def _version_table(records: list[dict]) -> str:
    """Who took part, in which version, in which Python."""
    rows: dict[str, list[str]] = {}
    for record in records:
        given = dict(pair.split("=", 1) for pair in record["arguments"].get("python", []))
        names = record["arguments"].get("peers", "gaussmix,scikit-learn").split(",")
        for name in names:
            default = "Rscript" if name == "mclust" else next(iter(record["pythons"]))
            held = record["pythons"].get(given.get(name, default))
            if held is not None and PEERS[name].package_names[0] in held["packages"]:
                versions = [f"{one} {held['packages'].get(one, '?')}" for one in PEERS[name].package_names]
                rows[name] = [name, ", ".join(versions), held["python"]]
    return "## Versions\n\n" + format_table(["library", "packages", "Python"], list(rows.values()))
