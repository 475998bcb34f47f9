"""Questions to shards: a shuffle by id, before anything fans out.

An id is a hash, so its order is a shuffle of the questions, and equal ranges of
ids are equal shares. Which shard a question goes to, and where it stands in it,
follows from its id and the dataset's size alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import AsDict, PCollection

from beam_thunder.schemas import QUESTIONS

ShardKey = tuple[str, int, int]
"""Dataset, number of the shard from 0, number of shards."""

MAX_SHARD_BYTES = 256 << 20
"""Of the larger output table's text, so that a shard of long texts still fits a worker."""


@dataclass(frozen=True)
class Size:
    """What a dataset's questions will come to; the monoid that shard counts follow from.

    Attributes:
      questions: number of them.
      pairs: preference pairs at most, one per wrong option.
      bytes: of text in the larger output table.
    """

    questions: int = 0
    pairs: int = 0
    bytes: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(
            self.questions + other.questions, self.pairs + other.pairs, self.bytes + other.bytes
        )

    def shards(self, rows_per_shard: int) -> int:
        """How many shards keep the larger table to about `rows_per_shard` rows each."""
        by_rows = -(-max(self.questions, self.pairs) // rows_per_shard)
        return max(1, by_rows, -(-self.bytes // MAX_SHARD_BYTES))


def size_of(questions: pa.RecordBatch) -> Size:
    """The size of one batch of questions."""
    options = pc.list_value_length(questions.column("options"))
    wrong = pc.max_element_wise(pc.subtract(options, 1), 0)
    fan_out = pc.max_element_wise(wrong, 1)
    texts = pc.multiply(pc.binary_length(questions.column("prompt")), fan_out)
    own = pc.sum(pc.binary_length(questions.column("options").flatten())).as_py() or 0
    return Size(
        questions.num_rows, pc.sum(wrong).as_py() or 0, (pc.sum(texts).as_py() or 0) + 2 * own
    )


def shard_numbers(ids: pa.Array, shards: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each id the number of the equal range of ids that it falls into."""
    heads = pc.utf8_slice_codeunits(ids, 0, 8)
    digits = np.frombuffer("".join(heads.to_pylist()).encode(), np.uint8).reshape(-1, 8)
    values = np.where(digits > ord("9"), digits - ord("a") + 10, digits - ord("0"))
    number = values.astype(np.int64) @ (16 ** np.arange(7, -1, -1, dtype=np.int64))
    return number * shards >> 32


def split_by_shard(questions: pa.RecordBatch, shards: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The batch cut into the parts that belong to each shard."""
    numbers = shard_numbers(questions.column("id"), shards)
    order = np.argsort(numbers, kind="stable")
    ordered = questions.take(pa.array(order))
    bounds = np.searchsorted(numbers[order], np.arange(shards + 1))
    for shard, (start, end) in enumerate(zip(bounds, bounds[1:], strict=False)):
        if end > start:
            yield shard, ordered.slice(start, end - start)


def sort_shard(parts: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of all the parts' questions, in the order of their ids.

    Questions with equal ids are equal in everything, so their order is of no matter.
    """
    table = pa.Table.from_batches(list(parts), schema=QUESTIONS).combine_chunks()
    ordered = table.take(pc.sort_indices(table, [("id", "ascending")])).combine_chunks()
    batches = ordered.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=QUESTIONS)


@dataclass(eq=False)
class ShuffleIntoShards(
    beam.PTransform[
        PCollection[tuple[str, pa.RecordBatch]], PCollection[tuple[ShardKey, pa.RecordBatch]]
    ]
):
    """Batches of questions by dataset, to one sorted batch per shard.

    Every shard comes out, also one that no question falls into.

    Attributes:
      rows_per_shard: of the larger output table, about.
    """

    rows_per_shard: int

    def expand(
        self, questions: PCollection[tuple[str, pa.RecordBatch]]
    ) -> PCollection[tuple[ShardKey, pa.RecordBatch]]:
        # The number of shards must be known before rows are dealt out to them.
        sizes = (
            questions
            | "Measure batches" >> beam.MapTuple(lambda name, batch: (name, size_of(batch)))
            | "Add sizes up" >> beam.CombinePerKey(_add).with_output_types(tuple[str, Size])
        )
        dealt = questions | "Deal out to shards" >> beam.FlatMap(
            self._deal, AsDict(sizes)
        ).with_output_types(tuple[ShardKey, pa.RecordBatch])
        every = sizes | "Name every shard" >> beam.FlatMapTuple(self._empty).with_output_types(
            tuple[ShardKey, pa.RecordBatch]
        )
        return (
            (dealt, every)
            | "With empty shards" >> beam.Flatten()
            | "Gather shards" >> beam.GroupByKey()
            | "Sort by id"
            >> beam.MapTuple(lambda key, parts: (key, sort_shard(parts))).with_output_types(
                tuple[ShardKey, pa.RecordBatch]
            )
        )

    def _deal(
        self, named: tuple[str, pa.RecordBatch], sizes: Mapping[str, Size]
    ) -> Iterator[tuple[ShardKey, pa.RecordBatch]]:
        name, batch = named
        shards = sizes[name].shards(self.rows_per_shard)
        for shard, part in split_by_shard(batch, shards):
            yield (name, shard, shards), part

    def _empty(self, name: str, size: Size) -> Iterator[tuple[ShardKey, pa.RecordBatch]]:
        shards = size.shards(self.rows_per_shard)
        for shard in range(shards):
            yield (name, shard, shards), pa.RecordBatch.from_pylist([], schema=QUESTIONS)


def _add(sizes: Iterable[Size]) -> Size:
    return sum(sizes, Size())
