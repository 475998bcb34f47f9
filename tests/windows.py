"""Streams without a runner that streams: raw files are put into windows by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
from apache_beam.transforms.window import TimestampedValue

from beam_thunder.build import Gate
from beam_thunder.generate import Asking
from beam_thunder.pipelines.stream import PublishWindows, StreamPlan, into_windows, pieces_of
from beam_thunder.recipe import load_recipe
from beam_thunder.runners.options import beam_options
from beam_thunder.runners.run import run
from beam_thunder.stream import Watching, plan
from beam_thunder.streaming.arrival import Arrival, Piece
from beam_thunder.streaming.commit import commit_window
from beam_thunder.streaming.log import Entry, WindowLog

NAMES = ("19700101T000000Z", "19700101T000100Z", "19700101T000200Z")
"""Of the first windows of a minute."""


def planned(
    recipe: Path, out: str | Path, *only: str, asking: Asking | None = None, **gate: Any
):
    """The plan of a stream of some of a recipe's datasets, without validation."""
    loaded = load_recipe(recipe).only(list(only))
    gated = Gate(**{"validate": False, **gate})
    return plan(loaded, recipe.parent, Watching("unused"), str(out), gated, asking or Asking())


def arrived(path: Path) -> Arrival:
    """The file as a stream finds it."""
    stat = path.stat()
    return Arrival(str(path), stat.st_size, stat.st_mtime)


def run_windows(stream: StreamPlan, *windows: list[tuple[str, Path]]) -> None:
    """Publishes a window of each list of raw files, named by their datasets, in a pipeline."""
    found = [
        TimestampedValue((name, arrived(path)), number * stream.window)
        for number, files in enumerate(windows)
        for name, path in files
    ]

    def wire(root: beam.Pipeline) -> object:
        return (
            root
            | beam.Create(found)
            | "As they came" >> beam.Map(lambda each: each)
            | into_windows(stream.window)
            | PublishWindows(stream)
        )

    run(beam_options([]), wire)


def publish(
    stream: StreamPlan, window: str, *paths: Path, log: WindowLog | None = None
) -> list[Entry]:
    """Publishes a window of raw files of the stream's one, processed, dataset."""
    [name] = stream.datasets
    pieces = [piece for path in paths for piece in read(stream, path)]
    log = log or WindowLog(stream.out, name)
    return commit_window(window, pieces, log, stream.out, stream.rules[name])


def read(stream: StreamPlan, path: Path) -> Iterator[Piece]:
    """The pieces of a raw file of the stream's one, processed, dataset."""
    [name] = stream.datasets
    for piece in pieces_of(stream, name, arrived(path)):
        assert isinstance(piece, Piece)
        yield piece


def rows_of(out: Path, name: str, table: str) -> dict[str, dict[str, Any]]:
    """All rows of a table, by id; none may come twice."""
    rows = [
        row
        for path in sorted((out / name / table).rglob("*.parquet"))
        for row in pq.read_table(path, partitioning=None).to_pylist()
    ]
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows)
    return found
