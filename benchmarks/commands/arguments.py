"""Arguments that several commands take."""

from argparse import ArgumentParser, Namespace

from benchmarks.adapters import PEERS


def add_runs(parser: ArgumentParser, default: int = 5) -> None:
    """--runs"""
    parser.add_argument("--runs", type=int, default=default, help="rounds; a figure is the median over them")


def add_passes(parser: ArgumentParser) -> None:
    """--passes"""
    parser.add_argument("--passes", type=int, default=4, help="passes after the first, averaged")


def add_cases(parser: ArgumentParser) -> None:
    """--structures and --shapes"""
    parser.add_argument("--structures", help="full,tied,diag,spherical; the default is every case there is")
    parser.add_argument("--shapes", nargs="+", metavar="n,d,K[,separation]", help="instead of the usual shapes")


def add_peers(parser: ArgumentParser, default: str) -> None:
    """--peers and --python"""
    parser.add_argument("--peers", default=default, help=f"comma between; default: {default}")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="the Python that has a peer installed (for mclust the Rscript); may be repeated",
    )


def parse_peer_names(arguments: Namespace) -> list[str]:
    """The peers that were asked for, checked."""
    names = arguments.peers.split(",")
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise SystemExit(f"--peers: {', '.join(unknown)} unknown; there are {', '.join(PEERS)}")
    return names


def parse_interpreters(arguments: Namespace) -> dict[str, str]:
    """Peer -> program, as given with --python."""
    pairs = [pair.partition("=") for pair in getattr(arguments, "python", [])]
    wrong = [name for name, _, path in pairs if name not in PEERS or not path]
    if wrong:
        raise SystemExit(f"--python takes PEER=PATH with a peer of {', '.join(PEERS)}, not {', '.join(wrong)}")
    return {name: path for name, _, path in pairs}
