"""Shards and rejects to files in the staging folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam import pvalue
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import PCollection
from apache_beam.utils.windowed_value import WindowedValue

from beam_thunder.files import Content, write
from beam_thunder.ledger import Ledger
from beam_thunder.transforms.pair import DUPLICATE, IDENTICAL, NOT_PICKED, Paired
from beam_thunder.transforms.profile import Measured, profile
from beam_thunder.transforms.progress import Progress
from beam_thunder.transforms.shuffle import ShardKey

ROW_GROUP_ROWS = 32768
# Only columns whose values repeat; looking for repeats in text costs time and finds none.
_DICTIONARY = (
    *("source", "language", "domain", "kind", "license"),
    *("model", "chosen_model", "rejected_model"),
    *("revision", "params", "finish_reason", "verdict", "rule", "grader"),
)


@dataclass(frozen=True)
class WrittenFile:
    """A finished file: its path below the output folder, rows, bytes and SHA-256."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class WrittenShard:
    """What became of one shard: its files, the counts of what was paired, and others."""

    dataset: str
    files: tuple[WrittenFile, ...]
    counts: Mapping[str, int]
    ledger: Mapping[str, Any] = field(default_factory=dict)


def shard_ledger(shard: WrittenShard) -> tuple[str, Ledger]:
    """The counts of a shard, by the name of its dataset."""
    counts = shard.counts
    return shard.dataset, Ledger(
        shuffled=counts["questions"],
        attempts=counts["attempts"],
        correct=counts["correct"],
        wrong=counts["wrong"],
        ungradable=counts["ungradable"],
        error=counts["error"],
        accepted=counts["accepted"],
        duplicates=counts[DUPLICATE],
        candidates=counts["candidates"],
        dropped={each: counts[each] for each in (IDENTICAL, NOT_PICKED) if counts[each]},
        written={file.path.split("/")[1]: file.rows for file in shard.files},
        **shard.ledger,
    )


def shard_path(dataset: str, table: str, shard: int, shards: int) -> str:
    """Of a table's shard, below the output folder."""
    return f"{dataset}/{table}/train-{shard:05d}-of-{shards:05d}.parquet"


def write_parquet(rows: pa.RecordBatch, path: str, folder: str) -> WrittenFile:
    """Writes rows as zstd Parquet to `path` below `folder`; equal rows give equal bytes."""
    rows = decoded(rows)
    names = [name for name in rows.schema.names if name in _DICTIONARY]
    # Encoded in memory, all of it outside Python: then other threads need not wait.
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        rows.schema,
        compression="zstd",
        use_dictionary=names or False,
        write_statistics=["id", "question_id", *names],  # of texts nobody asks the least
    ) as writer:
        writer.write_table(pa.Table.from_batches([rows]), row_group_size=ROW_GROUP_ROWS)
    return write_bytes(sink.getvalue(), rows.num_rows, path, folder)


def decoded(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows without dictionaries: readers of the files shall find plain text."""
    plain = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(plain, names=rows.schema.names)


def write_bytes(content: Content, rows: int, path: str, folder: str) -> WrittenFile:
    """Writes a file that holds so many rows to `path` below `folder`."""
    write(FileSystems.join(folder, *path.split("/")), content, durable=False)
    digest = hashlib.sha256(content).hexdigest()
    return WrittenFile(path, rows, memoryview(content).nbytes, digest)


def write_jsonl(rows: Iterable[Mapping[str, Any]], path: str, folder: str) -> WrittenFile:
    """Writes rows as lines of JSON to `path` below `folder`."""
    lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]
    return write_bytes(b"".join(lines), len(lines), path, folder)


@dataclass(eq=False)
class WriteShards(beam.PTransform[PCollection[tuple[ShardKey, Paired]], pvalue.DoOutputsTuple]):
    """Writes each shard's tables below the staging folder, and measures them.

    A shard that is written twice, by a retry, gives the same file again.

    Outputs, by name:
      shards: a `WrittenShard` each.
      statistics: a `Partial` per shard, by dataset and table; none unless asked for.

    Attributes:
      staging: folder that is not visible to users until the build is published.
      tables: names of the tables to write of each dataset.
      measure: whether to give statistics; imports TensorFlow on the workers.
    """

    staging: str
    tables: Mapping[str, Sequence[str]]
    measure: bool = False
    progress: Progress = field(default_factory=Progress)

    def expand(self, shards: PCollection[tuple[ShardKey, Paired]]) -> pvalue.DoOutputsTuple:
        return shards | "Write tables" >> beam.ParDo(_WriteAndMeasure(self)).with_outputs(
            "statistics", main="shards"
        )


@dataclass(eq=False)
class _WriteAndMeasure(beam.DoFn):
    """Encodes and measures one shard in other threads while this one sorts the next."""

    settings: WriteShards

    def setup(self) -> None:
        self._pool = ThreadPoolExecutor(max(map(len, self.settings.tables.values())) + 1)

    def start_bundle(self) -> None:
        self._writing: _Writing | None = None

    def process(
        self, shard: tuple[ShardKey, Paired], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[Any]:
        earlier, self._writing = self._writing, None
        if earlier:  # so that no more than two shards are held at a time
            for tag, each in self._finish(earlier):
                yield pvalue.TaggedOutput(tag, each) if tag else each
        self._writing = self._start(*shard, window)

    def finish_bundle(self) -> Iterator[Any]:
        if self._writing:
            window = self._writing.window
            for tag, each in self._finish(self._writing):
                windowed = WindowedValue(each, window.max_timestamp(), (window,))
                yield pvalue.TaggedOutput(tag, windowed) if tag else windowed

    def teardown(self) -> None:
        self._pool.shutdown()

    def _start(self, key: ShardKey, paired: Paired, window: Any) -> _Writing:
        dataset, number, shards = key
        staging, submit = self.settings.staging, self._pool.submit
        tables = {name: paired.table(name) for name in self.settings.tables[dataset]}
        files = [
            submit(write_parquet, rows, shard_path(dataset, table, number, shards), staging)
            for table, rows in tables.items()
        ]
        measuring = submit(measure_tables, tables, number) if self.settings.measure else None
        return _Writing(dataset, files, measuring, paired.counts, paired.ledger, window)

    def _finish(self, writing: _Writing) -> Iterator[tuple[str | None, Any]]:
        """The outputs of a shard, each with its tag."""
        files = tuple(each.result() for each in writing.files)
        if writing.measuring:
            for table, partial in writing.measuring.result().items():
                yield "statistics", ((writing.dataset, table), partial)
        self.settings.progress.add("shards", 1)
        yield None, WrittenShard(writing.dataset, files, writing.counts, writing.ledger)


@dataclass(frozen=True)
class _Writing:
    """A shard whose files are being written, and whose rows are being measured."""

    dataset: str
    files: Sequence[Future[WrittenFile]]
    measuring: Future[dict[str, Any]] | None
    counts: Mapping[str, int]
    ledger: Mapping[str, Any]
    window: Any


def measure_tables(tables: Mapping[str, pa.RecordBatch], shard: int) -> dict[str, Any]:
    """A `Partial` of each of a shard's tables; imports TensorFlow."""
    from beam_thunder.transforms.statistics import partial_statistics

    measured: Measured = {}
    return {
        table: partial_statistics(profile(rows, table, measured), shard)
        for table, rows in tables.items()
    }


@dataclass(eq=False)
class WriteRejects(
    beam.PTransform[PCollection[tuple[str, pa.RecordBatch]], PCollection[WrittenFile]]
):
    """Writes each dataset's rejected rows to `rejects/DATASET.jsonl`, by file and position."""

    staging: str

    def expand(
        self, rejects: PCollection[tuple[str, pa.RecordBatch]]
    ) -> PCollection[WrittenFile]:
        return (
            rejects
            | "Gather rejects" >> beam.GroupByKey()
            | "Write rejects" >> beam.MapTuple(self._write).with_output_types(WrittenFile)
        )

    def _write(self, dataset: str, batches: Iterable[pa.RecordBatch]) -> WrittenFile:
        return write_jsonl(_sorted(batches), f"rejects/{dataset}.jsonl", self.staging)


def _sorted(batches: Iterable[pa.RecordBatch]) -> Iterator[Mapping[str, Any]]:
    table = pa.Table.from_batches(list(batches))
    yield from table.sort_by([("file", "ascending"), ("position", "ascending")]).to_pylist()
