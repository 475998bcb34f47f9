"""Runs a pipeline."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from collections.abc import Callable, Iterator

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult

from beam_thunder import errors
from beam_thunder.errors import BuildRefused, UserError


def run(
    options: PipelineOptions,
    wire: Callable[[beam.Pipeline], object],
) -> None:
    """Runs the pipeline that `wire` applies to its root, until it ends.

    Args:
      options: Beam's.
      wire: adds the transforms.

    Raises:
      UserError: a step found something that the user can put right.
      BuildRefused: a cluster gave the job up, for instance for want of memory.
    """
    try:
        pipeline = beam.Pipeline(options=options)
        wire(pipeline)
        _finish(pipeline.run(), options)
    except Exception as error:
        known = _user_error(f"{type(error).__name__}: {error}") or _given_up(str(error))
        if known is None:
            raise
        raise known from None


def _finish(result: PipelineResult, options: PipelineOptions) -> None:
    """Waits for the end; a job on a cluster does not outlive who gives it up."""
    with _interrupted(lambda: _cancel(result, options)):
        result.wait_until_finish()


@contextlib.contextmanager
def _interrupted(cancel: Callable[[], None]) -> Iterator[None]:
    """Calls this first when the body is interrupted; Beam's own handler only hangs up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(*_: object) -> None:
        # A thread of Beam's that reads messages tells at length that there are no more.
        threading.excepthook = lambda _: None
        cancel()
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)


def _cancel(result: PipelineResult, options: PipelineOptions) -> None:
    settings = options.get_all_options()
    if settings["runner"] == "FlinkRunner":
        from beam_thunder.runners.flink.cluster import cancel

        # Not through the job server: a terminal interrupts that as well.
        cancel(settings["flink_master"], settings["job_name"])
    else:
        result.cancel()


def _user_error(text: str) -> UserError | None:
    """The user's error in what a runner tells of a worker's failure, if it was one.

    Runners pass on a worker's exception as the text of its traceback.
    """
    kinds: tuple[type[UserError], ...] = (UserError, *UserError.__subclasses__())
    names = "|".join(kind.__name__ for kind in kinds)
    match = re.search(
        rf"(?:beam_thunder\.errors\.)?\b({names}): (.+?)(?: \[while running |\n+\tat |$)",
        text,
        re.DOTALL,  # a message may end with the end of a log, or Java's stack follow it
    )
    return getattr(errors, match[1])(match[2]) if match else None


def _given_up(text: str) -> BuildRefused | None:
    """What a cluster says of a job that it could not run, without this process's own stack."""
    match = re.search(r"failed in state \w+: (.+)", text, re.DOTALL)
    if match is None:
        return None
    return BuildRefused(
        f"the runner gave the job up: {match[1].strip()}\n"
        "That is its last failure; the first is in the runner's log, and often another"
    )
