"""TFDV's statistics of profiles, shard by shard, and put together in a fixed order.

Statistics of a shard follow from its rows alone, and shards are merged by their
numbers, so the statistics of a table are the same bytes on every runner.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.generators.basic_stats_generator import (
    BasicStatsGenerator,
)
from tensorflow_data_validation.statistics.generators.stats_generator import (
    CombinerStatsGenerator,
)
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tensorflow_data_validation.types import FeaturePath
from tensorflow_data_validation.utils.top_k_uniques_stats_util import (
    FeatureValueCount,
    make_feature_stats_proto_topk_uniques,
)
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatistics,
    DatasetFeatureStatisticsList,
)


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
    generators = _generators()
    accumulators = stats_impl.generate_partial_statistics_in_memory(
        examples(measures), StatsOptions(), generators
    )
    # Half as large, for what holds those of all shards until they are merged.
    compact = [each.compact(a) for each, a in zip(generators, accumulators, strict=True)]
    return Partial(shard, compact)


def merge_statistics(partials: Iterable[Partial]) -> DatasetFeatureStatisticsList:
    """The statistics of a table from those of all its shards, in any order."""
    generators = _generators()
    ordered = sorted(partials, key=lambda partial: partial.shard)
    merged = [
        generator.merge_accumulators([each.accumulators[index] for each in ordered])
        for index, generator in enumerate(generators)
    ]
    return stats_impl.extract_statistics_output(merged, generators)


def _generators() -> list[CombinerStatsGenerator]:
    """What TFDV measures by default, with values counted by `Categories`."""
    defaults = stats_impl.get_generators(StatsOptions(), in_memory=True)
    basic = [each for each in defaults if isinstance(each, BasicStatsGenerator)]
    return [*basic, Categories("categories")]


Counts = dict[FeaturePath, Counter[str]]


class Categories(CombinerStatsGenerator):  # type: ignore[misc]  # TFDV has no types
    """How often each value of a column of strings occurs.

    TFDV's own generator estimates this with sketches, for columns of many values. The
    categories of a table are a handful: counting them is exact, and faster.
    """

    def create_accumulator(self) -> Counts:
        return {}

    def add_input(self, accumulator: Counts, input_record_batch: pa.RecordBatch) -> Counts:
        batch = input_record_batch
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_string(column.type.value_type):
                counts = accumulator.setdefault(FeaturePath([name]), Counter())
                for each in column.flatten().value_counts().to_pylist():
                    counts[each["values"]] += each["counts"]
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        merged: Counts = {}
        for accumulator in accumulators:
            for path, counts in accumulator.items():
                merged.setdefault(path, Counter()).update(counts)
        return merged

    def extract_output(self, accumulator: Counts) -> DatasetFeatureStatistics:
        options = StatsOptions()
        result = DatasetFeatureStatistics()
        for path, counts in accumulator.items():
            feature = make_feature_stats_proto_topk_uniques(
                path,
                num_top_values=options.num_top_values,
                num_rank_histogram_buckets=options.num_rank_histogram_buckets,
                num_unique=len(counts),
                value_count_list=[FeatureValueCount(*each) for each in counts.items()],
            )
            result.features.add().CopyFrom(feature)
        return result


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
