"""Questions to shards: a shuffle by id, before anything fans out.

An id is a hash, so its order is a shuffle of the questions, and equal ranges of
ids are equal shares. Which shard a question goes to, and where it stands in it,
follows from its id and the dataset's size alone.

The rows themselves go through files in the staging folder, and only their places
through the runner: what Beam's local runner groups it holds in memory about five
times over (measured: 1.9 GB for 0.35 GB of questions), and what waits for another step
once (0.35 GB). Flink passes both through Java, and needs room for it beside the heap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import AsDict, PCollection

from beam_thunder.files import write
from beam_thunder.manifest import SPILLED
from beam_thunder.schemas import QUESTIONS
from beam_thunder.transforms.coders import RecordBatchCoder
from beam_thunder.transforms.progress import Progress

ShardKey = tuple[str, int, int]
"""Dataset, number of the shard from 0, number of shards."""


def shard_count(rows: int, rows_per_shard: int) -> int:
    """How many shards keep a table of so many rows to about `rows_per_shard` each."""
    return max(1, -(-rows // rows_per_shard))


def shard_numbers(ids: pa.Array, shards: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each id the number of the equal range of ids that it falls into."""
    digits = np.frombuffer(_joined(ids), np.uint8).reshape(-1, 32)[:, :8]
    values = np.where(digits > ord("9"), digits - ord("a") + 10, digits - ord("0"))
    number = values.astype(np.int64) @ (16 ** np.arange(7, -1, -1, dtype=np.int64))
    return number * shards >> 32


def _joined(ids: pa.Array) -> bytes:
    """All ids, 32 characters each, one behind the other."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(ids)], pa.int32()), ids)
    return pc.binary_join(whole, "")[0].as_buffer().to_pybytes()


def split_by_shard(
    questions: pa.RecordBatch, shards: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The batch cut into the parts that belong to each shard."""
    numbers = shard_numbers(questions.column("id"), shards)
    order = np.argsort(numbers, kind="stable")
    ordered = questions.take(pa.array(order))
    bounds = np.searchsorted(numbers[order], np.arange(shards + 1))
    for shard, (start, end) in enumerate(pairwise(bounds)):
        if end > start:
            yield shard, ordered.slice(start, end - start)


@dataclass(frozen=True)
class Part:
    """Where the questions of one batch lie that belong to one shard.

    Attributes:
      path: of a file in the staging folder.
      offset: of the encoded batch in the file, in bytes.
      length: of it, in bytes.
    """

    path: str
    offset: int
    length: int


def spill(questions: pa.RecordBatch, shards: int, folder: str) -> Iterator[tuple[int, Part]]:
    """Writes a batch to a file below `folder`, ordered by shard; returns each shard's part.

    The file is named after its content: written again by a retry, it is the same.
    """
    digest = blake2b(_joined(questions.column("id")), digest_size=16)
    if "key" in questions.schema.names:  # of attempts, several batches may have the same ids
        digest.update("\n".join(map(str, questions.column("key").to_pylist())).encode())
    path = FileSystems.join(folder, f"{digest.hexdigest()}.{shards}")
    coder, offset = RecordBatchCoder(), 0
    encoded = [(shard, coder.encode(part)) for shard, part in split_by_shard(questions, shards)]
    write(path, b"".join(content for _, content in encoded), durable=False)
    for shard, content in encoded:
        yield shard, Part(path, offset, len(content))
        offset += len(content)


def load(parts: Iterable[Part]) -> Iterator[pa.RecordBatch]:
    """The batches that were spilled as these parts."""
    coder = RecordBatchCoder()
    for part in parts:
        with FileSystems.open(
            part.path, compression_type=CompressionTypes.UNCOMPRESSED
        ) as handle:
            handle.seek(part.offset)
            yield coder.decode(handle.read(part.length))


def sort_shard(
    parts: Iterable[pa.RecordBatch], schema: pa.Schema = QUESTIONS
) -> pa.RecordBatch:
    """One batch of all the parts' rows, in the order of their ids.

    Questions with equal ids are equal in everything, so their order is of no matter.
    """
    table = pa.Table.from_batches(list(parts), schema=schema).combine_chunks()
    ordered = table.take(pc.sort_indices(table, [("id", "ascending")])).combine_chunks()
    batches = ordered.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=schema)


@dataclass(eq=False)
class ShuffleIntoShards(
    beam.PTransform[
        PCollection[tuple[str, pa.RecordBatch]], PCollection[tuple[ShardKey, pa.RecordBatch]]
    ]
):
    """Batches of questions by dataset, to one sorted batch per shard.

    Every shard comes out, also one that no question falls into.

    Attributes:
      rows: that the larger output table of each dataset will have, about. It is
        counted beforehand and not here: counting the questions themselves would
        have a runner hold them all before the first is dealt out.
      rows_per_shard: of that table, about.
      staging: folder that all workers reach, for the rows on their way.
      schema: of the batches.
    """

    rows: PCollection[tuple[str, int]]
    rows_per_shard: int
    staging: str
    progress: Progress = field(default_factory=Progress)
    schema: pa.Schema = field(default_factory=lambda: QUESTIONS)

    def expand(
        self, questions: PCollection[tuple[str, pa.RecordBatch]]
    ) -> PCollection[tuple[ShardKey, pa.RecordBatch]]:
        folder = FileSystems.join(self.staging, SPILLED)
        announce = _Announce(self.rows_per_shard, self.progress)
        dealt = (
            questions
            # Before the step that waits for the number of rows: a runner holds what waits.
            | "Spill" >> beam.ParDo(_Spill(folder)).with_output_types(tuple[str, Part])
            | "Deal out to shards"
            >> beam.ParDo(_Deal(self.rows_per_shard, folder), AsDict(self.rows))
        )
        every = self.rows | "Name every shard" >> beam.ParDo(announce)
        return (
            (dealt, every)
            | "With empty shards" >> beam.Flatten()
            | "Gather shards" >> beam.GroupByKey()
            | "Sort by id"
            >> beam.MapTuple(self._sorted).with_output_types(tuple[ShardKey, pa.RecordBatch])
        )

    def _sorted(self, key: ShardKey, parts: Iterable[Part]) -> tuple[ShardKey, pa.RecordBatch]:
        return key, sort_shard(load(part for part in parts if part.length), self.schema)


@dataclass(eq=False)
class _Spill(beam.DoFn):
    folder: str

    def process(self, named: tuple[str, pa.RecordBatch]) -> Iterator[tuple[str, Part]]:
        name, batch = named
        for _, part in spill(batch, 1, FileSystems.join(self.folder, name)):
            yield name, part


@dataclass(eq=False)
class _Deal(beam.DoFn):
    rows_per_shard: int
    folder: str

    def process(
        self, named: tuple[str, Part], rows: Mapping[str, int]
    ) -> Iterator[tuple[ShardKey, Part]]:
        name, whole = named
        shards = shard_count(rows[name], self.rows_per_shard)
        if shards == 1:
            yield (name, 0, 1), whole
            return
        folder = FileSystems.join(self.folder, name)
        for batch in load([whole]):
            for shard, part in spill(batch, shards, folder):
                yield (name, shard, shards), part


@dataclass(eq=False)
class _Announce(beam.DoFn):
    rows_per_shard: int
    progress: Progress

    def process(self, named: tuple[str, int]) -> Iterator[tuple[ShardKey, Part]]:
        name, rows = named
        shards = shard_count(rows, self.rows_per_shard)
        self.progress.add("planned_shards", shards)
        for shard in range(shards):
            yield (name, shard, shards), Part("", 0, 0)
