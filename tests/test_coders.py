import pyarrow as pa
import pytest
from apache_beam.coders.typecoders import registry
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.schemas import QUESTIONS
from beam_thunder.transforms import register_coders
from beam_thunder.transforms.coders import RecordBatchCoder

CODER = RecordBatchCoder()

row = st.fixed_dictionaries(
    {
        "id": st.none() | st.text(max_size=5),
        "prompt": st.none() | st.text(max_size=5),
        "options": st.none() | st.lists(st.none() | st.text(max_size=5), max_size=3),
        "answer_key": st.none() | st.integers(-(2**31), 2**31 - 1),
    }
)


def batch(rows):
    return pa.RecordBatch.from_pylist(rows, schema=QUESTIONS)


def again(rows):
    return CODER.decode(CODER.encode(rows))


@given(st.lists(row, max_size=10), st.integers(0, 10), st.integers(0, 10))
def test_a_slice_comes_back_as_it_was(rows, start, length):
    part = batch(rows).slice(start, length)
    decoded = again(part)
    decoded.validate(full=True)
    assert decoded.equals(part)
    assert decoded.schema == QUESTIONS


@given(st.lists(row, min_size=1, max_size=10), st.integers(0, 9))
def test_a_slice_of_a_decoded_batch_comes_back_as_it_was(rows, start):
    part = again(batch(rows)).slice(start)
    assert again(part).to_pylist() == rows[start:]


def test_an_empty_batch_keeps_its_schema():
    decoded = again(batch([]))
    assert decoded.num_rows == 0
    assert decoded.schema == QUESTIONS


def test_columns_of_nulls_come_back():
    nulls = batch([dict.fromkeys(QUESTIONS.names)] * 3)
    assert again(nulls).equals(nulls)


def test_nested_columns_of_any_type_come_back():
    inner = pa.struct([("texts", pa.list_(pa.string())), ("flag", pa.bool_())])
    values = [{"texts": ["a", None], "flag": True}, None, {"texts": [], "flag": None}]
    nested = pa.RecordBatch.from_arrays(
        [pa.array(values, inner), pa.array([[values], None, []], pa.list_(pa.list_(inner)))],
        names=["struct", "lists"],
    )
    assert again(nested.slice(0, 2)).equals(nested.slice(0, 2))


def test_text_behind_the_empty_part_of_a_schema_is_aligned():
    # Column names of every length, so that the schema's own length takes every remainder.
    for length in range(1, 17):
        rows = pa.RecordBatch.from_arrays([pa.array([1.5, 2.5])], names=["n" * length])
        assert again(rows).equals(rows)


def test_a_slice_is_encoded_without_the_rest_of_its_batch():
    # Pickled, it would take the whole batch with it.
    texts = [f"{number:04d}" * 100 for number in range(1000)]
    options = pa.array([[text, text] for text in texts])
    whole = pa.RecordBatch.from_arrays([pa.array(texts), options], names=["prompt", "options"])
    sizes = [len(CODER.encode(whole.slice(500, rows))) for rows in (0, 10, 100)]
    assert sizes[1] < sizes[0] + 10 * 1300
    assert sizes[2] < sizes[0] + 100 * 1300
    assert len(CODER.encode(whole)) > 1000 * 1200


def test_equal_bytes_are_promised_only_if_equal_batches_have_them():
    # Beam groups keys by their bytes. The bits that say what is null are shared with
    # the rows that were cut off, so a slice need not have the bytes of its equal.
    part = pa.RecordBatch.from_arrays([pa.array([None, "a", "b"])], names=["text"]).slice(0, 1)
    whole = pa.RecordBatch.from_arrays([pa.array([None], pa.string())], names=["text"])
    assert part.equals(whole)
    assert CODER.encode(part) == CODER.encode(whole) or not CODER.is_deterministic()


@pytest.fixture
def registered():
    register_coders()


def test_beam_takes_the_coder_for_record_batches(registered):
    assert isinstance(registry.get_coder(pa.RecordBatch), RecordBatchCoder)


def test_the_coder_is_for_record_batches():
    assert CODER.to_type_hint() is pa.RecordBatch
