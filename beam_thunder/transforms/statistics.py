"""TFDV's statistics of profiles, shard by shard, and put together in a fixed order.

Statistics of a shard follow from its rows alone, and shards are merged by their
numbers, so the statistics of a table are the same bytes on every runner.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList


@dataclass(frozen=True)
class Partial:
    """Statistics of one shard of a table, not yet finished.

    Attributes:
      shard: its number; what partial statistics are put in order by.
      accumulators: of TFDV's generators.
    """

    shard: int
    accumulators: Any


def partial_statistics(measures: pa.RecordBatch, shard: int) -> Partial:
    """What a shard adds to its table's statistics."""
    options = StatsOptions()
    accumulators = stats_impl.generate_partial_statistics_in_memory(
        examples(measures), options, stats_impl.get_generators(options, in_memory=True)
    )
    return Partial(shard, accumulators)


def merge_statistics(partials: Iterable[Partial]) -> DatasetFeatureStatisticsList:
    """The statistics of a table from those of all its shards, in any order."""
    options = StatsOptions()
    generators = stats_impl.get_generators(options, in_memory=True)
    ordered = sorted(partials, key=lambda partial: partial.shard)
    merged = [
        generator.merge_accumulators([each.accumulators[index] for each in ordered])
        for index, generator in enumerate(generators)
    ]
    return stats_impl.extract_statistics_output(merged, generators)


def examples(measures: pa.RecordBatch) -> pa.RecordBatch:
    """Measures as the list columns that TFDV takes; not row by row, but column by column.

    A measure of 0 is left out, and a column of nothing else too, so a feature is there
    where there is something to report. No statistic here looks at two columns of a row
    together, so each column is sorted for itself: TFDV's quantiles take half the time,
    and lists without a value stand together behind the others.
    """
    columns = {
        name: _present(column)
        for name, column in zip(measures.schema.names, measures.columns, strict=True)
    }
    lists = {
        name: _lists(values, measures.num_rows)
        for name, values in columns.items()
        if len(values)
    }
    if not lists:  # rows of nothing are rows still, and TFDV counts them by a column
        lists = {measures.schema.names[0]: pa.nulls(measures.num_rows, pa.list_(pa.int64()))}
    return pa.RecordBatch.from_arrays(list(lists.values()), names=list(lists))


def _present(column: pa.Array) -> pa.Array:
    """The column's values that are not 0 and not null, numbers in order."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        return column.drop_null()
    numbers = column.to_numpy(zero_copy_only=False)
    numbers = np.sort(numbers[numbers != 0])
    floating = pa.types.is_floating(column.type)
    return pa.array(numbers, pa.float32() if floating else pa.int64())


def _lists(values: pa.Array, rows: int) -> pa.Array:
    """Lists of one value each, and null lists behind them to make up the rows."""
    offsets = np.minimum(np.arange(rows + 1), len(values)).astype(np.int32)
    if len(values) == rows:
        return pa.ListArray.from_arrays(pa.array(offsets), values)
    missing = np.arange(rows + 1) >= len(values)
    missing[-1] = False  # the end of the last list must be given
    return pa.ListArray.from_arrays(pa.array(offsets, mask=missing), values)
