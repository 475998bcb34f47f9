import hashlib

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import example, given
from hypothesis import strategies as st

from beam_thunder.schemas import QUESTIONS
from beam_thunder.transforms import register_coders
from beam_thunder.transforms.shuffle import (
    ShuffleIntoShards,
    load,
    shard_count,
    shard_numbers,
    sort_shard,
    spill,
    split_by_shard,
)

ids = st.integers(0, 16**32 - 1).map(lambda number: f"{number:032x}")
EDGES = ["0" * 32, "f" * 32, "7" + "f" * 31, "8" + "0" * 31, "00000000" + "f" * 24]


def questions(*each):
    return pa.RecordBatch.from_pylist(
        [
            {"id": i, "prompt": f"prompt of {i}", "options": [i, "x"], "answer_key": n % 2}
            for n, i in enumerate(each)
        ],
        schema=QUESTIONS,
    )


def some(count, salt=""):
    """As many questions, with ids that are spread as hashes are."""
    return questions(*[hashlib.md5(f"{salt}{n}".encode()).hexdigest() for n in range(count)])


def rows_of(batches):
    return sorted(str(row) for batch in batches for row in batch.to_pylist())


# How many shards, and which.


@pytest.mark.parametrize(
    ("rows", "per_shard", "shards"),
    [(0, 10, 1), (1, 10, 1), (10, 10, 1), (11, 10, 2), (20, 10, 2), (299526, 100_000, 3)],
)
def test_there_are_as_many_shards_as_keep_to_their_size(rows, per_shard, shards):
    assert shard_count(rows, per_shard) == shards


@given(st.lists(ids), st.integers(1, 10_000))
@example(EDGES, 1)
@example(EDGES, 2)
@example(EDGES, 10_000)
def test_a_shard_is_an_equal_range_of_ids(each, shards):
    expected = [int(i[:8], 16) * shards >> 32 for i in each]
    numbers = shard_numbers(pa.array(each, pa.string()), shards)
    assert numbers.tolist() == expected
    assert all(0 <= number < shards for number in expected)


@given(st.lists(ids, max_size=20), st.integers(1, 30))
def test_a_later_shard_has_later_ids(each, shards):
    ordered = sorted(each)
    numbers = shard_numbers(pa.array(ordered, pa.string()), shards).tolist()
    assert numbers == sorted(numbers)


@given(st.lists(ids, max_size=20), st.integers(1, 30))
@example(EDGES, 2)
def test_splitting_a_batch_loses_and_repeats_no_row(each, shards):
    batch = questions(*each)
    parts = list(split_by_shard(batch, shards))
    assert rows_of(part for _, part in parts) == rows_of([batch])
    numbers = [number for number, _ in parts]
    assert numbers == sorted(set(numbers))
    assert all(part.num_rows for _, part in parts)
    for number, part in parts:
        assert set(shard_numbers(part.column("id"), shards).tolist()) == {number}


@given(st.lists(ids, max_size=20), st.integers(0, 20), st.integers(1, 5))
def test_a_sorted_shard_is_the_same_however_its_rows_came(each, cut, shards):
    batch = questions(*each)
    together = sort_shard([batch])
    apart = sort_shard([batch.slice(cut), batch.slice(0, cut)])
    assert together.column("id").to_pylist() == sorted(each)
    assert apart.column("id").equals(together.column("id"))
    assert rows_of([apart]) == rows_of([batch])


def test_a_shard_of_no_parts_is_an_empty_batch():
    empty = sort_shard([])
    assert empty.num_rows == 0
    assert empty.schema == QUESTIONS


# Through files.


def folder_of(path):
    return {each.name: each.read_bytes() for each in path.iterdir()}


def test_what_is_spilled_is_loaded_again(tmp_path):
    batch = some(50)
    parts = list(spill(batch, 4, str(tmp_path)))
    assert [shard for shard, _ in parts] == [0, 1, 2, 3]
    for (shard, part), (expected_shard, expected) in zip(
        parts, split_by_shard(batch, 4), strict=True
    ):
        (loaded,) = load([part])
        assert shard == expected_shard
        assert loaded.equals(expected)


def test_parts_of_a_file_follow_each_other_to_its_end(tmp_path):
    parts = [part for _, part in spill(some(50), 4, str(tmp_path))]
    (content,) = folder_of(tmp_path).values()
    offsets = [part.offset for part in parts]
    ends = [part.offset + part.length for part in parts]
    assert offsets == [0, *ends[:-1]]
    assert ends[-1] == len(content)


def test_what_is_spilled_twice_is_the_same_file(tmp_path):
    # A runner may do a step again, and take either result.
    first = list(spill(some(50), 4, str(tmp_path)))
    written = folder_of(tmp_path)
    assert list(spill(some(50), 4, str(tmp_path))) == first
    assert folder_of(tmp_path) == written


def test_different_batches_are_spilled_to_different_files(tmp_path):
    list(spill(some(50), 4, str(tmp_path)))
    list(spill(some(51), 4, str(tmp_path)))
    list(spill(some(50), 5, str(tmp_path)))
    assert len(folder_of(tmp_path)) == 3


def test_a_batch_within_another_is_spilled_without_the_rest(tmp_path):
    whole = some(500)
    parts = [part for _, part in spill(whole.slice(100, 50), 1, str(tmp_path))]
    assert sum(part.length for part in parts) < 50 * 400
    assert rows_of(load(parts)) == rows_of([whole.slice(100, 50)])


# The transform.

DATASETS = {"large": some(60, "large"), "small": some(2, "small")}
ROWS_PER_SHARD = 12
# Three rows of the output of each question: 180 and 6 rows.
EXPECTED_ROWS = {"large": 180, "small": 60}


def expected_shards():
    shards = {}
    for name, batch in DATASETS.items():
        count = shard_count(EXPECTED_ROWS[name], ROWS_PER_SHARD)
        parts = dict(split_by_shard(batch, count))
        for shard in range(count):
            part = [parts[shard]] if shard in parts else []
            shards[name, shard, count] = sort_shard(part).to_pylist()
    return shards


def check(shards):
    found = {key: batch.to_pylist() for key, batch in shards}
    expected = expected_shards()
    assert len(shards) == len(found)
    assert found == expected
    # The test would say little if there were no empty shard, or no full one.
    sizes = [len(rows) for rows in expected.values()]
    assert min(sizes) == 0
    assert max(sizes) > 1


@pytest.mark.parametrize("batch_rows", [7, 60], ids=["small batches", "whole datasets"])
def test_every_shard_comes_out_sorted_whatever_the_batches_were(tmp_path, batch_rows):
    register_coders()
    batches = [
        (name, batch.slice(start, batch_rows))
        for name, batch in DATASETS.items()
        for start in reversed(range(0, batch.num_rows, batch_rows))
    ]
    with beam.Pipeline("FnApiRunner") as pipeline:
        rows = pipeline | "Rows" >> beam.Create(EXPECTED_ROWS.items())
        shards = (
            pipeline
            | beam.Create(batches)
            | ShuffleIntoShards(rows, ROWS_PER_SHARD, str(tmp_path))
        )
        assert_that(shards, check)
