"""Beam's options, checked before anything starts."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from beam_thunder.catalog import suggestion
from beam_thunder.errors import UserError
from beam_thunder.runners import prism

OF_JOB_SERVER = frozenset(
    f"--{name}"
    for name in (
        *("checkpointing_interval", "checkpoint_timeout_millis", "checkpointing_mode"),
        *("min_pause_between_checkpoints", "tolerable_checkpoint_failure_number"),
        *("externalized_checkpoints_enabled", "savepoint_path", "allow_non_restored_state"),
        *("retain_externalized_checkpoints_on_cancellation", "state_backend"),
        *("state_backend_storage_path", "number_of_execution_retries"),
        *("execution_retry_delay", "shutdown_sources_after_idle_ms", "max_bundle_size"),
        *("max_bundle_time_mills", "object_reuse", "use_data_stream_for_batch"),
        "finish_bundle_before_checkpointing",
    )
)
"""Options that Flink's job server takes, and Beam's Python knows nothing of."""

# The one that DirectRunner ends up with for these pipelines. DirectRunner itself
# first tries to download another runner, and waits for that where there is no network.
LOCAL_RUNNER = "FnApiRunner"


def beam_options(flags: Sequence[str]) -> PipelineOptions:
    """Beam's options from the command line's remaining flags, with what the runner needs.

    Raises:
      UserError: a flag that no Beam option has, which Beam itself would pass over; an unknown
        runner; or something that the runner needs cannot be had.
    """
    _check_names(flags)
    settings = PipelineOptions(list(flags)).get_all_options()
    runner = settings["runner"] or "DirectRunner"
    known = StandardOptions.KNOWN_RUNNER_NAMES
    if "." not in runner and runner not in known:
        raise UserError(f"--runner {runner}: no runner of Beam's; {suggestion(runner, known)}")
    return PipelineOptions(_settled(runner, list(flags), settings))


def _settled(runner: str, flags: list[str], settings: Mapping[str, Any]) -> list[str]:
    if runner == "DirectRunner":
        return [*_without_runner(flags), f"--runner={LOCAL_RUNNER}"]
    # Each only when it is meant: they import much.
    if runner == "PrismRunner":
        return prism.settle(flags, settings)
    if runner == "FlinkRunner":
        from beam_thunder.runners.flink.options import settle

        return settle(flags, settings)
    if runner == "DataflowRunner":
        from beam_thunder.runners.dataflow.options import check

        check(settings)
    return flags


def _check_names(flags: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for cls in PipelineOptions.__subclasses__():
        cls._add_argparse_args(_Once(parser))  # type: ignore[arg-type]
    _, unknown = parser.parse_known_args(list(flags))
    # What belongs to an unknown option stands behind it, and is none itself.
    names = [each for each in unknown if each.startswith("--")] or unknown
    wrong = [each for each in names if each.split("=")[0] not in OF_JOB_SERVER]
    if wrong:
        known = [name for action in parser._actions for name in action.option_strings]
        raise UserError(
            f"unknown option {wrong[0]!r}; {_cure(wrong[0].split('=')[0], known)} "
            "(every option of Beam's runners can be given)"
        )


def is_local(options: PipelineOptions) -> bool:
    """Whether the pipeline runs on this machine, in this process or its children."""
    return options.get_all_options()["runner"] == LOCAL_RUNNER


def workers_elsewhere(options: PipelineOptions) -> bool:
    """Whether workers run in containers or on machines that this one says nothing of."""
    settings = options.get_all_options()
    elsewhere = settings["environment_type"] in ("DOCKER", "EXTERNAL")
    return elsewhere or settings["runner"] == "DataflowRunner"


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
