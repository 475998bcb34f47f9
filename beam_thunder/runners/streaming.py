"""Options of runners that streams need."""

from __future__ import annotations

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from beam_thunder.errors import UserError
from beam_thunder.runners.options import LOCAL_RUNNER, beam_options

_CHECKPOINT_MILLISECONDS = 10_000


def stream_options(flags: Sequence[str]) -> PipelineOptions:
    """Beam's options for a stream; with PrismRunner, if no runner is named.

    Raises:
      UserError: the runner does not stream, or what `beam_options` raises.
    """
    flags = [*flags, "--streaming"]
    if not _given(flags, "--runner"):
        flags.append("--runner=PrismRunner")
    options = beam_options(flags)
    runner = options.get_all_options()["runner"]
    if runner == LOCAL_RUNNER:
        raise UserError(
            "--runner DirectRunner reads until there is no more, and publishes nothing before: "
            "a stream needs PrismRunner (the default), FlinkRunner or DataflowRunner"
        )
    if runner == "FlinkRunner" and not _given(flags, "--checkpointing_interval"):
        # Without checkpoints Flink does not restart a job that fails.
        flags.append(f"--checkpointing_interval={_CHECKPOINT_MILLISECONDS}")
        options = beam_options(flags)
    return options


def _given(flags: Sequence[str], name: str) -> bool:
    return any(flag.split("=")[0] == name for flag in flags)
