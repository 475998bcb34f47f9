"""Beam's options, checked before anything starts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from beam_thunder.catalog import suggestion
from beam_thunder.errors import UserError

# The one that DirectRunner ends up with for these pipelines. DirectRunner itself
# first tries to download another runner, and waits for that where there is no network.
LOCAL_RUNNER = "FnApiRunner"


def beam_options(flags: Sequence[str]) -> PipelineOptions:
    """Beam's options from the command line's remaining flags.

    Raises:
      UserError: a flag that no Beam option has; Beam itself would pass over it.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for cls in PipelineOptions.__subclasses__():
        cls._add_argparse_args(_Once(parser))  # type: ignore[arg-type]
    _, unknown = parser.parse_known_args(list(flags))
    if unknown:
        known = [name for action in parser._actions for name in action.option_strings]
        raise UserError(
            f"unknown option {unknown[0]!r}; {_cure(unknown[0].split('=')[0], known)} "
            "(every option of Beam's runners can be given)"
        )
    options = PipelineOptions(list(flags))
    settings = options.get_all_options(drop_default=True)
    if settings.get("runner") in (None, "DirectRunner"):
        options = PipelineOptions([*_without_runner(flags), f"--runner={LOCAL_RUNNER}"])
    return options


def is_local(options: PipelineOptions) -> bool:
    """Whether the pipeline runs on this machine, in this process or its children."""
    return options.get_all_options()["runner"] == LOCAL_RUNNER


def _without_runner(flags: Sequence[str]) -> list[str]:
    kept, skip = [], False
    for flag in flags:
        if skip or flag.startswith("--runner="):
            skip = False
        elif flag == "--runner":
            skip = True
        else:
            kept.append(flag)
    return kept


def _cure(name: str, known: Sequence[str]) -> str:
    cure = suggestion(name, known)
    return cure if cure.startswith("did you mean") else "see beam-thunder build --help"


class _Once:
    """Adds an argument to a parser unless another of Beam's option classes already has."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser

    def add_argument(self, *names: str, **settings: object) -> None:
        if not set(names) & set(self._parser._option_string_actions):
            self._parser.add_argument(*names, **settings)  # type: ignore[arg-type]

    def add_mutually_exclusive_group(self, **settings: object) -> _Once:
        return self
