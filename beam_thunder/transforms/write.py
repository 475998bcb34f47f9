"""Shards and rejects to files in the staging folder."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import PCollection

from beam_thunder.transforms.pair import Paired
from beam_thunder.transforms.progress import Progress
from beam_thunder.transforms.shuffle import ShardKey

ROW_GROUP_ROWS = 32768
# Only columns whose values repeat; looking for repeats in text costs time and finds none.
_DICTIONARY = ("source", "language", "domain", "kind", "license", "model")


@dataclass(frozen=True)
class WrittenFile:
    """A finished file: its path below the output folder, rows, bytes and SHA-256."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class WrittenShard:
    """What became of one shard: its files, and the counts of what was paired."""

    dataset: str
    files: tuple[WrittenFile, ...]
    counts: Mapping[str, int]


class _Hashing(io.RawIOBase):
    """A sink that counts and hashes what is written through it."""

    def __init__(self, sink: Any) -> None:
        self.sink, self.bytes, self.sha256 = sink, 0, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.bytes += len(data)
        self.sink.write(data)
        return len(data)


def shard_path(dataset: str, table: str, shard: int, shards: int) -> str:
    """Of a table's shard, below the output folder."""
    return f"{dataset}/{table}/train-{shard:05d}-of-{shards:05d}.parquet"


def write_parquet(rows: pa.RecordBatch, path: str, folder: str) -> WrittenFile:
    """Writes rows as zstd Parquet to `path` below `folder`; equal rows give equal bytes."""
    names = [name for name in rows.schema.names if name.removeprefix("chosen_") in _DICTIONARY]
    with _create(folder, path) as handle:
        sink = _Hashing(handle)
        with pq.ParquetWriter(
            sink, rows.schema, compression="zstd", use_dictionary=names or False
        ) as writer:
            writer.write_table(pa.Table.from_batches([rows]), row_group_size=ROW_GROUP_ROWS)
    return WrittenFile(path, rows.num_rows, sink.bytes, sink.sha256.hexdigest())


def write_jsonl(rows: Iterable[Mapping[str, Any]], path: str, folder: str) -> WrittenFile:
    """Writes rows as lines of JSON to `path` below `folder`."""
    count = 0
    with _create(folder, path) as handle:
        sink = _Hashing(handle)
        for count, row in enumerate(rows, 1):  # noqa: B007
            sink.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return WrittenFile(path, count, sink.bytes, sink.sha256.hexdigest())


def _create(folder: str, path: str) -> Any:
    return FileSystems.create(
        FileSystems.join(folder, *path.split("/")),
        compression_type=CompressionTypes.UNCOMPRESSED,
    )


@dataclass(eq=False)
class WriteShards(
    beam.PTransform[PCollection[tuple[ShardKey, Paired]], PCollection[WrittenShard]]
):
    """Writes each shard's tables below the staging folder.

    A shard that is written twice, by a retry, gives the same file again.

    Attributes:
      staging: folder that is not visible to users until the build is published.
      tables: names of the tables to write of each dataset.
    """

    staging: str
    tables: Mapping[str, Sequence[str]]
    progress: Progress = field(default_factory=Progress)

    def expand(self, shards: PCollection[tuple[ShardKey, Paired]]) -> PCollection[WrittenShard]:
        return shards | "Write tables" >> beam.MapTuple(self._write).with_output_types(
            WrittenShard
        )

    def _write(self, key: ShardKey, paired: Paired) -> WrittenShard:
        dataset, shard, shards = key
        files = tuple(
            write_parquet(
                getattr(paired, table), shard_path(dataset, table, shard, shards), self.staging
            )
            for table in self.tables[dataset]
        )
        self.progress.add("shards", 1)
        return WrittenShard(dataset, files, paired.counts)


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
