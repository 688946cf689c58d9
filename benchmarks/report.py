"""RESULTS.md from what the commands wrote: machine, versions, tables, and notes by hand at the end."""

import json
from pathlib import Path

from benchmarks.adapters import PEERS
from benchmarks.commands import COMMANDS
from benchmarks.markdown import table

NOTES = Path(__file__).with_name("NOTES.md")


def report(files: list[str]) -> str:
    """The page, with a section for each file in the order of the commands."""
    records = [json.loads(Path(file).read_text(encoding="utf-8")) for file in files]
    records.sort(key=lambda record: list(COMMANDS).index(record["command"]))
    shared = _surroundings(records[0]) if records else ""
    is_shared = all(_surroundings(record) == shared for record in records)
    parts = ["# Results", _how_made(), *([shared] if is_shared and shared else [])]
    told: set[str] = set()
    for record in records:
        parts.append(_section(record, not is_shared, is_new=record["command"] not in told))
        told.add(record["command"])
    parts.append(_versions(records))
    if NOTES.exists():
        parts.append(NOTES.read_text(encoding="utf-8").strip())
    return "\n\n".join(parts)


def _how_made() -> str:
    return (
        "Measured by `python -m benchmarks`, and put together by `python -m benchmarks report`; nothing here is "
        "written by hand but the notes at the end. Figures of another machine differ; ratios differ less."
    )


def _surroundings(record: dict) -> str:
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


def _section(record: dict, with_surroundings: bool, is_new: bool) -> str:
    """What a command measured; its title and what it does stand before the first of its sections."""
    command = COMMANDS[record["command"]]
    given = record["arguments"]
    numbers = {"runs": "rounds", "passes": "passes", "seeds": "seeds", "repeats": "rounds"}
    counts = ", ".join(f"{given[key]} {word}" for key, word in numbers.items() if key in given)
    made = f"`python -m benchmarks {record['command']}`, {record['date']}" + (f", {counts}." if counts else ".")
    parts = [f"## {command.TITLE}", command.EXPLANATION, made] if is_new else [made]
    if with_surroundings:
        parts.append(_surroundings(record))
    return "\n\n".join([*parts, command.markdown(record["measured"])])


def _versions(records: list[dict]) -> str:
    """Who took part, in which version, in which Python."""
    rows: dict[str, list[str]] = {}
    for record in records:
        given = dict(pair.split("=", 1) for pair in record["arguments"].get("python", []))
        names = record["arguments"].get("peers", "gaussmix,scikit-learn").split(",")
        for name in names:
            default = "Rscript" if name == "mclust" else next(iter(record["pythons"]))
            held = record["pythons"].get(given.get(name, default))
            if held is not None and PEERS[name].distributions[0] in held["packages"]:
                versions = [f"{one} {held['packages'].get(one, '?')}" for one in PEERS[name].distributions]
                rows[name] = [name, ", ".join(versions), held["python"]]
    return "## Versions\n\n" + table(["library", "packages", "Python"], list(rows.values()))
