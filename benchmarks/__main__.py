"""Command line: ``python -m benchmarks COMMAND`` runs a benchmark, prints a table and writes the results as JSON.

``python -m benchmarks report JSON... > benchmarks/RESULTS.md`` assembles the page of results.
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
    """Run a benchmark, write its record as JSON and print its table."""
    command = COMMANDS[arguments.command]
    names = parse_peer_names(arguments) if hasattr(arguments, "peers") else []
    interpreters = [interpreter_path(name, parse_interpreters(arguments)) for name in names]
    options = {key: value for key, value in vars(arguments).items() if key not in ("command", "output")}
    record = build_record_header(arguments.command, options, interpreters)
    record["results"] = command.run_benchmark(arguments)
    if arguments.output:
        Path(arguments.output).write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(command.format_results(record["results"]))


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=f"peers: {', '.join(PEERS)}"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command_parser = commands.add_parser(name, help=command.__doc__, description=command.EXPLANATION)
        command.add_arguments(command_parser)
        command_parser.add_argument("--output", help="JSON file for the results")
    report_parser = commands.add_parser("report", help="print the page of results from JSON files")
    report_parser.add_argument("files", nargs="+", metavar="JSON")
    arguments = parser.parse_args(argv)
    if arguments.command == "report":
        sys.stdout.write(build_report(arguments.files) + "\n")
    else:
        _run_command(arguments)


if __name__ == "__main__":
    main()
