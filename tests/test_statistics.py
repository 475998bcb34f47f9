from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.stats_options import StatsOptions

from beam_thunder.transforms.statistics import examples, merge_statistics, partial_statistics


def measures(start: int, rows: int) -> pa.RecordBatch:
    numbers = np.arange(start, start + rows, dtype=np.int32)
    return pa.RecordBatch.from_pydict(
        {
            "source": ["MMLU"] * rows,
            "model": pa.array([f"model-{n % 3}" for n in numbers]).dictionary_encode(),
            "prompt_characters": numbers,
            "digits": (numbers / 1000).astype(np.float32),
        }
    )


def test_statistics_are_those_of_tfdv() -> None:
    """Only few values: then its sketches do not estimate, and the same must come out."""
    options = StatsOptions()
    batch = measures(0, 100)
    generators = stats_impl.get_generators(options, in_memory=True)
    partial = stats_impl.generate_partial_statistics_in_memory(
        examples(batch), options, generators
    )
    expected = stats_impl.extract_statistics_output(partial, generators)
    assert merge_statistics([partial_statistics(batch, 0)]) == expected


def test_categories_are_counted_exactly_over_shards_in_any_order() -> None:
    sizes = {0: 10, 1: 700, 2: 41}
    for order in itertools.permutations(sizes):
        partials = [partial_statistics(measures(100 * n, sizes[n]), n) for n in order]
        [dataset] = merge_statistics(partials).datasets
        features = {feature.path.step[0]: feature for feature in dataset.features}
        assert dataset.num_examples == 751
        top = features["model"].string_stats.top_values
        counted = {each.value: each.frequency for each in top}
        rows = [n for shard in sizes for n in range(100 * shard, 100 * shard + sizes[shard])]
        assert counted == {f"model-{k}": sum(n % 3 == k for n in rows) for k in range(3)}
        assert features["source"].string_stats.unique == 1
