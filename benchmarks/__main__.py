"""``python -m benchmarks COMMAND``: measure, print a table, and write everything measured as JSON.

``python -m benchmarks report JSON... > benchmarks/RESULTS.md`` makes the page.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.adapters import PEERS
from benchmarks.commands import COMMANDS
from benchmarks.commands.arguments import parse_interpreters, parse_peer_names
from benchmarks.machine import build_record_header
from benchmarks.report import build_report
from benchmarks.round_robin import interpreter_path


def _run_command(arguments: argparse.Namespace) -> None:
    """Measure, print, write."""
    command = COMMANDS[arguments.command]
    names = parse_peer_names(arguments) if hasattr(arguments, "peers") else []
    programs = [interpreter_path(name, parse_interpreters(arguments)) for name in names]
    given = {key: value for key, value in vars(arguments).items() if key not in ("command", "output")}
    record = build_record_header(arguments.command, given, programs)
    record["measured"] = command.run_benchmark(arguments)
    if arguments.output:
        Path(arguments.output).write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(command.format_results(record["measured"]))


def main(argv: list[str] | None = None) -> None:
    """Read the command line and do as it says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=f"peers: {', '.join(PEERS)}"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.__doc__, description=command.EXPLANATION)
        command.add_arguments(one)
        one.add_argument("--output", help="JSON file for everything measured")
    page = commands.add_parser("report", help="the page made of JSON files, on standard output")
    page.add_argument("files", nargs="+", metavar="JSON")
    arguments = parser.parse_args(argv)
    if arguments.command == "report":
        sys.stdout.write(build_report(arguments.files) + "\n")
    else:
        _run_command(arguments)


if __name__ == "__main__":
    main()
