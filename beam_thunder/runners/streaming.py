"""Options of runners that streams need."""

from __future__ import annotations

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from beam_thunder.errors import UserError
from beam_thunder.runners.options import beam_options

_FLINK = (
    # Without checkpoints Flink does not restart a job that fails.
    "--checkpointing_interval=10000",
    # Otherwise what a bundle yields at a checkpoint waits for the next bundle, the watermark
    # does not wait for it, and what comes late is dropped: rows are lost.
    "--finish_bundle_before_checkpointing",
)
# Without this a job of Flink's goes on when there is nothing left to watch.
_FLINK_ENDING = ("--shutdown_sources_after_idle_ms=5000",)


_LATE_SECONDS = 3600.0


def late_seconds(options: PipelineOptions) -> float:
    """For how long a runner should wait for what comes after a window's end.

    Prism's watermark waits for everything that is on its way, so there nothing does; and it
    would not publish a window before the time is over.
    """
    prism = options.get_all_options()["runner"] == "PrismRunner"
    return 0.0 if prism else _LATE_SECONDS


def stream_options(flags: Sequence[str], ends: bool = False) -> PipelineOptions:
    """Beam's options for a stream; with PrismRunner, if no runner is named.

    Args:
      flags: as given.
      ends: whether the stream ends by itself.

    Raises:
      UserError: the runner does not stream, or what `beam_options` raises.
    """
    flags = [*flags, "--streaming"]
    runner = PipelineOptions(flags).view_as(StandardOptions).runner
    if runner is None:
        flags.append("--runner=PrismRunner")
    if runner in ("DirectRunner", "FnApiRunner"):
        raise UserError(
            f"--runner {runner} reads until there is no more, and publishes nothing before: "
            "a stream needs PrismRunner (the default), FlinkRunner or DataflowRunner"
        )
    if runner == "FlinkRunner":
        given = {flag.split("=")[0] for flag in flags}
        wanted = _FLINK + (_FLINK_ENDING if ends else ())
        flags += [flag for flag in wanted if flag.split("=")[0] not in given]
    return beam_options(flags)
