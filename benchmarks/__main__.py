"""``python -m benchmarks peers`` and ``python -m benchmarks limit``; see --help of each."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.data import SHAPES, mixture_rows
from benchmarks.limits import floor_seconds, rates
from benchmarks.peers import PEERS


class Peer:
    """A peer in a process of its own, with the Python that has it installed; one line asks for one measurement."""

    def __init__(self, name, python, file, structure, passes):
        self.name = name
        command = [python, "-m", "benchmarks.peers", name, str(file), structure, str(passes)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.measured = []
        self.is_ready = self.process.stdout.readline().strip() == "ready"

    def measure(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.measured.append(json.loads(self.process.stdout.readline()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure_shape(shape, structure, pythons, runs, passes):
    """Alternating measurements of all peers on one shape: name -> list of {seconds, log_likelihood}."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.npz"
        rows, means = mixture_rows(*shape)
        np.savez(file, rows=rows, means=means)
        peers = [Peer(name, python, file, structure, passes) for name, python in pythons.items()]
        present = [peer for peer in peers if peer.is_ready]
        for _ in range(runs):
            for peer in present:
                peer.measure()
        for peer in present:
            peer.close()
    return {peer.name: peer.measured for peer in present}


def ratios(measured):
    """Peer's time over ours, run by run: median, smallest and largest."""
    ours = [one["seconds"] for one in measured["gaussmix"]]
    table = {}
    for name, runs in measured.items():
        pairs = [theirs["seconds"] / mine for theirs, mine in zip(runs, ours, strict=True)]
        table[name] = (median(pairs), min(pairs), max(pairs))
    return table


def commit():
    """The commit that was measured, marked where files had changed."""
    run = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"


def machine():
    """What the figures depend on."""
    versions = {name: metadata.version(name) for name in ("numpy", "scipy", "scikit-learn")}
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": commit(),
        **versions,
    }


def peers_command(arguments):
    """Print a row per shape and peer; write everything measured as JSON."""
    pythons = dict.fromkeys(PEERS, sys.executable) | dict(pair.split("=", 1) for pair in arguments.python)
    results = []
    print("| n, d, K | structure | peer | ms a pass (median) | peer / gaussmix: median (min - max) |")
    print("|---|---|---|---|---|")
    for structure in arguments.structures.split(","):
        for shape in SHAPES:
            measured = measure_shape(shape, structure, pythons, arguments.runs, arguments.passes)
            results.append({"shape": shape, "structure": structure, "measured": measured})
            for name, (middle, low, high) in ratios(measured).items():
                milliseconds = 1e3 * median(one["seconds"] for one in measured[name])
                size = ", ".join(f"{number:,}".replace(",", " ") for number in shape)
                print(f"| {size} | {structure} | {name} | {milliseconds:.1f} | {middle:.2f} ({low:.2f} - {high:.2f}) |")
    if arguments.output:
        Path(arguments.output).write_text(json.dumps({"machine": machine(), "results": results}, indent=1))


def limit_command(arguments):
    """Print our time over the floor that this machine's matrix products and exponentials set, in the same run."""
    flops, exponentials = rates()
    print(f"matrix product {flops / 1e9:.1f} GFLOP/s, exponentials {exponentials / 1e6:.0f} million/s (all cores)")
    for structure in arguments.structures.split(","):
        for shape in SHAPES:
            measured = measure_shape(shape, structure, {"gaussmix": sys.executable}, arguments.runs, arguments.passes)
            ours = median(one["seconds"] for one in measured["gaussmix"])
            floor = floor_seconds(shape, structure, flops, exponentials)
            print(f"{structure:9} {shape!s:20} {1e3 * ours:8.1f} ms, floor {1e3 * floor:7.1f} ms, {ours / floor:6.1f}x")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, function in (("peers", peers_command), ("limit", limit_command)):
        command = commands.add_parser(name, help=function.__doc__)
        command.set_defaults(function=function)
        command.add_argument("--structures", default="full", help="full,tied,diag,spherical")
        command.add_argument("--runs", type=int, default=5, help="alternating measurements of every peer")
        command.add_argument("--passes", type=int, default=4, help="passes after the first, averaged")
        if name == "peers":
            command.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="a peer's Python")
            command.add_argument("--output", help="JSON file for everything measured")
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
