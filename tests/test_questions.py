import json
from hashlib import blake2b

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beam_thunder.schemas import QUESTIONS, REJECTS
from beam_thunder.transforms.fields import Field, Flaw
from beam_thunder.transforms.questions import (
    PARSED,
    blank,
    identity,
    index_in_list,
    key_index,
    prefix_options,
    questions,
    split_rejects,
)
from beam_thunder.transforms.read import RawRows

TEXTS = pa.list_(pa.string())
RAW = RawRows((Field("asked", "text"), Field("options", "texts"))).schema


def raw_rows(rows):
    """A raw batch of (asked, options, reason)."""
    asked, options, reasons = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.RecordBatch.from_arrays(
        [
            pa.array(["folder/rows.jsonl"] * len(rows), pa.string()),
            pa.array(range(1, len(rows) + 1), pa.int64()),
            pa.array(asked, pa.string()),
            pa.array(options, TEXTS),
            pa.array(reasons, pa.string()),
            pa.array([reason and f"about {reason}" for reason in reasons], pa.string()),
        ],
        schema=RAW,
    )


def parse(rows, answer_key, flaws=()):
    raw = raw_rows(rows)
    asked, options = raw.column("asked"), raw.column("options")
    key = pa.array(answer_key, pa.int32())
    return questions(raw, "Test", [asked, options], asked, asked, options, key, flaws)


def reasons(parsed):
    return parsed.column("reason").to_pylist()


# Identity.

# Few characters, and those that the hashed bytes are put together with, so that
# Hypothesis finds rows that would run into each other.
tricky = st.text(alphabet="a1,\n\0", max_size=3)
maybe = st.none() | tricky
contents = st.tuples(maybe, st.none() | st.lists(tricky, max_size=3), maybe)


def ids_of(rows, source="Test"):
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    types = [pa.string(), TEXTS, pa.string()]
    return identity(source, [pa.array(c, t) for c, t in zip(columns, types, strict=True)])


@given(st.lists(contents, max_size=30))
@example([("a", ["b"], ""), ("", ["ab"], ""), ("", ["a", "b"], ""), ("", [], "ab")])
@example([("", ["", "a"], ""), ("", ["a", ""], ""), ("", ["a"], "")])
@example([(None, None, None), ("", [], ""), ("\0", ["\0"], "\0"), ("", [""], "")])
@example([("a\nb", [], ""), ("a", [], "b"), ("1", [], ""), ("", ["1"], "")])
def test_two_different_contents_have_different_ids(rows):
    distinct = {
        (first, None if each is None else tuple(each), last) for first, each, last in rows
    }
    assert len(set(ids_of(rows).to_pylist())) == len(distinct)


@given(st.lists(contents, max_size=8), st.lists(contents, max_size=8))
def test_an_id_is_the_same_in_every_batch(rows, others):
    together = ids_of(rows + others).to_pylist()
    assert together == ids_of(rows).to_pylist() + ids_of(others).to_pylist()


@given(st.lists(contents, max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_an_id_is_the_same_in_every_slice(rows, start, length):
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    types = [pa.string(), TEXTS, pa.string()]
    sliced = [
        pa.array(column, of).slice(start, length)
        for column, of in zip(columns, types, strict=True)
    ]
    assert identity("Test", sliced).equals(ids_of(rows[start : start + length]))


def test_the_same_row_of_two_sources_has_two_ids():
    row = [("a", ["b"], "c")]
    assert ids_of(row, "ARC-Easy") != ids_of(row, "ARC-Challenge")


def test_ids_stay_what_they_are():
    # Row ids are published, and equal ones make two builds comparable: this one may
    # change only with a reason that is worth telling everyone.
    columns = [pa.array(["One and one?"]), pa.array([["1", "2"]]), pa.array(["1"])]
    assert identity("MMLU", columns).to_pylist() == ["4c0baeebce5441114d59644d54f0c2b9"]


def test_an_id_is_the_hash_of_lengths_and_texts():
    columns = [pa.array(["One and one?"]), pa.array([["1", "22"]]), pa.array(["ä"])]
    # The lengths are of bytes, so that ä has two.
    hashed = "MMLU\n12\n1,2\n2\nOne and one?\n122\nä".encode()
    assert identity("MMLU", columns)[0].as_py() == blake2b(hashed, digest_size=16).hexdigest()


def test_no_rows_have_no_ids():
    assert ids_of([]).to_pylist() == []


# Questions.


def test_a_sound_row_is_a_question():
    parsed = parse([("q", ["a", "b"], None)], [1])
    assert parsed.schema == PARSED
    (row,) = parsed.to_pylist()
    assert len(row.pop("id")) == 32
    assert row == {
        "prompt": "q",
        "options": ["a", "b"],
        "answer_key": 1,
        "reason": None,
        "detail": None,
    }


@pytest.mark.parametrize("asked", ["", " ", "\n\t\u3000\u00a0"])
def test_a_blank_question_is_rejected(asked):
    assert reasons(parse([(asked, ["a"], None)], [0])) == ["empty_question"]


@pytest.mark.parametrize(("options", "key"), [(["a"], 1), ([], 0), (["a"], None), (None, 0)])
def test_an_answer_key_that_is_none_of_the_options_is_rejected(options, key):
    assert reasons(parse([("q", options, None)], [key])) == ["answer_outside_options"]


def test_what_is_wrong_with_the_reading_of_a_row_comes_before_all_else():
    # An unreadable row is also blank and has no options, for which it is not to blame.
    parsed = parse([(None, None, "unreadable_line")], [None])
    assert reasons(parsed) == ["unreadable_line"]
    assert parsed.column("detail").to_pylist() == ["about unreadable_line"]


def test_the_flaws_of_a_source_come_before_the_common_ones():
    flaws = [(pa.array([True, False]), Flaw("no_blank", "why"))]
    rows = [("", ["a"], None), ("", ["a"], None)]
    assert reasons(parse(rows, [0, 0], flaws)) == ["no_blank", "empty_question"]


@given(st.lists(st.none() | st.text(alphabet="a \n\t\u00a0\u2003\u3000\u200b\x1f", max_size=4)))
def test_blank_is_what_pythons_strip_leaves_nothing_of(values):
    expected = [None if value is None else not value.strip() for value in values]
    assert blank(pa.array(values, pa.string())).to_pylist() == expected


# Helpers of the parsers.

letters = st.sampled_from("ABCab")
maybe_letter = st.none() | letters
rows_of_lists = st.lists(
    st.tuples(maybe_letter, st.none() | st.lists(maybe_letter, max_size=5)), max_size=8
)


@given(rows_of_lists, st.integers(0, 3))
def test_index_in_list_is_the_first_place_of_the_value(rows, offset):
    values = pa.array([value for value, _ in rows], pa.string()).slice(offset)
    lists = pa.array([each for _, each in rows], TEXTS).slice(offset)
    expected = [
        each.index(value) if value is not None and value in (each or []) else None
        for value, each in rows[offset:]
    ]
    found = index_in_list(values, lists)
    assert found.type == pa.int32()
    assert found.to_pylist() == expected


@given(st.lists(st.none() | st.text(alphabet="01239ABDJ", max_size=2)))
def test_key_index_is_the_place_in_the_first_alphabet_that_has_the_key(keys):
    def expected(key):
        places = [a.index(key) for a in ("0123", "ABCD") if key is not None and key in list(a)]
        return places[0] if places else None

    found = key_index(pa.array(keys, pa.string()), "0123", "ABCD")
    assert found.type == pa.int32()
    assert found.to_pylist() == [expected(key) for key in keys]


def test_key_index_prefers_the_first_alphabet():
    assert key_index(pa.array(["1"]), "012", "123").to_pylist() == [1]


some_lists = st.lists(st.none() | st.lists(st.text(max_size=3), max_size=4), max_size=6)


@given(some_lists, st.integers(0, 3), st.sampled_from([". ", ": ", ""]))
def test_options_stand_behind_the_label_of_their_place(lists, offset, joint):
    expected = [
        None if each is None else [f"{'ABCD'[i]}{joint}{text}" for i, text in enumerate(each)]
        for each in lists[offset:]
    ]
    column = pa.array(lists, TEXTS).slice(offset)
    assert prefix_options(column, "ABCD", joint).to_pylist() == expected


@given(some_lists, st.integers(0, 3))
def test_options_stand_behind_their_own_labels(lists, offset):
    labels = [each and [f"<{text}>" for text in each] for each in lists]
    expected = [
        None if each is None else [f"<{text}>: {text}" for text in each]
        for each in lists[offset:]
    ]
    columns = [pa.array(each, TEXTS).slice(offset) for each in (lists, labels)]
    assert prefix_options(*columns, ": ").to_pylist() == expected


# Rejects.

any_row = st.tuples(
    st.text(alphabet="q ", max_size=2),
    st.lists(st.text(max_size=2), max_size=3),
    st.none() | st.sampled_from(["unreadable_line", "null_value"]),
)


@given(st.lists(st.tuples(any_row, st.none() | st.integers(0, 3)), max_size=12))
def test_every_row_is_a_question_or_a_reject(rows):
    raw = raw_rows([row for row, _ in rows])
    parsed = parse([row for row, _ in rows], [key for _, key in rows])
    sound, rejects = split_rejects(raw, parsed)
    assert (sound.schema, rejects.schema) == (QUESTIONS, REJECTS)
    assert sound.num_rows + rejects.num_rows == len(rows)
    bad = [at for at, reason in enumerate(reasons(parsed), 1) if reason is not None]
    assert rejects.column("position").to_pylist() == bad
    kept = [row for row in parsed.to_pylist() if row["reason"] is None]
    assert sound.to_pylist() == [{name: row[name] for name in QUESTIONS.names} for row in kept]


def test_a_reject_tells_where_the_row_is_why_and_what_it_was():
    rows = [("q", ["a"], None), ("", ["a", "b"], None)]
    _, rejects = split_rejects(raw_rows(rows), parse(rows, [0, 0]))
    assert rejects.to_pylist() == [
        {
            "file": "folder/rows.jsonl",
            "position": 2,
            "reason": "empty_question",
            "detail": "the question has no text",
            "row": '{"asked": "", "options": ["a", "b"]}',
        }
    ]


def test_a_reject_is_shown_shortened_and_readable():
    rows = [("한" * 1000, ["a"] * 50, "null_value")]
    _, rejects = split_rejects(raw_rows(rows), parse(rows, [0]))
    shown = rejects.column("row")[0].as_py()
    assert json.loads(shown) == {"asked": "한" * 300 + "…", "options": ["a"] * 10}
    assert "한" in shown  # and not \ud55c
