"""Runs a pipeline, and shows how far it is."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from beam_thunder import errors
from beam_thunder.errors import UserError
from beam_thunder.transforms.progress import Progress as Channel

_REFRESH_SECONDS = 0.2
_LINE_SECONDS = 10.0


def run(
    options: PipelineOptions,
    wire: Callable[[beam.Pipeline], object],
    channel: Channel,
    total_bytes: int,
    console: Console,
) -> None:
    """Runs the pipeline that `wire` applies to its root, until it ends.

    Args:
      options: Beam's.
      wire: adds the transforms.
      channel: what local workers report to.
      total_bytes: of the raw files, for the display.
      console: to show progress on; plain lines where it is no terminal.

    Raises:
      UserError: a step found something that the user can put right.
    """
    with _display(channel, total_bytes, console):
        try:
            with beam.Pipeline(options=options) as pipeline:
                wire(pipeline)
        except UserError:
            raise
        except Exception as error:
            known = _user_error(str(error))
            if known is None:
                raise
            raise known from None


def _user_error(text: str) -> UserError | None:
    """The user's error in what a runner tells of a worker's failure, if it was one.

    Runners pass on a worker's exception as the text of its traceback.
    """
    kinds: tuple[type[UserError], ...] = (UserError, *UserError.__subclasses__())
    names = "|".join(kind.__name__ for kind in kinds)
    match = re.search(
        rf"(?:beam_thunder\.errors\.)?\b({names}): (.+?)(?: \[while running |\n|$)", text
    )
    return getattr(errors, match[1])(match[2]) if match else None


@contextlib.contextmanager
def _display(channel: Channel, total_bytes: int, console: Console) -> Iterator[None]:
    if channel.folder is None:
        yield
        return
    show = _bars if console.is_terminal else _lines
    done = threading.Event()
    thread = threading.Thread(target=show, args=(channel, total_bytes, console, done))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _bars(channel: Channel, total_bytes: int, console: Console, done: threading.Event) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        read = progress.add_task("Reading raw files", total=max(total_bytes, 1), counts="")
        write = progress.add_task("Writing shards", total=None, counts="", visible=False)
        while True:
            last = done.wait(_REFRESH_SECONDS)
            seen = channel.total()
            progress.update(read, completed=seen["bytes"], counts=f"{seen['rows']:,} rows")
            progress.update(
                write,
                visible=seen["shards"] > 0,
                completed=seen["shards"],
                total=seen["planned_shards"],
                counts=f"{seen['shards']:,} shards",
            )
            if last:
                return


def _lines(channel: Channel, total_bytes: int, console: Console, done: threading.Event) -> None:
    started = time.monotonic()
    while not done.wait(_LINE_SECONDS):
        seen = channel.total()
        console.print(
            f"{time.monotonic() - started:.0f} s: {seen['rows']:,} rows read "
            f"({seen['bytes'] / max(total_bytes, 1):.0%}), {seen['shards']:,} of "
            f"{seen['planned_shards']:,} shards written"
        )
