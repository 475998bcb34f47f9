"""The command line.

Quick commands stay quick: Beam, pyarrow and TensorFlow are imported by the
commands that need them, when they need them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from beam_thunder import __version__
from beam_thunder.catalog import CATALOG, Kind, find
from beam_thunder.errors import BuildRefused, UserError
from beam_thunder.quiet import import_tfdv, quieten, silence

_GOES_ON = "the same command goes on where it was"
_LEFT_BY = {
    "build": "nothing was published",
    "fetch": _GOES_ON,
    "generate": _GOES_ON,
    "stream": _GOES_ON,
}
"""What an interruption leaves, by command."""

_BUILD_HELP = """\
Reads the raw files of the recipe's datasets, makes SFT rows and preference pairs,
and publishes them as Parquet shards, all at once or not at all.

Every option of Apache Beam's runners can be added, for instance:
  --direct_num_workers 2 --direct_running_mode multi_processing
  --runner FlinkRunner --flink_master HOST:8081
"""


_GENERATE_HELP = """\
Asks each model for what is missing of its answers, and keeps them below --out:
DATASET/MODEL/part-*.parquet. Every answer is durable within seconds, so it can be
killed at any moment; the same command goes on where it was.

A vLLM server is started for each model, one after the other, and stopped afterwards,
unless --vllm-url names servers that run already. Their key, if they need one, is
taken from the environment variable VLLM_API_KEY.

Every option of Apache Beam's runners can be added.
"""


_STREAM_HELP = """\
Watches for raw files. Whenever a window is over, the files that came in it are read,
answered where the recipe has models, graded, paired and validated, and published:
DATASET/TABLE/window=START/*.parquet, with manifest and report below
windows/DATASET/window=START. A window with anomalies goes to quarantine/ instead, and
the stream goes on. A question that an earlier window has is left out.

It can be killed at any moment; the same command goes on where it was.

It needs a runner that streams: PrismRunner (the default, after `make prism`),
FlinkRunner or DataflowRunner. Every option of Apache Beam's runners can be added.
"""


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(
        prog="beam-thunder",
        description="Builds the Llama-Thunder-LLM post-training datasets with Apache Beam.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"beam-thunder {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("sources", help="list the 18 datasets of the published table")

    fetch = commands.add_parser(
        "fetch", help="download raw files from the Hugging Face Hub", allow_abbrev=False
    )
    fetch.add_argument(
        "datasets",
        nargs="*",
        metavar="DATASET",
        help="names as `beam-thunder sources` lists them, or `processed` or `synthetic` for "
        "all of a kind; all processed ones if none is given",
    )
    fetch.add_argument("--to", required=True, type=Path, metavar="DIR", help="the raw folder")
    fetch.add_argument("--revision", help="branch, tag or commit of the Hub repositories")

    build = commands.add_parser(
        "build",
        help="build the datasets of a recipe",
        description=_BUILD_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    build.add_argument("recipe", type=Path, metavar="RECIPE", help="a YAML file, see recipes/")
    build.add_argument("--raw", required=True, metavar="DIR", help="folder of the raw files")
    build.add_argument("--out", required=True, metavar="DIR", help="folder to publish to")
    build.add_argument(
        "--attempts", metavar="DIR", help="what `generate` kept, for the synthetic datasets"
    )
    build.add_argument(
        "--only", nargs="+", default=[], metavar="DATASET", help="of the recipe's datasets"
    )
    _add_validation(build)
    build.add_argument(
        "--on-anomaly",
        choices=("stop", "warn"),
        default="stop",
        help="publish nothing (the default), or publish and say so in manifest and card",
    )
    build.add_argument(
        "--baseline", type=Path, metavar="OUT", help="an earlier build; report what moved since"
    )
    build.add_argument("--no-validate", action="store_true", help="leave validation out")

    _add_generate(commands)
    _add_stream(commands)
    estimate = commands.add_parser(
        "estimate", help="say what generating will take, before a GPU is rented"
    )
    estimate.add_argument("recipe", type=Path, metavar="RECIPE")
    estimate.add_argument("--raw", required=True, metavar="DIR", help="folder of the raw files")
    estimate.add_argument(
        "--attempts", metavar="DIR", help="of `generate --limit 50`: its tokens, not guesses"
    )
    estimate.add_argument(
        "--tokens-per-second",
        type=_above_zero,
        metavar="N",
        help="of output by a server, as `generate` shows it; gives hours",
    )
    estimate.add_argument(
        "--only", nargs="+", default=[], metavar="DATASET", help="of the recipe's datasets"
    )
    check = commands.add_parser(
        "check", help="try the graders on known answers, before GPU time is spent"
    )
    check.add_argument("recipe", type=Path, metavar="RECIPE")
    check.add_argument("--raw", required=True, metavar="DIR", help="folder of the raw files")
    check.add_argument(
        "--only", nargs="+", default=[], metavar="DATASET", help="of the recipe's datasets"
    )
    check.add_argument(
        "--sample", type=_positive, default=100, metavar="N", help="questions of each (100)"
    )
    validate = commands.add_parser(
        "validate", help="validate a published folder again, from its files", allow_abbrev=False
    )
    validate.add_argument("out", type=Path, metavar="OUT")
    _add_validation(validate)
    report = commands.add_parser(
        "report", help="write OUT/report.html anew", allow_abbrev=False
    )
    report.add_argument("out", type=Path, metavar="OUT")
    schema = commands.add_parser("schema", help="propose schemas", allow_abbrev=False)
    actions = schema.add_subparsers(dest="action", required=True, metavar="ACTION")
    infer = actions.add_parser(
        "infer", help="propose a schema for each table of a dataset, to edit"
    )
    infer.add_argument(
        "dataset", type=Path, metavar="OUT/DATASET", help="of a published folder"
    )
    infer.add_argument("--to", required=True, type=Path, metavar="DIR", help="for TABLE.pbtxt")
    return top


def _add_generate(commands: Any) -> None:
    command = commands.add_parser(
        "generate",
        help="have models answer the questions of a recipe's synthetic datasets",
        description=_GENERATE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "recipe", type=Path, metavar="RECIPE", help="a YAML file, see recipes/"
    )
    command.add_argument("--raw", required=True, metavar="DIR", help="folder of the raw files")
    command.add_argument("--out", required=True, metavar="DIR", help="folder of the attempts")
    command.add_argument(
        "--model", nargs="+", default=[], metavar="NAME", help="of the recipe's models"
    )
    command.add_argument(
        "--only", nargs="+", default=[], metavar="DATASET", help="of the recipe's datasets"
    )
    command.add_argument(
        "--limit", type=_positive, metavar="N", help="ask N questions of each dataset"
    )
    command.add_argument(
        "--redo",
        choices=("truncated",),
        help="ask again for answers that were cut off at the token limit; raise "
        "max_tokens in the recipe first",
    )
    _add_servers(command)


def _add_servers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--concurrency",
        type=_positive,
        default=256,
        metavar="N",
        help="requests that are open at a time (256)",
    )
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--vllm-url",
        nargs="+",
        default=[],
        metavar="URL",
        help="running servers of the model, http://HOST:PORT; they share the requests",
    )
    where.add_argument(
        "--vllm-python",
        metavar="FILE",
        help="the interpreter that has vLLM (the one of `make vllm`, or this one)",
    )


def _add_stream(commands: Any) -> None:
    command = commands.add_parser(
        "stream",
        help="build windows of datasets from raw files that keep arriving",
        description=_STREAM_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "recipe", type=Path, metavar="RECIPE", help="a YAML file, see recipes/"
    )
    command.add_argument(
        "--watch",
        required=True,
        metavar="PATTERN",
        help="of the raw files, in quotes, as 'incoming/**'; or a Pub/Sub subscription of a "
        "bucket's notifications, as projects/PROJECT/subscriptions/NAME",
    )
    command.add_argument("--out", required=True, metavar="DIR", help="folder to publish to")
    for name, default, meaning in (
        ("window", "60s", "how long a window is"),
        ("poll", "5s", "how often to look for files"),
    ):
        command.add_argument(
            f"--{name}", default=default, metavar="TIME", help=f"{meaning} ({default})"
        )
    command.add_argument(
        "--for",
        dest="duration",
        metavar="TIME",
        help="take files for so long, finish what has arrived, and end; without it, go on "
        "until it is stopped",
    )
    command.add_argument(
        "--attempts", metavar="DIR", help="where models' answers are kept, as by `generate`"
    )
    command.add_argument(
        "--only", nargs="+", default=[], metavar="DATASET", help="of the recipe's datasets"
    )
    _add_validation(command)
    command.add_argument(
        "--on-anomaly",
        choices=("stop", "warn"),
        default="stop",
        help="set the window aside (the default), or publish it and say so in its manifest",
    )
    command.add_argument("--no-validate", action="store_true", help="leave validation out")
    _add_servers(command)


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of 1 or more")
    return number


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number above 0")
    return number


def _add_validation(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--schema",
        type=Path,
        metavar="DIR",
        help="folder of TFDV schemas (sft.pbtxt, ...) in place of the package's own",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns 0, 1 for a failed build, or 2 for a wrong call or recipe."""
    top = parser()
    args, rest = top.parse_known_args(arguments)
    if rest and args.command not in ("build", "generate", "stream"):
        top.error(f"unknown arguments: {' '.join(rest)}")
    quieten()
    try:
        return _run(args, rest)
    except BuildRefused as error:
        print(f"beam-thunder: {error}", file=sys.stderr)
        return 1
    except UserError as error:
        print(f"beam-thunder: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        left = _LEFT_BY.get(args.command)
        print("beam-thunder: interrupted" + (f"; {left}" if left else ""), file=sys.stderr)
        silence()
        return 130


def _run(args: argparse.Namespace, beam_flags: Sequence[str]) -> int:
    if args.command == "sources":
        _sources()
    elif args.command == "fetch":
        _fetch(args)
    elif args.command == "build":
        _build(args, beam_flags)
    elif args.command == "generate":
        _generate(args, beam_flags)
    elif args.command == "stream":
        _stream(args, beam_flags)
    elif args.command == "estimate":
        from beam_thunder.estimate import estimate

        estimate(args.recipe, args.raw, args.attempts, args.tokens_per_second, only=args.only)
    elif args.command == "check":
        from beam_thunder.check import check

        check(args.recipe, args.raw, args.only, args.sample)
    elif args.command == "validate":
        return _validate(args)
    elif args.command == "report":
        from beam_thunder.report import write_report

        print(write_report(args.out))
    else:
        import_tfdv()
        from beam_thunder.validation import infer_schemas

        for path in infer_schemas(args.dataset, args.to):
            print(path)
    return 0


def _build(args: argparse.Namespace, beam_flags: Sequence[str]) -> None:
    from beam_thunder.build import Gate, build

    gate = Gate(not args.no_validate, args.schema, args.baseline, args.on_anomaly)
    build(args.recipe, args.raw, args.out, args.only, beam_flags, gate, attempts=args.attempts)


def _generate(args: argparse.Namespace, beam_flags: Sequence[str]) -> None:
    from beam_thunder.generate import Asking, Selection, generate

    selection = Selection(args.model, args.only, args.limit)
    asking = Asking(args.vllm_url, args.vllm_python, args.concurrency, bool(args.redo))
    generate(args.recipe, args.raw, args.out, selection, asking, beam_flags)


def _stream(args: argparse.Namespace, beam_flags: Sequence[str]) -> None:
    from beam_thunder.build import Gate
    from beam_thunder.generate import Asking
    from beam_thunder.stream import Watching, seconds, stream

    if beam_flags and not beam_flags[0].startswith("-"):
        raise UserError(
            f"unexpected {beam_flags[0]!r}; put the pattern of --watch in quotes, or the shell "
            "puts files in its place"
        )
    gate = Gate(not args.no_validate, args.schema, on_anomaly=args.on_anomaly)
    asking = Asking(args.vllm_url, args.vllm_python, args.concurrency)
    duration = seconds(args.duration) if args.duration else None
    every = seconds(args.window), seconds(args.poll)
    watching = Watching(args.watch, *every, duration, args.attempts or "")
    stream(args.recipe, watching, args.out, args.only, beam_flags, gate, asking)


def _validate(args: argparse.Namespace) -> int:
    import_tfdv()
    from beam_thunder.manifest import explain
    from beam_thunder.validation import load_schemas, validate_folder

    verdict = validate_folder(args.out, load_schemas(args.schema))
    for problem in verdict.problems:
        print(problem)
    if verdict.anomalies:
        print(explain(verdict.anomalies))
    if verdict.problems or verdict.anomalies:
        return 1
    print(f"{args.out}: {verdict.rows:,} rows are as published, and as the schemas allow")
    return 0


def _sources() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The published post-training datasets")
    for name in ("dataset", "source", "kind", "language", "domain", "files", "licence"):
        table.add_column(name, overflow="fold")
    table.add_column("SFT", justify="right")
    table.add_column("preference", justify="right")
    for entry in CATALOG.values():
        where = f"{entry.hub}: {', '.join(entry.files)}" if entry.hub else entry.url
        preference = "-" if entry.preference is None else str(entry.preference)
        about = (entry.name, entry.source, entry.kind, entry.language, entry.domain)
        table.add_row(*about, where, entry.licence, str(entry.sft), preference)
    Console().print(table)


def _fetch(args: argparse.Namespace) -> None:
    from beam_thunder.fetch import fetch

    kinds = {kind: [e for e in CATALOG.values() if e.kind == kind] for kind in get_args(Kind)}
    wanted = [kinds.get(name) or [find(name)] for name in args.datasets or ["processed"]]
    entries = {entry.name: entry for entries in wanted for entry in entries}
    fetch(list(entries.values()), args.to, revision=args.revision)


if __name__ == "__main__":
    sys.exit(main())
