"""How far a local run is: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from beam_thunder.transforms.progress import Progress as Channel

_REFRESH_SECONDS = 0.2
_LINE_SECONDS = 10.0


class View(Protocol):
    """What is shown of the amounts that workers report."""

    def bars(self, progress: Progress, seen: Counter[str], seconds: float) -> None:
        """Brings the bars up to date."""

    def line(self, seen: Counter[str], seconds: float) -> str:
        """The same in words."""


@contextlib.contextmanager
def display(channel: Channel, view: View, console: Console) -> Iterator[None]:
    """Shows what the workers report while the body runs; nothing if they do not."""
    if channel.folder is None:
        yield
        return
    show = _bars if console.is_terminal else _lines
    done = threading.Event()
    thread = threading.Thread(target=show, args=(channel, view, console, done))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _bars(channel: Channel, view: View, console: Console, done: threading.Event) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    with Progress(*columns, console=console) as progress:
        while True:
            last = done.wait(_REFRESH_SECONDS)
            view.bars(progress, channel.total(), time.monotonic() - started)
            if last:
                return


def _lines(channel: Channel, view: View, console: Console, done: threading.Event) -> None:
    started = time.monotonic()
    while not done.wait(_LINE_SECONDS):
        seconds = time.monotonic() - started
        console.print(f"{seconds:.0f} s: {view.line(channel.total(), seconds)}")


@dataclass
class BuildView:
    """Of a build: raw files read, shards written.

    Attributes:
      total_bytes: of the raw files.
    """

    total_bytes: int

    def bars(self, progress: Progress, seen: Counter[str], seconds: float) -> None:
        if not progress.tasks:
            progress.add_task("Reading raw files", total=max(self.total_bytes, 1), counts="")
            progress.add_task("Writing shards", total=None, counts="", visible=False)
        progress.update(TaskID(0), completed=seen["bytes"], counts=f"{seen['rows']:,} rows")
        progress.update(
            TaskID(1),
            visible=seen["shards"] > 0,
            completed=seen["shards"],
            total=seen["planned_shards"],
            counts=f"{seen['shards']:,} shards",
        )

    def line(self, seen: Counter[str], seconds: float) -> str:
        return (
            f"{seen['rows']:,} rows read ({seen['bytes'] / max(self.total_bytes, 1):.0%}), "
            f"{seen['shards']:,} of {seen['planned_shards']:,} shards written"
        )


@dataclass
class GenerateView:
    """Of generating: answers of a model that are there, of those that are wanted.

    Attributes:
      model: its name.
    """

    model: str

    def bars(self, progress: Progress, seen: Counter[str], seconds: float) -> None:
        if not progress.tasks:
            progress.add_task(self.model, total=None, counts="")
        total = seen["wanted"] or None
        counts = f"{_there(seen):,} of {seen['wanted']:,}, {self._speed(seen, seconds)}"
        progress.update(TaskID(0), completed=_there(seen), total=total, counts=counts)

    def line(self, seen: Counter[str], seconds: float) -> str:
        asked = seen["answered"] + seen["errors"]
        missing = max(seen["wanted"] - _there(seen), 0)
        left = f", {missing * seconds / asked / 60:,.0f} min left" if asked else ""
        return (
            f"{self.model}: {_there(seen):,} of {seen['wanted']:,} answers, "
            f"{self._speed(seen, seconds)}{left}"
        )

    def _speed(self, seen: Counter[str], seconds: float) -> str:
        errors = f", {seen['errors']:,} errors" if seen["errors"] else ""
        return f"{seen['tokens'] / max(seconds, 1e-9):,.0f} tokens/s{errors}"


def _there(seen: Counter[str]) -> int:
    return seen["stored"] + seen["answered"] + seen["errors"]
